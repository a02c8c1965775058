"""A file of rows, whatever its kind: found by its name, else by how it begins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

from commonbeat.cli.imports.features import open_features
from commonbeat.cli.imports.mapping import Mapping, MappingError, nearest
from commonbeat.cli.imports.records import Record, encoding_of, open_text, shown, undecodable
from commonbeat.cli.imports.tables import Table, open_table

TABLES = frozenset({".csv", ".tsv", ".tab", ".txt"})
JSONS = frozenset({".geojson", ".json", ".js", ".ndjson", ".jsonl", ".geojsonl", ".geojsons"})
# A file with more different keys is no list of like objects.
MOST_COLUMNS = 2_000


class Source(Protocol):
    """A file whose records can be read from the beginning, as often as needed."""

    def records(self) -> Iterator[Record]:
        """Read every record."""
        ...


def open_source(path: Path, mapping: Mapping) -> Source:
    """Open a table or a JSON file; FileNotReadable when it is neither."""
    if _is_json(path, mapping.encoding):
        return open_features(path, encoding=mapping.encoding, list_key=mapping.list)
    return open_table(path, encoding=mapping.encoding, delimiter=mapping.delimiter)


class Columns:
    """Collects the columns that come, to tell those that a mapping names and no row has."""

    def __init__(self, source: Source) -> None:
        """Begin with the header, where there is one."""
        self.known: dict[str, None] = dict.fromkeys(source.columns) if isinstance(source, Table) else {}
        self._is_fixed = isinstance(source, Table)

    def watch(self, records: Iterator[Record]) -> Iterator[Record]:
        """Pass records on and remember their columns."""
        for record in records:
            if not self._is_fixed and len(self.known) < MOST_COLUMNS:
                self.known.update(dict.fromkeys(record.values))
            yield record

    def check(self, wanted: Iterable[str]) -> None:
        """Refuse a mapping that names a column which the file does not have."""
        for column in wanted:
            if column and column not in self.known and len(self.known) < MOST_COLUMNS:
                meant = nearest(column, self.known)
                names = ", ".join(shown(name, 40) for name in list(self.known)[:30])
                hint = f"Did you mean “{shown(meant)}”?" if meant else f"It has: {names or 'none'}."
                raise MappingError(f"The file has no column “{shown(column)}”. {hint}")


def _is_json(path: Path, encoding: str) -> bool:
    suffix = path.suffix.lower()
    if suffix in TABLES | JSONS:
        return suffix in JSONS
    encoding = encoding_of(path, encoding)
    with open_text(path, encoding) as handle:
        try:
            return handle.read(1_000).lstrip("\ufeff \t\r\n\x1e").startswith(("{", "["))
        except UnicodeError:
            raise undecodable(encoding) from None
