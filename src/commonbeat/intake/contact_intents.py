"""What the dialogue knows of a person's officer and of what they may have erased, and what it wants done."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LocalOfficer:
    """An officer who shows themselves to the public, with what they say of how to reach them."""

    name: str
    hours: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class LocalBeat:
    """A beat, the unit that looks after it, and its officers."""

    beat_id: int
    name: str
    unit: str
    officers: tuple[LocalOfficer, ...] = ()


@dataclass(frozen=True, slots=True)
class Home:
    """A place that this person has named before, and the beat around it."""

    label: str
    beat_id: int


@dataclass(frozen=True, slots=True)
class Erasable:
    """A report that this person made."""

    report_id: int
    # Formatted.
    reference: str
    is_open: bool = True
    # The law wants it kept for now; until when is not told.
    is_kept: bool = False


@dataclass(frozen=True, slots=True)
class EraseReport:
    """Erase one report of this person."""

    report_id: int


@dataclass(frozen=True, slots=True)
class EraseAll:
    """Erase this person, with all that they have reported."""


EraseIntent = EraseReport | EraseAll
