"""What stands in cells: dates, numbers and points, as people and machines write them."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonbeat.cli.imports.values import PointError, read_date, read_geometry, read_number, read_pair, read_point

ZONE = ZoneInfo("Europe/Belgrade")


@pytest.mark.parametrize(
    ("text", "formats"),
    [
        ("2015-03-15T13:30:00+01:00", ()),
        ("2015-03-15 13:30", ()),
        ("15.03.2015 13:30", ()),
        ("15/03/2015  13:30:00", ()),
        ("١٥/٠٣/٢٠١٥ ١٣:٣٠", ()),
        ("03/15/2015 01:30 PM", ("%m/%d/%Y %I:%M %p",)),
        ("42078.5625", ("excel",)),
        ("1426422600", ("unix",)),
        ("1426422600000", ("milliseconds",)),
    ],
)
def test_one_moment_in_many_forms(text: str, formats: tuple[str, ...]) -> None:
    assert read_date(text, formats, ZONE) == datetime(2015, 3, 15, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "31.02.2015", "0001-01-01", "yesterday", "9" * 400])
def test_impossible_dates_are_none(text: str) -> None:
    assert read_date(text, (), ZONE) is None
    assert read_date(text, ("milliseconds", "%Y%q", "excel"), ZONE) is None


@pytest.mark.parametrize(
    ("text", "decimal", "number"),
    [
        ("1.5", ".", 1.5),
        ("1,5", ",", 1.5),
        ("1.234,5", ",", 1234.5),
        ("1,234.5", ".", 1234.5),
        ("−2", ".", -2.0),
        ("1 000", ".", 1000.0),
        ("٢٫٥", ".", 2.5),
        ("x", ".", None),
        ("nan", ".", None),
        ("", ",", None),
    ],
)
def test_numbers(text: str, decimal: str, number: float | None) -> None:
    assert read_number(text, decimal) == number


@pytest.mark.parametrize("pair", [("42.66", "20.29"), ("42,66", "20,29"), (" 42.66° ", "20.29")])
def test_pairs(pair: tuple[str, str]) -> None:
    assert read_pair(*pair) == (42.66, 20.29)


@pytest.mark.parametrize("pair", [("", ""), ("0", "0.0")])
def test_no_place_is_no_fault(pair: tuple[str, str]) -> None:
    assert read_pair(*pair) is None


@pytest.mark.parametrize(
    ("pair", "words"),
    [
        (("x", "20"), "which is none"),
        (("42", ""), "which is none"),
        (("nan", "1"), "which is none"),
        (("120.5", "42.6"), "may be swapped"),
        (("4712345", "7451234"), "degrees of WGS 84"),
    ],
)
def test_a_point_that_is_none_is_told(pair: tuple[str, str], words: str) -> None:
    with pytest.raises(PointError, match=words):
        read_pair(*pair)


@pytest.mark.parametrize(
    "text",
    [
        "42.66, 20.29",
        "42,66; 20,29",
        "POINT(20.29 42.66)",
        "SRID=4326;POINT (20.29 42.66)",
        "geo:42.66,20.29",
        '{"type": "Point", "coordinates": [20.29, 42.66]}',
        "https://www.openstreetmap.org/?mlat=42.66&mlon=20.29",
    ],
)
def test_one_cell_with_both(text: str) -> None:
    assert read_point(text) == (42.66, 20.29)


def test_swapped_points() -> None:
    assert read_point("20.29, 42.66", swap=True) == (42.66, 20.29)
    assert read_point("120.5 42.66", swap=True) == (42.66, 120.5)
    with pytest.raises(PointError, match="may be swapped"):
        read_point("120.5 42.66")
    with pytest.raises(PointError, match="which is none"):
        read_point("behind the school")


def test_areas_and_lines_stand_as_a_point_on_them() -> None:
    square = [[20.0, 42.0], [20.2, 42.0], [20.2, 42.2], [20.0, 42.2], [20.0, 42.0]]
    assert read_geometry({"type": "Polygon", "coordinates": [square]}) == pytest.approx((42.1, 20.1))
    found = read_geometry({"type": "MultiLineString", "coordinates": [square[:3]]})
    assert found is not None and 42 <= found[0] <= 42.2
    assert read_geometry({"type": "Point", "coordinates": []}) is None
    with pytest.raises(PointError, match="geometry that is none"):
        read_geometry({"type": "Polygon", "coordinates": [[1, 2]]})


shapes = st.recursive(
    st.floats() | st.none() | st.text(max_size=3), lambda inner: st.lists(inner, max_size=4), max_leaves=12
)


@given(st.sampled_from(["Point", "LineString", "Polygon", "MultiPolygon", "GeometryCollection", "Cube"]), shapes)
def test_any_geometry_is_a_point_or_has_a_reason(kind: str, coordinates: object) -> None:
    try:
        found = read_geometry({"type": kind, "coordinates": coordinates})
    except PointError:
        return
    assert found is None or (abs(found[0]) <= 90 and abs(found[1]) <= 180)


@given(
    st.text(max_size=40), st.text(max_size=20), st.sampled_from(["iso", "excel", "unix", "milliseconds", "%d.%m.%Y"])
)
def test_any_text_is_a_value_or_has_a_reason(text: str, other: str, form: str) -> None:
    read_date(text, (form,), ZONE)
    read_number(text, ",")
    for read in (lambda: read_point(text), lambda: read_point(text, swap=True), lambda: read_pair(text, other)):
        with suppress(PointError):
            found = read()
            assert found is None or (abs(found[0]) <= 90 and abs(found[1]) <= 180)
