"""Cells as a tile draws them: outlines in the tile's own measure, 0 to 1 across, and only those that touch it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from commonbeat.foundation import cells as h3cells
from commonbeat.maps.arrays import Sums
from commonbeat.maps.outlines import Outlines, Ring, box_of


class Shapes(NamedTuple):
    """What a tile draws. Of a cell across the date line there may be two."""

    cells: npt.NDArray[np.int64]
    n: npt.NDArray[np.int64]
    resolutions: npt.NDArray[np.int64]
    # Hexagons: `which` of the cells, and their corners.
    which: npt.NDArray[np.int64]
    x: npt.NDArray[np.float64]
    y: npt.NDArray[np.float64]
    # Others, such as pentagons: which, and the outline.
    odd: list[tuple[int, Ring]]


def shapes_on(sums: Sums, zoom: int, x: int, y: int, outlines: Outlines) -> Shapes:
    """Lay cells on a tile."""
    hexagons, odd = outlines.of(sums.cells)
    size = float(1 << zoom)
    west, north, east, south = (hexagons.boxes * size - (x, y, x, y)).T
    near = (south > 0) & (north < 1)
    parts = []
    # The world goes on beyond the date line.
    for shift in (-size, 0.0, size):
        some = np.flatnonzero(near & (east + shift > 0) & (west + shift < 1))
        if some.size:
            across, down = hexagons.corners(some)
            parts.append((hexagons.which[some], across * size - x + shift, down * size - y))
    if len(parts) == 1:
        which, xs, ys = parts[0]
    elif parts:
        which, xs, ys = (np.concatenate(column) for column in zip(*parts, strict=True))
    else:
        which, (xs, ys) = hexagons.which[:0], hexagons.corners(slice(0))
    rings = []
    for index, ring in odd:
        for shift in (-size, 0.0, size):
            laid = [(px * size - x + shift, py * size - y) for px, py in ring]
            west_most, north_most, east_most, south_most = box_of(laid)
            if east_most > 0 and west_most < 1 and south_most > 0 and north_most < 1 and south_most > north_most:
                rings.append((index, laid))
    return _drawn_only(sums, which, xs, ys, rings)


def _drawn_only(
    sums: Sums,
    which: npt.NDArray[np.int64],
    xs: npt.NDArray[np.float64],
    ys: npt.NDArray[np.float64],
    rings: list[tuple[int, Ring]],
) -> Shapes:
    # n of a cell that is not drawn must not stand in the tile's table of values either.
    drawn = np.unique(np.concatenate([which, np.array([index for index, _ in rings], np.int64)]))
    cells, n = sums.cells[drawn], sums.n[drawn]
    return Shapes(
        cells,
        n,
        h3cells.resolutions(cells),
        np.searchsorted(drawn, which),
        xs,
        ys,
        [(int(np.searchsorted(drawn, index)), ring) for index, ring in rings],
    )
