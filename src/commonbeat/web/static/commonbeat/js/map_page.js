// The public map: cells, pins, what is in view, playback, a link and a picture of the view. The page tells all numbers
// without it, and shows a picture in the map's place.
import { addGround, openMap } from "./basemap.js";
import { here, said } from "./map_here.js";
import { CellLayer } from "./map_layer.js";
import { playback } from "./map_playback.js";

const { L } = window;
const box = document.querySelector("[data-tiles]");
const frame = box.closest(".map-frame");
const note = frame.querySelector("[data-map-note]");
const size = document.querySelector("[data-map-size]");
const texts = box.dataset;
// The digits in which the server writes.
const numbers = new Intl.NumberFormat(`${document.documentElement.lang || "en"}-u-nu-latn`, { maximumFractionDigits: 1 });
const SAID_AFTER = 700; // milliseconds of rest before the view is told
const KEPT = "commonbeat-map-view";
const CLOSEST = 14; // where a whole choice lies in one street

const swatches = [...document.querySelectorAll(".heat-legend .heat")];
const layer = new CellLayer({
  address: texts.tiles,
  query: texts.query,
  property: texts.property,
  colours: swatches.map((one) => getComputedStyle(one).fill),
  least: swatches.map((one) => Number(one.dataset.least)),
  stroke: getComputedStyle(swatches[0]).stroke,
});
let placed = Number(texts.placed);
let span = null;

// The view goes along to the next choice in the tab's own memory: an address would tell the server where somebody looks.
function keptView() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEPT));
    return texts.pinned === undefined && Array.isArray(kept) && kept.every(Number.isFinite) ? kept : null;
  } catch {
    return null;
  }
}

function queryOf(days) {
  const query = new URLSearchParams(texts.query);
  if (days) {
    query.set("since", days.since);
    query.set("until", days.until);
  }
  return query.toString();
}

// Without a script it is a picture, and no keys move it.
for (const [name, value] of [["role", "application"], ["aria-label", texts.label], ["aria-describedby", "map-keys"]]) box.setAttribute(name, value);
document.querySelector("#map-keys").hidden = false;

const kept = keptView();
const map = openMap(box, kept ? { center: [kept[0], kept[1]], zoom: kept[2] } : null);
const inView = here({ map, box, layer, numbers, note });

function cellsInView() {
  const bounds = map.getBounds();
  return layer.cells.filter((cell) => bounds.contains(layer.latLngOf(cell)));
}

let timer = 0;
function tellView(failed) {
  clearTimeout(timer);
  timer = setTimeout(() => {
    const cells = cellsInView();
    const sum = cells.reduce((total, { n }) => total + n, 0);
    const elsewhere = Math.max(placed - sum, 0);
    const whole = said(texts.textView, { here: numbers.format(sum), there: numbers.format(elsewhere) });
    // By months only the periods that are over count: these do not add up to what the page tells.
    const told = texts.property === "monthly" ? "" : whole;
    note.textContent = failed ? texts.textFailed : told;
    const finest = cells.reduce((most, { resolution }) => Math.max(most, resolution), 0);
    const metres = Number(texts.metres.split(",")[finest]);
    if (!metres) size.textContent = "";
    else if (metres < 1000) size.textContent = said(texts.textMetres, { number: numbers.format(metres) });
    else size.textContent = said(texts.textKm, { number: numbers.format(metres / 1000) });
    inView.listView(cells);
    all.hidden = !elsewhere;
  }, SAID_AFTER);
}

// ── Everything in one view ──────────────────────────────────────────────────────────────────────────────────────
const all = document.querySelector("[data-map-all]");
async function showAll() {
  let cells = await layer.whole();
  // Cells of the whole world are large: each view of less of it knows better where they end.
  for (let turn = 0; turn < 6 && cells.length; turn += 1) {
    const bounds = cells.reduce((sum, cell) => sum.extend(layer.boundsOf(cell)), L.latLngBounds([]));
    if (turn && Math.min(map.getBoundsZoom(bounds), CLOSEST) <= map.getZoom()) break;
    map.fitBounds(bounds, { maxZoom: CLOSEST, animate: false });
    await layer.load();
    cells = layer.cells;
  }
}
all.addEventListener("click", () => { showAll(); box.focus({ preventScroll: true }); });

// ── Link and picture ────────────────────────────────────────────────────────────────────────────────────────────
const picture = document.querySelector("[data-map-picture]");
const share = document.querySelector("[data-map-share]");
const link = document.querySelector("#map-link");
const copy = document.querySelector("[data-map-copy]");

function withView(address) {
  const { lat, lng } = map.getCenter().wrap();
  address.searchParams.set("lat", lat.toFixed(4));
  address.searchParams.set("lon", lng.toFixed(4));
  address.searchParams.set("zoom", String(Math.round(map.getZoom())));
  for (const [name, value] of span ? [["since", span.since], ["until", span.until]] : []) address.searchParams.set(name, value);
  return address.href;
}

share.hidden = false;
share.addEventListener("click", () => {
  document.querySelector("[data-map-shared]").hidden = false;
  link.value = withView(new URL(location.pathname + location.search, location.href));
  link.focus();
  link.select();
});
copy.addEventListener("click", async () => {
  link.select();
  try {
    await navigator.clipboard.writeText(link.value);
  } catch {
    document.execCommand("copy"); // without TLS there is no clipboard
  }
  copy.textContent = copy.dataset.done;
});
picture.addEventListener("click", () => { picture.href = withView(new URL(picture.href)); });

// ── Time ────────────────────────────────────────────────────────────────────────────────────────────────────────
const section = document.querySelector("[data-playback]");
if (section && section.querySelectorAll(".bars a").length > 1) {
  playback(section, (days) => {
    span = days;
    placed = Number(days ? days.placed : texts.placed);
    return layer.show(queryOf(days));
  }, (days) => layer.prepare(queryOf(days)));
}

// ── The beginning ───────────────────────────────────────────────────────────────────────────────────────────────
let first = true;
layer.on("shown", ({ failed }) => {
  inView.drawPins();
  tellView(failed);
  if (!first) return;
  first = false;
  box.dataset.shown = ""; // what measures and tests wait for
  // An empty town would tell that nothing happened, where a choice has left only what lies far from it.
  if (!failed && placed && !kept && texts.pinned === undefined && !cellsInView().length) showAll();
  // The ground comes last: it is larger than all the rest.
  addGround(map, texts);
});
map.on("moveend", () => {
  try {
    const { lat, lng } = map.getCenter();
    sessionStorage.setItem(KEPT, JSON.stringify([lat, lng, map.getZoom()]));
  } catch {
    // A browser that keeps nothing begins anew.
  }
});
layer.addTo(map);
