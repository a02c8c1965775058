// What is probably the same: its marks on the map have a halo and a line between them, and a list says which reports it is.
import { ALIKE } from "./desk-map-marks.js";

const { L } = window;
// The others are one step away: on a telephone they would push everything else out of sight.
const FIRST = 3;

export function alikeness(map, root) {
  // Below the marks, so that their numbers stay readable.
  map.createPane("alike").style.zIndex = 390;
  const renderer = L.canvas({ pane: "alike" });
  const layer = L.layerGroup().addTo(map);
  const section = root.querySelector("[data-alike]");
  const list = root.querySelector("[data-alike-list]");
  const more = root.querySelector("[data-alike-more]");
  const note = root.querySelector("[data-alike-note]");

  function make(tag, more) {
    return Object.assign(document.createElement(tag), more);
  }

  function itemOf(group) {
    const item = make("li");
    item.append(make("p", { className: "muted", textContent: group.said }));
    const reports = make("ul");
    for (const one of group.reports) {
      const line = make("li");
      line.append(make("a", { href: one.url, textContent: one.title, dir: "auto" }), make("span", { className: "muted", textContent: ` · ${one.when}` }));
      reports.append(line);
    }
    const acts = make("p", { className: "row" });
    acts.append(make("a", { className: "button button-secondary button-small", href: group.compare, textContent: root.dataset.textCompare }));
    const show = make("button", { type: "button", className: "button button-quiet button-small", textContent: root.dataset.textShow });
    show.addEventListener("click", () => map.fitBounds(L.latLngBounds(group.reports.map(({ at }) => at)), { maxZoom: 18, padding: [60, 60] }));
    acts.append(show);
    item.append(reports, acts);
    return item;
  }

  // A report may be one of many in a mark: the nearest mark is its own.
  function markOf(at, marks) {
    const here = map.latLngToLayerPoint(at);
    let best = null;
    let least = Infinity;
    for (const mark of marks) {
      const distance = here.distanceTo(map.latLngToLayerPoint(mark.getLatLng()));
      if (distance < least) [best, least] = [mark, distance];
    }
    return best;
  }

  return function draw({ alike, alike_note: said }, discs) {
    layer.clearLayers();
    const look = { renderer, pane: "alike", color: ALIKE, weight: 2.5, dashArray: "3 4", interactive: false };
    const haloed = new Set();
    for (const { reports } of alike) {
      const marks = new Set(reports.map(({ at }) => markOf(at, discs)).filter(Boolean));
      const [first, ...others] = marks;
      for (const mark of marks) {
        if (!haloed.has(mark)) L.circleMarker(mark.getLatLng(), { ...look, radius: mark.options.radius + 6, fillOpacity: 0.12 }).addTo(layer);
        haloed.add(mark);
      }
      for (const other of others) L.polyline([first.getLatLng(), other.getLatLng()], look).addTo(layer);
    }
    // A list that somebody is in stays until they leave it.
    if (!section.contains(document.activeElement)) {
      list.replaceChildren(...alike.slice(0, FIRST).map(itemOf));
      more.hidden = alike.length <= FIRST;
      more.querySelector("summary").textContent = more.dataset.text.replace("{n}", alike.length - FIRST);
      more.querySelector("ul").replaceChildren(...alike.slice(FIRST).map(itemOf));
    }
    note.textContent = alike.length ? said : "";
    section.hidden = !alike.length;
  };
}
