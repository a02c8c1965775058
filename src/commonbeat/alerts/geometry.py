"""The area of an alert, made of what an officer drew: polygons, circles, beats; pure.

Areas are GeoJSON in longitude and latitude. One that crosses the antimeridian is held in two parts, as RFC 7946 says.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import shapely
from shapely import affinity
from shapely.geometry import MultiPolygon, Polygon, mapping, shape
from shapely.geometry.base import BaseGeometry

from commonbeat.alerts.rules import ASK_TWICE_KM2

Geometry = BaseGeometry

# Near the poles a degree of longitude is too short for the measure of distances (matching.py); no town lies there.
FARTHEST_LATITUDE = 85.0
MOST_POINTS = 5_000
MOST_SHAPES = 200
LEAST_CIRCLE, MOST_CIRCLE = 50.0, 200_000.0
# 64 corners keep a circle's area within 0.2 %; it is drawn around, not within, the ring, so that nobody is left out.
_CORNERS = 64
# About 100 m²: a slip of the hand.
_LEAST_AREA = 1e-8

# WGS 84.
SEMI_MAJOR, _FLATTENING = 6_378_137.0, 1 / 298.257223563
E2 = _FLATTENING * (2 - _FLATTENING)


class AreaError(ValueError):
    """Carry a sentence that says what is wrong with an area."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Area:
    """An area as it is stored, and what its drawer is to be told of it."""

    # GeoJSON Polygon or MultiPolygon, six decimals.
    geojson: dict[str, Any]
    south: float
    west: float
    north: float
    east: float
    square_km: float
    # An outline crossed itself and was mended: the drawer is to look at the result.
    is_mended: bool = False

    @property
    def asks_twice(self) -> bool:
        """Tell whether it is so large that somebody should be asked whether it is meant."""
        return self.square_km > ASK_TWICE_KM2


def metres_per_degree(latitude: float) -> tuple[float, float]:
    """Give the length of a degree of longitude and of latitude at a latitude, in metres, on the WGS 84 ellipsoid."""
    phi = math.radians(latitude)
    w = 1 - E2 * math.sin(phi) ** 2
    east = math.radians(1) * SEMI_MAJOR * math.cos(phi) / math.sqrt(w)
    north = math.radians(1) * SEMI_MAJOR * (1 - E2) / w**1.5
    return east, north


def make_area(
    *,
    polygons: Sequence[Mapping[str, Any]] = (),
    circles: Sequence[Sequence[float]] = (),
    beats: Iterable[Mapping[str, Any]] = (),
) -> Area:
    """Put an area together from GeoJSON polygons, circles (latitude, longitude, metres) and beats' GeoJSON.

    AreaError where there is nothing to hear it in, where something is off the globe, or too detailed.
    """
    parts: list[Geometry] = [part for one in polygons for part in _read(one)]
    is_mended = any(not one.is_valid for one in parts)
    parts += [circle(*_three(one)) for one in circles]
    parts += [shape(dict(one)) for one in beats]
    if not parts:
        raise AreaError("Draw an area, or choose a beat.")
    if len(parts) > MOST_SHAPES:
        raise AreaError(f"The area has more than {MOST_SHAPES} shapes. Draw fewer, larger ones.")
    whole = shapely.union_all([_areal(one) for one in parts])
    return _finished(whole, is_mended=is_mended)


def area_of(geojson: Mapping[str, Any]) -> Area:
    """Check an area that came from elsewhere, such as a CAP feed; AreaError as make_area."""
    return make_area(polygons=[geojson])


def circle(latitude: float, longitude: float, metres: float) -> Geometry:
    """Give the polygon around a circle; it may reach beyond ±180°."""
    if not (math.isfinite(latitude) and math.isfinite(longitude) and math.isfinite(metres)):
        raise AreaError("A circle has a latitude, a longitude and a radius in metres.")
    if not (abs(latitude) <= FARTHEST_LATITUDE and abs(longitude) <= 180):
        raise AreaError("The middle of a circle lies off the map.")
    if not LEAST_CIRCLE <= metres <= MOST_CIRCLE:
        raise AreaError(f"The radius of a circle is {LEAST_CIRCLE:.0f} m to {MOST_CIRCLE / 1_000:.0f} km.")
    east, north = metres_per_degree(latitude)
    around = metres / math.cos(math.pi / _CORNERS)
    turns = [2 * math.pi * step / _CORNERS for step in range(_CORNERS)]
    ring = [(longitude + around * math.sin(t) / east, latitude + around * math.cos(t) / north) for t in turns]
    return Polygon(ring)


def geometry_of(geojson: Mapping[str, Any]) -> Geometry:
    """Give the geometry of a stored area."""
    found: Geometry = shape(dict(geojson))
    return found


def copies_around(geometry: Geometry, degrees: float) -> list[Geometry]:
    """Give an area, and it again one turn east or west where that comes within so many degrees of the globe's edge."""
    west, _, east, _ = geometry.bounds
    copies = [geometry]
    if west - degrees <= -180:
        copies.append(affinity.translate(geometry, 360.0))
    if east + degrees >= 180:
        copies.append(affinity.translate(geometry, -360.0))
    return copies


def square_kilometres(geometry: Geometry) -> float:
    """Give the size of an area in km², each of its parts measured at its own latitude; good to a per cent."""
    size = 0.0
    for part in shapely.get_parts(geometry):
        # Strips of a degree, for the length of a degree of longitude changes with the latitude.
        _, south, _, north = part.bounds
        edges = [south, *range(math.ceil(south + 1e-9), math.ceil(north)), north]
        for low, high in pairwise(edges):
            strip = part if len(edges) == 2 else shapely.clip_by_rect(part, -400.0, low, 400.0, high)
            east_m, north_m = metres_per_degree((low + high) / 2)
            size += strip.area * east_m * north_m / 1e6
    return size


def _read(geojson: Mapping[str, Any]) -> list[Polygon]:
    kind, coordinates = geojson.get("type"), geojson.get("coordinates")
    if kind == "Feature" and isinstance(geojson.get("geometry"), Mapping):
        return _read(geojson["geometry"])
    if kind not in ("Polygon", "MultiPolygon") or not isinstance(coordinates, list | tuple):
        raise AreaError("An area is a GeoJSON Polygon or MultiPolygon.")
    polygons = [coordinates] if kind == "Polygon" else coordinates
    try:
        rings = [[[_point(point) for point in ring] for ring in polygon] for polygon in polygons]
        # Each by itself: two that overlap are mended into one area, and none of it becomes a hole.
        found = [Polygon(polygon[0], polygon[1:]) for polygon in rings if polygon]
    except AreaError:
        raise
    except (TypeError, ValueError, IndexError, OverflowError, shapely.GEOSException):
        raise AreaError("An outline is a list of at least three points, each [longitude, latitude].") from None
    if sum(int(shapely.get_num_coordinates(one)) for one in found) > MOST_POINTS:
        raise AreaError(f"The outline has more than {MOST_POINTS:,} points. Simplify it first.")
    return found


def _point(point: Sequence[float]) -> tuple[float, float]:
    longitude, latitude = float(point[0]), float(point[1])
    # Up to a turn further, for who draws over the antimeridian goes on counting.
    if not (abs(latitude) <= FARTHEST_LATITUDE and abs(longitude) <= 540):
        raise AreaError("A point lies off the map. Each point is [longitude, latitude] in degrees.")
    return longitude, latitude


def _three(given: Sequence[float]) -> tuple[float, float, float]:
    try:
        latitude, longitude, metres = given
        return float(latitude), float(longitude), float(metres)
    except (TypeError, ValueError):
        raise AreaError("A circle has a latitude, a longitude and a radius in metres.") from None


def _areal(geometry: Geometry) -> Geometry:
    """Mend an outline that crosses itself, and keep what has an area."""
    mended = geometry if geometry.is_valid else shapely.make_valid(geometry)
    return _wrapped(shapely.union_all(_polygons_in(mended)))


def _wrapped(geometry: Geometry) -> Geometry:
    """Cut at ±180° what reaches beyond, and bring it back."""
    west, _, east, _ = geometry.bounds if not geometry.is_empty else (0.0, 0.0, 0.0, 0.0)
    if west >= -180 and east <= 180:
        return geometry
    turns = range(math.floor((west + 180) / 360), math.ceil((east + 180) / 360) + 1)
    parts = [
        affinity.translate(shapely.clip_by_rect(geometry, 360.0 * t - 180, -90.0, 360.0 * t + 180, 90.0), -360.0 * t)
        for t in turns
    ]
    return shapely.union_all([one for part in parts for one in _polygons_in(part)])


def _polygons_in(geometry: Geometry) -> list[Polygon]:
    found: list[Polygon] = []
    for part in shapely.get_parts(geometry):
        if isinstance(part, MultiPolygon):
            found += list(part.geoms)
        elif isinstance(part, Polygon) and not part.is_empty:
            found.append(part)
    return found


def _finished(whole: Geometry, *, is_mended: bool) -> Area:
    # Rounding may make an outline touch itself; on a grid GEOS rounds so that it stays valid.
    rounded = shapely.set_precision(whole, 1e-6)
    polygons = [part for part in _polygons_in(rounded) if part.area >= _LEAST_AREA]
    if not polygons:
        raise AreaError("The area is empty, or too small to hold anybody. Draw it again.")
    geometry: Geometry = polygons[0] if len(polygons) == 1 else MultiPolygon(polygons)
    west, south, east, north = geometry.bounds
    return Area(
        geojson=_as_geojson(geometry),
        south=round(south, 6),
        west=round(west, 6),
        north=round(north, 6),
        east=round(east, 6),
        square_km=square_kilometres(geometry),
        is_mended=is_mended,
    )


def _as_geojson(geometry: Geometry) -> dict[str, Any]:
    # Outer rings anticlockwise, as RFC 7946 asks; six decimals and no binary remains behind them.
    oriented = shapely.orient_polygons(geometry)
    plain = mapping(oriented)
    return {"type": plain["type"], "coordinates": _rounded(plain["coordinates"])}


def _rounded(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_rounded(one) for one in value]
    return round(value, 6)
