"""A test message, by which an administrator sees whether a channel carries."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from commonbeat.journal.actions import append
from commonbeat.messaging import events
from commonbeat.messaging.actions.contacts import contact_for
from commonbeat.messaging.actions.outbox import enqueue
from commonbeat.messaging.channel import channels
from commonbeat.messaging.models import Outbound

# Somebody stands beside the telephone and waits; later it would only puzzle.
_EXPIRES_IN = timedelta(minutes=15)


class NotTried(Exception):
    """Nothing is sent, because the person at this address wants no messages."""


def send_trial(*, channel: str, address: str, text: str, key: str, actor_id: int, now: datetime) -> Outbound:
    """Queue a test message by one channel, once per key; raise AddressError or NotTried.

    The journal gets the ids of who sent it and of the message, never the number.
    """
    kind = channels()[channel].limits.address_kind
    with transaction.atomic():
        contact = contact_for(kind=kind, address=address, now=now)
        key = f"trial:{key}"
        is_new = not Outbound.objects.filter(idempotency_key=key).exists()
        row = enqueue(contact=contact, text=text, idempotency_key=key, now=now, expires_in=_EXPIRES_IN)
        if row is None:
            raise NotTried
        if is_new:
            # By this channel, whichever the person wrote on last.
            Outbound.objects.filter(pk=row.pk).update(channel=channel)
            append(kind=events.TRIED, subject_id=row.pk, actor_id=actor_id, now=now, data={"channel": channel})
    row.refresh_from_db()
    return row
