"""Read the published sums of ratings, and what waits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from django.db.models import Count

from commonbeat.maps.models import Rated, RatingSum
from commonbeat.maps.rating import Summed


def due_ratings(*, now: datetime, limit: int) -> list[int]:
    """Name the publications whose delay is over."""
    return list(Rated.objects.filter(due_at__lte=now).order_by("due_at").values_list("pk", flat=True)[:limit])


def rated_among(publication_ids: Sequence[int]) -> list[int]:
    """Keep the publications that rate their place."""
    return list(Rated.objects.filter(pk__in=publication_ids).values_list("pk", flat=True)) if publication_ids else []


def sums(topic_ids: Sequence[int], chunk: int = 5_000) -> Iterator[Summed]:
    """Read every sum of some topics."""
    rows = RatingSum.objects.filter(topic_id__in=topic_ids).order_by("topic_id", "cell", "period")
    for row in rows.values_list(*Summed._fields).iterator(chunk_size=chunk):
        yield Summed(*row)


def waiting(topic_id: int) -> dict[int, int]:
    """Count the audits of each place that are not told yet, for too few people have made them."""
    rows = Rated.objects.filter(topic_id=topic_id, is_drawn=False, is_single=False, due_at__isnull=True).order_by()
    return dict(rows.values_list("cell").annotate(number=Count("publication_id")))
