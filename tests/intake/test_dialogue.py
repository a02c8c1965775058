"""The step alone: each rule by an example."""

from __future__ import annotations

import itertools
import re
from datetime import timedelta

import pytest
from django.utils import translation
from msgspec.structs import replace

from commonbeat.foundation.ids import new_reference
from commonbeat.intake import texts
from commonbeat.intake.commands import Word, parse_command
from commonbeat.intake.dialogue import step
from commonbeat.intake.scene import ADDITION_SECONDS
from commonbeat.intake.standing import MISSES
from commonbeat.intake.state import (
    REFERENCE_MARK,
    Answer,
    Asks,
    Heard,
    Question,
    SetLanguage,
    SetPlace,
    SetTopic,
    Standing,
    Start,
    State,
    Stop,
    Submit,
    Turn,
    finish,
    seconds,
)
from tests.intake.fake_world import PLACES, TOPICS, FakeWorld
from tests.make import NOW

LANGUAGES = ("en", "sq", "ar")
REFERENCE = "KX7M-4QXP-2R"
CODES = tuple(topic.code for topic in TOPICS)


def after(turn: Turn, report_id: int = 1) -> State:
    return finish(turn, report_id=report_id, reference=REFERENCE).state


# ------------------------------------------------------------------ reports


def test_a_keyword_and_a_place_make_a_complete_report() -> None:
    turn = step(State(), Heard("DUMP old mattress near the Old Bridge"), FakeWorld(), NOW)
    assert turn.intents == (Submit("illegal-dump", "old mattress near the Old Bridge", "en", PLACES[0]),)
    assert turn.replies == (texts.thanks_placed(reference=REFERENCE_MARK, place="Old Bridge"),)
    assert turn.state.asks is Asks.CORRECT


def test_a_hash_before_the_keyword_is_understood() -> None:
    turn = step(State(), Heard("#street light dark at Market Street"), FakeWorld(), NOW)
    assert isinstance(turn.intents[0], Submit) and turn.intents[0].topic == "street-light"


def test_coordinates_in_the_text_are_taken_as_they_stand() -> None:
    turn = step(State(), Heard("dump here https://maps.google.com/?q=42.3812,20.4301"), FakeWorld(), NOW)
    assert isinstance(turn.intents[0], Submit) and turn.intents[0].spot is not None
    assert (turn.intents[0].spot.latitude, turn.intents[0].spot.longitude) == (42.3812, 20.4301)


def test_free_text_is_a_report_for_the_desk_to_sort_and_where_is_asked_before_what() -> None:
    first = step(State(), Heard("somebody painted the wall again"), FakeWorld(), NOW)
    assert first.intents == (Submit("", "somebody painted the wall again", "en", None),)
    assert first.replies == (texts.thanks_where(reference=REFERENCE_MARK),)
    second = step(after(first), Heard("old bridge"), FakeWorld(), NOW)
    assert second.intents == (SetPlace(1, PLACES[0]),)
    assert second.replies == (texts.placed_topic(place="Old Bridge", topics=[topic.name for topic in TOPICS]),)
    third = step(second.state, Heard("٢"), FakeWorld(), NOW)
    assert third.intents == (SetTopic(1, "street-light"),)
    assert third.replies == (texts.sorted_as(topic="Street light"),)


def test_a_sensitive_word_anywhere_makes_the_report_sensitive() -> None:
    turn = step(State(), Heard("there is violence at home every night"), FakeWorld(), NOW)
    assert isinstance(turn.intents[0], Submit) and turn.intents[0].topic == "violence"
    assert turn.replies == (texts.sensitive_where(reference=REFERENCE_MARK, emergency="112"),)
    placed = step(after(turn), Heard("Old Bridge"), FakeWorld(), NOW)
    assert placed.replies == (texts.placed(place="Old Bridge"),)


def test_two_places_of_one_name_are_asked_about() -> None:
    state = State(asks=Asks.PLACE, report_id=4, last_report_id=4, last_at=seconds(NOW))
    turn = step(state, Heard("School"), FakeWorld(), NOW)
    assert turn.replies == (texts.which_place(places=["School, north", "School, south"]),)
    assert turn.intents == ()
    assert step(turn.state, Heard("2"), FakeWorld(), NOW).intents == (SetPlace(4, PLACES[3]),)


def test_an_unknown_place_is_kept_and_asked_for_once_more_only() -> None:
    state = State(asks=Asks.PLACE, report_id=4, last_report_id=4, last_at=seconds(NOW))
    first = step(state, Heard("behind the blue kiosk"), FakeWorld(), NOW)
    assert first.intents == (SetPlace(4, name="behind the blue kiosk"), Answer(4, "behind the blue kiosk"))
    assert first.replies == (texts.unknown_place(),)
    second = step(first.state, Heard("near the big tree"), FakeWorld(), NOW)
    assert second.replies == (texts.place_to_desk(),)
    assert second.state.asks is Asks.NOTHING


def test_the_place_can_be_left_out() -> None:
    state = State(asks=Asks.PLACE, report_id=4, last_report_id=4, last_at=seconds(NOW))
    for text in ("0", "٠", "no", "I don't know", "nuk e di", "لا أعرف"):
        turn = step(state, Heard(text), FakeWorld(), NOW)
        assert turn.intents == ()
        assert turn.replies == (texts.left(),)
        assert turn.state.asks is Asks.NOTHING


def test_a_wrong_place_is_corrected_by_texting_the_right_one() -> None:
    state = State(asks=Asks.CORRECT, report_id=4, last_report_id=4, last_at=seconds(NOW))
    assert step(state, Heard("Market Street"), FakeWorld(), NOW).intents == (SetPlace(4, PLACES[1]),)
    assert step(state, Heard("and a fridge, too"), FakeWorld(), NOW).intents == (Answer(4, "and a fridge, too"),)


def test_an_answer_to_where_that_says_more_is_kept_whole() -> None:
    soon = State(asks=Asks.PLACE, report_id=4, topic="street-light", last_report_id=4, last_at=seconds(NOW))
    late = replace(soon, last_at=seconds(NOW) - 80_000)
    for text in ("fire at the Old Bridge", "fire near the School", "come quick 42.38123, 20.43123"):
        assert Answer(4, text) in step(soon, Heard(text), FakeWorld(), NOW).intents
        assert isinstance(step(late, Heard(text), FakeWorld(), NOW).intents[0], Submit)
    for text in ("at the Old Bridge", "old bridge", "42.38123, 20.43123"):
        for state in (soon, late):
            turn = step(state, Heard(text), FakeWorld(), NOW)
            assert [type(intent) for intent in turn.intents] == [SetPlace]
    turn = step(soon, Heard("DUMP at 42.38123, 20.43123"), FakeWorld(), NOW)
    assert isinstance(turn.intents[0], Submit) and turn.intents[0].topic == "illegal-dump"


def test_a_no_to_the_place_asks_for_the_right_one() -> None:
    state = State(asks=Asks.CORRECT, report_id=4, last_report_id=4, last_at=seconds(NOW))
    turn = step(state, Heard("No"), FakeWorld(), NOW)
    assert turn.replies == (texts.where_then(),) and turn.state.asks is Asks.PLACE
    assert step(turn.state, Heard("Market Street"), FakeWorld(), NOW).intents == (SetPlace(4, PLACES[1]),)


def test_a_place_that_begins_with_the_reports_own_keyword_is_its_place() -> None:
    state = State(asks=Asks.PLACE, report_id=4, topic="street-light", last_report_id=4, last_at=seconds(NOW))
    turn = step(state, Heard("light at the corner of Market Street"), FakeWorld(), NOW)
    assert SetPlace(4, PLACES[1]) in turn.intents
    other = step(state, Heard("dump at the corner of Market Street"), FakeWorld(), NOW)
    assert isinstance(other.intents[0], Submit)


@pytest.mark.parametrize("text", ["#2", "# 1", "#!"])
def test_a_hash_before_no_word_is_no_new_report(text: str) -> None:
    assert not any(isinstance(i, Submit) for i in step(State(), Heard(text), FakeWorld(), NOW).intents)


def test_what_follows_within_half_an_hour_belongs_to_the_last_report() -> None:
    state = State(last_report_id=4, last_at=seconds(NOW))
    soon, late = (NOW + timedelta(seconds=ADDITION_SECONDS + more) for more in (0, 1))
    assert step(state, Heard("they came back just now"), FakeWorld(), soon).intents == (
        Answer(4, "they came back just now"),
    )
    assert isinstance(step(state, Heard("they came back just now"), FakeWorld(), late).intents[0], Submit)
    assert isinstance(step(state, Heard("light out in Market Street"), FakeWorld(), soon).intents[0], Submit)
    assert isinstance(step(state, Heard("NEW they came back just now"), FakeWorld(), soon).intents[0], Submit)


def test_an_old_question_for_the_place_does_not_swallow_a_new_report() -> None:
    state = State(asks=Asks.PLACE, report_id=4, last_report_id=4, last_at=seconds(NOW) - 86_000)
    turn = step(state, Heard("a man sells broken bicycles on the square"), FakeWorld(), NOW)
    assert isinstance(turn.intents[0], Submit)
    assert step(state, Heard("Old Bridge"), FakeWorld(), NOW).intents == (SetPlace(4, PLACES[0]),)


def test_the_menu_leads_to_a_report_in_two_steps_or_one() -> None:
    menu = step(State(), Heard("MENU"), FakeWorld(), NOW)
    assert menu.state.asks is Asks.MENU
    assert menu.replies == (texts.menu(topics=[topic.name for topic in TOPICS]),)
    chosen = step(menu.state, Heard("1"), FakeWorld(), NOW)
    assert chosen.replies == (texts.tell_us(),)
    told = step(chosen.state, Heard("mattress at the Old Bridge"), FakeWorld(), NOW)
    assert told.intents == (Submit("illegal-dump", "mattress at the Old Bridge", "en", PLACES[0]),)
    at_once = step(menu.state, Heard("1. mattress at the Old Bridge"), FakeWorld(), NOW)
    assert at_once.intents == told.intents


def test_a_keyword_alone_asks_what_happened() -> None:
    turn = step(State(), Heard("dump"), FakeWorld(), NOW)
    assert turn.intents == () and turn.replies == (texts.tell_us(),)
    assert step(State(), Heard("violence"), FakeWorld(), NOW).replies == (texts.tell_us_danger(emergency="112"),)


@pytest.mark.parametrize(
    "text", ["", " ", "\x00\x07", "hi", "Hello!", "Përshëndetje", "مرحبا", "a", "?", "!!!", "😀", "HELP"]
)
def test_what_says_nothing_gets_the_help(text: str) -> None:
    turn = step(State(), Heard(text), FakeWorld(language="ar" if text == "مرحبا" else "en"), NOW)
    assert turn.intents == ()
    with translation.override("ar" if text == "مرحبا" else "en"):
        assert turn.replies == (texts.help_text(emergency="112"),)


def test_thanks_need_no_answer() -> None:
    turn = step(State(), Heard("Faleminderit!"), FakeWorld(), NOW)
    assert turn.replies == () and turn.intents == ()


@pytest.mark.parametrize(
    "text", ["stop the dumping at the bridge", "help they are beating my neighbour", "state of the road is terrible",
             "حالة عنف في الشارع الآن", "start of a fire behind the school", "no water in our street since monday"]
)  # fmt: skip
def test_a_sentence_that_begins_with_a_command_word_is_a_report(text: str) -> None:
    assert any(isinstance(intent, Submit) for intent in step(State(), Heard(text), FakeWorld(), NOW).intents)


# ------------------------------------------------------------------ the desk's question


def test_every_answer_to_the_desk_goes_to_the_desk() -> None:
    state = State(asks=Asks.ANSWER, report_id=8, last_report_id=8, last_at=seconds(NOW))
    for text in ("0", "no", "jo", "ok", "3", "light is still off", "👍", "hi"):
        turn = step(state, Heard(text), FakeWorld(), NOW)
        assert turn.intents == (Answer(8, text),)
        assert turn.replies == (texts.answered(),)
    assert isinstance(step(state, Heard("NEW dump at Old Bridge"), FakeWorld(), NOW).intents[0], Submit)
    assert step(state, Heard("STOP"), FakeWorld(), NOW).intents == (Stop(),)


def test_a_question_of_last_week_is_still_answered_but_a_keyword_begins_a_report() -> None:
    world = FakeWorld(question=Question(8, 80))
    assert step(State(), Heard("the blue one"), world, NOW).intents == (Answer(8, "the blue one"),)
    assert isinstance(step(State(), Heard("dump at Old Bridge"), world, NOW).intents[0], Submit)
    left = step(State(), Heard("CANCEL"), world, NOW)
    assert left.replies == (texts.left(),)
    assert isinstance(step(left.state, Heard("the blue one is here"), world, NOW).intents[0], Submit)


# ------------------------------------------------------------------ status


def test_status_tells_how_a_report_stands() -> None:
    reference = new_reference()
    world = FakeWorld(reports={reference: Standing(1, reference, "triaged")}, own=Standing(2, reference, "new"))
    for text in (
        f"STATUS {reference}",
        f"status: {reference.lower()}",
        reference,
        f"Gjendja {reference}",
        f"حالة {reference}",
    ):
        turn = step(State(), Heard(text), world, NOW)
        assert turn.replies[0].endswith(texts.state_sentence("triaged"))
    assert step(State(), Heard("STATUS"), world, NOW).replies[0].endswith(texts.state_sentence("new"))
    assert step(State(), Heard("status"), FakeWorld(), NOW).replies == (texts.no_report_yet(),)


def test_wrong_references_are_slowed_however_they_are_asked() -> None:
    world = FakeWorld()
    state = State()
    ask = itertools.cycle(["STATUS {}", "{}", "{} hello there again"])
    for _ in range(MISSES):
        state = after(step(state, Heard(next(ask).format(new_reference())), world, NOW))
    assert len(world.looked_up) == MISSES
    turn = step(state, Heard(f"STATUS {new_reference()}"), world, NOW)
    assert turn.replies == (texts.too_many_tries(),)
    step(state, Heard(f"{new_reference()} hello there again"), world, NOW)
    assert len(world.looked_up) == MISSES
    stopped = step(step(state, Heard("STOP"), world, NOW).state, Heard("START"), world, NOW).state
    assert step(stopped, Heard(new_reference()), world, NOW).replies == (texts.too_many_tries(),)
    later = NOW + timedelta(seconds=3_601)
    assert step(state, Heard(new_reference()), world, later).replies == (texts.bad_reference(),)


def test_a_reference_before_a_text_adds_to_that_report() -> None:
    reference = new_reference()
    world = FakeWorld(reports={reference: Standing(6, reference, "resolved")})
    text = f"{reference} it is dark again"
    assert step(State(), Heard(text), world, NOW).intents == (Answer(6, text),)


@pytest.mark.parametrize("text", ["STATUS KX7M4QXP2Z", "status KX7M-4QXP-2Z", "Status 1234"])
def test_a_mistyped_reference_is_told_so_and_not_counted(text: str) -> None:
    turn = step(State(), Heard(text), FakeWorld(), NOW)
    assert turn.replies == (texts.bad_reference(),)
    assert turn.state.misses == 0


# ------------------------------------------------------------------ language, stop, start


def test_the_language_is_recognised_once_and_remembered() -> None:
    turn = step(State(), Heard("dikush ka hedhur një dyshek"), FakeWorld(language=""), NOW)
    assert turn.intents[0] == SetLanguage("sq")
    assert isinstance(turn.intents[1], Submit) and turn.intents[1].language == "sq"
    known = step(State(), Heard("dikush ka hedhur një dyshek"), FakeWorld(language="en"), NOW)
    assert not any(isinstance(intent, SetLanguage) for intent in known.intents)


@pytest.mark.parametrize(
    ("text", "code"),
    [("SHQIP", "sq"), ("english", "en"), ("عربي", "ar"), ("LANGUAGE ALBANIAN", "sq"), ("gjuha en", "en")],
)
def test_the_language_is_switched_by_its_name(text: str, code: str) -> None:
    assert step(State(), Heard(text), FakeWorld(), NOW).intents == (SetLanguage(code),)


def test_the_language_is_switched_by_number() -> None:
    asked = step(State(), Heard("language"), FakeWorld(), NOW)
    assert asked.replies == ("1 ENGLISH 2 SHQIP 3 عربي",)
    assert step(asked.state, Heard("2"), FakeWorld(), NOW).intents == (SetLanguage("sq"),)


def test_another_language_is_followed_the_second_time_or_at_once_where_the_first_was_a_guess() -> None:
    albanian = "dikush ka hedhur një dyshek"
    first = step(State(), Heard(albanian), FakeWorld(language="en"), NOW)
    assert not any(isinstance(intent, SetLanguage) for intent in first.intents)
    late = replace(first.state, asks=Asks.NOTHING, last_at=0)
    second = step(late, Heard(albanian), FakeWorld(language="en"), NOW)
    assert second.intents[0] == SetLanguage("sq")
    english = step(late, Heard("somebody has painted the wall"), FakeWorld(language="en"), NOW)
    assert english.state.leaning == ""
    unsure = step(late, Heard("what now"), FakeWorld(language="en"), NOW)
    assert unsure.state.leaning == "sq" and not any(isinstance(i, SetLanguage) for i in unsure.intents)
    guessed = step(State(), Heard(albanian), FakeWorld(language=""), NOW).state
    switched = step(guessed, Heard("NEW somebody has painted the wall here"), FakeWorld(language="sq"), NOW)
    assert switched.intents[0] == SetLanguage("en")


def test_a_chosen_language_stays() -> None:
    state = step(State(), Heard("SHQIP"), FakeWorld(), NOW).state
    for _ in range(3):
        turn = step(state, Heard("NEW somebody has painted the wall here"), FakeWorld(language="sq"), NOW)
        assert not any(isinstance(intent, SetLanguage) for intent in turn.intents)
        state = after(turn)


def test_the_name_of_a_place_says_nothing_of_the_persons_language() -> None:
    state = State(asks=Asks.PLACE, report_id=4, last_report_id=4, last_at=seconds(NOW))
    turn = step(state, Heard("Rruga e Vjetër 12"), FakeWorld(language=""), NOW)
    assert not any(isinstance(intent, SetLanguage) for intent in turn.intents)


def test_the_place_can_be_corrected_while_the_topic_is_asked_for() -> None:
    state = State(asks=Asks.TOPIC, report_id=4, options=CODES, unsorted=True, last_report_id=4, last_at=seconds(NOW))
    turn = step(state, Heard("Market Street"), FakeWorld(), NOW)
    assert turn.intents == (SetPlace(4, PLACES[1]),)
    assert turn.state.asks is Asks.TOPIC


def test_a_language_that_the_site_does_not_speak_is_no_command() -> None:
    world = FakeWorld(languages=("en",))
    assert not any(isinstance(i, SetLanguage) for i in step(State(), Heard("SHQIP"), world, NOW).intents)


def test_after_stop_only_start_is_answered_and_reports_are_kept_all_the_same() -> None:
    world = FakeWorld(stopped=True)
    report = step(State(), Heard("a fire behind the school"), world, NOW)
    assert report.replies == () and isinstance(report.intents[0], Submit)
    assert step(State(), Heard("STOP"), world, NOW).replies == ()
    start = step(State(), Heard("Start"), world, NOW)
    assert start.intents == (Start(),) and start.replies == (texts.started(),)
    told = step(State(), Heard("Start"), FakeWorld(stopped=True, meanwhile=[REFERENCE]), NOW)
    assert REFERENCE in told.replies[0]


@pytest.mark.parametrize(
    ("text", "word"),
    [("STATSU", Word.STATUS), ("Statusi", Word.STATUS), ("HLEP", Word.HELP), ("ndihme", Word.HELP),
     ("NDIHMË!", Word.HELP), ("مساعدة", Word.HELP), ("cancle", Word.CANCEL), ("Anulo", Word.CANCEL),
     ("إلغاء", Word.CANCEL), ("langauge", Word.LANGUAGE), ("اللغة", Word.LANGUAGE), ("ابدأ", Word.START),
     ("fillo", Word.START), ("القائمة", Word.MENU), ("٠", Word.CANCEL)],
)  # fmt: skip
def test_command_words_are_forgiving(text: str, word: Word) -> None:
    command = parse_command(text, LANGUAGES)
    assert command is not None and command.word is word


def test_albanian_letters_do_not_double_the_cost() -> None:
    assert texts.for_phone("Faleminderit. Numri është çelësi.") == "Faleminderit. Numri eshte celesi."
    assert texts.for_phone("شكرا është") == "شكرا është"
    assert re.fullmatch(r"[A-Z0-9-]{12}", REFERENCE)
