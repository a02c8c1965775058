"""Contacts: an address behind a handle."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction

from commonbeat.foundation.phone import normalise_phone
from commonbeat.journal.actions import append
from commonbeat.messaging import events, sealing
from commonbeat.messaging.handles import new_handle
from commonbeat.messaging.models import Contact, ContactKind, Outbound, OutboundState, Silenced
from commonbeat.messaging.push import PushAddressError, normal_push_address

_ATTEMPTS = 20


class AddressError(ValueError):
    """The address is none that could be written to; the message does not repeat it."""


def contact_for(*, kind: str, address: str, channel: str = "", language: str = "", now: datetime) -> Contact:
    """Find the contact of an address, or make it; raise AddressError when it is no address.

    Safe when two callers meet the same new address. An empty channel or language leaves what is known.
    """
    options = settings.COMMONBEAT
    plain = normalised(kind, address, options.region)
    digest = sealing.address_hash(options.secret, kind, plain)
    for _ in range(_ATTEMPTS):
        contact = Contact.objects.filter(address_hash=digest).first()
        if contact is not None:
            return _seen(contact, channel=channel, language=language, now=now)
        handle = new_handle()
        try:
            with transaction.atomic():
                # Somebody who was erased after STOP is a stranger with another handle, and still not written to.
                silenced = Silenced.objects.select_for_update().filter(address_hash=digest).first()
                if silenced is not None:
                    silenced.delete()
                return Contact.objects.create(
                    stopped_at=silenced.stopped_at if silenced else None,
                    blocked_at=silenced.blocked_at if silenced else None,
                    kind=kind,
                    address_sealed=sealing.seal_address(options.secret, plain),
                    address_hash=digest,
                    handle=handle,
                    language=language,
                    channel=channel,
                    created_at=now,
                    last_seen_at=now,
                )
        except IntegrityError:
            # Either somebody made the contact a moment ago, or the handle is taken: both end in the next round.
            continue
    raise RuntimeError("no free handle was found")


def set_language(*, contact: Contact, language: str) -> None:
    """Remember the language that a person chose."""
    contact.language = language
    contact.save(update_fields=["language"])


def stop_contact(*, contact: Contact, now: datetime) -> None:
    """Send this contact nothing more, what waits included."""
    with transaction.atomic():
        if not Contact.objects.filter(pk=contact.pk, stopped_at=None).update(stopped_at=now):
            return
        Outbound.objects.filter(contact=contact, state=OutboundState.QUEUED).update(
            state=OutboundState.EXPIRED, error="stopped"
        )
        append(kind=events.STOPPED, subject_id=contact.pk, now=now)
    contact.stopped_at = now


def start_contact(*, contact: Contact, now: datetime) -> None:
    """Write to this contact again."""
    with transaction.atomic():
        if not Contact.objects.filter(pk=contact.pk, stopped_at__isnull=False).update(stopped_at=None):
            return
        append(kind=events.STARTED, subject_id=contact.pk, now=now)
    contact.stopped_at = None


def normalised(kind: str, address: str, region: str) -> str:
    """Give an address in its one form; raise AddressError when it is none."""
    if kind == ContactKind.PHONE:
        number = normalise_phone(address, region)
        if number is None:
            raise AddressError("not a telephone number")
        return number
    if kind == ContactKind.CHAT:
        return _chat_address(address.strip())
    if kind == ContactKind.PUSH:
        return _push_address(address)
    plain = address.strip().lower()
    name, at, host = plain.rpartition("@")
    if not (name and at and "." in host and len(plain) <= 254 and plain.isprintable() and " " not in plain):
        raise AddressError("not an e-mail address")
    return plain


def _push_address(address: str) -> str:
    try:
        return normal_push_address(address, may_be_near=settings.COMMONBEAT.push_loopback)
    except PushAddressError:
        raise AddressError("not a subscription to push messages") from None


def _chat_address(address: str) -> str:
    # The id of an account, as its service writes it: capital letters may count.
    service, colon, name = address.partition(":")
    if not (service and colon and name and len(address) <= 120 and address.isprintable() and " " not in address):
        raise AddressError("not an account of a chat service")
    return address


def _seen(contact: Contact, *, channel: str, language: str, now: datetime) -> Contact:
    contact.last_seen_at = max(now, contact.last_seen_at)
    contact.channel = channel or contact.channel
    contact.language = language or contact.language
    contact.save(update_fields=["last_seen_at", "channel", "language"])
    return contact
