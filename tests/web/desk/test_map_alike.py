"""What the desk's map says is probably the same."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from commonbeat.foundation import clock
from commonbeat.people.models import Unit, User
from commonbeat.reports.actions.incidents import merge_reports
from commonbeat.reports.models import Report, ReportPhoto
from commonbeat.reports.queries import desk_alike, desk_map
from commonbeat.reports.queries.desk import Filters
from tests import make
from tests.make import LATITUDE, LONGITUDE, NOW

pytestmark = pytest.mark.django_db
FIGHT = "Four people are fighting in front of the station, one is on the ground"


def alike(client: Client, query: str = "zoom=15") -> list[dict[str, Any]]:
    """Ask for the groups of the town."""
    answer = client.get(f"{reverse('desk:map_points')}?bbox=20.3,42.3,20.6,42.5&{query}")
    found: list[dict[str, Any]] = answer.json()["alike"]
    return found


def fight(unit: Unit, *, north: float = 0.0, minutes: float = 0, **more: Any) -> Report:
    """Make a report of the same fight, so far away in degrees and so much later."""
    given: dict[str, Any] = {"text": FIGHT, "now": NOW + timedelta(minutes=minutes), **more}
    return make.make_report(unit=unit, latitude=LATITUDE + north, **given)


def test_near_soon_and_in_the_same_words(unit: Unit, far_unit: Unit, officer_client: Client) -> None:
    first, second = fight(unit), fight(unit, north=0.0004, minutes=4)
    fight(unit, north=0.02)
    fight(unit, minutes=60 * 24 * 5)
    fight(far_unit)
    (group,) = alike(officer_client)
    assert [line["url"] for line in group["reports"]] == [f"/desk/reports/{one.pk}/" for one in (second, first)]
    assert group["reports"][0]["at"] == [round(LATITUDE + 0.0004, 6), LONGITUDE]
    assert group["compare"] == f"/desk/reports/{second.pk}/alike/"
    assert group["said"] == "within 44 metres, within the hour"
    assert officer_client.get(group["compare"]).status_code == 200


def test_other_words_of_another_topic_are_not_the_same(unit: Unit, officer_client: Client) -> None:
    fight(unit)
    make.make_report(unit=unit, topic=make.make_topic("dump"), text="Old tyres behind the school")
    assert alike(officer_client) == []


def test_the_same_photo_is_the_same(unit: Unit, officer_client: Client) -> None:
    photo = make.make_photo()
    same = make.make_photo()
    type(same).objects.filter(pk=same.pk).update(phash=photo.phash)
    for one, picture in ((fight(unit), photo), (fight(unit, text="Look", topic=make.make_topic("other")), same)):
        ReportPhoto.objects.create(report=one, photo=picture)
    assert len(alike(officer_client)) == 1


def test_what_is_together_or_closed_is_named_no_more(unit: Unit, officer: User, officer_client: Client) -> None:
    first, second = fight(unit), fight(unit, minutes=4)
    merge_reports(report_id=first.pk, other_ids=[second.pk], actor=officer, now=clock.now())
    Report.objects.filter(pk=second.pk).update(state="new")
    assert alike(officer_client) == []
    Report.objects.update(incident=None)
    assert len(alike(officer_client)) == 1
    Report.objects.filter(pk=first.pk).update(state="rejected")
    assert alike(officer_client, "tab=all&zoom=15") == []


def test_a_chain_of_neighbours_is_not_one_group(unit: Unit, officer: User) -> None:
    # Each is like the next, 300 m on; the ends lie 1.2 km apart.
    for n in range(5):
        fight(unit, north=n * 0.0027)
    found = desk_map.narrowed(officer, Filters(), now=clock.now())
    groups = desk_alike.alike_in_view(found, desk_map.WORLD).groups
    assert groups
    assert all(group.metres <= 500 for group in groups)
    members = [one.id for group in groups for one in group.reports]
    assert len(members) == len(set(members))


def test_too_many_are_not_compared_and_it_says_so(
    unit: Unit, officer_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(4):
        fight(unit, minutes=n)
    monkeypatch.setattr(desk_alike, "MOST_COMPARED", 3)
    answer = officer_client.get(f"{reverse('desk:map_points')}?zoom=15").json()
    assert answer["alike"] == []
    assert "Come closer" in answer["alike_note"]
    monkeypatch.setattr(desk_alike, "MOST_COMPARED", 9)
    assert len(officer_client.get(f"{reverse('desk:map_points')}?zoom=15").json()["alike"]) == 1
    assert officer_client.get(f"{reverse('desk:map_points')}?zoom=5").json()["alike"] == []


def test_groups_are_bounded_and_said_to_be(unit: Unit, officer: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk_alike, "MOST_GROUPS", 1)
    for north in (0.0, 0.02):
        fight(unit, north=north)
        fight(unit, north=north + 0.0001)
    alike = desk_alike.alike_in_view(desk_map.narrowed(officer, Filters(), now=clock.now()), desk_map.WORLD)
    assert (len(alike.groups), alike.complete) == (1, False)


def test_the_number_of_queries_does_not_grow(
    unit: Unit, officer: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for count in (2, 15):
        for n in range(count):
            fight(unit, minutes=n)
        found = desk_map.narrowed(officer, Filters(), now=clock.now())
        with django_assert_num_queries(3):
            assert desk_alike.alike_in_view(found, desk_map.WORLD).groups
