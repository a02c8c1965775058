"""A site of many published reports, by raw SQL on either database."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.load.maps_views import CATEGORIES, DAYS, FIRST_DAY, SEED, dates, towns_of

COLUMNS = (
    "id", "report_id", "code", "topic_id", "categories", "public_at", "latitude", "longitude", "cell", "title", "text",
    "language", "place_name", "state", "lists_each", "is_verified", "independent_sources", "is_resolved", "is_imported",
    "held_for",
)  # fmt: skip
_BATCH = 50_000


def fill(rows: float) -> dict[str, float]:
    """Write so many publications: clustered in towns, over four years, in six categories."""
    from django.core.management import call_command
    from django.db import connection

    from commonbeat.foundation import clock
    from commonbeat.topics.actions import create_topic
    from commonbeat.topics.definition import Definition, Option

    call_command("migrate", verbosity=0)
    options = [Option(code=code, label={"en": code}) for code in CATEGORIES]
    definition = Definition(name={"en": "Dumps"}, categories=options, public_resolution=11)
    topic = create_topic(code="dumps", definition=definition, actor_id=None, now=clock.now())
    # Only the public copies are written: the rest of a report is nothing to the map.
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA foreign_keys=OFF")
            cursor.execute("PRAGMA synchronous=OFF")
            for batch in _batches(int(rows), topic.pk):
                cursor.execute("BEGIN")
                cursor.executemany(_insert(), batch)
                cursor.execute("COMMIT")
        else:
            # Foreign keys are triggers there; the reports behind the copies would double the time.
            cursor.execute("SET session_replication_role = replica")
            for batch in _batches(int(rows), topic.pk):
                with cursor.copy(f"COPY reports_publication ({', '.join(COLUMNS)}) FROM STDIN") as copy:
                    for row in batch:
                        copy.write_row((*row[:14], *(bool(part) for part in row[14:16]), row[16], False, False, "[]"))
            cursor.execute("ANALYZE reports_publication")
    return {}


def _insert() -> str:
    return f"INSERT INTO reports_publication ({', '.join(COLUMNS)}) VALUES ({', '.join(['%s'] * len(COLUMNS))})"


def _batches(rows: int, topic_id: int) -> Iterator[list[tuple[Any, ...]]]:
    from commonbeat.foundation import cells

    chance = random.Random(SEED)
    towns = towns_of()
    weights = [1 / (rank + 1) for rank in range(len(towns))]
    days = [f"{day}" for day in dates()]
    for done in range(0, rows, _BATCH):
        batch = []
        for number, (latitude, longitude, spread) in enumerate(
            chance.choices(towns, weights, k=min(_BATCH, rows - done)), done + 1
        ):
            lat, lon = chance.gauss(latitude, spread), chance.gauss(longitude, spread)
            cell = cells.cell_of(lat, lon, 11) if chance.random() > 0.02 else None
            category = f'["{CATEGORIES[int(chance.random() ** 2 * 6)]}"]'
            at = f"{days[int(chance.random() * DAYS)]} 1{number % 10}:00:00"
            place = (lat, lon, cell) if cell else (None, None, None)
            texts = ("A dump", "", "en", "", "public")
            batch.append((number, number, f"{number:x}", topic_id, category, at, *place, *texts, 1, 0, 0, 0, 0, "[]"))
        yield batch


def update(rows: float) -> dict[str, float]:
    """Publish more, and count what the journal says of it."""
    from django.db import connection

    from commonbeat.foundation import clock
    from commonbeat.reactions.counting import count_batch

    count = int(rows)
    with connection.cursor() as cursor:
        cursor.execute(
            "PRAGMA foreign_keys=OFF" if connection.vendor == "sqlite" else "SET session_replication_role = replica"
        )
        cursor.execute("SELECT max(id) FROM reports_publication")
        newest = cursor.fetchone()[0]
        again = {name: name for name in COLUMNS} | {
            "id": f"{newest} + id", "report_id": f"{newest} + id", "code": f"'n' || ({newest} + id)",
        }  # fmt: skip
        cursor.execute(
            f"INSERT INTO reports_publication ({', '.join(again)}) SELECT {', '.join(again.values())}"
            " FROM reports_publication WHERE id <= %s",
            [count],
        )
        cursor.execute(
            "INSERT INTO journal_entry (at, kind, subject_id, data)"
            " SELECT public_at, 'reports.published', report_id, '{}' FROM reports_publication WHERE id > %s",
            [newest],
        )
    begun = time.perf_counter()
    done = 0
    while counted := count_batch(clock.now()):
        done += counted
    assert done == count
    return {"update_per_s": done / (time.perf_counter() - begun)}


def export(folder: Path) -> None:
    """Write every published place into files, for the peers."""
    import numpy as np
    from django.db import connection

    from bench.load.peers.points import Points, save

    day = {
        "sqlite": "CAST(julianday(date(public_at)) - 2440587.5 AS INTEGER)",
        "postgresql": "public_at::date - DATE '1970-01-01'",
    }[connection.vendor]
    number = " ".join(f"WHEN '[\"{code}\"]' THEN {place}" for place, code in enumerate(CATEGORIES))
    parts: list[list[Any]] = []
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT longitude, latitude, cell, CASE CAST(categories AS TEXT) {number} END, {day}"
            " FROM reports_publication WHERE cell IS NOT NULL"
        )
        while rows := cursor.fetchmany(500_000):
            parts.append([np.array(column) for column in zip(*rows, strict=True)])
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    kinds = ("f8", "f8", "i8", "i2", "i4")
    save(Points(*(column.astype(kind) for column, kind in zip(columns, kinds, strict=True))), folder)
    assert columns[4].min() >= FIRST_DAY
