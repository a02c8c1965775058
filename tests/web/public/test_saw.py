"""I saw something: from the alert's page to a report that is tied to it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from commonbeat.alerts.models import Alert, Sighting
from commonbeat.foundation import clock
from commonbeat.reports.models import Report
from commonbeat.topics.models import Topic
from commonbeat.topics.queries import SIGHTING, forget_topics
from commonbeat.topics.ready_made import install_ready_made
from tests import make
from tests.alerts.rows import alert_row, follow_up
from tests.web.public.test_outbox import envelope, flush
from tests.web.public.walker import Walker

NOW = make.NOW
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _town(monkeypatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW + timedelta(minutes=1))
    make.fallback()
    install_ready_made(NOW)
    forget_topics()


def walk(client: Client, alert: Alert) -> Walker:
    walker = Walker(client, f"/alerts/{alert.pk}/saw/")
    walker.send(text="A white van without plates", when="today")
    walker.send(q_still="yes")
    walker.send(place_text="42.38, 20.43")
    walker.send()
    walker.send()
    return walker


def test_what_was_seen_is_tied_to_the_first_message(client: Client) -> None:
    root = alert_row(kind="missing_child")
    update = follow_up(root, now=NOW)
    walker = walk(client, update)
    assert walker.step == "check" and "Do not drink the water" in walker.text
    walker.send(go="")
    assert walker.response.status_code == 200
    report = Report.objects.get()
    assert (report.topic.code, report.answers["still"]) == (SIGHTING, "yes")
    assert Sighting.objects.get().alert_id == root.pk and Sighting.objects.get().report_id == report.pk


def test_sending_twice_is_one_sighting(client: Client) -> None:
    walker = walk(client, alert_row(kind="look_out"))
    data = dict(walker.form.fields)
    for _ in range(2):
        assert client.post("/report/done/", data).status_code == 200
    assert Report.objects.count() == Sighting.objects.count() == 1


def test_what_waited_on_the_phone_is_tied_as_well(client: Client) -> None:
    alert = alert_row(kind="missing_child")
    flush(client, envelope({"topic": SIGHTING, "text": "A white van", "alert": str(alert.pk)}))
    assert Sighting.objects.get().alert_id == alert.pk


@pytest.mark.parametrize("number", ["999", "abc", "-1", "9" * 30, "1 OR 1=1", ""])
def test_an_alert_that_is_none_leaves_a_report(client: Client, number: str) -> None:
    flush(client, envelope({"topic": SIGHTING, "text": "A white van", "alert": number}))
    assert Report.objects.count() == 1 and not Sighting.objects.exists()
    response = client.post("/report/sighting/", {"step": "what", "text": "A white van", "alert": number})
    assert response.status_code == 200


def test_only_what_is_out_and_asks_for_it_begins_a_sighting(client: Client) -> None:
    water, draft = alert_row(kind="water"), alert_row(kind="missing_child", state="draft")
    for alert in (water, draft):
        assert client.get(f"/alerts/{alert.pk}/saw/").status_code == 404
    flush(client, envelope({"topic": SIGHTING, "text": "A white van", "alert": str(draft.pk)}))
    assert not Sighting.objects.exists()
    assert client.get(f"/alerts/{10**30}/saw/").status_code == 404


def test_of_an_alert_that_is_over_it_is_said_and_taken(client: Client) -> None:
    alert = alert_row(kind="missing_child", ended_at=NOW, outcome="found_safe")
    page = client.get(f"/alerts/{alert.pk}/saw/").content.decode()
    assert "This alert has ended. What you saw is still read." in page
    assert f'href="/alerts/{alert.pk}/"' in page
    flush(client, envelope({"topic": SIGHTING, "text": "A white van", "alert": str(alert.pk)}))
    assert Sighting.objects.get().alert_id == alert.pk


def test_the_topic_stands_in_no_list_and_is_made_where_it_is_missing(client: Client) -> None:
    for address in ("/", "/report/", "/report/offline/", "/sms/"):
        assert "Seen after an alert" not in client.get(address).content.decode()
    Topic.objects.filter(code=SIGHTING).update(current=None)
    Topic.objects.filter(code=SIGHTING).delete()
    forget_topics()
    assert client.get(f"/alerts/{alert_row(kind='missing_child').pk}/saw/").status_code == 200
    assert Topic.objects.get(code=SIGHTING).counts_only


def test_where_the_topic_was_taken_out_of_use_it_is_another_report(client: Client) -> None:
    Topic.objects.filter(code=SIGHTING).update(enabled=False)
    forget_topics()
    alert = alert_row(kind="missing_child")
    walker = Walker(client, f"/alerts/{alert.pk}/saw/")
    assert walker.form.action == "/report/other/"
    assert ("alert", str(alert.pk)) in walker.form.fields


def test_no_sighting_is_ever_in_public(client: Client, officer) -> None:
    alert = alert_row(kind="missing_child")
    flush(client, envelope({"topic": SIGHTING, "text": "A white van", "alert": str(alert.pk)}))
    report = Report.objects.get()
    assert report.topic.counts_only
    for address in (f"/alerts/{alert.pk}/", "/reports/", f"/reports/{report.reference.lower()}/"):
        page = client.get(address).content.decode()
        assert "A white van" not in page and report.reference not in page
    shown = client.get(f"/alerts/{alert.pk}/").content.decode()
    assert "Some people have helped." in shown
