"""The open data: which columns a row has, in every format, and what each means."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from commonbeat.maps.rules import period_end, period_kind, period_start
from commonbeat.topics.definition import Definition, Period, Publishes, text_in

# File ending → media type.
FORMATS = {
    "csv": "text/csv; charset=utf-8; header=present",
    "geojson": "application/geo+json",
    "parquet": "application/vnd.apache.parquet",
}


class Column(NamedTuple):
    """One column; `kind` as Frictionless Data's Table Schema calls it."""

    name: str
    kind: str
    meaning: Promise
    example: str


COLUMNS = (
    Column("topic", "string", _("Short name of the topic."), "street-light"),
    Column(
        "category",
        "string",
        _("Short name of the category. Empty: none was chosen. * : several categories, put together."),
        "dark",
    ),
    Column("category_name", "string", _("The category in words."), "Dark lamp"),
    Column("cell", "string", _("The area: a cell of the H3 grid. Empty: without an area."), "8a1e9a0b54dffff"),
    Column(
        "resolution",
        "integer",
        _("The size of the area. 11 is about 50 metres across, 10 about 130, 9 about 350, 8 about 900."),
        "10",
    ),
    Column("latitude", "number", _("Middle of the area, in degrees north (WGS 84)."), "42.380214"),
    Column("longitude", "number", _("Middle of the area, in degrees east (WGS 84)."), "20.430127"),
    Column("period_start", "date", _("First day of the period in which these reports were published."), "2026-03-01"),
    Column(
        "period_end",
        "date",
        _("Last day of that period. If the topic was counted differently before: at the latest."),
        "2026-03-31",
    ),
    Column("reports", "integer", _("How many reports."), "7"),
)


def kinds_of(definitions: Iterable[Definition]) -> tuple[Period, ...]:
    """Give the periods by which a topic may have counted in its versions."""
    versions = list(definitions)
    ways = {each.publishes is Publishes.EACH for each in versions}
    return tuple(sorted({period_kind(each, is_single=is_single) for each in versions for is_single in ways}))


def last_day(start: int, kinds: Iterable[Period]) -> int:
    """Give the last day of a period that begins on a day; of several that it may be, the longest.

    A bucket does not say by what it was counted, and a span that is too short would say more than is true.
    """
    ends = [period_end(start, kind) for kind in kinds if period_start(start, kind) == start]
    return max(ends, default=start + 1) - 1


def labels_of(definitions: Iterable[Definition], language: str) -> dict[str, str]:
    """Put the categories of a topic into words; of several versions the first counts."""
    labels: dict[str, str] = {}
    for definition in definitions:
        for option in definition.categories:
            labels.setdefault(option.code, text_in(option.label, language))
    return labels
