"""The recipients of an area are those of exact geometry: nobody is missed, nobody is extra."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import MultiPolygon, Polygon

from commonbeat.alerts import drawn_areas, matching
from commonbeat.alerts.drawn_areas import DrawnError, checked
from commonbeat.alerts.geometry import make_area
from commonbeat.alerts.matching import (
    ALL,
    AREA,
    BEAT,
    POINT,
    Subscriptions,
    first_of_each,
    measures,
    places_near,
    recipients,
    touching,
)

FIELDS: dict[str, Any] = {
    "kinds": np.uint32, "least": np.uint8, "languages": np.uint8, "channels": np.uint8,
    "quiet_from": np.int16, "quiet_to": np.int16, "beats": np.int32,
}  # fmt: skip


def brute_force(area, latitudes, longitudes, radii) -> list[int]:
    """Compare exact squares of distances, edge by edge, in rational numbers."""
    met = []
    east_m, north_m = measures(np.asarray(latitudes, float))
    for i, (lat, lon, radius) in enumerate(zip(latitudes, longitudes, radii, strict=True)):
        for turn in (-360, 0, 360):
            x0, y0 = Fraction(float(lon)) + turn, Fraction(float(lat))
            if contains(area, x0, y0) or any(
                square_to(edge, x0, y0, Fraction(float(east_m[i])), Fraction(float(north_m[i])))
                <= Fraction(float(radius)) ** 2
                for edge in edges_of(area)
            ):
                met.append(i)
                break
    return met


def edges_of(area):
    for polygon in shapely.get_parts(area):
        for ring in (polygon.exterior, *polygon.interiors):
            corners = [(Fraction(x), Fraction(y)) for x, y in ring.coords]
            yield from pairwise(corners)


def contains(area, x, y) -> bool:
    """Count the edges that a ray to the east crosses; edges themselves are told by their distance of 0."""
    inside = False
    for (ax, ay), (bx, by) in edges_of(area):
        if (ay > y) != (by > y) and x < ax + (y - ay) * (bx - ax) / (by - ay):
            inside = not inside
    return inside


def square_to(edge, x0, y0, east, north) -> Fraction:
    (ax, ay), (bx, by) = edge
    ax, ay, bx, by = (ax - x0) * east, (ay - y0) * north, (bx - x0) * east, (by - y0) * north
    dx, dy = bx - ax, by - ay
    length = dx * dx + dy * dy
    t = min(Fraction(1), max(Fraction(0), -(ax * dx + ay * dy) / length)) if length else Fraction(0)
    x, y = ax + t * dx, ay + t * dy
    return Fraction(x * x + y * y)


def brute_touching(area, outline) -> bool:
    """Tell in rational numbers whether two areas share a point: an edge meets an edge, or one lies in the other."""
    theirs = list(edges_of(outline))
    for turn in (-360, 0, 360):
        mine = [((ax + turn, ay), (bx + turn, by)) for (ax, ay), (bx, by) in edges_of(area)]
        if any(cross(one, other) for one in mine for other in theirs):
            return True
        # Where no edges meet, each part of one lies wholly in the other or wholly outside of it.
        if any(contains(outline, *one[0]) for one in mine) or any(
            contains(area, one[0][0] - turn, one[0][1]) for one in theirs
        ):
            return True
    return False


def cross(one, other) -> bool:
    """Tell exactly whether two straight edges share a point."""
    (a, b), (c, d) = one, other

    def side(p, q, r):
        turn = (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])
        return (turn > 0) - (turn < 0)

    def lies_on(p, q, r) -> bool:
        """Tell whether r, of the same line, is between p and q."""
        low, high = [min(p[i], q[i]) for i in (0, 1)], [max(p[i], q[i]) for i in (0, 1)]
        return bool(low[0] <= r[0] <= high[0] and low[1] <= r[1] <= high[1])

    sides = side(a, b, c), side(a, b, d), side(c, d, a), side(c, d, b)
    if sides[0] != sides[1] and sides[2] != sides[3]:
        return True
    corners = ((a, b, c), (a, b, d), (c, d, a), (c, d, b))
    return any(s == 0 and lies_on(*three) for s, three in zip(sides, corners, strict=True))


# Thousandths of a degree, as places are kept, in a window of 0.2°, so that much is on edges, corners and radii.
grid = st.integers(-100, 100)
radius = st.sampled_from([100, 111, 500, 1_000, 2_000, 5_000, 12_345])


@st.composite
def areas(draw):
    """Draw an area of a few shapes, some with holes, some that touch, at some place of the globe, or over its edge."""
    lat0 = draw(st.sampled_from([0.0, 42.38, -33.9, 69.0, 84.0]))
    lon0 = draw(st.sampled_from([20.43, 179.95, -179.98, 0.0]))
    polygons = []
    for _ in range(draw(st.integers(1, 3))):
        corners = draw(st.lists(st.tuples(grid, grid), min_size=3, max_size=9, unique=True))
        middle = (sum(x for x, _ in corners) / len(corners), sum(y for _, y in corners) / len(corners))
        around = sorted(corners, key=lambda p: np.arctan2(p[1] - middle[1], p[0] - middle[0]))
        polygons.append([[lon0 + x / 1_000, lat0 + y / 1_000] for x, y in [*around, around[0]]])
    hole = draw(st.booleans())
    try:
        area = make_area(polygons=[{"type": "Polygon", "coordinates": [ring]} for ring in polygons])
    except ValueError:
        area = make_area(circles=[(lat0, lon0, 3_000)])
    geometry = shapely.geometry.shape(area.geojson)
    if hole:
        cut = geometry.difference(shapely.box(lon0 - 0.01, lat0 - 0.01, lon0 + 0.02, lat0 + 0.01))
        if not cut.is_empty and isinstance(cut, Polygon | MultiPolygon):
            geometry = cut
    return geometry, lat0, lon0


@st.composite
def drawn_by_residents(draw, lat0, lon0):
    """Draw what a resident may have: an outline as it is stored, near the edges and corners of the area."""
    corners = draw(st.lists(st.tuples(grid, grid), min_size=3, max_size=7, unique=True))
    east, north = draw(st.tuples(st.sampled_from([-150, 0, 150]), st.sampled_from([-150, 0, 150])))
    middle = (sum(x for x, _ in corners) / len(corners), sum(y for _, y in corners) / len(corners))
    around = sorted(corners, key=lambda p: np.arctan2(p[1] - middle[1], p[0] - middle[0]))
    outline = [(lon0 + (x + east) / 1_000, lat0 + (y + north) / 1_000) for x, y in around]
    try:
        return shapely.geometry.shape(checked(outline))
    except DrawnError:
        return shapely.geometry.shape(checked(triangle(lat0, lon0)))


def triangle(lat0, lon0):
    """Give an outline that nothing is wrong with."""
    return [(lon0, lat0), (lon0 + 0.02, lat0), (lon0 + 0.02, lat0 + 0.03)]


@given(data=st.data(), drawn=areas())
def test_drawn_areas_are_met_as_exact_geometry_says(data, drawn) -> None:
    area, lat0, lon0 = drawn
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drawn_areas, "_ground", lambda: (-85.0, -720.0, 85.0, 720.0))
        outlines = data.draw(st.lists(drawn_by_residents(lat0, lon0), min_size=1, max_size=6))
    number = len(outlines)
    some = subscriptions(
        shapes=[AREA] * number + [POINT], latitudes=[np.nan] * number + [lat0 - 60 if lat0 > 0 else lat0 + 60],
        longitudes=[np.nan] * number + [lon0 + 3], radii=[np.nan] * number + [100],
        areas=dict(enumerate(outlines, 1)),
    )  # fmt: skip
    expected = [at for at, outline in enumerate(outlines) if brute_touching(area, outline)]
    assert recipients(some, area, kind=0, rank=0).tolist() == expected


def turned(longitude: float) -> float:
    return (longitude + 180) % 360 - 180


@given(drawn=areas(), places=st.lists(st.tuples(grid, grid, radius), min_size=1, max_size=40), is_rough=st.booleans())
def test_the_result_is_that_of_exact_geometry(drawn, places, is_rough) -> None:
    area, lat0, lon0 = drawn
    latitudes = np.array([round(lat0 + 2 * y / 1_000, 3) for _, y, _ in places])
    longitudes = np.array([round(turned(lon0 + 2 * x / 1_000), 3) for x, _, _ in places])
    radii = np.array([r for _, _, r in places], np.float32)
    with pytest.MonkeyPatch.context() as patch:
        if is_rough:
            # The ways of a million subscriptions, for a few.
            patch.setattr(matching, "_EXACT_AT_MOST", 0)
            patch.setattr(matching, "_GRID_FROM", 0)
            patch.setattr(matching, "_FEW_RADII", 2)
            patch.setattr(matching, "_AT_ONCE", 7)
        found = places_near(area, latitudes, longitudes, radii)
    assert found.tolist() == brute_force(area, latitudes, longitudes, radii)


@pytest.mark.parametrize("seed", range(3))
def test_many_places_are_found_as_few_are(seed: int, monkeypatch) -> None:
    chance = np.random.default_rng(seed)
    latitudes = np.round(chance.normal(42.4, 0.4, 60_000), 3)
    longitudes = np.round(chance.normal(20.4, 0.5, 60_000), 3)
    radii = chance.choice([100, 500, 2_000, 9_999] if seed else range(100, 9_000), 60_000).astype(np.float32)
    turns = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    far = 0.4 * (1 + 0.3 * np.sin(7 * turns + seed))
    hole = [(20.4 + 0.1 * np.cos(t), 42.4 + 0.1 * np.sin(t)) for t in turns]
    area = Polygon(np.column_stack([20.4 + far * np.cos(turns), 42.4 + far * np.sin(turns)]), [hole])
    found = places_near(area, latitudes, longitudes, radii)
    monkeypatch.setattr(matching, "_EXACT_AT_MOST", 10**12)
    monkeypatch.setattr(matching, "_GRID_FROM", 10**12)
    assert found.tolist() == places_near(area, latitudes, longitudes, radii).tolist()
    assert 10_000 < len(found) < 60_000


def test_a_radius_that_just_reaches_the_edge_counts() -> None:
    area = shapely.box(20.0, 42.0, 20.1, 42.1)
    # 1° of latitude at 42.2°: the place lies 0.1° north of the edge.
    _, north_m = measures(np.array([42.2]))
    reach = float(north_m[0]) * 0.1
    near, far = np.float32(reach + 1), np.float32(reach - 1)
    assert places_near(area, np.full(2, 42.2), np.full(2, 20.05), np.array([near, far])).tolist() == [0]


def test_a_place_in_a_hole_is_as_far_as_its_edge() -> None:
    area = shapely.box(20.0, 42.0, 20.4, 42.4).difference(shapely.box(20.1, 42.1, 20.3, 42.3))
    reach = np.array([5_000, 12_000], np.float32)
    assert places_near(area, np.full(2, 42.2), np.full(2, 20.2), reach).tolist() == [1]


def test_a_place_beyond_the_antimeridian_is_near() -> None:
    area = shapely.geometry.shape(make_area(circles=[(-17.0, 179.99, 3_000)]).geojson)
    assert area.geom_type == "MultiPolygon"
    longitudes = np.array([179.95, -179.96, -179.8, 0.0])
    assert places_near(area, np.full(4, -17.0), longitudes, np.full(4, 3_000, np.float32)).tolist() == [0, 1]


def test_nothing_is_found_where_there_is_nothing() -> None:
    none = np.empty(0)
    assert places_near(shapely.box(0, 0, 1, 1), none, none, none.astype(np.float32)).size == 0
    assert places_near(Polygon(), np.zeros(1), np.zeros(1), np.ones(1, np.float32)).size == 0


def test_areas_that_only_touch_count() -> None:
    area = shapely.box(20.0, 42.0, 20.1, 42.1)
    outlines = [
        shapely.box(20.1, 42.0, 20.2, 42.1),
        shapely.box(20.1, 42.1, 20.2, 42.2),
        shapely.box(20.101, 42.0, 20.2, 42.1),
    ]
    assert touching(area, outlines).tolist() == [True, True, False]


def test_areas_meet_across_the_antimeridian() -> None:
    assert touching(shapely.box(179.0, 0, 180.0, 1), [shapely.box(-180.0, 0, -179.0, 1)]).tolist() == [True]


def subscriptions(**columns: Any) -> Subscriptions:
    number = len(columns["shapes"])
    defaults: dict[str, Any] = {name: np.zeros(number, kind) for name, kind in FIELDS.items()}
    defaults |= {
        "ids": np.arange(1, number + 1),
        "contacts": np.arange(1, number + 1) * 10,
        "latitudes": np.full(number, np.nan),
        "longitudes": np.full(number, np.nan),
        "radii": np.full(number, np.nan, np.float32),
    }
    areas = columns.pop("areas", {})
    given = {name: np.asarray(value, getattr(defaults.get(name), "dtype", None)) for name, value in columns.items()}
    return Subscriptions(**(defaults | given), areas=areas)


def test_each_shape_is_matched_in_its_way() -> None:
    area = shapely.box(20.0, 42.0, 20.1, 42.1)
    some = subscriptions(
        shapes=[POINT, ALL, BEAT, BEAT, AREA, AREA, POINT],
        latitudes=[42.05, np.nan, np.nan, np.nan, np.nan, np.nan, 43.0],
        longitudes=[20.05, np.nan, np.nan, np.nan, np.nan, np.nan, 20.0],
        radii=[100, np.nan, np.nan, np.nan, np.nan, np.nan, 100],
        beats=[0, 0, 7, 8, 0, 0, 0],
        areas={5: shapely.box(20.1, 42.1, 21, 43), 6: shapely.box(22, 42.1, 23, 43)},
    )
    assert recipients(some, area, kind=0, rank=0, beats={7}).tolist() == [0, 1, 2, 4]


def test_kinds_and_severity_are_asked() -> None:
    some = subscriptions(shapes=[ALL] * 4, kinds=[0, 0b10, 0b01, 0], least=[0, 0, 0, 3])
    assert recipients(some, shapely.box(0, 0, 1, 1), kind=1, rank=2).tolist() == [0, 1]
    assert recipients(some, shapely.box(0, 0, 1, 1), kind=0, rank=3).tolist() == [0, 2, 3]


def test_a_person_with_several_places_is_told_once_and_as_soon_as_one_place_allows() -> None:
    contacts = np.array([5, 3, 5, 3, 4])
    due = np.array([10, 20, 9, 30, 1])
    assert first_of_each(contacts, due).tolist() == [1, 4, 2]
