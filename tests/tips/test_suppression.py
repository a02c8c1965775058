"""No number that the yearly table hides can be computed from what it shows, even by who knows the rules."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonbeat.tips.suppression import FEW, LEAST, NOT_SHOWN, Cell, YearCounts, YearRow, published

HOW = ("praise", "upheld", "not_upheld", "withdrawn")


def year(number: int, received: int, *ended: int) -> YearCounts:
    """Make the counts of one year."""
    return YearCounts(number, received, dict(zip(HOW, ended, strict=False)), [30] * sum(ended))


def row(*counts: YearCounts) -> YearRow:
    """Publish years and give the last."""
    return published(counts)[-1]


def test_large_numbers_are_shown_and_small_ones_are_not() -> None:
    said = row(year(2025, 20, 6, 8, 3, 1))
    assert (said.received, said.total, said.median_days) == (20, 18, 30)
    assert dict(said.ended) == {"praise": 6, "upheld": 8, "not_upheld": FEW, "withdrawn": FEW}


def test_one_small_number_alone_takes_the_next_larger_along() -> None:
    said = row(year(2025, 40, 6, 8, 9, 1))
    assert dict(said.ended) == {"praise": NOT_SHOWN, "upheld": 8, "not_upheld": 9, "withdrawn": NOT_SHOWN}


@pytest.mark.parametrize("small", [(0, 0), (4, 4)])
def test_small_numbers_that_their_sum_would_tell_take_the_next_larger_along(small: tuple[int, int]) -> None:
    said = row(year(2025, 40, 6, 8, *small))
    assert said.ended["praise"] == NOT_SHOWN
    assert said.ended["upheld"] == 8
    assert {said.ended["not_upheld"], said.ended["withdrawn"]} == {NOT_SHOWN}


def test_equal_numbers_hide_together() -> None:
    assert set(row(year(2025, 40, 6, 6, 9, 1)).ended.values()) == {NOT_SHOWN, 9}


def test_a_year_of_small_numbers_shows_none() -> None:
    said = row(year(2025, 3, 1, 0, 2, 0))
    assert (said.received, said.total, said.median_days) == (FEW, NOT_SHOWN, None)
    assert set(said.ended.values()) == {NOT_SHOWN}


def test_what_ended_does_not_tell_what_came_in_a_year_before() -> None:
    # Nine ended of five: so four had come the year before, which is hidden.
    assert row(year(2024, 4, 0, 0, 0, 0), year(2025, 5, 9, 0, 0, 0)).total == NOT_SHOWN
    # Where everything is shown there is nothing to tell.
    assert row(year(2024, 9, 5, 0, 0, 0), year(2025, 5, 9, 0, 0, 0)).total == 9


@given(st.lists(st.tuples(st.integers(0, 60), st.lists(st.integers(0, 12), min_size=4, max_size=4)), max_size=5))
def test_nothing_small_is_shown_and_nothing_shown_is_wrong(made: list[tuple[int, list[int]]]) -> None:
    counts = [year(2000 + n, received, *ended) for n, (received, ended) in enumerate(made)]
    for true, said in zip(counts, published(counts), strict=True):
        pairs: list[tuple[int, Cell]] = [(true.received, said.received), (sum(true.ended.values()), said.total)]
        pairs += [(true.ended[how], said.ended[how]) for how in HOW]
        for number, cell in pairs:
            assert cell == NOT_SHOWN or (cell == FEW and number < LEAST) or (cell == number and number >= LEAST)


def test_a_row_stays_when_years_are_added() -> None:
    counts = [year(2023, 3, 1, 0, 0, 1), year(2024, 9, 6, 3, 1, 0), year(2025, 30, 9, 9, 9, 0)]
    assert published(counts)[:2] == published(counts[:2])


def tables(years: int, ways: int, most: int) -> Iterator[tuple[tuple[int, tuple[int, ...]], ...]]:
    """Give every table in which nothing ends that has not come."""
    one = [(came, ended) for came in range(most + 1) for ended in product(range(most + 1), repeat=ways)]
    for table in product(one, repeat=years):
        open_ones = 0
        for came, ended in table:
            open_ones += came - sum(ended)
            if open_ones < 0:
                break
        else:
            yield table


# Every table of a small world, with a smaller least number; 2 years of 2 outcomes, 1 of 3, and 3 of 1.
@pytest.mark.parametrize(("years", "ways", "least", "most"), [(2, 2, 2, 4), (2, 2, 3, 4), (1, 3, 2, 6), (3, 1, 2, 5)])
def test_no_hidden_number_can_be_computed(years: int, ways: int, least: int, most: int) -> None:
    """What is published fits at least two tables for each number that is hidden: so nobody can compute it."""
    seen: dict[tuple[tuple[Cell, ...], ...], list[set[int]]] = defaultdict(list)
    for table in tables(years, ways, most):
        counts = [YearCounts(n, came, dict(zip(HOW, ended, strict=False))) for n, (came, ended) in enumerate(table)]
        said = published(counts, least=least)
        key = tuple((each.received, each.total, *each.ended.values()) for each in said)
        numbers = [n for came, ended in table for n in (came, sum(ended), *ended)]
        possible = seen[key] or [set() for _ in numbers]
        seen[key] = possible
        for values, number in zip(possible, numbers, strict=True):
            values.add(number)
    edge = [0]
    for key, possible in seen.items():
        cells = [cell for one in key for cell in one]
        for cell, values in zip(cells, possible, strict=True):
            if cell in (FEW, NOT_SHOWN):
                assert len(values) > 1, (key, values)
                edge.append(len(values))
    assert len(edge) > 1
