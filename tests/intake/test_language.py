"""The language of a message: told from enough text, and never guessed."""

from __future__ import annotations

import pytest

from commonbeat.intake.dialogue import step
from commonbeat.intake.language import by_script, of_script_alone, recognise, recognise_surely
from commonbeat.intake.state import Asks, Heard, LanguageBy, SetLanguage, State
from tests.intake.fake_world import FakeWorld
from tests.make import NOW

LANGUAGES = ("en", "sq", "ar")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("old mattress near the bridge", "en"),
        ("DUMP OLD MATTRESS NEAR THE BRIDGE", "en"),
        ("dyshek i vjeter afer ures", "sq"),
        ("llampa është prishur te shkolla", "sq"),
        ("هناك قمامة كثيرة قرب المدرسة", "ar"),
    ],
)
def test_a_sentence_is_recognised(text: str, code: str) -> None:
    assert recognise(text, LANGUAGES) == code


@pytest.mark.parametrize(
    "text", ["", "zjarr", "Gjakove", "help me", "ok mire", "12345 67890 1234", "مساعدة", "😀 😀 😀 😀"]
)
def test_too_little_is_not_guessed(text: str) -> None:
    assert recognise(text, LANGUAGES) is None


def test_a_language_that_the_site_does_not_speak_is_not_chosen() -> None:
    assert recognise("هناك قمامة كثيرة قرب المدرسة", ("en", "sq")) in (None, "en", "sq")
    assert recognise("dyshek i vjeter afer ures", ("en",)) in (None, "en")


def test_arabic_letters_decide_by_themselves_where_the_site_speaks_arabic() -> None:
    assert by_script("مساعدة", LANGUAGES) == "ar"
    assert by_script("مساعدة", ("en",)) is None
    assert by_script("STATUS بلاغ ok", LANGUAGES) is None


@pytest.mark.parametrize(
    ("text", "languages", "code"),
    [
        ("مساعدة", LANGUAGES, "ar"),
        ("هناك ٣ سيارات!", LANGUAGES, "ar"),
        ("كهرباء LIGHT", LANGUAGES, None),
        ("42.38, 20.43", LANGUAGES, None),
        ("مساعدة", ("en", "sq"), None),
        # Two languages of the site share the script: then it decides on neither.
        ("مساعدة", ("en", "ar", "fa"), None),
        ("помощь", ("en", "ru"), "ru"),
        ("βοήθεια", ("en", "el"), "el"),
        ("ndihmë", LANGUAGES, None),
    ],
)
def test_a_script_decides_where_one_language_of_the_site_has_it(
    text: str, languages: tuple[str, ...], code: str | None
) -> None:
    assert of_script_alone(text, languages) == code


@pytest.mark.parametrize("text", ["مساعدة", "الحالة", "مرحبا", "هناك قمامة كثيرة قرب المدرسة", "تنبيهات", "الضابط"])
@pytest.mark.parametrize("language_by", [LanguageBy.NOBODY, LanguageBy.GUESSED])
def test_a_message_in_arabic_letters_is_answered_in_arabic_at_once(text: str, language_by: LanguageBy) -> None:
    turn = step(State(language_by=language_by), Heard(text), FakeWorld(language="en"), NOW)
    assert SetLanguage("ar") in turn.intents and turn.state.language_by is LanguageBy.GUESSED
    assert by_script(turn.replies[0], LANGUAGES) == "ar"


@pytest.mark.parametrize(
    ("state", "text"),
    [
        # Named by the person: nothing else changes it.
        (State(language_by=LanguageBy.CHOSEN), "هناك قمامة كثيرة قرب المدرسة"),
        # The name of a place is in the language of the place.
        (State(asks=Asks.PLACE, report_id=3), "الجسر القديم"),
        (State(asks=Asks.OFFICER_PLACE), "شارع السوق"),
        # One word, in a script that decides nothing.
        (State(), "ndihmë"),
        (State(), "انجليزي"),
        (State(), "كهرباء LIGHT"),
    ],
)
def test_what_does_not_change_the_language(state: State, text: str) -> None:
    turn = step(state, Heard(text), FakeWorld(language="en"), NOW)
    assert not {SetLanguage("ar"), SetLanguage("sq")} & set(turn.intents)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("NEW the lamp is broken here since Monday evening", "en"),
        ("llampa është prishur te shkolla qysh dje", "sq"),
        ("هناك قمامة كثيرة قرب المدرسة", "ar"),
        ("garbage te shkolla", None),
        ("ok thank you", None),
    ],
)
def test_a_language_is_changed_only_where_it_is_sure(text: str, code: str | None) -> None:
    assert recognise_surely(text, LANGUAGES) == code
