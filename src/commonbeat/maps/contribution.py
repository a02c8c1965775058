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
