"""When a report moves: tell the person who made it, once per step, in their language."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.utils import translation

from commonbeat.intake import texts
from commonbeat.intake.actions import expect_answer
from commonbeat.journal.models import Entry
from commonbeat.messaging.actions import enqueue
from commonbeat.messaging.models import Contact, Outbound
from commonbeat.reactions import sentences
from commonbeat.reports import rules
from commonbeat.reports.models import Message, Report

# News of a day ago is still news; a question may wait for a telephone that is off over the week-end.
NEWS_EXPIRES = timedelta(days=2)
QUESTION_EXPIRES = timedelta(days=3)
# Whoever types a stranger's number into the form costs that stranger at most so many texts in 24 hours.
CONFIRM_LIMIT = 3
CONFIRM_KEY = ":confirm"


def ask_to_confirm(entry: Entry, now: datetime) -> None:
    """Ask once whether it was the owner who left this number; until the answer is YES, nothing else is sent to it."""
    report = _report(entry)
    if report is None or report.contact is None or report.contact_confirmed or entry.data.get("acknowledged"):
        return
    contact = report.contact
    asked = Outbound.objects.filter(
        contact=contact, idempotency_key__endswith=CONFIRM_KEY, created_at__gt=now - timedelta(days=1)
    )
    if asked.count() >= CONFIRM_LIMIT:
        return
    with translation.override(_language(report, contact)):
        text = texts.for_phone(texts.confirm_number(site=settings.COMMONBEAT.site_name))
        _say(report, contact, text, key=f"report:{report.pk}{CONFIRM_KEY}", now=now)


def tell_move(entry: Entry, now: datetime) -> None:
    """Tell the state that a report has come to, in the topic's words where it has some."""
    if entry.data.get("acknowledged"):
        return
    tell_state(entry, str(entry.data.get("to", "")), now)


def tell_published(entry: Entry, now: datetime) -> None:
    """Tell that the public copy is out."""
    tell_state(entry, rules.PUBLISHED, now)


def tell_state(entry: Entry, state: str, now: datetime) -> None:
    """Tell a state, once; not where the report has moved on since, for the later entry tells of that."""
    report, contact = _who(entry)
    if report is None or contact is None or state not in rules.TOLD_STATES or report.state != state:
        return
    if state == rules.DUPLICATE and report.incident_id is not None:
        # The entry about the merge says it better.
        return
    language = _language(report, contact)
    with translation.override(language):
        words = report.topic_version.definition.workflow_texts.get(state, {})
        own = words.get(language, "")
        text = sentences.in_own_words(report, own) if own else sentences.moved(report, state)
        if text:
            _say(report, contact, text, key=f"report:{report.pk}:{state}", now=now)


def tell_merged(entry: Entry, now: datetime) -> None:
    """Tell that others have reported the same, once, unless it has been undone."""
    report, contact = _who(entry)
    if report is None or contact is None or report.incident_id is None:
        return
    with translation.override(_language(report, contact)):
        _say(report, contact, sentences.merged(report), key=f"report:{report.pk}:merged", now=now)


def pass_question(entry: Entry, now: datetime) -> None:
    """Send a question of the desk, and take the next message as its answer."""
    report, contact = _who(entry)
    message = _message(entry, report)
    if report is None or contact is None or message is None or contact.stopped_at is not None:
        return
    if contact.blocked_at is not None:
        # Nothing goes to a blocked sender, so no message of theirs is the answer.
        return
    if Outbound.objects.filter(idempotency_key=f"message:{message.pk}").exists():
        # Seen before: the dialogue may have gone on since, and must not be thrown back to this question.
        return
    send_question(report=report, contact=contact, message=message, now=now)
    expect_answer(contact=contact, report_id=report.pk, now=now)


def send_question(*, report: Report, contact: Contact, message: Message, now: datetime, priority: int = 0) -> None:
    """Send a question of the desk, once."""
    with translation.override(_language(report, contact)):
        text = sentences.question(report, message.text)
    key = f"message:{message.pk}"
    _say(report, contact, text, key=key, now=now, lasts=QUESTION_EXPIRES, priority=priority)


def pass_update(entry: Entry, now: datetime) -> None:
    """Send what the desk tells."""
    report, contact = _who(entry)
    message = _message(entry, report)
    if report is None or contact is None or message is None:
        return
    with translation.override(_language(report, contact)):
        _say(report, contact, sentences.update(report, message.text), key=f"message:{message.pk}", now=now)


def _report(entry: Entry) -> Report | None:
    return Report.objects.select_related("contact", "topic_version").filter(pk=entry.subject_id).first()


def _who(entry: Entry) -> tuple[Report | None, Contact | None]:
    report = _report(entry)
    # A number that a stranger may have typed hears of nothing.
    return report, report.contact if report is not None and report.contact_confirmed else None


def _message(entry: Entry, report: Report | None) -> Message | None:
    return Message.objects.filter(pk=entry.data.get("message"), report=report).first()


def _language(report: Report, contact: Contact) -> str:
    known = settings.COMMONBEAT.languages
    return next((code for code in (contact.language, report.language) if code in known), known[0])


def _say(
    report: Report,
    contact: Contact,
    text: str,
    *,
    key: str,
    now: datetime,
    lasts: timedelta = NEWS_EXPIRES,
    priority: int = 0,
) -> None:
    enqueue(
        contact=contact,
        text=text,
        idempotency_key=key,
        about_id=report.pk,
        priority=priority,
        now=now,
        expires_in=lasts,
    )
