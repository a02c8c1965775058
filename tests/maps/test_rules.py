"""Periods, and how few become enough."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date

from hypothesis import assume, given
from hypothesis import strategies as st

from commonbeat.foundation import cells
from commonbeat.maps import rules
from commonbeat.topics.definition import Definition, Period, Publishes

KINDS = st.sampled_from(list(Period))
DAYS = st.integers(-20_000, 60_000)
NEAR = st.sampled_from(sorted(cells.near(42.38, 20.43, 6_000, 8)))
FAR = st.tuples(st.floats(-90, 90), st.floats(-180, 180), st.integers(2, 11)).map(lambda p: cells.cell_of(*p))
COUNTS = st.lists(
    st.tuples(
        st.sampled_from(["", "a", "b"]),
        st.one_of(NEAR, FAR, st.just(0)),
        st.one_of(st.none(), st.integers(1, 20)),
        st.integers(1, 9),
    ),
    max_size=60,
)
Count = tuple[str, int, int | None, int]


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
    by_day = Definition(name={"en": "Lamps"}, period=Period.DAY)
    assert rules.period_kind(by_day, is_single=True) is Period.DAY
    # A report from when the topic published only counts: a day of few reports would tell of one.
    assert rules.period_kind(by_day, is_single=False) is Period.MONTH
    assert rules.period_kind(counts, is_single=False) is Period.MONTH
    assert rules.fewest_of(each) == rules.FEWEST


@given(counts=COUNTS, fewest=st.integers(3, 12))
def test_buckets_are_large_disjoint_and_lose_nothing(counts: list[Count], fewest: int) -> None:
    drawn, left = rules.draw(counts, fewest)
    assert all(bucket.n >= bucket.sources >= fewest for bucket in drawn)
    assert sum(bucket.n for bucket in drawn) + left == sum(n for *_, n in counts)
    assert max(Counter((bucket.category, bucket.cell) for bucket in drawn).values(), default=1) == 1


@given(counts=COUNTS, fewest=st.integers(3, 12))
def test_whoever_has_enough_keeps_the_own_cell(counts: list[Count], fewest: int) -> None:
    drawn, _ = rules.draw(counts, fewest)
    sums: Counter[tuple[str, int]] = Counter()
    senders: dict[tuple[str, int], set[object]] = defaultdict(set)
    for category, cell, source, n in counts:
        sums[category, cell] += n
        # A report without a contact is of a sender of its own.
        senders[category, cell] |= {object() for _ in range(n)} if source is None else {source}
    finest = max((cells.resolution_of(cell) for _, cell, *_ in counts if cell), default=0)
    by_key = {(bucket.category, bucket.cell): (bucket.n, bucket.sources) for bucket in drawn}
    for (category, cell), some in senders.items():
        if len(some) >= fewest and cell and cells.resolution_of(cell) == finest:
            assert by_key[category, cell] == (sums[category, cell], len(some))


def test_many_reports_of_one_sender_are_no_crowd() -> None:
    parent = cells.cell_of(42.38, 20.43, 7)
    first, second = [c for c in cells.near(42.38, 20.43, 3_000, 8) if cells.parent(c, 7) == parent][:2]
    four: list[Count] = [("a", second, source, 1) for source in (7, 8, 9, 10)]
    assert rules.draw([("a", first, 7, 5)], 5) == ([], 5)
    # Whoever is in both is one in the parent.
    assert rules.draw([("a", first, 7, 5), *four], 5) == ([], 9)
    assert rules.draw([("a", first, 6, 5), *four], 5) == ([rules.Drawn("a", parent, 9, 5)], 0)


@given(contact=st.binary(min_size=16, max_size=16), topic=st.integers(1, 99), period=DAYS, other=DAYS)
def test_a_sender_is_another_in_every_topic_and_period(contact: bytes, topic: int, period: int, other: int) -> None:
    here = rules.source_in(contact, topic, period)
    assert 0 <= here < 1 << 63
    assert rules.source_in(contact, topic, period) == here
    assume(other != period)
    # Not in the bits that come of the sender, either.
    sent = (1 << 47) - 1
    assert rules.source_in(contact, topic, other) & sent != here & sent
    assert rules.source_in(contact, topic + 1, period) & sent != here & sent


def test_too_few_go_into_the_parent_without_those_who_were_enough() -> None:
    parent = cells.cell_of(42.38, 20.43, 7)
    low, high = cells.children_range(parent)
    first, second, third = [c for c in cells.near(42.38, 20.43, 3_000, 8) if cells.parent(c, 7) == parent][:3]
    assert low < high
    drawn, left = rules.draw([("a", first, None, 7), ("a", second, None, 3), ("a", third, None, 2)], 5)
    assert left == 0
    assert set(drawn) == {rules.Drawn("a", first, 7, 7), rules.Drawn("a", parent, 5, 5)}


def test_what_is_too_few_everywhere_is_told_without_place_and_category() -> None:
    here, far = cells.cell_of(42.38, 20.43, 8), cells.cell_of(-33.0, 18.0, 8)
    drawn, left = rules.draw([("a", here, None, 2), ("b", here, None, 2), ("a", far, None, 1), ("b", 0, None, 1)], 5)
    assert (drawn, left) == ([rules.Drawn(rules.SEVERAL, rules.NO_PLACE, 6, 6)], 0)
    assert rules.draw([("a", here, None, 2), ("b", here, None, 2)], 5) == ([], 4)


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
