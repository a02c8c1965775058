"""Pure decisions about public counts: periods, and how few become enough."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from typing import NamedTuple

from commonbeat.foundation import cells
from commonbeat.topics.definition import Definition, Period, Publishes

NO_PLACE = 0
# The category of what was merged over several; no code of a category can be this.
SEVERAL = "*"
# Cells of this resolution (about 45 km across) are as coarse as a merged area gets.
COARSEST = 4
# Below three, one of two people in a bucket learns of the other by leaving out their own report.
FEWEST = 3

_EPOCH = date(1970, 1, 1).toordinal()
_DAYS = range(-25_567, 2_561_118)  # the years 1900 to 8981


class Drawn(NamedTuple):
    """A bucket as drawn: disjoint from all others of its topic and period."""

    category: str
    cell: int
    n: int


def day_number(day: date) -> int:
    """Count the days since 1970-01-01."""
    return day.toordinal() - _EPOCH


def day_of(number: int) -> date:
    """Give the day of a number."""
    return date.fromordinal(number + _EPOCH)


def period_kind(definition: Definition, *, is_single: bool) -> Period:
    """Tell by which span a topic counts."""
    return definition.period or (Period.DAY if is_single else Period.MONTH)


def period_start(number: int, kind: Period) -> int:
    """Give the first day of the period that contains a day; weeks begin on Monday."""
    number = min(max(number, _DAYS.start), _DAYS.stop)
    if kind is Period.DAY:
        return number
    day = day_of(number)
    if kind is Period.WEEK:
        return number - day.weekday()
    return number - day.day + 1


def period_end(start: int, kind: Period) -> int:
    """Give the first day after a period."""
    if kind is Period.DAY:
        return start + 1
    if kind is Period.WEEK:
        return start + 7
    return day_number((day_of(start) + timedelta(days=31)).replace(day=1))


def span_of(definition: Definition, since: int | None, until: int | None) -> tuple[int | None, int | None]:
    """Round a span of days, both included, to a topic's periods: those that begin from the first on, before the second.

    Both ends are rounded down, so that what two neighbouring spans hold adds up to what both hold.
    """
    kind = period_kind(definition, is_single=definition.publishes is Publishes.EACH)
    return (
        None if since is None else period_start(since, kind),
        None if until is None else period_start(until + 1, kind),
    )


def fewest_of(definition: Definition) -> int:
    """Give k: how many reports a bucket of this topic has at least."""
    return max(definition.smallest_count, FEWEST)


def draw(counts: Iterable[tuple[str, int, int]], fewest: int) -> tuple[list[Drawn], int]:
    """Part (category, cell, n) of one topic and period into disjoint buckets of at least `fewest`.

    A cell with too few goes into its parent, step by step; what is too few even in the largest cell, or without a
    place, goes into one bucket over all categories and places. Returns the buckets, and how many are in none.
    """
    levels: dict[int, dict[tuple[str, int], int]] = defaultdict(lambda: defaultdict(int))
    nowhere: dict[str, int] = defaultdict(int)
    for category, cell, n in counts:
        if cell == NO_PLACE:
            nowhere[category] += n
        else:
            levels[cells.resolution_of(cell)][category, cell] += n
    found: list[Drawn] = []
    left = 0
    for resolution in range(max(levels, default=-1), -1, -1):
        for (category, cell), n in levels[resolution].items():
            if n >= fewest:
                found.append(Drawn(category, cell, n))
            elif resolution > COARSEST:
                levels[resolution - 1][category, cells.parent(cell, resolution - 1)] += n
            else:
                left += n
    for category, n in nowhere.items():
        if n >= fewest:
            found.append(Drawn(category, NO_PLACE, n))
        else:
            left += n
    if left >= fewest:
        found.append(Drawn(SEVERAL, NO_PLACE, left))
        left = 0
    return sorted(found), left
