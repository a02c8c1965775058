"""Whoever guesses is slowed down by what is tried; whoever has a receipt is not."""

from __future__ import annotations

import pytest

from commonbeat.tips import queries, receipts
from commonbeat.tips.actions.trying import MOST_WRONG, count_wrong
from commonbeat.tips.errors import TooManyTries
from tests.tips.desks import desk_with, tip_at


@pytest.mark.django_db
def test_guessers_wait_and_sources_do_not() -> None:
    desk, _seats = desk_with()
    tip, receipt = tip_at(desk)
    wrong = receipts.look_up(receipts.new_receipt())
    for _ in range(MOST_WRONG):
        count_wrong(looked_up=wrong)
    with pytest.raises(TooManyTries):
        count_wrong(looked_up=wrong)
    found = queries.find_by_receipt(receipt)
    assert found is not None
    assert found.pk == tip.pk


def test_many_different_guesses_are_slowed_down_too() -> None:
    tried = 0
    with pytest.raises(TooManyTries):
        for _ in range(40 * MOST_WRONG):
            tried += 1
            count_wrong(looked_up=receipts.look_up(receipts.new_receipt()))
    assert tried < 16 * MOST_WRONG + MOST_WRONG
