"""Read the published buckets: every figure is a sum over them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import NamedTuple

from django.db.models import QuerySet, Sum

from commonbeat.maps.make_up import MONTHS_TOLD, Year, added, reliable
from commonbeat.maps.models import ALL_TOPICS, Bucket, Counted, MakeUp, Revision, Waiting
from commonbeat.maps.rules import NO_PLACE, SEVERAL, period_end
from commonbeat.topics.definition import Period


class Totals(NamedTuple):
    """How the published reports of a topic add up: placed + without_place + merged."""

    placed: int
    without_place: int
    # In too small a number for any area: told over all areas and categories together.
    merged: int

    @property
    def total(self) -> int:
        """Give the sum."""
        return self.placed + self.without_place + self.merged


def due_publications(*, now: datetime, limit: int) -> list[int]:
    """Name the publications whose delay is over."""
    return list(Waiting.objects.filter(due_at__lte=now).order_by("due_at").values_list("pk", flat=True)[:limit])


def buckets(
    topic_id: int | None = None, *, category: str = "", since: int | None = None, until: int | None = None
) -> QuerySet[Bucket]:
    """Keep the buckets of a topic, a category and the periods that begin from `since` on and before `until`."""
    found = Bucket.objects.all()
    if topic_id is not None:
        found = found.filter(topic_id=topic_id)
    if category:
        found = found.filter(category=category)
    if since is not None:
        found = found.filter(period__gte=since)
    if until is not None:
        found = found.filter(period__lt=until)
    return found


def totals(found: QuerySet[Bucket]) -> Totals:
    """Add buckets up: two queries."""
    by_kind = found.order_by().values("category", "is_drawn").filter(cell=NO_PLACE).annotate(sum=Sum("n"))
    nowhere = {True: 0, False: 0}
    for row in by_kind:
        nowhere[row["category"] == SEVERAL] += row["sum"]
    placed = found.exclude(cell=NO_PLACE).aggregate(sum=Sum("n"))["sum"] or 0
    return Totals(placed, nowhere[False], nowhere[True])


def make_up_due(today: date) -> tuple[int, list[int]] | None:
    """Name the oldest month whose make-up is to be drawn, and the topics that want it."""
    due = MakeUp.objects.filter(drawn_at__isnull=True, draw_on__lte=today).order_by("month", "topic_id")
    rows = list(due.values_list("month", "topic_id"))
    return (rows[0][0], [topic_id for month, topic_id in rows if month == rows[0][0]]) if rows else None


def counted_in(month: int, topic_ids: Sequence[int], chunk: int = 5_000) -> Iterator[list[tuple[int, int]]]:
    """Read which publications count in a month, as (publication, topic), in chunks. Reads through all of them."""
    until = period_end(month, Period.MONTH)
    rows = Counted.objects.filter(topic_id__in=topic_ids, period__gte=month, period__lt=until).order_by()
    part: list[tuple[int, int]] = []
    for row in rows.values_list("publication_id", "topic_id").iterator(chunk_size=chunk):
        part.append(row)
        if len(part) == chunk:
            yield part
            part = []
    if part:
        yield part


def make_up_of(topic_id: int | None = None) -> Year | None:
    """Tell how the reports of a topic, or of all, came in the last drawn months; None without any. Two queries."""
    drawn = MakeUp.objects.filter(drawn_at__isnull=False)
    if topic_id is not None:
        drawn = drawn.filter(topic_id=topic_id)
    months = list(drawn.exclude(shares={}).order_by("-month").values_list("month", flat=True).distinct()[:MONTHS_TOLD])
    if not months:
        return None
    rows = list(drawn.filter(month__gte=months[-1]).values_list("topic_id", "shares", "withheld", "fewest"))
    missing: Counter[str] = Counter()
    for of, _shares, withheld, _fewest in rows:
        for kind, left in withheld.items():
            # What single topics have withheld is in the sum over all.
            if of == ALL_TOPICS:
                missing[kind] += sum(n for n, *_ in left.values())
            elif topic_id is not None:
                missing[kind] += left
    shares = reliable(added(row[1] for row in rows), missing, max(row[3] for row in rows))
    return Year(months[-1], months[0], shares) if shares else None


def revision() -> int:
    """Tell how often the buckets have changed."""
    return Revision.objects.values_list("number", flat=True).first() or 0
