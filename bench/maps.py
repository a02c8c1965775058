"""The public map: tiles over published reports, counting them, and what that costs in memory, beside its peers.

    make bench NAME=maps             1,000,000 reports      QUICK=1 for 30,000 in under 50 s
    python bench/maps.py 10000000    any other number; ten million take half an hour and 12 GB of disk

On SQLite, then on PostgreSQL where a server answers. Prints tables and, as its last line, one JSON object.
"""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.load import maps_site
from bench.load.maps_views import SEED, ZOOMS, asked_for, filters_of, views_of

ROWS = 1_000_000
QUICK_ROWS = 30_000
WANTED = {
    "tile_town_p50_ms": 3.0, "tile_country_p50_ms": 15.0, "tile_world_p50_ms": 15.0, "tile_p99_ms": 40.0,
    "tiles_per_s": 900.0, "cached_per_s": 20_000.0, "postgis_town_ratio": 100.0, "update_per_s": 20_000.0,
    "rebuild_s": 90.0, "rebuild_mb": 1_024.0, "serve_rss_mb": 300.0, "first_view_kb": 160.0, "first_view_s": 6.0,
}  # fmt: skip
DATABASE = "commonbeat_bench_maps"


def main() -> None:
    """Measure everything, print."""
    quick = bool(os.environ.get("QUICK"))
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else QUICK_ROWS if quick else ROWS
    for name in [key for key in os.environ if key.startswith("COMMONBEAT_") and key != "COMMONBEAT_BENCH_POSTGRESQL"]:
        del os.environ[name]
    with tempfile.TemporaryDirectory(prefix="commonbeat-bench-") as folder:
        os.environ["COMMONBEAT_DATA_DIR"] = folder
        found = site("SQLite", rows, quick)
        part("export")
        found |= peers(found, Path(folder), quick)
        found |= first_view()
    found |= on_postgresql(rows, quick)
    show(found)
    print(json.dumps({name: round(value, 3) for name, value in found.items()}))


def site(database: str, rows: int, quick: bool) -> dict[str, float]:
    """Fill a site and measure it."""
    begun = time.perf_counter()
    part("fill", rows)
    print(f"{database}: {rows:,} published reports, filled in {time.perf_counter() - begun:.0f} s", flush=True)
    found = part("rebuild") | part("tiles", 0.4 if quick else 4.0)
    found |= at_once(0.8 if quick else 8.0)
    return found | part("update", 3_000 if quick else 40_000)


def peers(ours: dict[str, float], folder: Path, quick: bool) -> dict[str, float]:
    """Measure the peers on the same points."""
    from bench.load.peers.run import beside

    # The views are made with the project's own arithmetic.
    return beside(ours, views_of(8 if quick else 40), folder, 0.3 if quick else 8.0, may_fetch=not quick)


def first_view() -> dict[str, float]:
    """Open the map of a demo town on a slow line and a slow phone, in a browser."""
    if shutil.which("chromium") is None:
        print("the first view: not measured, chromium is not here")
        return {}
    from bench.load.first_view import first_view as measured

    with tempfile.TemporaryDirectory(prefix="commonbeat-bench-") as folder:
        port = free_port()
        environment = {**os.environ, "COMMONBEAT_DATA_DIR": folder, "COMMONBEAT_PORT": str(port)}
        command = [sys.executable, "-c", "from commonbeat.cli.main import main; main()"]
        quiet = subprocess.DEVNULL
        subprocess.run([*command, "demo", "--if-empty"], check=True, stdout=quiet, stderr=quiet, env=environment)
        server = subprocess.Popen([*command, "serve"], stdout=quiet, stderr=quiet, env=environment)
        try:
            address = f"http://127.0.0.1:{port}"
            wait_for(f"{address}/map/")
            return measured(address)
        finally:
            server.terminate()
            server.wait(20)


def free_port() -> int:
    """Find a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def wait_for(address: str) -> None:
    """Wait until a server answers, a minute at most."""
    until = time.perf_counter() + 60
    while time.perf_counter() < until:
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                answer.read()
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the server did not start")


def on_postgresql(rows: int, quick: bool) -> dict[str, float]:
    """Measure the same on PostgreSQL, in a database of its own."""
    import psycopg

    from bench.load.peers import postgis

    try:
        with psycopg.connect(postgis.SERVER, autocommit=True, connect_timeout=3) as db:
            db.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
            db.execute(f"CREATE DATABASE {DATABASE}")
    except psycopg.Error as error:
        print(f"PostgreSQL: not measured, no server answers ({type(error).__name__})")
        return {}
    try:
        with tempfile.TemporaryDirectory(prefix="commonbeat-bench-") as folder:
            os.environ["COMMONBEAT_DATA_DIR"] = folder
            os.environ["COMMONBEAT_DATABASE_URL"] = postgis.SERVER.rsplit("/", 1)[0] + "/" + DATABASE
            found = site("PostgreSQL", 10_000 if quick else min(rows, ROWS), quick)
    finally:
        with psycopg.connect(postgis.SERVER, autocommit=True) as db:
            db.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
    return {f"{name}_postgresql": value for name, value in found.items()}


def show(found: dict[str, float]) -> None:
    """Print what was measured beside what is wanted."""
    print(f"{'':32s} {'measured':>12s} {'wanted':>10s} {'ratio':>7s}")
    for name, value in found.items():
        goal = WANTED.get(name.removesuffix("_postgresql"))
        print(f"{name:32s} {value:12.2f}" + (f" {goal:10.0f} {value / goal:7.2f}" if goal else ""))


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


def export() -> dict[str, float]:
    """Write the places into files of the data folder, for the peers."""
    maps_site.export(Path(os.environ["COMMONBEAT_DATA_DIR"]))
    return {}


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
    parts = {
        "fill": maps_site.fill, "export": export, "rebuild": rebuild, "tiles": tiles, "mix": mix,
        "update": maps_site.update,
    }  # fmt: skip
    print(json.dumps(parts[name](*values)))  # type: ignore[operator]  # a table of functions with unlike signatures


if __name__ == "__main__":
    if sys.argv[1:2] == ["--part"]:
        run_part(sys.argv[2], [float(value) for value in sys.argv[3:]])
    else:
        main()
