"""Trust where messages and reports meet: what a report earns its sender, and whose messages are let in."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.utils import translation

from commonbeat.foundation import clock
from commonbeat.intake import texts
from commonbeat.intake.commands import Word, parse_command
from commonbeat.journal.models import Entry
from commonbeat.messaging import channel as contract
from commonbeat.messaging.actions.door import Door
from commonbeat.messaging.actions.trust import weigh_report
from commonbeat.messaging.models import Contact
from commonbeat.messaging.queries import language_for
from commonbeat.messaging.trust import Kind
from commonbeat.reports import events as reports
from commonbeat.reports import rules
from commonbeat.reports.models import ExpectedReporter, Report
from commonbeat.reports.queries.proxies import is_proxy, is_through_proxy


def weigh(entry: Entry, now: datetime) -> None:
    """Let the sender's marks follow a report that was verified, turned down as spam, or freed of either."""
    if entry.kind == reports.MOVED and rules.REJECTED not in (entry.data.get("from"), entry.data.get("to")):
        return
    weigh_as_it_stands(entry.subject_id, now=now)


def weigh_as_it_stands(report_id: int, *, now: datetime) -> None:
    """Give the sender of a report what the report deserves now, whatever was before; safe to repeat."""
    report = Report.objects.filter(pk=report_id).only("contact_id", "contact_confirmed", "state", "verified_at").first()
    # A number that a stranger typed neither earns nor loses anything.
    if report is not None and report.contact_id is not None and report.contact_confirmed:
        weigh_report(contact_id=report.contact_id, report_id=report.pk, kinds=_kinds(report), now=now)


def _kinds(report: Report) -> set[str]:
    if is_through_proxy(report.pk):
        # Neither the merit nor the fault of whoever passes on what others saw.
        return set()
    kinds: set[str] = {Kind.VERIFIED} if report.verified_at is not None else set()
    if report.state == rules.REJECTED:
        moved = Entry.objects.filter(kind=reports.MOVED, subject_id=report.pk).order_by("-id").first()
        # Most of what is not taken up is honest: only what a person called spam costs anything.
        if moved is not None and moved.data.get("spam"):
            kinds.add(Kind.SPAM)
    return kinds


def _word_of(message: contract.Inbound) -> Word | None:
    if not message.is_proven:
        return None
    command = parse_command(message.text, tuple(settings.COMMONBEAT.languages))
    return command.word if command is not None else None


def _is_stop(message: contract.Inbound) -> bool:
    return _word_of(message) is Word.STOP


def _is_word(message: contract.Inbound) -> bool:
    return _word_of(message) in (Word.STOP, Word.START, Word.HELP)


def _is_counted_on(contact: Contact) -> bool:
    if ExpectedReporter.objects.filter(contact=contact).exists():
        return True
    return is_proxy(contact.pk, now=clock.now())


def _notice(contact: Contact) -> str:
    with translation.override(language_for(contact)):
        return texts.for_phone(texts.held(emergency=settings.COMMONBEAT.emergency_number))


DOOR = Door(is_stop=_is_stop, is_word=_is_word, is_counted_on=_is_counted_on, notice=_notice)
