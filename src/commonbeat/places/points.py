"""The point that a text gives exactly: coordinates, a map link or a plus code."""

from __future__ import annotations

from django.conf import settings
from django.utils.translation import gettext as _

from commonbeat.foundation.coordinates import parse_coordinates
from commonbeat.foundation.map_links import on_globe, unreadable_place
from commonbeat.foundation.plus_codes import complete, short_code
from commonbeat.places.gazetteer import place_in_text


def point_in(text: str, language: str) -> tuple[float, float] | None:
    """Give the latitude and longitude that a text gives; None where it has but names, or nothing."""
    return parse_coordinates(text) or point_of_short_code(text, language)


def point_of_short_code(text: str, language: str) -> tuple[float, float] | None:
    """Complete a short plus code near the place that stands beside it, else near the middle of this site's map."""
    code, rest = short_code(text[:1_000])
    if not code:
        return None
    place = place_in_text(rest, language) if rest else None
    near = (place.latitude, place.longitude) if place else _middle()
    return on_globe(*complete(code, *near).middle)


def explain_unreadable(text: str) -> str:
    """Say why a text that means a point cannot be read; empty where it means none."""
    what = unreadable_place(text)
    if what == "short link":
        return _("We cannot open short map links. Open it and send the coordinates, or name a place near it.")
    if what == "three words":
        return _("We cannot read three-word addresses. Send coordinates, or name a place near it.")
    return ""


def _middle() -> tuple[float, float]:
    return settings.COMMONBEAT.map_latitude, settings.COMMONBEAT.map_longitude
