"""What a resident may draw, and how much of it is kept."""

from __future__ import annotations

import math

import pytest
import shapely
from shapely.geometry import shape

from commonbeat.alerts.actions.subscribing import SubscribeError, Where, subscribe
from commonbeat.alerts.drawn_areas import DrawnError, checked, outline_of
from commonbeat.alerts.models import Subscription
from tests.make import LATITUDE, LONGITUDE, NOW, make_beat, make_contact

pytestmark = pytest.mark.django_db
LON, LAT = LONGITUDE, LATITUDE
SQUARE = [(LON, LAT), (LON + 0.01, LAT), (LON + 0.01, LAT + 0.01), (LON, LAT + 0.01)]


def ring(number: int, *, radius: float = 0.02) -> list[tuple[float, float]]:
    turns = [2 * math.pi * step / number for step in range(number)]
    return [(LON + radius * math.cos(turn), LAT + radius * math.sin(turn)) for turn in turns]


def test_corners_are_kept_to_a_hundred_metres() -> None:
    kept = checked([(LON + 0.00037, LAT - 0.00041), (LON + 0.0101, LAT), (LON + 0.0052, LAT + 0.0098)])
    for lon, lat in kept["coordinates"][0]:
        assert (round(lon, 3), round(lat, 3)) == (lon, lat)
    assert shape(kept).is_valid


def test_sixty_corners_may_be_and_sixty_one_not() -> None:
    assert shape(checked(ring(60))).area > 0
    with pytest.raises(DrawnError, match="more than 60 corners"):
        checked(ring(61))
    with pytest.raises(DrawnError, match="more than 60 corners"):
        outline_of({"type": "Polygon", "coordinates": [[[0, 0]] * 10_000]})


def test_what_touches_itself_once_it_is_rounded_stays_an_area() -> None:
    # A bay of 20 metres closes; what is kept is valid, and no line of no width.
    bay = [(0, 0), (0.01, 0), (0.01, 0.005), (0.002, 0.0051), (0.002, 0.0053), (0.01, 0.0054), (0.01, 0.01), (0, 0.01)]
    kept = shape(checked([(LON + x, LAT + y) for x, y in bay]))
    assert kept.is_valid
    assert kept.area == pytest.approx(1e-4, rel=0.05)


@pytest.mark.parametrize(
    ("outline", "sentence"),
    [
        ([], "at least three corners"),
        (SQUARE[:2], "at least three corners"),
        ([SQUARE[0], SQUARE[1], SQUARE[3], SQUARE[2]], "crosses or touches itself"),
        ([SQUARE[0], SQUARE[0], SQUARE[0]], "too small"),
        ([(LON, LAT), (LON + 0.01, LAT), (LON + 0.02, LAT)], "too small"),
        # Smaller than what is told apart: one house.
        ([(LON, LAT), (LON + 0.0002, LAT), (LON + 0.0002, LAT + 0.0002)], "too small"),
        ([(LON, 89.0), *SQUARE], "off the map"),
        ([(float("nan"), LAT), *SQUARE[1:]], "off the map"),
        ([(LON, float("inf")), *SQUARE[1:]], "off the map"),
        ([(1e300, LAT), *SQUARE[1:]], "off the map"),
        ([(LON, LAT), (LON + 5, LAT), (LON, LAT + 0.01)], "reaches too far away"),
        ([(LON + 100 + x, LAT + y) for x, y in ((0, 0), (0.1, 0), (0, 0.1))], "reaches too far away"),
    ],
)
def test_what_is_no_area_is_told_so(outline, sentence: str) -> None:
    with pytest.raises(DrawnError, match=sentence):
        checked(outline)


def test_larger_than_the_largest_circle_is_too_large() -> None:
    # Beats of a country, so that all of it lies where the site is.
    make_beat(half=2.0)
    far = [(LON - 1.8, LAT - 1.8), (LON + 1.8, LAT - 1.8), (LON + 1.8, LAT + 1.8), (LON - 1.8, LAT + 1.8)]
    with pytest.raises(DrawnError, match="too large"):
        checked(far)
    assert checked([(LON, LAT), *far[2:]])


def test_where_the_site_is_is_where_its_beats_are() -> None:
    near = [(LON + 0.5 + x, LAT + y) for x, y in ((0, 0), (0.1, 0), (0, 0.1))]
    assert checked(near)
    make_beat(longitude=LON + 90)
    with pytest.raises(DrawnError, match="reaches too far away"):
        checked(near)


def test_an_area_over_the_antimeridian_is_held_in_two_parts() -> None:
    make_beat(latitude=-17.0, longitude=179.9, half=0.05)
    for turn in (0, -360):
        kept = checked([(179.9 + turn, -17.0), (180.1 + turn, -17.0), (180.1 + turn, -16.9), (179.9 + turn, -16.9)])
        assert kept["type"] == "MultiPolygon"
        assert shapely.box(-180, -90, 180, 90).covers(shape(kept))


@pytest.mark.parametrize(
    "geojson",
    [
        None, [], 5, "Polygon", {}, {"type": "Polygon"}, {"type": "Polygon", "coordinates": {}},
        {"type": "Polygon", "coordinates": []}, {"type": "Polygon", "coordinates": [[[1]]]},
        {"type": "Polygon", "coordinates": [[[1, 2, 3]]]}, {"type": "Polygon", "coordinates": [["x"]]},
        {"type": "Polygon", "coordinates": [[[None, 2]]]}, {"type": "Polygon", "coordinates": [[[10**400, 2]]]},
        {"type": "Polygon", "coordinates": [5]}, {"type": "Polygon", "coordinates": [SQUARE, SQUARE]},
        {"type": "MultiPolygon", "coordinates": [[SQUARE]]}, {"type": "Point", "coordinates": [1, 2]},
    ],
)  # fmt: skip
def test_what_is_no_outline_is_told_so(geojson) -> None:
    with pytest.raises(DrawnError, match="Draw one area"):
        outline_of(geojson)


def test_the_first_corner_may_stand_at_the_end_again() -> None:
    closed = {"type": "Polygon", "coordinates": [[*SQUARE, SQUARE[0]]]}
    assert outline_of(closed) == tuple(SQUARE) == outline_of({"type": "Polygon", "coordinates": [SQUARE]})


def test_what_cannot_be_is_not_stored_and_the_same_area_is_the_same_subscription() -> None:
    contact = make_contact()
    bowtie = {"type": "Polygon", "coordinates": [[SQUARE[0], SQUARE[1], SQUARE[3], SQUARE[2], SQUARE[0]]]}
    with pytest.raises(SubscribeError, match="crosses") as refused:
        subscribe(contact=contact, where=Where(area=bowtie), language="en", is_confirmed=True, now=NOW)
    assert refused.value.field == "area"
    assert not Subscription.objects.exists()
    for language in ("en", "sq"):
        area = {"type": "Polygon", "coordinates": [SQUARE]}
        subscribe(contact=contact, where=Where(area=area), language=language, is_confirmed=True, now=NOW)
    assert Subscription.objects.get().language == "sq"
