// Maps of safety scores. <div class="map" data-safety="address"> draws the cells in view, coloured by their score;
// public/safety/parts.html writes it, with the table that tells the same.
import { addGround, boxOf, isDark } from "./basemap.js";

const { L } = window;
// A hexagon that is narrower on the screen, in pixels, is drawn as a dot.
const SMALLEST = 12;
const COLOURS = ["#440154", "#3b528b", "#21918c", "#5ec962", "#fde725"];

function styleOf({ properties, id }, chosen) {
  const known = properties.class !== null;
  const line = isDark() ? "#fffaf0" : "#26211b";
  return {
    fillColor: known ? COLOURS[properties.class] : "#8b7f6f",
    fillOpacity: properties.sure ? 0.78 : 0.34,
    color: id === chosen ? (isDark() ? "#ffb15e" : "#c2410c") : line,
    opacity: id === chosen ? 1 : 0.75,
    weight: id === chosen ? 4 : 1.2,
    // Not by paleness alone.
    dashArray: properties.sure ? null : "4 4",
  };
}

function line(text, tag = "p") {
  return Object.assign(document.createElement(tag), { textContent: text });
}

function popupOf(properties, texts) {
  const box = document.createElement("div");
  box.dir = "auto";
  box.append(line(properties.name, "strong"));
  if (properties.text) box.append(line(properties.text));
  box.append(line(properties.told));
  if (properties.helps) box.append(line(texts.textHelps.replace("{name}", properties.helps)));
  const more = line(texts.textMore, "a");
  more.href = properties.url;
  box.append(more);
  return box;
}

async function start(box) {
  box.dir = "ltr"; // Leaflet counts pixels from the left; right-to-left pages would tear the tiles apart.
  const { lat, lon, zoom, cell } = box.dataset;
  const map = L.map(box, { preferCanvas: true, minZoom: 2, maxZoom: 19, worldCopyJump: true, zoomControl: false, fadeAnimation: false, zoomAnimation: !matchMedia("(prefers-reduced-motion: reduce)").matches });
  map.attributionControl.setPrefix(false);
  L.control.zoom({ zoomInTitle: box.dataset.textIn || "+", zoomOutTitle: box.dataset.textOut || "−" }).addTo(map);
  const placed = Boolean(lat && lon);
  map.setView(placed ? [Number(lat), Number(lon)] : [30, 15], placed ? Number(zoom || 14) : 2);
  const town = await addGround(map, box.dataset);
  const note = box.closest(".map-frame")?.querySelector("[data-map-note]");
  let shown = null;
  let last = null;
  let request = null;
  const bind = ({ properties }, layer) => layer.bindPopup(() => popupOf(properties, box.dataset));
  function draw() {
    shown.clearLayers();
    const cells = L.geoJSON(last, { style: (feature) => styleOf(feature, cell), onEachFeature: bind });
    // From afar a cell is a dot, too small to see or to hit.
    const first = cells.getLayers()[0]?.getBounds();
    const width = first ? map.latLngToLayerPoint(first.getNorthEast()).x - map.latLngToLayerPoint(first.getSouthWest()).x : 0;
    if (width < SMALLEST) {
      cells.eachLayer((one) => bind(one.feature, L.circleMarker(one.getBounds().getCenter(), { ...styleOf(one.feature, cell), radius: 8 }).addTo(shown)));
    } else cells.addTo(shown);
    box.dataset.drawn = String(cells.getLayers().length);
    return cells.getLayers().length ? cells.getBounds() : null;
  }
  async function load(everything) {
    request?.abort();
    request = new AbortController();
    const address = new URL(box.dataset.safety, location.href);
    if (!everything) address.searchParams.set("bbox", boxOf(map.getBounds().pad(0.1), 4));
    try {
      const answer = await fetch(address, { signal: request.signal });
      if (!answer.ok) throw new Error(String(answer.status));
      const found = await answer.json();
      shown?.remove();
      shown = L.layerGroup().addTo(map);
      // The best known last, so that they lie on top.
      last = { ...found, features: found.features.reverse() };
      draw();
      if (note) note.textContent = found.note || "";
    } catch (error) {
      if (error.name !== "AbortError" && note) note.textContent = box.dataset.textFailed || "";
    }
  }
  // First all of it, so that the map can show where the places are.
  await load(!cell);
  const whole = last && draw();
  if (!cell && whole) {
    map.fitBounds(whole, { maxZoom: 16, padding: [8, 8], animate: false });
    draw();
  } else if (!placed && town) map.setView([(town.minLat + town.maxLat) / 2, (town.minLon + town.maxLon) / 2], 13, { animate: false });
  // A popup that opens near the edge moves the map; loading then would close it again.
  map.on("moveend", () => { if (!map._popup?.isOpen()) load(false); });
}

for (const box of document.querySelectorAll("[data-safety]")) start(box);
