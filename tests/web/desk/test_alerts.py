"""Alerts at the desk: who sees what, who releases, how far they have gone, and who answered."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from commonbeat.alerts.actions.follow import end_alert
from commonbeat.alerts.actions.release import ask_second
from commonbeat.alerts.actions.sightings import tie_sighting
from commonbeat.alerts.models import Alert
from commonbeat.foundation import clock
from commonbeat.journal.models import Entry
from commonbeat.messaging.models import Outbound, OutboundState
from commonbeat.people.models import Role, Unit
from commonbeat.reports.models import Report
from tests import make
from tests.alerts.going_out import draft_of, fan_out, many_subscribers, subscriber
from tests.alerts.rows import alert_row
from tests.web.desk.alert_walk import address, draft, out, step, urgent

pytestmark = pytest.mark.django_db
LIST = "/desk/alerts/"
SECRET = "The pipe in Xhevahire's cellar"


@pytest.fixture
def waiting(officer) -> Alert:
    """Give an alert that waits for a second person."""
    alert = urgent(officer)
    return ask_second(alert_id=alert.pk, actor=officer, now=clock.now())


def client_of(who: str, request: pytest.FixtureRequest) -> Client:
    return Client() if who == "nobody" else request.getfixturevalue(f"{who}_client")


# ------------------------------------------------------------------ who sees what

READS = ["list", "new", "page", "area", "where", "text", "how", "points", "follow"]
POSTS = ["ask", "release", "alone", "back", "discard"]


def reads(alert: Alert, released: Alert) -> dict[str, str]:
    return {
        "list": LIST,
        "new": "/desk/alerts/new/",
        "page": address("alert", alert),
        "area": address("alert_area", alert),
        "where": step(alert, "where"),
        "text": step(alert, "text"),
        "how": step(alert, "how"),
        "points": address("alert_sightings", alert),
        "follow": address("alert_follow", released, verb="end"),
    }


@pytest.mark.parametrize(
    "who", ["nobody", "resident", "outsider", "moderator", "overseer", "administrator", "translator"]
)
def test_who_writes_no_alerts_sees_nothing_of_them(who: str, waiting: Alert, officer, request) -> None:
    released = out(officer)
    client = client_of(who, request)
    journal = Entry.objects.count()
    for name, url in reads(waiting, released).items():
        answer = client.get(url)
        assert answer.status_code == (302 if who == "nobody" else 403), name
        assert "Water cut" not in answer.content.decode()
    for verb in POSTS:
        answer = client.post(address("alert_act", waiting, verb=verb), {"reason": "x", "note": "x"})
        assert answer.status_code == (302 if who == "nobody" else 403), verb
    assert client.post(step(waiting, "text"), {"headline_en": "x"}).status_code in (302, 403)
    assert client.post(address("alert_follow", released, verb="cancel"), {"go": "send"}).status_code in (302, 403)
    assert Entry.objects.count() == journal


def test_another_unit_sees_what_is_out_and_no_drafts(waiting: Alert, officer, far_officer_client: Client) -> None:
    released = out(officer)
    for name, url in reads(waiting, released).items():
        if name in ("list", "new"):
            continue
        assert far_officer_client.get(url).status_code == 404, name
    for verb in POSTS:
        assert far_officer_client.post(address("alert_act", waiting, verb=verb), {"reason": "x"}).status_code == 404
    for verb in ("update", "extend", "end", "cancel"):
        answer = far_officer_client.post(address("alert_follow", released, verb=verb), {"go": "send"})
        assert answer.status_code == 404
    page = far_officer_client.get(address("alert", released)).content.decode()
    assert "Water cut in the old town" in page
    assert "Say how it ended" not in page
    text = far_officer_client.get(LIST).content.decode()
    assert f'href="{address("alert", released)}"' in text
    assert address("alert", waiting) not in text
    assert "Waiting for a second person" not in text


def test_an_officer_without_a_unit_sees_no_drafts(waiting: Alert) -> None:
    client = make.signed_in(make.make_user("new-officer", role=Role.OFFICER, unit=None))
    assert client.get(address("alert", waiting)).status_code == 404
    assert address("alert", waiting) not in client.get(LIST).content.decode()


def test_the_menu_says_how_many_wait_for_oneself(
    waiting: Alert,
    officer_client: Client,
    second_officer_client: Client,
    far_officer_client: Client,
    supervisor_client: Client,
) -> None:
    assert "Alerts (1)" in second_officer_client.get("/desk/reports/").content.decode()
    assert "Alerts (1)" in supervisor_client.get("/desk/reports/").content.decode()
    # Who wrote it cannot release it, and another unit does not see it.
    assert "Alerts (" not in officer_client.get("/desk/reports/").content.decode()
    assert "Alerts (" not in far_officer_client.get("/desk/reports/").content.decode()


def test_the_list_in_its_parts(officer, officer_client: Client, waiting: Alert, second_officer) -> None:
    released = out(officer)
    draft(officer, texts={}, kind="road")
    ended = out(officer, kind="power")
    end_alert(alert_id=ended.pk, outcome="solved", actor=officer, now=clock.now())
    drill = out(officer, status="Test")
    alert_row(now=clock.now(), texts={"en": ("Storm from the coast", "It comes tonight.")}, source=None, unit=None)
    text = officer_client.get(LIST).content.decode()
    order = [text.index(f">{head}</h2>") for head in ("Out now", "Drafts", "Ended lately")]
    assert text.index("Waiting for a second person") < order[0] < order[1] < order[2]
    assert order[0] < text.index(address("alert", released)) < order[1]
    assert order[0] < text.index(f'href="{address("alert", drill)}"') < order[1]
    assert "TEST: Water cut" in text
    assert "Storm from the coast" in text
    assert order[2] < text.index(f'href="{address("alert", ended)}"')
    assert "Put right" in text
    part = officer_client.get(f"{LIST}?part=waiting").content.decode()
    assert "<html" not in part
    assert address("alert", waiting) in part
    assert "you asked at" in part


def test_the_list_asks_no_more_for_more_alerts(officer, officer_client: Client) -> None:
    def measure() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert officer_client.get(LIST).status_code == 200
        return len(queries)

    def one_of_each() -> None:
        alert = out(officer)
        tie_sighting(alert_id=alert.pk, report_id=make.make_report(unit=officer.unit).pk, now=clock.now())
        draft(officer)
        end_alert(alert_id=out(officer).pk, outcome="over", actor=officer, now=clock.now())
        asked = urgent(officer)
        ask_second(alert_id=asked.pk, actor=officer, now=clock.now())

    one_of_each()
    measure()
    few = measure()
    for _ in range(4):
        one_of_each()
    assert measure() == few


# ------------------------------------------------------------------ how far it has gone


def test_how_far_it_has_gone_by_way_and_why_some_failed(officer, second_officer, officer_client: Client) -> None:
    now = clock.now()
    many_subscribers(20, now=now)
    for _ in range(6):
        subscriber(language="sq", now=now)
    alert = out(officer, second=second_officer)
    assert "being queued" in officer_client.get(address("alert", alert)).content.decode()
    fan_out(alert, now=now)
    ids = list(Outbound.objects.order_by("pk").values_list("pk", flat=True))
    Outbound.objects.filter(pk__in=ids[:10]).update(state=OutboundState.DELIVERED)
    Outbound.objects.filter(pk__in=ids[10:16]).update(state=OutboundState.FAILED, error="undelivered")
    Outbound.objects.filter(pk__in=ids[16:17]).update(state=OutboundState.SENT)
    Outbound.objects.filter(pk__in=ids[17:23]).update(due_at=now + timedelta(hours=5))
    text = officer_client.get(address("alert", alert) + "?part=progress").content.decode()
    assert "<html" not in text
    assert "for 25 people" in text
    assert "10 delivered" in text
    assert "5 failed" in text
    assert "5 delayed until the morning" in text
    assert "The network could not deliver it" in text
    assert 'data-label="Delivered">10<' in text
    assert "for 25 people" in officer_client.get(LIST).content.decode()


def test_few_recipients_are_not_told_apart(officer, officer_client: Client) -> None:
    now = clock.now()
    subscriber(now=now)
    alert = out(officer)
    fan_out(alert, now=now)
    Outbound.objects.update(state=OutboundState.FAILED, error="undelivered")
    text = officer_client.get(address("alert", alert)).content.decode()
    assert "fewer than 5 people" in text
    for told in ("1 people", "1 failed", "The network could not deliver it", 'data-label="Failed"'):
        assert told not in text
    nobody = out(officer, drawn=draft_of(now=now).drawn.__class__(polygons=[make.square(0.0, 0.0, half=0.1)]))
    fan_out(nobody, now=now)
    # None and one read alike.
    none = officer_client.get(address("alert", nobody) + "?part=progress").content.decode()
    one = officer_client.get(address("alert", alert) + "?part=progress").content.decode()
    said = "</svg> for fewer than 5 people."
    assert said in none
    assert said in one


def test_an_alert_of_another_system_can_be_read_and_not_touched(officer_client: Client) -> None:
    from commonbeat.alerts.models import Source

    source = Source.objects.create(name="Weather service", url="https://weather.example/feed")
    alert = alert_row(now=clock.now(), source=source, kind="weather")
    page = officer_client.get(address("alert", alert)).content.decode()
    assert "Weather service" in page
    assert "Take it back" not in page
    assert officer_client.post(address("alert_follow", alert, verb="cancel"), {"go": "send"}).status_code == 404


def test_the_area_as_geojson(officer, officer_client: Client) -> None:
    answer = officer_client.get(address("alert_area", draft(officer))).json()
    assert answer["features"][0]["geometry"]["type"] == "Polygon"
    assert len(answer["bbox"]) == 4


# ------------------------------------------------------------------ who answered


def test_sightings_are_those_that_the_viewer_may_read(
    officer, far_unit: Unit, officer_client: Client, supervisor_client: Client
) -> None:
    alert = out(officer, kind="look_out")
    now = clock.now()
    first = make.make_report(unit=officer.unit, text="A white van by the mill.", now=now)
    second = make.make_report(
        unit=officer.unit, text="The same at the bridge.", now=now + timedelta(minutes=5), latitude=None, longitude=None
    )
    other = make.make_report(unit=far_unit, text=SECRET, now=now)
    for report in (first, second, other):
        assert tie_sighting(alert_id=alert.pk, report_id=report.pk, now=now)
    page = officer_client.get(address("alert", alert)).content.decode()
    assert page.index("The same at the bridge.") < page.index("A white van by the mill.")
    assert SECRET not in page
    assert "1 more came to other desks" in page
    points = officer_client.get(address("alert_sightings", alert)).json()["points"]
    assert [(one["number"], one["title"]) for one in points] == [(1, "A white van by the mill.")]
    everything = supervisor_client.get(address("alert", alert)).content.decode()
    assert "Xhevahire" in everything
    assert len(supervisor_client.get(address("alert_sightings", alert)).json()["points"]) == 2
    assert "3 sightings" in officer_client.get(LIST).content.decode()
    assert Entry.objects.filter(kind="reports.map_looked").exists()


def test_what_was_not_taken_up_is_marked_and_not_on_the_map(officer, officer_client: Client) -> None:
    alert = out(officer, kind="look_out")
    now = clock.now()
    for number, state in enumerate(("new", "rejected")):
        report = make.make_report(unit=officer.unit, text=f"Van {number}.", now=now, client_key=f"van-{number}")
        Report.objects.filter(pk=report.pk).update(state=state)
        assert tie_sighting(alert_id=alert.pk, report_id=report.pk, now=now)
    page = officer_client.get(address("alert", alert)).content.decode()
    assert page.count("Not taken up") == 1 and page.count("Web form") == 2
    points = officer_client.get(address("alert_sightings", alert)).json()["points"]
    assert [one["title"] for one in points] == ["Van 0."]


def test_the_page_asks_no_more_for_more_sightings(officer, officer_client: Client) -> None:
    alert = out(officer, kind="look_out")

    def measure() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert officer_client.get(address("alert", alert)).status_code == 200
        return len(queries)

    def answer() -> None:
        report = make.make_report(unit=officer.unit, text="Here.", now=clock.now())
        tie_sighting(alert_id=alert.pk, report_id=report.pk, now=clock.now())

    answer()
    measure()
    few = measure()
    for _ in range(5):
        answer()
    assert measure() == few


def test_what_is_written_stands_escaped(officer, officer_client: Client) -> None:
    alert = draft(officer, texts={"en": draft_of().texts["en"].__class__("<i>Look</i>", "<script>x</script>", "here")})
    page = officer_client.get(address("alert", alert)).content.decode()
    assert "<script>x" not in page
    assert "&lt;i&gt;Look" in page
    assert json.loads(officer_client.get(address("alert_area", alert)).content)["type"] == "FeatureCollection"
