"""Pictures of maps: what is counted lies where it happened, in its colour, and writing reads as it should."""

from __future__ import annotations

import unicodedata
from collections import Counter
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import commonbeat
from commonbeat.foundation import cells
from commonbeat.maps import heat, picture_cells, picture_heat, tiling
from commonbeat.maps.actions.buckets import Amount, add_to_buckets, lock_revision
from commonbeat.maps.arrays import Sums
from commonbeat.maps.basemap import Ground
from commonbeat.maps.basemap_style import SEA
from commonbeat.maps.models import Bucket
from commonbeat.maps.outlines import Outlines
from commonbeat.maps.picture import Scene, draw
from commonbeat.maps.picture_cells import Span, Wanted, sums_in, wanted_of
from commonbeat.maps.picture_frame import Heading, Legend, fitting, frame_of
from commonbeat.maps.picture_heat import lay
from commonbeat.maps.picture_script import laid_out
from commonbeat.maps.picture_text import Face
from commonbeat.maps.picture_view import View, view_of
from commonbeat.topics.definition import Definition, Publishes
from tests import make

VENDOR = Path(commonbeat.__file__).parent / "web/static/vendor"
FACE = Face(VENDOR / "vazirmatn/Vazirmatn-Regular.ttf", VENDOR / "vazirmatn/Vazirmatn-Bold.ttf")
HEADING = Heading("Street lights", "March 2026", "Bregova", "14 March 2026")
LEGEND = Legend("Reports in one area", ("1–2", "3–9", "10–29"), "8 reports in the areas shown.", ("A note.",) * 3)

latitudes, longitudes = st.floats(-90, 90), st.floats(-180, 180)


def sums_of(counts: dict[int, int]) -> Sums:
    found = sorted(counts)
    return Sums(np.array(found, np.int64), np.array([counts[cell] for cell in found], np.int64))


def drawn(counts: dict[int, int], view: View, size: tuple[int, int]) -> Image.Image:
    """Draw cells alone, without a map beneath."""
    frame = frame_of(*size, None, FACE)
    data = draw(Scene(frame, view, lay(sums_of(counts), view, Outlines()), "en"), Ground(), [], FACE)
    image = Image.open(BytesIO(data))
    assert image.format == "PNG" and image.size == size
    return image.convert("RGB")


def mixed(colour: str) -> tuple[int, int, int]:
    """Give a colour of heat as it looks on the sea."""
    part = picture_heat._OPACITY / 255
    return tuple(  # type: ignore[return-value]  # three of them
        round(int(colour[at : at + 2], 16) * part + int(SEA[at : at + 2], 16) * (1 - part)) for at in (1, 3, 5)
    )


def near(first: object, second: tuple[int, int, int], most: int = 9) -> bool:
    # A palette of 256 colours rounds.
    assert isinstance(first, tuple)
    return all(abs(a - b) <= most for a, b in zip(first, second, strict=True))


# ---------------------------------------------------------------- where things lie


@given(latitudes, longitudes, st.floats(0, 20), st.integers(320, 1600), st.integers(200, 1600))
def test_every_view_lies_in_the_world(latitude: float, longitude: float, zoom: float, width: int, height: int) -> None:
    view = view_of(latitude, longitude, zoom, width, height)
    assert view.east - view.west <= 1 + 1e-9
    if height <= view.world:
        assert -1e-9 <= view.north < view.south <= 1 + 1e-9
    tiles = list(view.tiles(min(20, max(0, round(view.zoom) - 1))))
    assert 0 < len(tiles) <= 64
    assert all(tiling.is_tile(tile.zoom, tile.x, tile.y) for tile in tiles)


def test_the_middle_of_a_view_is_what_was_asked_for() -> None:
    for latitude, longitude in ((42.38, 20.43), (-17.7, 179.99), (64.1, -179.99), (0, 0)):
        x, y = view_of(latitude, longitude, 12, 800, 600).at(latitude, longitude)
        assert (round(x, 3), round(y, 3)) == (400, 300)


@pytest.mark.parametrize("longitude", [20.43, 179.999, -179.999])
@pytest.mark.parametrize(("n", "colour"), [(1, 0), (5, 1), (250, 4), (9_999, 7)])
def test_a_cell_has_its_colour_where_it_lies(longitude: float, n: int, colour: int) -> None:
    view = view_of(make.LATITUDE, longitude, 13, 400, 320)
    cell = cells.cell_of(make.LATITUDE, longitude, 9)
    image = drawn({cell: n}, view, (400, 320))
    x, y = view.at(*cells.centre(cell))
    assert near(image.getpixel((round(x), round(y))), mixed(heat.COLOURS[colour]))
    assert near(image.getpixel((5, 5)), mixed(SEA))


def test_a_merged_cell_lies_beneath_the_finer_ones() -> None:
    view = view_of(make.LATITUDE, make.LONGITUDE, 13, 400, 320)
    fine = cells.cell_of(make.LATITUDE, make.LONGITUDE, 9)
    image = drawn({fine: 1, cells.parent(fine, 7): 3_000}, view, (400, 320))
    x, y = view.at(*cells.centre(fine))
    # Pale lies over dark, and not dark over pale.
    assert near(image.getpixel((round(x), round(y))), mixed(heat.COLOURS[0]))


def test_cells_at_the_poles_and_the_date_line_count_once() -> None:
    places = ((90, 0, 1), (-90, 0, 1), (66, 180, 3), (-16.5, -180, 3), (0, 180, 3))
    for latitude, longitude, resolution in places:
        cell = cells.cell_of(latitude, longitude, resolution)
        view = view_of(latitude, longitude, 3, 640, 480)
        found = lay(sums_of({cell: 7}), view, Outlines())
        assert (found.total, found.cells, found.most) == (7, 1, 7), (latitude, longitude)
    far = lay(sums_of({cells.cell_of(0, 0, 9): 7}), view_of(0, 90, 12, 640, 480), Outlines())
    assert (far.total, far.areas) == (0, [])


def test_a_picture_in_bands_is_the_same_as_in_one(monkeypatch: pytest.MonkeyPatch) -> None:
    view = view_of(make.LATITUDE, make.LONGITUDE, 13, 400, 320)
    middle = cells.cell_of(make.LATITUDE, make.LONGITUDE, 9)
    counts = dict.fromkeys(cells.near(make.LATITUDE, make.LONGITUDE, 1_500, 9), 40) | {middle: 900}
    whole = drawn(counts, view, (400, 320))
    monkeypatch.setattr("commonbeat.maps.picture._BAND_PIXELS", 400 * 33)
    banded = drawn(counts, view, (400, 320))
    differing = [
        at
        for at in range(0, 400 * 320, 7)
        if not near(whole.getpixel((at % 400, at // 400)), banded.getpixel((at % 400, at // 400)), 60)  # type: ignore[arg-type]
    ]
    assert not differing


# ---------------------------------------------------------------- what is written


def test_arabic_letters_are_joined_and_run_from_right_to_left() -> None:
    # “Report”: beh at its begin, lam with alef at an end, and ghain alone, read from the right.
    assert laid_out("بلاغ", right_to_left=True) == "غ\ufefc\ufe91"
    assert laid_out("لا", right_to_left=True) == "\ufefb"
    assert laid_out("بيت", right_to_left=True) == "\ufe96\ufef4\ufe91"


def test_numbers_and_latin_keep_their_direction_within_arabic() -> None:
    assert laid_out("عدد 123", right_to_left=True).startswith("123 ")
    assert laid_out("موقع Bregova (شمال)", right_to_left=True).split(" ")[1] == "Bregova"
    assert laid_out("Rruga e Dëborës – 3–9", right_to_left=False) == "Rruga e Dëborës – 3–9"


@given(st.text(max_size=30), st.booleans())
def test_laying_out_keeps_every_letter_that_is_no_sign(text: str, turned: bool) -> None:
    def plain(line: str) -> Counter[str]:
        silent = ("Mn", "Cf", "Cc", "Zl", "Zp", "Cs")
        kept = (c for c in unicodedata.normalize("NFKD", line) if unicodedata.category(c) not in silent)
        return Counter(c for c in kept if c not in "()[]{}<>«»‹›" and not c.isspace())

    if "\u200d" not in text:
        assert plain(laid_out(text, right_to_left=turned)) == plain(text)


def test_the_font_has_the_letters_of_every_language_of_the_site() -> None:
    assert FACE.has("Ë ë Ç ç – · … ©“” š ž ć đ") and FACE.has("مكب نفايات غير قانوني ٠١٢٣ 2026")
    assert not FACE.has("Вулиця") and not FACE.has("道")


def test_what_is_too_long_is_wrapped_and_cut() -> None:
    lines = FACE.wrapped("A rather long title about broken street lights in town", 20, 200, 2)
    assert len(lines) == 2 and lines[1].endswith("…")
    assert all(FACE.width(line, 20) <= 200 for line in lines)
    assert FACE.fitted("x" * 900, 20, 100).endswith("…")


@pytest.mark.parametrize("size", [(320, 320), (320, 1600), (559, 400), (560, 400), (1099, 640), (1600, 320)])
@pytest.mark.parametrize("turned", [False, True])
def test_heading_map_legend_and_foot_have_their_places(size: tuple[int, int], turned: bool) -> None:
    heading, legend = HEADING._replace(right_to_left=turned), LEGEND._replace(right_to_left=turned)
    frame = frame_of(*size, heading, FACE)
    assert 0 < frame.top < frame.bottom < size[1]
    assert frame.map_height >= 150
    view = view_of(make.LATITUDE, make.LONGITUDE, 12, size[0], frame.map_height)
    scene = Scene(frame, view, lay(sums_of({}), view, Outlines()), "en", heading, legend)
    image = Image.open(BytesIO(draw(scene, Ground(), [VENDOR / "world.pmtiles"], FACE)))
    assert image.size == size
    # A legend that has no room loses its notes, not its numbers.
    kept = fitting(frame, legend, FACE)
    assert kept is not None and kept.classes == legend.classes


def test_names_that_cannot_be_written_are_left_out(tmp_path: Path) -> None:
    frame = frame_of(320, 320, Heading("   ", "", "Вулиця", ""), FACE)
    view = view_of(0, 0, 3, 320, frame.map_height)
    scene = Scene(frame, view, lay(sums_of({}), view, Outlines()), "uk", Heading("   ", "", "Вулиця", ""))
    assert draw(scene, Ground(), [tmp_path / "none.pmtiles"], FACE).startswith(b"\x89PNG")


# ---------------------------------------------------------------- what is counted


def count(counts: dict[tuple[int, str, int, int], int]) -> None:
    with transaction.atomic():
        amounts = {key: Amount(n, n) for key, n in counts.items()}
        add_to_buckets(amounts, is_drawn=False, revision=lock_revision())


def wanted(*topics: int, **more: object) -> Wanted:
    definition = Definition(name={"en": "Lights"})
    options: dict[str, object] = {"category": "", "since": None, "until": None} | more
    return wanted_of([(pk, definition) for pk in topics], **options)  # type: ignore[arg-type]


@pytest.mark.django_db
@pytest.mark.parametrize("zoom", [0, 2, 4, 7, 10, 12, 13, 15, 17, 20])
def test_a_view_sums_what_lies_in_it_at_every_zoom(zoom: int) -> None:
    rows: dict[tuple[int, str, int, int], int] = {}
    for step in range(60):
        latitude, longitude = make.LATITUDE + (step % 8) * 0.004, make.LONGITUDE + (step // 8) * 0.005
        rows[1, "first", cells.cell_of(latitude, longitude, 11), 20_000 + step % 3] = step + 1
        rows[1, "second", cells.cell_of(latitude, longitude, 4 + step % 9), 20_001] = 5
    rows[1, "first", 0, 20_000] = 7
    rows[2, "first", cells.cell_of(make.LATITUDE, make.LONGITUDE, 11), 20_000] = 1_000
    count(rows)
    view = view_of(make.LATITUDE, make.LONGITUDE, zoom, 400, 320)
    found = lay(sums_in(view, wanted(1)), view, Outlines())
    drawn_at = tiling.display_resolution(round(view.zoom))
    expected: Counter[int] = Counter()
    for (topic, _category, cell, _period), n in rows.items():
        if topic == 1 and cell:
            expected[cells.parent(cell, min(drawn_at, cells.resolution_of(cell)))] += n
    everything = lay(sums_of(dict(expected)), view, Outlines())
    assert (found.total, found.cells, found.most) == (everything.total, everything.cells, everything.most)


@pytest.mark.django_db(transaction=True)
def test_wide_and_narrow_views_say_the_same_and_follow_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    picture_cells.forget()
    cell = cells.cell_of(make.LATITUDE, make.LONGITUDE, 11)
    count({(1, "first", cell, 20_000): 3, (1, "second", cell, 20_001): 4, (3, "first", cell, 20_000): 9})
    count({(1, "first", cell, 20_006): 100})
    views = {zoom: view_of(make.LATITUDE, make.LONGITUDE, zoom, 640, 480) for zoom in (2, 16)}
    asked = {"all": wanted(1), "kind": wanted(1, category="second"), "days": wanted(1, since=20_001, until=20_005)}

    def totals() -> dict[tuple[str, int], int]:
        return {
            (name, zoom): int(sums_in(view, which).n.sum())
            for name, which in asked.items()
            for zoom, view in views.items()
        }

    narrow_first = int(sums_in(views[16], asked["all"]).n.sum())
    with CaptureQueriesContext(connection) as queries:
        assert totals() == {(name, zoom): n for name, n in (("all", 107), ("kind", 4), ("days", 4)) for zoom in views}
    assert narrow_first == 107 and len(queries) <= 3 * 6
    count({(1, "second", cell, 20_001): -4, (1, "first", cell, 20_002): 10, (3, "first", cell, 20_000): 1})
    assert totals() == {(name, zoom): n for name, n in (("all", 113), ("kind", 0), ("days", 10)) for zoom in views}
    monkeypatch.setattr(picture_cells, "_MOST_ROWS", 1)
    picture_cells.forget()
    assert totals() == {(name, zoom): n for name, n in (("all", 113), ("kind", 0), ("days", 10)) for zoom in views}
    picture_cells.forget()


@pytest.mark.django_db(transaction=True)
def test_a_view_takes_few_queries_however_much_there_is() -> None:
    view = view_of(make.LATITUDE, make.LONGITUDE, 14, 800, 600)
    around = cells.near(make.LATITUDE, make.LONGITUDE, 900, 11)
    for most in (3, len(around)):
        count({(1, "first", cell, 20_000 + most): 1 for cell in around[:most]})
        for _ in range(2):
            with CaptureQueriesContext(connection) as queries:
                sums_in(view, wanted(1, 2))
            assert len(queries) <= 3
        picture_cells.forget()
    assert Bucket.objects.count() == 3 + len(around)


def test_topics_that_count_by_other_periods_have_spans_of_their_own() -> None:
    each = Definition(name={"en": "Lights"})
    counts = Definition(name={"en": "Harassment"}, publishes=Publishes.COUNTS)
    found = wanted_of([(1, each), (2, counts), (3, each)], category="", since=20_000, until=20_010)
    assert found.spans[0] == Span((1, 3), 20_000, 20_011)
    assert found.spans[1].topics == (2,) and found.spans[1].since != 20_000
