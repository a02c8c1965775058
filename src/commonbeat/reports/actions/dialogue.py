"""Ask the reporter back, and take the answer."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from commonbeat.foundation.text import clean_text
from commonbeat.people.models import User
from commonbeat.reports import events
from commonbeat.reports.actions.translated_words import gather_words
from commonbeat.reports.actions.work import refuse_when_claimed, report_for_work
from commonbeat.reports.errors import ReportError
from commonbeat.reports.models import Message, MessageKind, Report

ANSWER_LIMIT = 4_000
# Questions and updates go out by SMS: three parts in Latin script.
QUESTION_LIMIT = 450
# A stranger with a reference cannot fill the desk: beyond this a thread takes no more answers.
THREAD_LIMIT = 200


def ask_reporter(*, report_id: int, text: str, actor: User, now: datetime) -> Message:
    """Put a question to the reporter; it goes out by their channel and stands on their reference page."""
    return _write_to_reporter(MessageKind.QUESTION, events.ASKED, report_id=report_id, text=text, actor=actor, now=now)


def tell_reporter(*, report_id: int, text: str, actor: User, now: datetime) -> Message:
    """Tell the reporter something that needs no answer."""
    return _write_to_reporter(MessageKind.UPDATE, events.TOLD, report_id=report_id, text=text, actor=actor, now=now)


def _write_to_reporter(
    kind: MessageKind, event: str, *, report_id: int, text: str, actor: User, now: datetime
) -> Message:
    text = clean_text(text, QUESTION_LIMIT)
    if not text:
        raise ReportError(_("The message is empty."))
    with transaction.atomic():
        report = report_for_work(report_id=report_id, actor=actor)
        refuse_when_claimed(report, actor, now)
        message = Message.objects.create(report=report, kind=kind, text=text, author=actor, created_at=now)
        events.write(event, report_id=report.pk, now=now, actor_id=actor.pk, data={"message": message.pk})
    return message


def answer_desk(
    *, report_id: int, text: str, client_key: str, now: datetime, sender_id: int | None = None
) -> tuple[Message, bool]:
    """Add a resident's words to the thread; the same client_key is one answer.

    sender_id is the contact that surely wrote them; None where only the reference is known.
    """
    text = clean_text(text, ANSWER_LIMIT)
    if not text:
        raise ReportError(_("Your message is empty."))
    with transaction.atomic():
        report = Report.objects.select_for_update().get(pk=report_id)
        existing = Message.objects.filter(client_key=client_key).first()
        if existing is not None:
            if existing.report_id != report.pk:
                # A key of another conversation: giving that message back would show a stranger's words.
                raise ReportError(_("Your message could not be taken. Please write it once more."))
            return existing, False
        if report.emptied_at is not None:
            raise ReportError(_("This report has been deleted. Please make a new one."))
        if report.messages.count() >= THREAD_LIMIT:
            raise ReportError(_("This conversation is full. Please make a new report."))
        message = Message.objects.create(
            report=report,
            kind=MessageKind.ANSWER,
            text=text,
            sender_id=sender_id,
            created_at=now,
            client_key=client_key,
        )
        report.answer_waiting = True
        report.changed_at = now
        report.save(update_fields=["answer_waiting", "changed_at"])
        events.write(events.ANSWERED, report_id=report.pk, now=now, data={"message": message.pk})
    return message, True


def erase_words(*, contact_id: int) -> int:
    """Delete what a contact has added to reports of others, those under a legal hold left out; gives its number."""
    with transaction.atomic():
        others = Report.objects.exclude(contact_id=contact_id, contact_confirmed=True).filter(hold=None)
        words = Message.objects.filter(sender_id=contact_id, report__in=others.values("pk"))
        # Translations of them go with them, and what the search knows of these.
        translated = set(words.filter(translations__isnull=False).values_list("report_id", flat=True))
        deleted, _each = words.delete()
        gather_words(report_ids=translated)
    return deleted


def mark_answers_read(*, report_id: int, actor: User) -> None:
    """Clear the mark "an answer waits"."""
    Report.objects.visible_to(actor).filter(pk=report_id, answer_waiting=True).update(answer_waiting=False)
