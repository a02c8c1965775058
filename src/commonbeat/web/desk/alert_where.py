"""Where an alert is for, as a form says it: beats, circles around places, outlines; read and written."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict

from commonbeat.alerts.actions.drafts import AREA_DESC, Drawn
from commonbeat.alerts.geometry import LEAST_CIRCLE, MOST_CIRCLE, MOST_SHAPES
from commonbeat.places.areas import outline_path
from commonbeat.places.gazetteer import find_places, places_in_text
from commonbeat.places.models import Beat, Place
from commonbeat.places.near import nearest_names
from commonbeat.places.points import explain_unreadable, point_in
from commonbeat.web.desk.filters import number

LONGEST_SHAPES = 200_000
LONGEST_PLACE = 200
MOST_MATCHES = 6
UNITS = (("m", "metres"), ("km", "kilometres"))
_DEEPEST = 6


class WhereError(Exception):
    """Carry one sentence, and the field of the form that it is about."""

    def __init__(self, sentence: str, field: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.field = field


@dataclass(slots=True)
class Where:
    """What the form says."""

    beats: list[int] = field(default_factory=list)
    # latitude, longitude, metres
    circles: list[tuple[float, float, float]] = field(default_factory=list)
    # GeoJSON as it was typed, pasted or drawn.
    shapes: str = ""
    place: str = ""
    radius: str = "500"
    unit: str = "m"
    # "Yes, so large an area."
    is_large_meant: bool = False
    # Places to choose from: id and name.
    matches: list[tuple[str, str]] = field(default_factory=list)

    @classmethod
    def from_post(cls, post: QueryDict) -> Where:
        """Read the form; WhereError for what cannot be read at all."""
        where = cls(
            beats=[pk for text in post.getlist("beats")[:MOST_SHAPES] if (pk := number(text))],
            shapes=post.get("shapes", "").strip().replace("\0", ""),
            place=post.get("place", "").strip()[:LONGEST_PLACE].replace("\0", ""),
            radius=post.get("radius", "").strip()[:20],
            unit="km" if post.get("unit") == "km" else "m",
            is_large_meant=post.get("large") == "on",
        )
        where.circles = [_circle(text) for text in post.getlist("circle")[: MOST_SHAPES + 1]]
        return where

    @classmethod
    def from_drawn(cls, drawn: Drawn) -> Where:
        """Give the form for what was drawn."""
        polygons = list(drawn.polygons)
        shapes: Any = polygons[0] if len(polygons) == 1 else {"type": "GeometryCollection", "geometries": polygons}
        return cls(
            beats=list(drawn.beats),
            circles=[(float(lat), float(lon), float(metres)) for lat, lon, metres in drawn.circles],
            shapes=json.dumps(shapes, separators=(",", ":")) if polygons else "",
        )

    def drawn(self) -> Drawn:
        """Give what was drawn; WhereError where the outline is no GeoJSON."""
        return Drawn(polygons=polygons_in(self.shapes), circles=list(self.circles), beats=list(self.beats))

    def take_place(self, match: str) -> None:
        """Put a circle around the place that was typed or chosen; WhereError where there is none, or several."""
        if not self.place:
            return
        metres = self.metres()
        point = self._point(match)
        if len(self.circles) >= MOST_SHAPES:
            raise WhereError(f"The area has more than {MOST_SHAPES} circles. Draw it instead.", "place")
        one = (round(point[0], 6), round(point[1], 6), metres)
        if one not in self.circles:
            self.circles.append(one)
        self.place, self.matches = "", []

    def metres(self) -> float:
        """Give the radius that was typed; WhereError where it is none."""
        try:
            metres = float(self.radius.replace(",", ".")) * (1_000 if self.unit == "km" else 1)
        except ValueError:
            metres = math.nan
        if not LEAST_CIRCLE <= metres <= MOST_CIRCLE:
            said = f"The radius is {LEAST_CIRCLE:.0f} metres to {MOST_CIRCLE / 1_000:.0f} kilometres. Write a number."
            raise WhereError(said, "radius")
        return round(metres)

    def circle_lines(self) -> list[tuple[str, str]]:
        """Give each circle as the form carries it, and in words; one query."""
        names = nearest_names([(lat, lon) for lat, lon, _ in self.circles], "en")
        return [
            (
                f"{lat:.6f},{lon:.6f},{metres:.0f}",
                f"{distance(metres)} around {name or f'{lat:.5f}, {lon:.5f}'}",
            )
            for (lat, lon, metres), name in zip(self.circles, names, strict=True)
        ]

    def _point(self, match: str) -> tuple[float, float]:
        pk = number(match)
        if pk:
            place = Place.objects.filter(pk=pk).first()
            if place is not None:
                return place.latitude, place.longitude
        point = point_in(self.place, "en")
        if point is not None:
            return point
        unreadable = explain_unreadable(self.place)
        if unreadable:
            raise WhereError(unreadable, "place")
        found = find_places(self.place, language="en", limit=MOST_MATCHES)
        found = found or places_in_text(self.place, "en", limit=MOST_MATCHES)
        exact = [one for one in found if one.exact]
        if len(exact) == 1:
            return exact[0].latitude, exact[0].longitude
        if not found:
            raise WhereError(
                "The gazetteer knows no place of this name. Write another one near by, coordinates, or tick a beat.",
                "place",
            )
        self.matches = [(str(one.place_id), one.label) for one in found]
        raise WhereError("Several places may be meant. Choose one.", "place")


def polygons_in(text: str) -> list[dict[str, Any]]:
    """Give the polygons in GeoJSON of any usual make; WhereError where there are none in a text that is not empty."""
    if not text:
        return []
    if len(text) > LONGEST_SHAPES:
        raise WhereError("This outline is too large. Simplify it first.", "shapes")
    try:
        found = _polygons(json.loads(text.lstrip("\ufeff")), 0)
    except (ValueError, RecursionError):
        raise WhereError("This is not GeoJSON. It begins with { and names a “type”.", "shapes") from None
    if not found:
        raise WhereError("There is no polygon in this GeoJSON. A point or a line is no area.", "shapes")
    if len(found) > MOST_SHAPES:
        raise WhereError(f"This outline has more than {MOST_SHAPES} parts. Draw fewer, larger ones.", "shapes")
    return found


def outline(area: Mapping[str, Any]) -> tuple[str, int, int]:
    """Draw an area as the path of an SVG, with the size of its box: the picture where no map can be drawn."""
    return outline_path(dict(area))


def beat_options() -> list[tuple[int, str]]:
    """List the beats for the form."""
    return list(Beat.objects.order_by("name").values_list("pk", "name"))


def area_words(drawn: Drawn, language: str) -> str:
    """Name an area in a language after its beats and the places in the middle of its circles; "" for a mere outline."""
    spots = [(circle[0], circle[1]) for circle in drawn.circles]
    names = [name for name in nearest_names(spots, language) if name]
    all_beats = dict(Beat.objects.values_list("pk", "name"))
    chosen = [all_beats[pk] for pk in drawn.beats if pk in all_beats]
    return ", ".join(dict.fromkeys([*names, *sorted(chosen)]))[:AREA_DESC]


def distance(metres: float) -> str:
    """Say a distance: 500 m, 1.5 km."""
    return f"{metres:.0f} m" if metres < 1_000 else f"{metres / 1_000:g} km"


def _circle(text: str) -> tuple[float, float, float]:
    parts: Sequence[str] = text[:80].split(",")
    try:
        lat, lon, metres = (float(part) for part in parts)
    except ValueError:
        raise WhereError("A circle has a latitude, a longitude and a radius in metres.", "place") from None
    if not (math.isfinite(lat) and math.isfinite(lon) and math.isfinite(metres)):
        raise WhereError("A circle has a latitude, a longitude and a radius in metres.", "place")
    return lat, lon, metres


def _polygons(data: Any, depth: int) -> list[dict[str, Any]]:
    if isinstance(data, list) and depth == 0:
        return [one for part in data[: MOST_SHAPES + 1] for one in _polygons(part, depth + 1)]
    if not isinstance(data, dict) or depth > _DEEPEST:
        raise ValueError
    kind = data.get("type")
    if kind == "Feature":
        return _polygons(data.get("geometry"), depth + 1)
    if kind in ("FeatureCollection", "GeometryCollection"):
        members = data.get("features" if kind == "FeatureCollection" else "geometries")
        if not isinstance(members, list):
            raise ValueError
        return [one for member in members[: MOST_SHAPES + 1] for one in _polygons(member, depth + 1)]
    if kind in ("Polygon", "MultiPolygon"):
        return [{"type": kind, "coordinates": data.get("coordinates")}] if _is_plain(data.get("coordinates")) else []
    return []


def _is_plain(coordinates: Any) -> bool:
    """Tell whether coordinates are lists of finite numbers, so that they may be stored as they were drawn."""
    waiting = [coordinates]
    if not isinstance(coordinates, list):
        raise ValueError
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting += one
        elif isinstance(one, bool) or not isinstance(one, int | float) or not abs(one) <= 1_000:
            raise WhereError("Each point of an outline is [longitude, latitude] in degrees.", "shapes")
    return bool(coordinates)
