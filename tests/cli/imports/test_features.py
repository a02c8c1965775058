"""The reader of GeoJSON and its relatives: streamed, and never a program run."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonbeat.cli.imports import features
from commonbeat.cli.imports.features import open_features
from commonbeat.cli.imports.records import FileNotReadable, Record

POINT = {"type": "Point", "coordinates": [20.3, 42.6]}
FEATURE = {"type": "Feature", "id": 7, "properties": {"what": "tyres"}, "geometry": POINT}


def read(folder: Path, data: Any, **options: str) -> list[Record]:
    file = folder / "data.json"
    file.write_bytes(
        data if isinstance(data, bytes) else (data if isinstance(data, str) else json.dumps(data)).encode()
    )
    return list(open_features(file, **options).records())


@pytest.mark.parametrize(
    "written",
    [
        {"type": "FeatureCollection", "features": [FEATURE]},
        {"features": [FEATURE], "type": "FeatureCollection", "bbox": [1, 2, 3, 4]},
        FEATURE,
        [FEATURE],
        {"count": 1, "data": [FEATURE]},
        f"\ufeff{json.dumps([FEATURE])}",
        f"var dumps = {json.dumps([FEATURE])};\n",
        f"// made by hand\n/* twice */ export const dumps={json.dumps([FEATURE])}",
        f"window.app['dumps'] = {json.dumps({'features': [FEATURE]})}; // end",
        f"export default {json.dumps([FEATURE])[:-1]},]",
        f"\x1e{json.dumps(FEATURE)}\n",
    ],
)
def test_every_wrapping_of_a_feature(tmp_path: Path, written: Any) -> None:
    (record,) = read(tmp_path, written)
    assert record.values == {"id": "7", "what": "tyres"}
    assert record.geometry == POINT


def test_lines_of_json_and_a_broken_one_among_them(tmp_path: Path) -> None:
    line = json.dumps(FEATURE)
    first, broken, last = read(tmp_path, f"{line}\n{line[:-3]}\n\n\x1e{line}\n")
    assert first.values == last.values == {"id": "7", "what": "tyres"}
    assert "is no line of JSON" in broken.problem


def test_nested_objects_are_columns_and_lists_are_kept(tmp_path: Path) -> None:
    found = {"a": {"lat": 42.5, "deep": {"x": None}}, "types": ["GLASS", "METAL"], "ok": True, "rows": [{"n": 1}]}
    (record,) = read(tmp_path, [found])
    assert record.values == {
        "a.lat": "42.5",
        "a.deep.x": "",
        "types": ["GLASS", "METAL"],
        "ok": "true",
        "rows": '[{"n": 1}]',
    }


def test_what_is_no_object_has_a_reason(tmp_path: Path) -> None:
    records = read(tmp_path, [1, "x", None, [2], FEATURE, {"type": "Feature", "properties": None, "geometry": None}])
    assert [bool(record.problem) for record in records] == [True, True, True, True, False, False]
    assert records[-1].values == {}


def test_a_named_list(tmp_path: Path) -> None:
    assert len(read(tmp_path, {"data": [], "incidents": [FEATURE]}, list_key="incidents")) == 1
    with pytest.raises(FileNotReadable, match="has no list “incidents”"):
        read(tmp_path, {"data": []}, list_key="incidents")


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("", "is empty"),
        ("alert(1)", "neither GeoJSON nor a list"),
        ("var x = [1]; alert(1)", "no program"),
        ("[{]", "not readable as JSON at character 3"),
        ('[{"a": 1}', "not readable as JSON"),
        ('{"features": [', "not readable as JSON"),
        ('{"type": "FeatureCollection"}', "without a list of features"),
        ("[" * 100_000, "nested too deeply"),
        ("[" + "9" * 5_000 + "]", "not readable as JSON|.*"),
        (
            {"features": [], "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32634"}}},
            "EPSG::32634",
        ),
        (b"\xff[]", "neither"),
    ],
)
def test_what_cannot_be_read_ends_with_a_sentence(tmp_path: Path, written: Any, sentence: str) -> None:
    with pytest.raises(FileNotReadable, match=sentence):
        found = read(tmp_path, written)
        raise FileNotReadable(found[0].problem)


@pytest.mark.parametrize("name", ["urn:ogc:def:crs:OGC:1.3:CRS84", "EPSG:4326", "urn:ogc:def:crs:EPSG::4326", "WGS84"])
def test_the_names_of_wgs84(tmp_path: Path, name: str) -> None:
    assert len(read(tmp_path, {"crs": {"properties": {"name": name}}, "features": [FEATURE]})) == 1


def test_a_long_list_is_read_piece_by_piece(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "_CHUNK", 64)
    many = [{**FEATURE, "id": n, "properties": {"text": "x" * (n % 300)}} for n in range(300)]
    written = json.dumps({"type": "FeatureCollection", "features": many, "numbers": [12345.5]}, indent=1)
    records = read(tmp_path, written)
    assert [record.values["id"] for record in records] == [str(n) for n in range(300)]
    assert all(len(record.values["text"]) == n % 300 for n, record in enumerate(records))


def test_one_feature_too_large_to_hold_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "VALUE_LIMIT", 100_000)
    with pytest.raises(FileNotReadable, match="not readable as JSON"):
        read(tmp_path, [{"a": "x" * 1_000_000}])


values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(values, max_size=6))
def test_each_element_is_a_record_or_has_a_reason(tmp_path_factory: pytest.TempPathFactory, found: list[Any]) -> None:
    records = read(tmp_path_factory.mktemp("any"), found)
    assert len(records) == len(found)
    assert [bool(record.problem) for record in records] == [not isinstance(each, dict) for each in found]


@given(st.binary(max_size=200) | st.text(alphabet='[]{}",:;=/* \nvar x1', max_size=60).map(str.encode))
def test_any_bytes_end_with_records_or_a_sentence(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    with suppress(FileNotReadable):
        assert all(bool(record.problem) or record.raw for record in read(tmp_path_factory.mktemp("any"), raw))


@pytest.mark.parametrize("chunk", [1, 2, 3, 5])
def test_a_number_that_two_pieces_share_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    monkeypatch.setattr(features, "_CHUNK", chunk)
    assert [record.raw for record in read(tmp_path, "[1234567,89]")] == ["1234567", "89"]
