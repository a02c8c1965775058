"""Bring the public counts up to what has happened to reports: exactly once, by a cursor of their own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from commonbeat.foundation.crypto import derive, keyed_hash
from commonbeat.journal.actions import move_cursor
from commonbeat.journal.queries import cursor_position, newest_entry, subjects_between
from commonbeat.maps import actions as maps
from commonbeat.maps.contribution import Contribution, Contributions, Sending
from commonbeat.maps.queries import counted_in, due_publications, make_up_due
from commonbeat.reports import events as reports
from commonbeat.reports.queries.counting import (
    Columns,
    Row,
    contributions,
    contributions_of,
    contributions_of_topic,
    public_contributions,
    sendings,
)

CURSOR = "maps"
# After each of these a publication may count differently. Several cost no more than one: a report is looked at as it
# stands, not as it was.
KINDS = frozenset(
    {
        reports.PUBLISHED,
        reports.WITHDRAWN,
        reports.HELD,
        reports.MOVED,
        reports.PLACED,
        reports.SORTED,
        reports.MERGED,
        reports.UNMERGED,
        # From then on its contact is its sender's.
        reports.CONFIRMED,
    }
)
BATCH = 2_000
TOPIC_KINDS = frozenset({reports.TIGHTENED})
# Entries that call for nothing are passed without a write until so many have gathered: a commit for each message that
# arrives would slow intake down.
PASSED_SILENTLY = 1_000


def count_batch(now: datetime, limit: int = BATCH) -> int:
    """Count what the journal's next entries, and the time, have changed; 0 when nothing is left to do now."""
    position = cursor_position(CURSOR)
    # Read first: an entry that comes later is the next batch's.
    end = newest_entry()
    entries = subjects_between(position, end, kinds=KINDS, limit=limit) if end > position else []
    last = entries[-1][0] if len(entries) == limit else end
    # The subject of this one is a topic: all its copies may have been hidden or moved.
    tightened = subjects_between(position, last, kinds=TOPIC_KINDS, limit=limit) if end > position else []
    if entries or tightened:
        with transaction.atomic():
            maps.recount(rows=_rows(contributions(sorted({subject for _, subject in entries}))), now=now)
            for topic_id in sorted({subject for _, subject in tightened}):
                for chunk in contributions_of_topic(topic_id):
                    maps.recount(rows=_rows(chunk), now=now)
            move_cursor(name=CURSOR, to=last)
        return len(entries) + len(tightened)
    if end - position > PASSED_SILENTLY:
        move_cursor(name=CURSOR, to=end)
    return _do_due(now, limit)


def rebuild(now: datetime, *, redraw: bool = False) -> int:
    """Count every publication anew; returns how many count. The journal's entries up to now need no counting then."""
    with transaction.atomic():
        end = newest_entry()
        total = maps.rebuild(chunks=map(_columns, public_contributions()), now=now, redraw=redraw)
        move_cursor(name=CURSOR, to=end)
    while maps.draw_due(now=now) or _draw_make_up(now):
        pass
    return total


def _do_due(now: datetime, limit: int) -> int:
    waiting = due_publications(now=now, limit=limit)
    if waiting:
        with transaction.atomic():
            maps.recount(rows=_rows(contributions_of(waiting)), now=now)
            maps.stop_waiting(publication_ids=waiting)
        return len(waiting)
    # Last: a period may be drawn only when all that belongs to it has been counted.
    return maps.draw_due(now=now) or _draw_make_up(now)


def _draw_make_up(now: datetime) -> int:
    due = make_up_due(timezone.localtime(now).date())
    if due is None:
        return 0
    month, topic_ids = due
    chunks = map(_sendings, counted_in(month, topic_ids))
    # Read before anything is locked: a month of a large site takes some seconds.
    maps.draw_make_ups(month=month, topic_ids=topic_ids, chunks=chunks, now=now)
    return len(topic_ids)


def _sendings(counted: list[tuple[int, int]]) -> list[Sending]:
    topics = dict(counted)
    return [
        Sending(topics[row.publication_id], row.channel, row.language, row.received_at, blinded_source(row.sender))
        for row in sendings(list(topics))
    ]


def _rows(rows: Sequence[Row]) -> list[Contribution]:
    return [Contribution(*row[:7], blinded_source(row.sender), row.fewest) for row in rows]


def _columns(columns: Columns) -> Contributions:
    return Contributions(*columns[:7], [blinded_source(sender) for sender in columns.sender], columns.fewest)


def blinded_source(sender: int | None) -> bytes | None:
    """Name a sender so that only this site can, and maps cannot know whom they count."""
    return None if sender is None else _blinded(settings.COMMONBEAT.secret, sender)


@lru_cache(maxsize=20_000)
def _blinded(secret: bytes, sender: int) -> bytes:
    return keyed_hash(_key(secret), str(sender))[:16]


@lru_cache(maxsize=4)
def _key(secret: bytes) -> bytes:
    return derive(secret, "map sources")
