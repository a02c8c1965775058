"""What the map's page tells in numbers: totals, bars by period, the same weeks a year before; sums of buckets only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from typing import NamedTuple

from commonbeat.maps import rules
from commonbeat.maps.queries import Totals
from commonbeat.maps.tally import Tally
from commonbeat.topics.definition import Definition, Period, Publishes
from commonbeat.topics.models import Topic

MOST_BARS = 60
# Whole weeks that are compared where a reader has chosen no days; and the longest span that can be.
WEEKS, MOST_WEEKS, MONTHS = 12, 52, 3
_WEEK_DAYS, _YEAR_DAYS = 7, 364
# Below it, a percentage says more than the numbers know.
FEW = 10


class Step(IntEnum):
    """How long a bar's period is."""

    DAY = 0
    WEEK = 1
    MONTH = 2
    YEAR = 3


_STEP_OF = {Period.DAY: Step.DAY, Period.WEEK: Step.WEEK, Period.MONTH: Step.MONTH}


class Choice(NamedTuple):
    """What a reader narrows the map to; both days are included."""

    topic: Topic | None = None
    category: str = ""
    since: date | None = None
    until: date | None = None

    def numbers(self) -> tuple[int | None, int | None]:
        """Give both days as numbers."""
        return (
            None if self.since is None else rules.day_number(self.since),
            None if self.until is None else rules.day_number(self.until),
        )


class Bar(NamedTuple):
    """One period; both days are included."""

    since: date
    until: date
    totals: Totals


class Comparison(NamedTuple):
    """The same weeks, or months, of two years; `before` is None where the counts begin later."""

    since: date
    until: date
    now: int
    before: int | None
    step: Step
    begins: date | None = None

    @property
    def percent(self) -> int | None:
        """Tell by how much more or less; None where the numbers are too few to say."""
        if not self.before or self.before < FEW:
            return None
        return round((self.now - self.before) * 100 / self.before)


@dataclass(frozen=True, slots=True)
class Figures:
    """All numbers of one page."""

    totals: Totals
    step: Step
    bars: list[Bar]
    comparison: Comparison | None
    by_topic: dict[int, int]
    by_category: dict[str, int]


def figures(counts: Tally, topics: Sequence[Topic], choice: Choice, *, today: date) -> Figures:
    """Sum what a choice lets through."""
    included = [choice.topic] if choice.topic else list(topics)
    whole = [(topic.definition, topic.pk, counts.only(topic.pk, category=choice.category)) for topic in included]
    whole = [part for part in whole if len(part[2])]
    numbers = choice.numbers()
    parts = []
    for definition, pk, part in whole:
        since, until = rules.span_of(definition, *numbers)
        parts.append((definition, pk, part.only(pk, since=since, until=until)))
    step, edges = _edges(parts, choice)
    sums = _by_span([(definition, part) for definition, _, part in parts], edges)
    by_category: dict[str, int] = parts[0][2].by_category() if choice.topic and parts else {}
    return Figures(
        totals=add(part.totals() for _, _, part in parts),
        step=step,
        bars=[
            Bar(rules.day_of(first), rules.day_of(after - 1), totals)
            for first, after, totals in zip(edges, edges[1:], sums, strict=False)
        ],
        comparison=_comparison([(definition, part) for definition, _, part in whole], choice, today),
        by_topic={pk: part.totals().total for _, pk, part in parts},
        by_category=by_category,
    )


def add(found: Iterable[Totals]) -> Totals:
    """Add totals up."""
    rows = list(found)
    return Totals(*(sum(row[at] for row in rows) for at in range(3)))


def coarsest(definitions: Sequence[Definition]) -> Step:
    """Give the longest period by which one of some topics counts: no shorter bar would be true."""
    return max((_STEP_OF[_kind(each)] for each in definitions), default=Step.DAY)


def _edges(parts: list[tuple[Definition, int, Tally]], choice: Choice) -> tuple[Step, list[int]]:
    """Part the time in which something counts into at most MOST_BARS periods, as short as they may be."""
    some = [(definition, span) for definition, _, part in parts if (span := part.span())]
    step = coarsest([definition for definition, _ in some])
    if not some:
        return step, []
    first, last = min(span[0] for _, span in some), max(span[1] for _, span in some)
    edges = _cut(first, last, step)
    while len(edges) > MOST_BARS + 1 and step is not Step.YEAR:
        step = Step(step + 1)
        edges = _cut(first, last, step)
    # A week may begin in one month and end in the next: the last bar holds it whole.
    edges[-1] = max(edges[-1], *(rules.period_end(span[1], _kind(definition)) for definition, span in some))
    # What lies outside of the chosen days is in no bar.
    since, until = choice.numbers()
    if since is not None:
        edges[0] = min(max(edges[0], since), edges[1] - 1)
    if until is not None:
        edges[-1] = max(min(edges[-1], until + 1), edges[-2] + 1)
    return step, edges


def _cut(first: int, last: int, step: Step) -> list[int]:
    """Give the beginnings of periods from that of a day to the end of another's; a few too many end the search."""
    edges = [_start(first, step)]
    while edges[-1] <= last and (step is Step.YEAR or len(edges) <= MOST_BARS + 1):
        edges.append(_after(edges[-1], step))
    return edges


def _kind(definition: Definition) -> Period:
    return rules.period_kind(definition, is_single=definition.publishes is Publishes.EACH)


def _start(number: int, step: Step) -> int:
    if step is Step.YEAR:
        return rules.day_number(rules.day_of(number).replace(month=1, day=1))
    return rules.period_start(number, list(Period)[step])


def _after(start: int, step: Step) -> int:
    if step is Step.YEAR:
        day = rules.day_of(start)
        return rules.day_number(day.replace(year=day.year + 1, month=1, day=1))
    return rules.period_end(start, list(Period)[step])


def _by_span(parts: list[tuple[Definition, Tally]], edges: list[int]) -> list[Totals]:
    """Sum by the spans between edges, each topic by its own periods, exactly as tiles do for the same days."""
    if len(edges) < 2:
        return []
    found = []
    for definition, part in parts:
        found.append(part.by_span([rules.period_start(edge, _kind(definition)) for edge in edges]))
    return [add(row[at] for row in found) for at in range(len(edges) - 1)]


def _comparison(parts: list[tuple[Definition, Tally]], choice: Choice, today: date) -> Comparison | None:
    """Compare whole weeks (months, where a topic counts by them) with those 52 weeks (12 months) before."""
    begins = min((span[0] for _, part in parts if (span := part.span())), default=None)
    if begins is None:
        return None
    since, until = choice.numbers()
    last = min(rules.day_number(today) - 1, until if until is not None else rules.day_number(today))
    step = max(coarsest([definition for definition, _ in parts]), Step.WEEK)
    if step is Step.WEEK:
        end = rules.period_start(last + 1, Period.WEEK)
        start = end - WEEKS * _WEEK_DAYS if since is None else rules.period_start(since + 6, Period.WEEK)
        start = max(start, end - MOST_WEEKS * _WEEK_DAYS)
        before = (start - _YEAR_DAYS, end - _YEAR_DAYS)
    else:
        end = rules.period_start(last + 1, Period.MONTH)
        start = _months(end, -MONTHS) if since is None else _months(rules.period_start(since - 1, Period.MONTH), 1)
        start = max(start, _months(end, -12))
        before = (_months(start, -12), _months(end, -12))
    if start >= end:
        return None
    now = _by_span(parts, [start, end])[0].total
    then = _by_span(parts, list(before))[0].total if begins <= before[0] else None
    days = rules.day_of(start), rules.day_of(end - 1)
    return Comparison(*days, now, then, step, rules.day_of(begins))


def _months(number: int, months: int) -> int:
    """Go from the first day of a month to that of another."""
    day = rules.day_of(number)
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return rules.day_number(date(year, month + 1, 1))
