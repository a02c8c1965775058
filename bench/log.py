"""The transparency log: how fast one is verified, and what appending costs the intake of messages.

    make bench NAME=log             1,000,000 entries    QUICK=1 for 100,000
    python bench/log.py 200000      any other number

Intake is measured in the default single process, where the log's reader shares everything with it. Prints a table and,
as its last line, one JSON object.
"""

from __future__ import annotations

import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.load.serving import (
    COMMAND,
    begin,
    copied,
    environment,
    finish_load,
    free_port,
    served,
    start_load,
)

ENTRIES, QUICK_ENTRIES = 1_000_000, 100_000
WANTED = {"verify_per_s": 300_000.0, "append_overhead": 0.10}
QUICK = bool(os.environ.get("QUICK"))
SECONDS, ROUNDS = (3.0, 2) if QUICK else (8.0, 5)
BACKLOG = 20_000 if QUICK else 100_000


def main() -> None:
    """Measure everything, print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else QUICK_ENTRIES if QUICK else ENTRIES
    with tempfile.TemporaryDirectory(prefix="commonbeat-bench-") as folder:
        found = verifying(count, Path(folder) / "log.txt")
        begun = Path(folder) / "begun"
        begin(begun)
        found |= backlog(begun)
        found |= intake(begun)
    show(found)
    print(json.dumps({name: round(value, 4) for name, value in found.items()}))


def verifying(count: int, file: Path) -> dict[str, float]:
    """Write a log as a site exports it; verify it with the command, start and all."""
    from commonbeat.journal.log_file import write_log
    from commonbeat.journal.merkle import HASH_BYTES, WIDTH, leaf_hash, root_of
    from commonbeat.journal.notes import SIGNS, Checkpoint, new_signer

    signer = new_signer("bench.example/log", SIGNS)
    hashes = [leaf_hash(entry) for entry in entries(count)]
    tiles = [b"".join(hashes[start : start + WIDTH]) for start in range(0, count, WIDTH)]
    assert sum(map(len, tiles)) == count * HASH_BYTES
    text = Checkpoint(signer.name, count, root_of(hashes)).text
    with file.open("wb") as handle:
        handle.writelines(write_log(entries(count), tiles, f"{text}\n{signer.line(text)}"))
    command = [*COMMAND, "verify", "log", str(file), "--key", signer.verifier.text]
    times = []
    for _ in range(3):
        begun = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True, timeout=600)
        times.append(time.perf_counter() - begun)
    mb = file.stat().st_size / 1e6
    print(f"{count:,} entries, {mb:.0f} MB", flush=True)
    return {"verify_per_s": count / min(times), "bytes_per_entry": file.stat().st_size / count}


def entries(count: int) -> Iterator[bytes]:
    """Make entries such as a journal has."""
    from commonbeat.journal.leaves import ACCOUNT, CONTACT, Row, entry_bytes

    people = {(ACCOUNT, 7): bytes(32), **{(CONTACT, number): bytes(32) for number in range(100)}}
    begun = 1_773_489_600_000_000
    for number in range(count):
        at = begun + 37_000 * number
        row = (
            Row(number + 1, at, "messaging.received", number, None, {}),
            Row(number + 1, at, "reports.submitted", number, None, {"channel": "smsgate_sms", "acknowledged": True}),
            Row(number + 1, at, "reports.moved", number, 7, {"from": "new", "to": "triaged"}),
            Row(number + 1, at, "messaging.stopped", number % 100, None, {}),
        )[number % 4]
        yield entry_bytes(row, people=people, blinding=bytes(32))


def backlog(begun: Path) -> dict[str, float]:
    """Put a journal that is there already into the log, as after an update."""
    with copied(begun) as folder:
        database = sqlite3.connect(folder / "commonbeat.sqlite3")
        database.executemany(
            "INSERT INTO journal_entry (at, kind, subject_id, actor_id, data) VALUES (?, 'reports.moved', ?, ?, ?)",
            (
                (f"2026-03-14 12:00:{number % 60:02d}.000001", number, number % 20, '{"from":"new","to":"triaged"}')
                for number in range(BACKLOG)
            ),
        )
        database.commit()
        database.close()
        out = subprocess.run(
            [sys.executable, str(Path(__file__).resolve()), "--backlog"],
            env=environment(folder),
            check=True,
            capture_output=True,
            text=True,
            timeout=600,
        )
        wall, cpu = (float(word) for word in out.stdout.split())
        # What one entry costs a busy process; of the time that passes, a part is the disk's.
        return {"backlog_per_s": BACKLOG / wall, "log_cpu_us_per_entry": 1e6 * cpu / BACKLOG}


def log_backlog() -> None:
    """Print the seconds that it takes to log everything, and those of the processor."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "commonbeat.config.settings"
    import django

    django.setup()
    from commonbeat.worker.log import LogKeeper

    keeper = LogKeeper(rest=lambda seconds: None)
    begun, used = time.perf_counter(), time.process_time()
    while keeper.step():
        pass
    print(time.perf_counter() - begun, time.process_time() - used)


def intake(begun: Path) -> dict[str, float]:
    """Load the site with its log and without it, in turn, so that a slow minute hits both."""
    without = [sys.executable, "-m", "bench.load.without_log", "serve"]
    rates: dict[str, list[float]] = {"with": [], "without": []}
    waits: dict[str, list[float]] = {"with": [], "without": []}
    # Of the processor, microseconds a message: hardly changed by whatever else a machine does.
    costs: dict[str, list[float]] = {"with": [], "without": []}
    logged = 0
    for round_ in range(ROUNDS):
        order = ("with", "without") if round_ % 2 == 0 else ("without", "with")
        for name in order:
            with copied(begun) as folder:
                port = free_port()
                command = [*COMMAND, "serve"] if name == "with" else without
                with served(command, port, environment(folder, COMMONBEAT_PORT=str(port))) as server:
                    finish_load(start_load("post", port, 0.5, "--first", "9000000"), 0.5)
                    before = processor_seconds(server.pid)
                    figures = finish_load(start_load("post", port, SECONDS), SECONDS)
                    used = processor_seconds(server.pid) - before
                costs[name].append(1e6 * used / (figures["per_s"] * SECONDS))
                rates[name].append(figures["per_s"])
                waits[name].append(figures["p99_ms"])
                database = sqlite3.connect(folder / "commonbeat.sqlite3")
                position = database.execute("SELECT position FROM journal_cursor WHERE name = 'log'").fetchone()
                database.close()
                assert (position is not None) == (name == "with"), "the log was kept, or not, as was meant"
                logged = max(logged, position[0] if position else 0)
    alone, beside = statistics.median(rates["without"]), statistics.median(rates["with"])
    # Of pairs that ran one after the other: a machine that others use changes from minute to minute.
    shares = [one / other for one, other in zip(rates["with"], rates["without"], strict=True)]
    return {
        "intake_without_log_per_s": alone,
        "intake_with_log_per_s": beside,
        "append_overhead": 1 - statistics.median(shares),
        "cpu_without_log_us": statistics.median(costs["without"]),
        "cpu_with_log_us": statistics.median(costs["with"]),
        "append_overhead_cpu": 1 - statistics.median(costs["without"]) / statistics.median(costs["with"]),
        "intake_without_log_p99_ms": statistics.median(waits["without"]),
        "intake_with_log_p99_ms": statistics.median(waits["with"]),
        "logged_meanwhile": float(logged),
    }


def processor_seconds(pid: int) -> float:
    """Tell how long a process has computed, with all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def show(found: dict[str, float]) -> None:
    """Print what was measured beside what is wanted."""
    print(f"{'':32s} {'measured':>14s} {'wanted':>10s} {'ratio':>7s}")
    for name, value in found.items():
        goal = WANTED.get(name)
        compared = "" if goal is None else f" {goal:10.1f} {value / goal:7.2f}"
        print(f"{name:32s} {value:14.3f}{compared}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--backlog"]:
        log_backlog()
    else:
        main()
