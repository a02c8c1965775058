"""Alerts: who hears of one among a million subscriptions, how soon all are queued, and what that costs in memory.

    make bench NAME=alerts             1,000,000 subscriptions    QUICK=1 for 50,000
    python bench/alerts.py 200000      any other number

On SQLite, then on PostgreSQL where a server answers; beside PostGIS, and beside a query for each subscription. Prints a
table and, as its last line, one JSON object.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.load import alerts_site

ROWS, QUICK_ROWS = 1_000_000, 50_000
WANTED = {
    "match_district_s": 0.1, "match_province_s": 0.3, "queue_s": 20.0, "queue_first_s": 1.0, "rss_mb": 400.0,
    "push_first_s": 1.0, "push_10k_s": 30.0, "near_me_per_s": 3_000.0, "missed": 0.0, "extra": 0.0,
}  # fmt: skip
DATABASE = "commonbeat_bench_alerts"


def main() -> None:
    """Measure everything, print."""
    quick = bool(os.environ.get("QUICK"))
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else QUICK_ROWS if quick else ROWS
    for name in [key for key in os.environ if key.startswith("COMMONBEAT_") and key != "COMMONBEAT_BENCH_POSTGRESQL"]:
        del os.environ[name]
    os.environ["DJANGO_SETTINGS_MODULE"] = "commonbeat.config.settings"
    with tempfile.TemporaryDirectory(prefix="commonbeat-bench-") as folder:
        os.environ["COMMONBEAT_DATA_DIR"] = folder
        found = site("SQLite", rows) | part("exact")
    found |= {f"{name}_postgresql": value for name, value in on_postgresql(rows).items()}
    found["rss_mb"] = max(value for name, value in found.items() if name.startswith("rss_mb"))
    found |= peers(rows, found)
    found |= others(quick)
    show(found)
    print(json.dumps({name: round(value, 4) for name, value in found.items()}))


def site(database: str, rows: int) -> dict[str, float]:
    """Fill a site; match as its worker does; queue for a province."""
    filled = part("fill", rows)
    print(f"{database}: {rows:,} subscriptions, filled in {filled['fill_s']:.0f} s", flush=True)
    matched = part("match")
    queued = part("queue")
    return matched | queued | {"rss_mb": max(matched["match_rss_mb"], queued["queue_rss_mb"])}


def on_postgresql(rows: int) -> dict[str, float]:
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
            return site("PostgreSQL", rows)
    finally:
        del os.environ["COMMONBEAT_DATABASE_URL"]
        with psycopg.connect(postgis.SERVER, autocommit=True) as db:
            db.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")


def peers(rows: int, ours: dict[str, float]) -> dict[str, float]:
    """Ask PostGIS the same of the same places."""
    from bench.load.peers import alerts_postgis, postgis

    absent = postgis.absence()
    if absent:
        print(f"PostGIS: not measured, {absent}")
        return {}
    found = alerts_postgis.measure(rows)
    for name in alerts_site.AREAS:
        best = min(found[f"postgis_{name}_s"], found[f"postgis_flat_{name}_s"])
        found[f"postgis_{name}_ratio"] = found[f"postgis_{name}_s"] / ours[f"match_{name}_s"]
        found[f"postgis_best_{name}_ratio"] = best / ours[f"match_{name}_s"]
    # The smaller of the two: the district, or the province.
    found["postgis_ratio"] = min(found[f"postgis_{name}_ratio"] for name in alerts_site.AREAS)
    asked = f"{alerts_postgis.ASKED:,} of them, the time for all is worked out from these"
    print(f"a query for each subscription: {found['per_subscription_s']:.0f} s ({asked})")
    return found


def others(quick: bool) -> dict[str, float]:
    """Measure pushes, and "is anything near me?", each in a site of its own."""
    try:
        from bench.load import near_me, push
    except ImportError as error:
        print(f"pushes and “near me”: not measured, {error.name} is not here")
        return {}
    from bench.load.serving import begin

    with tempfile.TemporaryDirectory(prefix="commonbeat-bench-") as folder:
        begun = Path(folder) / "data"
        begun.mkdir()
        begin(begun)
        found = near_me.measure(begun, seconds=1.0 if quick else 5.0)
        pushed = push.measure(begun, pushes=1_000 if quick else 10_000)
        if quick:
            pushed["push_1k_s"] = pushed.pop("push_10k_s")
        return found | pushed


def show(found: dict[str, float]) -> None:
    """Print what was measured beside what is wanted."""
    print(f"{'':32s} {'measured':>14s} {'wanted':>10s} {'ratio':>7s}")
    for name, value in found.items():
        goal = WANTED.get(name.removesuffix("_postgresql"))
        compared = "" if goal is None else f" {goal:10.1f}" + (f" {value / goal:7.2f}" if goal else "")
        print(f"{name:32s} {value:14.3f}{compared}")


def part(name: str, *values: float) -> dict[str, float]:
    """Run one part in a process of its own, so that its memory is its own; give its figures."""
    command = [sys.executable, str(Path(__file__).resolve()), "--part", name, *map(str, values)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=1_800)
    if done.returncode:
        sys.exit(done.returncode)
    return {key: float(value) for key, value in json.loads(done.stdout.splitlines()[-1]).items()}


# ---------------------------------------------------------------- the parts


def match() -> dict[str, float]:
    """Read the subscriptions as a worker does, and ask for each area; the median of nine."""
    from commonbeat.alerts import index
    from commonbeat.alerts.queries import matched

    begun = time.perf_counter()
    kept = index.current()
    found: dict[str, float] = {"load_s": time.perf_counter() - begun}
    begun = time.perf_counter()
    index.current()
    found["refresh_s"] = time.perf_counter() - begun
    for name in alerts_site.AREAS:
        area = alerts_site.area(name)
        times = []
        for _ in range(9):
            begun = time.perf_counter()
            positions = matched(kept, area=area, kind="water", severity="Moderate")
            times.append(time.perf_counter() - begun)
        found[f"match_{name}_s"], found[f"match_{name}_n"] = sorted(times)[len(times) // 2], len(positions)
    return found | {"match_rss_mb": most_mb()}


def queue() -> dict[str, float]:
    """Release an alert for the province, and queue it as the worker does, from the release to the last row."""
    from commonbeat.alerts import index
    from commonbeat.alerts.models import FanOut
    from commonbeat.messaging.models import Outbound
    from commonbeat.worker.fanning import Fanning

    index.current()
    firsts: list[float] = []
    fanning = Fanning(on_queued=lambda: firsts.append(time.perf_counter()))
    alerts_site.release("province")
    begun = time.perf_counter()
    while fanning.step():
        pass
    seconds = time.perf_counter() - begun
    account = FanOut.objects.get()
    assert account.done_at is not None
    assert account.queued == account.matched == Outbound.objects.count()
    return {
        "queue_s": seconds,
        "queue_first_s": firsts[0] - begun,
        "queue_n": account.queued,
        "queue_per_s": account.queued / seconds,
        "queue_rss_mb": most_mb(),
    }


def exact() -> dict[str, float]:
    """Measure every place against every edge, without tiles, bands or GEOS, and compare."""
    import numpy as np

    from commonbeat.alerts import index
    from commonbeat.alerts.matching import measures
    from commonbeat.alerts.queries import matched

    kept = index.current()
    rows = kept.subscriptions
    missed = extra = 0
    for name in alerts_site.AREAS:
        area = alerts_site.area(name)
        corners = np.array(area.exterior.coords)
        met = []
        for at in range(0, len(rows), 1_000):
            part = slice(at, at + 1_000)
            lat, lon, radius = rows.latitudes[part], rows.longitudes[part], rows.radii[part].astype(float)
            met.append(brute_force(corners, lat, lon, radius, *measures(lat)))
        mine = np.zeros(len(rows), bool)
        mine[matched(kept, area=area, kind="water", severity="Moderate")] = True
        truth = np.concatenate(met)
        missed += int((truth & ~mine).sum())
        extra += int((mine & ~truth).sum())
    return {"missed": missed, "extra": extra}


def brute_force(corners: Any, lat: Any, lon: Any, radius: Any, east_m: Any, north_m: Any) -> Any:
    """Tell which places lie within, by a ray to the east, or near enough to an edge."""
    import numpy as np

    x, y = (corners[:, 0] - lon[:, None]) * east_m[:, None], (corners[:, 1] - lat[:, None]) * north_m[:, None]
    x1, y1, dx, dy = x[:, :-1], y[:, :-1], np.diff(x), np.diff(y)
    with np.errstate(divide="ignore", invalid="ignore"):
        crosses = ((y1 > 0) != (y[:, 1:] > 0)) & (x1 - y1 * dx / dy > 0)
    inside = crosses.sum(axis=1) % 2 == 1
    along = np.clip(-(x1 * dx + y1 * dy) / (dx * dx + dy * dy), 0, 1)
    nearest = ((x1 + along * dx) ** 2 + (y1 + along * dy) ** 2).min(axis=1)
    return inside | (nearest <= radius**2)


def most_mb() -> float:
    """Give the most memory that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run_part(name: str, values: list[float]) -> None:
    """Run a part, and print its figures."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    import django

    django.setup()
    parts: dict[str, Callable[..., dict[str, float]]] = {
        "fill": alerts_site.fill, "match": match, "queue": queue, "exact": exact,
    }  # fmt: skip
    print(json.dumps(parts[name](*values)))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--part"]:
        run_part(sys.argv[2], [float(value) for value in sys.argv[3:]])
    else:
        main()
