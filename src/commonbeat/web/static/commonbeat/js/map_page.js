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

// How large the hexagons are: merged ones lie beside small ones. What a heat map smooths shows none.
function sizeOf(cells) {
  const metres = layer.isSmooth ? [] : cells.map(({ resolution }) => Number(texts.metres.split(",")[resolution])).filter(Boolean);
  if (!metres.length) return "";
  const [least, most] = [Math.min(...metres), Math.max(...metres)].map((size) => numbers.format(size));
  return least === most ? said(texts.textMetres, { number: least }) : said(texts.textSizes, { least, most });
}

let timer = 0;
let isAtOnce = false; // another period is told with its bar, not after a rest
function tellView(failed) {
  clearTimeout(timer);
  timer = setTimeout(() => {
    const cells = layer.cellsInView();
    const sum = cells.reduce((total, { n }) => total + n, 0);
    const elsewhere = Math.max(placed - sum, 0);
    const whole = said(texts.textView, { here: numbers.format(sum), there: numbers.format(elsewhere) });
    // By months only the periods that are over count: these do not add up to what the page tells.
    const told = texts.property === "monthly" ? "" : whole;
    note.textContent = failed ? texts.textFailed : told;
    note.classList.remove("is-waiting");
    size.textContent = sizeOf(cells);
    inView.listView(cells);
    all.hidden = !elsewhere;
  }, isAtOnce ? 0 : SAID_AFTER);
  isAtOnce = false;
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
  playback(section, (days, isPlaying) => {
    span = days;
    // The number of the period before would contradict the bar; and nobody shall be talked over while it plays.
    note.classList.add("is-waiting");
    note.setAttribute("aria-live", isPlaying ? "off" : "polite");
    isAtOnce = true;
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
  if (!failed && placed && !kept && texts.pinned === undefined && !layer.cellsInView().length) showAll();
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
