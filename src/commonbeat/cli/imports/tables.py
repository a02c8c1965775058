"""Read tables with separators, row by row: a lost quote costs its own row, not those that follow."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from commonbeat.cli.imports.records import ROW_LIMIT, FileNotReadable, Record, encoding_of, open_text, undecodable

DELIMITERS = (",", ";", "\t", "|")
# A quoted text of more lines is a lost quote.
MOST_LINES = 500
UNCLOSED = "has a quote that is opened and not closed, or closed in the wrong place"
TOO_LONG = f"is longer than {ROW_LIMIT:,} characters; a line end or a quote may be missing"


@dataclass(frozen=True, slots=True)
class Table:
    """A file with a header: how it is written, and its columns."""

    path: Path
    encoding: str
    delimiter: str
    columns: tuple[str, ...]
    # Records up to the header, such as Excel's "sep=;".
    skipped: int
    # Cells of the header, empty ones at its end included.
    width: int

    def records(self) -> Iterator[Record]:
        """Read every row that is not blank, from the beginning."""
        with open_text(self.path, self.encoding) as handle:
            try:
                records = _records(_Lines(handle), self)
                for number, cells, raw, lines, problem in records:
                    values = {} if problem else dict(zip(self.columns, cells, strict=True))
                    yield Record(number, values, raw, problem=problem, lines=lines)
            except UnicodeError:
                raise undecodable(self.encoding) from None


class _Endless(Exception):
    pass


class _Lines:
    """The lines of a file, with a memory of those that the present record has taken."""

    def __init__(self, handle: IO[str]) -> None:
        self._handle = handle
        self._again: list[str] = []
        self.taken: list[str] = []
        self._length = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if len(self.taken) >= MOST_LINES or self._length > ROW_LIMIT:
            raise _Endless
        line = self._again.pop() if self._again else self._handle.readline(ROW_LIMIT + 1)
        if not line:
            raise StopIteration
        if len(line) <= ROW_LIMIT:
            line = line.replace("\0", "")
        self.taken.append(line)
        self._length += len(line)
        if len(line) > ROW_LIMIT:
            raise _Endless
        return line

    def begin(self) -> None:
        """Forget the lines of the record before."""
        self.taken, self._length = [], 0

    def give_back(self) -> None:
        """Take back all lines of the record but its first, to be read again."""
        self._again.extend(reversed(self.taken[1:]))
        del self.taken[1:]

    def skip_rest(self) -> None:
        """Read on to the end of a line that was too long to be read at once."""
        while not self._again and (rest := self._handle.readline(ROW_LIMIT)):
            if rest.endswith(("\n", "\r")):
                return


def open_table(path: Path, *, encoding: str = "", delimiter: str = "") -> Table:
    """Read how a table is written: encoding, delimiter and header; FileNotReadable when it has none."""
    encoding = encoding_of(path, encoding)
    csv.field_size_limit(2 * ROW_LIMIT)
    with open_text(path, encoding) as handle:
        try:
            skipped, line = 0, handle.readline(ROW_LIMIT)
            while line and not line.strip("\ufeff\0 \t\r\n"):
                skipped, line = skipped + 1, handle.readline(ROW_LIMIT)
            if line.lower().startswith("sep=") and len(line.strip()) == 5:
                delimiter = delimiter or line.strip()[-1]
                skipped, line = skipped + 1, handle.readline(ROW_LIMIT)
        except UnicodeError:
            raise undecodable(encoding) from None
    if not line.strip():
        raise FileNotReadable("The file is empty. Its first row must name the columns.")
    if len(line) >= ROW_LIMIT:
        raise FileNotReadable("The first row is too long to be a header. Is this a table?")
    delimiter = delimiter or _delimiter(line.lstrip("\ufeff").replace("\0", ""))
    if len(delimiter) != 1 or delimiter in '"\r\n\0':
        raise FileNotReadable("The delimiter is one character, such as , or ; or a tab.")
    header = _header(path, encoding, delimiter, skipped)
    return Table(path, encoding, delimiter, _columns(header), skipped + 1, len(header))


def _header(path: Path, encoding: str, delimiter: str, skipped: int) -> list[str]:
    # Read as any row is, for a name may take two lines.
    with open_text(path, encoding) as handle:
        lines = _Lines(handle)
        try:
            for _blank in range(skipped):
                lines.begin()
                next(lines, "")
            lines.begin()
            cells, problem = _next(lines, delimiter)
        except UnicodeError:
            raise undecodable(encoding) from None
    if cells is None or problem:
        return _cells(lines.taken[0], delimiter) if lines.taken else []
    return [cell.lstrip("\ufeff") for cell in cells]


def _delimiter(line: str) -> str:
    return max(DELIMITERS, key=lambda each: len(_cells(line, each)))


def _columns(cells: list[str]) -> tuple[str, ...]:
    names: list[str] = []
    for position, cell in enumerate(cells, start=1):
        name = plain = " ".join(cell.split()) or f"column {position}"
        count = 1
        while name in names:
            count += 1
            name = f"{plain} ({count})"
        names.append(name)
    while len(names) > 1 and names[-1] == f"column {len(names)}":
        # Separators at the end of each row are no columns.
        names.pop()
    return tuple(names)


def _records(lines: _Lines, table: Table) -> Iterator[tuple[int, list[str], str, int, str]]:
    number, width = 0, len(table.columns)
    while True:
        lines.begin()
        cells, problem = _next(lines, table.delimiter)
        if cells is None:
            return
        number += 1
        if number <= table.skipped:
            if problem:
                lines.give_back()
            continue
        if not problem and width < len(cells) <= table.width and not any(cell.strip() for cell in cells[width:]):
            # Only as many as the header has too: elsewhere an empty last cell may hide a separator inside a text.
            cells = cells[:width]
        is_blank = not any(cell.strip() for cell in cells)
        if not problem and not is_blank and len(cells) != width:
            problem = f"has {len(cells)} cells where the header has {width}; a quote may be missing"
        if problem:
            # What a lost quote has swallowed is read again, row by row.
            lines.give_back()
        if problem or not is_blank:
            raw = "".join(lines.taken).rstrip("\r\n") if problem else "\x1f".join(cells)
            yield number, cells, raw, len(lines.taken), problem


def _next(lines: _Lines, delimiter: str) -> tuple[list[str] | None, str]:
    try:
        return next(csv.reader(lines, delimiter=delimiter, strict=True)), ""
    except StopIteration:
        return None, ""
    except (_Endless, csv.Error):
        pass
    first = lines.taken[0]
    if len(first) > ROW_LIMIT:
        if not first.endswith(("\n", "\r")):
            lines.skip_rest()
        return [], TOO_LONG
    if len(lines.taken) > 1:
        return [], UNCLOSED
    # A quote inside one line does no harm beyond it.
    return _cells(first, delimiter), UNCLOSED if _is_open(first, delimiter) else ""


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return [line]


def _is_open(line: str, delimiter: str) -> bool:
    try:
        list(csv.reader([line], delimiter=delimiter, strict=True))
    except csv.Error as error:
        return "end of data" in str(error)
    return False
