// Maps of a page. <div class="map" data-map="show" data-src="…"> draws what an address tells; data-map="pick" lets a
// reader put a pin. components/map.html writes both, with the list or the text field that does the same without a map.
import { addGround, boxOf, isDark, openMap } from "./basemap.js";

const { L } = window;
const HUES = {
  red: "#a8322d", orange: "#a94f12", amber: "#8a6200", green: "#3c6f2f", teal: "#17695d", blue: "#28608f", indigo: "#4a4f96", purple: "#74457a", pink: "#a03a68", grey: "#5d5a55",
};

function hex(colour) {
  return HUES[colour] || (/^#[0-9a-f]{3,8}$/i.test(colour || "") ? colour : HUES.teal);
}

// A circle on the canvas that carries its count; Leaflet itself has no text on canvas.
const Counted = L.CircleMarker.extend({
  _updatePath() {
    L.CircleMarker.prototype._updatePath.call(this);
    const { _renderer: renderer, _point: at } = this;
    if (!renderer._drawing || !renderer._ctx || this._empty() || this.options.count < 2) return;
    const context = renderer._ctx;
    context.globalAlpha = 1;
    context.fillStyle = "#fff";
    context.font = "600 13px system-ui, sans-serif";
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillText(this.options.label, at.x, at.y + 1);
  },
});

function popupOf({ url, title, topic, count }) {
  const box = document.createElement("div");
  const head = document.createElement(url ? "a" : "strong");
  head.textContent = title || topic || String(count ?? "");
  if (url) head.href = url;
  box.append(head);
  if (topic && title) box.append(Object.assign(document.createElement("p"), { textContent: topic }));
  box.dir = "auto";
  return box;
}

function drawn(collection, numbers) {
  return L.geoJSON(collection, {
    style: ({ properties, geometry }) => (geometry.type === "Point" ? {} : { color: hex(properties.colour), weight: 2, fillOpacity: 0.16 }),
    pointToLayer: ({ properties }, at) => {
      const count = Number(properties.count) || 1;
      return new Counted(at, {
        count, label: numbers.format(count), radius: count > 1 ? Math.min(11 + 3.2 * Math.sqrt(count), 30) : 9, color: isDark() ? "#181512" : "#fffdf9",
        weight: 2.5, fillColor: hex(properties.colour), fillOpacity: 0.93,
      });
    },
    onEachFeature: ({ properties }, layer) => {
      if (properties.url || properties.title || properties.topic) layer.bindPopup(popupOf(properties));
    },
  });
}

function show(map, box, placed) {
  const numbers = new Intl.NumberFormat(document.documentElement.lang || "en");
  const note = box.closest(".map-frame")?.querySelector("[data-map-note]");
  let current = null;
  let request = null;
  const all = box.closest(".map-frame")?.querySelector("[data-map-all]");
  let fitted = placed;
  let whole = null;
  const fit = () => map.fitBounds(whole, { maxZoom: 15, padding: [30, 30], animate: false });
  // Only a server that gave the bounds of everything can say that something lies elsewhere.
  const offer = () => { if (all) all.hidden = !whole || map.getBounds().contains(whole); };
  all?.addEventListener("click", () => { fit(); box.focus({ preventScroll: true }); });
  map.on("moveend", offer);
  async function load() {
    request?.abort();
    request = new AbortController();
    const address = new URL(box.dataset.src, location.href);
    if ("bbox" in box.dataset) {
      address.searchParams.set("bbox", boxOf(map.getBounds(), 5));
      address.searchParams.set("zoom", String(map.getZoom()));
    }
    try {
      const answer = await fetch(address, { headers: { Accept: "application/geo+json, application/json" }, signal: request.signal });
      if (!answer.ok) throw new Error(String(answer.status));
      const collection = await answer.json();
      const next = drawn(collection, numbers);
      current?.remove();
      current = next.addTo(map);
      if (note) note.textContent = collection.note || "";
      const [west, south, east, north] = collection.bbox || [];
      const first = !whole;
      whole = collection.bbox ? L.latLngBounds([south, west], [north, east]) : null;
      // A filter may leave only what lies far from the town: an empty town would tell that nothing happened.
      if (fitted && first && whole && !next.getLayers().some((layer) => map.getBounds().contains(layer.getLatLng?.() ?? layer.getBounds()))) fit();
      offer();
      if (!fitted && next.getLayers().length) {
        fitted = true;
        map.fitBounds(next.getBounds(), { maxZoom: 15, padding: [30, 30], animate: false });
      }
    } catch (error) {
      if (error.name !== "AbortError" && note) note.textContent = box.dataset.textFailed || "";
    }
  }
  // A popup that opens near the edge moves the map; loading then would close it again.
  if ("bbox" in box.dataset) map.on("moveend", () => { if (!map._popup?.isOpen()) load(); });
  load();
}

function pick(map, box) {
  const frame = box.closest(".map-frame") || box.parentElement;
  const latitude = document.querySelector(box.dataset.latInput);
  const longitude = document.querySelector(box.dataset.lonInput);
  const status = frame.parentElement.querySelector("[data-map-status]");
  const locate = frame.parentElement.querySelector("[data-map-locate]");
  const icon = L.divIcon({
    className: "pin", iconSize: [38, 46], iconAnchor: [19, 45],
    html: '<svg viewBox="0 0 38 46" aria-hidden="true"><path fill="currentColor" stroke="#fffdf9" stroke-width="2.5" d="M19 45C29 33 35.5 25.5 35.5 18a16.5 16.5 0 0 0-33 0c0 7.5 6.5 15 16.5 27z"/><circle cx="19" cy="18" r="6" fill="#fffdf9"/></svg>',
  });
  let pin = null;
  function put(at, text) {
    const spot = at.wrap();
    if (pin) pin.setLatLng(spot);
    else {
      pin = L.marker(spot, { icon, draggable: true, keyboard: false }).addTo(map);
      pin.on("dragend", () => put(pin.getLatLng(), box.dataset.textPicked));
    }
    latitude.value = spot.lat.toFixed(6);
    longitude.value = spot.lng.toFixed(6);
    for (const input of [latitude, longitude]) input.dispatchEvent(new Event("change", { bubbles: true }));
    if (status) status.textContent = text || "";
  }
  map.on("click", (event) => put(event.latlng, box.dataset.textPicked));
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target === box) {
      event.preventDefault();
      put(map.getCenter(), box.dataset.textPicked);
    }
  });
  if (latitude.value && longitude.value) {
    const at = L.latLng(Number(latitude.value), Number(longitude.value));
    map.setView(at, 16, { animate: false });
    put(at, "");
  }
  if (locate && navigator.geolocation) {
    locate.hidden = false;
    locate.addEventListener("click", () => {
      navigator.geolocation.getCurrentPosition(({ coords }) => {
        const at = L.latLng(coords.latitude, coords.longitude);
        map.setView(at, 17);
        put(at, box.dataset.textPicked);
      }, () => { if (status) status.textContent = box.dataset.textNoPosition || ""; }, { enableHighAccuracy: true, timeout: 15000 });
    });
  }
}

async function start(box) {
  const { lat, lon, zoom } = box.dataset;
  const placed = Boolean(lat && lon);
  const map = openMap(box);
  const town = await addGround(map, box.dataset);
  if (town && !placed) {
    map.setView([(town.minLat + town.maxLat) / 2, (town.minLon + town.maxLon) / 2], Number(zoom || Math.max(town.minZoom + 3, 13)), { animate: false });
  }
  if (box.dataset.map === "pick") pick(map, box);
  else show(map, box, placed || Boolean(town));
}

for (const box of document.querySelectorAll("[data-map]")) start(box);
