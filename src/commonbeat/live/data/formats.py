"""Write buckets as CSV, GeoJSON or Parquet: in one pass, whatever their number, in the same memory."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from typing import Any, BinaryIO

from commonbeat.config.options import Licence
from commonbeat.foundation import cells
from commonbeat.live.data.polygons import geometry
from commonbeat.maps.open_data import COLUMNS, last_day
from commonbeat.maps.rules import NO_PLACE, day_of
from commonbeat.topics.definition import Period

# category, cell, period, n
Row = tuple[str, int, int, int]

# Four times smaller than fast, and still as fast as the rows come.
_COMPRESSION = 4
_ROW_GROUP = 50_000
_BATCH = 10_000
# A spreadsheet takes a cell that begins so for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(slots=True)
class Sheet:
    """The rows of one file, in the order of their cells, and what is said of all of them."""

    topic: str
    title: str
    publisher: str
    licence: Licence
    rows: Iterable[Row]
    labels: dict[str, str] = field(default_factory=dict)
    kinds: tuple[Period, ...] = ()
    # Counted while they are written.
    count: int = 0
    reports: int = 0

    def merged(self) -> Iterator[Row]:
        """Give each cell, period and category once, and count."""
        last: Row | None = None
        for row in self.rows:
            if last is not None:
                if row[:3] == last[:3]:
                    last = (*last[:3], last[3] + row[3])
                    continue
                yield self._counted(last)
            last = row
        if last is not None:
            yield self._counted(last)

    def _counted(self, row: Row) -> Row:
        self.count += 1
        self.reports += row[3]
        return row


def write_csv(out: BinaryIO, sheet: Sheet) -> int:
    """Write CSV (RFC 4180), compressed; returns its size before."""
    with (
        gzip.GzipFile(fileobj=out, mode="wb", compresslevel=_COMPRESSION, mtime=0) as packed,
        io.TextIOWrapper(packed, "utf-8", newline="", write_through=False) as text,
    ):
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow([column.name for column in COLUMNS])
        topic = _inert(sheet.topic)
        names = {code: (_inert(code), _inert(label)) for code, label in sheet.labels.items()}
        place_of, day_pair = _places(_csv_place), _days(sheet.kinds)
        writer.writerows(
            (topic, *(names.get(category) or (_inert(category), "")), *place_of(cell), *day_pair(period), n)
            for category, cell, period, n in sheet.merged()
        )
        text.flush()
        return packed.tell()


def write_geojson(out: BinaryIO, sheet: Sheet) -> int:
    """Write a FeatureCollection of areas, compressed; returns its size before."""
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=_COMPRESSION, mtime=0) as packed:
        about = {"name": sheet.topic, "title": sheet.title, "publisher": sheet.publisher}
        about["licence"], about["licence_url"] = sheet.licence.title, sheet.licence.url
        head = json.dumps({"type": "FeatureCollection", **about}, ensure_ascii=False)[:-1] + ', "features": ['
        packed.write(head.encode())
        topic = json.dumps(sheet.topic)
        names = {
            code: f'"category":{json.dumps(code)},"category_name":{json.dumps(label, ensure_ascii=False)}'
            for code, label in sheet.labels.items()
        }
        place_of, day_pair = _places(_geojson_place), _days(sheet.kinds)
        lines: list[str] = []
        before = "\n"
        for category, cell, period, n in sheet.merged():
            area, where = place_of(cell)
            named = names.get(category) or f'"category":{json.dumps(category)},"category_name":""'
            start, end = day_pair(period)
            lines.append(
                f'{before}{{"type":"Feature","geometry":{area},"properties":{{"topic":{topic},{named},{where},'
                f'"period_start":"{start}","period_end":"{end}","reports":{n}}}}}'
            )
            before = ",\n"
            if len(lines) >= 500:
                packed.write("".join(lines).encode())
                lines.clear()
        packed.write(("".join(lines) + "\n]}\n").encode())
        return packed.tell()


def write_parquet(out: BinaryIO, sheet: Sheet) -> int:
    """Write Parquet in groups of rows; returns its size."""
    # 12 MB of libraries that no other part needs.
    from arro3.core import Array, DataType, Field, RecordBatch, RecordBatchReader, Schema
    from arro3.io import write_parquet as write

    kinds = {"string": DataType.utf8(), "integer": DataType.int32(), "number": DataType.float64()}
    days = DataType.date32()
    types = [days if column.kind == "date" else kinds[column.kind] for column in COLUMNS]
    schema = Schema([Field(column.name, kind) for column, kind in zip(COLUMNS, types, strict=True)])
    stored = [DataType.int32() if kind == days else kind for kind in types]
    place_of = _places(_parquet_place)

    def batches() -> Iterator[RecordBatch]:
        rows = sheet.merged()
        while part := list(islice(rows, _BATCH)):
            columns = zip(
                *(
                    (
                        sheet.topic,
                        category,
                        sheet.labels.get(category, ""),
                        *place_of(cell),
                        period,
                        last_day(period, sheet.kinds),
                        n,
                    )
                    for category, cell, period, n in part
                ),
                strict=True,
            )
            arrays = [Array(list(values), kind) for values, kind in zip(columns, stored, strict=True)]
            yield RecordBatch.from_arrays(
                [one if one.type == kind else one.cast(kind) for one, kind in zip(arrays, types, strict=True)],
                schema=schema,
            )

    about = {"title": sheet.title, "publisher": sheet.publisher, "licence": sheet.licence.title}
    write(
        RecordBatchReader.from_batches(schema, batches()),
        out,
        compression="zstd(3)",
        max_row_group_size=_ROW_GROUP,
        key_value_metadata={**about, "licence_url": sheet.licence.url},
    )
    return out.tell()


WRITERS: dict[str, Callable[[BinaryIO, Sheet], int]] = {
    "csv": write_csv,
    "geojson": write_geojson,
    "parquet": write_parquet,
}
# These are kept, and mostly sent, compressed; Parquet is so in itself.
COMPRESSED = frozenset({"csv", "geojson"})


def _places(make: Callable[[int], Any]) -> Callable[[int], Any]:
    # Rows come in the order of their cells: the last one is most often the next one.
    last: list[Any] = [None, None]

    def place_of(cell: int) -> Any:
        if cell != last[0]:
            last[:] = cell, make(cell)
        return last[1]

    return place_of


def _days(kinds: tuple[Period, ...]) -> Callable[[int], tuple[str, str]]:
    @lru_cache(maxsize=50_000)
    def day_pair(period: int) -> tuple[str, str]:
        return day_of(period).isoformat(), day_of(last_day(period, kinds)).isoformat()

    return day_pair


def _csv_place(cell: int) -> tuple[str, ...]:
    if cell == NO_PLACE:
        return "", "", "", ""
    latitude, longitude = cells.centre(cell)
    return f"{cell:x}", str(cells.resolution_of(cell)), f"{latitude:.6f}", f"{longitude:.6f}"


def _geojson_place(cell: int) -> tuple[str, str]:
    if cell == NO_PLACE:
        return "null", '"cell":null,"resolution":null,"latitude":null,"longitude":null'
    latitude, longitude = cells.centre(cell)
    return geometry(cell), (
        f'"cell":"{cell:x}","resolution":{cells.resolution_of(cell)},'
        f'"latitude":{latitude:.6f},"longitude":{longitude:.6f}'
    )


def _parquet_place(cell: int) -> tuple[Any, ...]:
    if cell == NO_PLACE:
        return None, None, None, None
    latitude, longitude = cells.centre(cell)
    return f"{cell:x}", cells.resolution_of(cell), round(latitude, 6), round(longitude, 6)


def _inert(text: str) -> str:
    return "'" + text if text.startswith(_FORMULA) else text
