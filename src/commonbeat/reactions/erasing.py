"""Erase a person who asks for it, or one report; what the law wants kept is said plainly, and goes when that ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from commonbeat.alerts.actions.subscribing import end_all
from commonbeat.alerts.models import Subscription
from commonbeat.messaging.actions.retention import ask_erasure, erase_address, erase_messages, ready_erasures
from commonbeat.messaging.models import Contact, Erasure, Inbound, InboundState, Outbound
from commonbeat.reactions.retention import listed
from commonbeat.reports import events
from commonbeat.reports.actions.dialogue import erase_words
from commonbeat.reports.actions.retention import (
    erase_after_hold,
    forget_reports,
    leave_contacts,
    withdraw_copy,
)
from commonbeat.reports.hold_models import LegalHold
from commonbeat.reports.models import ExpectedReporter, Message, Proxy, Publication, PublicationState, Report

# Reports in one transaction.
CHUNK = 20


@dataclass(frozen=True, slots=True)
class GoesWith:
    """What deleting one report takes and leaves."""

    is_public: bool
    # It is part of counts that are published only among others, and never change.
    is_counted: bool
    # A legal hold keeps it. Until when is not told: it would tell whoever finds the reference of an investigation.
    is_kept: bool
    # Whether the contact goes too is not told: whoever types a stranger's number into the form, or finds a note with a
    # reference, would learn whether that number is known to the police.
    has_contact: bool


@dataclass(frozen=True, slots=True)
class Goes:
    """How much an erasure would take; of the reports, how many the law keeps for now."""

    messages: int
    reports: int
    held: int
    lists: int


@dataclass(frozen=True, slots=True)
class Held:
    """A report that must be kept, and until when."""

    report_id: int
    until: date


@dataclass(frozen=True, slots=True)
class ReportErased:
    """What became of one report whose sender wanted it erased."""

    # It is kept for now, without its contact.
    is_kept: bool = False
    # The sender's address is known no more.
    contact_erased: bool = False


def erase_contact(
    *, contact_id: int, now: datetime, actor_id: int | None = None, texts: bool = True, withdraw: bool = True
) -> None:
    """Erase a contact now: address, messages, dialogue, lists; with texts=True what it reported, too.

    withdraw=True also takes back what was published of it. Not for use while one of its own messages is answered:
    see erase_after_reply. May be broken off and repeated.
    """
    ask_erasure(contact_id=contact_id, takes_texts=texts, withdraws=withdraw, now=now, actor_id=actor_id)
    _carry_out_now(contact_id, now=now, actor_id=actor_id)


def erase_after_reply(*, contact_id: int, now: datetime, texts: bool = True, withdraw: bool = True) -> None:
    """Erase a contact as soon as the answer to its own message has gone out, a minute later as a rule.

    For whoever texts ERASE ALL: the caller answers as usual, and finish_erasures does the rest.
    """
    ask_erasure(contact_id=contact_id, takes_texts=texts, withdraws=withdraw, now=now, actor_id=None)


def finish_erasures(now: datetime) -> int:
    """Carry out the erasures whose answers have gone out; gives their number."""
    ready = ready_erasures(now=now)
    for row in ready:
        _carry_out(row, now=now, actor_id=None)
    return len(ready)


def erase_report(*, report_id: int, now: datetime) -> ReportErased:
    """Erase one report for whoever holds its reference, with its public copy, and its contact if nobody needs it.

    A reference gives a right to its own report only: a contact that others need stays, and can be erased by ERASE ALL
    from its own telephone.
    """
    report = Report.objects.select_related("contact").filter(pk=report_id).first()
    if report is None:
        return ReportErased()
    hold = LegalHold.objects.filter(report_id=report_id).first()
    contact_id = _own_contact(report)
    if contact_id is not None:
        # First: once the report is gone nobody could ask again, and the worker finishes what is broken off.
        ask_erasure(contact_id=contact_id, takes_texts=True, withdraws=True, now=now, actor_id=None)
    if report.emptied_at is not None or hold is not None:
        withdraw_copy(report_id=report_id, now=now, actor_id=None)
    if hold is not None:
        erase_after_hold(report_ids=[report_id])
    forget_reports(report_ids=[report_id], now=now, withdraw=True, kind=events.ERASED)
    if contact_id is not None:
        _carry_out_now(contact_id, now=now, actor_id=None)
    elif hold is not None:
        leave_contacts(contact_ids=[], report_id=report_id)
    return ReportErased(hold is not None, contact_id is not None)


def erase_report_after_reply(*, report_id: int, contact_id: int, answering: Q, now: datetime) -> None:
    """Erase one report for the contact that made it and texts ERASE, inside the transaction that answers.

    Where nothing else needs the contact it goes, too, once the answer has gone out. `answering` finds the message that
    is being answered, which is no reason to keep it; another's report is left alone.
    """
    report = own_reports(contact_id).select_related("contact").filter(pk=report_id, emptied_at=None).first()
    if report is None:
        return
    is_kept = LegalHold.objects.filter(report_id=report_id).exists()
    is_last = _own_contact(report, but=answering) is not None
    if is_last:
        erase_after_reply(contact_id=contact_id, now=now)
    if is_kept:
        withdraw_copy(report_id=report_id, now=now, actor_id=None)
        erase_after_hold(report_ids=[report_id])
    forget_reports(report_ids=[report_id], now=now, withdraw=True, kind=events.ERASED, in_transaction=True)
    if is_kept and not is_last:
        leave_contacts(contact_ids=[], report_id=report_id)


def held_reports(contact_id: int) -> list[Held]:
    """List the reports of a contact that must be kept for now."""
    found = LegalHold.objects.filter(report__in=own_reports(contact_id).values("pk")).order_by("report_id")
    return [Held(pk, until) for pk, until in found.values_list("report_id", "until")]


def what_goes_with(report_id: int) -> GoesWith:
    """Tell the holder of a reference what deleting the report would take."""
    report = Report.objects.select_related("publication", "hold", "contact").get(pk=report_id)
    copy, hold = getattr(report, "publication", None), getattr(report, "hold", None)
    return GoesWith(
        is_public=copy is not None and copy.state == PublicationState.PUBLIC and copy.lists_each,
        is_counted=copy is not None and not copy.lists_each,
        is_kept=hold is not None,
        has_contact=report.contact_id is not None,
    )


def what_goes(contact_id: int) -> Goes:
    """Count what an erasure would take: a bounded number of queries."""
    messages = Inbound.objects.filter(contact_id=contact_id).count()
    messages += Outbound.objects.filter(contact_id=contact_id).count()
    reports = own_reports(contact_id)
    lists = ExpectedReporter.objects.filter(contact_id=contact_id).count()
    lists += Proxy.objects.filter(contact_id=contact_id).count()
    lists += Subscription.objects.filter(contact_id=contact_id).count()
    return Goes(messages, reports.count(), reports.filter(hold__isnull=False).count(), lists)


def own_reports(contact_id: int) -> QuerySet[Report]:
    """Narrow reports to those that a contact is known to have sent: anybody can type anybody's number into the form."""
    return Report.objects.filter(contact_id=contact_id, contact_confirmed=True)


def _carry_out_now(contact_id: int, *, now: datetime, actor_id: int | None) -> None:
    row = Erasure.objects.filter(contact_id=contact_id).first()
    # None where the worker was quicker.
    if row is not None:
        _carry_out(row, now=now, actor_id=actor_id)


def _carry_out(row: Erasure, *, now: datetime, actor_id: int | None) -> None:
    contact_id = row.contact_id
    if row.withdraws:
        public = Publication.objects.filter(report__in=own_reports(contact_id).values("pk"))
        public = public.exclude(state=PublicationState.WITHDRAWN)
        # Of what is erased the copy is taken back with it, below.
        kept = public if not row.takes_texts else public.filter(report__hold__isnull=False)
        for report_id in list(kept.values_list("report_id", flat=True)):
            withdraw_copy(report_id=report_id, now=now, actor_id=actor_id)
    if row.takes_texts:
        erase_after_hold(report_ids=[held.report_id for held in held_reports(contact_id)])
        for some in _chunks(row):
            forget_reports(report_ids=some, now=now, withdraw=row.withdraws, kind=events.ERASED, actor_id=actor_id)
        erase_words(contact_id=contact_id)
    while erase_messages(contact_id=contact_id):
        pass
    with transaction.atomic():
        # A report that came in at this moment stays, without its sender.
        leave_contacts(contact_ids=[contact_id])
        # Locked first, as whoever asks for alerts does.
        contact = Contact.objects.select_for_update(of=("self",)).filter(pk=contact_id).first()
        if contact is not None:
            # With entries of the journal, by which each process forgets where alerts were wanted (alerts/index.py).
            end_all(contact=contact, now=now)
        erase_address(contact_id=contact_id, now=now, actor_id=actor_id)


def _chunks(row: Erasure) -> Iterator[list[int]]:
    # What was sent after it was asked for is a new report, perhaps of somebody in danger: it stays, without its sender.
    asked = own_reports(row.contact_id).filter(created_at__lte=row.asked_at)
    mine = asked.filter(emptied_at=None, hold=None).order_by("pk")
    while some := list(mine.values_list("pk", flat=True)[:CHUNK]):
        yield some


def _own_contact(report: Report, *, but: Q | None = None) -> int | None:
    """Give the contact that the holder of a reference may erase: the report's own, unless somebody else needs it."""
    contact = report.contact
    # A number that was typed into the form, and not confirmed, is theirs only if it was not known before.
    if contact is None or not (report.contact_confirmed or contact.created_at >= report.created_at):
        return None
    others = Report.objects.filter(contact=contact).exclude(pk=report.pk)
    return None if others.exists() or _is_heard(report, contact, but) or listed([contact.pk]) else contact.pk


def _is_heard(report: Report, contact: Contact, but: Q | None) -> bool:
    """Tell whether something came from a contact that is neither this report nor understood as part of it."""
    came = Inbound.objects.filter(contact=contact)
    if but is not None:
        came = came.exclude(but)
    if report.contact_confirmed:
        # Held, or let in a moment ago: the next report of somebody, perhaps in danger.
        came = came.filter(state__in=(InboundState.NEW, InboundState.HELD)).exclude(body_sealed=b"")
    return came.exists() or Message.objects.filter(sender=contact).exclude(report=report).exists()
