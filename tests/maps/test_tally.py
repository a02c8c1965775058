"""Sums beside the map: the same as the buckets say, however they came about."""

from __future__ import annotations

import random

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from commonbeat.maps import tally as module
from commonbeat.maps.actions.buckets import Amount, Key, add_to_buckets, lock_revision
from commonbeat.maps.models import Revision
from commonbeat.maps.queries import Totals, buckets, totals
from commonbeat.maps.rules import NO_PLACE, SEVERAL
from commonbeat.maps.tally import Tally, tally
from tests.maps.brute import by_category

pytestmark = pytest.mark.django_db
CELL = 0x8A1E24AA5B67FFF


def add(deltas: dict[Key, int], *, is_drawn: bool = False) -> None:
    with transaction.atomic():
        amounts = {key: Amount(n, n) for key, n in deltas.items()}
        add_to_buckets(amounts, is_drawn=is_drawn, revision=lock_revision())


def rows_of(counts: Tally) -> dict[tuple[int, str, int, int], int]:
    columns = zip(counts.topics, counts.categories, counts.periods, counts.kinds, counts.n, strict=True)
    return {(int(t), counts.names[c], int(p), int(k)): int(n) for t, c, p, k, n in columns if n}


def test_sums_are_those_of_the_buckets() -> None:
    add({(1, "a", CELL, 10): 3, (1, "b", CELL, 11): 4, (1, "", NO_PLACE, 11): 2, (2, "a", CELL, 10): 9})
    add({(1, SEVERAL, NO_PLACE, 1): 6}, is_drawn=True)
    one = tally().only(1)
    assert one.totals() == Totals(7, 2, 6) == totals(buckets(1))
    assert one.by_category() == {"a": 3, "b": 4, "": 2, SEVERAL: 6} == by_category(buckets(1))
    assert one.span() == (1, 11)
    assert tally().only(1, category="a").totals() == Totals(3, 0, 0)
    assert tally().only(1, category="no such").totals() == Totals(0, 0, 0)
    assert tally().only(1, since=11).totals() == Totals(4, 2, 0)
    assert tally().only(1, until=11).totals() == Totals(3, 0, 6)
    assert tally().only(3).span() is None


def test_spans_take_each_period_once_by_the_day_on_which_it_begins() -> None:
    add({(1, "a", CELL, day): 1 for day in range(10, 20)} | {(1, "", NO_PLACE, 12): 5})
    found = tally().only(1).by_span([5, 10, 12, 12, 15, 18])
    assert found == [Totals(0, 0, 0), Totals(2, 0, 0), Totals(0, 0, 0), Totals(3, 5, 0), Totals(3, 0, 0)]
    assert tally().by_span([100, 200]) == [Totals(0, 0, 0)]


def test_an_empty_site_has_sums_of_nothing() -> None:
    assert len(tally()) == 0 and tally().totals() == Totals(0, 0, 0) and tally().by_category() == {}


def test_following_the_changes_arrives_at_what_reading_anew_does() -> None:
    chance = random.Random(5)
    known = module._read()
    for _ in range(12):
        cells = [NO_PLACE, CELL]
        add({(chance.randint(1, 3), chance.choice("abc"), chance.choice(cells), chance.randint(1, 9)): 2})
        if chance.random() < 0.5:
            add({key: -n for key, n in list(held().items())[:1]})
        number = Revision.objects.get().number
        known = module._followed(known, number)
        assert rows_of(known) == rows_of(module._read()) and known.number == number


def held() -> dict[Key, int]:
    rows = buckets().values_list("topic_id", "category", "cell", "period", "n")
    return {(topic, category, cell, period): n for topic, category, cell, period, n in rows}


@pytest.mark.django_db(transaction=True)
def test_a_second_page_reads_only_what_has_changed() -> None:
    module.forget()
    add({(1, "a", CELL, 10): 3})
    assert tally().totals().total == 3
    with CaptureQueriesContext(connection) as same:
        assert tally().totals().total == 3
    assert len(same) == 1
    add({(1, "a", CELL, 10): 2, (4, "new", NO_PLACE, 12): 1})
    with CaptureQueriesContext(connection) as changed:
        assert tally().totals() == Totals(5, 1, 0)
    assert len(changed) == 2 and not any("maps_bucket" in query["sql"] for query in changed)
    # Whose changes are no longer kept reads everything.
    Revision.objects.update(number=50, floor=50)
    with CaptureQueriesContext(connection) as anew:
        assert tally().totals() == Totals(5, 1, 0)
    assert any("maps_bucket" in query["sql"] for query in anew)
    module.forget()
