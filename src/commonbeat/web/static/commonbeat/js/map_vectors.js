// Read the vector tiles of live/tiles.py: layers "cells" (polygons with n and resolution) and "pins" (points with code,
// topic and category). Only what those tiles hold is understood; 2 kB instead of a general reader's 12.

class Reader {
  constructor(bytes, at = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  varint() {
    let value = 0;
    let unit = 1;
    let byte;
    do {
      byte = this.bytes[this.at++];
      value += (byte & 127) * unit;
      unit *= 128;
    } while (byte > 127);
    return value;
  }

  // A cell has 63 bits, and a number of JavaScript 53: two numbers as one text.
  identity() {
    let low = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.bytes[this.at++];
      low |= (byte & 127) << shift;
      if (byte < 128) return `0-${low}`;
    }
    return `${this.varint()}-${low}`;
  }

  signed() {
    const value = this.varint();
    return value % 2 ? -(value + 1) / 2 : value / 2;
  }

  part() {
    const length = this.varint();
    const part = new Reader(this.bytes, this.at, this.at + length);
    this.at += length;
    return part;
  }

  text() {
    const { bytes, at, end } = this.part();
    return new TextDecoder().decode(bytes.subarray(at, end));
  }

  * fields() {
    while (this.at < this.end) {
      const key = this.varint();
      const before = this.at;
      yield key >> 3;
      // Whoever has not read the field leaves it to be passed.
      if (this.at === before) this.skip(key & 7);
    }
  }

  skip(kind) {
    if (kind === 0) this.varint();
    else if (kind === 2) this.part();
    else this.at += kind === 1 ? 8 : 4;
  }
}

function valueOf(reader) {
  let value = null;
  for (const field of reader.fields()) {
    if (field === 1) value = reader.text();
    else if (field === 3) {
      const view = new DataView(reader.bytes.buffer, reader.bytes.byteOffset + reader.at, 8);
      value = view.getFloat64(0, true);
      reader.at += 8;
    } else if (field === 4 || field === 5) value = reader.varint();
    else if (field === 6) value = reader.signed();
  }
  return value;
}

function featureOf(reader) {
  const feature = { id: "", tags: [], steps: [] };
  for (const field of reader.fields()) {
    if (field === 1) feature.id = reader.identity();
    else if (field === 2) for (const tags = reader.part(); tags.at < tags.end;) feature.tags.push(tags.varint());
    else if (field === 4) feature.geometry = reader.part();
  }
  return feature;
}

// Corners in a row, x and y, as parts of the tile.
function cornersOf(geometry, extent) {
  const corners = [];
  let x = 0;
  let y = 0;
  while (geometry.at < geometry.end) {
    const command = geometry.varint();
    if ((command & 7) === 7) continue;
    for (let count = command >> 3; count > 0; count -= 1) {
      x += geometry.signed();
      y += geometry.signed();
      corners.push(x / extent, y / extent);
    }
  }
  return corners;
}

// Give every feature of a tile: {layer, id, corners, …its properties}.
export function readTile(buffer) {
  const found = [];
  const tile = new Reader(new Uint8Array(buffer));
  for (const field of tile.fields()) {
    if (field !== 3) continue;
    const layer = tile.part();
    const keys = [];
    const values = [];
    const features = [];
    let name = "";
    let extent = 4096;
    for (const inner of layer.fields()) {
      if (inner === 1) name = layer.text();
      else if (inner === 2) features.push(featureOf(layer.part()));
      else if (inner === 3) keys.push(layer.text());
      else if (inner === 4) values.push(valueOf(layer.part()));
      else if (inner === 5) extent = layer.varint();
    }
    for (const { id, tags, geometry } of features) {
      const feature = { layer: name, id, corners: cornersOf(geometry, extent) };
      for (let at = 0; at < tags.length; at += 2) feature[keys[tags[at]]] = values[tags[at + 1]];
      found.push(feature);
    }
  }
  return found;
}
