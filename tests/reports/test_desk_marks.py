"""Marks that would cover each other become one."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from commonbeat.reports.queries.desk_marks import APART, SINGLES_APART, Mark, _pixel, joined


def mark(latitude: float, longitude: float, count: int = 1, newest: int = 1) -> Mark:
    """Make a mark of one state and topic at a point."""
    box = (latitude, longitude, latitude, longitude)
    return Mark(latitude, longitude, count, newest, box, Counter(new=count), Counter({7: count}))


PLACES = st.tuples(st.floats(42.0, 42.5), st.floats(20.0, 20.5), st.integers(1, 50))


@given(st.lists(PLACES, max_size=60), st.integers(0, 19))
def test_nothing_is_lost_and_nothing_is_covered(places: list[tuple[float, float, int]], zoom: int) -> None:
    made = joined([mark(*place, newest=n) for n, place in enumerate(places)], zoom=zoom)
    total = sum(count for _latitude, _longitude, count in places)
    assert sum(one.count for one in made) == total
    for one in made:
        assert one.states.total() == one.topics.total() == one.count
        assert one.box is not None
        south, west, north, east = one.box
        assert south - 1e-9 <= one.latitude <= north + 1e-9
        assert west - 1e-9 <= one.longitude <= east + 1e-9


def test_two_single_reports_may_touch_where_numbers_would_not() -> None:
    here = mark(42.38, 20.43)
    for pixels, count, left in (
        (SINGLES_APART + 1, 1, 2),
        (SINGLES_APART - 1, 1, 1),
        (APART - 1, 2, 1),
        (APART + 1, 2, 2),
    ):
        there = mark(42.38, 20.43 + pixels * 360 / (256 * 2**13), count)
        assert len(joined([mark(here.latitude, here.longitude), there], zoom=13)) == left, (pixels, count)


def test_a_joined_mark_lies_in_the_middle_of_its_reports() -> None:
    (one,) = joined([mark(42.0, 20.0, 3, newest=4), mark(42.0004, 20.0004, 1, newest=9)], zoom=10)
    assert (one.count, one.newest) == (4, 9)
    assert (round(one.latitude, 6), round(one.longitude, 6)) == (42.0001, 20.0001)
    assert one.box == (42.0, 20.0, 42.0004, 20.0004)


def test_a_mark_across_180_degrees_is_left_alone() -> None:
    across = mark(66.0, 179.99, 5)
    across.box = None
    assert len(joined([across, mark(66.0, 179.98, 2)], zoom=2)) == 2


def test_pixels_are_those_of_the_map() -> None:
    assert _pixel(mark(0.0, 0.0), 0) == (128.0, 128.0)
    assert _pixel(mark(0.0, 180.0), 1)[0] == 512.0
