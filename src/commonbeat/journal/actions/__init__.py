"""Write the journal, and move its cursors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from django.db import connection, transaction

from commonbeat.journal.models import Cursor, Entry, Lease

# Any constant will do; it only has to differ from other advisory locks of the database.
JOURNAL_LOCK = 4_201_112


def append(
    *,
    kind: str,
    subject_id: int,
    now: datetime,
    actor_id: int | None = None,
    data: Mapping[str, int | str | bool | None] | None = None,
) -> Entry:
    """Append one entry inside the caller's transaction.

    On PostgreSQL the ids of two transactions may become visible in the other order, and a cursor would step over the
    later one; so appending holds an advisory lock until commit. Call it last, for the lock is then short.
    """
    _lock()
    return Entry.objects.create(kind=kind, subject_id=subject_id, at=now, actor_id=actor_id, data=dict(data or {}))


def append_all(
    *,
    entries: Iterable[tuple[str, int, Mapping[str, int | str | bool | None]]],
    now: datetime,
    actor_id: int | None = None,
) -> None:
    """Append many entries, each its kind, subject and data, inside the caller's transaction; call it last, too."""
    _lock()
    Entry.objects.bulk_create(
        [Entry(kind=kind, subject_id=pk, at=now, actor_id=actor_id, data=dict(data)) for kind, pk, data in entries]
    )


def note_look(*, kind: str, subject_id: int, actor_id: int, now: datetime) -> None:
    """Journal that a person looked at something, at most once an hour each; in a transaction of its own."""
    since = now - timedelta(hours=1)
    if not Entry.objects.filter(kind=kind, subject_id=subject_id, actor_id=actor_id, at__gt=since).exists():
        with transaction.atomic():
            append(kind=kind, subject_id=subject_id, now=now, actor_id=actor_id)


def move_cursor(*, name: str, to: int) -> None:
    """Store how far a reader has come; in the same transaction as what it did, where that is in the database."""
    Cursor.objects.update_or_create(name=name, defaults={"position": to})


def take_lease(*, name: str, holder: str, now: datetime, seconds: int = 30) -> bool:
    """Take or renew the lease of a loop; False while another holder has it."""
    with transaction.atomic():
        lease = Lease.objects.select_for_update().filter(name=name).first()
        if lease is not None and lease.holder != holder and lease.until > now:
            return False
        Lease.objects.update_or_create(
            name=name, defaults={"holder": holder, "until": now + timedelta(seconds=seconds)}
        )
        return True


def _lock() -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [JOURNAL_LOCK])
