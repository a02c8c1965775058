"""The arithmetic of safety scores, in points from 0 to 100; docs/reference/safety-score.md derives each formula.

A place with few audits is pulled towards the mean of its area, as far as its own audits say too little: the credibility
mean of Bühlmann and Straub (1970), in other words the empirical Bayes estimate of a normal mean.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

LARGEST_RATING = 3
POINTS = 100.0
# Classes of colour are 20 points wide; with a larger margin than this, a place may be more than one class off.
CLASSES = (0, 20, 40, 60, 80)
UNSURE = 15.0
# How far two people's audits of one place lie apart (standard deviation), until a site's own audits tell: a rating of
# 0 to 3 that is one off is 33 points off, and eight of them together are less far off than one.
GUESSED_DEVIATION = 20.0
# The guess counts as much as so many audits, and as so many places.
GUESS_COUNTS = 10.0
# A site's own audits move the strength at most so many times up or down from what its topic says.
MOST_MOVED = 4.0
# 95 % of a normal distribution lie within so many standard errors.
_Z95 = 1.96


class Group(NamedTuple):
    """Ratings of one place, in points: how many, their sum, and the sum of their squares."""

    n: int
    total: float
    squares: float


class Spread(NamedTuple):
    """How ratings differ, in points²: within one place, and between the true means of places."""

    within: float
    between: float

    @property
    def strength(self) -> float:
        """Tell against how many audits of the area one place's own count."""
        return self.within / self.between


class Area(NamedTuple):
    """The mean of an area in points, and the variance of that mean."""

    mean: float
    variance: float


class Estimate(NamedTuple):
    """A score, and how far the truth may lie from it: 19 times in 20 within `margin`."""

    score: float
    margin: float

    @property
    def low(self) -> float:
        """Give the lower end of what may be."""
        return max(0.0, self.score - self.margin)

    @property
    def high(self) -> float:
        """Give the upper end of what may be."""
        return min(POINTS, self.score + self.margin)

    @property
    def is_sure(self) -> bool:
        """Tell whether the class of colour can be relied on."""
        return self.margin <= UNSURE


def points_of(rating: float) -> float:
    """Turn a rating of 0 to 3 into points."""
    return rating * (POINTS / LARGEST_RATING)


def age_weight(days: int, half_life: int) -> float:
    """Give the share with which an audit of this age counts; half_life 0 lets all count alike."""
    return 1.0 if half_life <= 0 or days <= 0 else 0.5 ** (days / half_life)


def weighted_mean(values: Mapping[str, float], weights: Mapping[str, float]) -> float | None:
    """Average what is known by its weights; None when nothing that weighs is known."""
    known = [(weights[code], value) for code, value in values.items() if weights.get(code, 0) > 0]
    total = sum(weight for weight, _ in known)
    return sum(weight * value for weight, value in known) / total if total else None


def spread_of(groups: Iterable[Group], *, strength: float) -> Spread:
    """Estimate how ratings differ within and between places: analysis of variance, beginning from a guess.

    The guess is GUESSED_DEVIATION within a place, and `strength` audits to outweigh an area.
    """
    groups = [group for group in groups if group.n > 0]
    many = sum(group.n for group in groups)
    apart = sum(max(0.0, group.squares - group.total**2 / group.n) for group in groups)
    free = max(0, many - len(groups))
    within = (GUESS_COUNTS * GUESSED_DEVIATION**2 + apart) / (GUESS_COUNTS + free)
    guessed = within / strength
    if len(groups) < 2:
        return Spread(within, guessed)
    steps = len(groups) - 1
    grand = sum(group.total for group in groups) / many
    between_groups = sum(group.n * (group.total / group.n - grand) ** 2 for group in groups) / steps
    typical = (many - sum(group.n**2 for group in groups) / many) / steps
    found = max(0.0, (between_groups - within) / typical)
    between = (GUESS_COUNTS * guessed + steps * found) / (GUESS_COUNTS + steps)
    return Spread(within, min(max(between, guessed / MOST_MOVED), guessed * MOST_MOVED))


def own_share(n: float, spread: Spread) -> float:
    """Give the share, 0 to 1, that a place's own audits have in its score."""
    return n / (n + spread.strength)


def area_of(places: Iterable[tuple[float, float]], spread: Spread) -> Area | None:
    """Average places, each (number of audits, mean), so that one with very many does not speak for all."""
    shares = [(own_share(n, spread), mean) for n, mean in places if n > 0]
    total = sum(share for share, _ in shares)
    if not total:
        return None
    return Area(sum(share * mean for share, mean in shares) / total, spread.between / total)


def estimate(n: float, mean: float, area: Area, spread: Spread) -> Estimate:
    """Pull the mean of n audits towards the area's; with n = 0 the area alone speaks."""
    own = own_share(n, spread)
    variance = (1 - own) * spread.between + (1 - own) ** 2 * area.variance
    return Estimate(own * mean + (1 - own) * area.mean, margin_of(variance))


def margin_of(variance: float) -> float:
    """Give how far from a mean with this variance the truth may lie, 19 times in 20."""
    return _Z95 * math.sqrt(variance)


def losses(scores: Mapping[str, float], weights: Mapping[str, float], overall: float) -> dict[str, float]:
    """Tell how many points each rating costs the score, the most first; they add up to what 100 lacks.

    Ratings and the score are each pulled towards the area by their own spread, so the shares are made to fit the score.
    """
    known = {code: weights[code] for code in scores if weights.get(code, 0) > 0}
    found = {code: weight * (POINTS - scores[code]) for code, weight in known.items()}
    total = sum(found.values())
    found = {code: lost * (POINTS - overall) / total if total else 0.0 for code, lost in found.items()}
    return dict(sorted(found.items(), key=lambda one: -one[1]))


def class_of(score: float) -> int:
    """Tell in which class of colour, 0 to 4, a score is drawn; as it is shown, rounded."""
    return max(0, min(len(CLASSES) - 1, int(round(score) // 20)))
