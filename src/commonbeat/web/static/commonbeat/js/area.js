// Draw the area of a beat on a map: corners go into the text field as GeoJSON, and what stands there is drawn. Without
// this file the text field takes GeoJSON, and the button "Show the outline" draws it.
import { addGround } from "./basemap.js";

const { L } = window;

function readArea(text) {
  try {
    const layer = L.geoJSON(JSON.parse(text), { style: { color: "#a94f12", weight: 3, fillOpacity: 0.2 } });
    return layer.getLayers().length ? layer : null;
  } catch {
    return null; // Half-typed GeoJSON; the server says what is wrong when it is saved.
  }
}

async function start(box) {
  const field = document.querySelector(box.dataset.area);
  const tools = box.closest("[data-area-tools]");
  const status = tools.querySelector("[data-area-status]");
  tools.hidden = false;
  box.dir = "ltr"; // Leaflet counts pixels from the left.
  const map = L.map(box, { preferCanvas: true, minZoom: 2, maxZoom: 19, zoomControl: false, fadeAnimation: false });
  map.attributionControl.setPrefix(false);
  L.control.zoom({ zoomInTitle: box.dataset.textIn || "+", zoomOutTitle: box.dataset.textOut || "−" }).addTo(map);
  map.setView([Number(box.dataset.lat), Number(box.dataset.lon)], Number(box.dataset.zoom || 13));
  await addGround(map, box.dataset);

  let shown = null;
  let corners = [];
  let dots = L.layerGroup().addTo(map);

  function show(fit) {
    shown?.remove();
    shown = readArea(field.value)?.addTo(map) || null;
    if (fit && shown) map.fitBounds(shown.getBounds(), { padding: [20, 20], animate: false });
  }

  function draw() {
    dots.clearLayers();
    for (const corner of corners) L.circleMarker(corner, { radius: 6, color: "#a94f12", fillOpacity: 1 }).addTo(dots);
    if (corners.length === 2) L.polyline(corners, { color: "#a94f12" }).addTo(dots);
    const ring = corners.map(({ lat, lng }) => [Number(lng.toFixed(6)), Number(lat.toFixed(6))]);
    field.value = ring.length < 3 ? "" : JSON.stringify({ type: "Polygon", coordinates: [[...ring, ring[0]]] });
    status.textContent = corners.length ? `${status.dataset.textCorners} ${corners.length}` : "";
    show(false);
  }

  function add(at) {
    // The first tap begins anew only where nothing stands; an area is never lost to a slip of the finger.
    if (!corners.length && field.value.trim()) return;
    corners.push(at.wrap());
    draw();
  }

  map.on("click", (event) => add(event.latlng));
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target === box) {
      event.preventDefault();
      add(map.getCenter());
    }
  });
  tools.querySelector("[data-area-new]").addEventListener("click", () => {
    corners = [];
    draw();
    box.focus();
  });
  tools.querySelector("[data-area-undo]").addEventListener("click", () => {
    if (!corners.length) return;
    corners.pop();
    draw();
  });
  field.addEventListener("input", () => {
    corners = [];
    dots.clearLayers();
    show(true);
  });

  try {
    const others = await (await fetch(box.dataset.src, { headers: { Accept: "application/geo+json" } })).json();
    L.geoJSON(others, {
      interactive: false,
      filter: (one) => String(one.properties.id) !== box.dataset.own,
      style: { color: "#5d5a55", weight: 1.5, dashArray: "4 4", fillOpacity: 0.05 },
    }).addTo(map);
  } catch {
    // The neighbours are a help, not a need.
  }
  show(true);
}

for (const box of document.querySelectorAll("[data-area]")) start(box);
