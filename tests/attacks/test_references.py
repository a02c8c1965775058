"""Whoever has the reference of a report may add to it, and is not therefore the one who made it."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from commonbeat.foundation.ids import format_reference
from commonbeat.intake.world import SiteWorld
from commonbeat.people.models import Unit, User
from commonbeat.reactions.erasing import erase_contact
from commonbeat.reports.actions.dialogue import answer_desk, ask_reporter
from commonbeat.reports.models import Message, MessageKind, Report
from commonbeat.topics.ready_made import install_ready_made
from tests import make
from tests.intake.phone import Phone

pytestmark = pytest.mark.django_db
WORDS = "it is me and I take it all back"


@pytest.fixture
def reporter(unit: Unit) -> Phone:
    install_ready_made(make.NOW)
    phone = Phone()
    phone.say("a lamp is out, it is dark behind the school")
    phone.say("0")
    return phone


@pytest.fixture
def other(reporter: Phone) -> Phone:
    phone = Phone(number="+38344999888")
    phone.say(f"{format_reference(Report.objects.get().reference)} {WORDS}")
    assert Message.objects.get().report.contact == reporter.contact
    return phone


def heads(client: Client) -> list[str]:
    """Give who is said to have written each message on the desk's page."""
    page = client.get(reverse("desk:report", args=[Report.objects.get().pk])).content.decode()
    thread = page.split('<ol class="thread">')[1].split("</ol>")[0]
    return [part.split("</strong>")[0] for part in thread.split("<strong>")[1:]]


def test_words_of_somebody_else_do_not_stand_under_the_reporters_handle(
    reporter: Phone, other: Phone, officer_client: Client
) -> None:
    assert heads(officer_client) == ["Somebody else who has the reference"]
    assert other.contact.handle not in heads(officer_client)[0]
    reporter.say("the other lamp is out, too")
    assert heads(officer_client)[1] == reporter.contact.handle


def test_what_comes_by_the_web_may_be_anybodys(reporter: Phone, officer_client: Client) -> None:
    answer_desk(report_id=Report.objects.get().pk, text=WORDS, client_key="web", now=make.NOW)
    assert heads(officer_client) == ["Somebody who has the reference"]


def test_somebody_else_leaves_the_desks_question_open(reporter: Phone, officer: User) -> None:
    report = Report.objects.get()
    ask_reporter(report_id=report.pk, text="Which lamp?", actor=officer, now=make.NOW)
    Phone(number="+38344999888").say(f"{format_reference(report.reference)} {WORDS}")
    question = SiteWorld(reporter.contact, now=make.NOW).open_question()
    assert question is not None and question.report_id == report.pk
    reporter.say("the one by the gate")
    assert SiteWorld(reporter.contact, now=make.NOW).open_question() is None


def test_who_is_erased_takes_their_words_along(reporter: Phone, other: Phone) -> None:
    reporter.say("the other lamp is out, too")
    erase_contact(contact_id=other.contact.pk, now=make.NOW)
    assert Report.objects.get().contact == reporter.contact
    kept = Message.objects.filter(kind=MessageKind.ANSWER).values_list("text", flat=True)
    assert list(kept) == ["the other lamp is out, too"]
