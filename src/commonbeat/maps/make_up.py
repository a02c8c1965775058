"""How reports came: pure sums over channels, languages, hours and days, and what is of too few waits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from commonbeat.maps.contribution import Sending
from commonbeat.maps.rules import Gathered, day_number, day_of

CHANNEL, LANGUAGE, HOURS, DAYS = KINDS = ("channel", "language", "hours", "days")
NIGHT, MORNING, AFTERNOON, EVENING = "night", "morning", "afternoon", "evening"
WEEKDAY, WEEKEND = "weekday", "weekend"
# The first hour of each; the night goes on until six.
_BANDS = ((6, NIGHT), (12, MORNING), (18, AFTERNOON), (22, EVENING), (24, NIGHT))
_SATURDAY = 5
MONTHS_TOLD = 12
# A kind is told where no more than a tenth of it is missing, in steps of k.
_MISSING_AT_MOST = 10

# Kind → value → number of reports.
Shares = dict[str, dict[str, int]]
# Kind → value → what is of too few senders.
Leftover = dict[str, dict[str, Gathered]]
# Kind → value → number of reports, those without a contact, and how many contacts the others are of at least.
Withheld = dict[str, dict[str, tuple[int, int, int]]]


def first_month(today: int) -> int:
    """Give the first day of the month a year before this one."""
    day = day_of(today)
    return day_number(day.replace(year=day.year - 1, day=1))


def band_of(hour: int) -> str:
    """Name the part of the day of an hour, 0 to 23."""
    return next(name for until, name in _BANDS if hour < until)


class Gathering:
    """Sum the reports of a topic and month by how they came."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._kinds: dict[str, dict[str, Gathered]] = {kind: defaultdict(Gathered) for kind in KINDS}

    def add(self, sending: Sending) -> None:
        """Add one report."""
        said = {CHANNEL: sending.channel, LANGUAGE: sending.language}
        if sending.received_at is not None:
            at = datetime.fromtimestamp(sending.received_at, self._zone)
            said[HOURS] = band_of(at.hour)
            said[DAYS] = WEEKEND if at.weekday() >= _SATURDAY else WEEKDAY
        for kind, value in said.items():
            if value:
                self._kinds[kind][value].add(sending.source)

    def told(self, fewest: int) -> tuple[Shares, Leftover]:
        """Part what may be told, each value of at least `fewest` senders, from what is of fewer."""
        shares: Shares = {}
        left: Leftover = {}
        for kind, values in self._kinds.items():
            for value, here in sorted(values.items()):
                if here.sources >= fewest:
                    shares.setdefault(kind, {})[value] = here.n
                else:
                    left.setdefault(kind, {})[value] = here
        return shares, left


def pooled(leftovers: Iterable[Leftover], waiting: Withheld, fewest: int) -> tuple[Shares, Withheld]:
    """Put together what is too few in single topics, and what waits of the months before; part it in the same way.

    Without it, a way by which two people write each month would never be told.
    """
    sums: dict[tuple[str, str], Gathered] = defaultdict(Gathered)
    for leftover in leftovers:
        for kind, values in leftover.items():
            for value, here in values.items():
                sums[kind, value].take(here)
    waited = {(kind, value): row for kind, values in waiting.items() for value, row in values.items()}
    shares: Shares = {}
    withheld: Withheld = {}
    for kind, value in sorted(sums.keys() | waited.keys()):
        here = sums[kind, value]
        n, nameless, known = waited.get((kind, value), (0, 0, 0))
        # Whether somebody wrote in both months is not known, so all of them may have.
        n, nameless, known = n + here.n, nameless + here.nameless, max(known, len(here.known))
        if nameless + known >= fewest:
            shares.setdefault(kind, {})[value] = n
        else:
            withheld.setdefault(kind, {})[value] = (n, nameless, known)
    return shares, withheld


def reliable(shares: Shares, missing: Mapping[str, int], fewest: int) -> Shares:
    """Keep the kinds of which nearly everything is told: else the few who are not would be made fewer still.

    What is missing is taken in whole steps of `fewest`: that a kind is told, or not, says nothing of one report.
    """
    return {
        kind: values
        for kind, values in shares.items()
        if missing.get(kind, 0) // fewest * fewest * _MISSING_AT_MOST <= sum(values.values())
    }


def added(many: Iterable[Shares]) -> Shares:
    """Add up what was told of several topics and months."""
    sums: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for shares in many:
        for kind, values in shares.items():
            for value, n in values.items():
                sums[kind][value] += n
    return {kind: dict(values) for kind, values in sums.items()}


class Year(NamedTuple):
    """How the reports of the last drawn months came: the first and the last month, and what may be told."""

    first: int
    last: int
    shares: Shares
