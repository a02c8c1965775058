"""Who is let in to be understood: neither blocked senders nor those over their limit, whose STOP, START, HELP are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import Count, Q

from commonbeat.messaging import channel as contract
from commonbeat.messaging.actions.outbox import enqueue
from commonbeat.messaging.models import Contact, Inbound, InboundState, Outbound
from commonbeat.messaging.rules import REPLIES_LIMIT, REPLIES_WINDOW
from commonbeat.messaging.trust import LONG, NOTICE_EVERY, SHORT, Level, limit_of

# The beginning of the key of a notice.
_NOTICE = "held:"
# The beginning of the key of an answer to a word that no limit held; it is an answer like others, "in:".
_WORD = "in:w:"
# Such answers in NOTICE_EVERY: whoever says STOP and START a thousand times is obeyed a thousand times, in silence.
WORDS_LIMIT = 4


@dataclass(frozen=True, slots=True)
class Door:
    """What the features know of a message before it is understood; without one, only blocked senders are kept out."""

    # Whether a message is the sender's own STOP, which is heard even of blocked ones.
    is_stop: Callable[[contract.Inbound], bool]
    # Whether a message is the sender's own STOP, START or HELP, which no limit holds.
    is_word: Callable[[contract.Inbound], bool]
    # Whether the site has asked this contact to report, and so expects more than a stranger sends.
    is_counted_on: Callable[[Contact], bool]
    # What somebody is told whose messages wait for a person.
    notice: Callable[[Contact], str]


def put_aside(row: Inbound, message: contract.Inbound, contact: Contact, door: Door | None) -> InboundState | None:
    """Give the state of a message that is not to be understood now, or None; the caller saves the row."""
    row.is_claim = None if message.is_proven else True
    if door is not None and door.is_stop(message):
        return None
    if contact.blocked_at is not None:
        return InboundState.BLOCKED
    if door is None or row.decided_at is not None or door.is_word(message) or not _is_over(row, contact, door):
        return None
    return InboundState.HELD


def is_past_limit(row: Inbound, message: contract.Inbound, contact: Contact, door: Door | None) -> bool:
    """Tell whether a message was let in for its word alone: its sender is over the limit."""
    if door is None or row.decided_at is not None or not door.is_word(message):
        return False
    return _is_over(row, contact, door)


def word_key(pk: int, number: int) -> str:
    """Give the key of an answer to such a word."""
    return f"{_WORD}{pk}:{number}"


def has_had_words(contact: Contact, now: datetime) -> bool:
    """Tell whether such words were answered so often lately that the next one is heard in silence."""
    answers = Outbound.objects.filter(
        contact=contact, created_at__gt=now - NOTICE_EVERY, idempotency_key__startswith=_WORD
    )
    return answers.count() >= WORDS_LIMIT


def tell_held(row: Inbound, message: contract.Inbound, contact: Contact, door: Door, *, now: datetime) -> None:
    """Tell a sender once in a while that a person looks at it; never a machine, nor somebody who only claims."""
    if message.is_automatic or not message.is_proven:
        return
    told = Outbound.objects.filter(
        contact=contact, created_at__gt=now - NOTICE_EVERY, idempotency_key__startswith=_NOTICE
    )
    if not told.exists() and not answers_too_often(contact, now):
        enqueue(contact=contact, text=door.notice(contact), idempotency_key=f"{_NOTICE}{row.pk}", now=now)


def answers_too_often(contact: Contact, now: datetime) -> bool:
    """Tell whether a contact was answered so often that a machine must be at the other end."""
    recent = Outbound.objects.filter(contact=contact, created_at__gt=now - REPLIES_WINDOW, priority=0)
    return recent.count() >= REPLIES_LIMIT


def _is_over(row: Inbound, contact: Contact, door: Door) -> bool:
    # By when they came, not by when we got to them: after a night's outage a day's messages are no flood.
    heard = Inbound.objects.filter(
        contact=contact,
        state=InboundState.UNDERSTOOD,
        received_at__gt=row.received_at - LONG,
        received_at__lte=row.received_at,
        # What a person let in uses up nothing.
        decided_at=None,
        # Whoever writes somebody's address into a From line must not use up what that person may send.
        is_claim=row.is_claim,
    ).exclude(pk=row.pk)
    counts = heard.aggregate(short=Count("id", filter=Q(received_at__gt=row.received_at - SHORT)), long=Count("id"))
    limits = settings.COMMONBEAT.message_limits
    level = contact.level
    if row.is_claim and level in (Level.KNOWN, Level.TRUSTED):
        level = Level.UNKNOWN
    if not limit_of(level, limits).is_reached(**counts):
        return False
    # Asked last, for most messages are within the limit. What staff have set down stays so.
    if row.is_claim or level is Level.DOUBTFUL or not door.is_counted_on(contact):
        return True
    return limit_of(Level.TRUSTED, limits).is_reached(**counts)
