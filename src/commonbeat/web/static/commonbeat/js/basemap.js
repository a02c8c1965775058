// The map underneath: the offline world, and the town's own file above it where there is one. Canvas only, no WebGL.
// Layers are named as in Protomaps files (earth, landuse, water, roads, buildings, pois, places), so that an extract of
// a real town dropped into the folder is drawn by the same rules.
const { L } = window;
let { protomapsL } = window;

const LIGHT = {
  sea: "#a9cbcf", earth: "#f5f0e5", residential: "#efe6d7", park: "#cfe0bb", forest: "#c2d6b1", meadow: "#dfe6c6", farmland: "#ece7c9",
  school: "#f2e0c4", hospital: "#f4d8d1", industrial: "#e3dbd0", cemetery: "#cedac4", square: "#fbf4e6", building: "#dccdb7", public: "#cfa684",
  casing: "#d8cbb5", road: "#fffdf8", major: "#fbdf9f", path: "#cdbfa8", rail: "#8d8377", border: "#a5937c", ink: "#453d33", quiet: "#6b6052", halo: "#fffaf0", wet: "#2d6570",
};
const DARK = {
  sea: "#1b3940", earth: "#211f1b", residential: "#282520", park: "#26382a", forest: "#22332a", meadow: "#2b3426", farmland: "#302e20",
  school: "#3a3022", hospital: "#40292a", industrial: "#312c28", cemetery: "#29352b", square: "#373127", building: "#3d372f", public: "#6b4c36",
  casing: "#191714", road: "#4b443b", major: "#7a6234", path: "#5a5145", rail: "#8d8377", border: "#7c6f5f", ink: "#efe6d8", quiet: "#bfb3a2", halo: "#1a1815", wet: "#8fc4cc",
};
const GROUND = {
  residential: "residential", park: "park", grass: "park", garden: "park", recreation_ground: "park", pitch: "park", stadium: "park", playground: "park",
  forest: "forest", wood: "forest", meadow: "meadow", grassland: "meadow", scrub: "meadow", farmland: "farmland", orchard: "farmland", school: "school",
  university: "school", hospital: "hospital", industrial: "industrial", railway: "industrial", station: "industrial", bus: "industrial", cemetery: "cemetery",
  square: "square", pedestrian: "square", marketplace: "square", castle: "meadow",
};
const FACE = 'system-ui, "Segoe UI", Roboto, "Noto Sans", "Noto Sans Arabic", sans-serif';

export function isDark() {
  const forced = document.documentElement.dataset.theme;
  return forced ? forced === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function kindOf(feature) {
  return feature.props.kind || feature.props["pmap:kind"] || "";
}

function paintRules(c) {
  const { PolygonSymbolizer: Area, LineSymbolizer: Line } = protomapsL;
  const wider = (stops) => protomapsL.exp(1.6, stops);
  const road = (kinds) => (z, f) => kinds.includes(kindOf(f));
  const major = road(["highway", "major_road", "medium_road"]);
  const minor = road(["minor_road", "other"]);
  return [
    { dataLayer: "earth", symbolizer: new Area({ fill: c.earth }) },
    { dataLayer: "landuse", filter: (z, f) => kindOf(f) === "residential", symbolizer: new Area({ fill: c.residential }) },
    { dataLayer: "landuse", filter: (z, f) => kindOf(f) !== "residential" && kindOf(f) in GROUND, symbolizer: new Area({ fill: (z, f) => c[GROUND[kindOf(f)]] }) },
    { dataLayer: "water", filter: (z, f) => f.geomType === 3, symbolizer: new Area({ fill: c.sea }) },
    { dataLayer: "roads", filter: road(["path", "pedestrian"]), minzoom: 14, symbolizer: new Line({ color: c.path, width: wider([[13, 0.7], [18, 5]]) }) },
    { dataLayer: "roads", filter: minor, minzoom: 13, symbolizer: new Line({ color: c.casing, width: wider([[12, 1], [15, 5.5], [18, 19]]), lineCap: "round", lineJoin: "round" }) },
    { dataLayer: "roads", filter: major, symbolizer: new Line({ color: c.casing, width: wider([[8, 1.4], [12, 3.4], [15, 9.5], [18, 26]]), lineCap: "round", lineJoin: "round" }) },
    { dataLayer: "roads", filter: minor, minzoom: 12, symbolizer: new Line({ color: c.road, width: wider([[12, 0.7], [15, 4], [18, 16]]), lineCap: "round", lineJoin: "round" }) },
    { dataLayer: "roads", filter: major, symbolizer: new Line({ color: c.major, width: wider([[8, 0.8], [12, 2.3], [15, 7], [18, 23]]), lineCap: "round", lineJoin: "round" }) },
    { dataLayer: "roads", filter: road(["rail"]), symbolizer: new Line({ color: c.rail, width: 1, dash: [1, 0], dashColor: c.rail, dashWidth: 1.6 }) },
    { dataLayer: "buildings", minzoom: 14, symbolizer: new Area({ fill: (z, f) => (kindOf(f) === "public" ? c.public : c.building) }) },
    { dataLayer: "boundaries", symbolizer: new Line({ color: c.border, width: 1, opacity: 0.7 }) },
  ];
}

function labelRules(c, language) {
  const { CenteredTextSymbolizer: Text, LineLabelSymbolizer: Along, OffsetTextSymbolizer: Beside, CircleSymbolizer: Dot, GroupSymbolizer: Group } = protomapsL;
  const labelProps = [`name:${language}`, "name"];
  const look = { labelProps, stroke: c.halo, width: 3 };
  const place = (kinds) => (z, f) => kinds.includes(kindOf(f));
  return [
    { dataLayer: "places", filter: place(["country"]), maxzoom: 7, sort: (a, b) => (a.rank || 500) - (b.rank || 500), symbolizer: new Text({ ...look, fill: c.quiet, font: `600 13px ${FACE}`, maxLineChars: 18, lineHeight: 1.4 }) },
    { dataLayer: "places", filter: place(["town", "locality", "city"]), maxzoom: 13, symbolizer: new Text({ ...look, fill: c.ink, font: `700 17px ${FACE}` }) },
    { dataLayer: "places", filter: place(["village", "hamlet"]), minzoom: 11, symbolizer: new Text({ ...look, fill: c.ink, font: `600 14px ${FACE}` }) },
    { dataLayer: "places", filter: place(["district", "neighbourhood", "suburb", "macrohood"]), minzoom: 13, maxzoom: 16, symbolizer: new Text({ ...look, fill: c.quiet, font: `600 13px ${FACE}`, maxLineChars: 14, lineHeight: 1.4 }) },
    { dataLayer: "pois", minzoom: 15, symbolizer: new Group([new Dot({ radius: 3, fill: c.public, stroke: c.halo, width: 1.5 }), new Beside({ ...look, fill: c.ink, font: `500 12px ${FACE}`, offsetX: 6, offsetY: 4, maxLineChars: 20, lineHeight: 1.4 })]) },
    { dataLayer: "water", filter: (z, f) => f.geomType === 2, minzoom: 13, symbolizer: new Along({ ...look, fill: c.wet, font: `italic 500 13px ${FACE}`, position: 2, repeatDistance: 500 }) },
    { dataLayer: "roads", minzoom: 15, filter: (z, f) => kindOf(f) !== "rail", symbolizer: new Along({ ...look, fill: c.quiet, font: `500 12px ${FACE}`, position: 2, repeatDistance: 300 }) },
  ];
}

function plain(html) {
  return new DOMParser().parseFromString(html || "", "text/html").body.textContent.trim();
}

async function layerOf(url, options) {
  const { p } = new protomapsL.PmtilesSource(url, true);
  const header = await p.getHeader();
  const metadata = await p.getMetadata().catch(() => ({}));
  const colours = isDark() ? DARK : LIGHT;
  const language = document.documentElement.lang;
  const layer = protomapsL.leafletLayer({
    url: p, maxDataZoom: header.maxZoom, lang: language, paintRules: paintRules(colours), labelRules: labelRules(colours, language),
    attribution: plain(metadata.attribution) || " ", tileDelay: 1, ...options(header, colours),
  });
  return { layer, header };
}

// Make a Leaflet map in a container that says where (data-lat, data-lon, data-zoom), unless the view is handed in.
export function openMap(box, view) {
  box.dir = "ltr"; // Leaflet counts pixels from the left; right-to-left pages would tear the tiles apart.
  const { lat, lon, zoom } = box.dataset;
  const map = L.map(box, { preferCanvas: true, minZoom: 2, maxZoom: 19, worldCopyJump: true, zoomControl: false, fadeAnimation: false, zoomAnimation: !matchMedia("(prefers-reduced-motion: reduce)").matches });
  map.attributionControl.setPrefix(false);
  L.control.zoom({ zoomInTitle: box.dataset.textIn || "+", zoomOutTitle: box.dataset.textOut || "−" }).addTo(map);
  const placed = Boolean(lat && lon);
  if (view) map.setView(view.center, view.zoom, { animate: false });
  else map.setView(placed ? [Number(lat), Number(lon)] : [30, 15], placed ? Number(zoom || 14) : 2);
  paper(map, box.dataset.townPmtiles);
  return map;
}

// Write bounds as west,south,east,north within the world, however often a view from far out shows it.
export function boxOf(bounds, digits) {
  const wide = bounds.getEast() - bounds.getWest() >= 360;
  const [west, east] = wide ? [-180, 180] : [bounds.getWest(), bounds.getEast()].map((lng) => L.Util.wrapNum(lng, [-180, 180], true));
  const [south, north] = [bounds.getSouth(), bounds.getNorth()].map((lat) => Math.min(Math.max(lat, -90), 90));
  return [west, south, east, north].map((part) => part.toFixed(digits)).join(",");
}

function paper(map, townPmtiles) {
  map.getContainer().style.background = (isDark() ? DARK : LIGHT)[townPmtiles ? "earth" : "sea"];
}

// The library that draws the ground, loaded now where the page has left it for later (data-protomaps).
function library(address) {
  protomapsL = window.protomapsL;
  if (protomapsL || !address) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const script = Object.assign(document.createElement("script"), { src: address, onload: resolve, onerror: reject });
    document.head.append(script);
  }).then(() => { protomapsL = window.protomapsL; });
}

// Put the maps that the container names (data-world-pmtiles, data-town-pmtiles) onto a Leaflet map.
// Returns the header of the town's file, or null: a map without its ground still shows its pins.
export async function addGround(map, { worldPmtiles, townPmtiles, protomaps }) {
  paper(map, townPmtiles);
  try {
    await library(protomaps);
  } catch (error) {
    console.warn("The ground of the map could not be loaded.", error);
    return null;
  }
  const town = townPmtiles ? await added(map, townPmtiles, (h) => ({
    zIndex: 2, minZoom: h.minZoom + 1, bounds: [[h.minLat, h.minLon], [h.maxLat, h.maxLon]],
  })) : null;
  if (!worldPmtiles) return town;
  // Where the town's map fills the view, the world under it would be 30 kB that nobody sees.
  const covers = () => town && map.getZoom() > town.minZoom && L.latLngBounds([town.minLat, town.minLon], [town.maxLat, town.maxLon]).contains(map.getBounds());
  const world = () => added(map, worldPmtiles, () => ({ zIndex: 1 }));
  if (covers()) {
    const leave = () => {
      if (covers()) return;
      map.off("moveend", leave);
      world();
    };
    map.on("moveend", leave);
  } else await world();
  return town;
}

async function added(map, url, options) {
  try {
    const { layer, header } = await layerOf(url, options);
    layer.addTo(map);
    return header;
  } catch (error) {
    console.warn("A base map could not be read.", error);
    return null;
  }
}
