"""What volunteers do with the texts that wait for a translation: take one, hand it in, pass it on."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from commonbeat.foundation.text import clean_text
from commonbeat.people.models import User
from commonbeat.people.permissions import Permission, may
from commonbeat.reports import events
from commonbeat.reports.actions.translations import TEXT_LIMIT, withdraw_locked, write
from commonbeat.reports.errors import NotAllowed, ReportError
from commonbeat.reports.masking import closed_to_strangers
from commonbeat.reports.models import Report
from commonbeat.reports.queries.translations import held_by, passed_since, waiting_for
from commonbeat.reports.translation_models import (
    Outcome,
    Translation,
    TranslationState,
    TranslationTurn,
    Withdrawal,
)
from commonbeat.screening.masking import labels_of

# Long enough for a page; who is called away leaves a text waiting no longer than this.
LEASE = timedelta(minutes=30)
# Rows that may no longer be shown are put aside on the way; more of them at once wait for the next.
PUT_ASIDE = 20
# Texts in a day that a volunteer may have without translating them: the queue is no reading matter.
MOST_PASSED, PASSED_WITHIN = 20, timedelta(days=1)


class MarksMissing(ReportError):
    """Marks of the text that the translation does not have."""

    def __init__(self, labels: list[str]) -> None:
        super().__init__(
            _("These marks are missing: %(marks)s. Put each where it belongs.") % {"marks": " ".join(labels)}
        )
        self.labels = labels


class TooManyPassed(ReportError):
    """The volunteer has had many texts of late and translated none of them."""

    def __init__(self) -> None:
        super().__init__(
            _("You have left many texts to others today. Come back tomorrow, or talk to your administrator.")
        )


class AlreadyPassedOn(ReportError):
    """The volunteer has said that this text is not for them."""

    def __init__(self) -> None:
        super().__init__(_("You have passed this text on. It is not yours to translate any more."))


def take_next(*, actor: User, now: datetime) -> Translation | None:
    """Give a volunteer the text that has waited longest in their languages, for a while; None when nothing waits.

    Who holds one gets that one again; TooManyPassed for who only reads. Two never get the same: rows that another
    transaction looks at are passed over.
    """
    _volunteer(actor)
    with transaction.atomic():
        # Two windows of one volunteer must not take two texts.
        actor = User.objects.select_for_update().get(pk=actor.pk)
        held = held_by(actor, now=now)
        if held is not None and closed_to_strangers(held) is None:
            return held
        if passed_since(actor, now - PASSED_WITHIN) >= MOST_PASSED:
            raise TooManyPassed
        for _attempt in range(PUT_ASIDE):
            found = waiting_for(actor, now=now).select_for_update(of=("self",), skip_locked=True).first()
            if found is None:
                return None
            why = closed_to_strangers(found)
            if why is None:
                return _take(found, actor, now)
            withdraw_locked(found, why, now=now, actor_id=None)
    return None


def hand_in(
    *, translation_id: int, text: str, actor: User, now: datetime, without_marks: bool = False
) -> tuple[Translation, bool]:
    """Store a volunteer's text; give its row, and True when somebody else had finished before.

    Whoever once had the text may hand it in, however late: it is then kept as a second one for the desk. MarksMissing
    unless `without_marks`.
    """
    _volunteer(actor)
    text = clean_text(text, TEXT_LIMIT)
    if not text:
        raise ReportError(_("The translation is empty."))
    with transaction.atomic():
        translation, turn = _turn(translation_id, actor)
        if turn.outcome in (Outcome.OFFERED, Outcome.LATE):
            # Sent twice: the first one is there.
            return translation, turn.outcome == Outcome.LATE
        if turn.outcome in (Outcome.KNOWS, Outcome.UNFIT):
            raise AlreadyPassedOn
        missing = [label for label in labels_of(translation.source) if label not in labels_of(text)]
        if missing and not without_marks:
            raise MarksMissing(missing)
        late = translation.state != TranslationState.ASKED
        if late:
            first = translation.pk
            translation = _second_of(translation)
        translation.state = TranslationState.OFFERED
        translation.text = text
        translation.made_by = actor
        translation.made_role = actor.role
        translation.made_at = now
        translation.claimed_by = None
        translation.claimed_until = None
        translation.save()
        turn.outcome, turn.at = (Outcome.LATE if late else Outcome.OFFERED), now
        turn.save(update_fields=["outcome", "at"])
        if late:
            write(events.TRANSLATION_LATE, translation, now=now, actor_id=actor.pk, other=first)
        else:
            write(events.TRANSLATION_OFFERED, translation, now=now, actor_id=actor.pk)
    return translation, late


def skip(*, translation_id: int, actor: User, now: datetime) -> None:
    """Leave a text to others; this volunteer does not get it again."""
    _pass_on(translation_id, Outcome.SKIPPED, events.TRANSLATION_SKIPPED, actor, now)


def know_somebody(*, translation_id: int, actor: User, now: datetime) -> None:
    """Leave a text to others because the volunteer knows somebody in it, and show them nothing of its report again."""
    _pass_on(translation_id, Outcome.KNOWS, events.TRANSLATION_KNOWN, actor, now)


def call_unfit(*, translation_id: int, actor: User, now: datetime) -> None:
    """Take a text out of the queue that no stranger should read; the desk sees that it came back."""
    _pass_on(translation_id, Outcome.UNFIT, events.TRANSLATION_UNFIT, actor, now)


def _pass_on(translation_id: int, outcome: Outcome, event: str, actor: User, now: datetime) -> None:
    _volunteer(actor)
    with transaction.atomic():
        translation, turn = _turn(translation_id, actor)
        if turn.outcome not in (Outcome.TAKEN, Outcome.SKIPPED) or turn.outcome == outcome:
            return
        turn.outcome, turn.at = outcome, now
        turn.save(update_fields=["outcome", "at"])
        write(event, translation, now=now, actor_id=actor.pk)
        if translation.claimed_by_id == actor.pk:
            translation.claimed_by = None
            translation.claimed_until = None
            translation.save(update_fields=["claimed_by", "claimed_until"])
        if outcome == Outcome.UNFIT and translation.state == TranslationState.ASKED:
            withdraw_locked(translation, Withdrawal.UNFIT, now=now, actor_id=actor.pk)


def _take(found: Translation, actor: User, now: datetime) -> Translation:
    found.claimed_by = actor
    found.claimed_until = now + LEASE
    found.save(update_fields=["claimed_by", "claimed_until"])
    TranslationTurn.objects.update_or_create(
        translation=found, volunteer=actor, defaults={"outcome": Outcome.TAKEN, "at": now}
    )
    write(events.TRANSLATION_TAKEN, found, now=now, actor_id=actor.pk)
    return found


def _turn(translation_id: int, actor: User) -> tuple[Translation, TranslationTurn]:
    # The report first, as at the desk, so that two never wait for each other: a second text refers to it too.
    # By the key itself: a number from an address may be too large for SQLite, and only that lookup minds it.
    report = Report.objects.select_for_update(of=("self",)).filter(translations__pk=translation_id).first()
    if report is None:
        raise NotAllowed
    translation = Translation.objects.select_for_update().filter(pk=translation_id).first()
    turn = TranslationTurn.objects.filter(translation_id=translation_id, volunteer=actor).first()
    if translation is None or turn is None:
        raise NotAllowed
    return translation, turn


def _second_of(first: Translation) -> Translation:
    return Translation(
        report_id=first.report_id,
        message_id=first.message_id,
        from_language=first.from_language,
        language=first.language,
        source=first.source,
        marks=first.marks,
        asked_by_id=first.asked_by_id,
        asked_at=first.asked_at,
    )


def _volunteer(actor: User) -> None:
    if not may(actor, Permission.TRANSLATE):
        raise NotAllowed
