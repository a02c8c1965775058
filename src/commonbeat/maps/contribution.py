"""What maps are told of a publication: plain rows, for maps do not know reports."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import compress
from typing import NamedTuple


class Contribution(NamedTuple):
    """A publication as it stands, counted or not."""

    publication_id: int
    topic_id: int
    # The first of its categories, for a report counts once; "" without any.
    category: str
    # H3 cell of the public place; 0 without one.
    cell: int
    # Seconds from 1970-01-01 UTC.
    public_at: int
    # Anybody may see it singly; else it may be told only among others.
    is_single: bool
    is_public: bool
    # Who sent it, as a keyed hash of at most 64 bytes that nothing stores; None when nobody can know.
    source: bytes | None
    # Among how many senders it was promised to be told, at least; 0 where it is told singly.
    fewest: int = 0


class Contributions(NamedTuple):
    """Many publications as they stand, column by column: ten million as rows would be ten million objects."""

    publication_id: Sequence[int]
    topic_id: Sequence[int]
    category: Sequence[str]
    cell: Sequence[int]
    public_at: Sequence[int]
    is_single: Sequence[bool]
    is_public: Sequence[bool]
    source: Sequence[bytes | None]
    fewest: Sequence[int]

    def only(self, which: Sequence[bool]) -> Contributions:
        """Keep some."""
        return Contributions._make(list(compress(column, which)) for column in self)

    def rows(self) -> Iterator[Contribution]:
        """Give them one by one."""
        return map(Contribution._make, zip(*self, strict=True))


class Sending(NamedTuple):
    """How a counted publication came in."""

    topic_id: int
    # "" where it says nothing of who reports, as with a file's rows.
    channel: str
    language: str
    # Seconds from 1970-01-01 UTC; None where the moment says nothing of a person's hours.
    received_at: int | None
    source: bytes | None
