"""The files themselves: what goes in comes out, in each format, in the same memory."""

from __future__ import annotations

import csv
import gzip
import io
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import Polygon, shape

from commonbeat.config.options import Licence
from commonbeat.foundation import cells
from commonbeat.live.data.formats import WRITERS, Row, Sheet
from commonbeat.live.data.polygons import geometry
from commonbeat.maps.open_data import COLUMNS, last_day
from commonbeat.maps.rules import day_number
from commonbeat.topics.definition import Period
from tests import make

CELL = cells.cell_of(make.LATITUDE, make.LONGITUDE, 10)
MARCH = day_number(date(2026, 3, 1))
NAMES = [column.name for column in COLUMNS]
ROWS: list[Row] = [("", 0, MARCH, 4), ("*", 0, MARCH, 5), ("dark", CELL, MARCH, 3), ("gone", CELL, MARCH, 1)]


def sheet(rows: Sequence[Row] = ROWS, **more: Any) -> Sheet:
    labels = {"dark": "Dark “lamp”, po ë ليل"}
    licence = Licence("CC0-1.0", "Creative Commons Zero 1.0", "https://example.org/")
    given = {"topic": "street-light", "title": "Street light", "publisher": "Town", "licence": licence}
    return Sheet(**{**given, "rows": rows, "labels": labels, "kinds": (Period.MONTH,), **more})


def written(kind: str, what: Sheet) -> bytes:
    out = io.BytesIO()
    size = WRITERS[kind](out, what)
    body = out.getvalue()
    if kind != "parquet":
        body = gzip.decompress(body)
    assert size == len(body)
    return body


def csv_rows(body: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body.decode("utf-8"), newline="")))


def parquet_rows(body: bytes) -> list[dict[str, Any]]:
    from arro3.io import read_parquet

    table = read_parquet(io.BytesIO(body)).read_all()
    columns = [table.column(name).to_pylist() for name in NAMES]
    return [dict(zip(NAMES, values, strict=True)) for values in zip(*columns, strict=True)]


def features(body: bytes) -> list[dict[str, Any]]:
    collection = json.loads(body)
    assert collection["type"] == "FeatureCollection"
    return list(collection["features"])


def test_csv_says_it_all() -> None:
    body = written("csv", sheet())
    assert body.startswith(",".join(NAMES).encode() + b"\r\n")
    nowhere, several, dark, gone = csv_rows(body)
    latitude, longitude = cells.centre(CELL)
    assert dark == {
        "topic": "street-light",
        "category": "dark",
        "category_name": "Dark “lamp”, po ë ليل",
        "cell": f"{CELL:x}",
        "resolution": "10",
        "latitude": f"{latitude:.6f}",
        "longitude": f"{longitude:.6f}",
        "period_start": "2026-03-01",
        "period_end": "2026-03-31",
        "reports": "3",
    }
    assert (nowhere["cell"], nowhere["latitude"], nowhere["reports"]) == ("", "", "4")
    assert (several["category"], gone["category"], gone["category_name"]) == ("*", "gone", "")


def test_a_spreadsheet_finds_no_formula() -> None:
    evil = {code: f"{sign}HYPERLINK(1)" for code, sign in zip("abcdef", "=+-@\t\r", strict=True)}
    body = written("csv", sheet([(code, CELL, MARCH, 1) for code in evil], labels=evil))
    assert [row["category_name"] for row in csv_rows(body)] == ["'" + label for label in evil.values()]


def test_geojson_has_areas_and_none_where_there_is_none() -> None:
    nowhere, _, dark, _ = features(written("geojson", sheet()))
    assert nowhere["geometry"] is None and nowhere["properties"]["cell"] is None
    area = shape(dark["geometry"])
    assert area.is_valid and area.exterior.is_ccw
    assert cells.cell_of(area.centroid.y, area.centroid.x, 10) == CELL
    assert list(dark["properties"]) == NAMES
    assert dark["properties"]["reports"] == 3
    assert dark["properties"]["category_name"] == "Dark “lamp”, po ë ليل"


def test_parquet_is_read_back() -> None:
    nowhere, several, dark, _ = parquet_rows(written("parquet", sheet()))
    assert dark["period_start"] == date(2026, 3, 1) and dark["period_end"] == date(2026, 3, 31)
    assert (dark["cell"], dark["resolution"], dark["reports"]) == (f"{CELL:x}", 10, 3)
    assert dark["latitude"] == pytest.approx(cells.centre(CELL)[0], abs=1e-6)
    assert nowhere["cell"] is nowhere["latitude"] is None
    assert several["category"] == "*"


@pytest.mark.parametrize("kind", list(WRITERS))
def test_nothing_published_is_a_file_too(kind: str) -> None:
    what = sheet([])
    body = written(kind, what)
    read = {"csv": csv_rows, "geojson": features, "parquet": parquet_rows}[kind]
    assert (read(body), what.count) == ([], 0)


@pytest.mark.parametrize("kind", list(WRITERS))
def test_what_came_about_in_two_ways_is_one_row(kind: str) -> None:
    # A topic that once published each report and now only counts has two buckets with one name.
    what = sheet([("dark", CELL, MARCH, 3), ("dark", CELL, MARCH, 2), ("dark", CELL, MARCH + 31, 1)])
    written(kind, what)
    assert (what.count, what.reports) == (2, 6)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["", "*", "dark", "gone"]),
            st.sampled_from([0, CELL, cells.parent(CELL, 6)]),
            st.integers(MARCH, MARCH + 400),
            st.integers(1, 1_000_000),
        ),
        max_size=30,
        unique_by=lambda row: row[:3],
    )
)
def test_every_format_tells_the_same(rows: list[Row]) -> None:
    rows.sort(key=lambda row: (row[1], row[2], row[0]))
    by_csv = [
        (r["category"], r["cell"], r["period_start"], int(r["reports"])) for r in csv_rows(written("csv", sheet(rows)))
    ]
    by_geojson = [
        (p["category"], p["cell"] or "", p["period_start"], p["reports"])
        for p in (each["properties"] for each in features(written("geojson", sheet(rows))))
    ]
    by_parquet = [
        (r["category"], r["cell"] or "", r["period_start"].isoformat(), r["reports"])
        for r in parquet_rows(written("parquet", sheet(rows)))
    ]
    assert by_csv == by_geojson == by_parquet
    assert [row[3] for row in by_csv] == [row[3] for row in rows]


@pytest.mark.parametrize("resolution", [4, 8, 11])
@pytest.mark.parametrize("point", [(-16.5, 179.9999), (-16.5, -179.9999), (65.0, 180.0), (0.0, 180.0)])
def test_an_area_across_the_date_line_is_cut(point: tuple[float, float], resolution: int) -> None:
    cell = cells.cell_of(*point, resolution)
    crosses = max(x for _, x in cells.boundary(cell)) - min(x for _, x in cells.boundary(cell)) > 180
    area = shape(json.loads(geometry(cell)))
    parts = list(getattr(area, "geoms", [area]))
    assert len(parts) == (2 if crosses else 1)
    for part in parts:
        assert part.is_valid and part.exterior.is_ccw
        west, _, east, _ = part.bounds
        assert -180 <= west < east <= 180 and east - west < 90


@pytest.mark.parametrize("latitude", [90.0, -90.0])
def test_an_area_around_a_pole_reaches_it(latitude: float) -> None:
    area = shape(json.loads(geometry(cells.cell_of(latitude, 0.0, 4))))
    assert area.is_valid
    assert area.bounds[0] == -180 and area.bounds[2] == 180
    assert latitude in (area.bounds[1], area.bounds[3])
    assert all(part.exterior.is_ccw for part in (area.geoms if not isinstance(area, Polygon) else [area]))


def test_the_end_of_a_period_never_says_more_than_is_known() -> None:
    both = (Period.DAY, Period.MONTH)
    assert last_day(MARCH, (Period.MONTH,)) == MARCH + 30
    assert last_day(MARCH, both) == MARCH + 30
    assert last_day(MARCH + 3, both) == MARCH + 3
    assert last_day(day_number(date(2026, 3, 2)), (Period.WEEK,)) == day_number(date(2026, 3, 8))
    assert last_day(MARCH + 3, (Period.MONTH,)) == MARCH + 3


@pytest.mark.gdal
@pytest.mark.skipif(shutil.which("ogrinfo") is None, reason="GDAL's ogrinfo is absent (Debian: gdal-bin)")
def test_gdal_reads_the_areas(tmp_path: Path) -> None:
    across = cells.cell_of(-16.5, 179.9999, 4)
    file = tmp_path / "street-light.geojson"
    file.write_bytes(written("geojson", sheet([*ROWS, ("dark", across, MARCH, 2)])))
    said = subprocess.run(["ogrinfo", "-al", str(file)], capture_output=True, text=True, timeout=30, check=True)
    assert said.stderr == ""
    assert "Feature Count: 5" in said.stdout and "Layer name: street-light" in said.stdout
    assert "reports (Integer) = 3" in said.stdout and "period_start (Date) = 2026/03/01" in said.stdout
    assert "MULTIPOLYGON" in said.stdout and "POLYGON ((" in said.stdout


_MEASURE = """
import io, resource, sys
from commonbeat.config.options import Licence
from commonbeat.foundation import cells
from commonbeat.live.data.formats import WRITERS, Sheet
from commonbeat.topics.definition import Period

def sheet(n):
    town = [cells.cell_of(42 + i / 1000, 20 + j / 1000, 10) for i in range(n // 3000) for j in range(100)]
    rows = (("dark", cell, 20_000 + day, 3) for cell in sorted(town) for day in range(30))
    licence = Licence("CC0-1.0", "Zero", "https://example.org/")
    return Sheet("street-light", "Street light", "Town", licence, rows, {"dark": "Dark lamp"}, (Period.DAY,))

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

write = WRITERS[sys.argv[1]]
with open(sys.argv[2], "wb") as out:
    write(out, sheet(6_000))
before = peak()
with open(sys.argv[2], "wb") as out:
    large = sheet(300_000)
    write(out, large)
print(large.count, peak() - before)
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", list(WRITERS))
def test_many_rows_need_no_more_memory_than_few(kind: str, tmp_path: Path) -> None:
    said = subprocess.run(
        [sys.executable, "-c", _MEASURE, kind, str(tmp_path / "file")],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    count, grown_kb = map(int, said.stdout.split())
    assert count == 300_000
    assert grown_kb < 30_000, said.stdout
