"""The reader of Ushahidi exports: every row is a report, or a reason."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonbeat.cli.imports.records import FileNotReadable
from commonbeat.cli.imports.ushahidi import read_ushahidi, split_categories
from commonbeat.reports.actions.imports import PUBLISH, ImportedRow

ZONE = ZoneInfo("America/Port-au-Prince")
HEADER = [
    "Serial",
    "INCIDENT TITLE",
    "INCIDENT DATE",
    "LOCATION",
    "DESCRIPTION",
    "CATEGORY",
    "LATITUDE",
    "LONGITUDE",
    "APPROVED",
    "VERIFIED",
]
GOOD = ["7", "Road blocked", "05/07/2010 17:26", "Jacmel", "A wall fell.", "5c. Route barree | Road blocked, ", "18.2"]
GOOD += ["-72.5", "YES", "NO"]


def read(tmp_path: Path, *rows: list[str], raw: bytes | None = None, header: list[str] = HEADER) -> list[ImportedRow]:
    file = tmp_path / "export.csv"
    if raw is None:
        out = io.StringIO()
        csv.writer(out).writerows([header, *rows])
        raw = out.getvalue().encode()
    file.write_bytes(raw)
    return list(read_ushahidi(file, time_zone=ZONE))


def changed(**cells: str) -> list[str]:
    row = dict(zip(HEADER, GOOD, strict=True))
    row.update(cells)
    return list(row.values())


def test_a_good_row_is_understood(tmp_path: Path) -> None:
    (row,) = read(tmp_path, GOOD)
    assert row.report is not None
    assert row.report.said_at == datetime(2010, 7, 5, 22, 26, tzinfo=UTC)
    assert (row.report.where.latitude, row.report.where.longitude) == (18.2, -72.5)
    assert row.report.state == PUBLISH
    assert not row.report.verified
    assert row.key == "7"


def test_entities_are_read_in_titles_and_texts(tmp_path: Path) -> None:
    (row,) = read(tmp_path, changed(**{"INCIDENT TITLE": "Fire at &quot;Caf&eacute;&quot; &amp;amp; bar"}))
    assert row.report is not None
    assert row.report.title == 'Fire at "Café" & bar'


def test_two_languages_in_one_category_field_are_told_apart() -> None:
    first, second = split_categories("2b. Penurie d'eau | Water shortage, 3. Public Health, ")
    assert first.label == {"fr": "Penurie d'eau", "en": "Water shortage"}
    assert first.code == "2b-water-shortage"
    assert second.label == {"en": "Public Health"}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_marks_and_old_encodings_are_read(tmp_path: Path, encoding: str) -> None:
    raw = (",".join(HEADER) + "\r\n" + ",".join(changed(LOCATION="Café", CATEGORY="8. Other"))).encode(encoding)
    (row,) = read(tmp_path, raw=raw)
    assert row.report is not None
    assert row.report.where.name == "Café"


def test_a_stray_nul_is_dropped(tmp_path: Path) -> None:
    (row,) = read(tmp_path, changed(DESCRIPTION="A wall\x00 fell."))
    assert row.report is not None
    assert row.report.text == "A wall fell."


@pytest.mark.parametrize("date", ["31/02/2010 10:00", "", "yesterday", "2010-13-01", "01/01/0001"])
def test_an_impossible_date_is_told(tmp_path: Path, date: str) -> None:
    (row,) = read(tmp_path, changed(**{"INCIDENT DATE": date}))
    assert row.report is None
    assert "date" in row.problem


@pytest.mark.parametrize(("latitude", "longitude"), [("", ""), ("north", "1"), ("91", "0"), ("0", "0"), ("nan", "1")])
def test_a_point_that_is_none_leaves_the_report_without_place(tmp_path: Path, latitude: str, longitude: str) -> None:
    (row,) = read(tmp_path, changed(LATITUDE=latitude, LONGITUDE=longitude))
    assert row.report is not None
    assert row.report.where.latitude is None
    assert row.report.where.name == "Jacmel"
    assert bool(row.report.remark) == bool(latitude)


def test_a_point_on_another_continent_is_left_off_the_map_and_remarked(tmp_path: Path) -> None:
    rows = [changed(Serial=str(n)) for n in range(12)]
    rows.append(changed(Serial="99", LATITUDE="50.226029", LONGITUDE="5.729886"))
    *near, far = read(tmp_path, *rows)
    assert all(row.report and row.report.where.latitude == 18.2 for row in near)
    assert far.report is not None
    assert far.report.where.latitude is None
    assert "50.226029" in far.report.remark


def test_a_row_with_a_lost_cell_is_told_and_the_others_are_taken(tmp_path: Path) -> None:
    broken, good = read(tmp_path, GOOD[:-2], changed(Serial="8"))
    assert broken.report is None
    assert "8 cells" in broken.problem
    assert good.report is not None


@pytest.mark.parametrize(
    ("raw", "word"),
    [
        (b"", "is empty"),
        (b"a,b,c\n1,2,3\n", "no column"),
        (b"\x00\x01\x02PNG", "not text"),
    ],
)
def test_a_file_of_another_kind_is_refused_with_a_sentence(tmp_path: Path, raw: bytes, word: str) -> None:
    with pytest.raises(FileNotReadable, match=word):
        read(tmp_path, raw=raw)


def test_a_quote_that_is_never_closed_costs_one_row(tmp_path: Path) -> None:
    raw = (",".join(HEADER) + '\n1,"' + "x" * 300_000 + "\n" + ",".join(changed(CATEGORY="8. Other"))).encode()
    broken, good = read(tmp_path, raw=raw)
    assert "is longer than 200,000 characters" in broken.problem
    assert good.report is not None


# A file with many NULs is refused whole, as one that is no text; a few are dropped (tested above).
cell = st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=30)


@given(st.lists(st.lists(cell, min_size=10, max_size=10), max_size=15))
def test_any_row_is_a_report_or_has_a_reason(tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]) -> None:
    written = [row for row in rows if any(c.strip() for c in row)]
    found = read(tmp_path_factory.mktemp("any"), *rows)
    # A cell such as "\x1c" may count as blank for Python and not for the writer; no row may vanish otherwise.
    assert len(found) == len(written)
    assert all((row.report is None) == bool(row.problem) for row in found)
