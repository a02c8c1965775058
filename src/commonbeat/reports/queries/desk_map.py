"""What the desk's exact map reads: marks for a view, what lies in a drawn area, and how many lie on which beat."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
import shapely
from django.core.exceptions import EmptyResultSet
from django.db import OperationalError, connection, models
from django.db.models import Avg, BigIntegerField, Count, ExpressionWrapper, F, Max, Min, Q
from django.db.models.functions import Substr
from shapely.geometry.base import BaseGeometry

from commonbeat.foundation import cells
from commonbeat.foundation.text import excerpt
from commonbeat.people.models import Unit, User
from commonbeat.people.permissions import Permission, may
from commonbeat.reports.models import Report, ReportQuerySet, State
from commonbeat.reports.queries.desk import Filters, index_words, matching
from commonbeat.reports.queries.desk_marks import Mark, Single, joined
from commonbeat.reports.queries.search import search_reports

logger = logging.getLogger(__name__)

MOST_MARKS = 600
# A search shows its newest on the map, and says so when there are more.
MOST_FOUND = 1_000
# So many places are looked at one by one for a drawn area; 50,000 take 0.1 s.
MOST_LOOKED_AT = 50_000
HEAD = 90
# zoom → resolution of the cells that share a mark: a cell's edge is then 14 to 38 pixels at 42° north, so that marks
# touch at most a little.
RESOLUTIONS = (0, 0, 1, 1, 2, 3, 3, 4, 5, 6, 6, 7, 8, 8, 9, 10, 11, 11, 12, 13, 13)
FARTHEST_ZOOM = len(RESOLUTIONS) - 1


@dataclass(frozen=True, slots=True)
class View:
    """A part of the world in degrees; of its spans of longitudes there are two where it crosses 180°."""

    south: float
    north: float
    spans: tuple[tuple[float, float], ...]


WORLD = View(-90.0, 90.0, ((-180.0, 180.0),))


class _Group(NamedTuple):
    # One row of the database: the reports of one cell, state and topic.
    cell: int
    state: str
    topic_id: int
    n: int
    newest: int
    latitude: float
    longitude: float
    south: float
    west: float
    north: float
    east: float


class Found(NamedTuple):
    """The reports of a viewer and their filters; `by_place` tells that the index of places leads to them."""

    reports: ReportQuerySet
    by_place: bool


class BeatCount(NamedTuple):
    """How many reports lie on a beat (None: on none), and how many of them have a place."""

    beat_id: int | None
    n: int
    placed: int


@dataclass(frozen=True, slots=True)
class Inside:
    """The reports in a drawn area, newest first; `looked_at_all` is False where too many lie around it to look."""

    ids: list[int]
    looked_at_all: bool = True


def narrowed(viewer: User, filters: Filters, *, now: datetime, beat_ids: Sequence[int] = ()) -> Found:
    """Narrow the viewer's reports as the list does, in words that the index report_desk_map begins with."""
    found = matching(viewer, filters, now=now, beat_ids=beat_ids)
    if filters.text:
        hits = search_reports(found, filters.text, within=index_words(viewer, filters, beat_ids))
        ids = list(hits.values_list("pk", flat=True)[:MOST_FOUND])
        return Found(Report.objects.visible_to(viewer).filter(pk__in=ids), by_place=False)
    if filters.tab == "mine" or filters.answer_waits or filters.for_others or filters.period:
        # These are found by indexes of their own.
        return Found(found, by_place=False)
    if may(viewer, Permission.SEE_ALL_DESKS):
        found = found.filter(unit_id__in=list(Unit.objects.values_list("pk", flat=True)))
    if filters.tab != "new" and not filters.state:
        found = found.filter(state__in=State.values)
    return Found(found, by_place=True)


def fetch(rows: models.QuerySet[Any, Any], *, by_place: bool) -> list[Any]:
    """Read rows of numbers and texts, along the index of places where that is the shortest way."""
    if not by_place or connection.vendor != "sqlite":
        return list(rows)
    # SQLite keeps no statistics here. Left alone it walks every report of a state, and looks each up in the table: a
    # town took 1 s among 1,000,000 reports, by this index 10 ms.
    try:
        sql, values = rows.query.sql_with_params()
    except EmptyResultSet:
        # Django sees without the database that nothing fits, such as "my beat" of somebody who has none.
        return []
    table = 'FROM "reports_report" WHERE'
    assert sql.count(table) == 1
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql.replace(table, 'FROM "reports_report" INDEXED BY "report_desk_map" WHERE'), values)
            found: list[Any] = cursor.fetchall()
    except OperationalError as error:
        # An operator may have dropped it, or a restore not have made it yet: then slowly, rather than not at all.
        if "no such index" not in str(error):
            raise
        logger.warning("The index report_desk_map is missing; the desk's map is slow. Run: commonbeat migrate.")
        return list(rows)
    return found


def in_view(found: ReportQuerySet, view: View) -> ReportQuerySet:
    """Keep what lies in a view, its edges included."""
    across = Q()
    for west, east in view.spans:
        across |= Q(longitude__range=(west, east))
    return found.filter(across, latitude__range=(view.south, view.north))


def marks(found: Found, view: View, *, zoom: int, most: int = MOST_MARKS) -> list[Mark]:
    """Sum up what lies in a view into at most so many marks: two queries, and every report in exactly one mark."""
    resolution = RESOLUTIONS[max(0, min(zoom, FARTHEST_ZOOM))]
    groups = _groups(found, view, resolution)
    while len({group.cell for group in groups}) > most and resolution > 0:
        resolution -= 1
        groups = [group._replace(cell=group.cell >> 3) for group in groups]
    by_cell: dict[int, list[_Group]] = {}
    for group in groups:
        by_cell.setdefault(group.cell, []).append(group)
    made = joined([_mark(together, resolution) for together in by_cell.values()], zoom=zoom)
    _name_singles(found.reports, made)
    return made


def inside(found: Found, area: BaseGeometry, *, most: int = MOST_LOOKED_AT) -> Inside:
    """Find the reports in an area, its edges included; longitudes of the area may go beyond 180°: one query."""
    west, south, east, north = area.bounds
    around = in_view(found.reports, view_of(west, south, east, north)).order_by()
    rows = fetch(around.values_list("pk", "latitude", "longitude")[: most + 1], by_place=found.by_place)
    if len(rows) > most:
        return Inside([], looked_at_all=False)
    if not rows:
        return Inside([])
    table = np.array(rows, dtype=np.float64)
    shapely.prepare(area)
    hit = np.zeros(len(rows), dtype=bool)
    for turn in (-360.0, 0.0, 360.0):
        longitudes = table[:, 2] + turn
        near = (longitudes >= west) & (longitudes <= east)
        hit[near] |= shapely.intersects_xy(area, longitudes[near], table[near, 1])
    return Inside(sorted((row[0] for row, is_in in zip(rows, hit, strict=True) if is_in), reverse=True))


def newest_of(viewer: User) -> int:
    """Give the number of the newest report that the viewer may see, 0 without any."""
    found = Report.objects.visible_to(viewer).order_by("-pk").values_list("pk", flat=True)
    return found.first() or 0


def placed_since(found: Found, report_id: int) -> tuple[int, int]:
    """Count the reports with a place that came after one, and give the newest of them (0 without any)."""
    later = found.reports.filter(pk__gt=report_id, latitude__isnull=False).order_by()
    told = later.aggregate(n=Count("pk"), last=Max("pk"))
    return told["n"], told["last"] or 0


def by_beat(found: Found) -> list[BeatCount]:
    """Count the reports of each beat, most first: one query."""
    counted = found.reports.order_by().values_list("beat_id").annotate(n=Count("pk"), placed=Count("latitude"))
    rows = (BeatCount(*row) for row in fetch(counted, by_place=found.by_place))
    return sorted(rows, key=lambda row: (row.beat_id is None, -row.n))


def view_of(west: float, south: float, east: float, north: float) -> View:
    """Make a view of a box whose longitudes may go beyond 180°, as on a map that shows the world twice."""
    south, north = max(-90.0, south), min(90.0, north)
    if east - west >= 360:
        return View(south, north, ((-180.0, 180.0),))
    turn = 360.0 * np.floor((west + 180.0) / 360.0)
    west, east = float(west - turn), float(east - turn)
    if east <= 180:
        return View(south, north, ((west, east),))
    return View(south, north, ((west, 180.0), (-180.0, east - 360.0)))


def _groups(found: Found, view: View, resolution: int) -> list[_Group]:
    # The bits below the resolution are cut off, so that what is left is the same for all of a cell.
    key = ExpressionWrapper(F("cell").bitrightshift(_shift(resolution)), output_field=BigIntegerField())
    grouped = (
        in_view(found.reports, view)
        .order_by()
        .annotate(_key=key)
        .values_list("_key", "state", "topic_id")
        .annotate(
            Count("pk"),
            Max("pk"),
            Avg("latitude"),
            Avg("longitude"),
            Min("latitude"),
            Min("longitude"),
            Max("latitude"),
            Max("longitude"),
        )
    )
    return [_Group(*row) for row in fetch(grouped, by_place=found.by_place)]


def _mark(groups: Sequence[_Group], resolution: int) -> Mark:
    count = sum(group.n for group in groups)
    south, north = min(group.south for group in groups), max(group.north for group in groups)
    west, east = min(group.west for group in groups), max(group.east for group in groups)
    made = Mark(
        latitude=sum(group.latitude * group.n for group in groups) / count,
        longitude=sum(group.longitude * group.n for group in groups) / count,
        count=count,
        newest=max(group.newest for group in groups),
        box=(south, west, north, east),
    )
    if east - west > 180:
        # The middle of 179° and -179° is not 0°.
        made.latitude, made.longitude = _centre(groups[0].cell, resolution)
        made.box = None
    for group in groups:
        made.states[group.state] += group.n
        made.topics[group.topic_id] += group.n
    return made


def _name_singles(found: ReportQuerySet, made: Iterable[Mark]) -> None:
    alone = {mark.newest: mark for mark in made if mark.count == 1}
    rows = (
        found.filter(pk__in=list(alone))
        .order_by()
        .annotate(head=Substr("text", 1, 4 * HEAD))
        .values_list("pk", "title", "head", "place_name", "created_at")
    )
    for pk, title, head, place_name, created_at in rows:
        alone[pk].single = Single(title or excerpt(head, HEAD), place_name, created_at)


def _shift(resolution: int) -> int:
    return 3 * (15 - resolution)


def _centre(key: int, resolution: int) -> tuple[float, float]:
    below = _shift(resolution)
    return cells.centre(cells.parent((key << below) | ((1 << below) - 1), resolution))
