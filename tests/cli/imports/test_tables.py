"""The reader of tables: however a file is written, each of its rows is a record or has a reason."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonbeat.cli.imports.records import FileNotReadable, Record
from commonbeat.cli.imports.tables import MOST_LINES, UNCLOSED, open_table


def read(folder: Path, raw: bytes | str, **options: str) -> list[Record]:
    file = folder / "table.csv"
    file.write_bytes(raw.encode() if isinstance(raw, str) else raw)
    return list(open_table(file, **options).records())


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(tmp_path: Path, delimiter: str) -> None:
    (row,) = read(
        tmp_path,
        delimiter.join(["nr", "what, where", "lat"]).replace("what, where", '"what, where"')
        + "\n"
        + delimiter.join("1ab"),
    )
    assert row.values == {"nr": "1", "what, where": "a", "lat": "b"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_the_encoding_is_found(tmp_path: Path, encoding: str) -> None:
    (row,) = read(tmp_path, "vendi,çka\nPejë,plehra\n".encode(encoding))
    assert row.values == {"vendi": "Pejë", "çka": "plehra"}


def test_an_encoding_that_cannot_be_told_is_named(tmp_path: Path) -> None:
    raw = "mesto;šta\nČačak;đubre\n".encode("cp1250")
    assert read(tmp_path, raw)[0].values["mesto"] != "Čačak"
    (row,) = read(tmp_path, raw, encoding="windows-1250")
    assert row.values == {"mesto": "Čačak", "šta": "đubre"}


@pytest.mark.parametrize(
    ("raw", "options", "sentence"),
    [
        (b"", {}, "is empty"),
        (b"\n \n", {}, "is empty"),
        (b"\x89PNG\r\n\x1a\n" + b"\0\1\2" * 400, {}, "is not text"),
        (b"a,b\n1,2", {"encoding": "klingon"}, "“klingon” is no encoding"),
        (b"a,b\n1,2", {"encoding": "zip"}, "“zip” is no encoding"),
        (b"a,b\n\xff,2", {"encoding": "utf-8"}, "not in utf-8 throughout"),
        (b"a,b\n1,2", {"delimiter": "::"}, "delimiter is one character"),
        (b"x" * 300_000, {}, "too long to be a header"),
    ],
)
def test_what_is_no_table_is_refused_with_a_sentence(
    tmp_path: Path, raw: bytes, options: dict[str, str], sentence: str
) -> None:
    with pytest.raises(FileNotReadable, match=sentence):
        read(tmp_path, raw, **options)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotReadable, match="cannot be opened: No such file"):
        open_table(tmp_path / "none.csv")


def test_excels_first_line_blank_rows_and_empty_columns(tmp_path: Path) -> None:
    rows = read(tmp_path, "sep=;\na;b;;\n1;2;;\n;;;\n\n3;4;;\n")
    assert [row.values for row in rows] == [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]


def test_columns_are_told_apart(tmp_path: Path) -> None:
    (row,) = read(tmp_path, 'a,a,,"two\nlines"\n1,2,3,4\n')
    assert row.values == {"a": "1", "a (2)": "2", "column 3": "3", "two lines": "4"}


def test_a_ragged_row_has_a_reason_and_the_others_are_read(tmp_path: Path) -> None:
    short, good, long = read(tmp_path, "a,b,c\n1,2\n1,2,3\n1,2,3,4\n")
    assert "has 2 cells where the header has 3" in short.problem
    assert good.values == {"a": "1", "b": "2", "c": "3"}
    assert "has 4 cells" in long.problem


@pytest.mark.parametrize(
    "lost",
    [
        '2,"never closed\n',  # up to the end of the file
        '2,"closed, by the next\n5,"quoted"\n',
        '2,"x"y" z"\n3,"a\n',
    ],
)
def test_a_lost_quote_costs_its_own_row_only(tmp_path: Path, lost: str) -> None:
    rows = read(tmp_path, f"a,b\n1,one\n{lost}3,three\n4,four\n")
    good = [row.values["a"] for row in rows if not row.problem]
    assert [each for each in good if each in ("1", "3", "4")] == ["1", "3", "4"]
    assert any(row.problem for row in rows)


def test_a_lost_quote_in_a_long_file_is_found_soon(tmp_path: Path) -> None:
    rows = read(tmp_path, 'a,b\n1,"lost\n' + "2,x\n" * (2 * MOST_LINES))
    assert rows[0].problem == UNCLOSED
    assert len(rows) == 1 + 2 * MOST_LINES
    assert not any(row.problem for row in rows[1:])


def test_inches_and_doubled_quotes_are_text(tmp_path: Path) -> None:
    first, second = read(tmp_path, 'a,b\n1,5" pipe\n2,"a ""word"" here"\n')
    assert first.values["b"] == '5" pipe'
    assert second.values["b"] == 'a "word" here'


def test_text_over_several_lines_is_one_row(tmp_path: Path) -> None:
    first, second = read(tmp_path, 'a,b\r\n1,"one\r\ntwo"\r\n2,x\r\n')
    assert first.values["b"] == "one\r\ntwo"
    assert second.number == 3


def test_a_huge_line_is_one_refused_row(tmp_path: Path) -> None:
    huge, good = read(tmp_path, "a,b\n1," + "x" * 700_000 + "\n2,y\n")
    assert "longer than 200,000" in huge.problem
    assert good.values == {"a": "2", "b": "y"}


cell = st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)


@given(st.lists(st.lists(cell, min_size=3, max_size=3), max_size=12), st.sampled_from(",;\t|"))
def test_what_was_written_is_read(tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], mark: str) -> None:
    out = io.StringIO()
    csv.writer(out, delimiter=mark).writerows([["a", "b", "c"], *rows])
    found = read(tmp_path_factory.mktemp("any"), out.getvalue().encode("utf-8-sig"))
    assert [list(row.values.values()) for row in found] == [row for row in rows if any(c.strip() for c in row)]


@given(st.binary(max_size=400) | st.text(alphabet='",;\n\r a1\\', max_size=80).map(lambda t: f"a,b\n{t}".encode()))
def test_no_line_of_any_file_is_lost(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    file = tmp_path_factory.mktemp("any") / "table.csv"
    file.write_bytes(raw)
    try:
        table = open_table(file)
        found = list(table.records())
    except FileNotReadable:
        return
    assert all(bool(record.values) != bool(record.problem) for record in found)
    with file.open(encoding=table.encoding, newline="") as handle:
        lines = [line for line in handle if line.strip('\ufeff\0 \t\r\n\x1c\x1d\x1e\x1f\x85\u2028\u2029",;|')]
    # The header, and each line with a word, lie in one record each.
    assert sum(record.lines for record in found) >= len(lines) - 1 - raw.lower().startswith(b"sep=") - _extra(
        table.columns
    )


def _extra(columns: tuple[str, ...]) -> int:
    # A header over several lines takes as many.
    return 0 if len(columns) < 1 else 2
