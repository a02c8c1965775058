"""Letters in somebody's name: what the owner of the address was asked stays asked."""

from __future__ import annotations

from datetime import timedelta

import pytest

from commonbeat.intake.actions import load_claimed, load_session, purge_sessions
from commonbeat.intake.models import Session
from commonbeat.intake.state import Asks
from commonbeat.messaging.channel import Inbound
from commonbeat.messaging.models import Contact
from commonbeat.reactions.inbound import handle
from commonbeat.reports.models import Report
from commonbeat.topics.ready_made import install_ready_made
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _town(unit: object) -> None:
    install_ready_made(make.NOW)
    make.make_place("Old Bridge")


@pytest.fixture
def contact() -> Contact:
    return make.make_contact("+38344123456", channel="kannel_sms")


def say(contact: Contact, key: str, text: str, *, proven: bool, hours: float = 0) -> None:
    message = Inbound(provider_id=key, sender="rrita@example.org", text=text, is_proven=proven)
    handle(contact, message, make.NOW + timedelta(hours=hours))


def test_a_letter_in_somebodys_name_puts_no_other_question_in_place_of_theirs(contact: Contact) -> None:
    say(contact, "a", "There is a large dump and it burns", proven=True)
    mine = Report.objects.get()
    assert load_session(contact=contact, now=make.NOW).asks is Asks.PLACE
    say(contact, "b", "A lamp is broken since monday", proven=False)
    forged = Report.objects.exclude(pk=mine.pk).get()
    say(contact, "c", "Old Bridge", proven=True)
    mine.refresh_from_db()
    forged.refresh_from_db()
    assert (mine.place_name, forged.place_name) == ("Old Bridge", "")


def test_who_answers_our_letter_goes_on_where_an_unproven_one_was_asked(contact: Contact) -> None:
    say(contact, "a", "There is a large dump and it burns", proven=False)
    assert load_session(contact=contact, now=make.NOW).asks is Asks.NOTHING
    assert load_claimed(contact=contact, now=make.NOW).asks is Asks.PLACE
    say(contact, "b", "Old Bridge", proven=True)
    assert Report.objects.get().place_name == "Old Bridge"
    assert load_claimed(contact=contact, now=make.NOW).asks is Asks.NOTHING


def test_the_newest_unproven_letter_is_the_one_that_is_answered(contact: Contact) -> None:
    say(contact, "a", "There is a large dump and it burns", proven=False)
    say(contact, "b", "A lamp is broken since monday", proven=False)
    say(contact, "c", "Old Bridge", proven=True)
    assert [report.place_name for report in Report.objects.order_by("pk")] == ["", "Old Bridge"]


def test_what_was_asked_in_somebodys_name_is_forgotten_after_two_days(contact: Contact) -> None:
    say(contact, "a", "There is a large dump and it burns", proven=False)
    later = make.NOW + timedelta(hours=49)
    assert load_claimed(contact=contact, now=later).asks is Asks.NOTHING
    purge_sessions(now=later)
    assert not Session.objects.exclude(claimed={}).exists()
    assert not Session.objects.exclude(state__in=[{}, {"language_by": "guessed"}]).exists()
