"""Write buckets, and tell of it: every change has a number, in order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from django.db import connection

from commonbeat.maps.models import Change, Revision

# topic, category, cell, period
Key = tuple[int, str, int, int]

INSERT_BUCKET = (
    "INSERT INTO maps_bucket (topic_id, category, cell, period, is_drawn, n, sources)"
    " VALUES (%s, %s, %s, %s, %s, %s, %s)"
)
_ADD = (
    f"{INSERT_BUCKET} ON CONFLICT (topic_id, cell, period, category, is_drawn)"
    " DO UPDATE SET n = maps_bucket.n + excluded.n, sources = maps_bucket.sources + excluded.sources"
)
_EMPTY = (
    "DELETE FROM maps_bucket WHERE topic_id = %s AND cell = %s AND period = %s AND category = %s AND is_drawn = %s"
    " AND n = 0"
)
_TELL = (
    "INSERT INTO maps_change (number, topic_id, category, cell, period, n, sources) VALUES (%s, %s, %s, %s, %s, %s, %s)"
)

CHANGES_KEPT = 100_000


class Amount(NamedTuple):
    """So many reports, from so many senders; below zero for fewer."""

    n: int = 0
    sources: int = 0


def lock_revision() -> Revision:
    """Lock the one row that says how often the buckets have changed: who holds it, alone writes them."""
    Revision.objects.get_or_create(pk=1)
    return Revision.objects.select_for_update().get(pk=1)


def add_to_buckets(deltas: Mapping[Key, Amount], *, is_drawn: bool, revision: Revision) -> None:
    """Add to buckets, making those that are new and deleting those that are empty, under the next number."""
    # In the order of the index, so that neighbours are written to the same page.
    some = ((key, amount) for key, amount in deltas.items() if amount != (0, 0))
    changed = sorted(some, key=lambda one: (one[0][0], one[0][2:], one[0][1]))
    if not changed:
        return
    revision.number += 1
    number = revision.number
    with connection.cursor() as cursor:
        cursor.executemany(_ADD, [(*key, is_drawn, *amount) for key, amount in changed])
        fallen = [(topic, cell, at, category, is_drawn) for (topic, category, cell, at), (n, _) in changed if n < 0]
        if fallen:
            cursor.executemany(_EMPTY, fallen)
        if len(changed) <= CHANGES_KEPT:
            cursor.executemany(_TELL, [(number, *key, *amount) for key, amount in changed])
        else:
            revision.floor = number
    revision.save()


def tell_everything_changed(revision: Revision) -> None:
    """Make everybody read all buckets again."""
    revision.number += 1
    revision.floor = revision.number
    revision.save()
    Change.objects.all().delete()


def insert_rows(sql: str, rows: Iterable[tuple[Any, ...]]) -> None:
    """Run one INSERT for many rows."""
    with connection.cursor() as cursor:
        cursor.executemany(sql, list(rows))
