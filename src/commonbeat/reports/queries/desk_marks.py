"""The marks of the desk's map, and how those that would cover each other become one; pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

# Pixels between the middles of two marks below which one would cover the other's number; two single reports may touch.
APART, SINGLES_APART = 34.0, 13.0


class Single(NamedTuple):
    """What a mark says that stands for one report."""

    title: str
    place_name: str
    created_at: datetime


@dataclass(slots=True)
class Mark:
    """Some reports that lie near each other, or one; the box is south, west, north, east, None across 180°."""

    latitude: float
    longitude: float
    count: int
    newest: int
    box: tuple[float, float, float, float] | None
    states: Counter[str] = field(default_factory=Counter)
    topics: Counter[int] = field(default_factory=Counter)
    single: Single | None = None


def joined(marks: Iterable[Mark], *, zoom: int) -> list[Mark]:
    """Join marks that would cover each other at a zoom, the largest first; oldest first in the answer."""
    squares: dict[tuple[int, int], list[tuple[float, float, Mark]]] = {}
    kept: list[Mark] = []
    for mark in sorted(marks, key=lambda mark: (-mark.count, -mark.newest)):
        x, y = _pixel(mark, zoom)
        column, row = int(x // APART), int(y // APART)
        near = [
            (math.hypot(x - there[0], y - there[1]), index, there[2])
            for a in (-1, 0, 1)
            for b in (-1, 0, 1)
            for index, there in enumerate(squares.get((column + a, row + b), ()))
        ]
        distance, _index, larger = min(near, default=(math.inf, 0, mark), key=lambda one: one[0])
        if distance < (APART if larger.count + mark.count > 2 else SINGLES_APART) and larger.box and mark.box:
            _take_in(larger, mark)
        else:
            # Others are measured from where it was first, though it moves a little with each that it takes in.
            squares.setdefault((column, row), []).append((x, y, mark))
            kept.append(mark)
    return sorted(kept, key=lambda mark: mark.newest)


def _take_in(larger: Mark, other: Mark) -> None:
    assert larger.box is not None and other.box is not None
    count = larger.count + other.count
    larger.latitude += (other.latitude - larger.latitude) * other.count / count
    larger.longitude += (other.longitude - larger.longitude) * other.count / count
    larger.count = count
    larger.newest = max(larger.newest, other.newest)
    south, west, north, east = zip(larger.box, other.box, strict=True)
    larger.box = (min(south), min(west), max(north), max(east))
    larger.states += other.states
    larger.topics += other.topics


def _pixel(mark: Mark, zoom: int) -> tuple[float, float]:
    size = 256.0 * 2.0**zoom
    sine = math.sin(math.radians(max(-85.0, min(85.0, mark.latitude))))
    return (mark.longitude + 180) / 360 * size, (0.5 - math.log((1 + sine) / (1 - sine)) / (4 * math.pi)) * size
