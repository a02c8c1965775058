// How far a point lies from an area, on the device. An area is the coordinates of a GeoJSON MultiPolygon.
const METRES = 111_195; // a degree of a great circle
const RADIANS = Math.PI / 180;

// The longitude beside the point, where an area goes on across 180°.
const beside = (longitude, of) => longitude - 360 * Math.round((longitude - of) / 360);

// Metres east and north of the point. Good to a per cent within 300 km, and exact where it matters: at the outline.
function flat(ring, [latitude, longitude]) {
  return ring.map(([x, y]) => {
    const middle = Math.cos(((y + latitude) / 2) * RADIANS);
    return [beside(x, longitude) - longitude, y - latitude].map((part, axis) => part * METRES * (axis ? 1 : middle));
  });
}

// Whether the point lies within a ring, by the sides that a ray to the east crosses; on degrees, as the area was drawn.
function within(ring, [latitude, longitude]) {
  let inside = false;
  for (let i = 0, j = ring.length - 1; i < ring.length; j = i, i += 1) {
    const [xi, xj] = [beside(ring[i][0], longitude), beside(ring[j][0], longitude)];
    const [yi, yj] = [ring[i][1], ring[j][1]];
    if (yi > latitude !== yj > latitude && longitude < ((xj - xi) * (latitude - yi)) / (yj - yi) + xi) inside = !inside;
  }
  return inside;
}

function toSide([ax, ay], [bx, by]) {
  const [dx, dy] = [bx - ax, by - ay];
  const length = dx * dx + dy * dy;
  const along = length ? Math.min(1, Math.max(0, -(ax * dx + ay * dy) / length)) : 0;
  return Math.hypot(ax + along * dx, ay + along * dy);
}

// Metres from a point [latitude, longitude] to an area: 0 within it and on its outline.
export function metresTo(area, point) {
  let least = Infinity;
  for (const [outer, ...holes] of area) {
    if (within(outer, point) && !holes.some((hole) => within(hole, point))) return 0;
    for (const ring of [outer, ...holes]) {
      const corners = flat(ring, point);
      for (let i = 1; i < corners.length; i += 1) least = Math.min(least, toSide(corners[i - 1], corners[i]));
    }
  }
  // Half a metre is what rounding has moved the outline.
  return least < 0.5 ? 0 : least;
}

export function metresBetween([lat1, lon1], [lat2, lon2]) {
  const half = Math.sin(((lat2 - lat1) / 2) * RADIANS) ** 2 + Math.cos(lat1 * RADIANS) * Math.cos(lat2 * RADIANS) * Math.sin(((lon2 - lon1) / 2) * RADIANS) ** 2;
  return 2 * (METRES / RADIANS) * Math.asin(Math.min(1, Math.sqrt(half)));
}

// Of [name, latitude, longitude] those cells that can hold something within so many metres: a cell reaches up to 30 km
// from its middle.
export function cellsAround(cells, point, metres) {
  return cells.filter(([, latitude, longitude]) => metresBetween([latitude, longitude], point) <= metres + 32_000).map(([name]) => name);
}

// Those alerts that have not expired and lie within so many metres, the nearest first; of one that came twice, one.
export function nearest(alerts, point, metres, now) {
  const found = new Map();
  for (const alert of alerts) {
    if (alert.expires * 1000 <= now) continue;
    const away = metresTo(alert.area, point);
    if (away <= metres) found.set(alert.id, { ...alert, away });
  }
  return [...found.values()].sort((a, b) => a.away - b.away || b.id - a.id);
}
