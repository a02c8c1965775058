"""Read contacts and messages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from commonbeat.foundation.crypto import SealError
from commonbeat.messaging import sealing
from commonbeat.messaging.channel import Inbound as InboundMessage
from commonbeat.messaging.models import Contact, Inbound, InboundState, Outbound, OutboundState


@dataclass(frozen=True, slots=True)
class Said:
    """One text of a conversation, for a page that may show it."""

    at: datetime
    text: str
    from_us: bool
    state: str


def address_of(contact: Contact) -> str:
    """Decrypt the address of a contact; for sending only, never for a page of staff."""
    return sealing.open_address(settings.COMMONBEAT.secret, contact.address_sealed)


def find_contact(*, kind: str, address: str) -> Contact | None:
    """Find the contact of a normalised address."""
    return Contact.objects.filter(address_hash=sealing.address_hash(settings.COMMONBEAT.secret, kind, address)).first()


def text_of(outbound: Outbound) -> str:
    """Decrypt the text of a message of ours; empty once the retention has passed."""
    if not outbound.body_sealed:
        return ""
    return sealing.open_outbound(settings.COMMONBEAT.secret, outbound.body_sealed)


def conversation(contact: Contact, *, limit: int = 50) -> list[Said]:
    """Read the last texts between a contact and the site, oldest first; for the contact's own telephone."""
    said: list[Said] = []
    for row in Inbound.objects.filter(contact=contact).order_by("-id")[:limit]:
        message = _opened(row)
        if message is not None:
            said.append(Said(row.received_at, message.text, False, row.state))
    said += [
        Said(row.created_at, text_of(row), True, row.state)
        for row in Outbound.objects.filter(contact=contact).order_by("-id")[:limit]
    ]
    said.sort(key=lambda one: one.at)
    return said[-limit:]


def waiting_counts() -> dict[str, int]:
    """Count what waits: messages to understand, and messages to send."""
    return {
        "inbound": Inbound.objects.filter(state=InboundState.NEW).count(),
        "outbound": Outbound.objects.filter(state__in=[OutboundState.QUEUED, OutboundState.LEASED]).count(),
    }


def _opened(row: Inbound) -> InboundMessage | None:
    if not row.body_sealed:
        return None
    try:
        message = sealing.open_inbound(settings.COMMONBEAT.secret, row.body_sealed)
    except SealError:
        return None
    return message if isinstance(message, InboundMessage) else None
