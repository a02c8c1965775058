"""What an officer draws becomes an area, or is refused with a sentence."""

from __future__ import annotations

import math
from typing import Any

import pytest
import shapely
from shapely.geometry import shape

from commonbeat.alerts.geometry import AreaError, area_of, circle, copies_around, make_area, metres_per_degree
from tests.make import square


def polygon(*points: tuple[float, float]) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [[list(point) for point in points]]}


def test_a_crossing_outline_is_mended_and_said_so() -> None:
    area = make_area(polygons=[polygon((20, 42), (21, 43), (21, 42), (20, 43), (20, 42))])
    assert area.is_mended
    assert shape(area.geojson).is_valid and area.geojson["type"] == "MultiPolygon"
    assert not make_area(polygons=[square()]).is_mended


def test_shapes_that_overlap_are_one_area_without_holes() -> None:
    overlapping = {"type": "MultiPolygon", "coordinates": [square()["coordinates"], square(42.4)["coordinates"]]}
    area = make_area(polygons=[overlapping])
    assert area.geojson["type"] == "Polygon" and len(area.geojson["coordinates"]) == 1
    assert not area.is_mended


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "GeoJSON"),
        ({"type": "Point", "coordinates": [20, 42]}, "GeoJSON"),
        ({"type": "Polygon", "coordinates": []}, "Draw an area"),
        (polygon((20, 42), (21, 42)), "three points"),
        (polygon((20, 42), (21, 42), (20.5, 42), (20, 42)), "empty"),
        (polygon((20, 42), (20, 42), (20, 42), (20, 42)), "empty"),
        ({"type": "Polygon", "coordinates": [[["a", "b"]] * 4]}, "three points"),
        ({"type": "Polygon", "coordinates": [[[20, math.nan]] * 4]}, "off the map"),
        (polygon((20, 88), (21, 88), (21, 89), (20, 88)), "off the map"),
        ({"type": "Polygon", "coordinates": [[[20, 42 + i / 10_000] for i in range(6_000)]]}, "Simplify"),
    ],
)
def test_what_is_no_area_is_refused(given, sentence) -> None:
    with pytest.raises(AreaError, match=sentence):
        area_of(given)


def test_nothing_drawn_is_no_area() -> None:
    with pytest.raises(AreaError, match="Draw an area"):
        make_area()


@pytest.mark.parametrize("metres", [50.0, 700.0, 20_000.0])
def test_a_circle_holds_all_within_its_radius_and_little_more(metres) -> None:
    east, north = metres_per_degree(42.38)
    ring = circle(42.38, 20.43, metres)
    for step in range(360):
        turn = math.radians(step)
        inside = (20.43 + 0.999 * metres * math.sin(turn) / east, 42.38 + 0.999 * metres * math.cos(turn) / north)
        assert ring.intersects(shapely.Point(inside))
    assert make_area(circles=[(42.38, 20.43, metres)]).square_km == pytest.approx(
        math.pi * (metres / 1e3) ** 2, rel=0.01
    )


@pytest.mark.parametrize(
    "given", [(42, 20, 5), (42, 20, 10**7), (95, 20, 500), (42, 200, 500), (42, 20, math.nan), (42,)]
)
def test_circles_have_bounds(given) -> None:
    with pytest.raises(AreaError):
        make_area(circles=[given])


def test_over_the_antimeridian_an_area_is_two() -> None:
    area = make_area(polygons=[polygon((179, -17), (181, -17), (181, -16), (179, -16), (179, -17))])
    assert area.geojson["type"] == "MultiPolygon"
    assert (area.west, area.east) == (-180, 180)
    assert shape(area.geojson).area == pytest.approx(2)
    assert len(copies_around(shape(area.geojson), 1.0)) == 3


def test_coordinates_have_six_decimals_and_outer_rings_turn_left() -> None:
    area = make_area(polygons=[polygon((20.12345678, 42), (20.1, 43.1), (21.7654321987, 42.5), (20.12345678, 42))])
    ring = area.geojson["coordinates"][0]
    assert all(value == round(value, 6) for point in ring for value in point)
    assert shapely.LinearRing(ring).is_ccw


def test_a_continent_asks_twice_and_kosovo_does_not() -> None:
    assert make_area(polygons=[square(48, 10, 8)]).asks_twice
    kosovo = make_area(polygons=[square(42.6, 20.9, 0.55)])
    assert not kosovo.asks_twice
    assert kosovo.square_km == pytest.approx(1.1 * 111.07 * 1.1 * 82.05, rel=0.01)
