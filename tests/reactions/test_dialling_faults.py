"""USSD when things go wrong: repeats, drops, odd entries, long texts, faults of our own."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from commonbeat.intake import screens, texts
from commonbeat.messaging.actions import AddressError, understand_batch
from commonbeat.messaging.models import Contact, Inbound, InboundState, Outbound, OutboundState
from commonbeat.messaging.queries import conversation, text_of
from commonbeat.reactions import dialling
from commonbeat.reactions.dialling import Screen
from commonbeat.reactions.inbound import handle
from commonbeat.reports.models import Message, PlaceSource, Report
from tests.reactions.handset import CHANNEL, Handset, make_town

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _town(unit: object) -> None:
    make_town()


# ------------------------------------------------------------------ the network's faults


def test_a_repeated_request_is_answered_the_same_and_done_once() -> None:
    handset = Handset()
    assert handset.dial() == handset.again()
    first = handset.enter("DUMP old mattress")
    assert [handset.again() for _ in range(5)] == [first] * 5
    assert Report.objects.count() == 1
    assert Inbound.objects.count() == 1
    where = handset.enter("Old Bridge")
    assert handset.again() == where
    # An old request that comes late is answered as it was, and changes nothing.
    handset.entered.pop()
    assert handset.again() == first
    assert Report.objects.get().latitude == 42.381
    assert Message.objects.count() == 0


def test_the_same_entry_twice_in_a_session_is_two() -> None:
    handset = Handset()
    handset.dial()
    handset.enter("DUMP old mattress at the Old Bridge")
    handset.enter("and a fridge")
    handset.enter("and a fridge")
    assert Message.objects.count() == 2


def test_the_same_entries_in_another_session_or_of_another_telephone_are_new() -> None:
    for handset in (Handset(), Handset("+38344999888"), Handset()):
        handset.dial()
        handset.enter("NEW DUMP at the Old Bridge")
    assert Report.objects.count() == 3


def test_an_asterisk_and_a_step_that_never_came_are_kept() -> None:
    handset = Handset()
    handset.dial()
    handset.enter("DUMP at the Old Bridge, two*three sacks")
    assert Report.objects.get().text == "at the Old Bridge, two*three sacks"
    handset.entered += ["and this"]
    handset.enter("and that")
    assert [message.text for message in Message.objects.all()] == ["and this*and that"]


def test_pages_are_turned_without_telling_the_dialogue() -> None:
    handset = Handset()
    handset.dial()
    first = handset.enter("somebody has painted over the sign again at the Old Bridge")
    assert first.text.endswith("\n00 more")
    heard = Inbound.objects.count()
    second = handset.enter("00")
    assert second != first
    assert handset.again() == second
    assert Inbound.objects.count() == heard
    # An entry on the second page is the answer to the whole.
    handset.enter("1")
    assert Report.objects.get().topic.code == "illegal-dump"


def test_where_there_is_no_further_page_00_leaves() -> None:
    handset = Handset()
    handset.dial()
    handset.enter("light is broken")
    assert handset.enter("00").text.startswith(texts.for_phone(texts.left())[:20])


def test_what_cannot_be_understood_now_is_kept_for_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: object) -> list[str]:
        raise RuntimeError("secret words")

    handset = Handset()
    handset.dial()
    with monkeypatch.context() as patch:
        patch.setattr(dialling, "handle", broken)
        screen = handset.enter("DUMP at the Old Bridge")
    assert screen == Screen(screens.comes_later(), goes_on=False)
    assert handset.again() == screen
    assert Inbound.objects.get().state == InboundState.NEW
    assert Report.objects.count() == 0
    understand_batch(handle, handset.now)
    assert Report.objects.get().channel == CHANNEL
    (reply,) = Outbound.objects.all()
    assert reply.state == OutboundState.QUEUED
    assert reply.channel == "demo_sms"


def test_an_answer_is_kept_sealed_and_sent_by_nobody() -> None:
    handset = Handset()
    handset.dial()
    screen = handset.enter("DUMP at the Old Bridge")
    (row,) = Outbound.objects.all()
    assert (row.state, row.channel, row.segments) == (OutboundState.DELIVERED, CHANNEL, 0)
    assert screen.text.encode() not in bytes(row.body_sealed)
    assert text_of(row) == screen.text
    assert [said.from_us for said in conversation(Contact.objects.get())] == [False, True]


def test_after_stop_a_screen_says_so_and_nothing_is_lost() -> None:
    handset = Handset()
    handset.dial()
    assert not handset.enter("STOP").goes_on
    handset.dial()
    screen = handset.enter("DUMP at the Old Bridge")
    assert texts.stopped()[:20] in screen.text
    assert Report.objects.count() == 1


def test_dialling_alone_stores_nothing() -> None:
    Handset().dial()
    assert not Contact.objects.exists()
    assert not Inbound.objects.exists()


@pytest.mark.parametrize(
    "said", ["\x00", "😀😀", "\u202e", "*", "**", "x" * 4000, "0*0*0", "00*00*00", "*" * 3000, "\ud800"]
)
def test_odd_entries_get_a_screen(said: str) -> None:
    handset = Handset()
    handset.dial()
    assert handset.enter(said).text
    assert handset.again().text


def test_a_caller_without_a_number_is_refused() -> None:
    for number in ("", "private", "anonymous", "\x00"):
        with pytest.raises(AddressError):
            Handset(number).dial()


def test_an_unfinished_dialogue_is_forgotten_after_two_days() -> None:
    handset = Handset()
    handset.dial()
    handset.enter("somebody has painted over the sign again")
    handset.now += timedelta(hours=48)
    assert "\n1 Topics" in handset.dial().text


def test_a_long_session_costs_no_more_queries_than_a_short_one() -> None:
    handset = Handset()
    handset.dial()
    handset.enter("DUMP at the Old Bridge")
    handset.enter("a first addition to it")
    with CaptureQueriesContext(connection) as short:
        handset.enter("a second addition to it")
    for number in range(20):
        handset.enter(f"addition number {number}")
    with CaptureQueriesContext(connection) as long:
        handset.enter("a last addition to it")
    assert len(long) <= len(short)


def test_coordinates_can_be_entered() -> None:
    handset = Handset()
    handset.dial()
    handset.enter("light is broken")
    handset.enter("42.3771, 20.4412")
    report = Report.objects.get()
    assert (report.latitude, report.place_source) == (42.3771, PlaceSource.COORDINATES)
