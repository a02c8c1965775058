"""The numbers of tips do not tell how many complaints came between them."""

from __future__ import annotations

import pytest

from commonbeat.tips.actions.ending import delete_tip
from commonbeat.tips.actions.numbers import COMPLAINTS_FROM
from commonbeat.tips.models import DeskKind
from tests.make import NOW
from tests.tips.desks import desk_with, tip_at

pytestmark = pytest.mark.django_db


def test_a_complaint_between_two_tips_leaves_no_gap() -> None:
    tips, complaints = desk_with()[0], desk_with(kind=DeskKind.COMPLAINTS)[0]
    first = tip_at(tips, "One.")[0].pk
    numbers = [tip_at(complaints, f"He shouted {n}.")[0].pk for n in range(3)]
    assert tip_at(tips, "Two.")[0].pk == first + 1
    assert tip_at(desk_with()[0], "Three.")[0].pk == first + 2
    assert numbers == [COMPLAINTS_FROM, COMPLAINTS_FROM + 1, COMPLAINTS_FROM + 2]


@pytest.mark.parametrize("kind", DeskKind.values)
def test_the_number_of_a_deleted_one_is_not_given_again(kind: str) -> None:
    desk = desk_with(kind=kind)[0]
    gone = tip_at(desk, "One.")[0].pk
    delete_tip(tip_id=gone, now=NOW)
    assert tip_at(desk, "Two.")[0].pk == gone + 1
