"""The words about alerts, and that what our messages name is what we understand."""

from __future__ import annotations

import pytest
from django.utils import translation

from commonbeat.alerts.answer_words import ALERTS, EVERYWHERE, SAW, STOP_ALERTS, STOP_ONE
from commonbeat.alerts.rendering import long_text, sms_text
from commonbeat.intake import alert_texts
from commonbeat.intake.alert_words import Strength, alerts_in, is_everywhere, kind_named, saw_in
from commonbeat.intake.commands import parse_command
from tests.alerts.test_rendering import SITE, alert_of, text_of
from tests.make import NOW

LANGUAGES = ("en", "sq", "ar")


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_an_alert_names_is_understood(language: str) -> None:
    for said in (sms_text, long_text):
        text = said(alert_of(), text_of(language), site=SITE, now=NOW)
        assert SAW[language] in text and STOP_ALERTS[language] in text
    saw = saw_in(f"{SAW[language]} something white")
    assert saw is not None and (saw.language, saw.rest) == (language, "something white")
    ended = alerts_in(STOP_ALERTS[language])
    assert ended is not None and (ended.language, ended.ends, ended.rest) == (language, True, "")


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_our_answers_name_is_understood(language: str) -> None:
    with translation.override(language):
        assert ALERTS[language] in alert_texts.alerts_here(place="X")
        assert STOP_ALERTS[language] in alert_texts.alerts_here(place="X")
        assert EVERYWHERE[language] in alert_texts.alerts_unknown_place()
        assert STOP_ONE[language] in alert_texts.alerts_listed(places=["X"])
    asked = alerts_in(f"{ALERTS[language]} X")
    assert asked is not None and (asked.language, asked.ends, asked.rest) == (language, False, "X")
    one = alerts_in(f"{STOP_ONE[language]} 2")
    assert one is not None and (one.language, one.ends, one.rest) == (language, True, "2")
    assert is_everywhere(EVERYWHERE[language])
    for word in (ALERTS, SAW, STOP_ALERTS):
        assert parse_command(word[language], LANGUAGES) is None


@pytest.mark.parametrize(
    ("text", "rest", "ends"),
    [
        ("alerts", "", False),
        ("Alerts!", "", False),
        ("ALERTS for the Old Bridge", "the Old Bridge", False),
        ("alerst Old Bridge", "Old Bridge", False),
        ("Njoftimet për Rruga e Re", "Rruga e Re", False),
        ("التنبيهات الجسر القديم", "الجسر القديم", False),
        ("ALERTS -33.9, 18.4", "-33.9, 18.4", False),
        ("ALERTS - Old Bridge", "Old Bridge", False),
        ("alerts off", "", True),
        ("Stop alerts please", "", True),
        ("no more alerts", "", True),
        ("ndalo njoftimet", "", True),
        ("إيقاف التنبيهات", "", True),
        ("توقف ٢", "2", True),
        ("STOP ALERTS 2", "2", True),
    ],
)
def test_words_of_alerts(text: str, rest: str, ends: bool) -> None:
    asked = alerts_in(text)
    assert asked is not None
    assert (asked.rest, asked.ends) == (rest, ends)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "alert",
        "stop",
        "STOP",
        "no 2",
        "cancel 2",
        "stop 2 cars",
        "stop 200",
        "the alerts",
        "alertness",
        "NDAL",
        "12",
    ],
)
def test_what_is_none_of_them(text: str) -> None:
    assert alerts_in(text) is None


def test_a_kind_is_named_in_any_language() -> None:
    assert [kind_named(text) for text in ("Water", "uji", "الماء", "nothing")] == ["water", "water", "water", ""]


@pytest.mark.parametrize(
    ("text", "strength", "rest"),
    [
        ("SAW white van", Strength.COMMAND, "white van"),
        ("SAW: white van", Strength.COMMAND, "white van"),
        ("SAW", Strength.COMMAND, ""),
        ("saw white van", Strength.WORD, "white van"),
        ("SAW WHITE VAN", Strength.WORD, "WHITE VAN"),
        ("PASH furgon", Strength.COMMAND, "furgon"),
        ("Pashë një furgon", Strength.WORD, "një furgon"),
        ("رأيت سيارة", Strength.WORD, "سيارة"),
        ("شفت سيارة", Strength.WORD, "سيارة"),
        ("I saw a van", Strength.PHRASE, "a van"),
        ("I've seen a van", Strength.PHRASE, "a van"),
        ("e pashë në treg", Strength.PHRASE, "në treg"),
        ("لقد رأيت سيارة", Strength.PHRASE, "سيارة"),
    ],
)
def test_words_of_sightings(text: str, strength: Strength, rest: str) -> None:
    saw = saw_in(text)
    assert saw is not None
    assert (saw.strength, saw.rest) == (strength, rest)


@pytest.mark.parametrize("text", ["", "sawdust on the road", "see you", "passport lost", "we say"])
def test_what_is_no_sighting(text: str) -> None:
    assert saw_in(text) is None
