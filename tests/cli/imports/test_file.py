"""commonbeat import file: any table or list, by a mapping, each row taken or explained; and taken back as a whole."""

from __future__ import annotations

import json
import tomllib
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner, Result
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commonbeat.cli.imports import command
from commonbeat.cli.imports.mapping import convert
from commonbeat.cli.imports.records import FileNotReadable
from commonbeat.cli.imports.rows import RowReader, Surroundings
from commonbeat.cli.imports.source import open_source
from commonbeat.foundation import clock
from commonbeat.journal.models import Entry
from commonbeat.places.models import Place
from commonbeat.reports.models import ImportBatch, ImportRow, Publication, Report, State
from commonbeat.topics.definition import Field, FieldKind, Option
from commonbeat.topics.models import Topic
from tests import make

MAPPING = """
source = "council"
credit = "Council of Exampletown"
licence = "CC BY 4.0"
id = "nr"
title = "{kind} at the {where}"
text = "{note}"
[place]
latitude = "lat"
longitude = "lon"
name = "{where}"
[date]
column = "day"
formats = ["%d.%m.%Y"]
[categories]
column = "kind"
separator = "/"
[categories.values]
Goma = "tyres"
"[fields" = ""
[fields.size]
column = "size"
[fields.size.values]
S = "bag"
[fields.depth]
column = "depth"
decimal = ","
[state]
column = "ok"
otherwise = "publish"
[state.values]
no = "reject"
wait = "new"
"""
HEADER = "nr;kind;where;note;lat;lon;day;size;depth;ok"
GOOD = ("1", "Goma/plastic", "river", "Ten of them.", "42,3801", "20,4301", "14.03.2015", "S", "1.000,5", "")


def rows(*changes: dict[int, str]) -> str:
    lines = [HEADER]
    for number, change in enumerate(changes, start=1):
        cells = list(GOOD)
        cells[0] = str(number)
        for position, value in change.items():
            cells[position] = value
        lines.append(";".join(cells))
    return "\n".join(lines)


@pytest.fixture
def topic(db: None) -> Topic:
    make.fallback()
    options = [Option(code="bag", label={"en": "Bag"}), Option(code="car", label={"en": "Car"})]
    return make.make_topic(
        "dump",
        categories=[Option(code="tyres", label={"en": "Tyres"}), Option(code="plastic", label={"en": "Plastic"})],
        fields=[
            Field(code="size", kind=FieldKind.CHOICE, label={"en": "Size"}, options=options, required=True),
            Field(code="depth", kind=FieldKind.NUMBER, label={"en": "Depth"}),
        ],
    )


@pytest.fixture
def folder(tmp_path: Path, topic: Topic) -> Path:
    (tmp_path / "m.toml").write_text(MAPPING, "utf-8")
    return tmp_path


def run(folder: Path, written: str, *options: str, name: str = "data.csv", code: int = 0) -> Result:
    (folder / name).write_text(written, "utf-8")
    arguments = [str(folder / name), "--topic", "dump", "--mapping", str(folder / "m.toml"), *options]
    result = CliRunner().invoke(command.import_file, arguments)
    assert result.exit_code == code, result.output
    return result


def remap(folder: Path, old: str, new: str) -> None:
    written = (folder / "m.toml").read_text("utf-8")
    assert old in written
    (folder / "m.toml").write_text(written.replace(old, new), "utf-8")


def test_every_part_of_a_row_arrives(folder: Path) -> None:
    run(folder, rows({}))
    report = Report.objects.get()
    assert (report.title, report.text) == ("Goma/plastic at the river", "Ten of them.")
    assert report.categories == ["tyres", "plastic"]
    assert report.answers == {"size": "bag", "depth": 1000.5}
    assert (report.latitude, report.longitude, report.place_name) == (42.3801, 20.4301, "river")
    assert report.occurred_at == datetime(2015, 3, 13, 23, tzinfo=UTC)
    publication = Publication.objects.get()
    assert publication.is_imported
    assert publication.public_at == report.occurred_at
    assert publication.import_batch == ImportBatch.objects.get()


def test_the_page_names_the_source_and_the_licence(folder: Path, client: Client) -> None:
    run(folder, rows({}))
    page = client.get(f"/reports/{Publication.objects.get().code}/").content.decode()
    assert "Source: Council of Exampletown · Licence: CC BY 4.0" in page


def test_states(folder: Path) -> None:
    output = run(folder, rows({}, {9: "no"}, {9: "wait"}, {3: "Call 044 123 456"})).output
    found = dict(Report.objects.values_list("client_key", "state"))
    assert [found[key] for key in sorted(found)] == ["published", "rejected", "new", "triaged"]
    for sentence in ("1 published", "1 held", "1 new on the desk", "1 stored as not taken up"):
        assert sentence in output
    assert "Call 044" not in "".join(Publication.objects.filter(state="public").values_list("text", flat=True))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({6: "31.02.2015"}, "it has the date “31.02.2015”, which is none"),
        ({6: ""}, "it has no date"),
        ({6: "14.03.2099"}, "it has the date “14.03.2099”, which has not come yet"),
        ({4: "abc"}, "it has the point “abc, 20,4301”, which is none"),
        (
            {4: "123,5"},
            "it has the latitude 123.5 and the longitude 20.4301, which is nowhere on Earth; the two may be swapped",
        ),
        ({1: "Bone"}, "it has “Bone” in the column kind, of which [categories] says nothing"),
        ({7: "XXL"}, "it has “XXL” in the column size, of which [fields.size] says nothing"),
        ({8: "deep"}, "it has “deep” for depth: Enter a number, such as 12 or 2.5."),
        ({3: "x;y"}, "it has 11 cells where the header has 10"),
    ],
)
def test_a_row_that_cannot_be_taken_has_its_reason(folder: Path, change: dict[int, str], sentence: str) -> None:
    output = run(folder, rows({}, change), "--problems", str(folder / "problems.csv")).output
    assert f"Row 3 was not taken: {sentence}" in output
    assert "1 with a place + 0 without = 1 taken" in output
    assert sentence.removeprefix("it ") in (folder / "problems.csv").read_text("utf-8").replace('""', '"')
    assert ImportRow.objects.get(report=None).problem.startswith(sentence.removeprefix("it ")[:20])


def test_what_may_be_left_out_is_left_out(folder: Path) -> None:
    remap(folder, 'column = "kind"', 'column = "kind"\nunknown = "leave out"')
    remap(folder, 'decimal = ","', 'decimal = ","\nunknown = "leave out"')
    remap(folder, 'name = "{where}"', 'name = "{where}"\nunreadable = "leave out"')
    remap(folder, 'formats = ["%d.%m.%Y"]', 'otherwise = "2014-01-02"')
    output = run(folder, rows({1: "Bone", 4: "abc", 6: "", 8: "deep"})).output
    report = Report.objects.get()
    assert (report.categories, report.answers, report.latitude) == ([], {"size": "bag"}, None)
    assert report.occurred_at is None
    assert report.created_at == datetime(2014, 1, 1, 23, tzinfo=UTC)
    assert "Row 2: taken without its place. The row has the point “abc, 20,4301”, which is none" in output
    assert report.messages.get().kind == "note"


def test_new_categories_may_be_added_to_the_topic(folder: Path, topic: Topic) -> None:
    remap(folder, 'column = "kind"', 'column = "kind"\nunknown = "add"')
    run(folder, rows({1: "Old bones"}))
    assert Report.objects.get().categories == ["old-bones"]
    topic.refresh_from_db()
    assert [option.code for option in topic.definition.categories] == ["tyres", "plastic", "old-bones"]


def test_a_name_is_looked_up_where_there_is_no_point(folder: Path) -> None:
    make.make_place(name="Old bridge", latitude=42.4, longitude=20.5)
    remap(folder, 'name = "{where}"', 'name = "{where}"\nlook_up = true')
    run(folder, rows({2: "Old bridge", 4: "", 5: ""}, {2: "Nowhere", 4: "", 5: ""}))
    first, second = Report.objects.order_by("id")
    assert (first.latitude, first.place_source) == (42.4, "named")
    assert second.latitude is None
    assert Place.objects.count() == 1


def test_swapped_columns_are_told_and_not_mended_in_silence(folder: Path) -> None:
    many = rows(*[{4: "20,43", 5: f"42,38{n}"} for n in range(12)])
    output = run(folder, many, code=1).output
    assert "seem to be swapped. Write swap = true in [place]" in output
    assert not Report.objects.exists()
    remap(folder, "[place]", "[place]\nswap = true")
    run(folder, many)
    assert set(Report.objects.values_list("longitude", flat=True)) == {20.43}


def test_what_looks_swapped_can_be_right(folder: Path) -> None:
    remap(folder, "[place]", "[place]\nswap = false")
    run(folder, rows(*[{4: "20,43", 5: f"42,38{n}"} for n in range(12)]))
    assert set(Report.objects.values_list("latitude", flat=True)) == {20.43}


def test_a_point_far_from_all_others_stays_off_the_map(folder: Path) -> None:
    output = run(folder, rows(*[{} for _n in range(12)], {4: "-33,9", 5: "18,4"})).output
    assert "more than 1000 km from the other reports" in output
    assert "12 with a place + 1 without = 13 taken" in output


def test_again_changes_nothing_and_a_changed_row_is_told(folder: Path) -> None:
    run(folder, rows({}, {}))
    before = (Report.objects.count(), Entry.objects.count(), ImportBatch.objects.count())
    assert "2 already here" in run(folder, rows({}, {})).output
    assert (Report.objects.count(), Entry.objects.count(), ImportBatch.objects.count()) == before
    output = run(folder, rows({}, {3: "Changed."})).output
    assert "has the id “2” of another report and says something else; that report was left as it is" in output


def test_two_rows_with_one_id_are_told(folder: Path) -> None:
    output = run(folder, rows({}, {0: "1", 3: "Others."})).output
    assert "Row 3 was not taken: it has the id “1” of another report" in output
    assert "2 already here" in run(folder, rows({}, {0: "1"})).output


def test_without_an_id_the_content_tells_rows_apart(folder: Path) -> None:
    remap(folder, 'id = "nr"', "")
    output = run(folder, rows({0: "1"}, {0: "1", 3: "Others."}, {0: "1"})).output
    assert "2 published" in output
    assert "1 already here" in output


def test_a_long_source_name_does_not_make_all_rows_one(folder: Path) -> None:
    run(folder, rows({}, {}), "--source", "a" * 200)
    assert Report.objects.count() == 2


def test_long_ids_that_begin_alike_are_two(folder: Path) -> None:
    assert "2 published" in run(folder, rows({0: "x" * 60 + "1"}, {0: "x" * 60 + "2"})).output


@pytest.mark.parametrize(("number", "outcome"), [(1, "held"), (5, "published")])
def test_a_name_that_recurs_as_a_place_is_no_persons(folder: Path, number: int, outcome: str) -> None:
    many = [{2: "Mirlande Exampleson", 3: "Near Mirlande Exampleson."}] * number
    assert f"{number} {outcome}" in run(folder, rows(*many)).output


def test_a_dry_run_tells_the_same_and_stores_nothing(folder: Path) -> None:
    output = run(folder, rows({}, {6: ""}, {3: "Call 044 123 456"}), "--dry-run").output
    assert "nothing was stored" in output
    for sentence in ("1 published", "1 held", "1 not taken", "Row 3 was not taken: it has no date"):
        assert sentence in output
    assert not ImportBatch.objects.exists()
    assert not Report.objects.exists()


def test_a_few_rows_to_try(folder: Path) -> None:
    assert "2 rows:" in run(folder, rows({}, {}, {}), "--limit", "2").output
    assert Report.objects.count() == 2


def test_a_topics_delay_holds_for_what_is_new(folder: Path, topic: Topic) -> None:
    make.make_topic("dump", categories=topic.definition.categories, fields=topic.definition.fields, delay_hours=72)
    today = clock.now()
    run(folder, rows({}, {6: f"{today:%d.%m.%Y}"}))
    old, new = Publication.objects.order_by("report__client_key")
    assert old.public_at < today - timedelta(days=100)
    assert new.public_at > today


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('"lat"', '"latt"', "The file has no column “latt”. Did you mean “lat”?"),
        ("{note}", "{notes}", "The file has no column “notes”. Did you mean “note”?"),
        ("[fields.size]", "[fields.sise]", "The topic asks no question “sise”. Did you mean “size”?"),
        ('S = "bag"', 'S = "bags"', "[fields.size] “S” becomes “bags”, which is none. Did you mean “bag”?"),
        ('column = "day"', 'column = "day"\ntime_zone = "Mars/North"', "“Mars/North” is not a time zone"),
        ('column = "day"', 'column = "day"\notherwise = "never"', "is no day that has been"),
    ],
)
def test_a_mapping_that_does_not_fit_is_told(folder: Path, old: str, new: str, sentence: str) -> None:
    remap(folder, old, new)
    if "sise" in new:
        remap(folder, "[fields.size.values]\nS", "[fields.sise.values]\nS")
    (folder / "data.csv").write_text(rows({}), "utf-8")
    arguments = [str(folder / "data.csv"), "--topic", "dump", "--mapping", str(folder / "m.toml")]
    result = CliRunner().invoke(command.import_file, arguments)
    assert result.exit_code in (1, 2)
    assert sentence in result.output
    assert not Report.objects.exists()


def test_a_topic_that_is_not_there_is_told(folder: Path) -> None:
    result = CliRunner().invoke(command.import_file, ["x.csv", "--topic", "moon", "--mapping", str(folder / "m.toml")])
    assert "There is no topic “moon”. There are: dump." in result.output


def test_geojson_with_areas_and_without_a_place(folder: Path) -> None:
    (folder / "m.toml").write_text('[date]\notherwise = "2015-01-01"\n[state]\notherwise = "publish"', "utf-8")
    square = [[20.4, 42.3], [20.5, 42.3], [20.5, 42.4], [20.4, 42.4], [20.4, 42.3]]
    geometries: list[Any] = [{"type": "Point", "coordinates": [20.4, 42.3]}, None]
    geometries += [{"type": "Polygon", "coordinates": [square]}, {"type": "Point", "coordinates": ["x"]}]
    features = [{"type": "Feature", "properties": {"n": n}, "geometry": g} for n, g in enumerate(geometries)]
    output = run(folder, json.dumps({"features": features}), name="data.geojson").output
    assert "2 with a place + 1 without = 3 taken" in output
    assert "Row 4 was not taken: it has a geometry that is none" in output
    assert Report.objects.get(latitude__gt=42.31).title == "Dump"


def test_an_import_is_withdrawn_as_a_whole_and_can_come_again(folder: Path, client: Client) -> None:
    run(folder, rows({}, {9: "wait"}, {9: "no"}))
    code = Publication.objects.get().code
    number = ImportBatch.objects.get().pk
    listed = CliRunner().invoke(command.list_imports).output
    assert f"{number}  " in listed
    assert "council  → dump  3 reports  CC BY 4.0" in listed
    runner = CliRunner()
    assert runner.invoke(command.undo, [str(number)], input="n\n").exit_code == 1
    assert client.get(f"/reports/{code}/").status_code == 200
    output = runner.invoke(command.undo, [str(number)], input="y\n").output
    assert "Withdraw the 3 reports of import" in output
    assert "2 reports were closed" in output
    assert client.get(f"/reports/{code}/").status_code == 404
    assert set(Report.objects.values_list("state", flat=True)) == {State.REJECTED}
    assert Entry.objects.filter(kind="reports.import_undone", subject_id=number).count() == 1
    entries = Entry.objects.count()
    runner.invoke(command.undo, [str(number), "--yes"])
    assert Entry.objects.count() == entries
    assert "withdrawn" in runner.invoke(command.list_imports).output
    run(folder, rows({}, {9: "wait"}, {9: "no"}))
    assert Report.objects.count() == 6
    assert Publication.objects.filter(state="public").count() == 1


def test_no_import_of_that_number(db: None) -> None:
    assert "There is no import 7." in CliRunner().invoke(command.undo, ["7"]).output


def test_the_number_of_queries_does_not_grow_with_rows(folder: Path) -> None:
    counts = []
    for number in (10, 90):
        with CaptureQueriesContext(connection) as queries:
            run(folder, rows(*[{3: f"Number {n}"} for n in range(number)]), "--source", f"s{number}")
        counts.append(len(queries))
    # Of one transaction; SQLite takes a few more where a statement has too many values.
    assert counts[1] - counts[0] <= 12


cells = st.text(max_size=12) | st.sampled_from(["14.03.2015", "42,5", "20.4", "S", "Goma", "no", "1", ""])
tables = st.lists(st.lists(cells, min_size=10, max_size=10), max_size=8)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tables)
def test_every_row_is_a_report_or_has_a_reason(folder: Path, table: list[list[str]]) -> None:
    (folder / "any.json").write_text(
        json.dumps([dict(zip(HEADER.split(";"), row, strict=True)) for row in table]), "utf-8"
    )
    check_rows(folder / "any.json", len(table))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300), st.sampled_from(["csv", "json", "js", "ndjson", "dat"]))
def test_any_bytes_end_with_rows_or_a_sentence(folder: Path, raw: bytes, kind: str) -> None:
    file = folder / f"any.{kind}"
    file.write_bytes(f"{HEADER}\n".encode() + raw if kind == "csv" else raw)
    with suppress(FileNotReadable):
        check_rows(file, None)


def check_rows(file: Path, number: int | None) -> None:
    mapping = convert(tomllib.loads(MAPPING))
    definition = Topic.objects.get(code="dump").definition
    around = Surroundings(definition, ("en", "sq"), ZoneInfo("Europe/Belgrade"), make.NOW)
    reader = RowReader(mapping, around)
    found = [reader.read(record) for record in open_source(file, mapping).records()]
    assert number is None or len(found) == number
    for row in found:
        assert (row.report is None) == bool(row.problem)
        assert row.key
        # What a terminal and every database can take.
        assert "\n" not in (row.key + row.problem).encode().decode()
        assert len(row.key) <= 60 and len(row.problem) <= 200
