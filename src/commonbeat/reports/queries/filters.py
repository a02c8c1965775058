"""Read the filters of public lists, maps and feeds from an address."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode

from django.utils import timezone
from django.utils.translation import gettext as _

from commonbeat.foundation.text import ascii_digits
from commonbeat.reports.queries.public import Box, Filters
from commonbeat.topics.models import Topic

NAMES = ("topic", "category", "beat", "since", "until", "bbox")


class FilterError(ValueError):
    """Carry the sentence that says which filter cannot be used."""


def read_filters(params: Mapping[str, str], topics: Iterable[Topic]) -> Filters:
    """Read topic, category, beat, since, until and bbox; empty ones are left out; FilterError names a wrong one."""
    topic = None
    code = params.get("topic", "").strip()
    if code:
        topic = next((each for each in topics if each.code == code), None)
        if topic is None:
            raise FilterError(_("There is no such topic here."))
    category = params.get("category", "").strip()
    if category and (topic is None or all(option.code != category for option in topic.definition.categories)):
        raise FilterError(_("There is no such kind in this topic. Choose the topic first."))
    since = _day(params.get("since", ""))
    until = _day(params.get("until", ""))
    if since and until and since > until:
        raise FilterError(_("The first day lies after the last day. Swap them."))
    return Filters(
        topic_id=topic.pk if topic else None,
        category=category,
        beat_id=_beat(params.get("beat", "")),
        since=_midnight(since) if since else None,
        until=_midnight(until + timedelta(days=1)) if until else None,
        box=read_box(params["bbox"]) if params.get("bbox") else None,
    )


def days_of(filters: Filters) -> tuple[date | None, date | None]:
    """Give the first and the last day of a filter, both included."""
    return (
        timezone.localtime(filters.since).date() if filters.since else None,
        timezone.localtime(filters.until).date() - timedelta(days=1) if filters.until else None,
    )


def read_box(text: str) -> Box:
    """Read west,south,east,north in degrees; FilterError when it is no box."""
    problem = _("A bounding box is four numbers: west, south, east, north.")
    if len(text) > 200:
        raise FilterError(problem)
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError:
        raise FilterError(problem) from None
    if not (-180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= north <= 90):
        raise FilterError(_("A bounding box lies within -180 to 180 degrees east and -90 to 90 degrees north."))
    return Box(west, south, east, north)


def address_part(params: Mapping[str, str], **changes: str) -> str:
    """Write the filters as the end of an address, "" or "?topic=…"; an empty change takes one away."""
    kept = {name: params.get(name, "") for name in NAMES} | changes
    query = urlencode({name: value for name, value in kept.items() if value})
    return f"?{query}" if query else ""


def _beat(text: str) -> int | None:
    text = text.strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 18):
        raise FilterError(_("There is no such beat here."))
    return int(text)


def _day(text: str) -> date | None:
    text = ascii_digits(text.strip())
    if not text:
        return None
    try:
        day = date.fromisoformat(text[:10])
    except ValueError:
        raise FilterError(_("A day is written as year-month-day, such as 2025-03-27.")) from None
    if not 1900 <= day.year <= 9000:
        raise FilterError(_("A day is written as year-month-day, such as 2025-03-27."))
    return day


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()))
