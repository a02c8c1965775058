"""Which language a page is in."""

from __future__ import annotations

import pytest
from django.test import Client, RequestFactory

from commonbeat.web.language import chosen_language, direction_of, name_of_language


@pytest.mark.parametrize(
    ("cookie", "accepts", "expected"),
    [
        ("sq", "ar", "sq"),
        ("", "ar-EG,en;q=0.5", "ar"),
        ("", "fr;q=0.9,sq;q=0.8", "sq"),
        ("xx", "fr", "en"),
        ("", "sq;q=oops,ar", "ar"),
        ("", "", "en"),
    ],
)
def test_what_was_chosen_comes_first_then_what_the_browser_asks_for(cookie: str, accepts: str, expected: str) -> None:
    request = RequestFactory().get("/", headers={"accept-language": accepts})
    request.COOKIES["language"] = cookie
    assert chosen_language(request) == expected
    assert direction_of(expected) == ("rtl" if expected == "ar" else "ltr")


@pytest.mark.parametrize(
    ("code", "name"),
    [("sq", "Albanian"), ("ar", "Arabic"), ("en-GB", "English (United Kingdom)"), ("zz", "zz"), ("", "")],
)
def test_a_language_is_named_and_an_unknown_one_breaks_no_page(code: str, name: str) -> None:
    assert name_of_language(code) == name


def test_pages_of_staff_are_in_one_language_whole(officer_client: Client) -> None:
    officer_client.cookies["language"] = "ar"
    page = officer_client.get("/desk/reports/")
    assert page.headers["content-language"] == "en"
    assert b'<html lang="en" dir="ltr">' in page.content
    # A page for residents stays in the language that they chose.
    assert b'<html lang="ar" dir="rtl">' in officer_client.get("/").content
