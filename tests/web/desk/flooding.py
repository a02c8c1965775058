"""Senders who write more at once than is let in."""

from __future__ import annotations

import itertools

from commonbeat.foundation import clock
from commonbeat.messaging.actions import receive, understand_batch
from commonbeat.messaging.channel import Inbound as Message
from commonbeat.messaging.models import Contact, Inbound
from commonbeat.messaging.queries import address_of
from commonbeat.messaging.trust import limit_of
from commonbeat.reactions.inbound import handle
from commonbeat.reactions.trust import DOOR

WORDS = "A heap of waste behind the school, seen by me"
_ids = itertools.count(1)


def flood(contact: Contact, more: int = 2) -> None:
    """Let a contact send so many more messages than are let in."""
    limit = limit_of(contact.level).short
    for n in range(limit + more):
        text = f"{WORDS}, number {n}" if n >= limit else "ok"
        message = Message(provider_id=f"q-{next(_ids)}", sender=address_of(contact), text=text)
        receive(channel="demo_sms", message=message, now=clock.now())
    while understand_batch(handle, clock.now(), limit=1_000, door=DOOR):
        pass


def held() -> int:
    """Count the messages that wait."""
    return Inbound.objects.filter(state="held").count()
