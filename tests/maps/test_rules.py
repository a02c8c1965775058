"""Periods, and how few become enough."""

from __future__ import annotations

from collections import Counter
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from commonbeat.foundation import cells
from commonbeat.maps import rules
from commonbeat.topics.definition import Definition, Period, Publishes

KINDS = st.sampled_from(list(Period))
DAYS = st.integers(-20_000, 60_000)
NEAR = st.sampled_from(sorted(cells.near(42.38, 20.43, 6_000, 8)))
FAR = st.tuples(st.floats(-90, 90), st.floats(-180, 180), st.integers(2, 11)).map(lambda p: cells.cell_of(*p))
COUNTS = st.lists(
    st.tuples(st.sampled_from(["", "a", "b"]), st.one_of(NEAR, FAR, st.just(0)), st.integers(1, 9)), max_size=60
)


@given(day=DAYS, kind=KINDS)
def test_every_day_lies_in_one_period(day: int, kind: Period) -> None:
    start = rules.period_start(day, kind)
    assert start <= day < rules.period_end(start, kind)
    assert rules.period_start(start, kind) == start
    assert rules.period_start(rules.period_end(start, kind), kind) == rules.period_end(start, kind)


def test_weeks_begin_on_monday_and_months_on_the_first() -> None:
    day = rules.day_number(date(2026, 3, 14))
    assert rules.day_of(rules.period_start(day, Period.WEEK)) == date(2026, 3, 9)
    assert rules.day_of(rules.period_start(day, Period.MONTH)) == date(2026, 3, 1)
    assert rules.day_of(rules.period_end(rules.period_start(day, Period.MONTH), Period.MONTH)) == date(2026, 4, 1)


def test_old_definitions_count_by_day_or_by_month() -> None:
    each = Definition(name={"en": "Lamps"})
    counts = Definition(name={"en": "Harassment"}, publishes=Publishes.COUNTS)
    assert rules.period_kind(each, is_single=True) is Period.DAY
    assert rules.period_kind(counts, is_single=False) is Period.MONTH
    assert rules.fewest_of(each) == rules.FEWEST


@given(counts=COUNTS, fewest=st.integers(3, 12))
def test_buckets_are_large_disjoint_and_lose_nothing(counts: list[tuple[str, int, int]], fewest: int) -> None:
    drawn, left = rules.draw(counts, fewest)
    assert all(bucket.n >= fewest for bucket in drawn)
    assert 0 <= left < fewest
    assert sum(bucket.n for bucket in drawn) + left == sum(n for _, _, n in counts)
    assert max(Counter((bucket.category, bucket.cell) for bucket in drawn).values(), default=1) == 1


@given(counts=COUNTS, fewest=st.integers(3, 12))
def test_whoever_has_enough_keeps_the_own_cell(counts: list[tuple[str, int, int]], fewest: int) -> None:
    drawn, _ = rules.draw(counts, fewest)
    sums: Counter[tuple[str, int]] = Counter()
    for category, cell, n in counts:
        sums[category, cell] += n
    finest = max((cells.resolution_of(cell) for _, cell, _ in counts if cell), default=0)
    by_key = {(bucket.category, bucket.cell): bucket.n for bucket in drawn}
    for (category, cell), n in sums.items():
        if n >= fewest and cell and cells.resolution_of(cell) == finest:
            assert by_key[category, cell] == n


def test_too_few_go_into_the_parent_without_those_who_were_enough() -> None:
    parent = cells.cell_of(42.38, 20.43, 7)
    low, high = cells.children_range(parent)
    first, second, third = [c for c in cells.near(42.38, 20.43, 3_000, 8) if cells.parent(c, 7) == parent][:3]
    assert low < high
    drawn, left = rules.draw([("a", first, 7), ("a", second, 3), ("a", third, 2)], 5)
    assert left == 0
    assert set(drawn) == {rules.Drawn("a", first, 7), rules.Drawn("a", parent, 5)}


def test_what_is_too_few_everywhere_is_told_without_place_and_category() -> None:
    here, far = cells.cell_of(42.38, 20.43, 8), cells.cell_of(-33.0, 18.0, 8)
    drawn, left = rules.draw([("a", here, 2), ("b", here, 2), ("a", far, 1), ("b", 0, 1)], 5)
    assert (drawn, left) == ([rules.Drawn(rules.SEVERAL, rules.NO_PLACE, 6)], 0)
    assert rules.draw([("a", here, 2), ("b", here, 2)], 5) == ([], 4)


@given(first=DAYS, length=st.integers(0, 400), rest=st.integers(1, 400), kind=KINDS, period=DAYS)
def test_neighbouring_spans_share_no_period_and_miss_none(
    first: int, length: int, rest: int, kind: Period, period: int
) -> None:
    definition = Definition(name={"en": "Lamps"}, period=kind)
    period = rules.period_start(period, kind)

    def holds(since: int, until: int) -> bool:
        low, high = rules.span_of(definition, since, until)
        assert low is not None and high is not None
        return low <= period < high

    middle, end = first + length, first + length + rest
    assert holds(first, middle) + holds(middle + 1, end) == holds(first, end)
