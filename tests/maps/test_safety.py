"""The arithmetic of safety scores, against examples reckoned by hand and against what must always hold."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from commonbeat.maps import safety
from commonbeat.maps.safety import Area, Group, Spread

points = st.floats(0, 100)
spreads = st.builds(lambda within, strength: Spread(within, within / strength), st.floats(1, 2_000), st.floats(0.5, 50))


def test_ratings_become_points() -> None:
    assert [safety.points_of(rating) for rating in (0, 1.5, 3)] == [0, 50, pytest.approx(100)]


def test_a_place_is_pulled_as_far_as_its_audits_say_too_little() -> None:
    # Against 4 audits of the area, 4 of its own have half: (80 + 60) / 2.
    spread = Spread(within=400, between=100)
    found = safety.estimate(4, 80, Area(60, 0), spread)
    assert found.score == pytest.approx(70)
    # within / (n + strength) = 400 / 8 = 50.
    assert found.margin == pytest.approx(1.96 * math.sqrt(50))


def test_what_is_unsure_of_the_area_is_unsure_of_the_place() -> None:
    # 50, and a quarter (the area's share, squared) of 8.
    found = safety.estimate(4, 80, Area(60, 8), Spread(400, 100))
    assert found.margin == pytest.approx(1.96 * math.sqrt(52))


def test_without_audits_the_area_alone_speaks() -> None:
    found = safety.estimate(0, 0, Area(60, 8), Spread(400, 100))
    assert found.score == 60
    assert found.margin == pytest.approx(1.96 * math.sqrt(108))


@given(st.floats(0.01, 1_000), points, points, st.floats(0, 500), spreads)
def test_a_score_lies_between_the_place_and_its_area(n: float, own: float, mean: float, var: float, s: Spread) -> None:
    found = safety.estimate(n, own, Area(mean, var), s)
    assert min(own, mean) - 1e-9 <= found.score <= max(own, mean) + 1e-9


@given(st.floats(0, 500), st.floats(0.1, 500), points, points, st.floats(0, 500), spreads)
def test_more_audits_pull_less_and_tell_more(
    n: float, more: float, own: float, mean: float, variance: float, spread: Spread
) -> None:
    area = Area(mean, variance)
    few, many = safety.estimate(n, own, area, spread), safety.estimate(n + more, own, area, spread)
    assert abs(many.score - own) <= abs(few.score - own) + 1e-9
    assert many.margin < few.margin


def test_the_mean_of_an_area_is_not_that_of_its_busiest_place() -> None:
    spread = Spread(400, 100)
    # Shares 4 / 8 and 96 / 100: (0.5 * 20 + 0.96 * 80) / 1.46.
    area = safety.area_of([(4, 20), (96, 80)], spread)
    assert area is not None
    assert area.mean == pytest.approx((0.5 * 20 + 0.96 * 80) / 1.46)
    assert area.variance == pytest.approx(100 / 1.46)
    assert safety.area_of([], spread) is None
    assert safety.area_of([(0, 50)], spread) is None


def test_without_audits_the_spread_is_the_guess() -> None:
    spread = safety.spread_of([], strength=4)
    assert spread == Spread(400, 100)
    assert spread.strength == 4


def test_one_place_tells_of_the_spread_within_alone() -> None:
    # Squares of 40, 50, 60 about their mean: 200, with 2 degrees of freedom; the guess brings 10 of 400.
    spread = safety.spread_of([Group(3, 150, 40**2 + 50**2 + 60**2)], strength=4)
    assert spread.within == pytest.approx((10 * 400 + 200) / 12)
    assert spread.strength == pytest.approx(4)


def test_places_that_differ_are_pulled_less_than_places_that_do_not() -> None:
    def groups(*means: float) -> list[Group]:
        return [Group(3, 3 * mean, (mean - 10) ** 2 + mean**2 + (mean + 10) ** 2) for mean in means]

    differ = safety.spread_of(groups(10, 30, 50, 70, 90, 20, 80), strength=4)
    alike = safety.spread_of(groups(50, 51, 49, 50, 50, 51, 49), strength=4)
    assert differ.strength < 4 < alike.strength
    # By hand, for two: grand mean 50, between 3 * (10² + 10²) / 1 = 600, typical size 3.
    two = safety.spread_of(groups(40, 60), strength=4)
    within = (10 * 400 + 2 * 200) / 14
    assert two.within == pytest.approx(within)
    assert two.between == pytest.approx((10 * within / 4 + (600 - within) / 3) / 11)


@given(st.lists(st.lists(st.integers(0, 100), min_size=1, max_size=8), max_size=30), st.floats(0.5, 50))
def test_a_spread_is_never_nothing(places: list[list[int]], strength: float) -> None:
    groups = [Group(len(some), sum(some), sum(one**2 for one in some)) for some in places]
    spread = safety.spread_of(groups, strength=strength)
    assert spread.within > 0
    assert strength / safety.MOST_MOVED - 1e-6 <= spread.strength <= strength * safety.MOST_MOVED + 1e-6


def test_missing_ratings_leave_their_weight_to_the_others() -> None:
    weights = {"lighting": 1.0, "people": 3.0, "feeling": 0.0}
    assert safety.weighted_mean({"lighting": 0, "people": 3, "feeling": 0}, weights) == 2.25
    assert safety.weighted_mean({"people": 3}, weights) == 3
    assert safety.weighted_mean({"feeling": 3}, weights) is None
    assert safety.weighted_mean({}, weights) is None


@given(
    st.dictionaries(st.sampled_from("abcdef"), points, min_size=1), st.lists(st.floats(0, 5), min_size=6, max_size=6)
)
def test_what_each_rating_costs_adds_up_to_what_the_score_lacks(scores: dict[str, float], some: list[float]) -> None:
    weights = dict(zip("abcdef", some, strict=True))
    assume(any(weights[code] > 1e-6 for code in scores))
    lost = safety.losses(scores, weights, safety.weighted_mean(scores, weights) or 0.0)
    score = safety.weighted_mean(scores, weights)
    assert score is not None
    assert sum(lost.values()) == pytest.approx(100 - score)
    assert list(lost.values()) == sorted(lost.values(), reverse=True)


def test_an_audit_counts_half_after_a_half_life() -> None:
    assert [safety.age_weight(days, 365) for days in (-3, 0, 365, 730)] == [1, 1, 0.5, 0.25]
    assert safety.age_weight(10_000, 0) == 1


def test_classes_follow_the_number_that_is_shown() -> None:
    assert [safety.class_of(score) for score in (-1, 0, 19.4, 19.6, 59.9, 80, 100)] == [0, 0, 0, 1, 3, 4, 4]
