"""Sums from arrays are the sums that anybody would make, for every tile and filter."""

from __future__ import annotations

from collections import Counter

import h3.api.basic_int as h3
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonbeat.foundation import cells
from commonbeat.maps import heat, mvt, tiling
from commonbeat.maps.arrays import Filter, Kept, Sums, TopicBuckets, together
from commonbeat.maps.making import BucketRow, changed
from commonbeat.maps.outlines import Outlines, ring_of
from commonbeat.maps.shapes import shapes_on
from tests.maps.brute import EVERYTHING, layers, made_of, sums_of

TOWN = st.tuples(st.floats(42.3, 42.5), st.floats(20.3, 20.6))
ANYWHERE = st.tuples(st.floats(-90, 90), st.floats(-180, 180))
EDGES = st.sampled_from([(90.0, 0.0), (-90.0, 0.0), (10.0, 180.0), (-10.0, -180.0), (58.28, 11.25)])
PLACES = st.one_of(TOWN, TOWN, ANYWHERE, EDGES)
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["", "lamp", "dump", "*"]),
        st.one_of(
            st.tuples(PLACES, st.sampled_from([4, 8, 10, 11])).map(lambda p: cells.cell_of(*p[0], p[1])), st.just(0)
        ),
        st.integers(19_000, 19_040),
        st.sampled_from([1, 2, 5, 127, 128, 1000]),
        st.sampled_from([1, 1, 2, 127, 130, 1000]),
    ).map(lambda row: (*row[:4], min(row[3:]))),
    max_size=40,
)
FILTERS = st.builds(
    Filter,
    st.sampled_from(["", "", "lamp", "dump", "unknown"]),
    st.one_of(st.none(), st.integers(18_990, 19_045)),
    st.one_of(st.none(), st.integers(18_990, 19_045)),
)


def tile_of(point: tuple[float, float], zoom: int) -> tuple[int, int]:
    size = 1 << zoom
    x, y = tiling.mercator_x(point[1]), tiling.mercator_y(point[0])
    return min(size - 1, int(x * size)), min(size - 1, int(y * size))


def touches(cell: int, zoom: int, x: int, y: int) -> bool:
    """Tell whether the box around a cell touches a tile; the world goes on beyond the date line."""
    size = 1 << zoom
    ring = ring_of(cell)
    xs, ys = [px * size - x for px, _ in ring], [py * size - y for _, py in ring]
    return (
        max(ys) > 0
        and min(ys) < 1
        and max(ys) > min(ys)
        and any(max(xs) + shift > 0 and min(xs) + shift < 1 for shift in (-size, 0, size))
    )


def expected(
    rows: list[BucketRow], zoom: int, x: int, y: int, wanted: Filter, *, of_sources: bool = False
) -> Counter[int]:
    sums = sums_of(rows, tiling.display_resolution(zoom), wanted, of_sources=of_sources)
    return Counter({cell: n for cell, n in sums.items() if touches(cell, zoom, x, y)})


def drawn(
    buckets: TopicBuckets, zoom: int, x: int, y: int, wanted: Filter, *, of_sources: bool = False
) -> Counter[int]:
    sums = buckets.sums(zoom, x, y, wanted, Kept(), of_sources=of_sources)
    shapes = shapes_on(sums, zoom, x, y, Outlines())
    return Counter(dict(zip(shapes.cells.tolist(), shapes.n.tolist(), strict=True)))


@given(rows=ROWS, point=PLACES, zoom=st.integers(0, 20), wanted=FILTERS, of_sources=st.booleans())
def test_a_tile_is_the_sum_of_its_buckets(
    rows: list[BucketRow], point: tuple[float, float], zoom: int, wanted: Filter, of_sources: bool
) -> None:
    x, y = tile_of(point, zoom)
    found = drawn(made_of(rows), zoom, x, y, wanted, of_sources=of_sources)
    assert found == expected(rows, zoom, x, y, wanted, of_sources=of_sources)


@given(
    first=ROWS,
    second=ROWS,
    taken=st.integers(0, 40),
    point=PLACES,
    zoom=st.integers(0, 20),
    wanted=FILTERS,
    of_sources=st.booleans(),
)
def test_changes_count_as_if_they_had_always_been_there(
    first: list[BucketRow],
    second: list[BucketRow],
    taken: int,
    point: tuple[float, float],
    zoom: int,
    wanted: Filter,
    of_sources: bool,
) -> None:
    x, y = tile_of(point, zoom)
    gone = [(category, cell, period, -n, -sources) for category, cell, period, n, sources in first[:taken]]
    buckets = changed(changed(made_of(first), second, 1), gone, 2)
    assert buckets.number == 2
    rows = first[taken:] + second
    found = drawn(buckets, zoom, x, y, wanted, of_sources=of_sources)
    assert found == expected(rows, zoom, x, y, wanted, of_sources=of_sources)
    assert buckets.first == min((row[2] for row in rows if row[1]), default=None)


def test_many_changes_are_merged_into_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("commonbeat.maps.making._MOST_CHANGES", 3)
    near = cells.near(42.38, 20.43, 400, 10)
    rows: list[BucketRow] = [("lamp", cell, 19_000, 1, 1) for cell in near]
    buckets = TopicBuckets()
    for number, row in enumerate(rows):
        buckets = changed(buckets, [row], number)
    assert sum(map(len, buckets.changes)) <= 3
    assert len(buckets) == len(rows)
    x, y = tile_of((42.38, 20.43), 12)
    assert drawn(buckets, 12, x, y, EVERYTHING) == expected(rows, 12, x, y, EVERYTHING)


def test_kept_sums_are_of_their_filter_and_their_state() -> None:
    cell = cells.cell_of(42.38, 20.43, 10)
    rows: list[BucketRow] = [("lamp", cell, 19_000, 3, 3), ("dump", cell, 19_001, 4, 2)]
    buckets, kept = made_of(rows), Kept()
    for _ in range(2):
        assert buckets.sums(0, 0, 0, EVERYTHING, kept).n.tolist() == [7]
        assert buckets.sums(0, 0, 0, Filter("dump"), kept).n.tolist() == [4]
        assert buckets.sums(0, 0, 0, EVERYTHING, kept, of_sources=True).n.tolist() == [5]
    other = made_of([*rows, ("dump", cell, 19_001, 1, 1)])
    kept.forget(other.groups)
    assert other.sums(0, 0, 0, Filter("dump"), kept).n.tolist() == [5]


def test_a_thousand_categories_do_no_harm() -> None:
    cell = cells.cell_of(42.38, 20.43, 10)
    buckets = made_of([(f"category-{index}", cell, 19_000, 1, 1) for index in range(1_000)])
    assert buckets.sums(0, 0, 0, EVERYTHING, Kept()).n.tolist() == [1_000]
    assert buckets.sums(0, 0, 0, Filter("category-7"), Kept()).n.tolist() == [1]


def test_every_report_is_drawn_once_at_every_zoom() -> None:
    rows: list[BucketRow] = [("lamp", cell, 19_000, 1, 1) for cell in cells.near(42.38, 20.43, 900, 11)]
    buckets, outlines = made_of(rows), Outlines()
    for zoom in (0, 2, 5, 8, 11, 13):
        middle = tile_of((42.38, 20.43), zoom)
        found: dict[int, int] = {}
        for x in range(middle[0] - 3, middle[0] + 4):
            for y in range(middle[1] - 3, middle[1] + 4):
                if tiling.is_tile(zoom, x, y):
                    shapes = shapes_on(buckets.sums(zoom, x, y, EVERYTHING, Kept()), zoom, x, y, outlines)
                    found |= dict(zip(shapes.cells.tolist(), shapes.n.tolist(), strict=True))
        assert sum(found.values()) == len(rows), zoom


@given(rows=ROWS, point=PLACES, zoom=st.integers(0, 20))
def test_vector_tiles_say_what_is_drawn(rows: list[BucketRow], point: tuple[float, float], zoom: int) -> None:
    x, y = tile_of(point, zoom)
    shapes = shapes_on(made_of(rows).sums(zoom, x, y, EVERYTHING, Kept()), zoom, x, y, Outlines())
    found = layers(mvt.cells_layer(shapes)).get("cells", [])
    assert {feature["id"]: feature["n"] for feature in found} == expected(rows, zoom, x, y, EVERYTHING)
    for feature in found:
        assert feature["resolution"] == cells.resolution_of(feature["id"])
        size = 1 << zoom
        ring = [((px * size - x) * 4096, (py * size - y) * 4096) for px, py in ring_of(feature["id"])]
        assert len(feature["points"]) == len(ring)
        for (ax, ay), (bx, by) in zip(feature["points"], ring, strict=True):
            assert abs(ay - by) <= 1
            assert min(abs(ax - bx - shift * size * 4096) for shift in (-1, 0, 1)) <= 1


def test_pentagons_are_drawn_with_five_corners() -> None:
    pentagon = int(h3.get_pentagons(8)[3])
    point = cells.centre(pentagon)
    x, y = tile_of(point, 11)
    shapes = shapes_on(made_of([("", pentagon, 19_000, 4, 4)]).sums(11, x, y, EVERYTHING, Kept()), 11, x, y, Outlines())
    (feature,) = layers(mvt.cells_layer(shapes))["cells"]
    assert (len(feature["points"]), feature["n"]) == (len(ring_of(pentagon)), 4)
    assert heat.picture(shapes).startswith(b"\x89PNG")


def test_pins_are_points_with_their_codes() -> None:
    pins = [mvt.Pin(0.5, 0.25, "abc", "lamps", "dark"), mvt.Pin(0.0, 0.999, "def", "lamps", "")]
    first, second = layers(mvt.pins_layer(pins))["pins"]
    assert (first["code"], first["topic"], first["category"], first["points"]) == (
        "abc",
        "lamps",
        "dark",
        [(2048, 1024)],
    )
    assert (second["code"], second["category"], second["points"]) == ("def", "", [(0, 4092)])


def test_heat_has_a_colour_for_each_class() -> None:
    assert [heat.class_of(n) for n in (1, 2, 3, 9, 10, 2_999, 3_000, 10**9)] == [0, 0, 1, 1, 2, 6, 7, 7]
    assert len(heat.CLASSES) == len(heat.COLOURS)


def test_a_picture_shows_the_cell_where_it_is() -> None:
    from io import BytesIO

    from PIL import Image

    cell = cells.cell_of(42.38, 20.43, 9)
    x, y = tile_of(cells.centre(cell), 13)
    shapes = shapes_on(made_of([("", cell, 19_000, 50, 50)]).sums(13, x, y, EVERYTHING, Kept()), 13, x, y, Outlines())
    image = Image.open(BytesIO(heat.picture(shapes))).convert("RGBA")
    latitude, longitude = cells.centre(cell)
    at = (
        int((tiling.mercator_x(longitude) * (1 << 13) - x) * 256),
        int((tiling.mercator_y(latitude) * (1 << 13) - y) * 256),
    )
    assert image.size == (256, 256)
    pixels = np.asarray(image)
    assert "#{:02x}{:02x}{:02x}".format(*tuple(pixels[at[1], at[0], :3])) == heat.COLOURS[heat.class_of(50)]
    painted = int((pixels[:, :, 3] > 0).sum())
    assert 50 < painted < 3_000
    assert Image.open(BytesIO(heat.empty_picture())).convert("RGBA").getextrema()[3] == (0, 0)


def test_sums_of_several_topics_are_added() -> None:
    one = Sums(np.array([5, 3]), np.array([1, 2]))
    other = Sums(np.array([3, 9]), np.array([4, -1]))
    both = together([one, other])
    assert (both.cells.tolist(), both.n.tolist()) == ([3, 5], [6, 1])
