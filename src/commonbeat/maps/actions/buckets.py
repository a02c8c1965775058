"""Write buckets, and tell of it: every change has a number, in order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import chain, islice
from typing import Any, NamedTuple

from django.db import connection

from commonbeat.maps import rules
from commonbeat.maps.models import Change, Revision

# topic, category, cell, period
Key = tuple[int, str, int, int]

_INSERT = "INSERT INTO maps_bucket (topic_id, category, cell, period, is_drawn, n, senders, sources) VALUES "
_VALUES = "(%s, %s, %s, %s, %s, %s, %s, %s)"
INSERT_BUCKET = _INSERT + _VALUES
# Rows of one INSERT.
_AT_ONCE = 500
_N, _SENDERS = "maps_bucket.n + excluded.n", "maps_bucket.senders + excluded.senders"
# The same as rules.told_senders.
_ADD = (
    " ON CONFLICT (topic_id, cell, period, category, is_drawn)"
    f" DO UPDATE SET n = {_N}, senders = {_SENDERS}, sources = CASE WHEN excluded.is_drawn OR"
    f" ({_N} >= {rules.REPORTS_TO_TELL_SENDERS} AND {_SENDERS} >= {rules.SENDERS_TO_TELL})"
    f" THEN {_SENDERS} ELSE {_N} END RETURNING topic_id, category, cell, period, n, senders"
)
_GROUP = re.compile(r"(?<= VALUES )(\([^()]*\))")
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
    """Add to buckets, making those that are new and deleting those that are empty, under the next number.

    Of senders all are added here, and told only where that says nothing of single reports.
    """
    # In the order of the index, so that neighbours are written to the same page.
    some = ((key, amount) for key, amount in deltas.items() if amount != (0, 0))
    changed = sorted(some, key=lambda one: (one[0][0], one[0][2:], one[0][1]))
    if not changed:
        return
    revision.number += 1
    number = revision.number
    with connection.cursor() as cursor:
        told = _add(cursor, changed, is_drawn=is_drawn)
        fallen = [(topic, cell, at, category, is_drawn) for (topic, category, cell, at), (n, _) in changed if n < 0]
        if fallen:
            cursor.executemany(_EMPTY, fallen)
        if len(changed) <= CHANGES_KEPT:
            insert_rows(_TELL, [(number, *key, *amount) for key, amount in told])
        else:
            revision.floor = number
    revision.save()


def _add(cursor: Any, changed: list[tuple[Key, Amount]], *, is_drawn: bool) -> list[tuple[Key, Amount]]:
    """Add to the rows of buckets; gives what that changes of what is told."""
    sources_of = _all_senders if is_drawn else rules.told_senders
    told: list[tuple[Key, Amount]] = []
    for at in range(0, len(changed), _AT_ONCE):
        some = changed[at : at + _AT_ONCE]
        rows = [(*key, is_drawn, n, senders, sources_of(n, senders)) for key, (n, senders) in some]
        cursor.execute(_INSERT + ", ".join([_VALUES] * len(rows)) + _ADD, [value for row in rows for value in row])
        after = {row[:4]: row[4:] for row in cursor.fetchall()}
        for key, (n, senders) in some:
            all_n, all_senders = after[key]
            change = sources_of(all_n, all_senders) - sources_of(all_n - n, all_senders - senders)
            if n or change:
                told.append((key, Amount(n, change)))
    return told


def _all_senders(n: int, senders: int) -> int:
    return senders


def tell_everything_changed(revision: Revision) -> None:
    """Make everybody read all buckets again."""
    revision.number += 1
    revision.floor = revision.number
    revision.save()
    Change.objects.all().delete()


def insert_rows(sql: str, rows: Iterable[tuple[Any, ...]]) -> None:
    """Run an INSERT with one group of values for many rows, some hundred at a time.

    SQLite takes 1.3 µs for a row of a bucket so, and 2.9 µs with a statement for each.
    """
    waiting = iter(rows)
    parts: dict[int, list[list[Any]]] = {}
    while some := list(islice(waiting, _AT_ONCE)):
        parts.setdefault(len(some), []).append(list(chain.from_iterable(some)))
    with connection.cursor() as cursor:
        for size, values in parts.items():
            # Django translates a statement for each call, and a long one takes longer than its rows.
            cursor.executemany(_repeated(sql, size), values)


@lru_cache(maxsize=64)
def _repeated(sql: str, times: int) -> str:
    before, group, after = _GROUP.split(sql, maxsplit=1)
    return before + ", ".join([group] * times) + after
