"""Areas between GeoJSON and CAP, both ways; pure.

A polygon of CAP has no holes. One with holes is cut through each hole into polygons without: together they cover
exactly the same ground. Beyond MOST_CUTS holes the rest are filled, for rather too many are warned than too few.
CAP knows no antimeridian either: a ring that crosses it is cut there.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import shapely
from shapely.affinity import translate
from shapely.geometry import LinearRing, MultiPolygon, Polygon, box, mapping, shape
from shapely.geometry.base import BaseGeometry

from commonbeat.alerts.cap import CapArea, CapCircle, CapError, Point, closed_ring
from commonbeat.alerts.geometry import FARTHEST_LATITUDE

MOST_CUTS = 60
# In one message; a country's coast has fewer.
MOST_POINTS = 50_000
# More slow down maps and matching, and nobody sees the difference; 0.0003° are 33 m.
ENOUGH_POINTS, TOLERANCE = 2_000, 0.0003
# A circle of CAP may have no radius: a point.
LEAST_RADIUS_KM, MOST_RADIUS_KM = 0.1, 3_000.0

_EARTH_KM = 6371.0088
_SIDES = 64


def rings_of(area: Mapping[str, Any]) -> tuple[tuple[Point, ...], ...]:
    """Give the rings, latitude first, of a GeoJSON Polygon or MultiPolygon; CapError where nothing is left."""
    rings = []
    for polygon in _polygons_in(shape(dict(area))):
        for piece in _without_holes(polygon):
            ring = closed_ring((y, x) for x, y, *_ in piece.exterior.coords)
            if ring:
                rings.append(ring)
    if not rings:
        raise CapError("no geometry", "area")
    return tuple(rings)


def geometry_of(areas: Iterable[CapArea]) -> dict[str, Any]:
    """Give all areas together as one GeoJSON Polygon or MultiPolygon, longitude first; CapError where that fails."""
    areas = list(areas)
    if sum(len(ring) for area in areas for ring in area.polygon) > MOST_POINTS:
        raise CapError("too many points", "polygon")
    pieces: list[Polygon] = []
    for area in areas:
        for ring in area.polygon:
            pieces += _pieces(_unrolled(ring))
        for circle in area.circle:
            pieces += _pieces(_unrolled(outline_of(circle)))
    if not pieces:
        raise CapError("no geometry", "area")
    whole = _fewer_points(shapely.union_all(pieces)).intersection(box(-180, -FARTHEST_LATITUDE, 180, FARTHEST_LATITUDE))
    # Rounded on a grid, not number by number: nothing crosses itself afterwards.
    polygons = _polygons_in(shapely.set_precision(whole, 1e-6))
    if not polygons:
        raise CapError("no geometry", "area")
    geometry = polygons[0] if len(polygons) == 1 else MultiPolygon(polygons)
    plain: dict[str, Any] = _plain(mapping(geometry))
    return plain


def bounds_of(area: Mapping[str, Any]) -> tuple[float, float, float, float]:
    """Give south, west, north and east."""
    west, south, east, north = shape(dict(area)).bounds
    return south, west, north, east


def outline_of(circle: CapCircle) -> tuple[Point, ...]:
    """Give a polygon around a circle, all of which it contains; CapError for one around a pole."""
    if not (math.isfinite(circle.radius) and 0 <= circle.radius <= MOST_RADIUS_KM):
        raise CapError("radius", "circle")
    # The sides, not the corners, touch the circle, so nobody in it is missed.
    angle = max(circle.radius, LEAST_RADIUS_KM) / _EARTH_KM / math.cos(math.pi / _SIDES)
    latitude, longitude = math.radians(circle.centre[0]), math.radians(circle.centre[1])
    if abs(latitude) + angle >= math.pi / 2:
        raise CapError("around a pole", "circle")
    points = []
    for index in range(_SIDES):
        bearing = 2 * math.pi * index / _SIDES
        sine = math.sin(latitude) * math.cos(angle) + math.cos(latitude) * math.sin(angle) * math.cos(bearing)
        lat = math.asin(max(-1.0, min(1.0, sine)))
        lon = longitude + math.atan2(
            math.sin(bearing) * math.sin(angle) * math.cos(latitude), math.cos(angle) - math.sin(latitude) * sine
        )
        points.append((math.degrees(lat), math.degrees(lon)))
    return (*points, points[0])


def _without_holes(polygon: Polygon) -> list[Polygon]:
    finished, open_ones, cuts = [], [polygon], 0
    while open_ones:
        one = open_ones.pop()
        if not one.interiors:
            finished.append(one)
        elif cuts >= MOST_CUTS:
            finished.append(Polygon(one.exterior))
        else:
            cuts += 1
            x = Polygon(one.interiors[0]).representative_point().x
            west, south, east, north = one.bounds
            for half in (box(west - 1, south - 1, x, north + 1), box(x, south - 1, east + 1, north + 1)):
                open_ones += _polygons_in(one.intersection(half))
    return finished


def _unrolled(ring: Sequence[Point]) -> list[tuple[float, float]]:
    """Give a ring, longitude first, that steps over the antimeridian instead of around the globe."""
    if len(ring) < 4 or ring[0] != ring[-1]:
        raise CapError("not closed", "polygon")
    unrolled: list[tuple[float, float]] = []
    before = ring[0][1]
    for latitude, longitude in ring:
        if not (math.isfinite(latitude) and math.isfinite(longitude)) or abs(latitude) > 90 or abs(longitude) > 540:
            raise CapError("off the globe", "polygon")
        longitude += 360 * round((before - longitude) / 360)
        unrolled.append((longitude, latitude))
        before = longitude
    if abs(unrolled[0][0] - unrolled[-1][0]) > 1e-9:
        raise CapError("around a pole", "polygon")
    return unrolled


def _pieces(ring: list[tuple[float, float]]) -> list[Polygon]:
    polygon = Polygon(LinearRing(ring))
    polygons = _polygons_in(polygon if polygon.is_valid else shapely.make_valid(polygon))
    if not polygons:
        raise CapError("no geometry", "polygon")
    parted = []
    for each in polygons:
        west, _south, east, _north = each.bounds
        for turn in range(math.floor((west + 180) / 360), math.ceil((east - 180) / 360) + 1):
            strip = box(360 * turn - 180, -90, 360 * turn + 180, 90)
            parted += [translate(part, xoff=-360 * turn) for part in _polygons_in(each.intersection(strip))]
    return parted


def _fewer_points(geometry: BaseGeometry) -> BaseGeometry:
    if shapely.get_num_coordinates(geometry) <= ENOUGH_POINTS:
        return geometry
    tolerance = TOLERANCE
    while True:
        # What simplifying cuts off is put back on by the margin: whoever was inside still is.
        simpler = geometry.simplify(tolerance).buffer(tolerance, join_style="mitre")
        if tolerance > 1 or shapely.get_num_coordinates(simpler) <= ENOUGH_POINTS:
            return simpler
        tolerance *= 2


def _polygons_in(geometry: BaseGeometry) -> list[Polygon]:
    # Parts of parts, for mending makes collections that hold multipolygons.
    return [each for each in shapely.get_parts(shapely.get_parts(geometry)) if isinstance(each, Polygon) and each.area]


def _plain(value: Any) -> Any:
    """Give GeoJSON with lists and rounded numbers, as it is stored."""
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return round(value, 6) + 0.0 if isinstance(value, float) else value
