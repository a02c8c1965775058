"""A long text in pieces is one message, in whatever order they come."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations

import pytest

from commonbeat.messaging import channel as contract
from commonbeat.messaging.actions import receive, understand_batch
from commonbeat.messaging.actions.pieces import WAIT
from commonbeat.messaging.channel import Piece
from commonbeat.messaging.models import Inbound, InboundState
from tests.make import NOW

pytestmark = pytest.mark.django_db
TEXTS = ("Somebody has left ", "an old car ", "at the bridge")


@pytest.fixture
def heard() -> list[str]:
    return []


@pytest.fixture
def listen(heard):
    def handle(contact, message, now) -> list[str]:
        heard.append(message.text)
        return []

    return lambda later=timedelta(): understand_batch(handle, NOW + later)


def take(number: int, *, reference: str = "7", total: int = 3, sender: str = "+38344123456", text: str = "") -> None:
    piece = Piece(reference, number, total)
    message = contract.Inbound(f"{sender}{reference}{number}", sender, text or TEXTS[number - 1], piece=piece)
    receive(channel="vonage_sms", message=message, now=NOW)


@pytest.mark.parametrize("order", list(permutations((1, 2, 3))))
@pytest.mark.parametrize("together", [True, False])
def test_it_is_understood_once_it_is_whole(order, together, listen, heard) -> None:
    for number in order:
        take(number)
        if not together:
            listen()
    listen()
    assert heard == ["".join(TEXTS)]
    assert set(Inbound.objects.values_list("state", flat=True)) == {InboundState.UNDERSTOOD}
    listen(WAIT * 2)
    assert len(heard) == 1


def test_what_never_came_is_marked_after_a_while_and_the_rest_is_kept(listen, heard) -> None:
    take(1)
    take(3)
    listen()
    listen(WAIT - timedelta(seconds=1))
    assert heard == []
    listen(WAIT)
    assert heard == ["Somebody has left  […] at the bridge"]
    listen(WAIT * 2)
    assert len(heard) == 1


def test_texts_of_others_and_other_texts_stay_apart(listen, heard) -> None:
    take(1, total=2)
    take(2, total=2, sender="+38349999888", text="the lamp")
    take(2, total=2, reference="8", text="the dump")
    take(2, total=2, text="the bridge")
    listen()
    assert heard == ["Somebody has left the bridge"]


def test_a_piece_that_waits_holds_up_nothing_else(listen, heard) -> None:
    take(1)
    listen()
    receive(channel="vonage_sms", message=contract.Inbound("m9", "+38344123456", "STOP"), now=NOW)
    listen()
    assert heard == ["STOP"]


def test_the_same_piece_twice_is_one(listen, heard) -> None:
    for number in (1, 1, 2, 2, 3):
        take(number)
    assert Inbound.objects.count() == 3
    listen()
    assert heard == ["".join(TEXTS)]
