"""What people write before they confirm a place is remembered, and becomes a name once several did the same."""

from __future__ import annotations

import pytest

from commonbeat.places.gazetteer import find_places
from commonbeat.places.models import HeardSpelling, PlaceName
from commonbeat.reports.models import PlaceSource, Report
from commonbeat.topics.ready_made import install_ready_made
from tests import make
from tests.intake.phone import Phone

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _town(unit: object) -> None:
    install_ready_made(make.NOW)
    make.make_place("Old Mill", latitude=42.381, longitude=20.43)
    make.make_place("School North", latitude=42.40, longitude=20.45)
    make.make_place("School South", latitude=42.36, longitude=20.45)


def say(number: int, *texts: str) -> Phone:
    phone = Phone(number=f"+3834412345{number}")
    for text in texts:
        phone.say(text)
    return phone


def test_an_unknown_name_is_learned_from_three_people_who_then_named_the_place() -> None:
    for number in (1, 2):
        say(number, "there is garbage all over", "near the fallen poplar", "Old Mill")
    assert HeardSpelling.objects.count() == 2 and find_places("fallen poplar", language="en") == []
    say(3, "there is garbage all over", "the fallen poplar", "Old Mill")
    assert not HeardSpelling.objects.exists()
    assert PlaceName.objects.get(source="learned").folded == "fallen poplar"
    say(4, "there is garbage all over", "fallen poplar")
    report = Report.objects.order_by("-id")[0]
    assert (report.place_source, report.place_name) == (PlaceSource.NAMED, "Old Mill"), "never the learned words"


def test_one_person_teaches_nothing_however_often() -> None:
    for _again in range(5):
        say(1, "there is garbage all over", "the fallen poplar", "Old Mill")
    assert HeardSpelling.objects.count() == 1 and not PlaceName.objects.filter(source="learned").exists()


def test_a_choice_between_two_confirms_what_was_written() -> None:
    phone = Phone(number="+38344123451")
    phone.say("there is garbage all over")
    (asked,) = phone.say("school")
    assert "School North" in asked and "School South" in asked
    phone.say("1")
    assert [row.folded for row in HeardSpelling.objects.all()] == ["school"]


@pytest.mark.parametrize(
    "words",
    [
        "call 044 123 456",
        "Arben Krasniqi",
        "my name is Arben",
        "the dump by the road",
        "where I always lived with them",
    ],
)
def test_names_numbers_and_stories_are_not_remembered(words: str) -> None:
    say(1, "there is garbage all over", words, "Old Mill")
    assert not HeardSpelling.objects.exists()


def test_nothing_is_learned_of_a_sensitive_report() -> None:
    say(1, "harassment he follows me home", "the fallen poplar", "Old Mill")
    assert not HeardSpelling.objects.exists()
