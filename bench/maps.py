"""The public map: tiles over published reports, counting them, and what that costs in memory.

    make bench NAME=maps             1,000,000 reports      QUICK=1 for 100,000 in under 50 s
    python bench/maps.py 10000000    any other number; ten million take some minutes and 4 GB of disk

Prints a table and, as its last line, one JSON object.
"""

from __future__ import annotations

import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path
from typing import Any

ROWS = 1_000_000
QUICK_ROWS = 100_000
SEED = 20_260_314
TOWNS = 60
DAYS = 1_500
CATEGORIES = ("bags", "rubble", "tyres", "burnt", "river", "other")
WANTED = {
    "tile_town_p50_ms": 3.0, "tile_country_p50_ms": 15.0, "tile_world_p50_ms": 15.0, "tile_p99_ms": 40.0,
    "tiles_per_s": 900.0, "cached_per_s": 20_000.0, "update_per_s": 20_000.0, "rebuild_s": 90.0,
    "rebuild_mb": 1_024.0, "serve_rss_mb": 300.0,
}  # fmt: skip
ZOOMS = {"town": (11, 15), "country": (5, 9), "world": (0, 4)}


def main() -> None:
    """Measure everything, print."""
    quick = bool(os.environ.get("QUICK"))
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else QUICK_ROWS if quick else ROWS
    with tempfile.TemporaryDirectory(prefix="commonbeat-bench-") as folder:
        for name in [key for key in os.environ if key.startswith("COMMONBEAT_")]:
            del os.environ[name]
        os.environ["COMMONBEAT_DATA_DIR"] = folder
        begun = time.perf_counter()
        part("fill", rows)
        print(f"{rows:,} published reports, filled in {time.perf_counter() - begun:.0f} s", flush=True)
        found = part("rebuild") | part("tiles", 1.0 if quick else 4.0)
        found |= at_once(2.0 if quick else 8.0)
        found |= part("update", 5_000 if quick else 40_000)
    print(f"{'':24s} {'measured':>12s} {'wanted':>10s} {'ratio':>7s}")
    for name, value in found.items():
        goal = WANTED.get(name)
        print(f"{name:24s} {value:12.2f}" + (f" {goal:10.0f} {value / goal:7.2f}" if goal else ""))
    print(json.dumps({name: round(value, 3) for name, value in found.items()}))


def part(name: str, *values: float) -> dict[str, float]:
    """Run one part in a process of its own, so that its memory is its own; give its figures."""
    done = finish(begin(name, *values))
    return {key: float(value) for key, value in done.items()}


def begin(name: str, *values: float) -> subprocess.Popen[str]:
    """Start one part."""
    command = [sys.executable, str(Path(__file__).resolve()), "--part", name, *map(str, values)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Wait for a part."""
    out, _ = process.communicate(timeout=1_800)
    if process.returncode:
        sys.exit(process.returncode)
    found: dict[str, Any] = json.loads(out.splitlines()[-1])
    return found


def at_once(seconds: float) -> dict[str, float]:
    """Make tiles in as many processes as there are cores, two at most."""
    processes = [begin("mix", seconds, seed) for seed in range(min(2, os.cpu_count() or 1))]
    return {"tiles_per_s": sum(float(finish(process)["per_s"]) for process in processes)}


# ---------------------------------------------------------------- the parts


def fill(rows: float) -> dict[str, float]:
    """Write so many publications by raw SQL: clustered in towns, over four years, in six categories."""
    from django.core.management import call_command
    from django.db import connection

    from commonbeat.foundation import cells, clock
    from commonbeat.topics.actions import create_topic
    from commonbeat.topics.definition import Definition, Option

    call_command("migrate", verbosity=0)
    options = [Option(code=code, label={"en": code}) for code in CATEGORIES]
    definition = Definition(name={"en": "Dumps"}, categories=options, public_resolution=11)
    topic = create_topic(code="dumps", definition=definition, actor_id=None, now=clock.now())
    chance = random.Random(SEED)
    towns = towns_of()
    weights = [1 / (rank + 1) for rank in range(len(towns))]
    days = [f"{day}" for day in dates()]
    with connection.cursor() as cursor:
        # Only the public copies are written: the rest of a report is nothing to the map.
        cursor.execute("PRAGMA foreign_keys=OFF")
        cursor.execute("PRAGMA synchronous=OFF")
        done = 0
        while done < rows:
            size = min(50_000, int(rows) - done)
            batch = []
            for (latitude, longitude, spread), number in zip(
                chance.choices(towns, weights, k=size), range(done + 1, done + size + 1), strict=True
            ):
                lat, lon = chance.gauss(latitude, spread), chance.gauss(longitude, spread)
                cell = cells.cell_of(lat, lon, 11) if chance.random() > 0.02 else None
                category = f'["{CATEGORIES[int(chance.random() ** 2 * 6)]}"]'
                at = f"{days[int(chance.random() * DAYS)]} 1{number % 10}:00:00"
                place = (lat, lon, cell) if cell else (None, None, None)
                batch.append((number, number, f"{number:x}", topic.pk, category, at, *place))
            cursor.execute("BEGIN")
            cursor.executemany(
                "INSERT INTO reports_publication (id, report_id, code, topic_id, categories, public_at, latitude,"
                " longitude, cell, title, text, language, place_name, state, lists_each, is_verified,"
                " independent_sources, is_resolved, is_imported, held_for) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s,"
                " 'A dump', '', 'en', '', 'public', 1, 0, 0, 0, 0, '[]')",
                batch,
            )
            cursor.execute("COMMIT")
            done += size
    return {}


def rebuild() -> dict[str, float]:
    """Count everything anew."""
    from commonbeat.foundation import clock
    from commonbeat.reactions.counting import rebuild as rebuild_counts

    begun = time.perf_counter()
    rebuild_counts(clock.now())
    seconds = time.perf_counter() - begun
    return {"rebuild_s": seconds, "rebuild_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def tiles(seconds: float) -> dict[str, float]:
    """Make tiles of each kind, none of them twice, with filters of every sort."""
    maker, load_seconds = maker_of()
    found: dict[str, float] = {}
    every: list[float] = []
    chance = random.Random(SEED)
    filters = filters_of(chance)
    for kind in ZOOMS:
        times: list[float] = []
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            asked = asked_for(chance, kind, filters)
            begun = time.perf_counter()
            maker.tile(asked)
            times.append((time.perf_counter() - begun) * 1_000)
            maker.forget()
        times.sort()
        every += times
        found[f"tile_{kind}_p50_ms"] = times[len(times) // 2]
        found[f"tile_{kind}_p99_ms"] = times[int(len(times) * 0.99)]
    every.sort()
    found["tile_p99_ms"] = every[int(len(every) * 0.99)]
    found["serve_rss_mb"] = rss_mb()
    found["load_s"] = load_seconds
    asked = asked_for(chance, "town", filters)
    maker.tile(asked)
    begun, done = time.perf_counter(), 0
    while time.perf_counter() < begun + 0.5:
        for _ in range(1_000):
            maker.kept(asked)
        done += 1_000
    found["cached_per_s"] = done / (time.perf_counter() - begun)
    return found


def mix(seconds: float, seed: float) -> dict[str, float]:
    """Make tiles as people ask for them: most of towns, some without any filter, two of three vector tiles."""
    maker, _ = maker_of()
    chance = random.Random(SEED + seed)
    filters = filters_of(random.Random(SEED))
    # A process that has just started is nobody's.
    for _ in range(100):
        maker.tile(asked_for(chance, "town", filters))
    begun, done = time.perf_counter(), 0
    while time.perf_counter() < begun + seconds:
        kind = chance.choices(("town", "country", "world"), (70, 20, 10))[0]
        maker.tile(asked_for(chance, kind, filters))
        maker.forget()
        done += 1
    return {"per_s": done / (time.perf_counter() - begun)}


def update(rows: float) -> dict[str, float]:
    """Publish more, and count what the journal says of it."""
    from django.db import connection

    from commonbeat.foundation import clock
    from commonbeat.reactions.counting import count_batch

    count = int(rows)
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA foreign_keys=OFF")
        cursor.execute("SELECT max(id) FROM reports_publication")
        newest = cursor.fetchone()[0]
        cursor.execute(
            "INSERT INTO reports_publication (id, report_id, code, topic_id, categories, public_at, latitude,"
            " longitude, cell, title, text, language, place_name, state, lists_each, is_verified, independent_sources,"
            " is_resolved, is_imported, held_for)"
            " SELECT %s + id, %s + id, 'n' || (%s + id), topic_id, categories, public_at, latitude, longitude, cell,"
            " title, text, language, place_name, state, lists_each, 0, 0, 0, 0, held_for"
            " FROM reports_publication WHERE id <= %s",
            [newest, newest, newest, count],
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


# ---------------------------------------------------------------- what they share


class Maker:
    """The tiles of a site, as its server makes them."""

    def __init__(self, made: Any) -> None:
        self._made = made
        self.tile = made.tile
        self.kept = made.kept

    def forget(self) -> None:
        """Let go of finished tiles."""
        self._made._made.clear()
        self._made._bytes = 0


def maker_of() -> tuple[Maker, float]:
    """Load the buckets as the server does."""
    from django.conf import settings

    from commonbeat.live.app import LiveApp

    app = LiveApp(settings.COMMONBEAT)
    begun = time.perf_counter()
    app.buckets.atlas()
    return Maker(app.tiles), time.perf_counter() - begun


def filters_of(chance: random.Random) -> list[tuple[str, int | None, int | None]]:
    """Give 24 filters: a third none, the others a category, a span or both."""
    found: list[tuple[str, int | None, int | None]] = []
    for number in range(24):
        category = chance.choice(CATEGORIES) if number % 3 == 1 else ""
        span: tuple[int | None, int | None] = (None, None)
        if number % 3 and number % 2:
            since = FIRST_DAY + chance.randrange(DAYS - 90)
            span = (since, since + chance.choice((30, 90, 365)))
        found.append((category, *span))
    return found


def asked_for(chance: random.Random, kind: str, filters: list[tuple[str, int | None, int | None]]) -> Any:
    """Choose a tile of some kind where there is something to see."""
    from commonbeat.live.tiles import Asked
    from commonbeat.maps import tiling

    zoom = chance.randint(*ZOOMS[kind])
    latitude, longitude, spread = chance.choice(towns_of())
    latitude, longitude = chance.gauss(latitude, spread), chance.gauss(longitude, spread)
    size = 1 << zoom
    x, y = int(tiling.mercator_x(longitude) * size), int(tiling.mercator_y(latitude) * size)
    picture = chance.random() < 0.33
    return Asked("dumps", zoom, x, y, "png" if picture else "mvt", *chance.choice(filters))


FIRST_DAY = 19_000


def dates() -> list[Any]:
    """Give the days on which reports were published."""
    from commonbeat.maps.rules import day_of

    return [day_of(FIRST_DAY + day) for day in range(DAYS)]


@cache
def towns_of() -> list[tuple[float, float, float]]:
    """Give invented towns as latitude, longitude, spread in degrees; the first are the largest."""
    chance = random.Random(SEED)
    near = [(chance.uniform(41.9, 43.2), chance.uniform(20.0, 21.8), chance.uniform(0.01, 0.05)) for _ in range(40)]
    far = [(chance.uniform(-45, 60), chance.uniform(-120, 150), chance.uniform(0.02, 0.1)) for _ in range(TOWNS - 40)]
    return near + far


def rss_mb() -> float:
    """Read how much memory this process holds."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def run_part(name: str, values: list[float]) -> None:
    """Run a part, and print its figures."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "commonbeat.config.settings"
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    import django

    django.setup()
    parts = {"fill": fill, "rebuild": rebuild, "tiles": tiles, "mix": mix, "update": update}
    print(json.dumps(parts[name](*values)))  # type: ignore[operator]  # a table of functions with unlike signatures


if __name__ == "__main__":
    if sys.argv[1:2] == ["--part"]:
        run_part(sys.argv[2], [float(value) for value in sys.argv[3:]])
    else:
        main()
