"""Areas that people paste: right ones are taken, wrong ones are told."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonbeat.places.areas import AreaError, bounds, outline_path, read_area, square_kilometres
from tests.make import square

SQUARE = square()


def test_a_polygon_a_feature_and_a_collection_are_the_same_area() -> None:
    feature = {"type": "Feature", "properties": {}, "geometry": SQUARE}
    collection = {"type": "FeatureCollection", "features": [feature]}
    for given_area in (SQUARE, feature, collection):
        area = read_area(json.dumps(given_area))
        assert area["type"] == "Polygon"
        assert bounds(area) == pytest.approx((42.33, 20.38, 42.43, 20.48))
    assert read_area(SQUARE) == read_area("\ufeff" + json.dumps(SQUARE))


def test_several_polygons_become_one_area_and_elevations_go() -> None:
    high = [[[x, y, 500.0] for x, y in square(42.6)["coordinates"][0]]]
    area = read_area(json.dumps({"type": "MultiPolygon", "coordinates": [SQUARE["coordinates"], high]}))
    assert area["type"] == "MultiPolygon"
    assert all(len(point) == 2 for polygon in area["coordinates"] for ring in polygon for point in ring)


def test_the_size_and_the_outline_are_drawn() -> None:
    assert square_kilometres(SQUARE) == pytest.approx(91, rel=0.03)
    path, width, height = outline_path(SQUARE)
    assert path.startswith("M") and path.endswith("Z") and 0 < width < height <= 320


BOW_TIE = {"type": "Polygon", "coordinates": [[[20.0, 42.0], [21.0, 43.0], [21.0, 42.0], [20.0, 43.0], [20.0, 42.0]]]}


@pytest.mark.parametrize(
    ("area", "words"),
    [
        (BOW_TIE, "crosses"),
        ({"type": "Polygon", "coordinates": [[[20, 42], [21, 42], [21, 43], [20, 43]]]}, "not closed"),
        ({"type": "Polygon", "coordinates": [[[20, 42], [21, 42], [20, 42]]]}, "at least three"),
        ({"type": "Polygon", "coordinates": [[[20, 42], [21, 142], [21, 43], [20, 42]]]}, "off the globe"),
        ({"type": "Polygon", "coordinates": [[["20", 42], [21, 42], [21, 43], ["20", 42]]]}, "longitude, latitude"),
        ({"type": "Point", "coordinates": [20, 42]}, "no polygon"),
        ({"type": "Polygon", "coordinates": [[[20, 42], [20.00001, 42], [20.00001, 42.00001], [20, 42]]]}, "too small"),
        ({"type": "FeatureCollection", "features": 3}, "not GeoJSON"),
        ([1, 2], "not GeoJSON"),
    ],
)
def test_what_is_wrong_is_told(area: object, words: str) -> None:
    with pytest.raises(AreaError, match=words):
        read_area(json.dumps(area))


@pytest.mark.parametrize("text", ["", "POLYGON((1 2))", "{", '{"type": NaN}', "[" * 5000, "x" * 1_000_000])
def test_what_is_no_geojson_is_told(text: str) -> None:
    with pytest.raises(AreaError):
        read_area(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.sampled_from(["Polygon", "Feature"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["type", "coordinates", "geometry", "features"]), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(JSON)
def test_nothing_else_than_a_sentence_comes_of_nonsense(data: object) -> None:
    with contextlib.suppress(AreaError):
        assert read_area(json.dumps(data))["type"] in ("Polygon", "MultiPolygon")
