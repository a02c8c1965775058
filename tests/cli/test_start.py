"""Starting and stopping a real site, and what stops the start."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest

COMMAND = [sys.executable, "-c", "from commonbeat.cli.main import main; main()"]


def environment(data: Path, **names: str) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("COMMONBEAT_", "DJANGO_"))}
    return {**kept, "COMMONBEAT_DATA_DIR": str(data), **{f"COMMONBEAT_{k}": v for k, v in names.items()}}


def run(data: Path, *arguments: str, **names: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        env=environment(data, **names),
        cwd=data.parent,
        capture_output=True,
        text=True,
        timeout=60,
    )


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(data: Path, *arguments: str, **names: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    port = free_port()
    process = subprocess.Popen(
        [*COMMAND, "serve", *arguments, "--port", str(port)],
        env=environment(data, **names),
        cwd=data.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and process.poll() is None:
            with closing(socket.socket()) as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.02)
        yield f"http://127.0.0.1:{port}", process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)


def test_help_lists_every_subcommand_and_makes_no_folder(tmp_path: Path) -> None:
    answer = run(tmp_path / "data", "--help")
    assert answer.returncode == 0
    for name in ("serve", "work", "begin", "demo", "import", "migrate", "settings", "doctor"):
        assert f"\n  {name} " in answer.stdout
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("name", ["serve", "work", "begin", "demo", "import", "migrate", "settings", "doctor"])
def test_every_subcommand_can_be_loaded(tmp_path: Path, name: str) -> None:
    answer = run(tmp_path / "data", name, "--help")
    assert answer.returncode == 0, answer.stderr
    assert "Usage: commonbeat" in answer.stdout
    assert not (tmp_path / "data").exists()


def test_settings_that_cannot_be_used_stop_the_start(tmp_path: Path) -> None:
    answer = run(tmp_path / "data", "serve", PROT="8000", THREADS="many")
    assert answer.returncode == 2
    assert "COMMONBEAT_PROT is not a setting." in answer.stderr
    assert "write a whole number" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_port_in_use_stops_the_start(tmp_path: Path) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        answer = run(tmp_path / "data", "serve", PORT=str(port))
    assert answer.returncode == 2
    assert f"Port {port} on 127.0.0.1 is in use" in answer.stderr
    assert "--port" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_foreign_address_stops_the_start(tmp_path: Path) -> None:
    # 192.0.2.0/24 is for documentation, RFC 5737: no computer has it.
    answer = run(tmp_path / "data", "serve", "--host", "192.0.2.1")
    assert answer.returncode == 2
    assert "not an address of this computer" in answer.stderr


def test_a_folder_that_cannot_be_written_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    answer = run(tmp_path / "file", "serve", "--port", str(free_port()))
    assert answer.returncode == 2
    assert "cannot be written" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_database_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    url = f"postgresql://nobody:hidden-word@127.0.0.1:{free_port()}/none"
    answer = run(tmp_path / "data", "migrate", DATABASE_URL=url)
    assert answer.returncode == 2
    assert "COMMONBEAT_DATABASE_URL" in answer.stderr
    assert "hidden-word" not in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_database_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert run(data, "migrate").returncode == 0
    with closing(sqlite3.connect(data / "commonbeat.sqlite3")) as database, database:
        database.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('reports', '9999_later', '2030-01-01')"
        )
    answer = run(data, "migrate")
    assert answer.returncode == 2
    assert "newer Commonbeat" in answer.stderr


def test_unapplied_migrations_are_applied_after_a_copy(tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert "prepared" in run(data, "migrate").stdout
    assert not (data / "before-migration").exists()
    with closing(sqlite3.connect(data / "commonbeat.sqlite3")) as database, database:
        database.execute("DELETE FROM django_migrations WHERE app = 'intake'")
        database.execute("DROP TABLE intake_session")
    answer = run(data, "migrate")
    assert "brought up to date" in answer.stdout, answer.stderr
    (copy,) = (data / "before-migration").iterdir()
    with closing(sqlite3.connect(copy)) as database:
        tables = {row[0] for row in database.execute("SELECT name FROM sqlite_master")}
    assert "reports_report" in tables
    assert "intake_session" not in tables
    assert run(data, "migrate").stdout == "Everything is up to date.\n"


@pytest.mark.slow
def test_serving_an_empty_folder_works_and_says_where(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    accounts = [{"username": "mira", "password": "three-plain-words", "totp_secret": "ABCD", "role": "officer"}]
    (data / "demo.json").write_text(json.dumps(accounts))
    with served(data) as (address, process):
        answer = httpx.get(address + "/", timeout=20)
        assert answer.status_code == 200
        style = next(part for part in answer.text.split('"') if part.endswith(".css"))
        # The name carries a hash, so a browser may keep the file for ever.
        loaded = httpx.get(address + style, headers={"accept-encoding": "gzip"})
        assert "immutable" in loaded.headers["cache-control"]
        assert loaded.headers["content-encoding"] == "gzip"
        process.send_signal(signal.SIGTERM)
        output, _errors = process.communicate(timeout=20)
    assert f"{address}/" in output
    assert "mira" in output and "three-plain-words" in output
    assert "Traceback" not in output


LISTENER = """
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "commonbeat.config.settings"
from commonbeat.cli.site import open_site
open_site()
from django.conf import settings
from django.test import Client
from commonbeat.people.models import Role, User
browser = Client()
browser.force_login(User.objects.create_user("supervisor", role=Role.SUPERVISOR))
print(browser.cookies[settings.SESSION_COOKIE_NAME].value)
"""


@pytest.mark.slow
def test_stopping_takes_less_than_three_seconds_with_streams_and_slow_clients(tmp_path: Path) -> None:
    data = tmp_path / "data"
    names = {"REQUIRE_MFA": "no"}
    made = subprocess.run(
        [sys.executable, "-c", LISTENER], env=environment(data, **names), capture_output=True, text=True, timeout=60
    )
    cookie = f"sessionid={made.stdout.strip()}"
    with served(data, **names) as (address, process), httpx.Client(headers={"cookie": cookie}, timeout=20) as browser:
        slow = socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2])))
        slow.sendall(b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\nx")
        with closing(slow), browser.stream("GET", address + "/live/desk") as stream:
            assert stream.status_code == 200, made.stderr
            pieces = stream.iter_text()
            assert "retry" in next(pieces)
            process.send_signal(signal.SIGTERM)
            begun = time.monotonic()
            # The stream ends in good order, so that the browser comes back by itself.
            assert "".join(pieces) == ""
            output, _errors = process.communicate(timeout=20)
            assert time.monotonic() - begun < 3.0
    assert "Traceback" not in output


@pytest.mark.slow
def test_a_data_folder_is_for_its_owner_alone(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o755)
    assert run(data, "migrate").returncode == 0
    open_to_others = [path for path in (data, *data.rglob("*")) if path.stat().st_mode & 0o077]
    assert open_to_others == []
    assert (data / "tmp").is_dir()


@pytest.mark.slow
def test_the_worker_alone_runs_until_it_is_told_to_stop(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, "work"],
        env=environment(tmp_path / "data"),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    said = process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    output, _errors = process.communicate(timeout=20)
    assert "The worker runs" in said + output
    assert process.returncode == 0, output


@pytest.mark.slow
def test_each_half_serves_alone(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with served(data, "live") as (address, _process):
        assert httpx.get(address + "/", timeout=20).status_code == 404
    with served(data, "pages") as (address, _process):
        assert httpx.get(address + "/", timeout=20).status_code == 200


def test_the_doctor_says_what_is_wrong_until_all_is_well(tmp_path: Path) -> None:
    data = tmp_path / "data"
    port = str(free_port())
    before = run(data, "doctor", PORT=port)
    assert before.returncode == 1
    assert "There is no data folder" in before.stdout
    run(data, "migrate")
    assert "commonbeat begin" in run(data, "doctor", PORT=port).stdout
    begun = run(data, "begin", "--administrator", "root")
    assert "Sign in as root with the password" in begun.stdout, begun.stderr
    again = run(data, "begin", "--administrator", "ROOT")
    assert again.returncode == 1
    assert "taken" in again.stderr
    after = run(data, "doctor", PORT=port)
    assert after.returncode == 0, after.stdout
    (data / "secret_key").chmod(0o644)
    leaky = run(data, "doctor", PORT=port, DEMO="yes", SITE_URL="https://beat.example", SMS_CHANNEL="kannel_sms")
    assert leaky.returncode == 1
    for part in ("chmod 600", "COMMONBEAT_DEMO=no", "set COMMONBEAT_KANNEL_SEND_URL"):
        assert part in leaky.stdout
