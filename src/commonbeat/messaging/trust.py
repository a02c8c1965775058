"""How far a contact is trusted, and how many messages that lets in before a person looks; pure.

A level says how much a person may send at once, and is shown to the desk. It never makes anything public.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from commonbeat.config.trust_options import DEFAULT_LIMITS


class Level(StrEnum):
    """Name the levels, the lowest first."""

    DOUBTFUL = "doubtful"
    UNKNOWN = "unknown"
    KNOWN = "known"
    TRUSTED = "trusted"


LEVELS = frozenset(level.value for level in Level)


class Kind(StrEnum):
    """Name what a report can earn its sender, or cost."""

    VERIFIED = "verified"
    SPAM = "spam"


# One report that was no report outweighs one good one, and two good ones make up for it.
WEIGHTS: dict[str, int] = {Kind.VERIFIED: 1, Kind.SPAM: -2}
# The least points of a level.
EARNED_FROM = ((5, Level.TRUSTED), (1, Level.KNOWN), (-1, Level.UNKNOWN))

# The two windows of a limit: more than it is held for a person, never lost.
SHORT, LONG = timedelta(minutes=10), timedelta(days=1)
# Somebody whose messages are held is told so, but a machine must not be answered for each of them.
NOTICE_EVERY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Limit:
    """How many messages are let in."""

    short: int
    long: int

    def is_reached(self, *, short: int, long: int) -> bool:
        """Tell whether, after so many messages in each window, the next one is held."""
        return short >= self.short or long >= self.long


def level_of(points: int, set_by_staff: str = "") -> Level:
    """Give the level: the one that staff set, else what the reports have earned."""
    if set_by_staff in LEVELS:
        return Level(set_by_staff)
    return next((level for least, level in EARNED_FROM if points >= least), Level.DOUBTFUL)


def limit_of(level: Level, settings: tuple[str, ...] = ()) -> Limit:
    """Give the limit of a level as pairs of the setting such as unknown=20/60 have it, else the default."""
    found: dict[str, str] = {}
    for pair in (*DEFAULT_LIMITS, *settings):
        name, _, numbers = pair.partition("=")
        found[name.strip()] = numbers
    short, _, long = found[level].partition("/")
    return Limit(int(short), int(long))
