"""Read what waits for a person, and why a contact has its level."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import Count, F, Min, QuerySet, Window
from django.db.models.functions import RowNumber

from commonbeat.foundation.crypto import SealError
from commonbeat.journal.models import Entry
from commonbeat.messaging import events, sealing
from commonbeat.messaging.channel import Inbound as InboundMessage
from commonbeat.messaging.models import Contact, Inbound, InboundState, TrustMark

# Messages of one sender that the quarantine shows at once; a flood must not hide the others.
SHOWN = 3
PAGE = 50
# Senders whose messages wait, among whom those are looked for that the viewer may see.
_MOST_LOOKED_AT = 5_000
_HISTORY = (
    events.TRUST_SET,
    events.BLOCKED,
    events.UNBLOCKED,
    events.LET_IN,
    events.DISCARDED,
    events.TAKEN_BACK,
    events.STOPPED,
    events.STARTED,
)


@dataclass(frozen=True, slots=True)
class HeldMessage:
    """One held message; the text is empty where it cannot be read."""

    id: int
    channel: str
    received_at: datetime
    text: str
    is_claim: bool
    has_more: bool


@dataclass(frozen=True, slots=True)
class HeldSender:
    """A contact with messages that wait: the first of them, and how many there are."""

    contact: Contact
    count: int
    since: datetime
    messages: list[HeldMessage]


def waiting_contacts() -> list[int]:
    """Give the numbers of the contacts whose messages wait, those who have waited longest first: one query.

    Along the index inbound_held, whatever the number of messages (0.1 ms at 600,000).
    """
    waiting = _waiting().filter(contact__isnull=False).values("contact").annotate(first=Min("id")).order_by("first")
    return list(waiting.values_list("contact", flat=True)[:_MOST_LOOKED_AT])


def held_senders(contacts: QuerySet[Contact], *, limit: int = PAGE) -> list[HeldSender]:
    """Read whose messages wait, those who have waited longest first: four queries, whatever their number."""
    # From those who wait to the contacts, for a site has many contacts and few who wait.
    waiting = list(
        _waiting()
        .filter(contact__isnull=False)
        .values("contact")
        .annotate(count=Count("id"), since=Min("received_at"), first=Min("id"))
        .order_by("first")[:_MOST_LOOKED_AT]
    )
    seen = set(contacts.filter(pk__in=[row["contact"] for row in waiting]).values_list("pk", flat=True))
    waiting = [row for row in waiting if row["contact"] in seen][:limit]
    ids = [row["contact"] for row in waiting]
    found = Contact.objects.in_bulk(ids)
    first: dict[int, list[HeldMessage]] = {}
    in_order = Window(RowNumber(), partition_by=F("contact"), order_by=F("id").asc())
    numbered = _waiting().filter(contact__in=ids).annotate(nth=in_order)
    for row in numbered.filter(nth__lte=SHOWN).order_by("id"):
        first.setdefault(row.contact_id or 0, []).append(_held(row))
    return [
        HeldSender(found[row["contact"]], row["count"], row["since"], first.get(row["contact"], []))
        for row in waiting
        if row["contact"] in found
    ]


def held_of(contact: Contact, *, limit: int = PAGE) -> list[HeldMessage]:
    """Read the held messages of one contact, oldest first."""
    return [_held(row) for row in _waiting().filter(contact=contact).order_by("id")[:limit]]


def counts_of(contact: Contact) -> dict[str, int]:
    """Count the messages of a contact that were put aside, by their state: two queries."""
    blocked = Inbound.objects.filter(contact=contact, state=InboundState.BLOCKED).count()
    return {InboundState.HELD: _waiting().filter(contact=contact).count(), InboundState.BLOCKED: blocked}


def marks_of(contact: Contact, report_ids: Iterable[int], *, limit: int = PAGE) -> list[TrustMark]:
    """Read what some reports have earned a contact, newest first; what was taken back included."""
    marks = TrustMark.objects.filter(contact=contact, report_id__in=list(report_ids))
    return list(marks.order_by("-made_at", "-pk")[:limit])


def decisions_about(contact: Contact, *, limit: int = PAGE) -> list[Entry]:
    """Read what was decided about a contact, the newest last."""
    entries = Entry.objects.filter(kind__in=_HISTORY, subject_id=contact.pk).order_by("-id")[:limit]
    return list(entries)[::-1]


def _waiting() -> QuerySet[Inbound]:
    # What has waited past its retention is empty; there is nothing left to decide about.
    return Inbound.objects.filter(state=InboundState.HELD).exclude(body_sealed=b"")


def _held(row: Inbound) -> HeldMessage:
    text, has_more = "", False
    if row.body_sealed:
        try:
            message = sealing.open_inbound(settings.COMMONBEAT.secret, row.body_sealed)
        except SealError:
            message = None
        if isinstance(message, InboundMessage):
            text, has_more = message.text, bool(message.photos or message.attachments)
    return HeldMessage(row.pk, row.channel, row.received_at, text, bool(row.is_claim), has_more)
