// Draw an area: around it by hand, corner by corner, or, of an alert, a circle. What is drawn goes into the fields that
// the form has anyway (circles as ticked boxes, outlines as GeoJSON), and what stands in the fields is drawn.
// data-one: a new outline takes the place of the one before. data-most: so many corners it may have.
import { addGround, openMap } from "./basemap.js";
import { lasso } from "./desk-map-lasso.js";

const { L } = window;
const STYLE = { color: "#a94f12", weight: 3, fillOpacity: 0.2, interactive: false };

function ringsOf(text) {
  const found = [];
  const walk = (part) => {
    if (Array.isArray(part)) part.forEach(walk);
    else if (part?.type === "Polygon") found.push(part.coordinates);
    else if (part?.type === "MultiPolygon") found.push(...part.coordinates);
    else if (part) walk(part.geometry ?? part.features ?? part.geometries ?? []);
  };
  try {
    if (text.trim()) walk(JSON.parse(text));
  } catch {
    return null; // Half-typed; the server says what is wrong with it.
  }
  return found;
}

// Let longitudes go on over the antimeridian: each corner lies within half a turn of the one before.
function unrolled(corners) {
  let { lng: before } = corners[0].wrap();
  return corners.map(({ lat, lng }) => {
    before = lng + 360 * Math.round((before - lng) / 360);
    return L.latLng(lat, before);
  });
}

// Leave out corners, those first that change the outline least, until there are few enough.
function thinned(map, points, most) {
  const flat = points.map((one) => map.latLngToLayerPoint(one));
  let found = flat;
  for (let tolerance = 1; found.length > most && tolerance < 1000; tolerance *= 1.4) found = L.LineUtil.simplify(flat, tolerance);
  return found.length < 3 ? points : found.map((one) => map.layerPointToLatLng(one));
}

async function start(root) {
  const tools = root.querySelector("[data-tools]");
  const field = root.querySelector("[data-shapes]");
  const circles = root.querySelector("[data-circles]");
  const status = root.querySelector("[data-lasso-status]");
  const said = status.dataset;
  tools.hidden = false;
  const box = root.querySelector("[data-box]");
  const map = openMap(box);
  const drawn = L.layerGroup().addTo(map);
  const dots = L.layerGroup().addTo(map);
  const buttons = { corners: root.querySelector("[data-corners]") };
  if (circles) buttons.circle = root.querySelector("[data-circle]");
  const most = Number(root.dataset.most || 0);
  // What was drawn here, the last at the end, so that it can be taken back.
  const done = [];
  let corners = [];
  let mode = "";

  function show(fit) {
    drawn.clearLayers();
    const rings = ringsOf(field.value);
    const layers = [];
    for (const polygon of rings || []) layers.push(L.geoJSON({ type: "Polygon", coordinates: polygon }, { style: STYLE }));
    for (const one of circles?.querySelectorAll("input:checked") ?? []) {
      const [lat, lng, radius] = one.value.split(",").map(Number);
      layers.push(L.circle([lat, lng], { ...STYLE, radius }));
    }
    for (const layer of layers) layer.addTo(drawn);
    if (fit && layers.length) map.fitBounds(layers.map((one) => one.getBounds()).reduce((all, one) => all.extend(one), L.latLngBounds([])), { padding: [20, 20], maxZoom: 16, animate: false });
  }

  function write(rings) {
    field.value = rings.length ? JSON.stringify(rings.length > 1 ? { type: "MultiPolygon", coordinates: rings } : { type: "Polygon", coordinates: rings[0] }) : "";
    field.dispatchEvent(new Event("change", { bubbles: true }));
    show(false);
  }

  function addRing(points) {
    const rings = root.dataset.one === undefined ? ringsOf(field.value) || [] : [];
    const whole = unrolled(points);
    const kept = most && whole.length > most ? thinned(map, whole, most) : whole;
    const ring = kept.map(({ lat, lng }) => [Number(lng.toFixed(6)), Number(lat.toFixed(6))]);
    rings.push([[...ring, ring[0]]]);
    done.push("ring");
    write(rings);
    status.textContent = said.textDrawn;
  }

  function metres() {
    const unit = document.getElementById("id_unit").value === "km" ? 1000 : 1;
    const given = Number(document.getElementById("id_radius").value.replace(",", ".")) * unit;
    return Number.isFinite(given) && given >= 50 && given <= 200000 ? Math.round(given) : 500;
  }

  function addCircle(at) {
    const { lat, lng } = at.wrap();
    const radius = metres();
    const label = Object.assign(document.createElement("label"), { className: "choice" });
    const input = Object.assign(document.createElement("input"), { type: "checkbox", name: "circle", value: `${lat.toFixed(6)},${lng.toFixed(6)},${radius}`, checked: true });
    const text = Object.assign(document.createElement("span"), { className: "choice-text", textContent: `${radius < 1000 ? `${radius} m` : `${radius / 1000} km`} ${said.textAround}` });
    label.append(input, text);
    circles.append(label);
    done.push("circle");
    input.dispatchEvent(new Event("change", { bubbles: true }));
    status.textContent = said.textDrawn;
  }

  function drawCorners() {
    dots.clearLayers();
    for (const corner of corners) L.circleMarker(corner, { radius: 6, color: "#a94f12", fillOpacity: 1, interactive: false }).addTo(dots);
    if (corners.length > 1) L.polyline(corners, { ...STYLE, dashArray: "6 5" }).addTo(dots);
  }

  function finish() {
    if (corners.length > 2) addRing(corners);
    corners = [];
    drawCorners();
  }

  function set(next) {
    if (mode === "corners") finish();
    mode = next;
    for (const [name, button] of Object.entries(buttons)) button.setAttribute("aria-pressed", String(name === mode));
    if (mode) status.textContent = mode === "corners" ? said.textCorners : said.textCircle;
  }

  function put(at) {
    if (mode === "corners") {
      corners.push(at);
      drawCorners();
    } else if (mode === "circle") addCircle(at);
  }

  map.on("click", (event) => put(event.latlng));
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target === box) {
      event.preventDefault();
      put(map.getCenter());
    }
  });
  for (const [name, button] of Object.entries(buttons)) {
    button.addEventListener("click", () => {
      set(mode === name ? "" : name);
      if (mode) box.focus({ preventScroll: true });
    });
  }
  root.querySelector("[data-lasso]").addEventListener("click", () => set(""), { capture: true });
  root.querySelector("[data-undo]").addEventListener("click", () => {
    if (corners.length) {
      corners.pop();
      drawCorners();
      return;
    }
    const last = done.pop();
    if (last === "ring") write((ringsOf(field.value) || []).slice(0, -1));
    if (last === "circle") {
      const label = circles.lastElementChild;
      label.querySelector("input").checked = false;
      label.querySelector("input").dispatchEvent(new Event("change", { bubbles: true }));
      label.remove();
    }
  });
  // Whoever sends the form with corners on the map means the area that they make.
  root.closest("form").addEventListener("submit", finish, { capture: true });
  field.addEventListener("input", () => show(true));
  circles?.addEventListener("change", () => show(false));
  // A box that stood closed when the map was made has no size for it yet.
  root.closest("details")?.addEventListener("toggle", () => { map.invalidateSize(); show(true); });

  lasso(map, { querySelector: (what) => root.querySelector(what), dataset: said }, addRing);
  show(true);
  await addGround(map, box.dataset);
}

for (const root of document.querySelectorAll("[data-alert-draw]")) start(root);
