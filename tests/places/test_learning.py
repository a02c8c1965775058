"""Spellings are learned from several people who confirmed them, and from nobody else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonbeat.journal.models import Entry
from commonbeat.places.actions import hear_spelling, purge_heard
from commonbeat.places.actions.spellings import HEARD_DAYS, LEARN_AFTER, MOST_HEARD, MOST_LEARNED, learnable
from commonbeat.places.gazetteer import find_places, known_names, place_in_text
from commonbeat.places.models import HeardSpelling, Place, PlaceName
from tests.make import NOW, make_place


@pytest.fixture
def mill(db: None) -> Place:
    """Make a place."""
    return make_place("Old mill")


def heard(place: Place, text: str, *people: str) -> list[bool]:
    return [hear_spelling(place_id=place.pk, text=text, person=person, now=NOW) for person in people]


def test_several_people_teach_a_name_and_one_does_not(mill: Place) -> None:
    assert LEARN_AFTER >= 2
    assert heard(mill, "te pema e madhe", *"aaaaaaaaaa") == [False] * 10
    assert find_places("te pema e madhe", language="en") == []
    assert heard(mill, "Te Pema e Madhe!", "b", "c") == [False, True]
    found = place_in_text("plehra te pema e madhe", "en")
    assert found is not None and found.label == "Old mill" and found.exact
    assert not HeardSpelling.objects.exists(), "what led to it is gone"
    entry = Entry.objects.get()
    assert (entry.kind, entry.subject_id, entry.actor_id, entry.data) == ("places.spelling_learned", mill.pk, None, {})


def test_what_was_only_learned_excuses_no_name_from_screening(mill: Place) -> None:
    heard(mill, "arben krasniqi", "a", "b", "c")
    assert find_places("arben krasniqi", language="en")[0].exact
    assert "arben krasniqi" not in known_names() and "old mill" in known_names()
    assert "arben krasniqi" in (known_names() | frozenset({"arben krasniqi"}))
    assert "arben krasniqi" in (frozenset({"arben krasniqi"}) | known_names())


def test_a_row_tells_of_nobody(mill: Place) -> None:
    heard(mill, "big tree", "17")
    heard(mill, "tall tree", "17")
    one, other = HeardSpelling.objects.order_by("id")
    assert bytes(one.witness) != bytes(other.witness), "two rows of one person cannot be told to be"
    assert b"17" not in (bytes(one.witness), bytes(other.witness))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ab",
        "+383 44 123 456",
        "044123456 arben",
        "12 34 56 house",
        "4521",
        "x" * 61,
        "one two three four five six",
        "😀",
    ],
)
def test_numbers_and_sentences_are_not_kept(mill: Place, text: str) -> None:
    assert learnable(text) == ""
    heard(mill, text, "a", "b", "c")
    assert not HeardSpelling.objects.exists() and PlaceName.objects.count() == 1


@given(st.text(max_size=200))
def test_what_may_be_learned_is_short_and_holds_words(text: str) -> None:
    folded = learnable(text)
    assert not folded or (len(folded) <= 60 and len(folded.split()) <= 5 and sum(map(str.isalpha, folded)) >= 3)


def test_a_known_name_is_not_counted(mill: Place) -> None:
    heard(mill, "OLD MILL", "a", "b", "c")
    assert not HeardSpelling.objects.exists()


def test_what_is_old_counts_no_more_and_goes(mill: Place) -> None:
    heard(mill, "big tree", "a", "b")
    later = NOW + timedelta(days=HEARD_DAYS)
    assert not hear_spelling(place_id=mill.pk, text="big tree", person="c", now=later)
    assert purge_heard(now=later) == 2 and HeardSpelling.objects.count() == 1


def test_what_is_kept_of_a_place_is_bounded(mill: Place) -> None:
    for number in range(MOST_HEARD + 20):
        heard(mill, f"tree {'abcdefghij'[number % 10]}{'abcdefghijklmnopqrstuvwxyz'[number // 10]}", "a")
    assert HeardSpelling.objects.count() <= MOST_HEARD
    HeardSpelling.objects.all().delete()
    for number in range(MOST_LEARNED + 3):
        heard(mill, f"tower {'abcdefghijklmnopq'[number]}", "a", "b", "c")
    assert PlaceName.objects.filter(source="learned").count() == MOST_LEARNED


def test_a_place_that_is_gone_learns_nothing(db: None) -> None:
    assert not hear_spelling(place_id=99, text="big tree", person="a", now=NOW)
