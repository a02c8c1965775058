"""Delete what has been kept long enough, and people who ask for it; each call does a little, and may be repeated."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from commonbeat.journal.actions import append, append_all, move_cursor
from commonbeat.journal.actions.log import forget_people
from commonbeat.journal.leaves import CONTACT
from commonbeat.journal.queries import cursor_position
from commonbeat.messaging import events
from commonbeat.messaging.models import (
    Broadcast,
    Contact,
    Erasure,
    Inbound,
    InboundState,
    Outbound,
    OutboundState,
    Silenced,
)

CHUNK = 200
# What was stored with a clock that went wrong, or could not be emptied yet, is looked at again for so long.
_LOOK_BACK = timedelta(days=7)
_WAITING = (OutboundState.QUEUED, OutboundState.LEASED)
# The answer to “erase me” is sent by then, or never.
ERASE_AFTER = timedelta(days=1)


def purge_raw(*, now: datetime, limit: int = CHUNK) -> int:
    """Empty raw copies whose retention has passed, at most `limit` of each kind; gives their number."""
    before = now - timedelta(days=settings.COMMONBEAT.raw_retention_days)
    columns = ("received_at", "created_at", "expires_at")
    return sum(
        _empty(rows, column, before=before, limit=limit) for rows, column in zip(old_raw(now=now), columns, strict=True)
    )


def old_raw(*, now: datetime) -> tuple[QuerySet[Any], ...]:
    """Narrow to the raw copies whose retention has passed."""
    before = now - timedelta(days=settings.COMMONBEAT.raw_retention_days)
    return (
        Inbound.objects.exclude(state=InboundState.NEW).filter(received_at__lt=before).exclude(body_sealed=b""),
        Outbound.objects.exclude(state__in=_WAITING).filter(created_at__lt=before).exclude(body_sealed=b""),
        Broadcast.objects.filter(expires_at__lt=before).exclude(body_sealed=b""),
    )


def purge_messages(*, now: datetime, limit: int = CHUNK) -> int:
    """Delete rows of inbox and outbox, and broadcasts, that are past their time, at most `limit` of each kind."""
    count = 0
    for rows in old_messages(now=now):
        ids = list(rows.values_list("pk", flat=True)[:limit])
        if ids:
            with transaction.atomic():
                rows.model._default_manager.filter(pk__in=ids).delete()
            count += len(ids)
    return count


def old_messages(*, now: datetime) -> tuple[QuerySet[Inbound], QuerySet[Outbound], QuerySet[Broadcast]]:
    """Narrow inbox, outbox and broadcasts to what is past its time."""
    before = _contacts_before(now)
    inbound = Inbound.objects.filter(received_at__lt=before).order_by("received_at")
    outbound = Outbound.objects.filter(created_at__lt=before).exclude(state__in=_WAITING).order_by("created_at")
    # Deleting one deletes what carries it, so that goes first.
    carries = Outbound.objects.filter(broadcast=OuterRef("pk"))
    return inbound, outbound, Broadcast.objects.filter(~Exists(carries), expires_at__lt=before)


def unseen_contacts(*, now: datetime) -> QuerySet[Contact]:
    """Narrow contacts to those with whom no message was exchanged for so long, in the order of their numbers."""
    before = _contacts_before(now)
    lately = Outbound.objects.filter(contact=OuterRef("pk"), created_at__gte=before)
    return Contact.objects.filter(~Exists(lately), last_seen_at__lt=before).order_by("pk")


def existing_contacts(contact_ids: Collection[int]) -> set[int]:
    """Name those of some contacts that are there."""
    return set(Contact.objects.filter(pk__in=contact_ids).values_list("pk", flat=True))


def purge_contacts(*, contact_ids: Collection[int], kept: Collection[int], now: datetime) -> int:
    """Forget those of some contacts with whom no message was exchanged for so long, but those that are kept.

    The caller knows why some must be kept, and has taken them off what names them otherwise.
    """
    with transaction.atomic():
        found = unseen_contacts(now=now).filter(pk__in=set(contact_ids) - set(kept))
        rows = list(found.select_for_update(of=("self",)))
        _forget(rows)
        append_all(entries=[(events.FORGOTTEN, row.pk, {}) for row in rows], now=now)
    return len(rows)


def ask_erasure(*, contact_id: int, takes_texts: bool, withdraws: bool, now: datetime, actor_id: int | None) -> None:
    """Note that a contact is to be erased once what waits for it has gone out; the second time changes nothing."""
    with transaction.atomic():
        wanted = {"asked_at": now, "takes_texts": takes_texts, "withdraws": withdraws}
        _row, is_new = Erasure.objects.get_or_create(contact_id=contact_id, defaults=wanted)
        if is_new:
            append(kind=events.ERASURE_ASKED, subject_id=contact_id, now=now, actor_id=actor_id)


def ready_erasures(*, now: datetime, limit: int = 50) -> list[Erasure]:
    """Read the erasures to which nothing waits to be sent any more, oldest first."""
    waits = Outbound.objects.filter(contact=OuterRef("contact_id"), state__in=_WAITING)
    ready = Q(asked_at__lte=now - ERASE_AFTER) | ~Exists(waits)
    return list(Erasure.objects.filter(ready).order_by("pk")[:limit])


def erase_messages(*, contact_id: int, limit: int = CHUNK) -> int:
    """Delete messages to a contact and empty those from it, at most `limit` of each; gives their number.

    The row of what came stays without the contact, so that a gateway's repeat is not taken for something new.
    """
    with transaction.atomic():
        came = list(Inbound.objects.filter(contact_id=contact_id).values_list("pk", flat=True)[:limit])
        Inbound.objects.filter(pk__in=came).exclude(state__in=[InboundState.UNDERSTOOD, InboundState.FAILED]).update(
            state=InboundState.DISCARDED
        )
        Inbound.objects.filter(pk__in=came).update(body_sealed=b"", contact=None, due_at=None)
        went = list(Outbound.objects.filter(contact_id=contact_id).values_list("pk", flat=True)[:limit])
        Outbound.objects.filter(pk__in=went).delete()
    return len(came) + len(went)


def erase_address(*, contact_id: int, now: datetime, actor_id: int | None) -> bool:
    """Delete a contact, whose messages and reports the caller has seen to; False when it is gone already."""
    with transaction.atomic():
        row = Contact.objects.select_for_update(of=("self",)).filter(pk=contact_id).first()
        if row is None:
            return False
        _forget([row])
        append(kind=events.ERASED, subject_id=contact_id, now=now, actor_id=actor_id)
    return True


def _forget(rows: Sequence[Contact]) -> None:
    Silenced.objects.bulk_create(
        [
            Silenced(address_hash=row.address_hash, stopped_at=row.stopped_at, blocked_at=row.blocked_at)
            for row in rows
            if row.stopped_at is not None or row.blocked_at is not None
        ],
        ignore_conflicts=True,
    )
    Contact.objects.filter(pk__in=[row.pk for row in rows]).delete()
    forget_people([(CONTACT, row.pk) for row in rows])


def _contacts_before(now: datetime) -> datetime:
    return now - timedelta(days=settings.COMMONBEAT.contact_retention_days)


def _empty(rows: QuerySet[Any], column: str, *, before: datetime, limit: int) -> int:
    # Rows stay long after they have been emptied: a cursor tells up to when they are, lest each be read every hour.
    name = f"retention.raw.{rows.model._meta.model_name}"
    done = cursor_position(name)
    since = datetime.fromtimestamp(done / 1_000, tz=UTC) - _LOOK_BACK
    old = rows.filter(**{f"{column}__gte": since}).order_by(column)
    ids = list(old.values_list("pk", flat=True)[:limit])
    if ids:
        with transaction.atomic():
            rows.model._default_manager.filter(pk__in=ids).update(body_sealed=b"")
    elif int(before.timestamp()) * 1_000 - done > _LOOK_BACK.total_seconds() * 1_000:
        move_cursor(name=name, to=int(before.timestamp()) * 1_000)
    return len(ids)
