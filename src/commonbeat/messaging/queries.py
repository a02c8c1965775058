"""Read contacts and messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import connection
from django.db.models import Count, Max, Min, Q

from commonbeat.foundation.crypto import SealError
from commonbeat.messaging import policy, sealing
from commonbeat.messaging.channel import Inbound as InboundMessage
from commonbeat.messaging.channel import channels
from commonbeat.messaging.models import (
    Contact,
    Health,
    Inbound,
    InboundState,
    Outbound,
    OutboundState,
    Part,
    Spending,
)
from commonbeat.messaging.rules import BULK, LEVELS_OF_MANY, MANY, is_down

_GONE = (OutboundState.SENT, OutboundState.DELIVERED)


@dataclass(frozen=True, slots=True)
class Said:
    """One text of a conversation, for a page that may show it."""

    at: datetime
    text: str
    from_us: bool
    state: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """Why a message waits: "gateway", "money", "night" or "attempt"; and since when, for a gateway."""

    reason: str
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class ChannelLine:
    """One channel as an operator sees it."""

    code: str
    # Messages may wait for a channel that was taken off the site.
    is_known: bool
    is_down: bool
    failing_since: datetime | None
    error: str
    last_taken_at: datetime | None
    taken_over_by: str
    replies: int
    bulk: int
    oldest: datetime | None
    parts_today: int
    today_micros: int
    month_micros: int


def address_of(contact: Contact) -> str:
    """Decrypt the address of a contact; for sending only, never for a page of staff."""
    return sealing.open_address(settings.COMMONBEAT.secret, contact.address_sealed)


def find_contact(*, kind: str, address: str) -> Contact | None:
    """Find the contact of a normalised address."""
    return Contact.objects.filter(address_hash=sealing.address_hash(settings.COMMONBEAT.secret, kind, address)).first()


def sending_key(outbound: Outbound) -> str:
    """Give the key under which a gateway gets a message: its own, with a number once a person had it sent anew."""
    return f"{outbound.idempotency_key}~{outbound.round}" if outbound.round else outbound.idempotency_key


def round_of(key: str) -> tuple[str, int]:
    """Take a gateway's key apart again."""
    plain, mark, number = key.rpartition("~")
    if mark and number.isascii() and number.isdigit() and len(number) < 5:
        return plain, int(number)
    return key, 0


def find_contact_by_hash(beginning: bytes) -> Contact | None:
    """Find the contact whose address hash begins with these bytes; None also where there are two."""
    last = beginning + b"\xff" * (32 - len(beginning))
    found = list(Contact.objects.filter(address_hash__gte=beginning, address_hash__lte=last)[:2]) if beginning else []
    return found[0] if len(found) == 1 else None


def latest_thread(contact: Contact) -> str:
    """Give the thread of the newest message of a contact that is still kept; empty when there is none."""
    rows = Inbound.objects.filter(contact=contact).exclude(body_sealed=b"").order_by("-id")[:5]
    return next((message.thread for row in rows if (message := _opened(row)) is not None and message.thread), "")


def last_heard_on(channel: str, contact_ids: Sequence[int]) -> dict[int, datetime]:
    """Give when contacts last wrote on a channel, for those who have."""
    rows = Inbound.objects.filter(channel=channel, contact_id__in=contact_ids).values_list("contact_id")
    return {pk: at for pk, at in rows.annotate(Max("received_at")) if pk is not None}


def last_understood_text(contact: Contact) -> str:
    """Decrypt the newest text of a contact that was dealt with; empty where there is none or its retention is over."""
    row = Inbound.objects.filter(contact=contact, state=InboundState.UNDERSTOOD).order_by("-id").first()
    message = _opened(row) if row is not None else None
    return message.text if message is not None else ""


def is_stored(*, channel: str, provider_id: str) -> bool:
    """Tell whether a message of a gateway is there already."""
    stored = sealing.stored_provider_id(settings.COMMONBEAT.secret, provider_id)
    return Inbound.objects.filter(channel=channel, provider_id=stored).exists()


def language_for(contact: Contact) -> str:
    """Give the language in which to write to a contact: their own, else the site's first."""
    known = settings.COMMONBEAT.languages
    return contact.language if contact.language in known else str(known[0])


def replies_since(contact: Contact, since: datetime) -> int:
    """Count the answers that a contact was sent since a moment."""
    return Outbound.objects.filter(contact=contact, created_at__gt=since, idempotency_key__startswith="in:").count()


def text_of(outbound: Outbound) -> str:
    """Decrypt the text of a message of ours; empty once the retention has passed."""
    sealed = sealed_body(outbound)
    return sealing.open_outbound(settings.COMMONBEAT.secret, sealed) if sealed else ""


def sealed_body(outbound: Outbound) -> bytes:
    """Give the sealed text of a message of ours: its own, or that of its broadcast."""
    if outbound.body_sealed or outbound.broadcast is None:
        return bytes(outbound.body_sealed)
    return bytes(outbound.broadcast.body_sealed)


def due_queues(codes: Sequence[str], *, now: datetime) -> set[tuple[str, bool]]:
    """Tell which queues have something due: pairs of channel and whether it is of many; at night no bulk is.

    One statement for all: beside busy threads each call into SQLite costs milliseconds until the interpreter's lock
    is had again.
    """
    asked = [(code, bulk) for code in codes for bulk in (False, True)]
    statement = (
        "EXISTS (SELECT 1 FROM messaging_outbound WHERE state = 'queued' AND channel = %s AND due_at <= %s"
        " AND priority {})"
    )
    levels = LEVELS_OF_MANY if not policy.is_night(now) else [level for level in LEVELS_OF_MANY if level < BULK]
    of_many = f"IN ({', '.join(map(str, levels))})"
    moment = connection.ops.adapt_datetimefield_value(now)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT " + ", ".join(statement.format(of_many if bulk else f"< {MANY}") for _, bulk in asked),
            [value for code, _ in asked for value in (code, moment)],
        )
        row = cursor.fetchone()
    return {pair for pair, is_due in zip(asked, row, strict=True) if is_due}


def health() -> dict[str, Health]:
    """Read how the gateways answer, by channel."""
    return {row.channel: row for row in Health.objects.all()}


def parts_of(outbound_ids: Sequence[int]) -> dict[int, list[Part]]:
    """Read the parts that providers told of by themselves, by message."""
    found: dict[int, list[Part]] = {}
    for part in Part.objects.filter(outbound_id__in=outbound_ids).order_by("outbound_id", "number"):
        found.setdefault(part.outbound_id, []).append(part)
    return found


def waits_for(rows: Sequence[Outbound], *, now: datetime) -> dict[int, Waiting]:
    """Say of messages that wait for more than their turn what they wait for."""
    states, money = health(), policy.allowance(now)
    found = {}
    for row in rows:
        if row.state != OutboundState.QUEUED:
            continue
        state = states.get(row.channel)
        room = money.room(priority=row.priority, is_vital=row.is_vital)
        cost = policy.cost_of(row.channel, row.segments, None) or 0
        if state is not None and is_down(state.failures, state.failing_since, now):
            found[row.pk] = Waiting("gateway", state.failing_since)
        elif room is not None and (room <= 0 or cost > room):
            found[row.pk] = Waiting("money")
        elif row.priority >= BULK and policy.is_night(now):
            found[row.pk] = Waiting("night")
        elif row.due_at > now and row.error:
            found[row.pk] = Waiting("attempt")
    return found


def channel_lines(*, now: datetime) -> list[ChannelLine]:
    """Gather how each channel of the site does: four queries, whatever the number of messages of the past."""
    waiting = {
        row["channel"]: row
        for row in Outbound.objects.filter(state__in=[OutboundState.QUEUED, OutboundState.LEASED])
        .values("channel")
        .annotate(
            replies=Count("id", filter=Q(priority__lt=MANY)),
            bulk=Count("id", filter=Q(priority__gte=MANY)),
            oldest=Min("created_at"),
        )
    }
    today = policy.day_of(now)
    spent: dict[str, dict[str, int]] = {}
    for booked in Spending.objects.filter(day__gte=today.replace(day=1), currency=settings.COMMONBEAT.currency):
        sums = spent.setdefault(booked.channel, {"today": 0, "month": 0, "parts": 0})
        sums["month"] += booked.cost_micros
        if booked.day == today:
            sums["today"] += booked.cost_micros
            sums["parts"] += booked.parts
    states = health()
    lines = []
    for code in [*channels(), *sorted(set(waiting) - set(channels()))]:
        state, waits, sums = states.get(code), waiting.get(code, {}), spent.get(code, {})
        lines.append(
            ChannelLine(
                code=code,
                is_known=code in channels(),
                is_down=state is not None and is_down(state.failures, state.failing_since, now),
                failing_since=state.failing_since if state else None,
                error=state.last_error if state and state.failures else "",
                last_taken_at=state.last_taken_at if state else None,
                taken_over_by=policy.fallback_of(code) or "",
                replies=waits.get("replies", 0),
                bulk=waits.get("bulk", 0),
                oldest=waits.get("oldest"),
                parts_today=sums.get("parts", 0),
                today_micros=sums.get("today", 0),
                month_micros=sums.get("month", 0),
            )
        )
    return lines


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


def may_have_come_twice(outbound: Outbound) -> bool:
    """Tell whether a message was sent again after an attempt that its provider may have taken and cannot recognise."""
    limits = policy.limits_of(outbound.channel)
    is_again = outbound.maybe_taken and bool(outbound.provider_id)
    return is_again and outbound.state in _GONE and limits is not None and not limits.knows_keys


def perhaps_doubled(*, since: datetime) -> dict[str, int]:
    """Count the messages since a moment that may have come twice, by channel."""
    codes = [code for code, channel in channels().items() if not channel.limits.knows_keys]
    found = Outbound.objects.filter(created_at__gt=since, maybe_taken=True, state__in=_GONE, channel__in=codes)
    counted = found.exclude(provider_id="").order_by().values_list("channel").annotate(Count("id"))
    return dict(counted)


def _opened(row: Inbound) -> InboundMessage | None:
    if not row.body_sealed:
        return None
    try:
        message = sealing.open_inbound(settings.COMMONBEAT.secret, row.body_sealed)
    except SealError:
        return None
    return message if isinstance(message, InboundMessage) else None
