"""A number that was left on the web form: asked once, told nothing, until its owner says YES."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.conf import settings
from django.utils import translation

from commonbeat.foundation.ids import format_reference
from commonbeat.intake import texts
from commonbeat.journal.actions import move_cursor
from commonbeat.journal.models import Entry
from commonbeat.messaging.models import Contact
from commonbeat.people.models import User
from commonbeat.reactions import run, sentences
from commonbeat.reports import events
from commonbeat.reports.actions.dialogue import ask_reporter, tell_reporter
from commonbeat.reports.actions.work import move_report
from commonbeat.reports.models import Message, MessageKind, Report
from tests import make
from tests.intake.phone import Phone

pytestmark = pytest.mark.django_db
NOW = make.NOW
NUMBER = "+38344123456"


@pytest.fixture(autouse=True)
def _topics(unit: object) -> None:
    make.make_topic("street-light", keywords=["light"])
    make.make_topic("other")
    make.make_place(names={"en": "Old Bridge"})


@pytest.fixture
def report() -> Report:
    """Give a report with which somebody left a number on the web form."""
    return left_on_the_web()


def left_on_the_web(*, now: datetime = NOW, language: str = "en") -> Report:
    contact = make.make_contact(NUMBER, language="", channel="")
    return make.make_report(contact=contact, contact_confirmed=False, language=language, now=now)


def react(now: datetime = NOW) -> None:
    while run.react_batch(now):
        pass


def request(language: str = "en") -> str:
    with translation.override(language):
        return texts.for_phone(texts.confirm_number(site=settings.COMMONBEAT.site_name))


def standing(report: Report) -> str:
    report.refresh_from_db()
    return texts.for_phone(texts.standing(reference=format_reference(report.reference), state=report.state))


def ask(report: Report, officer: User, text: str = "Which lamp?") -> Message:
    return ask_reporter(report_id=report.pk, text=text, actor=officer, now=NOW)


def test_a_number_is_asked_once_and_told_nothing(report: Report, officer: User) -> None:
    make.make_report(client_key="no contact")
    react()
    move_report(report_id=report.pk, to_state="triaged", actor=officer, now=NOW)
    ask(report, officer)
    tell_reporter(report_id=report.pk, text="We were there.", actor=officer, now=NOW)
    react()
    move_cursor(name=run.CURSOR, to=0)
    react()
    assert Phone().new() == [request()]
    assert format_reference(report.reference) not in request()


def test_the_request_is_in_the_language_of_the_form() -> None:
    left_on_the_web(language="sq")
    react()
    assert Phone().new() == [request("sq")]


def test_what_the_owner_texts_is_no_answer_that_a_stranger_could_read(report: Report, officer: User) -> None:
    """The attack: a stranger names the victim's number, and reads with the reference what the victim texts next."""
    ask(report, officer)
    react()
    phone = Phone()
    phone.new()
    phone.say("who are you and why do you write to me, I live at the Old Bridge")
    assert not report.messages.filter(kind=MessageKind.ANSWER).exists()
    assert Report.objects.latest("id").pk != report.pk


def test_status_does_not_show_it(report: Report) -> None:
    react()
    phone = Phone()
    phone.new()
    assert phone.say("STATUS") == [texts.no_report_yet()]
    Report.objects.filter(pk=report.pk).update(state="rejected", state_reason="A word for its reporter only.")
    assert "reporter only" not in phone.say(f"STATUS {format_reference(report.reference)}")[0]


def test_yes_confirms_and_gives_the_state_and_then_news(report: Report, officer: User) -> None:
    react()
    phone = Phone()
    phone.new()
    assert phone.say("Yes!") == [standing(report)]
    assert report.contact_confirmed
    assert Entry.objects.filter(kind=events.CONFIRMED, subject_id=report.pk).count() == 1
    move_report(report_id=report.pk, to_state="triaged", actor=officer, now=NOW)
    react()
    assert phone.new() == [sentences.moved(report, "triaged")]
    assert phone.say("STATUS") == [standing(report)]
    assert phone.say("yes") == [], "a second YES is thanks"


@pytest.mark.parametrize("word", ["YES", "yes please", "PO", "po faleminderit", "نعم"])
def test_yes_is_understood_in_every_language(report: Report, word: str) -> None:
    react()
    assert len(Phone().say(word)) == 2
    report.refresh_from_db()
    assert report.contact_confirmed


def test_yes_brings_the_question_that_waits_and_the_next_message_answers_it(report: Report, officer: User) -> None:
    ask(report, officer, "An older one?")
    question = ask(report, officer)
    react()
    phone = Phone()
    phone.new()
    said = phone.say("yes")
    assert sorted(said) == sorted([standing(report), sentences.question(report, question.text)])
    move_cursor(name=run.CURSOR, to=0)
    react()
    # What was asked before YES is told once; the older question is history by then.
    assert sentences.question(report, question.text) not in phone.new()
    assert phone.say("the left one") == [texts.answered()]
    assert report.messages.get(kind=MessageKind.ANSWER).text == "the left one"


def test_the_answer_to_yes_is_sent_before_the_question(report: Report, officer: User) -> None:
    from commonbeat.messaging.actions import lease_batch

    ask(report, officer)
    react()
    lease_batch(channel=settings.COMMONBEAT.sms_channel, limit=10, now=NOW)
    Phone().say("yes")
    sent = [one.message.text for one in lease_batch(channel="demo_sms", limit=10, now=NOW)]
    assert sent == [standing(report), sentences.question(report, "Which lamp?")]


def test_a_flood_costs_the_owner_three_texts_a_day() -> None:
    for _number in range(5):
        left_on_the_web()
    react()
    phone = Phone()
    assert phone.new() == [request()] * 3
    later = NOW + timedelta(hours=25)
    left_on_the_web(now=later)
    react(later)
    assert phone.new() == [request()]
    phone.now = later
    phone.say("yes")
    assert not Report.objects.filter(contact_confirmed=False).exists()


def test_yes_does_not_reach_back_beyond_a_week(report: Report) -> None:
    phone = Phone()
    phone.wait(days=8)
    assert phone.say("yes") == []
    report.refresh_from_db()
    assert not report.contact_confirmed


def test_stop_works_as_ever(report: Report) -> None:
    react()
    phone = Phone()
    phone.new()
    assert phone.say("STOP") == [texts.stopped()]
    assert phone.say("yes") == []
    left_on_the_web()
    react()
    assert phone.new() == []
    assert not Report.objects.filter(contact_confirmed=True).exists()


def test_yes_to_a_question_of_the_desk_confirms_nothing_else(officer: User) -> None:
    phone = Phone()
    phone.say("LIGHT broken at the Old Bridge")
    own = Report.objects.get()
    left = left_on_the_web()
    ask(own, officer, "Is it still dark?")
    react()
    assert phone.say("yes") != [standing(left)]
    left.refresh_from_db()
    assert not left.contact_confirmed and own.messages.get(kind=MessageKind.ANSWER).text == "yes"


def test_yes_to_the_place_of_an_own_report_confirms_nothing_else(report: Report) -> None:
    phone = Phone()
    phone.wait(minutes=5)
    phone.say("LIGHT broken at the Old Bridge")
    assert phone.say("yes") == []
    report.refresh_from_db()
    assert not report.contact_confirmed


def test_yes_confirms_the_reports_of_this_number_only(report: Report) -> None:
    other = make.make_report(contact=make.make_contact("+38344999999"), contact_confirmed=False)
    Phone().say("yes")
    other.refresh_from_db()
    assert not other.contact_confirmed
    assert Contact.objects.count() == 2
