"""Bring the scores of places up to what has happened to audits and lamps: exactly once, by a cursor of their own."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from commonbeat.journal.actions import move_cursor
from commonbeat.journal.queries import cursor_position, newest_entry, subjects_between
from commonbeat.maps.actions.safety import rebuild_ratings, rerate
from commonbeat.maps.rating import Rating
from commonbeat.maps.safety_sums import due_ratings, rated_among
from commonbeat.reactions.counting import BATCH, KINDS, PASSED_SILENTLY, TOPIC_KINDS, blinded_source
from commonbeat.reports.queries.audits import (
    Row,
    publications_that_rate_nothing,
    ratings_of,
    ratings_of_reports,
    ratings_of_topics,
)

CURSOR = "safety"


def rate_batch(now: datetime, limit: int = BATCH) -> int:
    """Sum up what the journal's next entries, and the time, have changed; 0 when nothing is left to do now."""
    position = cursor_position(CURSOR)
    # Read first: an entry that comes later is the next batch's.
    end = newest_entry()
    if end <= position:
        return _do_due(now, limit)
    entries = subjects_between(position, end, kinds=KINDS, limit=limit)
    last = entries[-1][0] if len(entries) == limit else end
    # The subject of these is a topic: all its copies may have been hidden or moved.
    topics = sorted({subject for _, subject in subjects_between(position, last, kinds=TOPIC_KINDS, limit=limit)})
    if entries or topics:
        with transaction.atomic():
            rows = _of_reports(sorted({subject for _, subject in entries}))
            if rows:
                rerate(rows=rows, now=now)
            for chunk in ratings_of_topics(topics) if topics else ():
                rerate(rows=_ratings(chunk), now=now)
            move_cursor(name=CURSOR, to=last)
        return len(entries) + len(topics)
    if end - position > PASSED_SILENTLY:
        move_cursor(name=CURSOR, to=end)
    return _do_due(now, limit)


def rebuild(now: datetime, *, redraw: bool = False) -> None:
    """Sum every audit and lamp up anew. The journal's entries up to now need no summing then."""
    with transaction.atomic():
        end = newest_entry()
        rebuild_ratings(chunks=map(_ratings, ratings_of_topics()), now=now, redraw=redraw)
        move_cursor(name=CURSOR, to=end)


def _do_due(now: datetime, limit: int) -> int:
    due = due_ratings(now=now, limit=limit)
    if due:
        rerate(rows=_ratings(ratings_of(due)), now=now)
    return len(due)


def _of_reports(report_ids: list[int]) -> list[Rating]:
    # Most reports rate nothing, and of them no answers are read.
    gone = rated_among(publications_that_rate_nothing(report_ids))
    return _ratings(ratings_of_reports(report_ids)) + [Rating(pk, 0, 0, 0, {}, False, None) for pk in gone]


def _ratings(rows: list[Row]) -> list[Rating]:
    return [Rating(*row[:6], blinded_source(row.sender), row.fewest) for row in rows]
