"""Reports per month: what a month is, and which periods count."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonbeat.maps import heat, measures
from commonbeat.maps.arrays import Filter
from commonbeat.maps.rules import day_number
from commonbeat.topics.definition import Definition, Publishes
from tests.maps.brute import EVERYTHING

EACH = Definition(name={"en": "Lamps"})
COUNTS = Definition(name={"en": "Harassment"}, publishes=Publishes.COUNTS)


def day(year: int, month: int, number: int) -> int:
    return day_number(date(year, month, number))


@pytest.mark.parametrize(
    ("since", "until", "months"),
    [
        (day(2026, 2, 1), day(2026, 3, 1), 1),
        (day(2025, 1, 1), day(2026, 1, 1), 12),
        (day(2026, 1, 1), day(2026, 2, 15), 1.5),
        (day(2026, 3, 14), day(2026, 3, 21), 1),
        (day(2026, 3, 14), day(2026, 3, 14), 1),
    ],
)
def test_months_are_those_of_the_calendar_and_parts_go_by_their_days(since: int, until: int, months: float) -> None:
    assert measures.months_between(since, until) == pytest.approx(months)


@given(since=st.integers(0, 30_000), length=st.integers(31, 900), rest=st.integers(31, 900))
def test_months_of_neighbouring_spans_add_up(since: int, length: int, rest: int) -> None:
    middle, end = since + length, since + length + rest
    both = measures.months_between(since, middle) + measures.months_between(middle, end)
    assert both == pytest.approx(measures.months_between(since, end))


def test_without_a_span_the_months_go_from_the_first_period_to_the_last_that_is_over() -> None:
    first, today = day(2025, 1, 1), day(2026, 3, 14)
    assert measures.complete(EACH, EVERYTHING, first, today) == Filter("", first, today)
    assert measures.complete(COUNTS, EVERYTHING, first, today) == Filter("", first, day(2026, 3, 1))
    assert measures.months_of(measures.complete(COUNTS, EVERYTHING, first, today)) == 14


def test_a_chosen_span_is_kept_but_for_what_was_not_counted_or_is_not_over() -> None:
    first, today = day(2025, 1, 1), day(2026, 3, 14)
    chosen = Filter("lamp", day(2025, 6, 1), day(2025, 8, 1))
    assert measures.complete(EACH, chosen, first, today) == chosen
    assert measures.months_of(chosen) == 2
    wide = Filter("", day(2000, 1, 1), day(2030, 1, 1))
    assert measures.complete(EACH, wide, first, today) == Filter("", first, today)


def test_where_no_period_is_over_what_is_there_is_of_one_month() -> None:
    today = day(2026, 3, 14)
    assert measures.complete(EACH, EVERYTHING, today, today) == EVERYTHING
    assert measures.months_of(EVERYTHING) == 1
    assert measures.complete(EACH, EVERYTHING, None, today) == EVERYTHING


def test_every_measure_has_a_colour_for_each_class() -> None:
    for measure in measures.MEASURES.values():
        assert len(measure.classes) == len(heat.COLOURS)
        assert list(measure.classes) == sorted(measure.classes)
