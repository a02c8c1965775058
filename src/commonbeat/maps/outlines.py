"""The outlines of cells on the Mercator square, kept, for one costs 5 microseconds and a tile needs hundreds."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple

import h3.api.basic_int as h3
import numpy as np
import numpy.typing as npt

from commonbeat.foundation import cells
from commonbeat.maps.tiling import EDGE_LATITUDE, mercator_x, mercator_y

Floats = npt.NDArray[np.float64]
Ring = list[tuple[float, float]]

# 130 bytes of corners and boxes, and 100 of the dictionary's. Where more are wanted than there is room, all go.
MOST_KEPT = 100_000

_POLAR = frozenset(cells.cell_of(latitude, 0.0, resolution) for latitude in (90.0, -90.0) for resolution in range(16))


class Hexagons(NamedTuple):
    """Outlines of six corners: `which` cells they are of, and the box around each: west, north, east, south."""

    which: npt.NDArray[np.int64]
    boxes: Floats
    rows: npt.NDArray[np.int64]
    x: Floats
    y: Floats

    def corners(self, some: npt.NDArray[np.int64] | slice = slice(None)) -> tuple[Floats, Floats]:
        """Give x and y, cell by corner, clockwise as one sees them, of some of them or of all."""
        rows = self.rows[some]
        return self.x[rows], self.y[rows]


class Outlines:
    """Hold the outlines that were asked for lately."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._empty()

    def of(self, wanted: npt.NDArray[np.int64]) -> tuple[Hexagons, list[tuple[int, Ring]]]:
        """Give the outlines of cells, in their order: the hexagons, and as (index, ring) those with other corners."""
        listed: list[int] = wanted.tolist()
        with self._lock:
            rows = self._rows
            found = list(map(rows.get, listed))
            if None in found:
                missing = [cell for cell, row in zip(listed, found, strict=True) if row is None]
                if len(rows) + len(missing) > MOST_KEPT:
                    self._empty(len(listed))
                    rows, missing = self._rows, listed
                self._add(missing)
                found = list(map(rows.get, listed))
            at = np.array(found, dtype=np.int64)
            regular = np.flatnonzero(at >= 0)
            kept = at[regular]
            # A row that is taken is never written again: whoever holds the arrays may read it without the lock.
            hexagons = Hexagons(regular, self._boxes[kept], kept, self._x, self._y)
            odd = [(index, self._odd[listed[index]]) for index in np.flatnonzero(at < 0).tolist()]
        return hexagons, odd

    def _empty(self, least: int = 0) -> None:
        size = max(MOST_KEPT, least)
        self._rows: dict[int, int] = {}
        self._odd: dict[int, Ring] = {}
        self._used = 0
        self._x: Any = np.empty((size, 6))
        self._y: Any = np.empty((size, 6))
        self._boxes: Any = np.empty((size, 4))

    def _add(self, missing: list[int]) -> None:
        corners = [h3.cell_to_boundary(cell) for cell in missing]
        polar = _POLAR
        hexagons = []
        row = self._used
        for cell, ring in zip(missing, corners, strict=True):
            if len(ring) == 6 and cell not in polar:
                self._rows[cell] = row
                hexagons.append(ring)
                row += 1
            else:
                self._rows[cell] = -1
                self._odd[cell] = ring_of(cell)
        if hexagons:
            # H3 goes round the other way.
            numbers = chain.from_iterable(chain.from_iterable(hexagons))
            degrees = np.fromiter(numbers, float, len(hexagons) * 12).reshape(-1, 6, 2)[:, ::-1]
            first = degrees[:, :1, 1]
            longitudes = first + (degrees[:, :, 1] - first + 180.0) % 360.0 - 180.0
            latitudes = np.radians(np.clip(degrees[:, :, 0], -EDGE_LATITUDE, EDGE_LATITUDE))
            fresh = slice(self._used, row)
            x = self._x[fresh] = (longitudes + 180.0) / 360.0
            y = self._y[fresh] = np.clip(0.5 - np.arcsinh(np.tan(latitudes)) / (2 * np.pi), 0.0, 1.0)
            self._boxes[fresh] = np.column_stack((x.min(axis=1), y.min(axis=1), x.max(axis=1), y.max(axis=1)))
            self._used = row


def ring_of(cell: int) -> Ring:
    """Give the outline of a cell on the Mercator square, clockwise as one sees it.

    x goes below 0 or beyond 1 where a cell lies across the date line; one around a pole is a strip over all longitudes.
    """
    corners = cells.boundary(cell)
    if cell in _POLAR:
        latitudes = [latitude for latitude, _ in corners]
        edge, pole = (min(latitudes), 90.0) if latitudes[0] > 0 else (max(latitudes), -90.0)
        top, bottom = sorted([mercator_y(edge), mercator_y(pole)])
        return [(0.0, top), (1.0, top), (1.0, bottom), (0.0, bottom)]
    middle = cells.centre(cell)[1]
    ring = [
        (mercator_x(middle + ((longitude - middle + 180.0) % 360.0 - 180.0)), mercator_y(latitude))
        for latitude, longitude in corners
    ]
    # H3 goes round the other way.
    ring.reverse()
    return ring


def box_of(ring: Sequence[tuple[float, float]]) -> tuple[float, float, float, float]:
    """Give west, north, east, south of an outline."""
    xs, ys = [x for x, _ in ring], [y for _, y in ring]
    return min(xs), min(ys), max(xs), max(ys)
