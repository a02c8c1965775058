"""Pure decisions about reports: no ORM, no clock."""

from __future__ import annotations

from dataclasses import dataclass

NEW, TRIAGED, PUBLISHED = "new", "triaged", "published"
RESOLVED, REJECTED, DUPLICATE, EXPIRED = "resolved", "rejected", "duplicate", "expired"

# state → states that a person may move it to
TRANSITIONS: dict[str, frozenset[str]] = {
    NEW: frozenset({TRIAGED, REJECTED, DUPLICATE, EXPIRED}),
    TRIAGED: frozenset({PUBLISHED, RESOLVED, REJECTED, DUPLICATE, EXPIRED, NEW}),
    # Back to "triaged" is taking it off the public pages.
    PUBLISHED: frozenset({RESOLVED, TRIAGED, EXPIRED}),
    RESOLVED: frozenset({TRIAGED, PUBLISHED}),
    REJECTED: frozenset({NEW}),
    DUPLICATE: frozenset({NEW}),
    EXPIRED: frozenset({NEW}),
}
NEEDS_REASON = frozenset({REJECTED})
OPEN_STATES = frozenset({NEW, TRIAGED, PUBLISHED})
# States in which the public copy may be seen.
PUBLIC_STATES = frozenset({PUBLISHED, RESOLVED})
# Moves of which the reporter hears.
TOLD_STATES = frozenset({TRIAGED, PUBLISHED, RESOLVED, REJECTED, DUPLICATE, EXPIRED})


def may_move(from_state: str, to_state: str) -> bool:
    """Tell whether the table allows the move."""
    return to_state in TRANSITIONS.get(from_state, frozenset())


@dataclass(frozen=True, slots=True)
class Likeness:
    """How alike two reports are, with what a person needs to decide."""

    metres: float | None
    hours: float
    text: float
    same_topic: bool
    same_photo: bool

    @property
    def score(self) -> float:
        """Weigh place, time, text and photo into 0..1.

        Near in place and time is the precondition; text decides. A same picture (perceptual hash) is near proof.
        """
        near = 0.0 if self.metres is None else max(0.0, 1 - self.metres / NEAR_METRES)
        soon = max(0.0, 1 - self.hours / NEAR_HOURS)
        score = 0.35 * near + 0.2 * soon + 0.35 * self.text + (0.1 if self.same_topic else 0.0)
        return max(score, 0.9) if self.same_photo else score

    @property
    def is_worth_a_look(self) -> bool:
        """Tell whether a person should compare the two: near alone, with nothing in common, is no reason."""
        in_common = self.same_topic or self.same_photo or self.text >= ALIKE_FROM
        return in_common and self.score >= SUGGEST_FROM


NEAR_METRES = 500.0
NEAR_HOURS = 72.0
# Same topic, same spot, two days apart, other words: 0.52. At 0.45 the list filled with chance neighbours.
SUGGEST_FROM = 0.5
# Shared share of three-word runs from which two texts of different topics may tell of one thing.
ALIKE_FROM = 0.25
# Days after which a closed report is no longer suggested.
CLOSED_DAYS = 7
# Candidates compared exactly; 200 cost 1.7 ms (FACTS.md).
CANDIDATES = 200
