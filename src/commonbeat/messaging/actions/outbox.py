"""The outbox: queue, lease, close what is too late."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q, QuerySet

from commonbeat.foundation.crypto import SealError
from commonbeat.foundation.text import Segments, segments, to_gsm7
from commonbeat.messaging import channel as contract
from commonbeat.messaging import policy, sealing
from commonbeat.messaging.actions.delivery import give_up
from commonbeat.messaging.models import Contact, Outbound, OutboundState
from commonbeat.messaging.queries import address_of, last_heard_on, sealed_body, sending_key
from commonbeat.messaging.rules import BULK, LEVELS_OF_MANY, MANY

LEASE = timedelta(seconds=60)
# Clocks of two workers differ less than this.
LONGEST_LEASE = timedelta(minutes=10)
NO_LIMIT = policy.Allowance()
RECALLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Leased:
    """A message that this worker may send until its lease runs out."""

    id: int
    contact_id: int
    channel: str
    message: contract.Outbound
    # What it will cost by the settings, for the money that is spoken for.
    cost_micros: int = 0


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which messages a sender asks for."""

    channel: str
    # One queue only: what is one of many, or replies.
    bulk: bool | None = None
    # At night no bulk goes; alerts of the same queue do.
    is_night: bool = False
    # Channels that this one takes over from, and contacts that wait for an earlier message.
    instead_of: Collection[str] = ()
    busy: Collection[int] = ()
    allowance: policy.Allowance = NO_LIMIT


def enqueue(
    *,
    contact: Contact,
    text: str,
    idempotency_key: str,
    about_id: int | None = None,
    priority: int = 0,
    now: datetime,
    expires_in: timedelta = timedelta(days=1),
    even_if_stopped: bool = False,
    is_vital: bool = False,
) -> Outbound | None:
    """Queue one message, once per key; None when the contact said STOP or is blocked.

    A repeated key gives the row that is there. even_if_stopped is for the confirmation of STOP itself; what is vital
    goes although the money is spent.
    """
    if (contact.stopped_at is not None or contact.blocked_at is not None) and not even_if_stopped:
        return None
    channel = contact.channel or policy.default_channel(contact.kind)
    plain, encoding, parts = measured(text, channel)
    row = Outbound(
        idempotency_key=idempotency_key,
        contact=contact,
        channel=channel,
        body_sealed=sealing.seal_outbound(settings.COMMONBEAT.secret, plain),
        priority=priority,
        is_vital=is_vital or even_if_stopped,
        due_at=now,
        expires_at=now + expires_in,
        segments=parts,
        encoding=encoding,
        about_id=about_id,
        created_at=now,
    )
    Outbound.objects.bulk_create([row], ignore_conflicts=True)
    return Outbound.objects.get(idempotency_key=idempotency_key)


def measured(text: str, channel: str) -> tuple[str, str, int]:
    """Give a text as a channel carries it, its encoding, and its number of parts."""
    limits = policy.limits_of(channel)
    if limits is not None and not (limits.address_kind == "phone" and limits.in_parts):
        return text, "UTF-8", 1
    plain = to_gsm7(text)
    size: Segments = segments(plain)
    return plain, size.encoding, size.parts


def lease_batch(*, channel: str, limit: int, now: datetime) -> list[Leased]:
    """Take messages to send on one channel, replies first; rows whose lease ran out are taken again."""
    recover_leases(now=now)
    return lease(Wanted(channel), limit=limit, now=now)


def lease(wanted: Wanted, *, limit: int, now: datetime) -> list[Leased]:
    """Take what is wanted, replies first."""
    with transaction.atomic():
        rows: list[Outbound] = []
        # One after the other, for over several channels no index gives the order.
        for found in due(wanted, now=now):
            if connection.vendor == "postgresql":
                found = found.select_for_update(of=("self",), skip_locked=True)
            whole = found.select_related("contact", "broadcast")
            rows += whole.order_by("priority", "due_at", "id")[: limit - len(rows)]
        late = [row.pk for row in rows if row.expires_at <= now]
        # A cancel or an update came: the broadcast ends before its rows do, however many they are.
        recalled = [row.pk for row in rows if row.expires_at > now and is_recalled(row, now)]
        if recalled:
            Outbound.objects.filter(pk__in=recalled).update(state=OutboundState.EXPIRED, error=RECALLED)
        if late:
            Outbound.objects.filter(pk__in=late).update(state=OutboundState.EXPIRED)
        # On its way when STOP came, and queued again since.
        unwanted = [row.pk for row in rows if row.expires_at > now and is_unwanted(row)]
        if unwanted:
            Outbound.objects.filter(pk__in=unwanted).update(state=OutboundState.EXPIRED, error="stopped")
            blocked = Outbound.objects.filter(pk__in=unwanted, contact__blocked_at__isnull=False)
            blocked.update(error="blocked")
        closed = {*late, *recalled, *unwanted}
        rows = _affordable([row for row in rows if row.pk not in closed], wanted.allowance)
        _mark_leased(rows, wanted.channel, now)
    return _opened(rows, wanted.channel, now)


def is_recalled(row: Outbound, now: datetime) -> bool:
    """Tell whether it belongs to a broadcast that was taken back."""
    return row.broadcast is not None and row.broadcast.expires_at <= now


def is_unwanted(row: Outbound) -> bool:
    """Tell whether its recipient has said STOP since it was queued, or is blocked; what answers STOP is wanted."""
    stopped_at, blocked_at = row.contact.stopped_at, row.contact.blocked_at
    if blocked_at is not None:
        # Of a blocked sender STOP alone is heard, so an answer that is younger confirms it; a broadcast is none.
        return row.created_at < blocked_at or not row.idempotency_key.startswith("in:")
    return stopped_at is not None and row.created_at < stopped_at


def due(wanted: Wanted, *, now: datetime) -> list[QuerySet[Outbound]]:
    """Narrow the outbox to what may go now: its own channel, then those that it takes over from."""
    queued = Outbound.objects.filter(state=OutboundState.QUEUED, due_at__lte=now)
    allowance = wanted.allowance
    if allowance.bulk is not None and allowance.bulk <= 0:
        queued = queued.filter(Q(priority__lt=MANY) | Q(is_vital=True))
    if allowance.replies is not None and allowance.replies <= 0:
        queued = queued.filter(is_vital=True)
    if wanted.busy:
        queued = queued.exclude(contact_id__in=wanted.busy)
    # Only what no other gateway can have: a message goes once.
    mine = [queued.filter(channel=wanted.channel)]
    mine += [queued.filter(channel=other, maybe_taken=False) for other in wanted.instead_of]
    many = [one.filter(priority=level) for level in _levels(wanted) for one in mine]
    return ([] if wanted.bulk else [one.filter(priority__lt=MANY) for one in mine]) + many


def _levels(wanted: Wanted) -> list[int]:
    if wanted.bulk is False:
        return []
    return [level for level in LEVELS_OF_MANY if level < BULK or not wanted.is_night]


def recover_leases(*, now: datetime) -> int:
    """Queue again what a worker leased and never told of; its gateway may have it."""
    # So far ahead that no worker can have meant it: the clock was set back since.
    is_over = Q(leased_until__lte=now) | Q(leased_until__gt=now + LONGEST_LEASE)
    lost = Outbound.objects.filter(is_over, state=OutboundState.LEASED)
    if not lost.exists():
        return 0
    return lost.update(state=OutboundState.QUEUED, leased_until=None, maybe_taken=True)


def expire_outbound(*, now: datetime) -> int:
    """Close what is too late to send."""
    recover_leases(now=now)
    return Outbound.objects.filter(state=OutboundState.QUEUED, expires_at__lte=now).update(state=OutboundState.EXPIRED)


def free_leases(*, now: datetime) -> int:
    """Give back every lease; only for a worker that knows itself to be the only one."""
    return Outbound.objects.filter(state=OutboundState.LEASED).update(leased_until=now)


def hand_back(*, outbound_ids: Sequence[int], now: datetime) -> None:
    """Give back messages that were leased and surely not tried."""
    Outbound.objects.filter(pk__in=outbound_ids, state=OutboundState.LEASED).update(
        state=OutboundState.QUEUED, leased_until=None
    )


def _affordable(rows: list[Outbound], allowance: policy.Allowance) -> list[Outbound]:
    taken, spent = [], 0
    for row in rows:
        room = allowance.room(priority=row.priority, is_vital=row.is_vital)
        cost = policy.cost_of(row.channel, row.segments, None) or 0
        if room is not None and spent + cost > room:
            continue
        spent += cost
        taken.append(row)
    return taken


def _mark_leased(rows: list[Outbound], channel: str, now: datetime) -> None:
    for other in {row.channel for row in rows if row.channel != channel}:
        moved = [row.pk for row in rows if row.channel == other]
        Outbound.objects.filter(pk__in=moved).update(channel=channel, moved_from=other)
    Outbound.objects.filter(pk__in=[row.pk for row in rows]).update(
        state=OutboundState.LEASED, leased_until=now + LEASE
    )


def _opened(rows: list[Outbound], channel: str, now: datetime) -> list[Leased]:
    # After the commit: no work is done while the database's one lock is held.
    leased = []
    limits = policy.limits_of(channel)
    asks_when = limits is not None and limits.asks_when_heard
    heard = last_heard_on(channel, [row.contact_id for row in rows]) if asks_when else {}
    for row in rows:
        try:
            message = contract.Outbound(
                recipient=address_of(row.contact),
                text=sealing.open_outbound(settings.COMMONBEAT.secret, sealed_body(row)),
                idempotency_key=sending_key(row),
                language=row.contact.language,
                heard_at=heard.get(row.contact_id),
                expires_at=row.expires_at,
                topic=row.broadcast.topic if row.broadcast else "",
                is_urgent=row.broadcast is not None and row.broadcast.is_urgent,
            )
        except SealError:
            give_up(row.pk, "unreadable", now)
            continue
        cost = policy.cost_of(channel, row.segments, None) or 0
        leased.append(Leased(row.pk, row.contact_id, channel, message, cost))
    return leased
