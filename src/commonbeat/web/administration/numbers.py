"""Whole numbers that a form or an address sends."""

from __future__ import annotations

# What a column of the database holds; more makes Python or the database fail rather than find nothing.
LARGEST = 2**63 - 1


def whole_number(text: str) -> int | None:
    """Read a number of ASCII digits from 0 to 2^63 - 1; None for everything else, however long."""
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        return None
    number = int(text)
    return number if number <= LARGEST else None
