"""Reporting for somebody else on the web: asked on the last page, carried by the sealed outbox, public nowhere."""

from __future__ import annotations

import pytest
from django.test import Client

from commonbeat.reports.models import Report
from commonbeat.reports.proxy_models import Consent, OnBehalf, SaidBy
from tests import make
from tests.web.public.test_outbox import envelope, flush

pytestmark = pytest.mark.django_db
TOLD = {"topic": "light", "text": "The lamp is dark.", "key": "a-key-that-is-long-enough", "step": "check"}


@pytest.fixture(autouse=True)
def _topic() -> None:
    make.fallback()
    make.make_topic("light", categories=[])


def test_the_last_page_asks_and_keeps_the_choice(client: Client) -> None:
    page = client.post("/report/light/", {**TOLD, "step": "contact", "consent": "word"}).content.decode()
    assert "Are you reporting for somebody else?" in page
    assert 'value="word" checked' in page
    # Whoever goes back carries it along.
    back = client.post("/report/light/", {**TOLD, "go": "back", "consent": "word"}).content.decode()
    assert '<input type="hidden" name="consent" value="word">' in back


@pytest.mark.parametrize("consent", ["word", "writing", "guardian", "danger"])
def test_what_the_sender_says_is_recorded_as_said_by_the_sender(consent: str, client: Client) -> None:
    assert client.post("/report/done/", {**TOLD, "consent": consent}).status_code == 200
    client.post("/report/done/", {**TOLD, "consent": "danger"})
    behalf = OnBehalf.objects.get()
    assert (behalf.consent, behalf.said_by, behalf.proxy) == (consent, SaidBy.SENDER, None)


@pytest.mark.parametrize("consent", ["", "asked", "maybe"])
def test_everything_else_is_ones_own_report(consent: str, client: Client) -> None:
    assert client.post("/report/done/", {**TOLD, "consent": consent}).status_code == 200
    assert Report.objects.exists() and not OnBehalf.objects.exists()


def test_without_agreement_nothing_is_taken(client: Client) -> None:
    answer = client.post("/report/done/", {**TOLD, "consent": "refused"})
    assert answer.status_code == 422
    assert "Without their agreement we take no report for them." in answer.content.decode()
    assert not Report.objects.exists()


def test_the_sealed_outbox_carries_it(client: Client) -> None:
    assert 'name="consent"' in client.get("/report/offline/").content.decode()
    flush(client, envelope({"text": "The lamp is dark.", "consent": "guardian"}))
    assert OnBehalf.objects.get().consent == Consent.GUARDIAN


def test_a_no_that_waited_on_a_phone_leaves_nothing_of_what_was_written(client: Client) -> None:
    flush(client, envelope({"text": "She is beaten.", "place_text": "Mill", "consent": "refused"}))
    report = Report.objects.get()
    assert (report.text, report.place_name, report.state) == ("", "", "rejected")
