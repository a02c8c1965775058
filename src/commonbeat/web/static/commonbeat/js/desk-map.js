// The desk's exact map. The server counts what lies in a view and says which of it is new; the page asks again after
// every move and every hint of the stream, always through the ordinary permission check.
import { addGround } from "./basemap.js";
import { alikeness } from "./desk-map-alike.js";
import { chooser, lasso } from "./desk-map-lasso.js";
import { discOf, sayingOf } from "./desk-map-marks.js";

const { L } = window;
const PAUSE = 500;
// Hints of somebody's looking change nothing on the map.
const LOOKS = ["reports.looked", "reports.map_looked", "reports.tightened"];

function after(pause, act) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(act, pause);
  };
}

function mapIn(box) {
  box.dir = "ltr"; // Leaflet counts pixels from the left.
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const map = L.map(box, { preferCanvas: true, minZoom: 2, maxZoom: 19, worldCopyJump: true, zoomControl: false, fadeAnimation: false, zoomAnimation: !still });
  map.attributionControl.setPrefix(false);
  L.control.zoom({ zoomInTitle: box.dataset.textIn || "+", zoomOutTitle: box.dataset.textOut || "−" }).addTo(map);
  map.setView([Number(box.dataset.lat), Number(box.dataset.lon)], Number(box.dataset.zoom || 13));
  return map;
}

function ringOf(south, west, north, east) {
  return [[south, west], [south, east], [north, east], [north, west]].map(([lat, lng]) => L.latLng(lat, lng));
}

async function start(root) {
  root.hidden = false;
  const box = root.querySelector("[data-box]");
  const note = root.querySelector("[data-note]");
  const map = mapIn(box);
  const drawAlike = alikeness(map, root);
  const discs = L.layerGroup().addTo(map);
  const { choose } = chooser(map, root);
  lasso(map, root, choose);
  let seen = null;
  let newest = 0;
  let request = null;

  function actsOf(mark) {
    const [south, west, north, east] = mark.box || [];
    const isSpot = !mark.box || (north - south < 1e-5 && east - west < 1e-5);
    const closer = map.getZoom() < map.getMaxZoom() && (isSpot && mark.box ? null : () => (mark.box
      ? map.fitBounds([[south, west], [north, east]], { padding: [60, 60] }) : map.setView(mark.at, map.getZoom() + 2)));
    const pad = 1e-6;
    return { closer, choose: () => { map.closePopup(); choose(ringOf(south - pad, west - pad, north + pad, east + pad)); } };
  }

  async function ask(address) {
    request?.abort();
    request = new AbortController();
    const body = new FormData();
    let how = {};
    if (root.dataset.q) {
      body.set("q", root.dataset.q);
      body.set("csrfmiddlewaretoken", root.querySelector("[name=csrfmiddlewaretoken]").value);
      how = { method: "POST", body };
    }
    const answer = await fetch(address, { ...how, headers: { Accept: "application/json", "HX-Request": "true" }, signal: request.signal });
    if (answer.headers.get("HX-Redirect")) location.assign(answer.headers.get("HX-Redirect"));
    if (!answer.ok) throw new Error(String(answer.status));
    return answer.json();
  }

  function addressOf(view) {
    const address = new URL(root.dataset.points, location.href);
    if (view) {
      const edges = [view.getWest(), Math.max(view.getSouth(), -90), view.getEast(), Math.min(view.getNorth(), 90)];
      address.searchParams.set("bbox", edges.map((n) => n.toFixed(6)).join(","));
      address.searchParams.set("zoom", String(map.getZoom()));
    }
    return address;
  }

  async function load() {
    let told;
    try {
      told = await ask(addressOf(map.getBounds()));
    } catch (error) {
      if (error.name !== "AbortError") note.textContent = root.dataset.textFailed;
      return;
    }
    const isFirst = seen === null;
    for (const mark of told.marks) newest = Math.max(newest, mark.newest);
    if (isFirst) seen = told.newest;
    discs.clearLayers();
    for (const mark of told.marks) {
      discOf(mark, mark.newest > seen).bindPopup(() => sayingOf(mark, root.dataset, actsOf(mark)), { minWidth: 180 }).addTo(discs);
    }
    note.textContent = told.note;
    box.dataset.marks = String(told.marks.length);
    drawAlike(told, discs.getLayers());
    return told;
  }

  async function tellNew() {
    const address = addressOf(null);
    address.searchParams.set("since", String(seen));
    const answer = await fetch(address, { headers: { Accept: "application/json" } }).catch(() => null);
    return answer?.ok ? answer.json() : null;
  }

  const fresh = root.querySelector("[data-news]");
  fresh.querySelector("[data-seen]").addEventListener("click", () => {
    seen = Math.max(newest, Number(fresh.dataset.newest || 0));
    fresh.hidden = true;
    box.focus({ preventScroll: true });
    load();
  });

  async function besides() {
    if (root.dataset.q) return;
    const place = document.querySelector("[data-beside-box]");
    const answer = await fetch(root.dataset.beside, { headers: { "HX-Request": "true" } }).catch(() => null);
    if (answer?.ok && !answer.headers.get("HX-Redirect") && !place.contains(document.activeElement)) place.innerHTML = await answer.text();
  }

  const heard = after(PAUSE, async () => {
    // What somebody reads, or is drawing around, stays where it is until they are done.
    if (!map._popup?.isOpen() && !box.classList.contains("is-lasso")) await load();
    const told = seen === null ? null : await tellNew();
    if (told) {
      fresh.hidden = !told.count;
      fresh.dataset.newest = told.newest;
      fresh.querySelector("[data-news-text]").textContent = !told.count ? ""
        : told.count === 1 ? root.dataset.textNewOne : root.dataset.textNewMany.replace("{n}", told.count);
    }
    await besides();
  });

  root.querySelector("[data-whole-view]").addEventListener("click", () => {
    const view = map.getBounds();
    const wide = view.getEast() - view.getWest() >= 360;
    choose(ringOf(Math.max(view.getSouth(), -90), wide ? -180 : view.getWest(), Math.min(view.getNorth(), 90), wide ? 180 : view.getEast()));
  });
  root.querySelector("[data-fit]").addEventListener("click", fit);
  async function fit() {
    const told = await ask(addressOf(null)).catch(() => null);
    const boxes = (told?.marks || []).filter((mark) => mark.box).map((mark) => L.latLngBounds([mark.box.slice(0, 2), mark.box.slice(2)]));
    if (boxes.length) map.fitBounds(boxes.slice(1).reduce((whole, one) => whole.extend(one), boxes[0]), { maxZoom: 15, padding: [40, 40] });
  }

  map.on("moveend", () => { if (!map._popup?.isOpen()) load(); });
  map.on("popupclose", () => setTimeout(() => { if (!map._popup?.isOpen()) load(); }));
  addGround(map, box.dataset);
  new ResizeObserver(() => map.invalidateSize({ animate: false })).observe(box);
  const first = await load();
  // A filter may leave only what lies far away: an empty town would tell that nothing happened.
  if (first && !first.count) await fit();

  const stream = new EventSource("/live/desk");
  stream.addEventListener("hint", (event) => {
    const { topic, kind } = JSON.parse(event.data);
    if (["report", "all"].includes(topic) && !LOOKS.includes(kind)) heard();
  });
  window.addEventListener("pagehide", () => stream.close());
}

for (const root of document.querySelectorAll("[data-desk-map]")) start(root);
