"""Read translations: those of one report, those that the desk has to look at, and the volunteers' queue."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from django.db.models import Count, Exists, Min, OuterRef, Q, QuerySet
from django.utils import timezone

from commonbeat.people.models import Role, User
from commonbeat.reports.models import Report, State
from commonbeat.reports.proxy_models import Consent
from commonbeat.reports.translation_models import (
    Outcome,
    Translation,
    TranslationQuerySet,
    TranslationState,
    TranslationTurn,
    Withdrawal,
)

LIST_LIMIT = 100
# What has been closed unanswered is nobody's work any more; opened again, its request waits again.
CLOSED = (State.REJECTED, State.EXPIRED)
# What the desk still looks at.
LIVE = (TranslationState.ASKED, TranslationState.OFFERED, TranslationState.ACCEPTED)
# What decides whether a stranger may read it.
_TO_JUDGE = ("report__topic__current", "report__topic_version", "message")
_NOT_AGAIN = (Outcome.SKIPPED, Outcome.KNOWS, Outcome.UNFIT)


@dataclass(frozen=True, slots=True)
class Numbers:
    """How the queue stands."""

    waiting: int
    oldest_asked_at: datetime | None
    done_today: int
    # Handed in and not yet looked at by the desk.
    to_decide: int


def translations_of(report: Report) -> list[Translation]:
    """Read every translation and request of a report that has not been closed, and why others came back: one query."""
    shown = Q(state__in=LIVE) | Q(state=TranslationState.WITHDRAWN, withdrawn_for__in=("unfit", "changed", "sensitive"))
    return list(report.translations.filter(shown).select_related("made_by", "decided_by").order_by("pk"))


def newest_of(ids: Iterable[int]) -> dict[int, Translation]:
    """Read the newest accepted translation of what each of some reports says: one query."""
    found = Translation.objects.filter(report_id__in=list(ids), message=None, state=TranslationState.ACCEPTED)
    return {one.report_id: one for one in found.order_by("pk")}


def desk_list(viewer: User, *, limit: int = LIST_LIMIT) -> list[Translation]:
    """Read what was asked or handed in of the reports that the viewer may see, handed in ones first, oldest first."""
    seen = Translation.objects.visible_to(viewer).select_related("report", "message", "made_by", "asked_by")
    offered = seen.filter(state=TranslationState.OFFERED).order_by("pk")[:limit]
    asked = seen.filter(state=TranslationState.ASKED).order_by("pk")[:limit]
    return [*offered, *asked]


def held_by(volunteer: User, *, now: datetime) -> Translation | None:
    """Read the text that a volunteer works on, while the lease lasts."""
    mine = Translation.objects.filter(claimed_by=volunteer, claimed_until__gt=now, state=TranslationState.ASKED)
    return mine.select_related(*_TO_JUDGE).order_by("pk").first()


def turn_of(volunteer: User, translation_id: int) -> Translation | None:
    """Read a text that a volunteer once had and has not handed in; None where nobody outside reads it any more.

    What was handed in is not shown again: an empty answer would else turn the texts of a year into reading matter.
    """
    had = TranslationTurn.objects.filter(volunteer=volunteer, translation_id=translation_id)
    over = (Outcome.KNOWS, Outcome.UNFIT, Outcome.OFFERED, Outcome.LATE)
    turn = had.select_related("translation").exclude(outcome__in=over).first()
    if turn is None or turn.translation.withdrawn_for == Withdrawal.UNFIT:
        return None
    return turn.translation


def passed_since(volunteer: User, since: datetime) -> int:
    """Count the texts that a volunteer has had since a moment and not translated."""
    had = TranslationTurn.objects.filter(volunteer=volunteer, at__gt=since)
    return had.exclude(outcome__in=(Outcome.OFFERED, Outcome.LATE)).count()


def waiting_for(volunteer: User, *, now: datetime) -> TranslationQuerySet:
    """Narrow the queue to what a volunteer may be given now, oldest first: their languages, nothing passed on before.

    The stricter look at a topic's older rules is left to who takes a row: it needs the definitions.
    """
    codes = list(volunteer.languages_read)
    free = Q(claimed_until=None) | Q(claimed_until__lte=now)
    passed = TranslationTurn.objects.filter(volunteer=volunteer, translation=OuterRef("pk"), outcome__in=_NOT_AGAIN)
    knows = TranslationTurn.objects.filter(
        volunteer=volunteer, translation__report=OuterRef("report"), outcome=Outcome.KNOWS
    )
    found = (
        _asked()
        .filter(free, from_language__in=codes, language__in=codes)
        .exclude(Exists(passed))
        .exclude(Exists(knows))
        .select_related(*_TO_JUDGE)
        .order_by("pk")
    )
    return cast("TranslationQuerySet", found)


def numbers_for(volunteer: User, *, now: datetime) -> Numbers:
    """Count what a volunteer may be given, and what they have done today: two queries."""
    waiting = waiting_for(volunteer, now=now).order_by().aggregate(count=Count("pk"), oldest=Min("asked_at"))
    done = _done_today(now).filter(volunteer=volunteer).count()
    return Numbers(waiting["count"], waiting["oldest"], done, 0)


def numbers(*, now: datetime) -> Numbers:
    """Count the whole queue: three queries."""
    waiting = _asked().aggregate(count=Count("pk"), oldest=Min("asked_at"))
    to_decide = Translation.objects.filter(state=TranslationState.OFFERED).count()
    return Numbers(waiting["count"], waiting["oldest"], _done_today(now).count(), to_decide)


def volunteers_for(from_language: str, language: str) -> int:
    """Count the active volunteers who read both languages."""
    active = User.objects.filter(role=Role.TRANSLATOR, is_active=True).values_list("languages_read", flat=True)
    return sum({from_language, language} <= set(codes) for codes in active)


def _asked() -> QuerySet[Translation]:
    found = Translation.objects.filter(state=TranslationState.ASKED, report__topic__counts_only=False)
    # Asked for before it became known that it was made for somebody else: then it waits for that person.
    return found.exclude(report__state__in=CLOSED).exclude(
        report__on_behalf__consent__in=(Consent.ASKED, Consent.REFUSED)
    )


def _done_today(now: datetime) -> QuerySet[TranslationTurn]:
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    return TranslationTurn.objects.filter(outcome__in=(Outcome.OFFERED, Outcome.LATE), at__gte=midnight)
