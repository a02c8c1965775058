"""The language of a message: told from enough text, and never guessed."""

from __future__ import annotations

import pytest

from commonbeat.intake.language import by_script, recognise, recognise_surely

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
