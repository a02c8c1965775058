// What lies in the middle of a map, in its view, and at its pins: as popups and lists that a keyboard reaches.
import { boxOf } from "./basemap.js";

const { L } = window;
const MOST_ROWS = 8;
const MORE_ROWS = 40; // at each press
const MOST_LINKS = 8;
const MOST_PINS = 150; // marks of their own; beyond, the hexagons say more

export function said(text, parts) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => parts[name] ?? whole);
}

function element(tag, parts, ...children) {
  const made = Object.assign(document.createElement(tag), parts);
  made.append(...children);
  return made;
}

function rounded(metres) {
  const step = 10 ** Math.max(Math.floor(Math.log10(Math.max(metres, 1))) - 1, 0);
  return Math.round(metres / step) * step;
}

export function here({ map, box, layer, numbers, note }) {
  const section = document.querySelector("[data-map-here]");
  const list = section.querySelector("ul");
  const [counted, more] = [section.querySelector("[data-here-count]"), section.querySelector("[data-here-more]")];
  const forms = new Intl.PluralRules(document.documentElement.lang || "en");
  const texts = box.dataset;
  const pins = L.layerGroup().addTo(map);
  const topics = Object.fromEntries([...document.querySelectorAll("#id_topic option")].map((one) => [one.value, one.textContent]));

  function popup(at, content) {
    return L.popup({ autoPanPadding: [20, 20], minWidth: 180, maxWidth: Math.min(280, map.getSize().x - 60) }).setLatLng(at).setContent(content).openOn(map);
  }

  function tell(cell) {
    const at = layer.latLngOf(cell);
    const bounds = layer.boundsOf(cell);
    const content = element("div", { dir: "auto" }, element("strong", { textContent: said(texts.textOne, { number: numbers.format(layer.valueOf(cell)) }) }));
    if (map.getZoom() < 17) {
      const closer = element("button", { type: "button", className: "button button-small", textContent: texts.textCloser });
      closer.addEventListener("click", () => {
        map.closePopup();
        map.fitBounds(bounds, { maxZoom: Math.min(map.getZoom() + 3, 17) });
        box.focus({ preventScroll: true });
      });
      content.append(element("p", {}, closer));
    }
    const everything = document.querySelector("[data-map-list]");
    if (everything) {
      const address = new URL(everything.href);
      address.searchParams.set("bbox", boxOf(bounds, 4));
      content.append(element("p", {}, element("a", { href: address.href, textContent: texts.textList })));
    }
    popup(at, content);
  }

  async function name(link, code) {
    try {
      const answer = await fetch(`${texts.titles}?code=${encodeURIComponent(code)}`);
      const title = (await answer.json()).features[0]?.properties.title;
      if (title) link.textContent = title;
    } catch {
      // The topic's name stands there already.
    }
  }

  function tellPins(at, found) {
    const links = found.slice(0, MOST_LINKS).map(({ code, topic }) => element("a", { href: `${texts.reports}${code}/`, textContent: topics[topic] || texts.textReport }));
    const content = element("div", { dir: "auto" }, element("ul", { className: "plain-list" }, ...links.map((link) => element("li", {}, link))));
    if (found.length > MOST_LINKS) content.append(element("p", { textContent: said(texts.textMore, { number: numbers.format(found.length - MOST_LINKS) }) }));
    const shown = popup(at, content);
    links[0].focus({ preventScroll: true });
    Promise.all(links.map((link, index) => name(link, found[index].code))).then(() => {
      const focused = links.find((link) => link === document.activeElement);
      shown.update(); // its size; it takes the content out and puts it back
      focused?.focus({ preventScroll: true });
    });
  }

  function drawPins() {
    const places = new Map();
    for (const pin of layer.pins) {
      const key = pin.corners.map((part) => part.toFixed(9)).join();
      places.set(key, [...(places.get(key) || []), pin]);
    }
    pins.clearLayers();
    if (places.size > MOST_PINS) return;
    for (const found of places.values()) {
      const label = numbers.format(found.length);
      const icon = L.divIcon({ className: "map-pin", iconSize: [32, 32], html: element("span", { textContent: found.length > 1 ? label : "" }) });
      const title = found.length > 1 ? said(texts.textPins, { number: label }) : topics[found[0].topic] || texts.textReport;
      L.marker(layer.latLngOf(found[0]), { icon, alt: title, title }).on("click keypress", (event) => {
        if (event.type === "keypress" && event.originalEvent.key !== "Enter") return;
        tellPins(event.target.getLatLng(), found);
      }).addTo(pins);
    }
  }

  // Tell which of eight directions a place lies in, and how far.
  function whereabouts(at) {
    const middle = map.getCenter();
    const metres = rounded(map.distance(middle, at));
    const [from, to] = [map.project(middle, 0), map.project(at, 0)];
    const turn = Math.atan2(to.x - from.x, from.y - to.y) / (Math.PI / 4);
    const distance = numbers.format(metres < 1000 ? metres : metres / 1000);
    return { distance, direction: texts.textWhere.split("|")[(Math.round(turn) + 8) % 8], metres };
  }

  // "32 reports", in the form that the language has for it; the other measures are named before their number.
  function valueText(cell) {
    const value = layer.valueOf(cell);
    const kinds = ["zero", "one", "two", "few", "many", "other"];
    const text = layer.property === "n" ? texts.textReports.split("|")[kinds.indexOf(forms.select(value))] : texts.textOne;
    return said(text, { number: numbers.format(value) });
  }

  function listView(cells, most = MOST_ROWS) {
    const sorted = [...cells].sort((a, b) => layer.valueOf(b) - layer.valueOf(a));
    section.hidden = !sorted.length;
    const left = sorted.length - most;
    counted.textContent = left > 0 ? said(texts.textLargest, { number: numbers.format(most), all: numbers.format(sorted.length) }) : "";
    more.hidden = left <= 0;
    more.onclick = () => {
      listView(cells, most + MORE_ROWS);
      list.children[most].querySelector("button").focus();
    };
    list.replaceChildren(...sorted.slice(0, most).map((cell) => {
      const { metres, ...where } = whereabouts(layer.latLngOf(cell));
      const row = metres < 1000 ? texts.textRow : texts.textRowKm;
      const text = said(metres < 20 ? texts.textMiddle : row, { number: valueText(cell), ...where });
      const button = element("button", { type: "button", className: "button-link", textContent: text });
      button.addEventListener("click", () => {
        tell(cell);
        map.getPane("popupPane").querySelector("button, a")?.focus({ preventScroll: true });
        box.scrollIntoView({ block: "nearest" });
      });
      return element("li", {}, button);
    }));
  }

  map.on("click", ({ latlng }) => {
    const cell = layer.cellAt(latlng);
    if (cell) tell(cell);
  });
  box.addEventListener("keydown", (event) => {
    // Leaflet listens only while the map itself has the focus, not what lies in a popup.
    if (event.key === "Escape") map.closePopup();
    if (event.key !== "Enter" || event.target !== box) return;
    event.preventDefault();
    const cell = layer.cellAt(map.getCenter());
    if (!cell) {
      note.textContent = texts.textNone;
      return;
    }
    tell(cell);
    map.getPane("popupPane").querySelector("button, a")?.focus({ preventScroll: true });
  });
  map.on("popupclose", () => {
    // What had the focus has gone with the popup.
    if (document.activeElement === document.body) box.focus({ preventScroll: true });
  });
  return { drawPins, listView };
}
