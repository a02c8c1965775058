"""The table of transitions, and how alike two reports are."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonbeat.reports import rules
from commonbeat.reports.models import State
from commonbeat.reports.rules import Likeness

# Written out once more on purpose: a change of the table is a change of what officers may do.
ALLOWED = {
    ("new", "triaged"), ("new", "rejected"), ("new", "duplicate"), ("new", "expired"),
    ("triaged", "published"), ("triaged", "resolved"), ("triaged", "rejected"), ("triaged", "duplicate"),
    ("triaged", "expired"), ("triaged", "new"),
    ("published", "resolved"), ("published", "triaged"), ("published", "expired"),
    ("resolved", "triaged"), ("resolved", "published"),
    ("rejected", "new"), ("duplicate", "new"), ("expired", "new"),
}  # fmt: skip


@pytest.mark.parametrize(("before", "after"), list(itertools.product(State.values, State.values)))
def test_the_table_is_what_is_written_here(before: str, after: str) -> None:
    assert rules.may_move(before, after) is ((before, after) in ALLOWED)


def test_every_state_is_in_the_table_and_none_is_a_dead_end() -> None:
    assert set(rules.TRANSITIONS) == set(State.values)
    for state in State.values:
        reached = {state}
        while more := {to for each in reached for to in rules.TRANSITIONS[each]} - reached:
            reached |= more
        assert rules.TRIAGED in reached


def test_an_unknown_state_moves_nowhere() -> None:
    assert not rules.may_move("verified", "published")
    assert not rules.may_move("new", "verified")


def like(
    *,
    metres: float | None = 0.0,
    hours: float = 0.0,
    text: float = 1.0,
    same_topic: bool = True,
    same_photo: bool = False,
) -> Likeness:
    """Make a likeness."""
    return Likeness(metres=metres, hours=hours, text=text, same_topic=same_topic, same_photo=same_photo)


def test_the_same_thing_said_twice_is_wholly_alike() -> None:
    assert like().score == pytest.approx(1.0)


def test_far_late_and_different_is_not_alike_at_all() -> None:
    assert like(metres=10_000, hours=1_000, text=0.0, same_topic=False).score == 0.0


def test_the_same_picture_is_near_proof() -> None:
    assert like(metres=None, hours=100, text=0.0, same_topic=False, same_photo=True).score >= 0.9


@given(
    metres=st.none() | st.floats(0, 100_000),
    hours=st.floats(0, 10_000),
    text=st.floats(0, 1),
    same_topic=st.booleans(),
    same_photo=st.booleans(),
)
def test_a_score_is_between_nothing_and_all(
    metres: float | None, hours: float, text: float, same_topic: bool, same_photo: bool
) -> None:
    one = like(metres=metres, hours=hours, text=text, same_topic=same_topic, same_photo=same_photo)
    assert 0.0 <= one.score <= 1.0
    if metres is not None:
        assert (
            like(metres=metres + 50, hours=hours, text=text).score <= like(metres=metres, hours=hours, text=text).score
        )
