"""`commonbeat drill` on a site with a real person, a real gateway and real data: none of them notices."""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.alerts.partner_server import PartnerServer, serving
from tests.cli import drill_site

# Each counts the drills' databases on the server: with several processes, run whole files (--dist loadfile).
pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
SERVER = os.environ.get("COMMONBEAT_TEST_DATABASE_URL", "")
COMMAND = [sys.executable, "-c", "from commonbeat.cli.main import main; main()", "drill"]


@dataclass
class Site:
    """A site in a folder, or a database, of its own, and the folder in which a drill makes its own."""

    environment: dict[str, str]
    temporary: Path
    gateway: PartnerServer

    def step(self, name: str) -> Any:
        """Run a step to its end; give what it printed."""
        command = [sys.executable, drill_site.__file__, name]
        done = subprocess.run(
            command, env=self.environment, cwd=ROOT, check=True, capture_output=True, text=True, timeout=120
        )
        return json.loads(done.stdout) if done.stdout else None

    def left(self) -> list[str]:
        """Name what drills have left behind."""
        return sorted(one.name for one in self.temporary.iterdir() if one.name.startswith("commonbeat-drill"))


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    folder, temporary = tmp_path / "data", tmp_path / "tmp"
    folder.mkdir()
    temporary.mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COMMONBEAT_")}
    with serving() as gateway, _database() as address:
        environment = {
            **kept,
            "TMPDIR": str(temporary),
            "COMMONBEAT_DATA_DIR": str(folder),
            "COMMONBEAT_DATABASE_URL": address,
            "COMMONBEAT_SECRET_KEY": "a key for tests only, of sufficient length",
            "COMMONBEAT_SMS_CHANNEL": "kannel_sms",
            "COMMONBEAT_KANNEL_SEND_URL": gateway.address,
            "COMMONBEAT_KANNEL_USERNAME": "user",
            "COMMONBEAT_KANNEL_PASSWORD": "the-password-of-kannel",
            "COMMONBEAT_QUIET_HOURS": "00:00-23:59",
        }
        made = Site(environment, temporary, gateway)
        made.step("prepare")
        # The first command brings a site up to date, whatever the command is.
        subprocess.run([*COMMAND, "--area", "nowhere"], env=environment, cwd=ROOT, capture_output=True, timeout=120)
        yield made


class _database:
    """Give the address of an empty PostgreSQL database, where the tests run on PostgreSQL; else nothing."""

    def __enter__(self) -> str:
        if not SERVER.startswith("postgres"):
            return ""
        import psycopg

        self.base, self.name = SERVER.rsplit("/", 1)[0], f"drilled_{secrets.token_hex(4)}"
        with psycopg.connect(f"{self.base}/postgres", autocommit=True) as server:
            server.execute(f"CREATE DATABASE {self.name}")
        return f"{self.base}/{self.name}"

    def __exit__(self, *_: object) -> None:
        if SERVER.startswith("postgres"):
            import psycopg

            with psycopg.connect(f"{self.base}/postgres", autocommit=True) as server:
                server.execute(f"DROP DATABASE {self.name} WITH (FORCE)")


def databases() -> set[str]:
    """Name the databases of drills on the server."""
    if not SERVER.startswith("postgres"):
        return set()
    import psycopg

    with psycopg.connect(f"{SERVER.rsplit('/', 1)[0]}/postgres") as server:
        rows = server.execute("SELECT datname FROM pg_database WHERE datname LIKE 'commonbeat_drill_%'").fetchall()
    return {name for (name,) in rows}


def test_nobody_real_is_written_to_and_nothing_is_changed(site: Site) -> None:
    before, others = site.step("digest"), databases()
    assert before["messaging_contact"][0] == 1 and before["alerts_subscription"][0] == 2
    done = subprocess.run(
        [*COMMAND, "--people", "90", "--area", "old town", "--rates", "sms=100,email=100", "--seed", "7"],
        env=site.environment, cwd=ROOT, capture_output=True, text=True, timeout=180,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    table = {row.split()[0]: row.split()[1:] for row in done.stdout.splitlines() if re.match(r"(sms|push|email) ", row)}
    assert set(table) == {"sms", "push", "email"}
    matched, queued, sent, delivered, delayed, failed, waiting = (int(one) for one in table["sms"][:7])
    # Not those of the far beat; all of them accounted for; the real person is none of them.
    assert 0 < matched < 30 and queued == matched == sent + failed and delivered == sent
    assert (delayed, waiting) == (0, 0) and table["push"][3] == "–"
    assert re.search(r"^Reached \d+ of \d+ \(\d+\.\d %\)", done.stdout, re.MULTILINE)
    assert site.gateway.got == []
    assert site.step("digest") == before
    assert site.left() == [] and databases() == others


def test_ctrl_c_leaves_nothing(site: Site) -> None:
    before, others = site.step("digest"), databases()
    process = subprocess.Popen(
        [*COMMAND, "--people", "500", "--rates", "sms=1,push=1,email=1"], env=site.environment, cwd=ROOT,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        # A shell lets what it starts in the background ignore Ctrl-C, and so may whatever has started these tests.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    assert process.stdout is not None
    for line in process.stdout:
        if "who do not exist" in line:
            break
    assert site.left()
    # As a terminal does it: to the command and to what it has started.
    os.killpg(process.pid, signal.SIGINT)
    rest = process.stdout.read()
    assert process.wait(60) == 130 and "Traceback" not in rest
    assert site.left() == [] and databases() == others
    assert site.step("digest") == before
