"""Which beat contains a point, and how beats are made."""

from __future__ import annotations

import json

import pytest
from pytest_django import DjangoAssertNumQueries

from commonbeat.journal.models import Entry
from commonbeat.people.models import Unit, User
from commonbeat.places.actions import PlacesError, change_beat, create_beat
from commonbeat.places.beats import all_beats, beat_containing, officers_of
from commonbeat.places.models import Beat
from tests.make import NOW, make_beat, square

AREA = json.dumps(square())
TRIANGLE = json.dumps({"type": "Polygon", "coordinates": [[[20.0, 42.0], [21.0, 42.0], [20.0, 43.0], [20.0, 42.0]]]})


def test_a_point_is_in_the_polygon_not_merely_in_its_box(unit: Unit) -> None:
    beat = create_beat(name="Corner", unit_id=unit.pk, area=TRIANGLE, actor_id=None, now=NOW)
    assert beat_containing(42.2, 20.2) == beat
    assert beat_containing(42.9, 20.9) is None
    assert beat_containing(42.0, 20.5) == beat  # on the edge
    assert beat_containing(50.0, 20.5) is None


def test_the_smallest_of_overlapping_beats_counts(unit: Unit) -> None:
    make_beat(name="Town", unit=unit, half=0.2)
    inner = make_beat(name="Bazaar", unit=unit, half=0.01)
    assert beat_containing(42.38, 20.43) == inner
    found = beat_containing(42.45, 20.43)
    assert found is not None and found.name == "Town"


def test_a_redrawn_beat_is_seen_at_once(unit: Unit) -> None:
    beat = create_beat(name="Corner", unit_id=unit.pk, area=TRIANGLE, actor_id=None, now=NOW)
    assert beat_containing(42.2, 20.2) == beat
    other_half = {"type": "Polygon", "coordinates": [[[21.0, 43.0], [20.0, 43.0], [21.0, 42.0], [21.0, 43.0]]]}
    area = json.dumps(other_half)
    change_beat(beat_id=beat.pk, name="Corner", unit_id=unit.pk, area=area, actor_id=None, now=NOW)
    assert beat_containing(42.2, 20.2) is None
    assert beat_containing(42.9, 20.9) == beat


def test_without_beats_there_is_none(db: None) -> None:
    assert beat_containing(42.38, 20.43) is None


def test_looking_up_takes_the_same_queries_whatever_the_number(
    unit: Unit, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(15):
        make_beat(name=f"Beat {number}", unit=unit, latitude=40 + number / 5)
    beat_containing(42.0, 20.43)
    with django_assert_num_queries(3):
        assert beat_containing(42.0, 20.43) is not None
    with django_assert_num_queries(2):
        assert len([(b.unit.name, list(b.officers.all())) for b in all_beats()]) == 15


def test_a_beat_is_made_with_officers_of_its_unit_and_journalled(
    unit: Unit, officer: User, far_officer: User, administrator: User
) -> None:
    beat = create_beat(
        name="North", unit_id=unit.pk, area=AREA, officer_ids=[officer.pk], actor_id=administrator.pk, now=NOW
    )
    entry = Entry.objects.get(kind="places.beat_created")
    assert (entry.subject_id, entry.actor_id) == (beat.pk, administrator.pk)
    assert officers_of(beat) == []  # nothing said in public yet
    User.objects.filter(pk=officer.pk).update(public_intro="I walk here every day.")
    assert officers_of(beat) == [officer]
    User.objects.filter(pk=officer.pk).update(is_active=False)
    assert officers_of(beat) == []
    with pytest.raises(PlacesError) as caught:
        create_beat(name="South", unit_id=unit.pk, area=AREA, officer_ids=[far_officer.pk], actor_id=None, now=NOW)
    assert caught.value.field == "officers"


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("name", {"name": " "}),
        ("name", {"name": "north"}),
        ("unit", {"unit_id": 0}),
        ("area", {"area": "{}"}),
    ],
)
def test_what_cannot_be_used_is_told_and_nothing_is_stored(unit: Unit, field: str, change: dict[str, object]) -> None:
    make_beat(name="North", unit=unit)
    good: dict[str, object] = {"name": "South", "unit_id": unit.pk, "area": AREA, "actor_id": None, "now": NOW}
    with pytest.raises(PlacesError) as caught:
        create_beat(**{**good, **change})  # type: ignore[arg-type]  # a test's shorthand
    assert caught.value.field == field
    assert Beat.objects.count() == 1 and not Entry.objects.exists()
