"""The inbox: what gateways delivered, stored once and understood in order."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import PurePath

import msgspec
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q

from commonbeat.foundation.crypto import SealError
from commonbeat.journal.actions import append
from commonbeat.messaging import channel as contract
from commonbeat.messaging import events, sealing
from commonbeat.messaging.actions.contacts import AddressError, contact_for
from commonbeat.messaging.actions.delivery import note_receipt
from commonbeat.messaging.actions.door import (
    Door,
    answers_too_often,
    has_had_words,
    is_past_limit,
    put_aside,
    tell_held,
    word_key,
)
from commonbeat.messaging.actions.outbox import enqueue
from commonbeat.messaging.actions.pieces import gather
from commonbeat.messaging.models import Contact, Inbound, InboundState, Outbound
from commonbeat.messaging.rules import VITAL_AFTER, understand_again_in

logger = logging.getLogger(__name__)

Handle = Callable[[Contact, contract.Inbound, datetime], Sequence[str]]


class UnknownMessage(Exception):
    """A receipt about a message that is not known, or not yet."""


class Unreadable(Exception):
    """A stored message that no further attempt would make readable; says why in one word."""


def receive(*, channel: str, message: contract.Inbound | contract.Receipt, now: datetime) -> bool:
    """Store what a gateway delivered, once; False when it was there already.

    The same as live/writer.py does with many at a time.
    """
    secret = settings.COMMONBEAT.secret
    with transaction.atomic():
        row, is_new = Inbound.objects.get_or_create(
            channel=channel,
            provider_id=sealing.stored_provider_id(secret, message.provider_id),
            defaults={"body_sealed": sealing.seal_inbound(secret, message), "received_at": now},
        )
        if is_new:
            append(kind=events.RECEIVED, subject_id=row.pk, now=now)
    return is_new


def understand_batch(
    handle: Handle,
    now: datetime,
    limit: int = 50,
    *,
    door: Door | None = None,
    between: Callable[[], None] | None = None,
) -> int:
    """Understand new messages, oldest first, one transaction each; give the number that was dealt with.

    handle(contact, message, now) is the dialogue; it gives the replies. What fails is tried again, and what the
    same person sent later waits for it. The door says who is not let in; between() is called after each message, with
    no transaction open.
    """
    waiting = Q(due_at=None) | Q(due_at__lte=now)
    todo = list(
        Inbound.objects.filter(waiting, state=InboundState.NEW).order_by("id").values_list("pk", flat=True)[:limit]
    )
    if not todo:
        return 0
    held: dict[int, datetime] = {
        contact_id: due_at
        for contact_id, due_at in Inbound.objects.filter(
            # Pieces that wait for each other have not failed, and hold nobody up.
            state=InboundState.NEW,
            due_at__gt=now,
            contact__isnull=False,
            attempts__gt=0,
        ).values_list("contact_id", "due_at")
        if contact_id is not None and due_at is not None
    }
    for pk in todo:
        try:
            with transaction.atomic():
                _understand(pk, handle, door, held, now)
        except Exception as error:
            _put_off(pk, error, held, now)
        if between is not None:
            between()
    return len(todo)


def _understand(pk: int, handle: Handle, door: Door | None, held: dict[int, datetime], now: datetime) -> None:
    found = Inbound.objects.filter(pk=pk, state=InboundState.NEW)
    if connection.vendor == "postgresql":
        found = found.select_for_update(skip_locked=True)
    row = found.first()
    if row is None:
        return
    message, contact = _opened(row, now)
    if isinstance(message, contract.Receipt):
        if not note_receipt(channel=row.channel, receipt=message, now=now):
            raise UnknownMessage
    elif contact is not None:
        aside = put_aside(row, message, contact, door)
        if aside is not None:
            row.contact, row.state, row.due_at = contact, aside, None
            row.save(update_fields=["contact", "state", "due_at", "is_claim"])
            if aside == InboundState.HELD and door is not None:
                tell_held(row, message, contact, door, now=now)
            return
        whole = gather(row, message, contact, now)
        if whole is None:
            return
        message = whole
        row.contact = contact
        if contact.pk in held:
            row.due_at = held[contact.pk]
            row.save(update_fields=["contact", "due_at"])
            return
        _answer(row.pk, contact, message, handle, now, is_past_limit=is_past_limit(row, message, contact, door))
    row.state = InboundState.UNDERSTOOD
    row.due_at = None
    row.save(update_fields=["contact", "state", "due_at", "is_claim"])


def _answer(
    pk: int, contact: Contact, message: contract.Inbound, handle: Handle, now: datetime, *, is_past_limit: bool
) -> None:
    was_stopped = contact.stopped_at is not None
    replies = handle(contact, message, now)
    contact.refresh_from_db(fields=["stopped_at", "language", "channel"])
    if answers_too_often(contact, now) or (is_past_limit and has_had_words(contact, now)):
        return
    # Silence must not meet somebody who may be in danger, whatever has been spent.
    is_first = not Outbound.objects.filter(contact=contact, created_at__gt=now - VITAL_AFTER).exists()
    for number, reply in enumerate(replies):
        # Who has just written STOP is told so once, and then nothing more.
        has_just_stopped = contact.stopped_at is not None and not was_stopped
        enqueue(
            contact=contact,
            text=reply,
            idempotency_key=word_key(pk, number) if is_past_limit else f"in:{pk}:{number}",
            now=now,
            even_if_stopped=has_just_stopped,
            is_vital=is_first and number == 0,
        )


def _opened(row: Inbound, now: datetime) -> tuple[contract.Inbound | contract.Receipt, Contact | None]:
    try:
        message = sealing.open_inbound(settings.COMMONBEAT.secret, row.body_sealed)
        if isinstance(message, contract.Receipt):
            return message, None
        limits = contract.channels()[row.channel].limits
        channel = row.channel if limits.writes_first else ""
        return message, contact_for(kind=limits.address_kind, address=message.sender, channel=channel, now=now)
    except (SealError, msgspec.DecodeError, KeyError, AddressError) as error:
        raise Unreadable(type(error).__name__) from None


def _put_off(pk: int, error: Exception, held: dict[int, datetime], now: datetime) -> None:
    # The type and the place only: the message of an exception may repeat what a person wrote.
    if not isinstance(error, UnknownMessage):
        logger.error("Message %d was not understood: %s at %s.", pk, type(error).__name__, _place_of(error))
    with transaction.atomic():
        row = Inbound.objects.select_for_update().filter(pk=pk, state=InboundState.NEW).first()
        if row is None:
            return
        row.attempts += 1
        wait = None if isinstance(error, Unreadable) else understand_again_in(row.attempts)
        if wait is None:
            row.state = InboundState.FAILED
            row.due_at = None
            name = str(error) if isinstance(error, Unreadable) else type(error).__name__
            append(kind=events.FAILED, subject_id=row.pk, now=now, data={"error": name[:60]})
        else:
            row.due_at = now + wait
            row.contact = _opened(row, now)[1]
            if row.contact is not None:
                held[row.contact.pk] = row.due_at
        row.save(update_fields=["attempts", "state", "due_at", "contact"])


def _place_of(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return " < ".join(f"{PurePath(frame.filename).name}:{frame.lineno}" for frame in reversed(frames[-4:]))
