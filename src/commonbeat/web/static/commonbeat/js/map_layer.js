// A Leaflet layer that draws counted cells on one canvas: a soft heat map from afar, hexagons in a town. It fetches the
// tiles itself, so that a whole view changes at once, and a cell that lies on two tiles is drawn and counted once.
import { readTile } from "./map_vectors.js";

const { L } = window;
const WORLD = 256; // Leaflet's world at zoom 0, in pixels
// A tile of the zoom before, drawn twice as large, has a quarter of the cells: enough for a phone, and large enough for
// a finger. From the zoom on at which tiles tell of single reports they are taken as they are.
const PIN_ZOOM = 15;
const SMOOTH_UP_TO = 7; // resolution; such cells are some kilometres across
const MOST_KEPT = 240;
const PAD = 0.2;

export const CellLayer = L.Layer.extend({
  initialize({ address, query, property, colours, least, stroke }) {
    Object.assign(this, { address, query, property, colours, least, stroke });
    this.cells = [];
    this.pins = [];
    this._kept = new Map();
    this._run = 0;
  },

  onAdd(map) {
    this._canvas = L.DomUtil.create("canvas", "leaflet-zoom-animated map-cells");
    const pane = map.getPane("cells") || map.createPane("cells");
    pane.classList.add("map-cells-pane");
    pane.style.zIndex = "300"; // above the ground, below marks and popups
    pane.append(this._canvas);
    this._draw();
    this.load();
  },

  onRemove() {
    this._canvas.remove();
    this._run += 1;
  },

  getEvents() {
    return { moveend: this._moved, zoomanim: this._animate, zoom: this._follow };
  },

  // Show another span of time: what is drawn stays until all of the new is here.
  show(query) {
    this.query = query;
    return this.load();
  },

  // Fetch what show() will need.
  prepare(query) {
    for (const tile of this._plan()) this._tile(tile, query).catch(() => {});
  },

  async load() {
    const run = (this._run += 1);
    const { query } = this;
    const parts = [];
    let failed = 0;
    await Promise.all(this._plan().map(async (tile) => {
      try {
        parts.push(...(await this._tile(tile, query)).map((feature) => ({ ...feature, shift: tile.shift })));
        if (!this._shown && run === this._run) this._take(parts);
      } catch {
        failed += 1;
      }
    }));
    if (run !== this._run) return false;
    this._shown = true;
    this._take(parts);
    this.fire("shown", { failed });
    return true;
  },

  // All cells of the world, as coarse as they come.
  async whole() {
    const features = await this._tile({ z: 0, x: 0, y: 0 }, this.query);
    return features.filter(({ layer }) => layer === "cells");
  },

  // The cell at a place: where a small one lies on a large one, the small one.
  cellAt(place) {
    const { x, y } = this._point(place);
    return [...this.cells].reverse().find((cell) => isInside(cell.corners, x - cell.shift, y));
  },

  // The cells of which something lies in the view; one that is seen twice, far out, is there once.
  cellsInView() {
    const bounds = this._map.getBounds();
    const [from, to] = [this._point(bounds.getNorthWest()), this._point(bounds.getSouthEast())];
    const found = this.cells.filter(({ corners, shift }) => meets(corners, from.x - shift, from.y, to.x - shift, to.y));
    return [...new Map(found.map((cell) => [cell.id, cell])).values()];
  },

  latLngOf({ corners, shift = 0 }) {
    const [x, y] = middleOf(corners);
    return this._map.unproject([(x + shift) * WORLD, y * WORLD], 0);
  },

  boundsOf({ corners, shift = 0 }) {
    const bounds = L.latLngBounds([]);
    for (let at = 0; at < corners.length; at += 2) {
      bounds.extend(this._map.unproject([(corners[at] + shift) * WORLD, corners[at + 1] * WORLD], 0));
    }
    return bounds;
  },

  _point(place) {
    return this._map.project(place, 0).divideBy(WORLD);
  },

  _plan() {
    const zoom = Math.round(this._map.getZoom());
    const z = zoom >= PIN_ZOOM ? zoom : Math.max(zoom - 1, 0);
    const size = 2 ** z;
    const bounds = this._map.getBounds();
    const from = this._point(bounds.getNorthWest()).multiplyBy(size).floor();
    const to = this._point(bounds.getSouthEast()).multiplyBy(size).floor();
    const tiles = [];
    for (let y = Math.max(from.y, 0); y <= Math.min(to.y, size - 1); y += 1) {
      for (let x = from.x; x <= to.x; x += 1) tiles.push({ z, x: ((x % size) + size) % size, y, shift: Math.floor(x / size) });
    }
    return tiles;
  },

  _tile({ z, x, y }, query) {
    const key = `${z}/${x}/${y}.mvt?${query}`;
    let tile = this._kept.get(key);
    this._kept.delete(key);
    if (!tile) {
      tile = fetchTile(`${this.address}/${key}`, z, x, y);
      tile.catch(() => this._kept.delete(key));
    }
    this._kept.set(key, tile);
    if (this._kept.size > MOST_KEPT) this._kept.delete(this._kept.keys().next().value);
    return tile;
  },

  _take(features) {
    const cells = new Map();
    const pins = new Map();
    for (const feature of features) {
      if (feature.layer === "cells") cells.set(`${feature.id} ${feature.shift}`, feature);
      else if (feature.code) pins.set(feature.code, feature);
    }
    // The coarse first: what was merged lies under what was not.
    this.cells = [...cells.values()].sort((a, b) => a.resolution - b.resolution);
    this.pins = [...pins.values()];
    this._draw();
  },

  _moved() {
    this._draw();
    this.load();
  },

  _follow() {
    this._animate({ zoom: this._map.getZoom(), center: this._map.getCenter() });
  },

  _animate({ zoom, center }) {
    const scale = this._map.getZoomScale(zoom, this._zoom);
    L.DomUtil.setTransform(this._canvas, this._map._latLngToNewLayerPoint(this._corner, zoom, center), scale);
  },

  _draw() {
    const { _map: map, _canvas: canvas } = this;
    const size = map.getSize();
    const corner = map.containerPointToLayerPoint(size.multiplyBy(-PAD)).round();
    const [width, height] = [size.x, size.y].map((side) => Math.round(side * (1 + 2 * PAD)));
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    this._corner = map.layerPointToLatLng(corner);
    this._zoom = map.getZoom();
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    L.DomUtil.setPosition(canvas, corner);
    const context = canvas.getContext("2d");
    context.scale(ratio, ratio);
    const scale = WORLD * 2 ** this._zoom;
    const origin = map.getPixelOrigin().add(corner);
    const finest = this.cells.length ? this.cells[this.cells.length - 1].resolution : 0;
    const smooth = Boolean(finest) && finest <= SMOOTH_UP_TO;
    this.isSmooth = smooth;
    canvas.classList.toggle("is-smooth", smooth);
    context.strokeStyle = this.stroke;
    for (const cell of this.cells) {
      const corners = cell.corners.map((part, at) => (at % 2 ? part * scale - origin.y : (part + cell.shift) * scale - origin.x));
      context.beginPath();
      if (smooth) disc(context, corners);
      else outline(context, corners);
      context.fillStyle = this.colours[this.classOf(this.valueOf(cell))];
      context.fill();
      if (!smooth) context.stroke();
    }
  },

  // What the colours tell of a cell: n, or another measure beside it.
  valueOf(cell) {
    return cell[this.property] ?? cell.n;
  },

  classOf(value) {
    let found = 0;
    while (found + 1 < this.least.length && value >= this.least[found + 1]) found += 1;
    return found;
  },
});

async function fetchTile(address, z, x, y) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(String(answer.status));
  const features = readTile(await answer.arrayBuffer());
  const size = 2 ** z;
  for (const { corners } of features) {
    for (let at = 0; at < corners.length; at += 2) {
      corners[at] = (corners[at] + x) / size;
      corners[at + 1] = (corners[at + 1] + y) / size;
    }
  }
  return features;
}

function middleOf(corners) {
  let [x, y] = [0, 0];
  for (let at = 0; at < corners.length; at += 2) {
    x += corners[at];
    y += corners[at + 1];
  }
  return [(2 * x) / corners.length, (2 * y) / corners.length];
}

function outline(context, corners) {
  for (let at = 0; at < corners.length; at += 2) context.lineTo(corners[at], corners[at + 1]);
  context.closePath();
}

function disc(context, corners) {
  const [x, y] = middleOf(corners);
  context.arc(x, y, Math.max(1.15 * Math.hypot(corners[0] - x, corners[1] - y), 7), 0, 2 * Math.PI);
}

// Tell whether a convex outline and a rectangle have anything in common: no straight line parts them.
function meets(corners, west, north, east, south) {
  const box = [west, north, east, north, east, south, west, south];
  const normals = [[1, 0], [0, 1]];
  for (let at = 0, last = corners.length - 2; at < corners.length; last = at, at += 2) {
    normals.push([corners[at + 1] - corners[last + 1], corners[last] - corners[at]]);
  }
  const along = (points, [x, y]) => {
    const values = [];
    for (let at = 0; at < points.length; at += 2) values.push(points[at] * x + points[at + 1] * y);
    return [Math.min(...values), Math.max(...values)];
  };
  return normals.every((normal) => {
    const [[a, b], [c, d]] = [along(corners, normal), along(box, normal)];
    return a < d && c < b;
  });
}

function isInside(corners, x, y) {
  let inside = false;
  for (let at = 0, last = corners.length - 2; at < corners.length; last = at, at += 2) {
    const [x1, y1, x2, y2] = [corners[at], corners[at + 1], corners[last], corners[last + 1]];
    if (y1 > y !== y2 > y && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1) inside = !inside;
  }
  return inside;
}
