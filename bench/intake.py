"""Durable intake by HTTP: how many messages a second are on the disk before they are acknowledged.

make bench NAME=intake
QUICK=1 make bench NAME=intake
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "commonbeat.config.settings")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.load.generator import body_of
from bench.load.serving import (
    COMMAND,
    KEY,
    begin,
    copied,
    environment,
    finish_load,
    free_port,
    postgres_database,
    served,
    start_load,
)

QUICK = bool(os.environ.get("QUICK"))
SECONDS = 2.5 if QUICK else 8.0
HERE = Path(__file__).resolve().parent
CONNECTIONS = 32
PAGE = "/reports/"


class Table:
    """Collect figures and print them as they come."""

    def __init__(self) -> None:
        self.figures: dict[str, float] = {}

    def add(self, key: str, value: float, unit: str, what: str) -> None:
        """Keep one figure."""
        self.figures[key] = round(value, 3)
        print(f"{what:<66} {value:>12,.1f} {unit}", flush=True)

    def ratio(self, key: str, above: str, below: str, what: str) -> None:
        """Keep the ratio of two figures that are there."""
        if above in self.figures and self.figures.get(below):
            self.add(key, self.figures[above] / self.figures[below], "×", what)


def live_load(folder: Path, seconds: float, **more: str) -> dict[str, float]:
    """Load the lean half as its own process."""
    port = free_port()
    env = environment(folder, COMMONBEAT_PORT=str(port), **more)
    with served([*COMMAND, "serve", "live"], port, env):
        finish_load(start_load("post", port, 0.5, "--first", "9000000"), 0.5)
        return finish_load(start_load("post", port, seconds), seconds)


def raw_limits(folder: Path, table: Table, suffix: str, preload: dict[str, str]) -> None:
    """Insert the same rows without HTTP, one per commit and 200 per commit, in a process of its own."""
    for size in (1, 200):
        out = subprocess.run(
            [sys.executable, "-m", "bench.intake", "--raw", str(size), str(min(SECONDS, 3.0))],
            env={**environment(folder), **preload},
            cwd=HERE.parent,
            check=True,
            capture_output=True,
            timeout=60,
        )
        table.add(f"raw_{size}{suffix}_per_s", float(out.stdout), "rows/s", f"raw SQLite, {size} per commit{suffix}")


def raw(size: int, seconds: float) -> None:
    """Write batches for a while and print the rows per second."""
    import django

    django.setup()
    from django.conf import settings

    from commonbeat.foundation import clock
    from commonbeat.live.store import open_store

    store = open_store(settings.COMMONBEAT)
    body = os.urandom(230)
    begun, number = time.perf_counter(), 0
    while time.perf_counter() - begun < seconds:
        store.write([("raw", f"{number + at:048d}", body) for at in range(size)], clock.now())
        number += size
    print(number / (time.perf_counter() - begun))
    store.close()


def lost_after_kill(folder: Path) -> tuple[int, int]:
    """Kill the server in full work; give how many acknowledged messages are not stored, and how many there were."""
    port = free_port()
    acknowledged = folder.parent / "acknowledged"
    env = environment(folder, COMMONBEAT_PORT=str(port))
    with served([*COMMAND, "serve", "live"], port, env) as server:
        load = start_load("post", port, 10.0, "--acknowledged", str(acknowledged))
        # The generator prepares its calls first; kill once rows arrive, in the middle of it.
        database = sqlite3.connect(folder / "commonbeat.sqlite3", timeout=10)
        while database.execute("SELECT count(*) FROM messaging_inbound").fetchone()[0] < 2000:
            time.sleep(0.02)
        server.kill()
        finish_load(load, 10.0)
    stored = {row[0] for row in database.execute("SELECT provider_id FROM messaging_inbound")}
    doubled = database.execute("SELECT count(*) - count(DISTINCT provider_id) FROM messaging_inbound").fetchone()[0]
    database.close()
    numbers = [int(line) for line in acknowledged.read_text().split()]
    missing = [number for number in numbers if provider_id(number) not in stored]
    return len(missing) + int(doubled), len(numbers)


def provider_id(number: int) -> str:
    """Give the id under which a message of the generator is stored."""
    from commonbeat.channels.smsgate_sms import channel
    from commonbeat.messaging.channel import Request

    return channel.parse(Request("POST", "", {}, {}, body_of(number)))[0].provider_id


def measure(table: Table) -> None:
    """Run everything, one after the other."""
    work = Path(tempfile.mkdtemp(prefix="commonbeat-bench-"))
    begun = work / "begun"
    begin(begun)
    try:
        with copied(begun) as folder:
            own = live_load(folder, SECONDS)
            table.add("intake_per_s", own["per_s"], "req/s", "lean half as its own process, SQLite, synchronous=FULL")
            table.add("intake_p99_ms", own["p99_ms"], "ms", "  99th percentile")
        with copied(begun) as folder:
            raw_limits(folder, table, "", {})
        table.ratio("ratio_to_raw_1", "intake_per_s", "raw_1_per_s", "  of raw SQLite, 1 per commit")
        table.ratio("ratio_to_raw_200", "intake_per_s", "raw_200_per_s", "  of raw SQLite, 200 per commit")
        slow_disk(begun, work, table)
        with copied(begun) as folder:
            port = free_port()
            with served([sys.executable, "-m", "bench.load.django_view", str(port)], port, environment(folder)):
                plain = finish_load(start_load("post", port, SECONDS), SECONDS)
            table.add("django_per_s", plain["per_s"], "req/s", "the same insert as a plain Django view, WSGI")
            table.add("django_p99_ms", plain["p99_ms"], "ms", "  99th percentile")
            table.ratio("django_ratio", "intake_per_s", "django_per_s", "  lean half : Django view")
        beside_pages(begun, table)
        with copied(begun) as folder:
            lost, acknowledged = lost_after_kill(folder)
            table.add("acknowledged_before_kill", acknowledged, "rows", "acknowledged before kill -9")
            table.add("lost_after_kill", lost, "rows", "  of these lost or doubled")
        postgres(work, table)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def slow_disk(begun: Path, work: Path, table: Table) -> None:
    """Measure again with 2 ms added to each fsync."""
    compiler = shutil.which("cc")
    if compiler is None:
        print("slow disk: skipped, there is no C compiler (cc)")
        return
    shim = work / "slow_fsync.so"
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-O2", "-o", str(shim), str(HERE / "load" / "slow_fsync.c"), "-ldl"], check=True
    )
    preload = {"LD_PRELOAD": str(shim), "SLOW_FSYNC_US": "2000"}
    with copied(begun) as folder:
        slow = live_load(folder, SECONDS, **preload)
        table.add("intake_slow_disk_per_s", slow["per_s"], "req/s", "lean half, 2 ms more per fsync")
        table.add("intake_slow_disk_p99_ms", slow["p99_ms"], "ms", "  99th percentile")
    with copied(begun) as folder:
        raw_limits(folder, table, "_slow_disk", preload)
    table.ratio("slow_ratio_to_raw_1", "intake_slow_disk_per_s", "raw_1_slow_disk_per_s", "  of raw, 1 per commit")
    table.ratio(
        "slow_ratio_to_raw_200", "intake_slow_disk_per_s", "raw_200_slow_disk_per_s", "  of raw, 200 per commit"
    )


def beside_pages(begun: Path, table: Table) -> None:
    """Load the default single process with 250 pages a second and messages at once, its worker included."""
    with copied(begun) as folder:
        port = free_port()
        with served([*COMMAND, "serve"], port, environment(folder, COMMONBEAT_PORT=str(port))):
            finish_load(start_load("get", port, 0.5, "--path", PAGE, "--connections", "4"), 0.5)
            seconds = max(SECONDS, 4.0)
            pages = start_load("get", port, seconds + 2.5, "--path", PAGE, "--connections", "8", "--rate", "250")
            messages = finish_load(start_load("post", port, seconds, "--first", "5000000"), seconds)
            page = finish_load(pages, seconds)
        table.add("intake_beside_pages_per_s", messages["per_s"], "req/s", "default single process, beside pages")
        table.add("intake_beside_pages_p99_ms", messages["p99_ms"], "ms", "  99th percentile")
        table.add(
            "pages_beside_intake_per_s", page["per_s"], "pages/s", f"  pages at the same time ({PAGE}, 250/s wanted)"
        )


def postgres(work: Path, table: Table) -> None:
    """Measure the lean half on PostgreSQL."""
    try:
        with postgres_database() as url:
            folder = work / "postgres"
            begin(folder, COMMONBEAT_DATABASE_URL=url)
            figures = live_load(folder, SECONDS, COMMONBEAT_DATABASE_URL=url)
            table.add("intake_postgresql_per_s", figures["per_s"], "req/s", "lean half as its own process, PostgreSQL")
            table.add("intake_postgresql_p99_ms", figures["p99_ms"], "ms", "  99th percentile")
    except OSError as error:
        print(f"PostgreSQL: skipped, {error}")


def main() -> None:
    """Print the table, and as the last line every figure as JSON."""
    if sys.argv[1:2] == ["--raw"]:
        raw(int(sys.argv[2]), float(sys.argv[3]))
        return
    import django

    with tempfile.TemporaryDirectory() as empty:
        os.environ.update(COMMONBEAT_DATA_DIR=empty, COMMONBEAT_SMSGATE_SIGNING_KEY=KEY)
        django.setup()
        table = Table()
        print(f"{CONNECTIONS} connections, {SECONDS} s each, {os.cpu_count()} cores")
        measure(table)
    print(json.dumps(table.figures))


if __name__ == "__main__":
    main()
