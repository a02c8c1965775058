"""The exact map of a desk."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from commonbeat.foundation import clock
from commonbeat.journal.models import Entry
from commonbeat.people.models import Unit, User
from commonbeat.reports.models import Report, State
from commonbeat.reports.queries import desk, desk_map
from commonbeat.reports.queries.desk import Filters
from tests import make
from tests.make import LATITUDE, LONGITUDE

pytestmark = pytest.mark.django_db
TOWN = "bbox=20.3,42.3,20.6,42.5"


def points(client: Client, query: str = "") -> dict[str, Any]:
    """Ask what lies in a view."""
    answer = client.get(f"{reverse('desk:map_points')}?{query}")
    assert answer.status_code == 200
    found: dict[str, Any] = json.loads(answer.content)
    return found


def scatter(unit: Unit, count: int, **more: Any) -> list[Report]:
    """Make reports along a line through the town, some 80 m apart."""
    return [make.make_report(unit=unit, latitude=LATITUDE + n * 0.0007, **more) for n in range(count)]


def test_a_single_report_stands_at_its_exact_place(unit: Unit, far_unit: Unit, officer_client: Client) -> None:
    report = make.make_report(unit=unit, title="Dark lamp", place_name="By the school")
    make.make_report(unit=far_unit)
    Report.objects.filter(pk=make.make_report(unit=unit).pk).update(state="resolved")
    found = points(officer_client, f"{TOWN}&zoom=16")
    (mark,) = found["marks"]
    assert mark["at"] == [LATITUDE, LONGITUDE]
    assert mark["url"] == f"/desk/reports/{report.pk}/"
    assert (mark["title"], mark["place"], mark["states"]) == ("Dark lamp", "By the school", "New")
    assert found["note"] == "1 report in this view"


def test_without_its_index_the_map_is_slow_and_not_gone(
    unit: Unit, officer_client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    make.make_report(unit=unit, title="Dark lamp")
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX report_desk_map")
    (mark,) = points(officer_client, f"{TOWN}&zoom=16")["marks"]
    assert mark["title"] == "Dark lamp"
    if connection.vendor == "sqlite":
        assert "report_desk_map is missing" in caplog.text


def test_what_is_near_is_told_as_one_with_its_mix(unit: Unit, officer_client: Client) -> None:
    for code in ("dump", "dump", "lamp"):
        make.make_report(unit=unit, topic=make.make_topic(code))
    (mark,) = points(officer_client, f"{TOWN}&zoom=13")["marks"]
    assert (mark["count"], mark["topics"], mark["states"]) == (3, "Dump 2, Lamp 1", "New 3")
    assert mark["box"] == [LATITUDE, LONGITUDE, LATITUDE, LONGITUDE]
    assert "url" not in mark


@pytest.mark.parametrize("query", ["tab=all", "tab=new", "tab=all&state=triaged", "tab=all&period=week", "tab=mine",
                                   "tab=beat", "tab=all&verified=no", "tab=all&channel=web"])  # fmt: skip
def test_the_marks_of_every_zoom_add_up_to_the_list(
    query: str, unit: Unit, far_unit: Unit, officer: User, officer_client: Client
) -> None:
    make.make_beat(unit=unit, officers=[officer])
    reports = scatter(unit, 25, now=clock.now())
    Report.objects.filter(pk__in=[one.pk for one in reports[:5]]).update(state="triaged")
    Report.objects.filter(pk=reports[7].pk).update(
        claimed_by=officer, claimed_until=clock.now() + timedelta(minutes=9), verified_at=clock.now()
    )
    for longitude in (-179.99, 179.99, 0.0, -72.3):
        make.make_report(unit=unit, longitude=longitude, now=clock.now())
    make.make_report(unit=unit, latitude=None, now=clock.now())
    scatter(far_unit, 3)
    given = dict(part.split("=") for part in query.split("&"))
    filters = Filters(
        given["tab"], None, given.get("state", ""), given.get("channel", ""), None, given.get("period", "")
    )
    if "verified" in given:
        filters = Filters(tab="all", verified="no")
    beat_ids = [beat.pk for beat in desk.own_beats(officer)]
    in_list = desk.matching(officer, filters, now=clock.now(), beat_ids=beat_ids)
    placed = in_list.filter(latitude__isnull=False).count()
    assert placed
    for zoom in range(20):
        found = points(officer_client, f"{query}&bbox=-180,-90,180,90&zoom={zoom}")
        assert sum(mark["count"] for mark in found["marks"]) == found["count"] == placed, zoom
    page = officer_client.get(f"{reverse('desk:map')}?{query}").content.decode()
    assert f"{in_list.count()} report" in page
    assert f"{placed} with a place, {in_list.count() - placed} without one" in page


def test_no_view_has_more_marks_than_it_may(unit: Unit, officer: User) -> None:
    scatter(unit, 30)
    found = desk_map.narrowed(officer, Filters(), now=clock.now())
    for most in (1, 4, 12):
        made = desk_map.marks(found, desk_map.WORLD, zoom=19, most=most)
        assert len(made) <= most
        assert sum(mark.count for mark in made) == 30


def test_a_view_that_crosses_180_degrees_and_one_that_shows_the_world_twice(unit: Unit, officer_client: Client) -> None:
    for longitude in (179.5, -179.5, 10.0):
        make.make_report(unit=unit, longitude=longitude)
    for west, east, count in ((179, 181, 2), (-181, -179, 2), (539, 541, 2), (-720, 720, 3), (-350.5, -349.5, 1)):
        found = points(officer_client, f"bbox={west},40,{east},44&zoom=9")
        assert found["count"] == count, (west, east)


def test_the_middle_of_two_sides_of_180_degrees_is_not_in_africa(unit: Unit, officer_client: Client) -> None:
    for longitude in (179.999, -179.999):
        make.make_report(unit=unit, longitude=longitude, latitude=66.0)
    marks = points(officer_client, "bbox=-180,-90,180,90&zoom=1")["marks"]
    assert all(abs(mark["at"][1]) > 150 for mark in marks)


@pytest.mark.parametrize("query", [
    "bbox=x", "bbox=1,2,3", "bbox=nan,nan,nan,nan", "bbox=inf,0,1,1", "bbox=20,43,21,42", "bbox=1,2,3,4,5",
    "bbox=0,-91,1,1", "bbox=9e99,0,9e99,1", "zoom=x", "zoom=-1", "zoom=1.5", "zoom=999",
])  # fmt: skip
def test_a_view_that_cannot_be_read_is_a_sentence(query: str, unit: Unit, officer_client: Client) -> None:
    make.make_report(unit=unit)
    answer = officer_client.get(f"{reverse('desk:map_points')}?{query}")
    assert answer.status_code == 400
    assert answer.json()["problem"].endswith(".")


def test_another_desk_s_reports_are_in_no_view_however_narrow(
    unit: Unit, far_unit: Unit, officer_client: Client, supervisor_client: Client, far_officer_client: Client
) -> None:
    report = make.make_report(unit=far_unit, title="Secret place")
    for query in (f"{TOWN}&zoom=19", "bbox=20.4299,42.3799,20.4301,42.3801&zoom=19", f"tab=all&{TOWN}&zoom=2",
                  "tab=all&q=Secret", f"tab=all&since={report.pk - 1}"):  # fmt: skip
        found = points(officer_client, query)
        assert found["count"] == 0
        assert not found.get("marks") and not found.get("alike")
    assert points(officer_client, TOWN)["newest"] == 0
    assert points(far_officer_client, TOWN)["count"] == points(supervisor_client, TOWN)["count"] == 1


def test_a_search_comes_by_post_and_narrows(unit: Unit, officer_client: Client) -> None:
    make.make_report(unit=unit, text="A heap of tyres")
    make.make_report(unit=unit, text="A dark lamp")
    answer = officer_client.post(f"{reverse('desk:map_points')}?tab=all&{TOWN}&zoom=16", {"q": "tyres"})
    (mark,) = answer.json()["marks"]
    assert mark["title"] == "A heap of tyres"
    page = officer_client.get(f"{reverse('desk:map')}?q=tyres").content.decode()
    assert "1 report in this list" in page
    assert 'data-points="/desk/map/points.json?tab=all"' in page


def test_how_many_came_after(unit: Unit, officer_client: Client) -> None:
    first = make.make_report(unit=unit)
    assert points(officer_client, TOWN)["newest"] == first.pk
    make.make_report(unit=unit, latitude=None)
    last = make.make_report(unit=unit)
    assert points(officer_client, f"since={first.pk}") == {"count": 1, "newest": last.pk}


def test_the_number_of_queries_does_not_grow(
    unit: Unit, supervisor_client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    make.make_beat(unit=unit)
    scatter(unit, 2)
    points(supervisor_client, f"{TOWN}&zoom=18")
    for count in (2, 25):
        scatter(unit, count)
        for _n in range(3):
            make.make_unit()
        with django_assert_max_num_queries(14):
            assert len(points(supervisor_client, f"{TOWN}&zoom=18")["marks"]) >= count
        with django_assert_max_num_queries(16):
            supervisor_client.get(reverse("desk:map"))


def test_the_page_says_the_same_without_a_map(unit: Unit, officer: User, officer_client: Client) -> None:
    beat = make.make_beat(unit=unit, name="Old bazaar", officers=[officer])
    make.make_report(unit=unit, title="Dark lamp")
    make.make_report(unit=unit, latitude=None)
    page = officer_client.get(f"{reverse('desk:map')}?tab=all&state=new").content.decode()
    assert f'<a href="/desk/reports/?tab=all&amp;state=new&amp;beat={beat.pk}">Old bazaar</a>' in page
    assert "On no beat" in page
    assert "Dark lamp" in page
    # Nothing that needs the script is offered without it.
    assert page.index("data-text-show") < page.index(" hidden>") < page.index("data-lasso ")


def test_a_fresh_list_beside_the_map(unit: Unit, officer_client: Client) -> None:
    make.make_report(unit=unit, title="Dark lamp")
    part = officer_client.get(reverse("desk:map"), headers={"HX-Request": "true"}).content.decode()
    assert "Dark lamp" in part and "<html" not in part


def test_an_empty_desk_is_no_error(unit: Unit, officer_client: Client) -> None:
    found = points(officer_client)
    assert (found["marks"], found["count"], found["note"]) == ([], 0, "0 reports in this view")
    assert "No report fits" in officer_client.get(reverse("desk:map")).content.decode()


def test_an_officer_without_a_beat_has_an_empty_map(unit: Unit, officer_client: Client) -> None:
    make.make_report(unit=unit)
    assert points(officer_client, f"tab=beat&{TOWN}&zoom=13")["marks"] == []
    assert officer_client.get(f"{reverse('desk:map')}?tab=beat").status_code == 200


def test_the_states_of_the_index_are_all_states(unit: Unit, officer_client: Client) -> None:
    for state in State.values:
        Report.objects.filter(pk=make.make_report(unit=unit).pk).update(state=state)
    assert points(officer_client, f"tab=all&{TOWN}")["count"] == len(State.values)


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
        points(client)
    looks = Entry.objects.filter(kind="reports.map_looked").order_by("id").values_list("subject_id", "actor_id")
    assert list(looks) == [(unit.pk, officer.pk), (0, supervisor.pk)]
    Entry.objects.filter(actor_id=officer.pk).update(at=clock.now() - timedelta(minutes=61))
    points(officer_client)
    assert Entry.objects.filter(kind="reports.map_looked", actor_id=officer.pk).count() == 2


def test_a_look_at_the_map_stands_in_no_report_s_history(unit: Unit, officer_client: Client) -> None:
    report = make.make_report(unit=unit)
    points(officer_client)
    Entry.objects.filter(kind="reports.map_looked").update(subject_id=report.pk)
    assert "map_looked" not in officer_client.get(reverse("desk:report", args=[report.pk])).content.decode()
