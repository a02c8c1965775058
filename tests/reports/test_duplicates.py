"""Reports that may tell of the same thing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from commonbeat.foundation import cells
from commonbeat.people.models import Unit, User
from commonbeat.reports import rules
from commonbeat.reports.actions.incidents import merge_reports
from commonbeat.reports.models import Report, ReportPhoto
from commonbeat.reports.queries.duplicates import PHOTO_BITS, SHIFT, _bits, alike, near_in_time
from tests import make
from tests.make import LATITUDE, NOW

pytestmark = pytest.mark.django_db
TEXT = "A heap of rubble and broken tiles blocks the footpath behind the mill"
# 0.001 degrees of latitude are 111 m.
NEAR, FAR = LATITUDE + 0.001, LATITUDE + 0.02


@pytest.fixture
def report(unit: Unit) -> Report:
    """Give a report on the desk of the first unit."""
    return make.make_report(unit=unit, text=TEXT)


def ids(report: Report, viewer: User) -> list[int]:
    """Give the numbers of what is suggested."""
    return [one.report.pk for one in alike(report, viewer, now=NOW)]


def test_near_soon_and_alike_is_suggested_with_what_one_needs_to_decide(
    unit: Unit, report: Report, officer: User
) -> None:
    other = make.make_report(
        unit=unit,
        text="Rubble and broken tiles on the footpath behind the mill",
        latitude=NEAR,
        now=NOW + timedelta(hours=5),
    )
    (suggestion,) = alike(report, officer, now=NOW)
    assert suggestion.report.pk == other.pk
    assert suggestion.likeness.metres == pytest.approx(111, abs=1)
    assert suggestion.likeness.hours == pytest.approx(5)
    assert 0.3 < suggestion.likeness.text < 1
    assert suggestion.likeness.same_topic
    assert not suggestion.likeness.same_photo


def test_far_or_late_or_different_is_not(unit: Unit, report: Report, officer: User) -> None:
    make.make_report(unit=unit, text=TEXT, latitude=FAR)
    make.make_report(unit=unit, text=TEXT, now=NOW + timedelta(hours=rules.NEAR_HOURS + 1))
    make.make_report(
        unit=unit, text="Three dogs run loose at night", latitude=LATITUDE + 0.004, now=NOW + timedelta(hours=60)
    )
    assert ids(report, officer) == []


def test_the_most_alike_come_first_and_only_a_few(unit: Unit, report: Report, officer: User) -> None:
    made = [make.make_report(unit=unit, text=TEXT, latitude=LATITUDE + n * 0.0003) for n in range(8)]
    assert ids(report, officer) == [one.pk for one in made[:5]]


def test_another_desk_is_not_told_of(
    unit: Unit, far_unit: Unit, report: Report, officer: User, supervisor: User
) -> None:
    theirs = make.make_report(unit=far_unit, text=TEXT)
    assert ids(report, officer) == []
    assert ids(report, supervisor) == [theirs.pk]


def test_what_hangs_on_the_same_incident_is_not_suggested_again(unit: Unit, report: Report, officer: User) -> None:
    other = make.make_report(unit=unit, text=TEXT)
    merge_reports(report_id=report.pk, other_ids=[other.pk], actor=officer, now=NOW)
    report.refresh_from_db()
    assert ids(report, officer) == []


def test_without_a_place_topic_time_and_words_decide(unit: Unit, officer: User) -> None:
    report = make.make_report(unit=unit, text=TEXT, latitude=None)
    same = make.make_report(unit=unit, text=TEXT, latitude=None, now=NOW + timedelta(hours=1))
    make.make_report(unit=unit, text="Three dogs run loose", latitude=None)
    make.make_report(unit=unit, text=TEXT, latitude=None, now=NOW + timedelta(hours=100))
    make.make_report(unit=unit, text=TEXT, latitude=None, topic=make.make_topic("another"))
    assert ids(report, officer) == [same.pk]
    assert alike(report, officer, now=NOW)[0].likeness.metres is None


@pytest.mark.parametrize(("bits", "expected"), [(0, True), (PHOTO_BITS, True), (PHOTO_BITS + 1, False)])
def test_the_same_photo_is_seen(bits: int, expected: bool, unit: Unit, report: Report, officer: User) -> None:
    other = make.make_report(unit=unit, text="Look at this", latitude=LATITUDE + 0.004, now=NOW + timedelta(hours=60))
    first, second = make.make_photo(), make.make_photo()
    first.phash, second.phash = -1, -1 ^ ((1 << bits) - 1)
    for photo, owner in ((first, report), (second, other)):
        photo.save()
        ReportPhoto.objects.create(report=owner, photo=photo)
    assert (ids(report, officer) == [other.pk]) is expected


@given(st.integers(-(2**63), 2**63 - 1), st.integers(-(2**63), 2**63 - 1))
def test_bits_are_counted_across_the_sign(one: int, other: int) -> None:
    expected = sum(a != b for a, b in zip(f"{one % 2**64:064b}", f"{other % 2**64:064b}", strict=True))
    assert _bits(one, other) == _bits(other, one) == expected


@given(st.floats(-85, 85), st.floats(-180, 180))
def test_the_index_of_a_cell_is_the_same_for_all_that_lies_in_it(lat: float, lon: float) -> None:
    stored = cells.cell_of(lat, lon, cells.STORED_RESOLUTION)
    assert stored >> SHIFT == cells.children_range(cells.cell_of(lat, lon, 8))[0] >> SHIFT or (
        # H3 children stick out of their parents a little; the parent by digits is what counts.
        stored >> SHIFT == cells.children_range(cells.parent(stored, 8))[0] >> SHIFT
    )


def test_the_number_of_queries_does_not_grow(unit: Unit, report: Report, officer: User) -> None:
    ReportPhoto.objects.create(report=report, photo=make.make_photo())
    counts = []
    for rows in (1, 20):
        for _n in range(rows):
            make.make_report(unit=unit, text=TEXT)
        with CaptureQueriesContext(connection) as queries:
            alike(report, officer, now=NOW)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 5


@pytest.mark.skipif(connection.vendor != "sqlite", reason="the shape of SQLite's plan; not in CI of PostgreSQL")
def test_the_index_of_place_and_time_is_used(report: Report, officer: User) -> None:
    plan = near_in_time(report, officer)[:200].explain()
    assert "report_near_in_time" in plan


def test_a_neighbour_with_nothing_in_common_is_no_suggestion(unit: Unit, report: Report, officer: User) -> None:
    other = make.make_topic("another")
    make.make_report(unit=unit, text="Three dogs run loose at night", topic=other)
    assert ids(report, officer) == []
    same_words = make.make_report(unit=unit, text=TEXT, topic=other)
    assert ids(report, officer) == [same_words.pk]


@pytest.mark.parametrize(
    ("text", "same_topic", "same_photo", "expected"),
    [
        (0.0, False, False, False),
        (rules.ALIKE_FROM - 0.01, False, False, False),
        (rules.ALIKE_FROM, False, False, True),
        (0.0, True, False, True),
        (0.0, False, True, True),
    ],
)
def test_what_two_reports_must_have_in_common(text: float, same_topic: bool, same_photo: bool, expected: bool) -> None:
    likeness = rules.Likeness(metres=0, hours=1, text=text, same_topic=same_topic, same_photo=same_photo)
    assert likeness.score >= rules.SUGGEST_FROM or not same_topic
    assert likeness.is_worth_a_look is expected


def test_far_in_time_and_in_other_words_falls_below_the_threshold() -> None:
    assert not rules.Likeness(metres=100, hours=54, text=0.0, same_topic=True, same_photo=False).is_worth_a_look
    assert not rules.Likeness(metres=0, hours=60, text=0.0, same_topic=True, same_photo=False).is_worth_a_look


def test_what_has_been_closed_for_a_week_is_not_suggested(unit: Unit, report: Report, officer: User) -> None:
    other = make.make_report(unit=unit, text=TEXT)
    for state, days, expected in (("resolved", 6, True), ("resolved", 8, False), ("triaged", 8, True)):
        Report.objects.filter(pk=other.pk).update(state=state, changed_at=NOW - timedelta(days=days))
        assert ids(report, officer) == ([other.pk] if expected else [])
