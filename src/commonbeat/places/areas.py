"""Areas as people paste them: GeoJSON, checked before anything is stored; pure."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from shapely import make_valid
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry
from shapely.validation import explain_validity

MOST_POINTS = 20_000
LONGEST_TEXT = 900_000

_PLACE_OF_FAULT = re.compile(r"\[(-?[\d.]+) (-?[\d.]+)\]")


class AreaError(ValueError):
    """Carry a sentence that says what is wrong with an area."""


def read_area(given: str | Mapping[str, Any]) -> dict[str, Any]:
    """Read GeoJSON, as text or decoded, and return one Polygon or MultiPolygon; AreaError otherwise.

    Longitude comes first. Elevations are dropped, coordinates rounded to 6 decimals (0.1 m).
    """
    polygons = _polygons(_decode(given) if isinstance(given, str) else given, depth=0)
    if not polygons:
        raise AreaError(_("There is no polygon in it. Draw an area, not a point or a line."))
    if sum(len(ring) for polygon in polygons for ring in polygon) > MOST_POINTS:
        raise AreaError(_("The outline has more than %(count)d points. Simplify it first.") % {"count": MOST_POINTS})
    if len(polygons) == 1:
        area: dict[str, Any] = {"type": "Polygon", "coordinates": polygons[0]}
    else:
        area = {"type": "MultiPolygon", "coordinates": polygons}
    _refuse_faulty(shape(area))
    return area


def bounds(area: dict[str, Any]) -> tuple[float, float, float, float]:
    """Give south, west, north and east of an area in degrees."""
    west, south, east, north = shape(area).bounds
    return south, west, north, east


def square_kilometres(area: dict[str, Any]) -> float:
    """Estimate the size of an area in km²; good to a few per cent for a town."""
    geometry = shape(area)
    middle = math.radians((geometry.bounds[1] + geometry.bounds[3]) / 2)
    return float(geometry.area * 111.32**2 * math.cos(middle))


def outline_path(area: dict[str, Any], *, size: int = 320) -> tuple[str, int, int]:
    """Draw an area as the `d` of an SVG path and return it with the width and height of its box."""
    south, west, north, east = bounds(area)
    shrink = math.cos(math.radians((south + north) / 2))
    scale = (size - 8) / max((east - west) * shrink, north - south, 1e-9)
    parts = []
    polygons = area["coordinates"] if area["type"] == "MultiPolygon" else [area["coordinates"]]
    for polygon in polygons:
        for ring in polygon:
            points = [f"{4 + (x - west) * shrink * scale:.1f} {4 + (north - y) * scale:.1f}" for x, y in ring]
            parts.append("M" + "L".join(points) + "Z")
    return "".join(parts), round((east - west) * shrink * scale) + 8, round((north - south) * scale) + 8


def _decode(text: str) -> Any:
    if len(text) > LONGEST_TEXT:
        raise AreaError(_("This is too large. Simplify the outline first."))
    try:
        return json.loads(text.lstrip("\ufeff"))
    except (ValueError, RecursionError):
        raise AreaError(_("This is not GeoJSON. It begins with { and names a “type”.")) from None


def _polygons(data: Any, *, depth: int) -> list[list[list[list[float]]]]:
    if depth > 4 or not isinstance(data, Mapping):
        raise AreaError(_("This is not GeoJSON. It begins with { and names a “type”."))
    kind = data.get("type")
    if kind == "Feature":
        return _polygons(data.get("geometry"), depth=depth + 1)
    if kind in ("FeatureCollection", "GeometryCollection"):
        members = data.get("features" if kind == "FeatureCollection" else "geometries")
        if not isinstance(members, list):
            raise AreaError(_("This is not GeoJSON. It begins with { and names a “type”."))
        return [polygon for member in members[:1000] for polygon in _polygons(member, depth=depth + 1)]
    coordinates = data.get("coordinates")
    if kind == "Polygon" and isinstance(coordinates, list):
        return [[_ring(ring) for ring in coordinates]]
    if kind == "MultiPolygon" and isinstance(coordinates, list):
        return [[_ring(ring) for ring in polygon] for polygon in coordinates if isinstance(polygon, list)]
    return []


def _ring(ring: Any) -> list[list[float]]:
    if not isinstance(ring, list):
        raise AreaError(_("An outline is a list of points, each [longitude, latitude]."))
    points = [_point(point) for point in ring]
    if len(points) < 4:
        raise AreaError(_("An outline needs at least three points, and the first one again at the end."))
    if points[0] != points[-1]:
        raise AreaError(_("The outline is not closed: repeat its first point at the end."))
    return points


def _point(point: Any) -> list[float]:
    if (
        not isinstance(point, list)
        or not 2 <= len(point) <= 4
        or any(isinstance(v, bool) or not isinstance(v, int | float) or not math.isfinite(v) for v in point[:2])
    ):
        raise AreaError(_("An outline is a list of points, each [longitude, latitude]."))
    lon, lat = float(point[0]), float(point[1])
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise AreaError(_("A point lies off the globe. Each point is [longitude, latitude] in degrees."))
    return [round(lon, 6), round(lat, 6)]


def _refuse_faulty(geometry: BaseGeometry) -> None:
    if not geometry.is_valid:
        where = _PLACE_OF_FAULT.search(explain_validity(geometry))
        if where is None or make_valid(geometry).is_empty:
            raise AreaError(_("The outline crosses itself. Draw it again without crossings."))
        raise AreaError(
            _("The outline crosses or touches itself at latitude %(lat)s, longitude %(lon)s. Draw it again there.")
            % {"lat": where[2][:9], "lon": where[1][:9]}
        )
    # About 100 m²: a slip of the hand, not a beat.
    if geometry.area < 1e-8:
        raise AreaError(_("The area is too small to be a beat."))
