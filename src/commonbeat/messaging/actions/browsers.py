"""A browser's push service gave it another address: it stays the same contact."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction

from commonbeat.messaging import sealing
from commonbeat.messaging.actions.contacts import stop_contact
from commonbeat.messaging.models import Contact, ContactKind


def move_browser(*, old: str, fresh: str, now: datetime) -> bool:
    """Write a browser at its new address, given both in their one form; False when the old one is not known.

    Where the new one is known already, the old one is ended: the browser has asked anew by itself.
    """
    secret = settings.COMMONBEAT.secret
    known = sealing.address_hash(secret, ContactKind.PUSH, old)
    contact = Contact.objects.filter(kind=ContactKind.PUSH, address_hash=known).first()
    if contact is None or old == fresh:
        return False
    try:
        with transaction.atomic():
            Contact.objects.filter(pk=contact.pk, address_hash=known).update(
                address_sealed=sealing.seal_address(secret, fresh),
                address_hash=sealing.address_hash(secret, ContactKind.PUSH, fresh),
                last_seen_at=max(now, contact.last_seen_at),
            )
    except IntegrityError:
        stop_contact(contact=contact, now=now)
    return True
