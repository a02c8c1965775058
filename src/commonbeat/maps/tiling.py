"""Web-Mercator tiles and H3 cells: which cells a tile shows, and as how large ones."""

from __future__ import annotations

import math
from functools import lru_cache

import h3.api.basic_int as h3
import numpy as np
import numpy.typing as npt

from commonbeat.foundation import cells

Cells = npt.NDArray[np.int64]

FARTHEST_ZOOM = 20
# Beyond it Web-Mercator shows nothing: atan(sinh(π)).
EDGE_LATITUDE = 85.05112877980659
# zoom → resolution of what is drawn: a hexagon's edge is then 5 to 16 pixels of 256 at the equator, a third more in
# Kosovo, and a tile shows 100 to 500 of them.
_RESOLUTIONS = (1, 1, 2, 3, 3, 4, 4, 5, 6, 6, 7, 8, 8, 9, 10, 10, 11, 11, 12, 13, 13)
# Up to this zoom a tile is so much of the world that narrowing down costs more than it saves.
_WHOLE_WORLD_ZOOM = 2
# Cells of one resolution differ from the average edge by less than a third (as in foundation.cells.near).
_SMALLEST, _LARGEST = 0.66, 1.34
# How far the descendants of a cell reach from its centre, in its edges: 1 at its corners; their outline is a fractal
# that stays within 1.3.
_REACH = 1.4

_EDGE = math.radians(EDGE_LATITUDE)
# A cosine: nearer, and the scale of the map changes too much within a tile.
_NEAR_A_POLE = 0.05

_RESOLUTION_SHIFT = 52
_EARTH_RADIUS_M = 6_371_008.8


def display_resolution(zoom: int) -> int:
    """Tell how fine the cells are that a zoom draws."""
    return _RESOLUTIONS[zoom]


def is_tile(zoom: int, x: int, y: int) -> bool:
    """Tell whether there is such a tile."""
    return 0 <= zoom <= FARTHEST_ZOOM and 0 <= x < 1 << zoom and 0 <= y < 1 << zoom


def latitude_of(y: float) -> float:
    """Give the latitude of a height on the Mercator square, 0 in the north to 1 in the south."""
    return math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * y))))


def mercator_x(longitude: float) -> float:
    """Place a longitude on the Mercator square, 0 to 1."""
    return (longitude + 180.0) / 360.0


def mercator_y(latitude: float) -> float:
    """Place a latitude on the Mercator square, 0 to 1; what lies beyond its edge is put on the edge."""
    latitude = max(-EDGE_LATITUDE, min(EDGE_LATITUDE, latitude))
    y = 0.5 - math.asinh(math.tan(math.radians(latitude))) / (2 * math.pi)
    return min(1.0, max(0.0, y))


@lru_cache(maxsize=4_096)
def covering(zoom: int, x: int, y: int, resolution: int) -> Cells | None:
    """Give cells, sorted, whose descendants include every cell of `resolution` that touches a tile.

    They are one step coarser than it. None stands for the whole world.
    """
    if zoom <= _WHOLE_WORLD_ZOOM or resolution == 0:
        return None
    size = 1.0 / (1 << zoom)
    west, north = x * size, y * size
    middle = (latitude_of(north + size / 2), (west + size / 2) * 360.0 - 180.0)
    # The farthest point of a tile from its middle is a corner: both edges and the half-way lines are shorter.
    corners = [(latitude_of(h), v * 360.0 - 180.0) for h in (north, north + size) for v in (west, west + size)]
    radius = max(cells.distance_m(*middle, *corner) for corner in corners)
    coarse = resolution - 1
    edge = _edge_m(coarse)
    # What sticks into the tile from a cell whose centre lies outside, and how far that is from its ancestor.
    beside = _edge_m(resolution) * _LARGEST + edge * _LARGEST * _REACH
    radius += beside
    origin = cells.cell_of(max(-90.0, min(90.0, middle[0])), max(-180.0, min(180.0, middle[1])), coarse)
    # k rings reach 1.5·k edges from the centre of the middle cell, which is up to one edge off the middle.
    rings = math.ceil((radius + edge * _LARGEST) / (1.5 * edge * _SMALLEST))
    if rings > 60:
        return None
    around = h3.grid_disk(origin, rings)
    centres = np.radians(np.array([h3.cell_to_latlng(cell) for cell in around]))
    latitude, longitude = math.radians(middle[0]), math.radians(middle[1])
    half = (
        np.sin((centres[:, 0] - latitude) / 2) ** 2
        + math.cos(latitude) * np.cos(centres[:, 0]) * np.sin((centres[:, 1] - longitude) / 2) ** 2
    )
    within = half <= math.sin(min(radius / (2 * _EARTH_RADIUS_M), math.pi / 2)) ** 2
    within &= _beside_square(centres, west, north, size, beside)
    return np.sort(np.array(around, dtype=np.int64)[within])


def _beside_square(
    centres: npt.NDArray[np.float64], west: float, north: float, size: float, metres: float
) -> npt.NDArray[np.bool_]:
    """Tell which points (radians) are no further from a tile than so many metres: of a circle a third is none of it."""
    reach = metres / _EARTH_RADIUS_M
    # On the way to the tile the map's scale is nowhere larger than at the latitude nearest to a pole.
    farthest = max(abs(latitude_of(north)), abs(latitude_of(north + size)))
    shrink = math.cos(min(math.radians(farthest) + reach, math.pi / 2))
    if shrink < _NEAR_A_POLE:
        return np.ones(len(centres), bool)
    margin = size / 2 + reach / (2 * math.pi * shrink)
    across = (centres[:, 1] + math.pi) / (2 * math.pi) - (west + size / 2)
    latitudes = np.clip(centres[:, 0], -_EDGE, _EDGE)
    down = 0.5 - np.arcsinh(np.tan(latitudes)) / (2 * math.pi) - (north + size / 2)
    return (np.abs(across - np.round(across)) <= margin) & (np.abs(down) <= margin)


def ranges(ancestors: Cells, resolution: int) -> tuple[Cells, Cells]:
    """Give the first and last integer that a descendant of each cell can have at a resolution."""
    if not ancestors.size:
        return ancestors, ancestors
    coarse = cells.resolution_of(int(ancestors[0]))
    below = np.int64((1 << (3 * (15 - resolution))) - 1)
    free = np.int64(((1 << (3 * (15 - coarse))) - 1) & ~int(below))
    first = (ancestors & np.int64(~((0xF << _RESOLUTION_SHIFT) | int(free)))) | np.int64(
        (resolution << _RESOLUTION_SHIFT) | int(below)
    )
    # The largest digit is 6.
    return first, first | (free & np.int64(0o666666666666666))


@lru_cache(maxsize=16)
def _edge_m(resolution: int) -> float:
    return float(h3.average_hexagon_edge_length(resolution, unit="m"))
