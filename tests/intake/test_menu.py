"""MENU where a report has no topic yet: the choice belongs to what was told already."""

from __future__ import annotations

import pytest

from commonbeat.intake import texts
from commonbeat.intake.dialogue import step
from commonbeat.intake.state import Asks, Heard, SetTopic, State, Submit
from commonbeat.reports.models import Report
from tests.intake.fake_world import FakeWorld
from tests.intake.look_outs import make_town
from tests.intake.phone import Phone
from tests.intake.test_transcripts import talk
from tests.make import NOW

db = pytest.mark.django_db


@pytest.fixture
def town(unit: object) -> None:
    make_town()


@db
def test_menu_while_the_topic_is_asked_keeps_the_report(town: None) -> None:
    talk("""
        > somebody has painted over the sign again
        < thanks_where(reference={ref})
        > market street
        < placed_topic(place=Market Street; topics=all)
        > MENU
        < menu_for(reference={ref}; topics=all)
        > menu
        < menu_for(reference={ref}; topics=all)
        > 2
        < sorted_as(topic=Street light)
        > and the lamp beside it
        < added(reference={ref})
    """)
    report = Report.objects.get()
    assert (report.topic.code, report.latitude) == ("street-light", 42.39)


@db
def test_menu_before_the_place_asks_for_the_place_afterwards(town: None) -> None:
    talk("""
        > somebody has painted over the sign again
        < thanks_where(reference={ref})
        > MENU
        < menu_for(reference={ref}; topics=all)
        > 2
        < sorted_where(topic=Street light)
        > market street
        < placed(place=Market Street)
    """)
    report = Report.objects.get()
    assert (report.topic.code, report.latitude) == ("street-light", 42.39)


@db
def test_another_report_begins_with_new_and_what_was_told_stays_for_the_desk(town: None) -> None:
    phone = Phone()
    for text in ("somebody has painted over the sign in Market Street", "MENU", "NEW"):
        (said,) = phone.say(text)
    assert said == texts.tell_us()
    phone.say("the lamp at the Old Bridge is dark")
    assert [report.topic.code for report in Report.objects.order_by("pk")] == ["other", "street-light"]


def test_who_left_the_question_or_has_no_report_gets_the_menu_alone() -> None:
    asked = State(asks=Asks.TOPIC, report_id=3, last_report_id=3, unsorted=True, options=("illegal-dump",))
    for state in (State(), step(asked, Heard("0"), FakeWorld(), NOW).state):
        turn = step(state, Heard("MENU"), FakeWorld(), NOW)
        assert turn.state.asks is Asks.MENU
        assert "report" not in turn.replies[0]
        turn = step(turn.state, Heard("1 old car"), FakeWorld(), NOW)
        assert isinstance(turn.intents[0], Submit)


def test_the_choice_belongs_to_the_report_also_hours_later() -> None:
    asked = State(asks=Asks.TOPIC, report_id=3, last_report_id=3, last_at=1, unsorted=True, options=("illegal-dump",))
    turn = step(asked, Heard("MENU"), FakeWorld(), NOW)
    assert step(turn.state, Heard("2"), FakeWorld(), NOW).intents == (SetTopic(3, "street-light"),)
