"""One text for many: sealed once, queued thousands at a time, taken back by one row."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection
from django.db.models import Field

from commonbeat.messaging import sealing
from commonbeat.messaging.actions.outbox import RECALLED, measured
from commonbeat.messaging.models import Broadcast, Outbound, OutboundState


class Queued(NamedTuple):
    """What differs from one recipient of a broadcast to the next."""

    idempotency_key: str
    contact_id: int
    channel: str
    broadcast_id: int
    due_at: datetime
    segments: int
    encoding: str


class Reached(NamedTuple):
    """A message of a broadcast on its way to one contact, or there."""

    id: int
    contact_id: int
    broadcast_id: int
    channel: str
    state: str
    maybe_taken: bool

    @property
    def has_gone(self) -> bool:
        """Tell whether the person has it, or may have it."""
        return self.state in (OutboundState.LEASED, OutboundState.SENT, OutboundState.DELIVERED) or self.maybe_taken


def make_broadcast(
    *, key: str, text: str, channel: str, topic: str, is_urgent: bool, expires_at: datetime, now: datetime
) -> Broadcast:
    """Seal one text for many, once per key; a repeated key gives what is there."""
    plain, encoding, parts = measured(text, channel)
    row = Broadcast(
        key=key,
        body_sealed=sealing.seal_outbound(settings.COMMONBEAT.secret, plain),
        segments=parts,
        encoding=encoding,
        topic=topic,
        is_urgent=is_urgent,
        created_at=now,
        expires_at=expires_at,
    )
    Broadcast.objects.bulk_create([row], ignore_conflicts=True)
    return Broadcast.objects.get(key=key)


def enqueue_many(rows: Sequence[Queued], *, priority: int, is_vital: bool, expires_at: datetime, now: datetime) -> int:
    """Queue messages of broadcasts in the caller's transaction; give how many are new, for a key is queued once."""
    if not rows:
        return 0
    columns, values = _columns(priority=priority, is_vital=is_vital, expires_at=expires_at, now=now)
    names = ", ".join(f'"{name}"' for name in columns)
    moment = connection.ops.adapt_datetimefield_value
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            marks = ", ".join(["k, c, h, b, d, s, e", *["%s"] * len(values)])
            cursor.execute(
                f"INSERT INTO messaging_outbound ({names}) SELECT {marks}"
                " FROM unnest(%s::text[], %s::bigint[], %s::text[], %s::bigint[], %s::timestamptz[], %s::int[],"
                " %s::text[]) AS given(k, c, h, b, d, s, e) ON CONFLICT (idempotency_key) DO NOTHING",
                [*values, *(list(column) for column in zip(*rows, strict=True))],
            )
        else:
            marks = ", ".join(["%s"] * len(columns))
            cursor.executemany(
                f"INSERT INTO messaging_outbound ({names}) VALUES ({marks}) ON CONFLICT (idempotency_key) DO NOTHING",
                [(*one[:4], moment(one.due_at), *one[5:], *values) for one in rows],
            )
        return max(0, int(cursor.rowcount))


def among(column: str, ids: Sequence[int]) -> tuple[str, Any]:
    """Give the condition that a column is one of thousands of numbers, with one value for them all.

    With a placeholder for each, taking the statement apart costs more than answering it.
    """
    if connection.vendor == "postgresql":
        return f"{column} = ANY(%s::bigint[])", list(ids)
    return f"{column} IN (SELECT value FROM json_each(%s))", json.dumps(list(ids))


def lock_reached(*, contact_ids: Sequence[int], broadcast_ids: Collection[int]) -> list[Reached]:
    """Lock the messages of some broadcasts to some contacts, oldest first."""
    if not contact_ids or not broadcast_ids:
        return []
    # By the index of contacts: one broadcast has hundreds of thousands of messages, a contact few.
    lock = " FOR UPDATE OF o" if connection.vendor == "postgresql" else ""
    condition, given = among("o.contact_id", contact_ids)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT o.id, o.contact_id, o.broadcast_id,"
            " CASE WHEN o.moved_from = '' THEN o.channel ELSE o.moved_from END, o.state, o.maybe_taken"
            " FROM messaging_outbound o"
            f" WHERE {condition} AND +o.broadcast_id IN ({', '.join(['%s'] * len(broadcast_ids))})"
            f" ORDER BY o.id{lock}",
            [given, *broadcast_ids],
        )
        return [Reached(*row)._replace(maybe_taken=bool(row[5])) for row in cursor.fetchall()]


def take_back(reached: Sequence[Reached], *, now: datetime) -> None:
    """Let what still waits not go, and what is on its way not go a second time."""
    waiting = [one.id for one in reached if one.state == OutboundState.QUEUED]
    leased = [one.id for one in reached if one.state == OutboundState.LEASED]
    if waiting:
        Outbound.objects.filter(pk__in=waiting).update(state=OutboundState.EXPIRED, error=RECALLED)
    if leased:
        Outbound.objects.filter(pk__in=leased).update(expires_at=now)


def recall_broadcasts(*, broadcast_ids: Collection[int], now: datetime) -> None:
    """End broadcasts at once: whatever of them still waits does not go, however much that is."""
    Broadcast.objects.filter(pk__in=broadcast_ids, expires_at__gt=now).update(expires_at=now)


def contacts_of(*, broadcast_ids: Collection[int]) -> list[int]:
    """Give the contacts to whom messages of some broadcasts were queued, each once, ascending."""
    found = Outbound.objects.filter(broadcast_id__in=broadcast_ids).values_list("contact_id", flat=True)
    return sorted(set(found.iterator(chunk_size=20_000)))


def _columns(**same: Any) -> tuple[list[str], list[Any]]:
    """Give the columns of the outbox, those that differ first, and the values of those that do not."""
    moment = same.pop("now")
    row = Outbound(created_at=moment, body_sealed=b"", **same)
    differing = ["idempotency_key", "contact_id", "channel", "broadcast_id", "due_at", "segments", "encoding"]
    fields: list[Field[Any, Any]] = [
        field for field in Outbound._meta.concrete_fields if not field.primary_key and field.column not in differing
    ]
    values = [field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields]
    return [*differing, *(field.column for field in fields)], values
