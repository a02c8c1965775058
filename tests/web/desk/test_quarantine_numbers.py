"""What the desk is told of the quarantine in numbers: how many senders wait, and what a bulk act did."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from commonbeat.foundation import clock
from commonbeat.messaging.actions import block_contact
from commonbeat.messaging.actions.trust import let_in
from commonbeat.messaging.models import Contact, Inbound
from commonbeat.people.models import Unit, User
from commonbeat.reports.models import Report
from commonbeat.reports.queries.contacts import senders_waiting
from commonbeat.topics.ready_made import install_ready_made
from tests import make
from tests.web.desk.flooding import WORDS, flood, held

pytestmark = pytest.mark.django_db
QUARANTINE, BULK = "/desk/quarantine/", "/desk/quarantine/decide/"


@pytest.fixture
def contact(unit: Unit) -> Contact:
    install_ready_made(clock.now())
    return make.make_contact("+38344123456", now=clock.now())


@pytest.fixture
def report(contact: Contact, unit: Unit) -> Report:
    return make.make_report(contact=contact, unit=unit, channel="demo_sms", now=clock.now())


def body(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_bulk_act_says_by_number_what_it_did_and_what_it_left_and_why(
    contact: Contact, report: Report, unit: Unit, far_unit: Unit, officer: User, officer_client: Client
) -> None:
    others = [make.make_contact(f"+3834499980{n}", now=clock.now()) for n in range(5)]
    for other in others:
        make.make_report(contact=other, unit=far_unit if other == others[4] else unit, now=clock.now())
    for each in (contact, *others[:2]):
        flood(each)
    block_contact(contact_id=others[3].pk, reason="Threats.", actor=officer, now=clock.now())
    chosen = [contact.pk, *(other.pk for other in others), 987_654_321]
    text = officer_client.post(BULK, {"to": "let-in", "sender": chosen}).content.decode()
    assert "Let in: 6 messages of 3 senders." in text
    said = re.findall(r"<li>(.+?)</li>", text.split("Left as they were")[1])
    # Nothing of the first waits, the next is blocked, and two are not this desk's.
    assert said == [
        "1 sender: Somebody else has dealt with these messages already.",
        "1 sender: This sender is blocked. Unblock the sender first.",
        "2 senders: not among those about whom you decide.",
    ]
    assert others[4].handle not in text
    flood(others[2])
    text = officer_client.post(BULK, {"to": "block", "sender": others[2].pk, "reason": "Threats."}).content.decode()
    assert "Blocked: 1 sender, with 2 messages that waited." in text


@pytest.mark.parametrize(("chosen", "said"), [(250, "all 250 are as they were. Choose 50 fewer"), (300, "Nothing was")])
def test_too_many_at_once_change_nothing_and_hear_the_number(
    chosen: int, said: str, contact: Contact, report: Report, officer_client: Client
) -> None:
    flood(contact)
    answer = officer_client.post(BULK, {"to": "let-in", "reason": "", "sender": [contact.pk] * chosen})
    text = answer.content.decode()
    assert answer.status_code == 400 and said in text and re.search(r"\b(200|300)\b", text)
    assert held() == 2


def test_each_page_of_the_desk_counts_the_senders_that_wait_for_its_reader(
    contact: Contact, report: Report, officer_client: Client, far_officer_client: Client, supervisor_client: Client
) -> None:
    home = "/desk/reports/"
    assert "Quarantine (" not in body(officer_client, home) and "wait in the quarantine" not in body(
        officer_client, home
    )
    flood(contact, 5)
    for client in (officer_client, supervisor_client):
        for page in (home, "/desk/translations/", "/desk/expected/"):
            assert "Quarantine (1)" in body(client, page)
        text = body(client, home)
        assert "Messages of 1 sender wait in the quarantine" in text
        assert WORDS not in text and contact.handle not in text.split("Messages of 1 sender")[0]
    # Whose desk may not read them learns of nothing.
    text = body(far_officer_client, home)
    assert "Quarantine (" not in text and "wait in the quarantine" not in text
    let_in(contact_id=contact.pk, actor=User.objects.get(username="officer"), now=clock.now())
    assert "Quarantine (" not in body(officer_client, home)


def test_who_may_not_open_the_quarantine_gets_no_count(
    contact: Contact, report: Report, moderator_client: Client
) -> None:
    flood(contact)
    assert "Quarantine" not in body(moderator_client, "/desk/moderation/")


def test_counting_takes_as_many_queries_for_many_as_for_one(
    contact: Contact, report: Report, unit: Unit, officer: User
) -> None:
    flood(contact)
    with CaptureQueriesContext(connection) as few:
        assert senders_waiting(officer) == 1
    for n in range(4):
        other = make.make_contact(f"+3834499970{n}", now=clock.now())
        make.make_report(contact=other, unit=unit, now=clock.now())
        flood(other)
    with CaptureQueriesContext(connection) as many:
        assert senders_waiting(officer) == 5
    assert len(many) == len(few)
    Inbound.objects.all().delete()
    with CaptureQueriesContext(connection) as none:
        assert senders_waiting(officer) == 0
    assert len(none) == 1


def test_languages_are_named(contact: Contact, report: Report, officer_client: Client) -> None:
    flood(contact)
    Contact.objects.filter(pk=contact.pk).update(language="sq")
    for page in (QUARANTINE, reverse("desk:contact", kwargs={"handle": contact.handle})):
        text = body(officer_client, page)
        assert "Albanian" in text and not re.search(r"[>\s]sq[<\s]", text)
