"""The exact map of a desk."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from commonbeat.foundation import clock
from commonbeat.journal.models import Entry
from commonbeat.people.models import Unit, User
from commonbeat.reports.models import Report
from commonbeat.web.desk import map as desk_map
from tests import make
from tests.make import LATITUDE, LONGITUDE

pytestmark = pytest.mark.django_db


def data(client: Client, query: str = "") -> dict[str, Any]:
    """Ask for the map's data."""
    answer = client.get(reverse("desk:map_data") + query)
    assert answer["Content-Type"] == "application/geo+json"
    found: dict[str, Any] = json.loads(answer.content)
    return found


def test_open_reports_at_their_exact_places(unit: Unit, far_unit: Unit, officer_client: Client) -> None:
    report = make.make_report(unit=unit, title="Dark lamp")
    make.make_report(unit=unit, latitude=None)
    make.make_report(unit=far_unit)
    Report.objects.filter(pk=make.make_report(unit=unit).pk).update(state="resolved")
    found = data(officer_client)
    (feature,) = found["features"]
    assert feature["geometry"]["coordinates"] == [LONGITUDE, LATITUDE]
    assert feature["properties"]["url"] == f"/desk/reports/{report.pk}/"
    assert found["note"] == "1 open report in this view"
    assert "1 open report has no place" in officer_client.get(reverse("desk:map")).content.decode()


def test_only_what_is_in_view(unit: Unit, officer_client: Client) -> None:
    make.make_report(unit=unit)
    make.make_report(unit=unit, latitude=43.5)
    assert len(data(officer_client, "?bbox=20,42,21,43&zoom=12")["features"]) == 1


@pytest.mark.parametrize("box", ["", "x", "1,2,3", "nan,nan,nan,nan", "inf,0,1,1", "20,43,21,42", "1,2,3,4,5"])
def test_a_box_that_cannot_be_read_is_no_box(box: str, unit: Unit, officer_client: Client) -> None:
    make.make_report(unit=unit)
    assert len(data(officer_client, f"?bbox={box}")["features"]) == 1


def test_many_are_counted_and_the_counts_add_up(
    unit: Unit, officer_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk_map, "MOST_FEATURES", 6)
    for n in range(30):
        make.make_report(unit=unit, latitude=LATITUDE + n * 0.001)
    features = data(officer_client)["features"]
    assert 1 <= len(features) <= 6
    assert sum(feature["properties"]["count"] for feature in features) == 30


def test_one_report_with_the_area_that_the_public_would_see(unit: Unit, officer_client: Client) -> None:
    report = make.make_report(unit=unit)
    answer = json.loads(officer_client.get(reverse("desk:report_place", kwargs={"report_id": report.pk})).content)
    area, point = answer["features"]
    assert area["geometry"]["type"] == "Polygon"
    assert point["geometry"]["coordinates"] == [LONGITUDE, LATITUDE]
    bare = make.make_report(unit=unit, latitude=None)
    answer = json.loads(officer_client.get(reverse("desk:report_place", kwargs={"report_id": bare.pk})).content)
    assert answer["features"] == []


def test_a_look_at_the_exact_map_is_journalled_once_an_hour(
    unit: Unit, officer: User, supervisor: User, officer_client: Client
) -> None:
    for client in (officer_client, officer_client, make.signed_in(supervisor)):
        data(client)
    looks = Entry.objects.filter(kind="reports.map_looked").order_by("id").values_list("subject_id", "actor_id")
    assert list(looks) == [(unit.pk, officer.pk), (0, supervisor.pk)]
    Entry.objects.filter(actor_id=officer.pk).update(at=clock.now() - timedelta(minutes=61))
    data(officer_client)
    assert Entry.objects.filter(kind="reports.map_looked", actor_id=officer.pk).count() == 2


def test_a_look_at_the_map_stands_in_no_report_s_history(unit: Unit, officer_client: Client) -> None:
    report = make.make_report(unit=unit)
    data(officer_client)
    Entry.objects.filter(kind="reports.map_looked").update(subject_id=report.pk)
    assert "map_looked" not in officer_client.get(reverse("desk:report", args=[report.pk])).content.decode()
