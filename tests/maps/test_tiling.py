"""Tiles and cells: nothing that touches a tile is missed, anywhere on the globe."""

from __future__ import annotations

import h3.api.basic_int as h3
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from commonbeat.foundation import cells
from commonbeat.maps import tiling
from commonbeat.maps.arrays import Sums
from commonbeat.maps.outlines import Outlines, ring_of
from commonbeat.maps.shapes import shapes_on
from commonbeat.maps.tiling import EDGE_LATITUDE

ZOOMS = st.integers(0, tiling.FARTHEST_ZOOM)
PENTAGONS = [cells.centre(int(pentagon)) for pentagon in h3.get_pentagons(6)]
POINTS = st.one_of(
    st.tuples(st.floats(-85, 85), st.floats(-180, 180)),
    # the date line, near the poles, and a town
    st.tuples(st.floats(-85, 85), st.sampled_from([-180.0, 180.0, 179.9999, -179.9999])),
    st.tuples(st.floats(80, 85.05), st.floats(-180, 180)),
    st.tuples(st.floats(42.3, 42.4), st.floats(20.4, 20.5)),
    # around the twelve cells with five neighbours
    st.tuples(st.sampled_from(PENTAGONS), st.floats(-0.2, 0.2), st.floats(-0.2, 0.2)).map(
        lambda p: (p[0][0] + p[1], (p[0][1] + p[2] + 180) % 360 - 180)
    ),
)
# What no tile shows still lies in the arrays.
EVERYWHERE = st.one_of(POINTS, st.tuples(st.sampled_from([90.0, -90.0, 89.99, -89.99, 85.06]), st.floats(-180, 180)))


def tile_at(latitude: float, longitude: float, zoom: int) -> tuple[int, int]:
    size = 1 << zoom
    x = min(size - 1, int(tiling.mercator_x(longitude) * size))
    return x, min(size - 1, int(tiling.mercator_y(latitude) * size))


def is_covered(cell: int, zoom: int, x: int, y: int) -> bool:
    resolution = cells.resolution_of(cell)
    around = tiling.covering(zoom, x, y, resolution)
    if around is None:
        return True
    low, high = tiling.ranges(around, resolution)
    return bool(((low <= cell) & (cell <= high)).any())


@given(point=POINTS, zoom=ZOOMS)
def test_the_cell_of_a_point_is_covered_by_its_tile(point: tuple[float, float], zoom: int) -> None:
    latitude, longitude = point
    assume(abs(latitude) < EDGE_LATITUDE)
    x, y = tile_at(latitude, longitude, zoom)
    cell = cells.cell_of(latitude, longitude, tiling.display_resolution(zoom))
    assert is_covered(cell, zoom, x, y)


@given(point=POINTS, zoom=ZOOMS, coarser=st.integers(0, 13))
def test_every_cell_that_touches_a_tile_is_covered(point: tuple[float, float], zoom: int, coarser: int) -> None:
    latitude, longitude = point
    resolution = max(0, tiling.display_resolution(zoom) - coarser)
    x, y = tile_at(latitude, longitude, zoom)
    size = 1 << zoom
    for cell in h3.grid_disk(cells.cell_of(latitude, longitude, resolution), 2):
        ring = [(px * size - x, py * size - y) for px, py in ring_of(int(cell))]
        # A corner on the tile is proof that the cell touches it.
        if any(0 <= px <= 1 and 0 <= py <= 1 for px, py in ring):
            assert is_covered(int(cell), zoom, x, y)


@given(point=POINTS, zoom=ZOOMS, finer=st.integers(0, 15), ring=st.integers(0, 2), which=st.integers(0, 18))
def test_what_lies_in_a_drawn_cell_is_found_however_fine_it_is(
    point: tuple[float, float], zoom: int, finer: int, ring: int, which: int
) -> None:
    latitude, longitude = point
    drawn = tiling.display_resolution(zoom)
    x, y = tile_at(latitude, longitude, zoom)
    size = 1 << zoom
    around = h3.grid_disk(cells.cell_of(latitude, longitude, drawn), ring)
    cell = int(around[which % len(around)])
    corners = [(px * size - x, py * size - y) for px, py in ring_of(cell)]
    assume(any(0 <= px <= 1 and 0 <= py <= 1 for px, py in corners))
    fine = min(15, drawn + finer)
    covering = tiling.covering(zoom, x, y, drawn)
    if covering is None:
        return
    low, high = tiling.ranges(covering, fine)
    assert (high[:-1] < low[1:]).all(), "each is counted once"
    first, last = tiling.ranges(np.array([cell]), fine)
    for inside in (int(first[0]), int(last[0]), int(h3.cell_to_center_child(cell, fine))):
        assert ((low <= inside) & (inside <= high)).any()


@given(point=EVERYWHERE, zoom=ZOOMS, resolution=st.integers(0, 13), shift=st.sampled_from([0, 1, -1]))
def test_a_cell_is_laid_on_every_tile_that_it_touches_and_on_no_other(
    point: tuple[float, float], zoom: int, resolution: int, shift: int
) -> None:
    cell = cells.cell_of(*point, min(resolution, tiling.display_resolution(zoom)))
    size = 1 << zoom
    x, y = tile_at(max(-85.0, min(85.0, point[0])), point[1], zoom)
    x = (x + shift) % size
    found = shapes_on(Sums(np.array([cell]), np.array([3])), zoom, x, y, Outlines())
    ring = [(px * size - x, py * size - y) for px, py in ring_of(cell)]
    west, east = min(px for px, _ in ring), max(px for px, _ in ring)
    north, south = min(py for _, py in ring), max(py for _, py in ring)
    beside = any(east + round_ > 0 and west + round_ < 1 for round_ in (-size, 0, size))
    assert found.cells.tolist() == ([cell] if beside and south > 0 and north < 1 and south > north else [])
    if found.cells.size:
        assert (found.n.tolist(), found.resolutions.tolist()) == ([3], [cells.resolution_of(cell)])


@pytest.mark.parametrize("resolution", [0, 1, 3, 5, 8, 11])
def test_pentagons_are_covered_and_outlined(resolution: int) -> None:
    outlines = Outlines()
    for pentagon in h3.get_pentagons(resolution):
        latitude, longitude = cells.centre(int(pentagon))
        for zoom in (0, 3, 8, 14):
            if tiling.display_resolution(zoom) >= resolution:
                x, y = tile_at(latitude, longitude, zoom)
                assert is_covered(int(pentagon), zoom, x, y)
        _, odd = outlines.of(np.array([pentagon]))
        assert len(odd) == 1


@given(point=POINTS, coarse=st.integers(0, 10), steps=st.integers(1, 5))
def test_ranges_hold_the_descendants_and_no_others(point: tuple[float, float], coarse: int, steps: int) -> None:
    cell = cells.cell_of(*point, coarse + steps)
    ancestor = cells.parent(cell, coarse)
    low, high = tiling.ranges(np.array([ancestor]), coarse + steps)
    assert low[0] <= cell <= high[0]
    for other in h3.grid_ring(ancestor, 1):
        other_low, other_high = tiling.ranges(np.array([other]), coarse + steps)
        assert other_high[0] < low[0] or other_low[0] > high[0]


@given(point=POINTS, resolution=st.integers(0, 12))
def test_outlines_never_span_the_world(point: tuple[float, float], resolution: int) -> None:
    cell = cells.cell_of(*point, resolution)
    ring = ring_of(cell)
    width = max(x for x, _ in ring) - min(x for x, _ in ring)
    assert width <= 1
    assert all(0 <= y <= 1 for _, y in ring)
    if abs(point[0]) < 60 and resolution >= 1:
        assert width < 0.1


@given(point=POINTS, resolution=st.integers(1, 12))
def test_outlines_go_round_clockwise(point: tuple[float, float], resolution: int) -> None:
    ring = ring_of(cells.cell_of(*point, resolution))
    following = ring[1:] + ring[:1]
    area = sum(ax * by - bx * ay for (ax, ay), (bx, by) in zip(ring, following, strict=True))
    assert area >= -1e-15


def test_tiles_out_of_range_are_none() -> None:
    assert tiling.is_tile(0, 0, 0)
    assert not tiling.is_tile(0, 1, 0)
    assert not tiling.is_tile(21, 0, 0)
    assert not tiling.is_tile(3, 0, -1)


def test_poles_are_strips_over_all_longitudes() -> None:
    for latitude in (90.0, -90.0):
        ring = ring_of(cells.cell_of(latitude, 0.0, 0))
        assert {x for x, _ in ring} == {0.0, 1.0}
