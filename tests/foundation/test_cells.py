import h3.api.basic_int as h3
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonbeat.foundation import cells

lats = st.one_of(st.floats(-90, 90), st.sampled_from([-90.0, 90.0, 0.0, 89.99999]))
lons = st.one_of(st.floats(-180, 180), st.sampled_from([-180.0, 180.0, 0.0, 179.99999, -179.99999]))
resolutions = st.integers(0, 13)


@given(lats, lons, resolutions)
def test_parent_is_the_librarys_and_the_range_holds_the_descendants(lat: float, lon: float, resolution: int) -> None:
    stored = cells.cell_of(lat, lon, cells.STORED_RESOLUTION)
    assert 0 < stored < 2**63
    ancestor = cells.parent(stored, resolution)
    assert ancestor == h3.cell_to_parent(stored, resolution)
    first, last = cells.children_range(ancestor)
    assert first <= stored <= last


@given(lats, lons, st.integers(10, 13))
def test_range_holds_all_children_and_nothing_else(lat: float, lon: float, resolution: int) -> None:
    cell = cells.cell_of(lat, lon, resolution)
    first, last = cells.children_range(cell)
    children = h3.cell_to_children(cell, 13)
    assert min(children) == first
    assert max(children) == last
    for neighbour in h3.grid_ring(cell, 1):
        other_first, other_last = cells.children_range(neighbour)
        assert other_last < first or other_first > last


def test_ranges_of_pentagons_hold_their_children() -> None:
    for pentagon in h3.get_pentagons(11):
        first, last = cells.children_range(pentagon)
        assert all(first <= child <= last for child in h3.cell_to_children(pentagon, 13))


@given(st.lists(st.tuples(lats, lons), max_size=30), resolutions)
def test_vectorised_parents_are_the_librarys(points: list[tuple[float, float]], resolution: int) -> None:
    stored = np.array([cells.cell_of(lat, lon, 13) for lat, lon in points], dtype=np.int64)
    before = stored.copy()
    expected = [h3.cell_to_parent(int(cell), resolution) for cell in stored]
    assert cells.parents(stored, resolution).tolist() == expected
    assert cells.parents(stored.astype(np.uint64), resolution).tolist() == expected
    assert (stored == before).all()


def test_a_parent_is_never_finer() -> None:
    cell = cells.cell_of(42.38, 20.43, 7)
    with pytest.raises(ValueError, match="coarser"):
        cells.parent(cell, 8)
    with pytest.raises(ValueError, match="coarser"):
        cells.parents(np.array([cell]), 8)


@given(lats, lons, st.integers(4, 11))
def test_every_point_of_a_cell_has_one_public_place(lat: float, lon: float, resolution: int) -> None:
    public_lat, public_lon, cell = cells.fuzz(lat, lon, resolution)
    assert cells.fuzz(public_lat, public_lon, resolution) == (public_lat, public_lon, cell)
    # Stored finely, the public place still lies in its own public cell.
    assert cells.parent(cells.cell_of(public_lat, public_lon, 13), resolution) == cell
    for corner_lat, corner_lon in cells.boundary(cell):
        inner = (public_lat + (corner_lat - public_lat) * 0.5, public_lon + (corner_lon - public_lon) * 0.5)
        if abs(corner_lon - public_lon) < 90 and abs(public_lat) < 85:
            assert cells.fuzz(*inner, resolution) == (public_lat, public_lon, cell)


@given(
    lats,
    lons,
    st.sampled_from([(50.0, 11), (300.0, 9), (2_000.0, 8), (5_000.0, 7), (40_000.0, 5)]),
    st.floats(0, 1),
    st.floats(0, 6.283),
)
def test_near_covers_the_radius(lat: float, lon: float, size: tuple[float, int], share: float, bearing: float) -> None:
    metres, resolution = size
    covering = set(cells.near(lat, lon, metres, resolution))
    angle = share * metres / 6_371_008.8
    phi = np.radians(lat)
    phi2 = np.arcsin(np.clip(np.sin(phi) * np.cos(angle) + np.cos(phi) * np.sin(angle) * np.cos(bearing), -1, 1))
    turn = np.arctan2(np.sin(bearing) * np.sin(angle) * np.cos(phi), np.cos(angle) - np.sin(phi) * np.sin(phi2))
    lon2 = (lon + float(np.degrees(turn)) + 180) % 360 - 180
    assert cells.cell_of(float(np.degrees(phi2)), lon2, resolution) in covering


def test_near_refuses_what_would_be_endless() -> None:
    with pytest.raises(ValueError, match="too many"):
        cells.near(42.38, 20.43, 100_000, 13)


def test_distance() -> None:
    assert cells.distance_m(0, 0, 0, 1) == pytest.approx(111_195, rel=1e-4)
    assert cells.distance_m(42, 20, 42, 20) == 0
    assert cells.distance_m(0, 179.9, 0, -179.9) == pytest.approx(22_239, rel=1e-3)
    assert cells.distance_m(90, 0, -90, 0) == pytest.approx(20_015_114, rel=1e-4)


@pytest.mark.parametrize("place", [(91, 0), (0, 181), (float("nan"), 0), (0, float("inf"))])
def test_refuses_what_is_off_the_globe(place: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="out of range"):
        cells.cell_of(*place, 9)
