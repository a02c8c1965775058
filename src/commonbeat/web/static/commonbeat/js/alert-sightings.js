// Where an alert was answered from, by time: numbered pins as in the list, up to the moment that the slider names.
import { addGround, openMap } from "./basemap.js";

const { L } = window;

async function start(root) {
  const answer = await fetch(root.dataset.sightings, { headers: { Accept: "application/json" } });
  if (!answer.ok) return;
  const { points } = await answer.json();
  if (!points.length) return;
  root.hidden = false;
  const map = openMap(root.querySelector("[data-box]"));
  const slider = root.querySelector("[data-moment]");
  const now = root.querySelector("[data-now]");
  const pins = points.map(({ at, number, when, title, url }) => {
    const icon = L.divIcon({ className: "map-pin", iconSize: [26, 26], html: `<span>${Number(number)}</span>` });
    const box = document.createElement("div");
    box.dir = "auto";
    box.append(Object.assign(document.createElement("a"), { href: url, textContent: title || when }), Object.assign(document.createElement("p"), { textContent: when }));
    return L.marker(at, { icon, title: `${number}: ${when}` }).bindPopup(box);
  });
  slider.max = String(points.length);
  slider.min = "1";
  slider.value = slider.max;
  function show() {
    const last = Number(slider.value);
    pins.forEach((pin, index) => (index < last ? pin.addTo(map) : pin.remove()));
    now.textContent = points[last - 1].when;
  }
  slider.addEventListener("input", show);
  map.fitBounds(L.latLngBounds(points.map(({ at }) => at)), { padding: [30, 30], maxZoom: 15, animate: false });
  show();
  await addGround(map, root.querySelector("[data-box]").dataset);
}

for (const root of document.querySelectorAll("[data-sightings]")) start(root);
