"""An alert goes out although its worker is killed, and although two work at it: once to each."""

from __future__ import annotations

import json
import os
import random
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from commonbeat.messaging.models import Outbound
from commonbeat.worker.fanning import PUT_OFF_SECONDS, REFRESH_SECONDS, Fanning
from tests.alerts.going_out import alert_out, many_subscribers, subscriber, urgent
from tests.make import NOW
from tests.worker import fanning_site

PEOPLE = 3_000
# `make test` kills three times, .ci/run two hundred times over all tests; more than forty tell nothing new here.
KILLS = min(40, int(os.environ.get("COMMONBEAT_TEST_KILLS", "3")))
SERVER = os.environ.get("COMMONBEAT_TEST_DATABASE_URL", "")


class OtherSite:
    """A site in a folder, or a database, of its own."""

    def __init__(self, folder: Path, address: str) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("COMMONBEAT_")}
        self.environment = {**kept, "COMMONBEAT_DATA_DIR": str(folder), "COMMONBEAT_DATABASE_URL": address}

    def run(self, step: str, number: int = 0) -> Any:
        """Run a step to its end; give what it printed."""
        command = [sys.executable, fanning_site.__file__, step, str(number)]
        done = subprocess.run(
            command, env=self.environment, cwd=_ROOT, check=True, capture_output=True, text=True, timeout=120
        )
        return json.loads(done.stdout) if done.stdout else None

    def begin(self, size: int) -> subprocess.Popen[str]:
        """Start a worker, which waits for go()."""
        command = [sys.executable, fanning_site.__file__, "work", str(size)]
        pipe = subprocess.PIPE
        worker = subprocess.Popen(command, env=self.environment, cwd=_ROOT, stdin=pipe, stdout=pipe, text=True)
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
        return worker


_ROOT = Path(__file__).resolve().parent.parent.parent


def go(worker: subprocess.Popen[str]) -> None:
    assert worker.stdin is not None
    worker.stdin.write("\n")
    worker.stdin.flush()


def end(worker: subprocess.Popen[str]) -> None:
    worker.communicate(timeout=120)
    assert worker.returncode == 0


@pytest.fixture
def other_site(tmp_path: Path) -> Iterator[OtherSite]:
    folder = tmp_path / "data"
    folder.mkdir()
    if not SERVER.startswith("postgres"):
        yield OtherSite(folder, "")
        return
    import psycopg

    base, name = SERVER.rsplit("/", 1)[0], f"fanning_{secrets.token_hex(4)}"
    with psycopg.connect(f"{base}/postgres", autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        try:
            yield OtherSite(folder, f"{base}/{name}")
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.kill
def test_kill_9_in_the_middle_leaves_exactly_one_for_each(other_site: OtherSite) -> None:
    other_site.run("prepare", PEOPLE)
    seen = set()
    for _ in range(KILLS):
        worker = other_site.begin(25)
        go(worker)
        # In the middle of the first batches of this one, at any point of a transaction.
        for _ in range(random.randint(0, 8)):
            assert worker.stdout is not None
            worker.stdout.readline()
        time.sleep(random.random() * 0.02)
        worker.kill()
        worker.wait()
        seen.add(other_site.run("account")["rows"])
    assert any(0 < rows < PEOPLE for rows in seen), "no kill fell into the middle"
    # Whoever takes over, and another one at the same time.
    two = [other_site.begin(25), other_site.begin(40)]
    for worker in two:
        go(worker)
    for worker in two:
        end(worker)
    found = other_site.run("account")
    assert (found["rows"], found["people"], found["open"]) == (PEOPLE, PEOPLE, 0)
    (books,) = found["books"]
    assert (books["matched"], books["passed"], books["queued"]) == (PEOPLE, PEOPLE, PEOPLE)


@pytest.mark.kill
def test_a_cancel_while_two_workers_queue_is_accounted_for_exactly(other_site: OtherSite) -> None:
    other_site.run("prepare", PEOPLE)
    two = [other_site.begin(25), other_site.begin(25)]
    for worker in two:
        go(worker)
    other_site.run("cancel")
    for worker in two:
        end(worker)
    found = other_site.run("account")
    first, second = found["books"]
    # Nothing was sent, so that nobody is told of the cancel, and what was queued is closed.
    assert found["rows"] == first["queued"] == second["matched"] == second["recalled"]
    assert found["states"] in ({"expired": first["queued"]}, {})
    assert second["queued"] == 0 and found["open"] == 0


@pytest.fixture
def _now(monkeypatch) -> None:
    monkeypatch.setattr("commonbeat.foundation.clock.now", lambda: NOW)


@pytest.mark.django_db
@pytest.mark.usefixtures("_now")
def test_a_step_is_a_batch_and_the_first_is_small(officer) -> None:
    many_subscribers(250)
    woken = []
    fanning = Fanning(on_queued=lambda: woken.append(Outbound.objects.count()))
    assert fanning.step() == 0
    alert_out(officer)
    assert fanning.step() == 100
    assert fanning.step() == 150
    assert fanning.step() == 0
    assert woken == [100, 250]


@pytest.mark.django_db
@pytest.mark.usefixtures("_now")
def test_urgent_overtakes_in_the_middle(officer, second_officer) -> None:
    many_subscribers(250)
    first = alert_out(officer)
    fanning = Fanning(on_queued=lambda: None)
    fanning.step()
    alert = alert_out(officer, draft=urgent(), second=second_officer)
    fanning.step()
    keys = Outbound.objects.values_list("idempotency_key", flat=True)
    assert sum(key.startswith(f"alert:{alert.pk}:") for key in keys) == 100
    while fanning.step():
        pass
    assert Outbound.objects.count() == 500
    assert sum(key.startswith(f"alert:{first.pk}:") for key in keys.all()) == 250


@pytest.mark.django_db
@pytest.mark.usefixtures("_now")
def test_an_alert_that_cannot_go_out_keeps_no_other_waiting(officer, second_officer, monkeypatch) -> None:
    from commonbeat.worker import fanning as module

    moment = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: moment[0])
    subscriber()
    broken = alert_out(officer, draft=urgent(), second=second_officer)
    area, broken.area = broken.area, {"type": "Nonsense"}
    broken.save(update_fields=["area"])
    whole = alert_out(officer)
    fanning = Fanning(on_queued=lambda: None)
    with pytest.raises(Exception, match="nonsense"):
        fanning.step()
    while fanning.step():
        pass
    assert Outbound.objects.get().idempotency_key.startswith(f"alert:{whole.pk}:")
    broken.area = area
    broken.save(update_fields=["area"])
    moment[0] += PUT_OFF_SECONDS
    while fanning.step():
        pass
    assert Outbound.objects.count() == 2


@pytest.mark.django_db
def test_subscriptions_are_kept_ready_while_nothing_goes_out(monkeypatch) -> None:
    from commonbeat.worker import fanning as module

    moment, looks = [100.0], []
    monkeypatch.setattr(module.time, "monotonic", lambda: moment[0])
    monkeypatch.setattr(module.index, "current", lambda: looks.append(moment[0]))
    subscriber()
    fanning = Fanning(on_queued=lambda: None)
    for _ in range(3):
        fanning.step()
    moment[0] += REFRESH_SECONDS
    fanning.step()
    assert looks == [100.0, 100.0 + REFRESH_SECONDS]
