"""What maps are told of a publication: plain rows, for maps do not know reports."""

from __future__ import annotations

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


class Sending(NamedTuple):
    """How a counted publication came in."""

    topic_id: int
    # "" where it says nothing of who reports, as with a file's rows.
    channel: str
    language: str
    # Seconds from 1970-01-01 UTC; None where the moment says nothing of a person's hours.
    received_at: int | None
    source: bytes | None
