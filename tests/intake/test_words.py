"""The step alone: topic words, command words and places, wherever they stand in a report."""

from __future__ import annotations

import pytest

from commonbeat.intake import texts
from commonbeat.intake.dialogue import step
from commonbeat.intake.state import REFERENCE_MARK, Asks, Heard, SetPlace, SetTopic, State, Submit, Turn, finish
from tests.intake.fake_world import PLACES, FakeWorld
from tests.make import NOW


def after(turn: Turn) -> State:
    return finish(turn, report_id=1, reference="KX7M-4QXP-2R").state


def test_a_topic_word_anywhere_is_taken_and_said_and_menu_corrects_it() -> None:
    first = step(State(), Heard("broken light near the Old Bridge"), FakeWorld(), NOW)
    assert isinstance(first.intents[0], Submit) and first.intents[0].topic == "street-light"
    assert first.replies == (texts.thanks_guessed(reference=REFERENCE_MARK, topic="Street light", place="Old Bridge"),)
    menu = step(after(first), Heard("MENU"), FakeWorld(), NOW)
    assert menu.state.asks is Asks.TOPIC
    sorted_ = step(menu.state, Heard("1"), FakeWorld(), NOW)
    assert sorted_.intents == (SetTopic(1, "illegal-dump"),)
    again = step(sorted_.state, Heard("MENU"), FakeWorld(), NOW)
    assert again.state.asks is Asks.MENU


def test_the_place_is_asked_for_after_a_guessed_topic_was_corrected() -> None:
    first = step(State(), Heard("there is a broken light"), FakeWorld(), NOW)
    assert first.replies == (texts.thanks_guessed_where(reference=REFERENCE_MARK, topic="Street light"),)
    menu = step(after(first), Heard("MENU"), FakeWorld(), NOW)
    sorted_ = step(menu.state, Heard("1"), FakeWorld(), NOW)
    assert sorted_.replies == (texts.sorted_where(topic="Illegal dump"),)
    assert step(sorted_.state, Heard("Old Bridge"), FakeWorld(), NOW).intents == (SetPlace(1, PLACES[0]),)


def test_words_of_two_topics_leave_the_menu_to_decide() -> None:
    turn = step(State(), Heard("broken light on the dump near the Old Bridge"), FakeWorld(), NOW)
    assert isinstance(turn.intents[0], Submit) and turn.intents[0].topic == ""
    assert turn.state.asks is Asks.TOPIC


@pytest.mark.parametrize(
    ("text", "topic", "stored"),
    [
        ("DUMP old car", "illegal-dump", "old car"),
        ("#dump old car", "illegal-dump", "old car"),
        ("NEW LIGHT lamp off", "street-light", "lamp off"),
        ("NEW: light is off", "street-light", "light is off"),
        ("new light is off", "street-light", "light is off"),
        ("NEW the neighbours painted it", "", "the neighbours painted it"),
        ("Light is broken", "street-light", "Light is broken"),
        ("LIGHT is broken", "street-light", "LIGHT is broken"),
        ("DUMP OLD CAR", "illegal-dump", "DUMP OLD CAR"),
        ("DUMP at the corner", "illegal-dump", "at the corner"),
        ("STREET LIGHT: lamp off", "street-light", "lamp off"),
        ("RI LIGHT llampa e fikur", "street-light", "llampa e fikur"),
        ("جديد نفايات كثيرة", "illegal-dump", "نفايات كثيرة"),
        ("LIGHT lamp out 42.6612, 21.1690", "street-light", "lamp out"),
        ("light out https://maps.google.com/?q=42.3812,20.4301 since May", "street-light", "light out since May"),
        ("42.6612, 21.1690", "", ""),
    ],
)  # fmt: skip
def test_command_words_and_coordinates_do_not_stay_in_the_text(text: str, topic: str, stored: str) -> None:
    turn = step(State(), Heard(text), FakeWorld(), NOW)
    submit = turn.intents[-1]
    assert isinstance(submit, Submit)
    assert (submit.topic, submit.text) == (topic, stored)


def test_two_places_in_a_report_are_asked_about() -> None:
    first = step(State(), Heard("DUMP mattress Old Bridge Market Street"), FakeWorld(), NOW)
    assert first.replies == (texts.thanks_which(reference=REFERENCE_MARK, places=["Old Bridge", "Market Street"]),)
    assert isinstance(first.intents[0], Submit) and first.intents[0].spot is None
    assert step(after(first), Heard("2"), FakeWorld(), NOW).intents == (SetPlace(1, PLACES[1]),)
    at = step(State(), Heard("the Old Bridge mattress at Market Street"), FakeWorld(), NOW)
    assert isinstance(at.intents[0], Submit) and at.intents[0].spot == PLACES[1]
    sensitive = step(State(), Heard("violence Old Bridge Market Street"), FakeWorld(), NOW)
    assert "112" in sensitive.replies[0] and "1 Old Bridge 2 Market Street" in sensitive.replies[0]


def test_a_sensitive_report_names_the_place_that_was_found() -> None:
    turn = step(State(), Heard("violence near the Old Bridge"), FakeWorld(), NOW)
    assert turn.replies == (texts.sensitive(reference=REFERENCE_MARK, emergency="112", place="Old Bridge"),)
    assert "Old Bridge" in turn.replies[0]
