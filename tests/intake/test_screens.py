"""Screens: no page is too long, no word of a text is lost, and a menu stands in lines."""

from __future__ import annotations

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from commonbeat.foundation.text import segments
from commonbeat.intake import screens

LANGUAGES = ("en", "sq", "ar")


def fits(page: str) -> bool:
    size = segments(page)
    return size.units <= {"GSM-7": 182, "UCS-2": 80}[size.encoding]


@given(st.text(max_size=900), st.sampled_from(LANGUAGES))
def test_every_page_fits_and_nothing_is_lost(text: str, language: str) -> None:
    with translation.override(language):
        more = screens.for_phone(f"\n{screens.MORE} {translation.gettext('more')}")
        pages = screens.pages(text)
    assert all(fits(page) for page in pages)
    assert all(page.endswith(more) for page in pages[:-1])
    said = "".join([page.removesuffix(more) for page in pages[:-1]] + [pages[-1]])
    assert "".join(said.split()) == "".join(text.split())


def test_a_text_of_one_screen_is_left_alone() -> None:
    assert screens.pages("x" * 182) == ("x" * 182,)
    assert screens.pages("ب" * 80) == ("ب" * 80,)
    assert len(screens.pages("x" * 183)) == 2
    assert len(screens.pages("ب" * 81)) == 2
    # Signs that take two places of GSM-7.
    assert len(screens.pages("€" * 92)) == 2


def test_a_page_ends_between_words_and_between_lines_where_it_can() -> None:
    first, second = screens.pages("word " * 60)
    assert first.endswith("word\n00 more")
    assert second.startswith("word")
    lines = "\n".join(f"{number} a topic of some length" for number in range(1, 10))
    assert all(page.split("\n")[0][2:] == "a topic of some length" for page in screens.pages(lines))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_start_fits_one_screen(language: str) -> None:
    with translation.override(language):
        text = screens.start(site="Riverside", emergency="112")
        assert len(screens.pages(text)) <= (1 if language != "ar" else 2)
    for number in "123450":
        assert f"\n{number} " in text
    assert "112" in text


def test_a_numbered_list_stands_in_lines() -> None:
    said = "Place: House 1 A. What is it about? Text a number: 1 Illegal dump 2 Street light 3 Else"
    assert screens.menu_in_lines(said, 5) == (
        "Place: House 1 A. What is it about? Text a number:\n1 Illegal dump\n2 Street light\n3 Else"
    )
    assert screens.menu_in_lines("No list.", 3) == "No list."
