"""Count complaints by year, in numbers that stay when one is deleted; each call is part of its act's transaction."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from django.db.models import F

from commonbeat.tips.models import ComplaintCount, DeskKind, Outcome, Tip
from commonbeat.tips.rules import COUNTED_DAYS, COUNTED_RECEIVED


def count_received(*, day: date) -> None:
    """Count one complaint that came."""
    _add(day.year, COUNTED_RECEIVED)


def count_ended(tips: Iterable[Tip], *, how: str, day: date) -> None:
    """Count those of the dialogues that are complaints as ended; `how` is an outcome, or COUNTED_EXPIRED."""
    for tip in tips:
        if tip.desk.kind == DeskKind.COMPLAINTS:
            _add(day.year, how)
            # Apart from how it ended: the two together would tell of one complaint.
            _add(day.year, COUNTED_DAYS, (day - tip.created_day).days)


def count_withdrawn(tips: Iterable[Tip], *, day: date) -> None:
    """Count those that their source deletes before they have ended."""
    count_ended([tip for tip in tips if not tip.is_over], how=Outcome.WITHDRAWN, day=day)


def _add(year: int, what: str, days: int = 0) -> None:
    ComplaintCount.objects.get_or_create(year=year, what=what, days=days)
    ComplaintCount.objects.filter(year=year, what=what, days=days).update(number=F("number") + 1)
