"""What maps are told of a publication that rates its place: plain rows, for maps do not know reports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Rating(NamedTuple):
    """A publication as it stands, whether it rates its place or not."""

    publication_id: int
    topic_id: int
    # H3 cell of the public place; 0 without one.
    cell: int
    # Seconds from 1970-01-01 UTC.
    public_at: int
    # Short name → 0 to 3; empty when it rates nothing, or is not public.
    ratings: Mapping[str, int]
    # Anybody may read its ratings singly; else they may be told only among others.
    is_single: bool
    # Who sent it, as a key of at most 64 bytes; None when nobody can know.
    source: bytes | None
    # Among how many senders it was promised to be told, at least.
    fewest: int = 0


class Summed(NamedTuple):
    """One published sum of ratings of a place."""

    topic_id: int
    cell: int
    parameter: str
    n: int
    total: float
    squares: float
    # Days of the oldest and the newest audit in it.
    oldest: int
    newest: int
