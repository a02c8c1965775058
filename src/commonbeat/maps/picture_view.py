"""Which part of the world a picture shows: a middle, a zoom as of tiles of 256 pixels, and pixels."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from commonbeat.maps import tiling

_TILE = 256


class Placed(NamedTuple):
    """A tile on a picture: its address, and where its left upper corner lies and how wide it is, in pixels."""

    zoom: int
    x: int
    y: int
    left: float
    top: float
    size: float

    def scaled(self, by: int) -> Placed:
        """Place it on a picture that is so many times as large."""
        return self._replace(left=self.left * by, top=self.top * by, size=self.size * by)

    def moved(self, right: float, down: float) -> Placed:
        """Place it on a part of the picture."""
        return self._replace(left=self.left + right, top=self.top + down)


class View(NamedTuple):
    """Parts of the Mercator square, 0 to 1 from west to east and from north to south; x may lie beyond either end."""

    west: float
    north: float
    zoom: float
    width: int
    height: int

    @property
    def world(self) -> float:
        """Tell how many pixels the whole world is wide."""
        return float(_TILE * 2.0**self.zoom)

    @property
    def east(self) -> float:
        """Give the right edge."""
        return self.west + self.width / self.world

    @property
    def south(self) -> float:
        """Give the lower edge."""
        return self.north + self.height / self.world

    @property
    def shifts(self) -> range:
        """Give how often the world is moved east to fill the view: it goes on beyond the date line."""
        return range(math.floor(self.west), math.ceil(self.east))

    def at(self, latitude: float, longitude: float) -> tuple[float, float]:
        """Place a point on the picture, in pixels, as near to its middle as the round world allows."""
        x = tiling.mercator_x(longitude)
        x += round((self.west + self.east) / 2 - x)
        return (x - self.west) * self.world, (tiling.mercator_y(latitude) - self.north) * self.world

    def tiles(self, zoom: int) -> Iterator[Placed]:
        """Give the tiles of a zoom that touch the view."""
        count = 1 << zoom
        size = self.world / count
        rows = range(max(0, math.floor(self.north * count)), min(count, math.ceil(self.south * count)))
        for column in range(math.floor(self.west * count), math.ceil(self.east * count)):
            left = column * size - self.west * self.world
            for row in rows:
                yield Placed(zoom, column % count, row, left, row * size - self.north * self.world, size)


def view_of(latitude: float, longitude: float, zoom: float, width: int, height: int) -> View:
    """Give the view around a point; it is moved, and comes closer, so far that the world is not shown twice."""
    zoom = min(max(zoom, math.log2(width / _TILE)), float(tiling.FARTHEST_ZOOM))
    world = _TILE * 2.0**zoom
    x, y = tiling.mercator_x(longitude), tiling.mercator_y(latitude)
    half = height / world / 2
    # Beyond the poles is nothing to see.
    y = min(max(y, half), 1 - half) if half < 0.5 else 0.5
    return View(x - width / world / 2, y - half, zoom, width, height)
