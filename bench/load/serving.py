"""Sites to measure: begun once, copied, served by a process of their own, and killed."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg

KEY = "a signing key for measurements"
COMMAND = [sys.executable, "-c", "from commonbeat.cli.main import main; main()"]
REPOSITORY = Path(__file__).resolve().parents[2]


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Give the environment of a site in a folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COMMONBEAT_")}
    return {**kept, "COMMONBEAT_DATA_DIR": str(folder), "COMMONBEAT_SMSGATE_SIGNING_KEY": KEY, **more}


def begin(folder: Path, **more: str) -> None:
    """Make the tables, topics and fallback desk of a site."""
    subprocess.run([*COMMAND, "begin"], env=environment(folder, **more), check=True, capture_output=True, timeout=180)


@contextmanager
def copied(begun: Path) -> Iterator[Path]:
    """Copy a begun site, and remove the copy."""
    folder = Path(tempfile.mkdtemp(prefix="commonbeat-bench-"))
    shutil.copytree(begun, folder / "data")
    try:
        yield folder / "data"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def served(command: Sequence[str], port: int, env: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server until the end of the block."""
    process = subprocess.Popen(command, env=env, cwd=REPOSITORY, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 30
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError("the server did not start")
            time.sleep(0.02)
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def start_load(kind: str, port: int, seconds: float, *more: str) -> subprocess.Popen[bytes]:
    """Start the load generator."""
    command = [
        sys.executable,
        "-m",
        "bench.load.generator",
        kind,
        "--port",
        str(port),
        "--seconds",
        str(seconds),
        *more,
    ]
    if kind == "post":
        command += ["--key", KEY]
    return subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE)


def finish_load(process: subprocess.Popen[bytes], seconds: float) -> dict[str, float]:
    """Wait for the load generator and give its figures."""
    out, _ = process.communicate(timeout=seconds + 30)
    figures: dict[str, float] = json.loads(out.splitlines()[-1])
    return figures


@contextmanager
def postgres_database() -> Iterator[str]:
    """Make an empty PostgreSQL database and remove it afterwards; OSError when no server is there."""
    url = os.environ.get("COMMONBEAT_BENCH_DATABASE_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
    name = f"commonbeat_bench_{os.getpid()}"
    try:
        admin = psycopg.connect(url, autocommit=True, connect_timeout=2)
    except psycopg.OperationalError:
        raise OSError("no PostgreSQL server; set COMMONBEAT_BENCH_DATABASE_URL") from None
    try:
        admin.execute(f'CREATE DATABASE "{name}"')
        try:
            yield urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
        finally:
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    finally:
        admin.close()


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
