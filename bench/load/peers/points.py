"""The points and the tiles that all peers get."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

# Half the circumference of the earth in web mercator, in metres.
HALF = 20_037_508.342789244


class Points(NamedTuple):
    """Every published report with a place, in columns."""

    longitude: np.ndarray[Any, np.dtype[np.float64]]
    latitude: np.ndarray[Any, np.dtype[np.float64]]
    # H3 cell of resolution 11.
    cell: np.ndarray[Any, np.dtype[np.int64]]
    category: np.ndarray[Any, np.dtype[np.int16]]
    # Days since 1970-01-01.
    day: np.ndarray[Any, np.dtype[np.int32]]


class View(NamedTuple):
    """One tile that is asked for, and the filter; category -1 means all."""

    kind: str
    zoom: int
    x: int
    y: int
    category: int
    since: int | None
    until: int | None

    def metres(self) -> tuple[float, float, float, float]:
        """Give west, south, east, north in web mercator."""
        size = 2 * HALF / (1 << self.zoom)
        west, north = -HALF + self.x * size, HALF - self.y * size
        return west, north - size, west + size, north


def save(points: Points, folder: Path) -> None:
    """Write the columns, for programs of other languages too."""
    for name, column in points._asdict().items():
        column.tofile(folder / f"{name}.bin")


def load(folder: Path) -> Points:
    """Read what save() wrote."""
    kinds = {"longitude": "f8", "latitude": "f8", "cell": "i8", "category": "i2", "day": "i4"}
    return Points(*(np.fromfile(folder / f"{name}.bin", dtype) for name, dtype in kinds.items()))


def mercator(points: Points) -> tuple[Any, Any]:
    """Give the points in metres of web mercator."""
    x = points.longitude * (HALF / 180)
    y = np.log(np.tan((90 + points.latitude) * (math.pi / 360))) * (HALF / math.pi)
    return x, y


def median_by_kind(views: list[View], answer: Callable[[View], object], seconds: float) -> dict[str, float]:
    """Ask for the views of each kind until the time is over, three at least; give the medians in milliseconds."""
    found: dict[str, float] = {}
    for kind in dict.fromkeys(view.kind for view in views):
        times: list[float] = []
        ends = time.perf_counter() + seconds
        for view in [view for view in views if view.kind == kind]:
            if time.perf_counter() > ends and len(times) >= 3:
                break
            begun = time.perf_counter()
            answer(view)
            times.append((time.perf_counter() - begun) * 1_000)
        times.sort()
        found[kind] = times[len(times) // 2]
    return found
