// Show an area that its owner drew: on a map that holds nothing else.
import { addGround, openMap } from "./basemap.js";

const { L } = window;

for (const box of document.querySelectorAll("[data-drawn]")) {
  const map = openMap(box);
  const area = L.geoJSON(JSON.parse(box.dataset.drawn), { style: { color: "#a94f12", weight: 3, fillOpacity: 0.2 }, interactive: false }).addTo(map);
  map.fitBounds(area.getBounds(), { padding: [20, 20], maxZoom: 16, animate: false });
  addGround(map, box.dataset);
}
