"""Pure decisions about public counts: periods, and how few become enough."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from hashlib import blake2b
from typing import NamedTuple

from commonbeat.foundation import cells
from commonbeat.topics.definition import Definition, Period, Publishes

# The cell of what has no place; real cells are far larger.
NO_PLACE = 0
# The category of what was merged over several; no code of a category can be this.
SEVERAL = "*"
# Cells of this resolution (about 45 km across) are as coarse as a merged area gets.
COARSEST = 4
# Below three, one of two senders in a bucket learns of the other by leaving out their own report.
FEWEST = 3
# In a bucket of reports that anybody may read one by one, so many reports and senders: below them it would be known of
# single reports that somebody wrote both.
REPORTS_TO_TELL_SENDERS, SENDERS_TO_TELL = 5, 3

_EPOCH = date(1970, 1, 1).toordinal()
_DAYS = range(-25_567, 2_561_118)  # the years 1900 to 8981


class Drawn(NamedTuple):
    """A bucket as drawn: disjoint from all others of its topic and period."""

    category: str
    cell: int
    n: int
    sources: int


@dataclass(slots=True)
class Gathered:
    """Some reports, and how many have sent them at least, as far as anybody can know."""

    n: int = 0
    nameless: int = 0
    known: set[int | bytes] = field(default_factory=set)

    def add(self, source: int | bytes | None, n: int = 1) -> None:
        """Add the reports of one sender, or so many without any."""
        self.n += n
        if source is None:
            self.nameless += n
        else:
            self.known.add(source)

    def take(self, other: Gathered) -> None:
        """Add what was gathered elsewhere; who is in both is one."""
        self.n += other.n
        self.nameless += other.nameless
        self.known |= other.known

    @property
    def sources(self) -> int:
        """Count the senders; a report without a contact is one of its own."""
        return self.nameless + len(self.known)


def day_number(day: date) -> int:
    """Count the days since 1970-01-01."""
    return day.toordinal() - _EPOCH


def day_of(number: int) -> date:
    """Give the day of a number."""
    return date.fromordinal(number + _EPOCH)


def period_kind(definition: Definition, *, is_single: bool) -> Period:
    """Tell by which span a topic counts; what may be told only among others, never by the day."""
    if is_single:
        return definition.period or Period.DAY
    # Also where a topic that now publishes each report, by the day, has some that it may not.
    return Period.WEEK if definition.period is Period.WEEK else Period.MONTH


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
    """Give k: how many senders a bucket of this topic has at least."""
    return max(definition.smallest_count, FEWEST)


def told_senders(n: int, senders: int) -> int:
    """Give how many senders are told of a bucket whose reports are public singly: as many as reports, where few."""
    return senders if n >= REPORTS_TO_TELL_SENDERS and senders >= SENDERS_TO_TELL else n


def source_in(source: bytes, topic_id: int, period: int) -> int:
    """Name a sender in a topic and period, and nowhere else: 63 bits that cannot be matched with those of another.

    The upper 16 are the period's, so that what is counted at one time lies together in the index.
    """
    digest = blake2b(b"%d %d" % (topic_id, period), digest_size=8, key=source).digest()
    return (period & 0xFFFF) << 47 | int.from_bytes(digest, "big") >> 17


def draw(counts: Iterable[tuple[str, int, int | None, int]], fewest: int) -> tuple[list[Drawn], int]:
    """Part (category, cell, source, n) of one topic and period into disjoint buckets of at least `fewest` senders.

    A cell with too few goes into its parent, step by step; what is too few even in the largest cell, or without a
    place, goes into one bucket over all categories and places. Many reports of one sender are no crowd. Returns the
    buckets, and how many reports are in none.
    """
    levels: dict[int, dict[tuple[str, int], Gathered]] = defaultdict(lambda: defaultdict(Gathered))
    nowhere: dict[str, Gathered] = defaultdict(Gathered)
    for category, cell, source, n in counts:
        if cell == NO_PLACE:
            nowhere[category].add(source, n)
        else:
            levels[cells.resolution_of(cell)][category, cell].add(source, n)
    found: list[Drawn] = []
    left = Gathered()
    for resolution in range(max(levels, default=-1), -1, -1):
        for (category, cell), here in levels[resolution].items():
            if here.sources >= fewest:
                found.append(Drawn(category, cell, here.n, here.sources))
            elif resolution > COARSEST:
                levels[resolution - 1][category, cells.parent(cell, resolution - 1)].take(here)
            else:
                left.take(here)
    for category, here in nowhere.items():
        if here.sources >= fewest:
            found.append(Drawn(category, NO_PLACE, here.n, here.sources))
        else:
            left.take(here)
    if left.sources >= fewest:
        found.append(Drawn(SEVERAL, NO_PLACE, left.n, left.sources))
        left = Gathered()
    return sorted(found), left.n
