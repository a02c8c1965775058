"""Mappings: what is wrong in one is told by name, with the word that was probably meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from commonbeat.cli.imports.mapping import MappingError, convert, nearest, read_mapping


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("titel = 'x'", "there is no “titel”. Did you mean “title”?"),
        ("[place]\nlatitud = 'x'", "there is no “latitud” in [place]. Did you mean “latitude”?"),
        ("[fields.size]\ncolum = 'x'", "there is no “colum” in [fields.size]. Did you mean “column”?"),
        ("[zzz]\na = 1", "There may be: source, credit"),
        ("id = 7", "id cannot be used. Expected `str`, got `int`."),
        ("[state]\notherwise = 'shown'", "state.otherwise cannot be used. Invalid enum value 'shown'."),
        ("[place]\nlatitude = 'lat'", "names one of latitude and longitude"),
        ("[date]\ntime = 't'", "names a column for the time but none for the day"),
        ("[place", "is not readable as TOML"),
        ("place = 3", "place cannot be used"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, written: str, sentence: str) -> None:
    file = tmp_path / "m.toml"
    file.write_text(written, "utf-8")
    with pytest.raises(MappingError) as raised:
        read_mapping(file)
    assert sentence in str(raised.value)
    assert str(raised.value).startswith("m.toml")


def test_a_file_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match="cannot be opened"):
        read_mapping(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(MappingError, match="not readable as TOML"):
        read_mapping(tmp_path / "bad.toml")


def test_an_empty_mapping_publishes_nothing() -> None:
    assert convert({}).state.otherwise == "new"


def test_nearest_gives_nothing_for_what_is_far() -> None:
    assert nearest("qqqq", ["title", "text"]) == ""
