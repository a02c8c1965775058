"""Who hears of an area: exactly, among a million subscriptions, in some tens of milliseconds; pure.

A place with a radius is meant when the distance from the place to the area, 0 within it, is at most the radius. The
distance is that of the plane which touches the WGS 84 ellipsoid at the place itself: a degree of longitude and of
latitude have the lengths that they have there (measures()), and the area's edges are straight in degrees, as they are
drawn. Against geodesic distance it is off by at most 0.003 % of a radius of 1 km, 0.03 % of 10 km and 0.3 % of 100 km
at 42° of latitude; places are kept to 100 m. See docs/decisions/0027-who-hears.md.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import shapely

from commonbeat.alerts.geometry import E2, SEMI_MAJOR, Geometry, copies_around, metres_per_degree

Floats = npt.NDArray[np.float64]
Positions = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

POINT, AREA, BEAT, ALL = 0, 1, 2, 3

# What is nearer to the radius than this share of it is for exact arithmetic; floating point is good to 1e-12.
_TIE = 1e-9
# Distances worked out at once: 2 MB for each of the few arrays, for what stays in the cache is fast.
_AT_ONCE = 250_000
# Up to so many distances from a place to an edge are simply worked out; beyond, most are decided by looser means.
_EXACT_AT_MOST = 1_000_000
# So many places are looked up in a grid of tiles, of which most lie wholly in or out.
_GRID_FROM, _TILES, _OVERLAP = 20_000, 64, 1e-9
# Within a band of so many degrees one measure serves for looking roughly; it is off by 1 to 2 %.
_BAND_DEGREES = 1.5
# GEOS draws buffers up to 1 % too large, where it straightens bays, and 0.5 % too small, where arcs have 8 corners.
_INNER, _OUTER, _CORNERS = 0.98, 1.02, 8
# Radii that are one class differ by less than this, unless there are few of them anyway.
_CLASS_RATIO, _FEW_RADII = 1.12, 24
# No degree of latitude is shorter.
_SHORTEST_DEGREE = 110_574.0


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """Confirmed subscriptions, column by column, in the order of their ids: about 50 bytes each."""

    ids: npt.NDArray[np.int64]
    contacts: npt.NDArray[np.int64]
    shapes: npt.NDArray[np.uint8]
    # Degrees and metres; not a number where the shape is none of POINT.
    latitudes: Floats
    longitudes: Floats
    radii: npt.NDArray[np.float32]
    # 0 where there is none.
    beats: npt.NDArray[np.int32]
    # Bits of the kinds that are wanted; 0 is all of them.
    kinds: npt.NDArray[np.uint32]
    least: npt.NDArray[np.uint8]
    # Numbers in the index's own lists.
    languages: npt.NDArray[np.uint8]
    channels: npt.NDArray[np.uint8]
    # Minutes after midnight; -1 is the site's.
    quiet_from: npt.NDArray[np.int16]
    quiet_to: npt.NDArray[np.int16]
    # Drawn areas, by the id of their subscription: few, and about 2 kB each with 60 corners.
    areas: dict[int, Geometry] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)


class Places(NamedTuple):
    """Places to measure: degrees, metres, and the lengths of a degree at each."""

    lat: Floats
    lon: Floats
    radius: Floats
    east_m: Floats
    north_m: Floats

    def only(self, which: Positions | slice) -> Places:
        """Keep some of them."""
        return Places(*(column[which] for column in self))


def recipients(
    subscriptions: Subscriptions, area: Geometry, *, kind: int, rank: int, beats: Collection[int] = ()
) -> Positions:
    """Give the positions of the subscriptions that an alert is for, ascending.

    kind is the number of its bit, rank that of its severity, beats are the ids of those that the area touches.
    """
    near = places_near(area, subscriptions.latitudes, subscriptions.longitudes, subscriptions.radii)
    # Of a million, few are other than places: found once, by a column of bytes.
    others = np.flatnonzero(subscriptions.shapes != POINT)
    shapes = subscriptions.shapes[others]
    found = [near, others[shapes == ALL]]
    in_beats = others[shapes == BEAT]
    if in_beats.size and beats:
        found.append(in_beats[np.isin(subscriptions.beats[in_beats], list(beats))])
    drawn = others[shapes == AREA]
    if drawn.size:
        outlines = [subscriptions.areas[int(pk)] for pk in subscriptions.ids[drawn]]
        found.append(drawn[touching(area, outlines)])
    every = np.sort(np.concatenate(found))
    kinds = subscriptions.kinds[every]
    wanted = ((kinds == 0) | (kinds >> np.uint32(kind) & np.uint32(1)).astype(bool)) & (
        subscriptions.least[every] <= rank
    )
    found_ones: Positions = every[wanted]
    return found_ones


def first_of_each(contacts: npt.NDArray[np.int64], due: npt.NDArray[np.int64]) -> Positions:
    """Give one position per contact, the one that is due first, in the order of contacts."""
    order = np.lexsort((due, contacts))
    ordered = contacts[order]
    is_first = np.ones(len(order), bool)
    is_first[1:] = ordered[1:] != ordered[:-1]
    first: Positions = order[is_first]
    return first


def touching(area: Geometry, outlines: Sequence[Geometry]) -> Flags:
    """Tell of areas whether they share a point with an area: an edge or a corner is enough."""
    whole = np.array(outlines, dtype=object)
    met = np.zeros(len(whole), bool)
    for copy in copies_around(area, 0.0):
        shapely.prepare(copy)
        met |= shapely.intersects(copy, whole)
    return met


def places_near(area: Geometry, latitudes: Floats, longitudes: Floats, radii: npt.NDArray[np.float32]) -> Positions:
    """Give the positions of the places that an area lies within the radius of, ascending.

    Radii are metres, 1 at least. Latitudes beyond 85 degrees are not for this measure.
    """
    if not len(latitudes) or area.is_empty:
        return np.empty(0, np.int64)
    _, south, _, north = area.bounds
    widest = float(np.nanmax(radii, initial=0.0))
    up = widest / _SHORTEST_DEGREE
    across = widest / metres_per_degree(min(max(abs(south), abs(north)) + up, 89.0))[0]
    found = []
    in_rows = np.flatnonzero((latitudes >= south - up) & (latitudes <= north + up))
    for copy in copies_around(area, across):
        left, _, right, _ = copy.bounds
        lon = longitudes[in_rows]
        some = in_rows[(lon >= left - across) & (lon <= right + across)]
        if some.size:
            near = _near(copy, latitudes[some], longitudes[some], radii[some].astype(np.float64))
            found.append(some[near])
    if len(found) == 1:
        return found[0]
    return np.unique(np.concatenate(found)) if found else np.empty(0, np.int64)


def measures(latitudes: Floats) -> tuple[Floats, Floats]:
    """Give the lengths of a degree of longitude and of latitude, in metres, at each latitude."""
    phi = np.radians(latitudes)
    w = 1 - E2 * np.sin(phi) ** 2
    east: Floats = np.radians(1) * SEMI_MAJOR * np.cos(phi) / np.sqrt(w)
    north: Floats = np.radians(1) * SEMI_MAJOR * (1 - E2) / (w * np.sqrt(w))
    return east, north


def _near(area: Geometry, lat: Floats, lon: Floats, radius: Floats) -> Flags:
    met = _inside(area, lat, lon)
    rest = np.flatnonzero(~met)
    if rest.size:
        east_m, north_m = measures(lat[rest])
        west, south, east, north = area.bounds
        across, up = radius[rest] / east_m * (1 + _TIE), radius[rest] / north_m * (1 + _TIE)
        la, lo = lat[rest], lon[rest]
        boxed = (la >= south - up) & (la <= north + up) & (lo >= west - across) & (lo <= east + across)
        rest = rest[boxed]
        places = Places(lat[rest], lon[rest], radius[rest], east_m[boxed], north_m[boxed])
        met[rest] = _within(area, places)
    return met


def _inside(area: Geometry, lat: Floats, lon: Floats) -> Flags:
    """Tell which places lie in the area or on its edge."""
    shapely.prepare(area)
    if len(lat) < _GRID_FROM:
        found: Flags = shapely.intersects_xy(area, lon, lat)
        return found
    west, south, east, north = area.bounds
    across, up = (east - west) / _TILES, (north - south) / _TILES
    on_grid = np.flatnonzero((lat >= south) & (lat <= north) & (lon >= west) & (lon <= east))
    # The last edges belong to the last tiles; tiles overlap a little, for division may round to the next one.
    column = np.minimum((lon[on_grid] - west) / across, _TILES - 1).astype(np.int64)
    row = np.minimum((lat[on_grid] - south) / up, _TILES - 1).astype(np.int64)
    tile = row * _TILES + column
    xs, ys = np.meshgrid(west + across * np.arange(_TILES), south + up * np.arange(_TILES))
    tiles = shapely.box(xs - _OVERLAP, ys - _OVERLAP, xs + across + _OVERLAP, ys + up + _OVERLAP).ravel()
    met = np.zeros(len(lat), bool)
    wholly = shapely.covers(area, tiles)
    partly = shapely.intersects(area, tiles) & ~wholly
    met[on_grid] = wholly[tile]
    some = on_grid[partly[tile]]
    met[some] = shapely.intersects_xy(area, lon[some], lat[some])
    return met


def _within(area: Geometry, places: Places) -> Flags:
    """Measure places that are outside the area: most by polygons around it, band by band, the close ones exactly."""
    met = np.zeros(len(places.lat), bool)
    some = np.arange(len(places.lat))
    if len(some) * int(shapely.get_num_coordinates(area)) > _EXACT_AT_MOST:
        close: list[Positions] = []
        bands = np.floor(places.lat / _BAND_DEGREES).astype(np.int64)
        for band in np.unique(bands):
            here = np.flatnonzero(bands == band)
            sure, unsure = _by_polygons(area, (float(band) + 0.5) * _BAND_DEGREES, places.only(here))
            met[here[sure]] = True
            close.append(here[unsure])
        some = np.concatenate(close)
    met[some] = _exactly(area, places.only(some))
    return met


def _by_polygons(area: Geometry, middle: float, places: Places) -> tuple[Positions, Positions]:
    """Part the places of a band: those surely near, and those that are too close to say."""
    mid_east, mid_north = metres_per_degree(middle)
    origin = area.bounds[0]
    scale = np.array([mid_east, mid_north])
    flat = shapely.transform(area, lambda xy: (xy - (origin, middle)) * scale)
    x, y = (places.lon - origin) * mid_east, (places.lat - middle) * mid_north
    # A distance of this plane times these is at most, and at least, that of the place's own.
    stretch_east, stretch_north = places.east_m / mid_east, places.north_m / mid_north
    most = float(max(stretch_east.max(), stretch_north.max()))
    least = float(min(stretch_east.min(), stretch_north.min()))
    sure, unsure = [], []
    for radii in _classes(places.radius):
        here = np.flatnonzero((places.radius >= radii[0]) & (places.radius <= radii[-1]))
        inner = shapely.buffer(flat, radii[0] / most * _INNER, quad_segs=_CORNERS)
        shapely.prepare(inner)
        is_in = shapely.intersects_xy(inner, x[here], y[here])
        sure.append(here[is_in])
        here = here[~is_in]
        outer = shapely.buffer(flat, radii[-1] / least * _OUTER, quad_segs=_CORNERS)
        shapely.prepare(outer)
        unsure.append(here[shapely.intersects_xy(outer, x[here], y[here])])
    return np.concatenate(sure), np.concatenate(unsure)


def _classes(radii: Floats) -> list[Floats]:
    """Put radii that are alike together, ascending."""
    different = np.unique(radii)
    if len(different) <= _FEW_RADII:
        return list(different[:, None])
    number = np.floor(np.log(different) / np.log(_CLASS_RATIO))
    return np.split(different, np.flatnonzero(np.diff(number)) + 1)


def _exactly(area: Geometry, places: Places) -> Flags:
    """Measure the distance of places to every edge of the area; ties by exact arithmetic."""
    starts, ends = _edges(area)
    met = np.zeros(len(places.lat), bool)
    step = max(1, _AT_ONCE // len(starts))
    for at in range(0, len(met), step):
        part = places.only(slice(at, at + step))
        squares = _least_squares(starts, ends, part)
        wanted = part.radius**2
        met[at : at + step] = squares <= wanted
        for one in np.flatnonzero(np.abs(squares - wanted) <= 4 * _TIE * wanted).tolist():
            met[at + one] = _is_within(starts, ends, *(float(column[one]) for column in part))
    return met


def _edges(area: Geometry) -> tuple[Floats, Floats]:
    rings = shapely.get_rings(shapely.get_parts(area))
    corners, ring = shapely.get_coordinates(rings, return_index=True)
    joined = ring[1:] == ring[:-1]
    return corners[:-1][joined], corners[1:][joined]


def _least_squares(starts: Floats, ends: Floats, places: Places) -> Floats:
    lat, lon, _, east_m, north_m = (column[:, None] for column in places)
    x = (starts[:, 0] - lon) * east_m
    y = (starts[:, 1] - lat) * north_m
    dx = (ends[:, 0] - starts[:, 0]) * east_m
    dy = (ends[:, 1] - starts[:, 1]) * north_m
    along = x * dx
    along += y * dy
    length = dx * dx
    length += dy * dy
    # An edge of no length is its start.
    np.divide(along, -length, out=along, where=length > 0)
    np.clip(along, 0.0, 1.0, out=along)
    dx *= along
    dy *= along
    x += dx
    y += dy
    x *= x
    y *= y
    x += y
    nearest: Floats = x.min(axis=1)
    return nearest


def _is_within(
    starts: Floats, ends: Floats, lat: float, lon: float, radius: float, east_m: float, north_m: float
) -> bool:
    """Tell exactly whether an edge is within the radius of a place; every number is taken as it stands."""
    lon_, lat_, east, north, square = (Fraction(v) for v in (lon, lat, east_m, north_m, radius))
    square *= square
    for (ax, ay), (bx, by) in zip(starts.tolist(), ends.tolist(), strict=True):
        x, y = (Fraction(ax) - lon_) * east, (Fraction(ay) - lat_) * north
        dx, dy = (Fraction(bx) - Fraction(ax)) * east, (Fraction(by) - Fraction(ay)) * north
        length, along = dx * dx + dy * dy, -(x * dx + y * dy)
        if along <= 0 or not length:
            distance = x * x + y * y
        elif along >= length:
            distance = (x + dx) ** 2 + (y + dy) ** 2
        else:
            distance = x * x + y * y - along * along / length
        if distance <= square:
            return True
    return False
