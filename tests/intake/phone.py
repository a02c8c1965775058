"""A resident's telephone: what it sends goes through inbox, dialogue and outbox, as in a real site."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from commonbeat.messaging.actions import receive, understand_batch
from commonbeat.messaging.channel import Inbound
from commonbeat.messaging.models import Contact, Outbound, OutboundState
from commonbeat.messaging.queries import find_contact, text_of
from commonbeat.reactions.inbound import handle
from tests import make

_ids = itertools.count(1)


@dataclass
class Phone:
    """Send and read texts."""

    number: str = "+38344123456"
    now: datetime = make.NOW
    read: set[int] = field(default_factory=set)

    @property
    def contact(self) -> Contact:
        """Give the contact that the site has of this number."""
        contact = find_contact(kind="phone", address=self.number)
        assert contact is not None
        return contact

    def wait(self, **time: int) -> None:
        """Let time pass."""
        self.now += timedelta(**time)

    def say(self, text: str, *, provider_id: str = "", times: int = 1) -> list[str]:
        """Send a text, and give the new messages on this telephone."""
        message = Inbound(provider_id=provider_id or f"phone-{next(_ids)}", sender=self.number, text=text)
        for _ in range(times):
            receive(channel="demo_sms", message=message, now=self.now)
            understand_batch(handle, self.now)
        return self.new()

    def new(self) -> list[str]:
        """Give the messages that came since."""
        contact = find_contact(kind="phone", address=self.number)
        rows = Outbound.objects.filter(contact=contact).exclude(state=OutboundState.EXPIRED).exclude(pk__in=self.read)
        found = list(rows.order_by("id"))
        self.read |= {row.pk for row in found}
        return [text_of(row) for row in found]
