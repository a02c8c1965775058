"""Pages at size: the public list over 1,000,000 published reports, the desk's, a photo, and the idle server's memory.

    python bench/pages.py            QUICK=1 for 50,000 rows in under 50 s

Prints a table and, as its last line, one JSON object.
"""

from __future__ import annotations

import io
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROWS = 1_000_000
QUICK_ROWS = 50_000
CELLS = 4_000
# So many readers at once, from a process of their own.
CONNECTIONS = 32


def main() -> None:
    """Measure everything, print."""
    quick = bool(os.environ.get("QUICK"))
    rows = QUICK_ROWS if quick else ROWS
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="commonbeat-bench-") as folder:
        for name in [key for key in os.environ if key.startswith("COMMONBEAT_")]:
            del os.environ[name]
        os.environ["COMMONBEAT_DATA_DIR"] = folder
        os.environ["DJANGO_SETTINGS_MODULE"] = "commonbeat.config.settings"
        import django

        django.setup()
        begun = time.perf_counter()
        fill(rows)
        print(f"{rows:,} published reports, filled in {time.perf_counter() - begun:.0f} s")
        found |= queries(40 if quick else 200)
        found |= over_http(rows, seconds=3.0 if quick else 10.0)
    found |= photo(5 if quick else 15)
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from bench.load.desk import figures

    desk_rows = None if not quick else 30_000
    found |= {key: figures(desk_rows or ROWS)[key] for key in ("desk_p50_ms", "search_p50_ms", "duplicates_p50_ms")}
    wanted = {
        "list_page_per_s": 500.0, "list_p50_ms": 40.0, "desk_p50_ms": 40.0, "search_p50_ms": 5.0,
        "duplicates_p50_ms": 10.0, "photo_ms": 120.0, "photo_mb": 60.0, "idle_rss_mb": 180.0,
    }  # fmt: skip
    print(f"{'':34s} {'measured':>10s} {'wanted':>10s} {'ratio':>7s}")
    for name, value in found.items():
        goal = wanted.get(name)
        print(f"{name:34s} {value:10.2f}" + (f" {goal:10.0f} {value / goal:7.2f}" if goal else ""))
    print(json.dumps({name: round(value, 3) for name, value in found.items()}))


def fill(rows: int) -> None:
    """Publish so many reports, with raw SQL: rows as the list reads them, older ones first."""
    from django.core.management import call_command
    from django.db import connection

    from commonbeat.foundation import cells, clock
    from commonbeat.people.models import Unit
    from commonbeat.places.models import Beat
    from commonbeat.topics.models import Topic
    from commonbeat.topics.ready_made import install_ready_made

    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    install_ready_made(clock.now())
    unit = Unit.objects.create(name="Unit", is_fallback=True)
    area = {"type": "Polygon", "coordinates": [[[20, 42], [21, 42], [21, 43], [20, 42]]]}
    beats = [
        Beat.objects.create(name=f"Beat {n}", unit=unit, area=area, south=42, west=20, north=43, east=21).pk
        for n in range(12)
    ]
    topics = [t.pk for t in Topic.objects.all() if t.definition.publishes == "each"]
    chance = random.Random(7)
    spots = [
        cells.fuzz(42.38 + chance.gauss(0, 0.03), 20.43 + chance.gauss(0, 0.03), 10 if n % 3 else 9)
        for n in range(CELLS)
    ]
    text = "The lamp in front of the school has been dark for a week, and children walk there in the evening. " * 3
    with connection.cursor() as cursor:
        # Only the public copies are read here; the reports behind them would double the time of filling.
        cursor.execute("PRAGMA foreign_keys=OFF")
        cursor.execute("PRAGMA synchronous=OFF")
        cursor.execute("CREATE TEMP TABLE spot (n INTEGER PRIMARY KEY, lat REAL, lon REAL, cell INTEGER)")
        connection.connection.executemany(
            "INSERT INTO spot VALUES (?, ?, ?, ?)", [(n, *spot) for n, spot in enumerate(spots)]
        )
        cursor.execute(
            f"""
            INSERT INTO reports_publication (report_id, code, topic_id, categories, title, text, language, place_name,
              latitude, longitude, cell, beat_id, occurred_on, public_at, state, lists_each, is_verified,
              independent_sources, is_resolved, is_imported, held_for)
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
            SELECT i, printf('%010x', i),
              (SELECT value FROM json_each('{json.dumps(topics)}') WHERE key = (i * 7919) % {len(topics)}),
              '["first"]', 'A lamp is dark number ' || i, '{text}', 'en', 'Stone bridge', lat, lon, cell,
              {beats[0]} + (i * 31) % {len(beats)}, date('now', '-' || (({rows} - i) / 900) || ' days'),
              strftime('%Y-%m-%d %H:%M:%f', 'now', '-' || (({rows} - i) * 96) || ' seconds'),
              'public', 1, i % 3 = 0, i % 4, i % 11 = 0, 0, '[]'
            FROM n LEFT JOIN spot ON i % 10 AND spot.n = (i * 104729) % {CELLS}
            """  # numbers of our own
        )
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        cursor.execute("PRAGMA optimize")


def queries(times: int) -> dict[str, float]:
    """Measure whole requests inside this process: the list, its filters, deep pages, the map."""
    from django.conf import settings
    from django.test import Client

    settings.ALLOWED_HOSTS.append("testserver")
    client = Client()
    from commonbeat.reports.models import Publication

    deep = Publication.objects.order_by("public_at").values_list("code", flat=True)[1000]
    asked = {
        "list_p50_ms": "/reports/",
        "list_topic_p50_ms": "/reports/?topic=street-light",
        "list_beat_p50_ms": "/reports/?beat=3",
        "list_days_p50_ms": "/reports/?since=2024-06-01&until=2024-07-01",
        "list_deep_p50_ms": f"/reports/?before={deep}",
        "list_box_p50_ms": "/reports.geojson?bbox=20.42,42.37,20.44,42.39",
        "map_fresh_ms": "/map/?topic=street-light",
        "map_again_p50_ms": "/map/?topic=street-light",
    }
    found = {}
    for name, address in asked.items():
        waits = []
        for _ in range(1 if name == "map_fresh_ms" else times):
            begun = time.perf_counter()
            response = client.get(address)
            waits.append((time.perf_counter() - begun) * 1000)
            if response.status_code != 200:
                raise SystemExit(f"{address} answered {response.status_code}: {response.content[:300]!r}")
        found[name] = statistics.median(waits)
    return found


def over_http(rows: int, *, seconds: float) -> dict[str, float]:
    """Serve the same site as people do from one process, and ask for the list from another.

    Once page after page from the newest on, whose rows overlap; and once so that no row was asked for before.
    """
    found: dict[str, float] = {}
    with served("serve") as (port, process):
        time.sleep(3)
        found["idle_rss_mb"] = memory_mb(process.pid)
    with served("serve", "pages") as (port, _process):
        answer = load(port, seconds, rows, 1)
        found["list_page_per_s"] = answer["per_s"]
        found["list_page_p99_ms"] = answer["p99_ms"]
        found["list_unseen_page_per_s"] = load(port, seconds, rows, 53)["per_s"]
    return found


@contextmanager
def served(*command: str) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """Run the server on a free port until it answers, and stop it afterwards."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    begun = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", "from commonbeat.cli.main import main; main()", *command, "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/reports/", timeout=5) as answer:
                    answer.read()
                break
            except OSError:
                if process.poll() is not None or time.perf_counter() - begun > 60:
                    raise SystemExit("the server did not start") from None
                time.sleep(0.05)
        print(f"{' '.join(command)}: first page after {time.perf_counter() - begun:.1f} s")
        yield port, process
    finally:
        process.terminate()
        process.wait(20)


def load(port: int, seconds: float, rows: int, step: int) -> dict[str, float]:
    """Ask for pages of the list as fast as the server answers, from a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, "--ask", str(port), str(seconds), str(rows), str(step)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        timeout=seconds + 60,
    )
    answer: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return answer


def ask(port: int, seconds: float, rows: int, step: int) -> None:
    """Keep connections busy over bare sockets, for a costly client would measure itself; no page is asked for twice."""
    waits: list[float] = []
    ends = time.perf_counter() + seconds
    # From the newest on; after the last row again from the top, beside the first round.
    numbers = (rows - (place * step) % (rows - 60) - place * step // (rows - 60) for place in range(10**9))
    rest = " HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Language: en\r\n\r\n"

    def one() -> None:
        with socket.create_connection(("127.0.0.1", port), timeout=20) as wire:
            while (begun := time.perf_counter()) < ends:
                wire.sendall(f"GET /reports/?before={next(numbers):010x}{rest}".encode())
                data = wire.recv(262_144)
                while b"\r\n\r\n" not in data:
                    data += wire.recv(262_144)
                head, _, body = data.partition(b"\r\n\r\n")
                if not head.startswith(b"HTTP/1.1 200"):
                    raise SystemExit(head.decode())
                missing = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0]) - len(body)
                while missing > 0:
                    missing -= len(wire.recv(262_144))
                waits.append(time.perf_counter() - begun)

    threads = [threading.Thread(target=one) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    waits.sort()
    print(json.dumps({"per_s": len(waits) / seconds, "p99_ms": waits[int(len(waits) * 0.99)] * 1000}))


def memory_mb(pid: int) -> float:
    """Read the resident memory of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    raise SystemExit("no resident memory was found")


def photo(times: int) -> dict[str, float]:
    """Make the public copies of a 12-megapixel JPEG, and the memory that this takes in the process that serves."""
    import numpy as np
    from PIL import Image

    from commonbeat.media.images import make_public_copies

    chance = np.random.default_rng(3)
    coarse = chance.integers(0, 255, (94, 125, 3), dtype=np.uint8)
    picture = Image.fromarray(coarse).resize((4000, 3000), Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=90)
    data = buffer.getvalue()
    waits = []
    for _ in range(times):
        begun = time.perf_counter()
        make_public_copies(data)
        waits.append((time.perf_counter() - begun) * 1000)
    with tempfile.NamedTemporaryFile(suffix=".jpg") as file:
        file.write(data)
        file.flush()
        # VmHWM begins anew with the process; ru_maxrss would carry over what this one used.
        script = (
            "import re,sys\nfrom pathlib import Path\nfrom commonbeat.media.images import make_public_copies\n"
            "peak=lambda: int(re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1])\n"
            "before=peak()\nmake_public_copies(Path(sys.argv[1]))\nprint((peak()-before)/1024)"
        )
        done = subprocess.run([sys.executable, "-c", script, file.name], check=True, stdout=subprocess.PIPE, text=True)
    return {"photo_ms": statistics.median(waits), "photo_mb": float(done.stdout)}


if __name__ == "__main__":
    if sys.argv[1:2] == ["--ask"]:
        ask(int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]))
    else:
        main()
