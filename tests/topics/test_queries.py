"""Reading topics is cheap outside a transaction and always fresh inside one."""

from __future__ import annotations

import pytest
from pytest_django import DjangoAssertNumQueries

from commonbeat.topics.actions import set_enabled
from commonbeat.topics.queries import (
    all_topics,
    enabled_topics,
    forget_topics,
    keyword_in,
    match_keyword,
    topic_by_code,
    topic_in_text,
)
from commonbeat.topics.ready_made import install_ready_made
from tests.make import NOW, make_topic


@pytest.mark.django_db(transaction=True)
def test_topics_are_kept_between_requests_and_forgotten_when_they_change(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    forget_topics()
    topic = make_topic("noise")
    with django_assert_num_queries(1):
        assert [t.code for t in enabled_topics()] == ["noise"]
        assert all_topics()[0].definition.name
    set_enabled(topic_id=topic.pk, enabled=False, actor_id=None, now=NOW)
    assert enabled_topics() == []
    forget_topics()


def test_reading_takes_one_query_whatever_the_number(
    db: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(12):
        make_topic(f"topic-{number}")
    with django_assert_num_queries(1):
        assert len([t.definition for t in all_topics()]) == 12


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Broken lamp by the old bridge", "street-light"),
        ("Another lamp is broken at Willow Street", "street-light"),
        ("Both lamps are out", "street-light"),
        ("somebody stole my bike, it was stollen at night", "stolen-goods"),
        ("llampa nuk punon te shkolla", "street-light"),
        ("nuk ka dritë në rrugë", "street-light"),
        ("dikush ka hedhur plehra", "illegal-dump"),
        ("më vodhën biçikletën", "stolen-goods"),
        ("المصباح مكسور منذ أيام", "street-light"),
        ("الشارع مليء بالنفايات", "illegal-dump"),
        ("the lamp beside the rubbish is out", None),
        ("somebody has painted over the sign", None),
        ("I want to report that it is dark again", None),
        ("the night was damp", None),
        ("", None),
    ],
)
def test_a_topic_is_recognised_by_its_words_anywhere(db: None, text: str, code: str | None) -> None:
    install_ready_made(NOW)
    topics = [topic for topic in enabled_topics() if topic.code != "other"]
    found = topic_in_text(text, topics)
    assert (found.code if found else None) == code


def test_light_is_no_fight(db: None) -> None:
    install_ready_made(NOW)
    violence = topic_by_code("violence")
    assert violence is not None
    assert topic_in_text("the light in our flat", [violence], guess=False) is None
    assert topic_in_text("they are fighting", [violence], guess=False) is violence


@pytest.mark.parametrize(("language", "word"), [("en", "light"), ("sq", "ndriçim"), ("ar", "إنارة")])
def test_the_word_shown_is_in_the_language_of_the_reader(db: None, language: str, word: str) -> None:
    install_ready_made(NOW)
    topic = topic_by_code("street-light")
    assert topic is not None
    assert keyword_in(topic, language).lower() == word
    assert match_keyword(keyword_in(topic, language), language) == topic
