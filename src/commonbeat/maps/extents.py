"""How much there is of each topic: for the page that offers it."""

from __future__ import annotations

import time
from typing import NamedTuple

from django.db import connection
from django.db.models import Count, Max, Min, Sum

from commonbeat.maps.models import Bucket
from commonbeat.maps.queries import revision

# Adding up ten million buckets takes seconds: it may take this part of the time, and no more.
_SHARE = 1 / 50


class Extent(NamedTuple):
    """What is published of a topic."""

    rows: int = 0
    reports: int = 0
    # Days; None while nothing is published.
    first: int | None = None
    newest: int | None = None


class _Known(NamedTuple):
    revision: int
    until: float
    extents: dict[int, Extent]


_known: _Known | None = None


def extents() -> dict[int, Extent]:
    """Give the extent of each topic that has any: two queries, and none of what was counted lately."""
    global _known
    if connection.in_atomic_block:
        # Inside a transaction its own changes count, and they may still be rolled back.
        return _read()
    number = revision()
    known = _known
    if known is None or (known.revision != number and time.monotonic() > known.until):
        begun = time.monotonic()
        found = _read()
        ended = time.monotonic()
        known = _known = _Known(number, ended + (ended - begun) / _SHARE, found)
    return known.extents


def _read() -> dict[int, Extent]:
    found = (
        Bucket.objects.order_by()
        .values("topic_id")
        # Rows of one cell, period and category are one row of the file, however they came about; that there are two
        # is so rare that the page need not know.
        .annotate(rows=Count("id"), reports=Sum("n"), first=Min("period"), newest=Max("period"))
        .values_list("topic_id", "rows", "reports", "first", "newest")
    )
    return {topic_id: Extent(*rest) for topic_id, *rest in found}
