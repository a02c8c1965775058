"""Of several workers one runs a loop, and a dead one holds nobody up for long."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from commonbeat.foundation import clock
from commonbeat.worker import turn as turn_module
from commonbeat.worker.turn import FileTurn, LeaseTurn
from commonbeat.worker.watch import Watch


def test_one_file_one_turn(tmp_path: Path) -> None:
    first, second = FileTurn(tmp_path / "pump.lock"), FileTurn(tmp_path / "pump.lock")
    assert first.take()
    assert first.take()
    assert not second.take()
    first.give_back()
    assert second.take()
    assert not first.take()
    second.give_back()


def test_a_killed_process_leaves_the_turn_free(tmp_path: Path) -> None:
    file = tmp_path / "pump.lock"
    code = (
        "import fcntl, os, sys, time; d = os.open(sys.argv[1], os.O_CREAT | os.O_RDWR);"
        " fcntl.flock(d, fcntl.LOCK_EX); print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(file)], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        turn = FileTurn(file)
        assert not turn.take()
        other.kill()
        other.wait()
        assert turn.take()
        turn.give_back()


@pytest.mark.django_db
def test_a_lease_is_kept_renewed_and_given_back(monkeypatch) -> None:
    moment = [clock.now()]
    monkeypatch.setattr(turn_module.clock, "now", lambda: moment[0])
    first, second = LeaseTurn("pump"), LeaseTurn("pump")
    assert first.take()
    assert not second.take()
    moment[0] += timedelta(seconds=20)
    assert first.take()
    moment[0] += timedelta(seconds=20)
    assert not second.take()
    # A holder that says nothing for half a minute has lost it.
    moment[0] += timedelta(seconds=31)
    assert second.take()
    assert not first.take()
    second.give_back()
    moment[0] += timedelta(milliseconds=1)
    assert first.take()


@pytest.mark.django_db
def test_the_watch_sees_its_first_time_only_without_writers() -> None:
    watch = Watch()
    assert watch.has_changed()
    assert not watch.has_changed()
