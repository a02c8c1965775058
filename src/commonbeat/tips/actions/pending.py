"""Journal what sources do a day late and in no order, so that an entry's place tells no time of day."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, time

from django.db import transaction
from django.db.models import QuerySet

from commonbeat.journal.actions import append_all
from commonbeat.tips import events
from commonbeat.tips.models import Pending
from commonbeat.tips.queries import today


def note_of_source(kind: str, *, tip_id: int, now: datetime, desk_kind: str) -> None:
    """Note what a source has done, in the transaction of the act; it is journalled when the day is over."""
    Pending.objects.create(kind=events.kind_for(kind, desk_kind), number=tip_id, day=today(now))


def journal_sources(*, now: datetime, limit: int = 200) -> int:
    """Append what sources did on a day that is over, shuffled and dated to its beginning; gives how many."""
    with transaction.atomic():
        day = past(now=now).order_by("day").values_list("day", flat=True).first()
        if day is None:
            return 0
        # All of the day are shuffled, not only those that this transaction takes.
        ids = list(Pending.objects.filter(day=day).values_list("pk", flat=True))
        secrets.SystemRandom().shuffle(ids)
        # Of two workers at once, one waits here and finds what the other has left.
        found = Pending.objects.select_for_update().filter(pk__in=ids[:limit])
        rows = {pk: (kind, number) for pk, kind, number in found.values_list("pk", "kind", "number")}
        Pending.objects.filter(pk__in=list(rows)).delete()
        entries: list[tuple[str, int, events.Data]] = [(*rows[pk], {}) for pk in ids if pk in rows]
        append_all(entries=entries, now=datetime.combine(day, time(), UTC))
    return len(rows)


def past(*, now: datetime) -> QuerySet[Pending]:
    """Narrow to what was done on days that are over."""
    return Pending.objects.filter(day__lt=today(now))
