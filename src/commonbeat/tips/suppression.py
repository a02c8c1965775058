"""Which numbers of a yearly table can be published, so that no small one can be computed from the others.

Whoever computes may know these rules, every year's row, and that nothing ends that was not received.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median_low

LEAST = 5
# What stands in a cell instead of a number.
FEW = "few"
NOT_SHOWN = "not_shown"
Cell = int | str


@dataclass(frozen=True, slots=True)
class YearCounts:
    """What happened in one year: how many came, how many ended and how, and after how many days each."""

    year: int
    received: int
    # How it ended → number, every way that there is.
    ended: Mapping[str, int]
    days: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class YearRow:
    """One year as it is published; a cell is a number, FEW (below the least) or NOT_SHOWN (may be any number)."""

    year: int
    received: Cell
    total: Cell
    ended: Mapping[str, Cell]
    # Half of what ended in the year had ended after so many days.
    median_days: int | None


def published(years: Sequence[YearCounts], *, least: int = LEAST) -> list[YearRow]:
    """Give the rows of years that are over, in their order; a row depends on its own year and those before."""
    rows: list[YearRow] = []
    # How many, of what is published, have been received and have not ended: of what is not shown, none is counted.
    surplus, is_something_hidden = 0, False
    for counts in years:
        received: Cell = counts.received if counts.received >= least else FEW
        surplus += received if isinstance(received, int) else 0
        is_something_hidden |= received == FEW
        total = sum(counts.ended.values())
        is_large = max(counts.ended.values(), default=0) >= least
        # Else "more ended than can have come" would tell how many came in a year that is not shown.
        fits = not is_something_hidden or surplus > total
        if is_large and fits:
            surplus -= total
            rows.append(
                YearRow(counts.year, received, total, _cells(counts.ended, least), median_low(counts.days or [0]))
            )
        else:
            is_something_hidden = True
            rows.append(YearRow(counts.year, received, NOT_SHOWN, dict.fromkeys(counts.ended, NOT_SHOWN), None))
    return rows


def _cells(ended: Mapping[str, int], least: int) -> dict[str, Cell]:
    """Hide the small numbers of a year whose total is shown, and as many more as it takes."""
    small = {how for how, number in ended.items() if number < least}
    together = sum(ended[how] for how in small)
    # The total less what is shown is the sum of the small ones: one alone, or several that are all at an end, it tells.
    if not small or (len(small) > 1 and 0 < together < (least - 1) * len(small)):
        return {how: FEW if how in small else number for how, number in ended.items()}
    # The next larger joins them, with all that are equal to it, under one word: then any of them may be the small one.
    next_larger = min(number for number in ended.values() if number >= least)
    return {how: NOT_SHOWN if how in small or number == next_larger else number for how, number in ended.items()}
