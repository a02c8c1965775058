"""Whoever holds a reference deletes the report, and is told what goes, what stays and why."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from commonbeat.foundation import clock
from commonbeat.foundation.ids import new_reference
from commonbeat.messaging.models import Contact
from commonbeat.people.models import Unit, User
from commonbeat.reports.actions.publish import publish_report
from commonbeat.reports.actions.retention import place_hold
from commonbeat.reports.models import Report
from commonbeat.web.jinja import local_date
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def report(unit: Unit) -> Report:
    """Give the only report of somebody who confirmed their number."""
    return make.make_report(unit=unit, contact=make.make_contact("+38344777123"), text="my own words")


def post(client: Client, report: Report, **more: str) -> tuple[int, str]:
    answer = client.post("/lookup/", {"reference": report.reference, **more})
    return answer.status_code, answer.content.decode()


def test_the_page_of_a_reference_leads_there(client: Client, report: Report) -> None:
    status, html = post(client, report)
    assert status == 200 and 'value="ask"' in html and "Delete my report and what you know of me" in html


def test_nothing_goes_before_the_box_is_ticked(client: Client, report: Report) -> None:
    status, html = post(client, report, erase="ask")
    assert status == 200 and "What goes" in html and "all messages to and from it" in html
    assert "my own words" not in html and "777123" not in html
    status, html = post(client, report, erase="confirm")
    assert status == 422 and "Tick the box" in html
    assert Report.objects.exists() and Contact.objects.exists()


def test_report_copy_and_number_go(client: Client, report: Report, officer: User) -> None:
    publish_report(report_id=report.pk, title="A lamp", text="It is dark", actor=officer, now=clock.now())
    address = f"/reports/{report.publication.code}/"
    assert client.get(address).status_code == 200
    status, html = post(client, report, erase="confirm", sure="on")
    assert status == 200 and "Your report is deleted" in html and "you are a stranger to us" in html
    assert client.get(address).status_code in {404, 410}
    assert not Contact.objects.exists()
    assert list(Report.objects.values_list("text", "latitude")) == [("", None)]


def test_a_number_that_another_report_needs_stays_and_that_it_may_is_said(client: Client, report: Report) -> None:
    make.make_report(contact=report.contact)
    _status, html = post(client, report, erase="ask")
    assert "unless something else of yours needs it" in html
    status, html = post(client, report, erase="confirm", sure="on")
    assert status == 200 and "Unless something else of yours needs it" in html
    assert Contact.objects.exists() and Report.objects.count() == 1


def test_a_hold_is_said_plainly(client: Client, report: Report, supervisor: User) -> None:
    place_hold(report_id=report.pk, reason="Case 12/26", until=timezone.localdate(), actor=supervisor, now=clock.now())
    _status, html = post(client, report, erase="ask")
    assert "The police must keep this report for now" in html and "Case 12" not in html
    # Until when, and that there is an investigation, is nothing for whoever has found the reference.
    day = local_date(timezone.localdate())
    assert day not in html.split("<main")[1] and "investigation" not in html
    status, html = post(client, report, erase="confirm", sure="on")
    assert status == 200 and "Your wish is noted" in html and "Your report is deleted" not in html
    assert day not in html.split("<main")[1] and "investigation" not in html
    report.refresh_from_db()
    assert report.text == "my own words" and report.contact_id is None and not Contact.objects.exists()


def test_without_a_reference_nothing_is_told(client: Client, report: Report) -> None:
    answer = client.post("/lookup/", {"reference": new_reference(), "erase": "confirm", "sure": "on"})
    assert answer.status_code == 422 and Report.objects.exists()


def test_what_is_left_of_it_takes_no_answer(client: Client, report: Report, officer: User) -> None:
    publish_report(report_id=report.pk, title="A lamp", text="It is dark", actor=officer, now=clock.now())
    Report.objects.filter(pk=report.pk).update(emptied_at=clock.now(), text="")
    _status, html = post(client, report)
    assert "Your report has been deleted" in html and '<textarea class="input" id="id_text"' not in html
    status, html = post(client, report, text="One more thing")
    assert status == 422
