"""Read the journal, and do what each entry calls for: in order, at least once, each reaction idempotent."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from datetime import datetime
from pathlib import PurePath

from django.db import transaction

from commonbeat.journal.actions import append, move_cursor
from commonbeat.journal.models import Entry
from commonbeat.journal.queries import cursor_position, entries_after
from commonbeat.messaging import events as messaging
from commonbeat.people.actions import DEACTIVATED, ROLE_CHANGED
from commonbeat.reactions import alert_signups, events, memberships, proxies, reporters, topics, trust
from commonbeat.reports import events as reports
from commonbeat.topics.actions import REVISED

logger = logging.getLogger(__name__)

Reaction = Callable[[Entry, datetime], None]

REACTIONS: dict[str, list[Reaction]] = {
    reports.SUBMITTED: [reporters.ask_to_confirm],
    reports.MOVED: [reporters.tell_move, trust.weigh],
    reports.VERIFIED: [trust.weigh],
    reports.UNVERIFIED: [trust.weigh],
    reports.CONFIRMED: [trust.weigh],
    reports.CONSENT: [trust.weigh],
    reports.PUBLISHED: [reporters.tell_published],
    reports.MERGED: [reporters.tell_merged],
    reports.ASKED: [reporters.pass_question],
    reports.TOLD: [reporters.pass_update],
    reports.PROXY_ENROLLED: [proxies.invite],
    reports.PROXY_ENDED: [proxies.tell_ended],
    REVISED: [topics.tighten],
    DEACTIVATED: [memberships.end],
    ROLE_CHANGED: [memberships.end],
    messaging.STOPPED: [alert_signups.forget_browser],
}

CURSOR = "reactions"
# Two more positions of the journal's table: how often the entry after the cursor has failed, and the moment (in
# milliseconds) before which it is not tried again. In the database, so that a restart does not begin anew.
TRIES, AGAIN_AT = "reactions.tries", "reactions.again_at"
# Seconds between one try and the next; all that follows waits as long, 17 seconds at most, then goes on.
TRY_AGAIN = (0.5, 2.0, 5.0, 10.0)
MOST_TRIES = len(TRY_AGAIN) + 1


def react_batch(now: datetime, limit: int = 200) -> int:
    """React to the next entries; give the number that was dealt with, 0 when nothing is to be done now."""
    if _milliseconds(now) < cursor_position(AGAIN_AT):
        return 0
    position = cursor_position(CURSOR)
    done = 0
    seen = position
    for entry in entries_after(position, limit=limit):
        if _calls_for_something(entry):
            try:
                # The cursor moves in the transaction of what the reactions write: both, or neither.
                with transaction.atomic():
                    for react in REACTIONS[entry.kind]:
                        react(entry, now)
                    _pass(entry.pk)
            except Exception as error:
                _log(entry, error)
                if not _put_off(entry, error, now):
                    return done
        seen = entry.pk
        done += 1
    if seen > position:
        # Entries that call for nothing are passed together, once per batch.
        with transaction.atomic():
            move_cursor(name=CURSOR, to=seen)
    return done


def _calls_for_something(entry: Entry) -> bool:
    # Most reports come by a message whose answer has given the reference: no write, and no commit, for those.
    return entry.kind in REACTIONS and not (entry.kind == reports.SUBMITTED and entry.data.get("acknowledged"))


def _pass(position: int) -> None:
    move_cursor(name=CURSOR, to=position)
    if cursor_position(TRIES):
        move_cursor(name=TRIES, to=0)
        move_cursor(name=AGAIN_AT, to=0)


def _put_off(entry: Entry, error: Exception, now: datetime) -> bool:
    """Count a failure; True when it was the last one, and the entry is given up with a line in the journal."""
    with transaction.atomic():
        # What lies before the entry is done; the cursor stands right before it.
        move_cursor(name=CURSOR, to=entry.pk - 1)
        tries = cursor_position(TRIES) + 1
        if tries < MOST_TRIES:
            move_cursor(name=TRIES, to=tries)
            move_cursor(name=AGAIN_AT, to=_milliseconds(now) + int(1_000 * TRY_AGAIN[tries - 1]))
            return False
        _pass(entry.pk)
        data: dict[str, int | str | bool | None] = {
            "entry": entry.pk,
            "kind": entry.kind,
            "error": type(error).__name__[:60],
        }
        append(kind=events.FAILED, subject_id=entry.subject_id, data=data, now=now)
    return True


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000)


def _log(entry: Entry, error: Exception) -> None:
    # The type and the place only: the message of an exception may repeat what a person wrote.
    frames = traceback.extract_tb(error.__traceback__)
    place = " < ".join(f"{PurePath(frame.filename).name}:{frame.lineno}" for frame in reversed(frames[-3:]))
    logger.error("Entry %d (%s) could not be reacted to: %s at %s.", entry.pk, entry.kind, type(error).__name__, place)
