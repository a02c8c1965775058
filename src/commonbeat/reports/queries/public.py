"""What anybody may read. These queries touch Publication and nothing else, so no filter can reach an exact place."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast, Substr

from commonbeat.reports.models import ImportBatch, Publication, PublicationQuerySet
from commonbeat.reports.queries.prepared import Prepared, blank_moment, blank_number, blank_text
from commonbeat.topics.definition import Definition
from commonbeat.topics.queries import all_topics, forget_topics

PAGE_SIZE = 50
# Up to here the list counts exactly, as the map does; a page asks at most every few seconds.
COUNT_CAP = 50_000
EXCERPT = 180
# Rows are imported now and then, and counting them reads through a whole topic.
IMPORTED_SECONDS = 60.0

# What PostgreSQL cannot even compare (NUL) is the code of nothing.
_CODE = re.compile(r"[A-Za-z0-9_-]{1,20}")


class Box(NamedTuple):
    """A bounding box in degrees; west may be greater than east across the date line."""

    west: float
    south: float
    east: float
    north: float


@dataclass(frozen=True, slots=True)
class Filters:
    """What a reader narrows a list or map to; `until` is the first moment that is left out."""

    topic_id: int | None = None
    category: str = ""
    beat_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    box: Box | None = None


_imported: dict[Filters, tuple[float, int]] = {}


class Row(NamedTuple):
    """One line of the public list."""

    id: int
    code: str
    topic_id: int
    title: str
    text: str
    place_name: str
    occurred_on: date | None
    public_at: datetime
    is_verified: bool
    is_resolved: bool
    latitude: float | None
    longitude: float | None


class Page(NamedTuple):
    """A page of rows, with the codes that lead to its neighbours."""

    # As the database wrote them; `rows` reads them. The id stands first, then the code and the topic.
    raw: list[tuple[Any, ...]]
    query: Prepared
    newer: str
    older: str

    @property
    def rows(self) -> list[Row]:
        """Read the rows."""
        return [self.row(raw) for raw in self.raw]

    def row(self, raw: tuple[Any, ...]) -> Row:
        """Read one of the rows."""
        return Row(*self.query.read(raw))


def public_publications(
    filters: Filters, *, now: datetime, not_after: datetime | None = None, not_before: datetime | None = None
) -> PublicationQuerySet:
    """Keep the public copies that a filter lets through; places are compared by the public place alone.

    Of several bounds on the same moment only the tightest is asked for: SQLite walks the index by one of them,
    whichever it likes, and the list of an old month over 1,000,000 rows took 104 ms instead of 2.
    """
    last, first = _bounds(filters, now=now, not_after=not_after, not_before=not_before)
    return _between(filters, last=last, first=first)


def _bounds(
    filters: Filters, *, now: datetime, not_after: datetime | None = None, not_before: datetime | None = None
) -> tuple[datetime, datetime | None]:
    ends = [now]
    if filters.until is not None:
        ends.append(filters.until - timedelta(microseconds=1))
    if not_after is not None:
        ends.append(not_after)
    begins = [moment for moment in (filters.since, not_before) if moment is not None]
    return min(ends), max(begins, default=None)


def _between(filters: Filters, *, last: datetime, first: datetime | None) -> PublicationQuerySet:
    """Keep what is public at `last` and was so since `first`; of the filters, all but the days."""
    found = Publication.objects.public(last)
    if first is not None:
        found = found.filter(public_at__gte=first)
    if filters.topic_id is not None:
        found = found.filter(topic_id=filters.topic_id)
    if filters.beat_id is not None:
        found = found.filter(beat_id=filters.beat_id)
    if filters.category:
        # A list of codes as JSON text reads alike on both databases; SQLite knows no JSON "contains".
        found = found.annotate(category_text=Cast("categories", TextField())).filter(
            category_text__contains=f'"{filters.category}"'
        )
    if filters.box is not None:
        found = found.filter(in_box(filters.box))
    return found


def in_box(box: Box) -> Q:
    """Give the condition that the public place lies in a box."""
    rows = Q(latitude__gte=box.south, latitude__lte=box.north)
    if box.west <= box.east:
        return rows & Q(longitude__gte=box.west, longitude__lte=box.east)
    return rows & (Q(longitude__gte=box.west) | Q(longitude__lte=box.east))


def list_page(filters: Filters, *, now: datetime, before: str = "", after: str = "", size: int = PAGE_SIZE) -> Page:
    """Read one page, newest first: two queries with a neighbour's code, one without."""
    start = _position(before or after, now=now)
    ascending = bool(after and not before and start)
    at, pk = start or (None, None)
    last, first = _bounds(filters, now=now, not_after=None if ascending else at, not_before=at if ascending else None)
    kind = replace(filters, since=None, until=None)
    query = _page_query(kind, has_first=first is not None, has_start=start is not None, ascending=ascending, size=size)
    rows = query.raw_rows(last=last, first=first, at=at, pk=pk)
    more = len(rows) > size
    rows = rows[:size]
    if ascending:
        rows.reverse()
    has_older = more if not ascending else True
    has_newer = more if ascending else start is not None
    return Page(
        rows,
        query,
        newer=rows[0][1] if rows and has_newer else "",
        older=rows[-1][1] if rows and has_older else "",
    )


@lru_cache(maxsize=256)
def _page_query(kind: Filters, *, has_first: bool, has_start: bool, ascending: bool, size: int) -> Prepared:
    """Compose the query of a page; the moments and the neighbour are left blank."""
    found = _between(kind, last=blank_moment("last"), first=blank_moment("first") if has_first else None)
    if has_start:
        at, pk = blank_moment("at"), blank_number("pk")
        found = found.filter(Q(public_at__gt=at) | Q(id__gt=pk) if ascending else Q(public_at__lt=at) | Q(id__lt=pk))
    order = ("public_at", "id") if ascending else ("-public_at", "-id")
    return Prepared(_columns(found.order_by(*order)[: size + 1]))


def latest(*, now: datetime, limit: int = 5) -> Page:
    """Read the newest public copies."""
    return list_page(Filters(), now=now, size=limit)


def definitions_of(topic_ids: Iterable[int]) -> dict[int, Definition]:
    """Give the definitions of topics; one that was made a moment ago by another process is read anew."""
    wanted = set(topic_ids)
    found = {topic.pk: topic.definition for topic in all_topics()}
    if not wanted <= found.keys():
        forget_topics()
        found = {topic.pk: topic.definition for topic in all_topics()}
    return found


def rows_by_code(code: str, *, now: datetime) -> list[Row]:
    """Read the row of one public copy; none when it is not public."""
    return _rows(Publication.objects.public(now).filter(code=code))


def capped_count(filters: Filters, *, now: datetime) -> int:
    """Count up to COUNT_CAP + 1: beyond it, only "more than" is worth its time."""
    return public_publications(filters, now=now).order_by()[: COUNT_CAP + 1].count()


def imported_count(filters: Filters, *, now: datetime) -> int:
    """Count the public copies that were imported, each under the first of its kinds, as maps do; kept for a minute."""
    moment = time.monotonic()
    known = _imported.get(filters)
    if known is not None and moment - known[0] <= IMPORTED_SECONDS and not connection.in_atomic_block:
        return known[1]
    # Without an import, nobody walks through all copies to find none.
    number = 0
    if ImportBatch.objects.filter(withdrawn_at__isnull=True).exists():
        found = public_publications(replace(filters, category=""), now=now).filter(is_imported=True)
        number = (found.filter(categories__0=filters.category) if filters.category else found).order_by().count()
    if len(_imported) >= 500:
        _imported.clear()
    _imported[filters] = (moment, number)
    return number


def publication_by_code(code: str, *, now: datetime) -> Publication | None:
    """Read one public copy with its topic and public photos: two queries."""
    return (
        Publication.objects.public(now)
        .filter(code=code)
        .select_related("topic__current", "import_batch")
        .prefetch_related("photos")
        .first()
    )


def is_public_photo(token: str, *, now: datetime) -> bool:
    """Tell whether a picture stands in a copy that anybody may see."""
    return Publication.objects.public(now).filter(photos__public_token=token, photos__is_public=True).exists()


def _rows(found: PublicationQuerySet) -> list[Row]:
    return [Row(*values) for values in _columns(found)]


def _columns(found: PublicationQuerySet) -> QuerySet[Publication, tuple[Any, ...]]:
    return found.annotate(excerpt=Substr("text", 1, EXCERPT)).values_list(
        "id",
        "code",
        "topic_id",
        "title",
        "excerpt",
        "place_name",
        "occurred_on",
        "public_at",
        "is_verified",
        "is_resolved",
        "latitude",
        "longitude",
    )


def _position(code: str, *, now: datetime) -> tuple[datetime, int] | None:
    if not _CODE.fullmatch(code):
        return None
    found = _position_query().rows(now=now, code=code)
    return (found[0][0], found[0][1]) if found else None


@lru_cache(maxsize=1)
def _position_query() -> Prepared:
    found = Publication.objects.public(blank_moment("now")).filter(code=blank_text("code"))
    return Prepared(found.values_list("public_at", "id")[:1])
