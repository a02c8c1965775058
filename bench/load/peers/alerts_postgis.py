"""PostGIS: who is within their own radius of an area, by ST_DWithin over a GiST index of geography."""

from __future__ import annotations

import time
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from bench.load import alerts_site
from bench.load.peers.postgis import SERVER

DATABASE = "commonbeat_bench_alerts_peer"
# The index takes a constant distance only, so the widest radius comes first, and the place's own decides.
FIND = """
SELECT count(*) FROM places
WHERE ST_DWithin(place, ST_GeomFromText(%(area)s, 4326)::geography, %(widest)s)
  AND ST_DWithin(place, ST_GeomFromText(%(area)s, 4326)::geography, radius)
"""
# The same in the plane, with a projection made for the country: what somebody writes who knows it well.
FIND_FLAT = """
SELECT count(*) FROM places
WHERE ST_DWithin(flat, ST_Transform(ST_GeomFromText(%(area)s, 4326), 32634), %(widest)s)
  AND ST_DWithin(flat, ST_Transform(ST_GeomFromText(%(area)s, 4326), 32634), radius)
"""
# As FixMyStreet sends its alerts: each subscription asks by itself what is new around it.
ASK = "SELECT id FROM alerts WHERE ST_DWithin(area, ST_MakePoint(%s, %s)::geography, %s)"
ASKED = 2_000


def measure(number: int, repeats: int = 3) -> dict[str, float]:
    """Load the same places, ask, and drop the database."""
    name = sql.Identifier(DATABASE)
    with psycopg.connect(SERVER, autocommit=True) as db:
        db.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
        db.execute(sql.SQL("CREATE DATABASE {}").format(name))
    try:
        with psycopg.connect(urlunsplit(urlsplit(SERVER)._replace(path=f"/{DATABASE}")), autocommit=True) as db:
            return _measure(db, number, repeats)
    finally:
        with psycopg.connect(SERVER, autocommit=True) as db:
            db.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))


def _measure(db: psycopg.Connection, number: int, repeats: int) -> dict[str, float]:
    db.execute("CREATE EXTENSION postgis")
    db.execute("CREATE UNLOGGED TABLE raw (lon float8, lat float8, radius float4)")
    latitudes, longitudes, radii = alerts_site.places(number)
    with db.cursor() as cursor, cursor.copy("COPY raw FROM STDIN") as copy:
        for at in range(0, number, 100_000):
            part = slice(at, at + 100_000)
            rows = zip(longitudes[part], latitudes[part], radii[part], strict=True)
            copy.write("".join(f"{a:.3f}\t{b:.3f}\t{c:.0f}\n" for a, b, c in rows))
    db.execute(
        "CREATE UNLOGGED TABLE places AS SELECT ST_MakePoint(lon, lat)::geography AS place, radius,"
        " ST_Transform(ST_SetSRID(ST_MakePoint(lon, lat), 4326), 32634) AS flat FROM raw"
    )
    db.execute("CREATE INDEX ON places USING gist (place)")
    db.execute("CREATE INDEX ON places USING gist (flat)")
    db.execute("VACUUM ANALYZE places")
    found: dict[str, float] = {}
    for name in alerts_site.AREAS:
        asked = {"area": alerts_site.area(name).wkt, "widest": float(radii.max())}
        for key, statement in (("postgis", FIND), ("postgis_flat", FIND_FLAT)):
            times = []
            for _ in range(repeats):
                begun = time.perf_counter()
                row = db.execute(statement, asked).fetchone()
                times.append(time.perf_counter() - begun)
            assert row is not None
            found[f"{key}_{name}_s"] = min(times)
            found[f"{key}_{name}_n"] = float(row[0])
    found["per_subscription_s"] = _one_by_one(db, number)
    return found


def _one_by_one(db: psycopg.Connection, number: int) -> float:
    db.execute("CREATE TABLE alerts (id serial, area geography)")
    db.execute("INSERT INTO alerts (area) VALUES (%s::geography)", [alerts_site.area("province").wkt])
    db.execute("CREATE INDEX ON alerts USING gist (area)")
    step = max(1, number // ASKED)
    some = [column[::step][:ASKED].tolist() for column in alerts_site.places(number)]
    begun = time.perf_counter()
    for latitude, longitude, radius in zip(*some, strict=True):
        db.execute(ASK, [longitude, latitude, radius]).fetchall()
    return (time.perf_counter() - begun) / len(some[0]) * number
