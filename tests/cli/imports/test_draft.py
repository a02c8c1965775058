"""commonbeat import draft-mapping: a first mapping that can be used as it stands, and says what it does not know."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from commonbeat.cli.imports import command
from commonbeat.cli.imports.draft import draft_mapping
from commonbeat.cli.imports.mapping import Mapping, convert
from commonbeat.cli.imports.records import FileNotReadable
from commonbeat.reports.models import Report
from commonbeat.topics.ready_made import ready_made_definitions
from tests import make

DUMP = ready_made_definitions()["illegal-dump"]
TABLE = """Nr.,Gjerësia,Gjatësia,Fshati,Data,Lloji,Madhësia,Përshkrimi,Statusi
1,42.38,20.43,Vitomiricë,25.12.2023 08:30,tyres;plastic,car,Goma pranë lumit,hapur
2,42.39,20.44,Radavc,31.1.2024 10:00,Mbeturina shtëpiake,bag,Qese të zeza,mbyllur
3,42.40,20.45,Vitomiricë,1.2.2024 10:00,plastic,bag,Shishe,hapur
"""


def draft(file: Path) -> Mapping:
    return convert(tomllib.loads(draft_mapping(file, DUMP)))


def test_albanian_columns_are_recognised(tmp_path: Path) -> None:
    file = tmp_path / "data.csv"
    file.write_text(TABLE, "utf-8")
    found = draft(file)
    assert (found.id, found.text) == ("Nr.", "{Përshkrimi}")
    assert (found.place.latitude, found.place.longitude, found.place.name) == ("Gjerësia", "Gjatësia", "{Fshati}")
    assert (found.date.column, found.date.formats) == ("Data", ["%d.%m.%Y %H:%M"])
    assert found.categories.column == "Lloji"
    assert found.categories.separator == ";"
    assert found.categories.values["Mbeturina shtëpiake"] == "household"
    # What the values are tells it, where the column's name does not.
    assert found.fields["size"].column == "Madhësia"
    assert found.fields["size"].values == {"car": "car", "bag": "bag"}
    assert found.state.column == "Statusi"
    # Nothing is published unless a person has written so.
    assert set(found.state.values.values()) == {"new"}


def test_a_draft_can_be_used_as_it_stands(tmp_path: Path, db: None) -> None:
    make.fallback()
    make.make_topic("illegal-dump", definition=DUMP)
    file = tmp_path / "data.csv"
    file.write_text(TABLE, "utf-8")
    result = CliRunner().invoke(command.draft, [str(file), "--topic", "illegal-dump"])
    (tmp_path / "m.toml").write_text(result.output, "utf-8")
    arguments = [str(file), "--topic", "illegal-dump", "--mapping", str(tmp_path / "m.toml")]
    result = CliRunner().invoke(command.import_file, arguments)
    assert "3 with a place + 0 without = 3 taken" in result.output, result.output
    assert Report.objects.filter(state="new").count() == 3


@pytest.mark.parametrize(
    ("values", "formats"),
    [
        (["1384270863607", "1392750959476"], ["milliseconds"]),
        (["1384270863", "1392750959"], ["unix"]),
        (["42078.5", "42079"], ["excel"]),
        (["12/31/2014", "01/02/2015"], ["%m/%d/%Y"]),
        (["31/12/2014", "01/02/2015"], ["%d/%m/%Y"]),
        (["2014-12-31T10:00:00Z", "2014-12-30"], ["iso"]),
        (["31.12.2014", "2014-12-30"], ["iso", "%d.%m.%Y"]),
    ],
)
def test_the_forms_of_dates_are_found(tmp_path: Path, values: list[str], formats: list[str]) -> None:
    file = tmp_path / "data.csv"
    file.write_text("\n".join(["savedTime,x", *(f"{value},1" for value in values)]), "utf-8")
    found = draft(file)
    assert (found.date.column, found.date.formats) == ("savedTime", formats)


def test_geometry_needs_no_column(tmp_path: Path) -> None:
    file = tmp_path / "data.geojson"
    feature = {"type": "Feature", "properties": {"note": "x"}, "geometry": {"type": "Point", "coordinates": [20, 42]}}
    file.write_text(json.dumps({"features": [feature]}), "utf-8")
    assert "The geometry of each feature is its place." in draft_mapping(file, DUMP)
    assert not draft(file).place.look_up


def test_a_file_without_rows_is_told(tmp_path: Path) -> None:
    file = tmp_path / "data.json"
    file.write_text("[1]", "utf-8")
    with pytest.raises(FileNotReadable, match="No row of the file can be read"):
        draft(file)


texts = st.text(max_size=12)


@given(st.lists(st.dictionaries(texts, texts | st.lists(texts, max_size=3), max_size=6), min_size=1, max_size=4))
def test_every_draft_is_a_mapping(tmp_path_factory: pytest.TempPathFactory, found: list[dict[str, object]]) -> None:
    file = tmp_path_factory.mktemp("any") / "data.json"
    file.write_text(json.dumps(found), "utf-8")
    if any(found):
        draft(file)
