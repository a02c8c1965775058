"""What the desk does about translations: type one, ask volunteers, take or refuse what they made."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from commonbeat.foundation.text import clean_text
from commonbeat.people.models import User
from commonbeat.reports import events
from commonbeat.reports.actions.translated_words import gather_words
from commonbeat.reports.actions.work import refuse_without_consent, report_for_work
from commonbeat.reports.errors import MoveNotPossible, NotAllowed, ReportError
from commonbeat.reports.masking import is_sensitive, mask, original_of
from commonbeat.reports.models import Message, MessageKind, Report
from commonbeat.reports.translation_models import Translation, TranslationState, Withdrawal
from commonbeat.screening.masking import not_in

TEXT_LIMIT = 10_000
# Words to take out of a text besides those that screening finds.
HIDE_LIMIT, HIDE_LENGTH = 30, 80


def attach_translation(
    *, report_id: int, message_id: int | None, language: str, text: str, actor: User, now: datetime
) -> Translation:
    """Keep a translation that somebody of the desk has made; a request for the same ends with it."""
    text = clean_text(text, TEXT_LIMIT)
    if not text:
        raise ReportError(_("The translation is empty."))
    _known(language)
    with transaction.atomic():
        report = report_for_work(report_id=report_id, actor=actor)
        message = _message(report, message_id)
        _some_text(report, message)
        for asked in _same(report, message, language, TranslationState.ASKED):
            withdraw_locked(asked, Withdrawal.MADE, now=now, actor_id=actor.pk)
        made = Translation.objects.create(
            report=report,
            message=message,
            from_language=report.language,
            language=language,
            state=TranslationState.ACCEPTED,
            text=text,
            made_by=actor,
            made_role=actor.role,
            made_at=now,
            decided_by=actor,
            decided_at=now,
        )
        gather_words(report_ids=[report.pk])
        write(events.TRANSLATED, made, now=now, actor_id=actor.pk)
    return made


def ask_volunteers(
    *,
    report_id: int,
    message_id: int | None,
    from_language: str,
    language: str,
    hide: Sequence[str] = (),
    actor: User,
    now: datetime,
) -> Translation:
    """Put a masked text into the volunteers' queue; `hide` names words that screening missed.

    Asked twice, it is one request. ReportError for a topic that publishes only counts: its texts stay with the desk.
    """
    _known(from_language)
    _known(language)
    if from_language == language:
        raise ReportError(_("Choose two different languages."))
    with transaction.atomic():
        report = report_for_work(report_id=report_id, actor=actor)
        if is_sensitive(report):
            raise ReportError(_("Reports on this topic are read by the desk alone. Volunteers never see them."))
        # Strangers read it as little as the public does before the person has agreed.
        refuse_without_consent(report)
        message = _message(report, message_id)
        text = _some_text(report, message)
        source, marks = mask(text, also=words_to_hide(hide, text))
        waiting = _same(report, message, language, TranslationState.ASKED)
        if waiting:
            return waiting[0]
        if _same(report, message, language, TranslationState.OFFERED):
            raise ReportError(_("A volunteer has already translated it. Look at that text first."))
        try:
            with transaction.atomic():
                asked = Translation.objects.create(
                    report=report,
                    message=message,
                    from_language=from_language,
                    language=language,
                    state=TranslationState.ASKED,
                    source=source,
                    marks=[list(each) for each in marks],
                    asked_by=actor,
                    asked_at=now,
                )
        except IntegrityError:  # pragma: no cover  # the report is locked; this is the belt beside the braces
            raise MoveNotPossible from None
        write(events.TRANSLATION_ASKED, asked, now=now, actor_id=actor.pk)
    return asked


def accept_translation(*, translation_id: int, actor: User, now: datetime) -> Translation:
    """Take a volunteer's text; from now on it stands beside the original."""
    return _decide(translation_id, TranslationState.ACCEPTED, events.TRANSLATION_ACCEPTED, actor, now)


def reject_translation(*, translation_id: int, actor: User, now: datetime) -> Translation:
    """Refuse a volunteer's text; it is kept with the report and shown no more."""
    return _decide(translation_id, TranslationState.REJECTED, events.TRANSLATION_REJECTED, actor, now)


def withdraw_translation(*, translation_id: int, actor: User, now: datetime) -> Translation:
    """Take a request back, or a translation that turned out wrong."""
    with transaction.atomic():
        translation = _for_work(translation_id, actor)
        if translation.state not in (TranslationState.ASKED, TranslationState.ACCEPTED):
            raise MoveNotPossible
        withdraw_locked(translation, Withdrawal.DESK, now=now, actor_id=actor.pk)
    return translation


def withdraw_locked(translation: Translation, why: Withdrawal, *, now: datetime, actor_id: int | None) -> None:
    """Close a translation that the caller has locked; a volunteer who works on it is told at handing in."""
    had_words = translation.state == TranslationState.ACCEPTED
    translation.state = TranslationState.WITHDRAWN
    translation.withdrawn_for = why
    translation.claimed_by = None
    translation.claimed_until = None
    translation.save(update_fields=["state", "withdrawn_for", "claimed_by", "claimed_until"])
    if had_words:
        gather_words(report_ids=[translation.report_id])
    write(events.TRANSLATION_WITHDRAWN, translation, now=now, actor_id=actor_id, why=why)


def words_to_hide(given: Sequence[str], text: str) -> list[str]:
    """Clean the words that somebody wants taken out of a text; ReportError for too many, and for what is not in it.

    A slip of the finger would else leave in the text what its reader believes to be hidden.
    """
    words = [word for word in (clean_text(one, HIDE_LENGTH + 1) for one in given) if word]
    if len(words) > HIDE_LIMIT or any(len(word) > HIDE_LENGTH for word in words):
        raise ReportError(_("Hide at most 30 words or short phrases, one a line."))
    absent = not_in(text, words)
    if absent:
        raise ReportError(_("Not in the text as you wrote it: %(words)s") % {"words": ", ".join(absent)})
    return words


def write(
    kind: str, translation: Translation, *, now: datetime, actor_id: int | None, why: str = "", other: int | None = None
) -> None:
    """Journal something about a translation: ids and codes only."""
    data: dict[str, int | str | bool | None] = {"translation": translation.pk}
    if translation.message_id is not None:
        data["message"] = translation.message_id
    if why:
        data["why"] = str(why)
    if other is not None:
        data["instead"] = other
    events.write(kind, report_id=translation.report_id, now=now, actor_id=actor_id, data=data)


def _decide(translation_id: int, state: TranslationState, event: str, actor: User, now: datetime) -> Translation:
    with transaction.atomic():
        translation = _for_work(translation_id, actor)
        if translation.state != TranslationState.OFFERED:
            raise MoveNotPossible
        translation.state = state
        translation.decided_by = actor
        translation.decided_at = now
        translation.save(update_fields=["state", "decided_by", "decided_at"])
        if state == TranslationState.ACCEPTED:
            gather_words(report_ids=[translation.report_id])
        write(event, translation, now=now, actor_id=actor.pk)
    return translation


def _for_work(translation_id: int, actor: User) -> Translation:
    found = Translation.objects.visible_to(actor).filter(pk=translation_id).values_list("report_id", flat=True).first()
    if found is None:
        raise NotAllowed
    # The report first, as everywhere, so that two never wait for each other.
    report_for_work(report_id=found, actor=actor)
    return Translation.objects.select_for_update().get(pk=translation_id)


def _known(language: str) -> None:
    if language not in settings.COMMONBEAT.languages:
        raise ReportError(_("Choose a language from the list."))


def _message(report: Report, message_id: int | None) -> Message | None:
    if message_id is None:
        return None
    message = report.messages.filter(pk=message_id, kind=MessageKind.ANSWER).first()
    if message is None:
        raise NotAllowed
    return message


def _some_text(report: Report, message: Message | None) -> str:
    text = original_of(report, message)
    if not text.strip():
        raise ReportError(_("There is no text to translate."))
    return text


def _same(report: Report, message: Message | None, language: str, state: TranslationState) -> list[Translation]:
    found = Translation.objects.filter(report=report, message=message, language=language, state=state)
    return list(found.select_for_update().order_by("pk"))
