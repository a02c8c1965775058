"""commonbeat import places: names per language, spellings, kinds; each row taken or explained, and never twice."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from commonbeat.cli.imports import command
from commonbeat.journal.models import Entry
from commonbeat.places.gazetteer import find_places, places_in_text
from commonbeat.places.models import Place, PlaceName

CSV = """id;name;name:sq;name:ar;alt_name;kind;lat;lon
1;Old bridge;Ura e Vjetër;الجسر القديم;The stone bridge|Grey bridge;bridge;42,2000;20,7000
2;New Street;Rruga e Re;;;residential;42.21;20.71
3;Nowhere;;;;village;;
4;;;;;school;42.23;20.73
5;Far;;;;village;north;20.7
6;Off;;;;village;98.0;20.7
"""


def run(file: Path, *options: str) -> Result:
    result = CliRunner().invoke(command.import_group, ["places", str(file), *options])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Write a table with two places and four rows that are none."""
    file = tmp_path / "places.csv"
    file.write_text(CSV)
    return file


def test_each_row_is_taken_or_explained(db: None, table: Path, tmp_path: Path) -> None:
    result = run(table, "--problems", str(tmp_path / "problems.csv"))
    assert result.exit_code == 0 and "2 new places" in result.output and "4 not taken" in result.output
    for told in ("Row 4: The row has no point", "Row 5: The row has no name", "Row 6: The row has the point", "Row 7:"):
        assert told in result.output
    assert (tmp_path / "problems.csv").read_text().count("\n") == 5
    for typed in ("old bridge", "ura e vjeter", "الجسر القديم", "grey bridge"):
        found = find_places(typed, language="sq")
        assert found[0].exact and found[0].label == "Ura e Vjetër", typed
    street = places_in_text("12 new street", "en")[0]
    assert Place.objects.get(pk=street.place_id).kind == "street"
    assert "[place]" not in result.output, "there is no mapping in which to write it"
    assert [entry.kind for entry in Entry.objects.all()] == ["places.loaded"]


def test_a_second_run_brings_nothing_twice_and_changes_what_has_changed(db: None, table: Path) -> None:
    run(table)
    before = Place.objects.count(), PlaceName.objects.count()
    assert "0 of them brought up to date" in run(table).output
    table.write_text(CSV.replace("42,2000", "42,2500").replace("Grey bridge", "Arched bridge"))
    result = run(table)
    assert "0 new places" in result.output and "1 of them brought up to date" in result.output
    assert (Place.objects.count(), PlaceName.objects.count()) == (before[0], before[1] + 1)
    assert find_places("arched bridge", language="en")[0].latitude == 42.25
    assert "2 new places" in run(table, "--source", "another").output, "ids of another source are other places"


def test_a_dry_run_judges_and_stores_nothing(db: None, table: Path) -> None:
    result = run(table, "--dry-run")
    assert "2 new places" in result.output and "nothing was stored" in result.output
    assert not Place.objects.exists() and not PlaceName.objects.exists() and not Entry.objects.exists()
    assert find_places("old bridge", language="en") == []


def test_geojson_of_openstreetmap_is_read_as_it_comes(db: None, tmp_path: Path) -> None:
    line = {"type": "LineString", "coordinates": [[20.70, 42.20], [20.71, 42.20], [20.72, 42.20]]}
    features = [
        {
            "type": "Feature",
            "id": "way/12",
            "geometry": line,
            "properties": {"name": "Rruga e Re", "name:sr": "Нова улица", "highway": "tertiary", "old_name": "Rr. 7"},
        },
        {"type": "Feature", "id": "node/1", "geometry": None, "properties": {"name": "Nowhere"}},
    ]
    file = tmp_path / "osm.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    result = run(file, "--language", "sq")
    assert "1 new places" in result.output and "Row 2: The row has no point" in result.output
    place = Place.objects.get()
    assert (place.key, place.kind, place.names["sq"]) == ("places:way/12", "street", "Rruga e Re")
    assert find_places("nova ulitsa", language="sq")[0].exact and find_places("rr 7", language="sq")[0].exact
    run(file, "--language", "sq")
    assert Place.objects.count() == 1


def test_columns_with_other_names_are_named(db: None, tmp_path: Path) -> None:
    file = tmp_path / "lista.csv"
    file.write_text("NR,EMRI I VENDIT,GJER,GJAT\n7,Mulliri,42.2,20.7\n")
    columns = ["--column", "name:sq=EMRI I VENDIT", "--column", "lat=GJER", "--column", "lon=GJAT"]
    assert "1 new places" in run(file, *columns).output
    wrong = run(file, "--column", "name=EMRI VENDIT")
    assert wrong.exit_code == 1 and "Did you mean “EMRI I VENDIT”?" in wrong.output
    assert run(file, "--column", "colour=NR").exit_code == 2
    assert run(file, "--column", "name").exit_code == 2


def test_points_that_lie_elsewhere_are_told(db: None, tmp_path: Path) -> None:
    file = tmp_path / "swapped.csv"
    file.write_text("name,lat,lon\nMill,20.43,42.38\n")
    assert "seem to be swapped: try --swap" in run(file, "--dry-run").output
    assert "far from" not in run(file, "--swap").output
    assert Place.objects.get().latitude == 42.38


@pytest.mark.parametrize("content", [b"", b"\x00\x01\x02" * 900, b"{", b'{"type": "FeatureCollection"}'])
def test_a_file_that_is_none_is_refused_with_a_sentence(db: None, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "broken.geojson"
    file.write_bytes(content)
    result = run(file)
    assert result.exit_code == 1 and "Error: " in result.output
    assert run(tmp_path / "absent.csv").exit_code in (1, 2)
