"""Delete what has been kept long enough: every hour, in small transactions, and safe to break off anywhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.contrib.sessions.backends.db import SessionStore
from django.db import transaction

from commonbeat.alerts.actions.retention import forget_sightings, old_alerts, purge_alerts
from commonbeat.alerts.models import Sighting, Subscription
from commonbeat.journal.actions import move_cursor
from commonbeat.journal.actions.log import forget_people, purge_checkpoints
from commonbeat.journal.leaves import CONTACT
from commonbeat.journal.log_queries import salted
from commonbeat.journal.queries import cursor_position
from commonbeat.messaging.actions.retention import (
    existing_contacts,
    old_messages,
    old_raw,
    purge_contacts,
    purge_messages,
    purge_raw,
    unseen_contacts,
)
from commonbeat.reactions import auditing, counting
from commonbeat.reports.actions.retention import (
    delete_emptied,
    end_hold,
    forget_reports,
    leave_contacts,
    purge_import_rows,
    tidy_search,
)
from commonbeat.reports.queries.retention import (
    bare_imports,
    belonging,
    due_reports,
    ended_holds,
    left_empty,
    missing_reports,
    old_import_rows,
    old_reports,
    on_lists,
    with_reports,
)
from commonbeat.tips.actions.ending import (
    announce_endings,
    delete_tips,
    expire_tips,
    forget_sameness,
    old_tips,
    old_uploads,
    purge_uploads,
)
from commonbeat.tips.actions.pending import journal_sources

# The hour, counted from 1970, in which everything was done last.
CURSOR = "retention"
# Where the walk through the contacts stands; those that are kept must not be asked about again and again.
CONTACTS = "retention-contacts"
SALTS = "retention-salts"
# One call works so long at each step; what is left is done in the next, a minute later.
BUDGET_SECONDS = 5.0
# SQLite has one lock for all who write: nobody waits longer for one of these transactions.
LONGEST_SECONDS = 0.05
# A transaction costs 14 ms beside 0.25 ms a report: smaller ones would take the lock for longer in all.
FEWEST = 8
_BREAK_SECONDS = 0.01
# Small merges of the search index an hour, of 64 pages each.
TIDY_PIECES = 20
# Of some contacts, names those that are needed.
Needs = Callable[[list[int]], set[int]]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that is deleted by time; do(now, size) gives how much it has dealt with, 0 when nothing is left."""

    name: str
    do: Callable[[datetime, int], int]


class Pace:
    """Find the size at which a transaction stays short on this machine, and let others write in between."""

    def __init__(
        self,
        *,
        seconds: float = BUDGET_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        rest: Callable[[float], None] = time.sleep,
    ) -> None:
        self._seconds, self._clock, self._rest = seconds, clock, rest
        self.longest = 0.0

    def run(self, step: Callable[[int], int], *, size: int = 25) -> bool:
        """Repeat a step until nothing is left, or the time is over: then False."""
        until = self._clock() + self._seconds
        while True:
            begun = self._clock()
            done = step(size)
            took = self._clock() - begun
            self.longest = max(self.longest, took)
            if not done:
                return True
            if took > LONGEST_SECONDS:
                size = max(FEWEST, size // 2)
            elif took < LONGEST_SECONDS / 2:
                size = min(500, size + size // 2)
            if self._clock() >= until:
                return False
            # Half of the time belongs to the others.
            self._rest(max(_BREAK_SECONDS, took))


def keep_retention(now: datetime) -> None:
    """Delete what is due, once an hour; goes on in the next minute where it was not finished."""
    hour = int(now.timestamp()) // 3600
    if cursor_position(CURSOR) >= hour:
        return
    if delete_due(now):
        move_cursor(name=CURSOR, to=hour)


def delete_due(now: datetime, pace: Pace | None = None) -> bool:
    """Take every step as far as the time reaches; True when nothing is left to do."""
    pace = pace or Pace()
    is_done = True
    for step in STEPS:
        # Each gets its time, so that a mountain of one does not keep the others waiting for days.
        is_done = _take(step, pace, now) and is_done
    return is_done


def needed(contact_ids: list[int]) -> set[int]:
    """Name those of some contacts that somebody still needs, whatever their age."""
    found: set[int] = set()
    for needs in KEEPERS:
        found |= needs(contact_ids)
    return found


def listed(contact_ids: list[int]) -> set[int]:
    """Name those of some contacts who stand on a list: expected reporters, proxies, subscribers of alerts."""
    # After STOP places are kept in silence, and that is no reason to keep the contact.
    subscribed = Subscription.objects.filter(
        contact_id__in=contact_ids, contact__stopped_at__isnull=True, confirmed_at__isnull=False
    )
    return on_lists(contact_ids) | set(subscribed.values_list("contact_id", flat=True))


def due_by_table(now: datetime) -> dict[str, int]:
    """Count what would go now, by table, for whoever wants to see it first; reads only."""
    contacts = list(unseen_contacts(now=now).values_list("pk", flat=True))
    kept = {pk for start in range(0, len(contacts), 500) for pk in needed(contacts[start : start + 500])}
    reports = dict(pair for found in old_reports(now=now) for pair in found.values_list("pk", "publication__state"))
    public = sum(state == "public" for state in reports.values())
    found = {
        "reports.Report, deleted as a whole": len(reports) - public,
        "reports.Report, emptied: the public copy stays": public,
        "reports.Report, left of a copy that is public no more": len(left_empty(limit=1_000_000)),
        **{label: count for label, count in sorted(belonging(list(reports)).items()) if count},
        "reports.LegalHold, over": len(ended_holds(now=now)),
        "reports.ImportRow, not taken": len(old_import_rows(now=now, limit=1_000_000)),
        "reports.ImportBatch, of which nothing is left": len(bare_imports(now=now, limit=1_000_000)),
        "messaging, raw texts emptied": sum(rows.count() for rows in old_raw(now=now)),
        "messaging.Contact": len(contacts) - len(kept),
        "messaging.Contact, kept because somebody needs them": len(kept),
    }
    for rows in (*old_messages(now=now), *old_alerts(now=now), old_tips(now=now), old_uploads(now=now)):
        found[rows.model._meta.label] = rows.count()
    return found


def counted_up_to() -> int:
    """Tell up to which entry of the journal all counts have been made."""
    return min(cursor_position(counting.CURSOR), cursor_position(auditing.CURSOR))


def _take(step: Step, pace: Pace, now: datetime) -> bool:
    return pace.run(lambda size: step.do(now, size))


def _end_holds(now: datetime, size: int) -> int:
    return sum(end_hold(report_id=hold.report_id, now=now, actor=None) for hold in ended_holds(now=now)[:size])


def _forget_reports(now: datetime, size: int) -> int:
    ids = due_reports(now=now, limit=size)
    done = forget_reports(report_ids=ids, now=now) if ids else None
    return done.deleted + done.emptied if done else 0


def _delete_emptied(now: datetime, size: int) -> int:
    ids = left_empty(limit=size)
    if not ids:
        return 0
    return delete_emptied(report_ids=ids, counted_up_to=counted_up_to(), counted_kinds=counting.KINDS)


def _purge_contacts(now: datetime, size: int) -> int:
    after = cursor_position(CONTACTS)
    ids = list(unseen_contacts(now=now).filter(pk__gt=after).values_list("pk", flat=True)[:size])
    kept = needed(ids)
    if set(ids) - kept:
        with transaction.atomic():
            # Whoever writes at this moment waits for it, or is seen and stays.
            still = unseen_contacts(now=now).filter(pk__in=set(ids) - kept).select_for_update(of=("self",))
            gone = list(still.values_list("pk", flat=True))
            leave_contacts(contact_ids=gone)
            purge_contacts(contact_ids=gone, kept=kept, now=now)
    if ids or after:
        move_cursor(name=CONTACTS, to=ids[-1] if ids else 0)
    return len(ids)


def _purge_imports(now: datetime, size: int) -> int:
    rows, batches = old_import_rows(now=now, limit=size), bare_imports(now=now, limit=size)
    return purge_import_rows(row_ids=rows, batch_ids=batches) if rows or batches else 0


def _forget_sightings(now: datetime, size: int) -> int:
    # Few: each is a report that somebody tied to an alert.
    ids = list(Sighting.objects.order_by("pk").values_list("report_id", flat=True))
    gone = [pk for start in range(0, len(ids), 500) for pk in missing_reports(ids[start : start + 500])]
    return forget_sightings(report_ids=gone[:size]) if gone else 0


def _forget_sign_ins(now: datetime, size: int) -> int:
    # What a browser was signed in with; they end after twelve hours.
    SessionStore.clear_expired()
    return 0


def _forget_salts(now: datetime, size: int) -> int:
    # They go with the contact; this finds those of contacts that were erased before there was a log.
    after = cursor_position(SALTS)
    known = salted(CONTACT, after=after, limit=size)
    there = existing_contacts(known)
    gone = [number for number in known if number not in there]
    if gone:
        forget_people([(CONTACT, number) for number in gone])
    if known or after:
        move_cursor(name=SALTS, to=known[-1] if known else 0)
    return len(known)


def _tidy_search(now: datetime, size: int) -> int:
    # One small piece each hour keeps up with what is deleted; a large index is put together over days.
    for number in range(TIDY_PIECES):
        if not tidy_search(begin=number == 0):
            break
    return 0


# Why a contact is kept although nobody has written for two years; a feature that writes to contacts adds its own here.
KEEPERS: tuple[Needs, ...] = (with_reports, listed)
STEPS: tuple[Step, ...] = (
    Step("purge_raw", lambda now, size: purge_raw(now=now, limit=4 * size)),
    Step("end_hold", _end_holds),
    Step("forget_reports", _forget_reports),
    Step("delete_emptied", _delete_emptied),
    Step("purge_messages", lambda now, size: purge_messages(now=now, limit=4 * size)),
    Step("purge_contacts", _purge_contacts),
    Step("purge_import_rows", _purge_imports),
    Step("purge_alerts", lambda now, size: purge_alerts(now=now, limit=size)),
    Step("forget_sightings", _forget_sightings),
    # Before anything of a dialogue that time does.
    Step("journal_sources", lambda now, size: journal_sources(now=now, limit=size)),
    Step("expire_tips", lambda now, size: expire_tips(now=now, limit=size)),
    Step("announce_endings", lambda now, size: announce_endings(now=now, limit=size)),
    Step("delete_tips", lambda now, size: delete_tips(now=now, limit=size)),
    Step("purge_uploads", lambda now, size: purge_uploads(now=now, limit=size)),
    Step("forget_sameness", lambda now, size: forget_sameness(now=now, limit=size)),
    Step("forget_sign_ins", _forget_sign_ins),
    Step("forget_salts", _forget_salts),
    Step("purge_checkpoints", lambda now, size: purge_checkpoints(now=now, limit=4 * size)),
    Step("tidy_search", _tidy_search),
)
