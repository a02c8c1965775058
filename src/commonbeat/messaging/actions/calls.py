"""What is heard and answered within one call, as USSD is: stored with its answer, once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from commonbeat.foundation.text import segments
from commonbeat.journal.actions import append
from commonbeat.messaging import channel as contract
from commonbeat.messaging import events, sealing
from commonbeat.messaging.actions.contacts import contact_for
from commonbeat.messaging.actions.door import Door, put_aside
from commonbeat.messaging.models import Contact, Inbound, InboundState, Outbound, OutboundState
from commonbeat.messaging.queries import text_of

logger = logging.getLogger(__name__)

# The end of the key of an answer: whether the session went on after it.
_GOES_ON, _ENDS = "more", "end"


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered in a call, whole; goes_on tells whether an entry is waited for."""

    text: str
    goes_on: bool


Respond = Callable[[Contact], Answer]


def hear_in_call(
    *, channel: str, message: contract.Inbound, respond: Respond, now: datetime, door: Door | None = None
) -> Answer | None:
    """Store a message together with what respond() does and answers; a repeat gives the same answer and does nothing.

    None where it could not be understood now: it is stored like any other, and the worker tries again; or where the
    door does not let it in. Raise AddressError when the sender is no address.
    """
    secret = settings.COMMONBEAT.secret
    kind = contract.channels()[channel].limits.address_kind
    provider_id = sealing.stored_provider_id(secret, message.provider_id)
    with transaction.atomic():
        contact = contact_for(kind=kind, address=message.sender, now=now)
        row, is_new = Inbound.objects.get_or_create(
            channel=channel,
            provider_id=provider_id,
            defaults={
                "body_sealed": sealing.seal_inbound(secret, message),
                "received_at": now,
                "contact": contact,
            },
        )
        if not is_new:
            return _answer_of(row)
        aside = put_aside(row, message, contact, door)
        if aside is not None:
            row.state = aside
            row.save(update_fields=["state"])
        answer = _understood(row, contact, respond, now) if aside is None else None
        # Last: whoever holds the journal's lock must not wait for anybody's session.
        append(kind=events.RECEIVED, subject_id=row.pk, now=now)
    return answer


def last_heard(*, channel: str, provider_ids: Sequence[str]) -> tuple[str, Answer | None] | None:
    """Give the last of some messages, in their order, that was heard, and its answer; None when none was."""
    secret = settings.COMMONBEAT.secret
    stored = [sealing.stored_provider_id(secret, each) for each in provider_ids]
    rows = Inbound.objects.filter(channel=channel, provider_id__in=stored)
    found = {row.provider_id: row for row in rows}
    for plain, each in zip(reversed(provider_ids), reversed(stored), strict=True):
        if each in found:
            return plain, _answer_of(found[each])
    return None


def _understood(row: Inbound, contact: Contact, respond: Respond, now: datetime) -> Answer | None:
    try:
        with transaction.atomic():
            answer = respond(contact)
            _keep(row, contact, answer, now)
            row.state = InboundState.UNDERSTOOD
            row.save(update_fields=["state"])
    except Exception as error:  # a mistake of ours must not cost what was said
        # The type only: its text may repeat what the person wrote.
        logger.error("Message %d was not understood in its call: %s.", row.pk, type(error).__name__)
        row.state = InboundState.NEW
        return None
    return answer


def _keep(row: Inbound, contact: Contact, answer: Answer, now: datetime) -> None:
    # A row like those that were sent, so that the conversation is whole; it costs nothing and takes no part.
    Outbound.objects.create(
        idempotency_key=_key(row.pk, goes_on=answer.goes_on),
        contact=contact,
        channel=row.channel,
        body_sealed=sealing.seal_outbound(settings.COMMONBEAT.secret, answer.text),
        priority=0,
        state=OutboundState.DELIVERED,
        due_at=now,
        expires_at=now + timedelta(days=1),
        segments=0,
        encoding=segments(answer.text).encoding,
        created_at=now,
        sent_at=now,
        delivered_at=now,
    )


def _answer_of(row: Inbound) -> Answer | None:
    keys = {_key(row.pk, goes_on=goes_on): goes_on for goes_on in (True, False)}
    found = Outbound.objects.filter(idempotency_key__in=keys).first()
    return Answer(text_of(found), keys[found.idempotency_key]) if found is not None else None


def _key(pk: int, *, goes_on: bool) -> str:
    return f"call:{pk}:{_GOES_ON if goes_on else _ENDS}"
