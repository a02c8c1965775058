"""Choosing reports by an area that was drawn on the desk's map."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from commonbeat.journal.models import Entry
from commonbeat.people.models import Unit, User
from commonbeat.reports.models import Report
from commonbeat.reports.queries import desk_map
from commonbeat.web.desk import lasso
from commonbeat.web.desk.lasso import LassoError, read_ring
from tests import make
from tests.make import LATITUDE, LONGITUDE

pytestmark = pytest.mark.django_db


def ring(half: float = 0.01, *, latitude: float = LATITUDE, longitude: float = LONGITUDE) -> list[list[float]]:
    """Give the corners of a square, not closed."""
    south, north, west, east = latitude - half, latitude + half, longitude - half, longitude + half
    return [[west, south], [east, south], [east, north], [west, north]]


def choose(client: Client, area: Any, query: str = "", **more: str) -> Any:
    """Draw an area."""
    text = area if isinstance(area, str) else json.dumps(area)
    return client.post(f"{reverse('desk:map_select')}?{query}", {"area": text, **more})


def chosen(answer: Any) -> set[int]:
    """Give the reports that a panel offers."""
    assert answer.status_code == 200
    text = answer.content.decode()
    return {int(part.partition('"')[0]) for part in text.split('name="report" value="')[1:]}


def test_what_lies_inside_and_nothing_else(unit: Unit, far_unit: Unit, officer_client: Client) -> None:
    inside = make.make_report(unit=unit, title="Inside")
    edge = make.make_report(unit=unit, longitude=LONGITUDE + 0.01)
    make.make_report(unit=unit, longitude=LONGITUDE + 0.011)
    make.make_report(unit=unit, latitude=None)
    make.make_report(unit=far_unit, title="Another desk")
    answer = choose(officer_client, ring())
    assert chosen(answer) == {inside.pk, edge.pk}
    text = answer.content.decode()
    assert "2 reports in the area" in text and "Another desk" not in text
    assert f'href="/desk/reports/{inside.pk}/?tab=new"' in text


def test_a_triangle_is_not_its_box(unit: Unit, officer_client: Client) -> None:
    make.make_report(unit=unit, latitude=LATITUDE + 0.009, longitude=LONGITUDE + 0.009)
    low = make.make_report(unit=unit, latitude=LATITUDE - 0.009, longitude=LONGITUDE - 0.009)
    assert chosen(choose(officer_client, ring()[:2] + ring()[3:])) == {low.pk}


def test_filters_hold_and_a_search_is_in_the_form(unit: Unit, officer_client: Client) -> None:
    lamp = make.make_report(unit=unit, text="A dark lamp")
    heap = make.make_report(unit=unit, text="A heap of tyres")
    Report.objects.filter(pk=heap.pk).update(state="triaged")
    assert chosen(choose(officer_client, ring())) == {lamp.pk}
    assert chosen(choose(officer_client, ring(), "tab=all&state=triaged")) == {heap.pk}
    assert chosen(choose(officer_client, ring(), "tab=all", q="tyres")) == {heap.pk}


def test_a_line_that_crosses_itself_encloses_all_its_loops(unit: Unit, officer_client: Client) -> None:
    west, east = (make.make_report(unit=unit, longitude=LONGITUDE + shift) for shift in (-0.005, 0.005))
    a, b, c, d = ring()
    assert chosen(choose(officer_client, [a, c, b, d])) == {west.pk, east.pk}
    # Once around and on: what a hand went around twice is inside too.
    twice = [
        [LONGITUDE + (0.009 + n * 1e-5) * math.cos(n / 8), LATITUDE + (0.009 + n * 1e-5) * math.sin(n / 8)]
        for n in range(95)
    ]
    assert chosen(choose(officer_client, twice)) == {west.pk, east.pk}


def test_an_area_across_180_degrees(unit: Unit, officer_client: Client) -> None:
    both = {make.make_report(unit=unit, longitude=longitude).pk for longitude in (179.9, -179.9)}
    make.make_report(unit=unit, longitude=0.0)
    assert chosen(choose(officer_client, ring(0.2, longitude=180.0))) == both
    assert chosen(choose(officer_client, ring(0.2, longitude=-180.0))) == both
    world = [[-180, -90], [180, -90], [180, 90], [-180, 90]]
    assert len(chosen(choose(officer_client, world))) == 3


@pytest.mark.parametrize(
    ("area", "said"),
    [
        ("", "No area was drawn"), ("{", "No area was drawn"), ("{}", "No area was drawn"), ("[" * 9_000, "No area"),
        ("[]", "at least three corners"), ("[[1,2],[3,4]]", "at least three corners"),
        ("[[1,2],[1,2],[1,2],[1,2]]", "at least three corners"), ("[[1,2],[2,3],[3,4]]", "encloses nothing"),
        ("[[NaN,1],[2,2],[3,1]]", "does not lie on the globe"), ("[[1,Infinity],[2,2],[3,1]]", "on the globe"),
        ("[[1,200],[2,2],[3,1]]", "on the globe"), ("[[1,-200],[2,2],[3,1]]", "on the globe"),
        ("[[361,1],[2,2],[3,1]]", "on the globe"), ("[[-200,1],[200,2],[3,4]]", "the whole globe"),
        ("[[1" + "0" * 400 + ",1],[2,2],[3,1]]", "on the globe"), ("[[true,1],[2,2],[3,1]]", "Each corner"),
        ('[["1","2"],[2,2],[3,1]]', "Each corner"), ("[[1],[2,2],[3,1]]", "Each corner"), ("[1,2,3]", "Each corner"),
        (json.dumps([[n / 1e4, (n % 7) / 1e3] for n in range(10_000)]), "too many corners"),
        ("[" + " " * 250_000 + "]", "too many corners"),
    ],
)  # fmt: skip
def test_an_area_that_cannot_be_used_is_a_sentence(area: str, said: str, unit: Unit, officer_client: Client) -> None:
    make.make_report(unit=unit)
    answer = choose(officer_client, area)
    assert answer.status_code == 400
    text = answer.content.decode()
    assert said in text and 'role="alert"' in text and "data-row" not in text


def test_too_many_to_look_at_is_a_sentence(unit: Unit, officer_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for _n in range(4):
        make.make_report(unit=unit)
    monkeypatch.setattr(desk_map.inside, "__kwdefaults__", {"most": 3})
    answer = choose(officer_client, ring())
    assert answer.status_code == 422
    assert "Draw a smaller one" in answer.content.decode()


def test_more_than_one_change_reaches_is_said(
    unit: Unit, officer_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lasso, "BULK_LIMIT", 5)
    monkeypatch.setattr(lasso, "FIRST_LINES", 2)
    reports = [make.make_report(unit=unit) for _n in range(8)]
    answer = choose(officer_client, ring())
    assert chosen(answer) == {one.pk for one in reports[3:]}
    text = answer.content.decode()
    assert "8 reports in the area" in text
    assert "the newest 5 are chosen. 3 older ones are left out." in text
    assert "Show the other 3" in text


def test_the_area_is_never_in_an_address(unit: Unit, officer_client: Client) -> None:
    address = reverse("desk:map_select")
    assert officer_client.get(address, {"area": json.dumps(ring())}).status_code == 405
    assert choose(officer_client, "", f"area={json.dumps(ring())}").status_code == 400


@pytest.mark.parametrize("who", ["resident", "outsider", "moderator", "overseer", "administrator"])
def test_others_choose_nothing(who: str, unit: Unit, request: pytest.FixtureRequest) -> None:
    make.make_report(unit=unit, title="Secret")
    answer = choose(request.getfixturevalue(f"{who}_client"), ring())
    assert answer.status_code == 403
    assert "Secret" not in answer.content.decode()


def test_a_stranger_and_another_desk_choose_nothing(unit: Unit, far_officer_client: Client) -> None:
    make.make_report(unit=unit, title="Secret")
    assert choose(Client(), ring()).status_code == 302
    answer = choose(far_officer_client, ring(0.0001))
    assert chosen(answer) == set()
    assert "0 reports in the area" in answer.content.decode()


def test_a_choice_is_a_look_at_the_map(unit: Unit, officer: User, officer_client: Client) -> None:
    choose(officer_client, ring())
    assert Entry.objects.filter(kind="reports.map_looked", actor_id=officer.pk).count() == 1


def test_the_number_of_queries_does_not_grow(
    unit: Unit, officer_client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for count in (2, 20):
        for _n in range(count):
            make.make_report(unit=unit)
        with django_assert_max_num_queries(12):
            assert len(chosen(choose(officer_client, ring()))) >= count


def test_rings_are_read_as_they_are() -> None:
    assert read_ring(json.dumps(ring())).area == pytest.approx(0.0004)
    with pytest.raises(LassoError, match="three corners"):
        read_ring("[[1,2],[3,4],[1,2]]")


def test_a_wild_line_costs_little_or_is_refused() -> None:
    # A star of 2,000 corners that cross one another took gigabytes.
    wild = [[LONGITUDE + (n % 2) * 0.01 + n * 1e-6, LATITUDE + (n * 7919 % 2000) * 1e-5] for n in range(2_000)]
    with pytest.raises(LassoError, match="too many corners"):
        read_ring(json.dumps(wild))
    loop = [
        [LONGITUDE + 0.01 * math.sin(2 * n / 200 * math.tau), LATITUDE + 0.01 * math.sin(n / 200 * math.tau)]
        for n in range(1_000)
    ]
    assert read_ring(json.dumps(loop)).area > 0


def test_several_at_once_from_the_map_and_back(unit: Unit, officer: User, officer_client: Client) -> None:
    first, second, third = (make.make_report(unit=unit) for _n in range(3))
    both = [first.pk, second.pk]
    bulk = reverse("desk:bulk")
    page = officer_client.post(bulk, {"report": both, "to": "claim", "from": "map"}).content.decode()
    assert "2 reports were changed." in page and "Back to the map" in page
    assert set(Report.objects.filter(claimed_by=officer).values_list("pk", flat=True)) == set(both)
    undo = [f"{pk}:claim" for pk in both]
    assert "taken back" in officer_client.post(bulk, {"report": undo, "step": "undo"}).content.decode()
    assert not Report.objects.filter(claimed_by=officer).exists()
    three = [*both, third.pk]
    page = officer_client.post(bulk, {"report": three, "to": "merge"}).content.decode()
    assert "put together" in page
    first.refresh_from_db()
    assert set(Report.objects.filter(incident=first.incident_id).values_list("pk", flat=True)) == set(three)
    undo = [part.partition('"')[0] for part in page.split('name="report" value="')[1:]]
    assert sorted(undo) == sorted(f"{pk}:merge" for pk in three)
    officer_client.post(bulk, {"report": undo, "step": "undo"})
    assert Report.objects.filter(incident=None, state="new").count() == 3


def test_one_alone_and_too_many_are_not_put_together(unit: Unit, officer_client: Client) -> None:
    reports = [make.make_report(unit=unit).pk for _n in range(21)]
    bulk = reverse("desk:bulk")
    answer = officer_client.post(bulk, {"report": reports[:1], "to": "merge"})
    assert (answer.status_code, "Choose at least two" in answer.content.decode()) == (409, True)
    answer = officer_client.post(bulk, {"report": reports, "to": "merge"})
    assert (answer.status_code, "At most 20 reports" in answer.content.decode()) == (409, True)
    assert not Report.objects.filter(incident__isnull=False).exists()


def test_more_than_a_change_reaches_is_refused_and_not_cut(unit: Unit, officer_client: Client) -> None:
    report = make.make_report(unit=unit)
    answer = officer_client.post(reverse("desk:bulk"), {"report": [report.pk, *range(10_000, 10_200)], "to": "triaged"})
    assert answer.status_code == 400
    assert "A change reaches 200 reports at once" in answer.content.decode()
    report.refresh_from_db()
    assert report.state == "new"
