"""What a map counts: reports, reports per month, or the contacts that they came from."""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from typing import NamedTuple

from commonbeat.maps import heat
from commonbeat.maps.arrays import Filter
from commonbeat.maps.rules import day_of, period_kind, period_start
from commonbeat.topics.definition import Definition, Publishes


class Measure(NamedTuple):
    """One way to count."""

    code: str
    # What vector tiles call it.
    name: str
    # The least value of each colour.
    classes: Sequence[float]


REPORTS = Measure("reports", "n", heat.CLASSES)
# Reports of the complete periods, by the months of these: one decimal.
MONTHLY = Measure("monthly", "monthly", heat.MONTHLY_CLASSES)
# Each once per topic, category, place and period; a report without a contact counts as one.
CONTACTS = Measure("contacts", "contacts", heat.CLASSES)
MEASURES = {measure.code: measure for measure in (REPORTS, MONTHLY, CONTACTS)}


def months_between(since: int, until: int) -> float:
    """Count the months from a day to another, which is left out: a part of a month by its days; one at least.

    A week's reports are not multiplied by four: nobody knows what the rest of the month would have brought.
    """
    return max(1.0, _months_before(until) - _months_before(since))


def complete(definition: Definition, wanted: Filter, first: int | None, today: int) -> Filter:
    """Narrow a span to the periods that are over, from the first in which something was counted on.

    Where no period is over yet, it stays as it is.
    """
    kind = period_kind(definition, is_single=definition.publishes is Publishes.EACH)
    end = period_start(today, kind)
    since = max(value for value in (wanted.since, first, -(10**6)) if value is not None)
    until = end if wanted.until is None else min(wanted.until, end)
    return wanted._replace(since=since, until=until) if since < until and first is not None else wanted


def months_of(span: Filter) -> float:
    """Count the months of a span that complete() made; 1 where it is open."""
    return 1.0 if span.since is None or span.until is None else months_between(span.since, span.until)


def _months_before(number: int) -> float:
    day = day_of(number)
    return day.year * 12 + day.month - 1 + (day.day - 1) / calendar.monthrange(day.year, day.month)[1]
