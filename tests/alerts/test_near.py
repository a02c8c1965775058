"""What devices are told: nobody within an area may be told that they are not."""

from __future__ import annotations

import json
import math

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import Point, Polygon, box
from shapely.geometry.base import BaseGeometry

from commonbeat.alerts.geometry import circle
from commonbeat.alerts.near import MOST_CORNERS, RESOLUTION, NearRow, entry_of, listing, outward, touched_cells
from commonbeat.foundation import cells

latitudes = st.floats(-80, 80)
longitudes = st.floats(-179, 179)


def ragged(latitude: float, longitude: float, size: float, corners: int, seed: int) -> BaseGeometry:
    """Give an outline with many corners, in and out."""
    points = []
    for step in range(corners):
        turn = 2 * math.pi * step / corners
        reach = size * (0.6 + 0.4 * math.sin(seed + 7.3 * step))
        points.append((longitude + reach * math.cos(turn), latitude + reach * math.sin(turn)))
    return shapely.make_valid(Polygon(points))


@given(latitudes, longitudes, st.floats(0.001, 0.9), st.integers(65, 400), st.integers(0, 1_000))
def test_an_outline_with_fewer_corners_leaves_nobody_out(lat, lon, size, corners, seed) -> None:
    area = ragged(lat, lon, size, corners, seed)
    drawn = outward(area)
    assert drawn.is_valid
    assert shapely.get_num_coordinates(drawn) <= max(MOST_CORNERS, 5)
    assert drawn.covers(area) or drawn.buffer(1e-9).covers(area)
    # Nor is it drawn so wide that a town is warned of its neighbour.
    west, south, east, north = area.bounds
    assert area.convex_hull.buffer(0.15 * max(east - west, north - south)).covers(drawn)


def test_an_outline_with_few_corners_stays_as_it_is() -> None:
    area = box(20.1, 42.1, 20.2, 42.2)
    assert outward(area) is area


def test_a_hole_stays_a_hole_and_parts_stay_parts() -> None:
    ring = ragged(42.0, 20.0, 0.5, 200, 3)
    with_hole = ring.difference(Point(20.0, 42.0).buffer(0.1))
    drawn = outward(shapely.union_all([with_hole, box(22, 42, 22.1, 42.1)]))
    assert not drawn.contains(Point(20.0, 42.0))
    assert len(shapely.get_parts(drawn)) == 2


@given(latitudes, longitudes, st.floats(100, 60_000), st.floats(0, 2 * math.pi), st.floats(0, 1))
def test_every_point_of_an_area_lies_in_one_of_its_cells(lat, lon, metres, turn, reach) -> None:
    area = circle(lat, lon, metres)
    found = touched_cells(area)
    assert found is not None
    west, south, east, north = area.bounds
    point = Point(lon + reach * (east - west) / 2 * math.cos(turn), lat + reach * (north - south) / 2 * math.sin(turn))
    if area.covers(point) and abs(point.x) <= 180:
        assert cells.cell_of(point.y, point.x, RESOLUTION) in found


def test_a_country_is_told_everywhere() -> None:
    assert touched_cells(box(10, 40, 20, 50)) is None


def test_the_cells_of_a_town_are_few() -> None:
    found = touched_cells(circle(42.38, 20.43, 3_000))
    assert found is not None
    assert len(found) <= 4


def test_an_entry_holds_what_a_page_shows_and_nothing_else() -> None:
    area = {"type": "Polygon", "coordinates": [[[20.4123456, 42.3], [20.5, 42.3], [20.5, 42.4], [20.4123456, 42.3]]]}
    row = NearRow(7, "water", "Test", "Severe", 1_773_500_000, area, {"en": ("Boil the water", "Old town")})
    assert json.loads(entry_of(row).body) == {
        "id": 7,
        "url": "/alerts/7/",
        "kind": "water",
        "status": "Test",
        "severity": "Severe",
        "expires": 1_773_500_000,
        "headline": {"en": "Boil the water"},
        "place": {"en": "Old town"},
        "area": [[[[20.41235, 42.3], [20.5, 42.3], [20.5, 42.4], [20.41235, 42.3]]]],
    }


@pytest.mark.parametrize("places", [None, [], [cells.cell_of(42.38, 20.43, RESOLUTION)]])
def test_a_listing_is_json(places) -> None:
    told = json.loads(listing([b'{"id":1}', b'{"id":2}'], places=places))
    assert [one["id"] for one in told["alerts"]] == [1, 2]
    assert (told["cells"] is None) == (places is None)
    if places:
        ((name, lat, lon),) = told["cells"]
        assert int(name, 16) == places[0]
        assert cells.cell_of(lat, lon, RESOLUTION) == places[0]
