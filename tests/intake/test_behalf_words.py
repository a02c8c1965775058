"""The words of those who report for others, and their answers about consent."""

from __future__ import annotations

import pytest

from commonbeat.intake.behalf import behalf_in, consent_in, is_resigning


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("BEHALF dump", "dump"),
        ("on behalf of my neighbour: dump", "my neighbour: dump"),
        ("behalff, dump", "dump"),
        ("Në emër të nënës", "nënës"),
        ("نيابةً عن جاري", "جاري"),
        ("behalf", ""),
        ("For a week the lamp is dark", None),
        ("Për një javë s'ka dritë", None),
        ("عن ماذا تسألون", None),
        ("emër", None),
        ("النيابة العامة لم ترد", None),
    ],
)
def test_the_word_begins_a_message_and_is_confused_with_none(text: str, rest: str | None) -> None:
    found = behalf_in(text)
    assert (found[1] if found else None) == rest


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("1", "word"),
        ("1.", "word"),
        ("Yes", "word"),
        ("po", "word"),
        ("1 yes", "word"),
        ("٢", "writing"),
        ("3", "guardian"),
        ("4", "danger"),
        ("5", "refused"),
        ("5 no", "refused"),
        ("No", "refused"),
        ("لا", "refused"),
        ("5 yes", None),
        ("1 no", None),
        ("5 houses are burning", None),
        ("2 lamps are dark", None),
        ("6", None),
        ("0", None),
        ("no light in our street", None),
    ],
)
def test_an_answer_about_consent(text: str, kind: str | None) -> None:
    found = consent_in(text, ("en", "sq", "ar"))
    assert (found[0] if found else None) == kind


def test_resigning_is_the_whole_message() -> None:
    assert is_resigning("Resign!") and is_resigning("Dorëhiqem") and is_resigning("أستقيل")
    assert not is_resigning("the mayor must resign")
