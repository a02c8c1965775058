"""Messages in and out: how many a second, how soon a reply leaves while bulk runs, how long an answer takes.

make bench NAME=channels
QUICK=1 make bench NAME=channels
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "commonbeat.config.settings")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.intake import Table, live_load
from bench.load.serving import COMMAND, REPOSITORY, begin, copied, environment, free_port

QUICK = bool(os.environ.get("QUICK"))
SECONDS = 4.0 if QUICK else 15.0
QUEUED = 100_000
NAMES = 20_000 if QUICK else 500_000
MESSAGES = 60 if QUICK else 300
STEP_NAMES = 2_000 if QUICK else 20_000


def inbound(begun: Path, table: Table) -> None:
    """Let a gateway deliver as fast as it can."""
    with copied(begun) as folder:
        figures = live_load(folder, 2.5 if QUICK else 8.0)
    table.add("inbound_per_s", figures["per_s"], "req/s", "messages stored and acknowledged, lean half, SQLite")
    table.add("inbound_p99_ms", figures["p99_ms"], "ms", "  99th percentile")


def dialogue(begun: Path, table: Table) -> None:
    """Take steps of the dialogue; then understand first messages of new people: report, place, topic, reply."""
    figures = json.loads(child(dict(os.environ), "bench.load.dialogue", str(STEP_NAMES)).splitlines()[-1])
    table.add("dialogue_p50_ms", figures["dialogue_p50_ms"], "ms", "one step, the world in memory")
    table.add("dialogue_p99_ms", figures["dialogue_p99_ms"], "ms", "  99th percentile (1,600 letters)")
    site = f"one step, the site's world: {STEP_NAMES} places, {STEP_NAMES // 2} reports"
    table.add("dialogue_site_p50_ms", figures["dialogue_site_p50_ms"], "ms", site)
    table.add("dialogue_site_p99_ms", figures["dialogue_site_p99_ms"], "ms", "  99th percentile")
    with copied(begun) as folder:
        spent = sorted(json.loads(child(environment(folder), "bench.load.outbox", "understand", str(MESSAGES))))
    table.add("understood_p50_ms", spent[len(spent) // 2], "ms", "a message understood, its report and reply committed")
    table.add("understood_p99_ms", spent[int(len(spent) * 0.99)], "ms", "  99th percentile")


def outbox(begun: Path, table: Table) -> None:
    """Let one worker send a long queue to a gateway on loopback, while replies are queued beside it."""
    with copied(begun) as folder:
        port = free_port()
        env = environment(
            folder,
            COMMONBEAT_KANNEL_SEND_URL=f"http://127.0.0.1:{port}/cgi-bin/sendsms",
            COMMONBEAT_KANNEL_HOOK_SECRET="end",
            COMMONBEAT_SEND_RATES="kannel_sms=100000",
            COMMONBEAT_SEND_PRICES="kannel_sms=0.04",
            COMMONBEAT_MONTHLY_LIMIT="1000000",
            COMMONBEAT_QUIET_HOURS="",
        )
        begun_at = time.monotonic()
        child(env, "bench.load.outbox", "fill", str(QUEUED))
        print(f"{QUEUED} messages queued in {time.monotonic() - begun_at:.1f} s", flush=True)
        command = [sys.executable, "-m", "bench.load.gateway", "--port", str(port)]
        gateway = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE)
        with Worker(env):
            queued = json.loads(child(env, "bench.load.outbox", "reply", str(int(SECONDS + 3))))
            time.sleep(1.0)
        gateway.terminate()
        taken = json.loads(gateway.communicate(timeout=20)[0])
    moments = taken["moments"]
    # Without the first second, in which the worker and its connections warm up.
    steady = [moment for moment in moments if moment > moments[0] + 1.0]
    table.add("outbox_per_s", len(steady) / (steady[-1] - steady[0]), "msg/s", f"one worker, {QUEUED} queued")
    waits = sorted(taken["replies"][key] - at for key, at in queued.items() if key in taken["replies"])
    table.add("reply_wait_s", waits[-1], "s", f"longest wait of {len(waits)} replies meanwhile")
    table.add("reply_wait_p50_s", waits[len(waits) // 2], "s", "  half of them at most")
    table.add("replies_lost", len(queued) - len(waits) + taken["repeated"], "", "  lost or doubled")


class Worker:
    """Run a worker until the end of the block."""

    def __init__(self, env: dict[str, str]) -> None:
        self._env = env

    def __enter__(self) -> None:
        log = subprocess.DEVNULL
        self._process = subprocess.Popen([*COMMAND, "work"], env=self._env, cwd=REPOSITORY, stdout=log, stderr=log)

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def gazetteer(table: Table) -> None:
    """Look places up among many names."""
    # Its last line is its figures.
    out = child(dict(os.environ), "bench.load.gazetteer", str(NAMES)).splitlines()[-1]
    figures: dict[str, float] = json.loads(out)
    table.add("gazetteer_p50_ms", figures["gazetteer_p50_ms"], "ms", f"a place looked up among {NAMES} names")


def child(env: dict[str, str], module: str, *arguments: str) -> str:
    """Run a module in a process of its own and give what it prints."""
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, env=env, cwd=REPOSITORY, check=True, stdout=subprocess.PIPE, timeout=300)
    return done.stdout.decode()


def main() -> None:
    """Print the table, and as the last line every figure as JSON."""
    table = Table()
    work = Path(tempfile.mkdtemp(prefix="commonbeat-bench-"))
    try:
        begin(work / "begun")
        inbound(work / "begun", table)
        dialogue(work / "begun", table)
        outbox(work / "begun", table)
        gazetteer(table)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    print(json.dumps(table.figures))


if __name__ == "__main__":
    main()
