"""The area that a resident draws: what can be one, and how much of it is kept."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import shapely
from django.conf import settings
from django.db.models import Max, Min
from django.utils.translation import gettext as _
from shapely.geometry import Polygon, mapping

from commonbeat.alerts import rules
from commonbeat.alerts.geometry import FARTHEST_LATITUDE, AreaError, area_of, metres_per_degree, square_kilometres
from commonbeat.places.models import Beat

# Longitude, latitude: degrees. Over the antimeridian longitudes go on counting.
Outline = tuple[tuple[float, float], ...]

# Of what is drawn no more is kept than of a place: about 100 m, so that no house is drawn around.
_GRID = 0.001
# Square degrees, about 100 m².
_SLIP = 1e-8
# One part of a map that shows the world three times.
_FARTHEST_LONGITUDE = 540.0


class DrawnError(ValueError):
    """Carry a sentence that says, in the person's language, what is wrong with an area."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def outline_of(geojson: Any) -> Outline:
    """Read the outline of a GeoJSON Polygon without holes; DrawnError for anything else."""
    found = geojson.get("coordinates") if isinstance(geojson, Mapping) and geojson.get("type") == "Polygon" else None
    if not isinstance(found, list | tuple) or len(found) != 1 or not isinstance(found[0], list | tuple):
        raise DrawnError(_("Draw one area on the map."))
    if len(found[0]) > rules.MOST_CORNERS + 1:
        # It could be any number, and none of them need be read.
        raise DrawnError(_too_many())
    try:
        points = [(float(longitude), float(latitude)) for longitude, latitude in found[0]]
    except (TypeError, ValueError, OverflowError):
        raise DrawnError(_("Draw one area on the map.")) from None
    return tuple(points[:-1] if len(points) > 1 and points[0] == points[-1] else points)


def checked(outline: Sequence[tuple[float, float]]) -> dict[str, Any]:
    """Give an outline as GeoJSON as it is stored, its corners rounded to about 100 m; DrawnError where it is no area.

    It does not cross itself, is no larger than the largest circle around a place, and lies where the site is.
    """
    _refuse_far_off(outline)
    drawn = Polygon(outline)
    if drawn.convex_hull.area < _SLIP:
        raise DrawnError(_too_small())
    if not drawn.is_valid:
        raise DrawnError(_("The line crosses or touches itself. Draw the area again without crossings."))
    _refuse_large(drawn)
    try:
        # On a grid GEOS rounds so that an outline stays valid; of a sliver nothing is left.
        return area_of(mapping(shapely.set_precision(drawn, _GRID))).geojson
    except AreaError:
        raise DrawnError(_too_small()) from None


def _too_small() -> str:
    return _("The area is too small: draw it some hundred metres wide, or choose a place instead.")


def _too_many() -> str:
    return _("The area has more than %(count)d corners. Draw it with fewer.") % {"count": rules.MOST_CORNERS}


def _refuse_far_off(outline: Sequence[tuple[float, float]]) -> None:
    if len(outline) < 3:
        raise DrawnError(_("An area has at least three corners. Draw around it again."))
    if len(outline) > rules.MOST_CORNERS:
        raise DrawnError(_too_many())
    # Also not a number is in no range.
    if not all(abs(lon) <= _FARTHEST_LONGITUDE and abs(lat) <= FARTHEST_LATITUDE for lon, lat in outline):
        raise DrawnError(_("A corner lies off the map. Draw the area again."))
    longitudes, latitudes = zip(*outline, strict=True)
    south, west, north, east = _ground()
    is_near = south <= min(latitudes) and max(latitudes) <= north
    turned = [(min(longitudes) + turn, max(longitudes) + turn) for turn in (-720, -360, 0, 360, 720)]
    if not (is_near and any(west <= left and right <= east for left, right in turned)):
        said = _("The area reaches too far away. Draw it within %(km)d km of here.")
        raise DrawnError(said % {"km": rules.MOST_RADIUS // 1_000})


def _refuse_large(drawn: Polygon) -> None:
    largest = math.pi * (rules.MOST_RADIUS / 1_000) ** 2
    if square_kilometres(drawn) > largest:
        raise DrawnError(_("The area is too large. Draw a smaller one, or choose the whole town."))


def _ground() -> tuple[float, float, float, float]:
    """Give south, west, north and east of where the site is: its beats, or the middle of its map, and 100 km more."""
    found = Beat.objects.aggregate(Min("south"), Min("west"), Max("north"), Max("east"))
    south, west, north, east = found["south__min"], found["west__min"], found["north__max"], found["east__max"]
    if south is None:
        south = north = settings.COMMONBEAT.map_latitude
        west = east = settings.COMMONBEAT.map_longitude
    farthest = max(abs(south), abs(north))
    east_m, north_m = metres_per_degree(min(farthest + 1, 89.0))
    up, across = rules.MOST_RADIUS / north_m, rules.MOST_RADIUS / east_m
    return south - up, west - across, north + up, east + across
