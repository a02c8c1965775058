"""PostGIS: hexagons of a tile counted per request and written by ST_AsMVT, over a GiST index."""

from __future__ import annotations

import os
import time
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from bench.load.peers.points import Points, View, median_by_kind, mercator

SERVER = os.environ.get("COMMONBEAT_BENCH_POSTGRESQL", "postgresql://postgres@127.0.0.1:5432/postgres")
DATABASE = "commonbeat_bench_points"
# Hexagons about as wide as the cells of our tiles: a tile has some thirty across.
ACROSS = 30
TILE = """
WITH tile AS (SELECT ST_MakeEnvelope(%(west)s, %(south)s, %(east)s, %(north)s, 3857) AS box),
hexagons AS (
  SELECT grid.geom, count(*) AS n
  FROM tile, ST_HexagonGrid(%(edge)s, tile.box) AS grid JOIN points ON ST_Intersects(points.geom, grid.geom)
  WHERE points.geom && tile.box AND (%(category)s < 0 OR points.category = %(category)s)
    AND points.day BETWEEN %(since)s AND %(until)s
  GROUP BY grid.geom)
SELECT ST_AsMVT(drawn, 'cells') FROM (
  SELECT n, ST_AsMVTGeom(hexagons.geom, tile.box) AS geom FROM hexagons, tile) AS drawn
"""


def absence() -> str:
    """Say why it cannot be measured; nothing when it can."""
    try:
        with psycopg.connect(SERVER, connect_timeout=3) as db:
            has = db.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'postgis'").fetchone()
    except psycopg.Error as error:
        return f"no PostgreSQL answers ({type(error).__name__})"
    return "" if has else "the server has no PostGIS (Debian: postgresql-15-postgis-3)"


def measure(points: Points, views: list[View], seconds: float) -> dict[str, float]:
    """Load the points, ask for the tiles, and drop the database."""
    name = sql.Identifier(DATABASE)
    with psycopg.connect(SERVER, autocommit=True) as db:
        db.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(name))
        db.execute(sql.SQL("CREATE DATABASE {}").format(name))
    try:
        with psycopg.connect(urlunsplit(urlsplit(SERVER)._replace(path=f"/{DATABASE}")), autocommit=True) as db:
            return _measure(db, points, views, seconds)
    finally:
        with psycopg.connect(SERVER, autocommit=True) as db:
            db.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))


def _measure(db: psycopg.Connection, points: Points, views: list[View], seconds: float) -> dict[str, float]:
    begun = time.perf_counter()
    db.execute("CREATE EXTENSION postgis")
    db.execute("CREATE UNLOGGED TABLE raw (x float8, y float8, category smallint, day int)")
    x, y = mercator(points)
    with db.cursor() as cursor, cursor.copy("COPY raw FROM STDIN") as copy:
        step = 100_000
        for start in range(0, len(x), step):
            part = slice(start, start + step)
            rows = zip(x[part], y[part], points.category[part], points.day[part], strict=True)
            copy.write("".join(f"{a:.3f}\t{b:.3f}\t{c}\t{d}\n" for a, b, c, d in rows))
    db.execute(
        "CREATE UNLOGGED TABLE points AS SELECT ST_SetSRID(ST_MakePoint(x, y), 3857) AS geom, category, day FROM raw"
    )
    db.execute("DROP TABLE raw")
    db.execute("CREATE INDEX ON points USING gist (geom)")
    db.execute("ANALYZE points")
    loaded = time.perf_counter() - begun

    def answer(view: View) -> None:
        west, south, east, north = view.metres()
        db.execute(
            TILE,
            {
                "west": west, "south": south, "east": east, "north": north, "category": view.category,
                "edge": (east - west) / ACROSS / 3**0.5,
                "since": view.since if view.since is not None else -1_000_000,
                "until": view.until if view.until is not None else 1_000_000,
            },
        ).fetchone()  # fmt: skip

    return {"load_s": loaded, **median_by_kind(views, answer, seconds)}
