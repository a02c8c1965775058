"""A journal with entries of several kinds, its log, and the keys of site and overseer."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from commonbeat.journal.actions import append
from commonbeat.journal.actions.log import add_countersignature, add_countersigner, sequence, sign_checkpoint
from commonbeat.journal.log_file import write_log
from commonbeat.journal.log_queries import latest_checkpoint, logged_entries, logged_tiles, note_of
from commonbeat.journal.models import Checkpoint
from commonbeat.journal.notes import COUNTERSIGNS, SIGNS, Signer
from tests.make import NOW

BLINDING = b"a key that keeps entries unguessed"[:32]
SITE = Signer("town.example/log", SIGNS, b"1" * 32)
OVERSEER = Signer("oversight.example", COUNTERSIGNS, b"2" * 32)
MINUTE = timedelta(minutes=1)


def entries(count: int, *, now: datetime = NOW) -> None:
    """Write entries about reports and people."""
    for number in range(count):
        at = now + timedelta(microseconds=number)
        if number % 3 == 0:
            append(kind="messaging.stopped", subject_id=50 + number % 5, now=at)
        else:
            append(kind="reports.moved", subject_id=number, now=at, actor_id=7, data={"from": "new", "to": "triaged"})


def logged(count: int, *, now: datetime = NOW) -> Checkpoint:
    """Write entries, put them into the log and sign it."""
    entries(count, now=now)
    while sequence(blinding=BLINDING, limit=300):
        pass
    sign_checkpoint(signer=SITE, now=now)
    found = latest_checkpoint()
    assert found is not None
    return found


def countersigned(*, now: datetime = NOW) -> Checkpoint:
    """Countersign the newest checkpoint as the overseer does."""
    add_countersigner(text=OVERSEER.verifier.text, now=now, actor_id=1)
    found = latest_checkpoint()
    assert found is not None
    text = found.note.partition("\n\n")[0] + "\n"
    line = OVERSEER.line(text, at=int(now.timestamp()))
    return add_countersignature(text=f"{text}\n{line}", now=now, actor_id=1)


def exported(file: Path) -> Path:
    """Write the log to a file, as the overseer's page does."""
    found = latest_checkpoint()
    assert found is not None
    parts = write_log(logged_entries(found.size, blinding=BLINDING), logged_tiles(found.size), note_of(found))
    file.write_bytes(b"".join(parts))
    return file
