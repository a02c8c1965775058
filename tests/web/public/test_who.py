"""Who is missing: said in plain words, in whole parts of 100, and never of a few."""

from __future__ import annotations

from typing import Any

import pytest
from django.template.loader import render_to_string
from django.utils import translation

from commonbeat.maps.models import MakeUp
from commonbeat.maps.rules import day_number
from commonbeat.topics.models import Topic
from commonbeat.web.public.who import Who, of_100, who_is_missing
from tests import make
from tests.make import NOW

pytestmark = pytest.mark.django_db
MARCH = day_number(NOW.date().replace(day=1))


@pytest.fixture(autouse=True)
def three_languages(settings: Any) -> None:
    settings.LANGUAGES = [("en", "English"), ("sq", "Shqip"), ("ar", "العربية")]


@pytest.fixture
def lamps(unit: object) -> Topic:
    return make.make_topic("street-light")


def drawn(topic: Topic, month: int = MARCH, **shares: dict[str, int]) -> None:
    MakeUp.objects.create(topic_id=topic.pk, month=month, draw_on=NOW.date(), drawn_at=NOW, shares=shares)


def tables(who: Who) -> dict[str, dict[str, str]]:
    return {caption: {row.label: row.of_100 for row in rows} for caption, rows in who.tables}


def test_without_enough_nothing_is_said(lamps: Topic) -> None:
    drawn(lamps)
    MakeUp.objects.create(topic_id=lamps.pk, month=MARCH + 31, draw_on=NOW.date())
    assert who_is_missing(None, "en") == Who()
    page = render_to_string("public/who.html", {"who": Who()}, using="jinja2")
    assert "There is not enough yet to tell who is missing." in page


def test_it_says_who_is_hardly_heard(lamps: Topic, settings: Any) -> None:
    drawn(
        lamps,
        channel={"web": 940, "kannel_sms": 40, "smsgate_sms": 18, "email": 2},
        language={"en": 960, "ar": 40},
        hours={"morning": 400, "afternoon": 570, "night": 30},
        days={"weekday": 900, "weekend": 100},
    )
    who = who_is_missing(lamps, "en")
    assert who.sentences == (
        "Of 100 reports, by the way they came: web form 94, SMS 6, and e-mail fewer than 1.",
        "Nearly all come one way: web form. Who cannot use it is hardly heard.",
        "No report, or hardly any, came in Albanian, though this site speaks it.",
        "Few reports came in Arabic: 4 of 100.",
        "Few reports came at night, between 22:00 and 6:00: 3 of 100.",
        "Few reports came on Saturdays and Sundays: 10 of 100.",
    )
    assert who.span == "March 2026"
    assert tables(who)["In which language"] == {"English": "96", "Arabic": "4"}
    assert list(tables(who)["When in the day"]) == ["morning, from 6:00", "afternoon, from 12:00", "night, from 22:00"]


def test_where_all_are_heard_only_the_ways_are_told(lamps: Topic) -> None:
    drawn(
        lamps,
        channel={"web": 50, "demo_sms": 50},
        language={"en": 40, "sq": 30, "ar": 30},
        hours={"morning": 30, "afternoon": 30, "night": 40},
        days={"weekday": 70, "weekend": 30},
    )
    assert who_is_missing(lamps, "en").sentences == ("Of 100 reports, by the way they came: SMS 50 and web form 50.",)


def test_text_messages_are_missed_where_the_site_takes_them(lamps: Topic, settings: Any) -> None:
    drawn(lamps, channel={"web": 30, "pigeon": 20})
    sentence = "No report, or hardly any, came by SMS, though this site takes them."
    assert sentence not in who_is_missing(lamps, "en").sentences
    settings.COMMONBEAT = settings.COMMONBEAT.__class__(**{**vars_of(settings.COMMONBEAT), "sms_number": "5050"})
    assert sentence in who_is_missing(lamps, "en").sentences


def vars_of(options: Any) -> dict[str, Any]:
    return {name: getattr(options, name) for name in options.__dataclass_fields__}


def test_the_numbers_themselves_are_told_nowhere(lamps: Topic) -> None:
    drawn(lamps, channel={"web": 612, "kannel_sms": 388}, language={"en": 1000})
    page = render_to_string("public/who.html", {"who": who_is_missing(None, "en")}, using="jinja2")
    assert "612" not in page
    assert "388" not in page
    assert "61" in page


def test_months_and_topics_are_summed_and_only_the_last_twelve_count(lamps: Topic) -> None:
    other = make.make_topic("dumps")
    months = [day_number(NOW.date().replace(year=2025 + n // 12, month=n % 12 + 1, day=1)) for n in range(14)]
    for at, month in enumerate(months):
        drawn(lamps, month, channel={"web": 10} if at > 1 else {"kannel_sms": 1_000})
    drawn(other, months[-1], channel={"kannel_sms": 120})
    assert tables(who_is_missing(None, "en"))["How reports came"] == {"web form": "50", "SMS": "50"}
    assert tables(who_is_missing(lamps, "en"))["How reports came"] == {"web form": "100"}
    assert who_is_missing(lamps, "en").span == "March 2025 – February 2026"


def test_of_a_topic_with_too_few_all_are_told_together(lamps: Topic) -> None:
    drawn(make.make_topic("dumps"), channel={"web": 10})
    who = who_is_missing(lamps, "en")
    assert who.is_of_all
    assert who.sentences == who_is_missing(None, "en").sentences
    assert not who_is_missing(None, "en").is_of_all
    page = render_to_string("public/who.html", {"who": who}, using="jinja2")
    assert "Of all topics together:" in page


def test_it_costs_two_queries(lamps: Topic, django_assert_num_queries: Any) -> None:
    for month in range(9):
        drawn(lamps, MARCH - 31 * month, channel={"web": 10})
    with django_assert_num_queries(2):
        who_is_missing(None, "en")


@pytest.mark.parametrize(
    ("n", "total", "said"), [(1, 3, "33"), (1, 8, "13"), (1, 1_000, "fewer than 1"), (5, 5, "100")]
)
def test_shares_are_whole(n: int, total: int, said: str) -> None:
    assert of_100(n, total) == said


@pytest.mark.parametrize("language", ["sq", "ar"])
def test_languages_are_named_in_the_language_of_the_page(lamps: Topic, language: str) -> None:
    drawn(lamps, language={"en": 100})
    with translation.override(language):
        who = who_is_missing(lamps, language)
    assert not any("Albanian" in sentence for sentence in who.sentences)
