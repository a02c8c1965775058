"""The map underneath: map files and vector tiles are read, whatever is in them."""

from __future__ import annotations

import contextlib
import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import commonbeat
from commonbeat.maps import basemap
from commonbeat.maps.basemap import Ground
from commonbeat.maps.basemap_file import open_map, tile_id
from commonbeat.maps.basemap_style import EARTH, LAYERS, SEA, width_at
from commonbeat.maps.picture_view import view_of
from commonbeat.maps.varint_read import Damaged, numbers
from commonbeat.maps.varints import encoded, field, one, zigzag
from commonbeat.maps.vector_read import POLYGON, read_tile

SOURCE = Path(commonbeat.__file__).parent
WORLD = SOURCE / "web/static/vendor/world.pmtiles"
TOWN = SOURCE / "cli/demo/town.pmtiles"


def tile_of(rings: list[list[tuple[int, int]]], layer: str = "earth", **texts: str) -> bytes:
    """Write a tile with one polygon."""
    geometry, last = b"", np.zeros(2, np.int64)
    for ring in rings:
        steps = zigzag(np.diff(np.array([tuple(last), *ring], np.int64), axis=0).astype(np.int64))
        geometry += one(9) + encoded(steps[:1]) + one((len(ring) - 1) << 3 | 2) + encoded(steps[1:]) + one(15)
        last = np.array(ring[-1], np.int64)
    tags = b"".join(one(at) + one(at) for at in range(len(texts)))
    feature = field(2, tags) + one(3 << 3) + one(3) + field(4, geometry)
    table = b"".join(field(3, key.encode()) for key in texts)
    table += b"".join(field(4, field(1, text.encode())) for text in texts.values())
    return field(3, field(1, layer.encode()) + field(2, feature) + table + one(5 << 3) + one(4096))


def map_file(path: Path, tile: bytes) -> Path:
    """Write a map file whose one tile is the whole world."""
    directory = gzip.compress(one(1) + one(0) + one(1) + one(len(tile)) + one(1))
    ends = (127, len(directory), 127 + len(directory), 0, 0, 0, 127 + len(directory), len(tile), 1, 1, 1)
    head = b"PMTiles\x03" + b"".join(value.to_bytes(8, "little") for value in ends) + bytes([1, 2, 1, 1, 0, 0])
    head += b"".join(int(v * 1e7).to_bytes(4, "little", signed=True) for v in (-180, -85, 180, 85))
    path.write_bytes(head + bytes(127 - len(head)) + directory + tile)
    return path


def painted(path: Path, size: int = 320) -> Image.Image:
    view = view_of(0, 0, 0, size, size)
    image = Image.new("RGB", (size * 2, size * 2))
    basemap.paint(image, Ground().shown([path], view), view, 2, 0)
    return image.reduce(2)


def colour(image: Image.Image, place: tuple[int, int]) -> str:
    pixel = image.getpixel(place)
    assert isinstance(pixel, tuple)
    return "#" + "".join(f"{value:02x}" for value in pixel)


@given(st.lists(st.integers(0, 2**63 - 1), max_size=50))
def test_numbers_are_read_as_they_were_written(values: list[int]) -> None:
    data = encoded(np.array(values, np.uint64))
    assert numbers(data)[0].tolist() == values
    if data and values[-1] >= 128:
        with pytest.raises(Damaged):
            numbers(data[:-1])


def test_tiles_lie_along_the_curve() -> None:
    # The first ones as the specification lists them.
    assert [tile_id(*at) for at in ((0, 0, 0), (1, 0, 0), (1, 0, 1), (1, 1, 1), (1, 1, 0), (2, 0, 0))] == list(range(6))
    ids = {tile_id(5, x, y) for x in range(32) for y in range(32)}
    first = (4**5 - 1) // 3
    assert ids == set(range(first, first + 4**5))


def test_the_packaged_world_holds_every_tile_of_its_first_zooms() -> None:
    world = open_map(WORLD)
    assert world.attribution() == "Natural Earth"
    for zoom in range(3):
        for x in range(1 << zoom):
            for y in range(1 << zoom):
                assert "earth" in read_tile(world.tile(zoom, x, y), LAYERS)
    assert world.tile(7, 0, 0) == b""


def test_a_shape_is_read_with_its_properties_and_its_hole() -> None:
    square, hole = (
        [(0, 0), (4096, 0), (4096, 4096), (0, 4096)],
        [(1024, 1024), (1024, 3072), (3072, 3072), (3072, 1024)],
    )
    layer = read_tile(tile_of([square, hole], kind="earth", name="Land"), {"earth"})["earth"]
    (feature,) = layer.features
    assert (feature.kind, feature.parts) == (POLYGON, ((0, 4), (4, 8)))
    assert feature.properties == {"kind": "earth", "name": "Land"}
    assert layer.points[4:].tolist() == [[0.25, 0.25], [0.25, 0.75], [0.75, 0.75], [0.75, 0.25]]
    assert read_tile(tile_of([square]), {"roads"}) == {}


def test_land_is_painted_and_its_holes_are_not(tmp_path: Path) -> None:
    square, hole = (
        [(0, 0), (3072, 0), (3072, 4096), (0, 4096)],
        [(1024, 1024), (1024, 2048), (2048, 2048), (2048, 1024)],
    )
    image = painted(map_file(tmp_path / "one.pmtiles", tile_of([square, hole])))
    assert [colour(image, at) for at in ((20, 160), (120, 120), (200, 200), (300, 160))] == [EARTH, SEA, EARTH, SEA]


def test_no_line_runs_along_the_borders_of_tiles_or_around_the_world() -> None:
    # Fiji, Wrangel and Russia lie across the date line. On 30° W is nothing but sea between Greenland and the south.
    view = view_of(10, -30, 2, 400, 560)
    image = Image.new("RGB", (800, 1120))
    basemap.paint(image, Ground().shown([WORLD], view), view, 2, 0)
    column = [colour(image, (400, y)) for y in range(300, 900)]
    assert set(column) == {SEA}
    # The Sahara, Brazil, Canada and Spain lie on a tile each.
    for latitude, longitude in ((23, 10), (-10, -60), (55, -75), (40, -4)):
        x, y = view.at(latitude, longitude)
        assert colour(image, (round(x * 2), round(y * 2))) == EARTH


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    with contextlib.suppress(Damaged):
        read_tile(data, LAYERS)


@given(st.data())
def test_a_damaged_tile_is_refused_or_read_but_never_breaks(data: st.DataObject) -> None:
    whole = bytearray(tile_of([[(0, 0), (4096, 0), (4096, 4096)]], kind="earth"))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(Damaged):
        read_tile(bytes(whole), LAYERS)


@given(st.data())
def test_a_damaged_map_file_leaves_a_map_without_it(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = map_file(
        tmp_path_factory.mktemp("maps") / "broken.pmtiles", tile_of([[(0, 0), (4096, 0), (4096, 4096), (0, 4096)]])
    )
    whole = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole)))])
    assert painted(path, 64).size == (64, 64)


def test_coordinates_far_outside_are_refused() -> None:
    with pytest.raises(Damaged):
        read_tile(tile_of([[(0, 0), (1 << 24, 0), (0, 4096)]]), LAYERS)


def test_what_unpacks_to_far_too_much_is_refused(tmp_path: Path) -> None:
    path = map_file(tmp_path / "bomb.pmtiles", gzip.compress(bytes(20_000_000)))
    path.write_bytes(path.read_bytes()[:98] + b"\x02" + path.read_bytes()[99:])
    with pytest.raises(Damaged):
        open_map(path).tile(0, 0, 0)


def test_the_town_lies_over_the_world_and_both_are_named() -> None:
    view = view_of(42.38, 20.43, 15, 400, 400)
    shown = Ground().shown([WORLD, TOWN], view)
    assert basemap.attributions(shown) == ["Natural Earth", "Invented for this demonstration"]
    names = [label.text for label in basemap.labels(shown, view, "sq")]
    assert "Lagjja e Pazarit" in names
    assert len(names) == len(set(names))
    far = view_of(42.38, 20.43, 5, 400, 400)
    assert basemap.attributions(Ground().shown([WORLD, TOWN], far)) == ["Natural Earth"]
    assert "صربيا" in [label.text for label in basemap.labels(Ground().shown([WORLD], far), far, "ar")]


def test_a_map_of_a_town_that_names_nobody_names_openstreetmap(tmp_path: Path) -> None:
    path = map_file(tmp_path / "town.pmtiles", tile_of([[(0, 0), (4096, 0), (4096, 4096)]]))
    shown = Ground().shown([WORLD, path], view_of(0, 0, 1, 512, 512))
    assert basemap.attributions(shown) == ["Natural Earth", "© OpenStreetMap contributors"]


def test_streets_grow_as_one_comes_closer() -> None:
    stops = ((12.0, 1.0), (15.0, 5.5), (18.0, 19.0))
    widths = [width_at(stops, zoom) for zoom in (5, 12, 13, 15, 17, 18, 20)]
    assert widths == sorted(widths)
    assert (widths[0], widths[3], widths[-1]) == (1.0, 5.5, 19.0)
