"""The page on which a supervisor erases a person, or keeps a report for the law."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote

import pytest
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from commonbeat.journal.models import Entry
from commonbeat.messaging.models import Contact
from commonbeat.people.models import Unit
from commonbeat.reports.models import LegalHold, Report
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def contact(unit: Unit) -> Contact:
    """Give somebody who reported once."""
    found = make.make_contact("+38344777123")
    make.make_report(contact=found, unit=unit, text="The lamp is dark")
    return found


def page(contact: Contact) -> str:
    return f"/desk/contacts/{quote(contact.handle)}/erase/"


def test_it_says_what_goes_what_stays_and_never_the_address(supervisor_client: Client, contact: Contact) -> None:
    answer = supervisor_client.get(page(contact))
    html = answer.content.decode()
    assert answer.status_code == 200
    assert "What goes" in html and "What stays, and why" in html and contact.handle in html
    assert "777123" not in html and "The lamp is dark" not in html
    assert Contact.objects.exists()


def test_it_erases_once_the_handle_is_typed(supervisor_client: Client, contact: Contact) -> None:
    for typed in ({}, {"confirm": "yes", "texts": "all"}, {"confirm": contact.handle}, {"texts": "all"}):
        answer = supervisor_client.post(page(contact), typed)
        assert answer.status_code == 422 and Contact.objects.exists()
    answer = supervisor_client.post(page(contact), {"confirm": f" {contact.handle.lower()} ", "texts": "all"})
    assert answer.status_code == 302 and answer["Location"] == "/desk/reports/"
    assert not Contact.objects.exists() and not Report.objects.exists()
    assert Entry.objects.get(kind="messaging.erased").actor_id is not None
    assert supervisor_client.get(page(contact)).status_code == 404


def test_the_reports_may_stay(supervisor_client: Client, contact: Contact) -> None:
    supervisor_client.post(page(contact), {"confirm": contact.handle, "texts": "none"})
    assert Report.objects.get().text == "The lamp is dark" and not Contact.objects.exists()


def test_a_report_is_kept_for_the_law_and_let_go(supervisor_client: Client, contact: Contact) -> None:
    report = Report.objects.get()
    address = f"/desk/contacts/{quote(contact.handle)}/hold/{report.pk}/"
    refused = supervisor_client.post(address, {"reason": "Case 12", "until": "soon"})
    assert refused.status_code == 422 and "Choose the last day" in refused.content.decode()
    assert "Case 12" in refused.content.decode()
    day = timezone.localdate() + timedelta(days=40)
    assert supervisor_client.post(address, {"reason": "Case 12", "until": day.isoformat()}).status_code == 302
    assert LegalHold.objects.get().until == day
    html = supervisor_client.get(page(contact)).content.decode()
    assert "1 report is kept for the law" in html and "Case 12" in html
    assert supervisor_client.post(address, {"do": "lift"}).status_code == 302
    assert not LegalHold.objects.exists()


def test_a_report_of_somebody_else_is_not_kept_through_this_page(supervisor_client: Client, contact: Contact) -> None:
    other = make.make_report(contact=make.make_contact())
    address = f"/desk/contacts/{quote(contact.handle)}/hold/{other.pk}/"
    assert supervisor_client.post(address, {"reason": "Case", "until": "2026-12-01"}).status_code == 404


@pytest.mark.parametrize(
    "who", ["outsider", "resident", "officer", "far_officer", "moderator", "overseer", "administrator"]
)
def test_nobody_else_sees_it_or_erases(who: str, contact: Contact, request: pytest.FixtureRequest) -> None:
    client = request.getfixturevalue(f"{who}_client")
    report = Report.objects.get()
    hold = f"/desk/contacts/{quote(contact.handle)}/hold/{report.pk}/"
    assert client.get(page(contact)).status_code == 403
    assert client.post(page(contact), {"confirm": contact.handle, "texts": "all"}).status_code == 403
    assert client.post(hold, {"reason": "Case", "until": "2026-12-01"}).status_code == 403
    assert Contact.objects.exists() and not LegalHold.objects.exists()


def test_the_contacts_page_leads_there(supervisor_client: Client, officer_client: Client, contact: Contact) -> None:
    address = f"/desk/contacts/{quote(contact.handle)}/"
    assert page(contact) in supervisor_client.get(address).content.decode()
    assert page(contact) not in officer_client.get(address).content.decode()


def test_its_queries_do_not_grow_with_the_reports(
    supervisor_client: Client, contact: Contact, unit: Unit, django_assert_num_queries: object
) -> None:
    from django.db import connection

    def asked() -> int:
        with CaptureQueriesContext(connection) as found:
            assert supervisor_client.get(page(contact)).status_code == 200
        return len(found)

    asked()
    few = asked()
    for _ in range(8):
        make.make_publication(report=make.make_report(contact=contact, unit=unit))
    assert asked() == few


def test_what_is_left_of_a_report_says_so_at_the_desk(supervisor_client: Client, contact: Contact) -> None:
    report = Report.objects.get()
    make.make_publication(report=report, text="Public words")
    supervisor_client.post(page(contact), {"confirm": contact.handle, "texts": "texts"})
    html = supervisor_client.get(f"/desk/reports/{report.pk}/").content.decode()
    assert "Only the public copy of this report is left" in html and "The lamp is dark" not in html
