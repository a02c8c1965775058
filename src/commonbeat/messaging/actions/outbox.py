"""The outbox: queue, lease, send at least once under one key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q

from commonbeat.foundation.crypto import SealError
from commonbeat.foundation.text import segments, to_gsm7
from commonbeat.journal.actions import append
from commonbeat.messaging import channel as contract
from commonbeat.messaging import events, sealing
from commonbeat.messaging.models import Contact, Outbound, OutboundState
from commonbeat.messaging.queries import address_of
from commonbeat.messaging.rules import send_again_in

LEASE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Leased:
    """A message that this worker may send until its lease runs out."""

    id: int
    contact_id: int
    channel: str
    message: contract.Outbound


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
) -> Outbound | None:
    """Queue one message, once per key; None when the contact said STOP.

    A repeated key gives the row that is there. even_if_stopped is for the confirmation of STOP itself.
    """
    if contact.stopped_at is not None and not even_if_stopped:
        return None
    options = settings.COMMONBEAT
    plain = to_gsm7(text)
    size = segments(plain)
    row = Outbound(
        idempotency_key=idempotency_key,
        contact=contact,
        channel=contact.channel or options.sms_channel,
        body_sealed=sealing.seal_outbound(options.secret, plain),
        priority=priority,
        due_at=now,
        expires_at=now + expires_in,
        segments=size.parts,
        encoding=size.encoding,
        about_id=about_id,
        created_at=now,
    )
    Outbound.objects.bulk_create([row], ignore_conflicts=True)
    return Outbound.objects.get(idempotency_key=idempotency_key)


def lease_batch(*, channel: str, limit: int, now: datetime) -> list[Leased]:
    """Take messages to send on one channel, replies first; rows whose lease ran out are taken again."""
    ready = Q(state=OutboundState.QUEUED) | Q(state=OutboundState.LEASED, leased_until__lte=now)
    with transaction.atomic():
        found = Outbound.objects.filter(ready, channel=channel, due_at__lte=now).order_by("priority", "due_at", "id")
        if connection.vendor == "postgresql":
            found = found.select_for_update(of=("self",), skip_locked=True)
        rows = list(found.select_related("contact")[:limit])
        late = [row.pk for row in rows if row.expires_at <= now]
        Outbound.objects.filter(pk__in=late).update(state=OutboundState.EXPIRED)
        leased, damaged = [], []
        for row in rows:
            if row.expires_at <= now:
                continue
            try:
                message = contract.Outbound(
                    recipient=address_of(row.contact),
                    text=sealing.open_outbound(settings.COMMONBEAT.secret, row.body_sealed),
                    idempotency_key=row.idempotency_key,
                )
            except SealError:
                damaged.append(row.pk)
                continue
            leased.append(Leased(row.pk, row.contact_id, row.channel, message))
        Outbound.objects.filter(pk__in=[one.id for one in leased]).update(
            state=OutboundState.LEASED, leased_until=now + LEASE
        )
        for pk in damaged:
            _give_up(pk, "unreadable", now)
    return leased


def record_sent(*, outbound_id: int, provider_id: str, now: datetime) -> None:
    """Record that the gateway took a message."""
    provider_id = sealing.stored_provider_id(settings.COMMONBEAT.secret, provider_id) if provider_id else ""
    row = Outbound.objects.filter(pk=outbound_id)
    taken = row.filter(state__in=[OutboundState.LEASED, OutboundState.QUEUED]).update(
        state=OutboundState.SENT, sent_at=now, provider_id=provider_id, leased_until=None, error=""
    )
    if not taken:
        # The receipt came before the gateway's answer to us.
        row.filter(sent_at=None).update(sent_at=now, provider_id=provider_id, leased_until=None)


def record_failed(*, outbound_id: int, code: str, permanent: bool, now: datetime) -> None:
    """Record that the gateway did not take a message: try again later, or give up."""
    with transaction.atomic():
        row = Outbound.objects.select_for_update().filter(pk=outbound_id, state=OutboundState.LEASED).first()
        if row is None:
            return
        if permanent:
            _give_up(row.pk, code, now)
            return
        attempts = row.attempts + 1
        Outbound.objects.filter(pk=row.pk).update(
            state=OutboundState.QUEUED,
            attempts=attempts,
            due_at=now + send_again_in(attempts),
            leased_until=None,
            error=code[:60],
        )


def note_receipt(*, channel: str, receipt: contract.Receipt, now: datetime) -> bool:
    """Record what a gateway says became of a message; False when no such message is known."""
    stored = sealing.stored_provider_id(settings.COMMONBEAT.secret, receipt.about)
    row = Outbound.objects.filter(Q(idempotency_key=receipt.about) | Q(provider_id=stored), channel=channel).first()
    if row is None:
        return False
    if row.state == OutboundState.DELIVERED:
        return True
    if receipt.outcome == "delivered":
        Outbound.objects.filter(pk=row.pk).update(
            state=OutboundState.DELIVERED, delivered_at=now, leased_until=None, error=""
        )
    elif row.state != OutboundState.FAILED:
        _give_up(row.pk, receipt.error or "undelivered", now)
    return True


def expire_outbound(*, now: datetime) -> int:
    """Close what is too late to send."""
    return Outbound.objects.filter(
        Q(state=OutboundState.QUEUED) | Q(state=OutboundState.LEASED, leased_until__lte=now), expires_at__lte=now
    ).update(state=OutboundState.EXPIRED)


def free_leases(*, now: datetime) -> int:
    """Give back every lease; only for a worker that knows itself to be the only one."""
    return Outbound.objects.filter(state=OutboundState.LEASED).update(leased_until=now)


def _give_up(pk: int, code: str, now: datetime) -> None:
    with transaction.atomic():
        Outbound.objects.filter(pk=pk).update(state=OutboundState.FAILED, error=code[:60], leased_until=None)
        append(kind=events.UNDELIVERED, subject_id=pk, now=now)
