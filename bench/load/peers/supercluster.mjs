// Load the points into supercluster and ask for tiles: node supercluster.mjs MODULE FOLDER VIEWS.json
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [, , module, folder, viewsFile] = process.argv;
const { default: Supercluster } = await import(pathToFileURL(module));
const column = (name) => new Float64Array(readFileSync(`${folder}/${name}.bin`).buffer);
const [longitude, latitude] = [column("longitude"), column("latitude")];
const before = process.memoryUsage().rss;
const begun = performance.now();
const features = Array.from(longitude, (x, i) => ({
  type: "Feature", properties: {}, geometry: { type: "Point", coordinates: [x, latitude[i]] },
}));
const index = new Supercluster({ radius: 40, extent: 256, maxZoom: 16 }).load(features);
const loaded = (performance.now() - begun) / 1000;
const found = { load_s: loaded, rss_mb: (process.memoryUsage().rss - before) / 1e6 };
const views = JSON.parse(readFileSync(viewsFile, "utf8"));
for (const kind of new Set(views.map((view) => view.kind))) {
  const times = views.filter((view) => view.kind === kind).map((view) => {
    const start = performance.now();
    index.getTile(view.zoom, view.x, view.y);
    return performance.now() - start;
  }).sort((a, b) => a - b);
  found[kind] = times[times.length >> 1];
}
console.log(JSON.stringify(found));
