"""Read the published buckets: every figure is a sum over them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from django.db.models import QuerySet, Sum

from commonbeat.maps.models import NO_PLACE, Bucket, Revision, Waiting
from commonbeat.maps.rules import SEVERAL


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


def by_period(found: QuerySet[Bucket]) -> list[tuple[int, int]]:
    """Sum buckets by period, oldest first: (period, n)."""
    return list(found.order_by("period").values_list("period").annotate(sum=Sum("n")))


def by_category(found: QuerySet[Bucket]) -> dict[str, int]:
    """Sum buckets by category."""
    return dict(found.order_by().values_list("category").annotate(sum=Sum("n")))


def stream(found: QuerySet[Bucket], chunk: int = 5_000) -> Iterator[tuple[int, str, int, int, int]]:
    """Read buckets as (topic, category, cell, period, n), in the order of places, without holding them all."""
    ordered = found.order_by("topic_id", "cell", "period", "category")
    yield from ordered.values_list("topic_id", "category", "cell", "period", "n").iterator(chunk_size=chunk)


def revision() -> int:
    """Tell how often the buckets have changed."""
    return Revision.objects.values_list("number", flat=True).first() or 0
