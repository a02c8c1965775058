"""Whatever is changed in the database afterwards is found, and named: the first entry that is not what it was."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection

from commonbeat.journal import actions
from commonbeat.journal.actions import append
from commonbeat.journal.actions.log import sequence, sign_checkpoint
from commonbeat.journal.log_check import check_site
from commonbeat.journal.log_queries import LOG_CURSOR
from commonbeat.journal.models import Checkpoint, Entry, Tile
from commonbeat.journal.notes import read_checkpoint, read_note
from tests.journal.log_site import BLINDING, MINUTE, SITE, entries, logged
from tests.make import NOW

pytestmark = pytest.mark.django_db


def sql(statement: str, *values: int) -> None:
    """Do what somebody does who has the database and no scruples."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def number_at(position: int) -> int:
    """Give the number of the entry at a place."""
    return int(Entry.objects.order_by("id")[position].pk)


def check() -> str:
    """Verify the site; gives what is wrong."""
    return check_site(blinding=BLINDING).wrong


def _change_time() -> None:
    entry = Entry.objects.get(pk=number_at(258))
    Entry.objects.filter(pk=entry.pk).update(at=entry.at + timedelta(microseconds=1))


def _swap() -> None:
    first, second = Entry.objects.get(pk=number_at(258)), Entry.objects.get(pk=number_at(259))
    Entry.objects.filter(pk=first.pk).update(subject_id=second.subject_id, kind=second.kind, at=second.at)
    Entry.objects.filter(pk=second.pk).update(subject_id=first.subject_id, kind=first.kind, at=first.at)


CHANGES: dict[str, Callable[[], None]] = {
    "kind": lambda: sql("UPDATE journal_entry SET kind = 'reports.noted' WHERE id = %s", number_at(258)),
    "subject": lambda: sql("UPDATE journal_entry SET subject_id = subject_id + 1 WHERE id = %s", number_at(258)),
    "stranger": lambda: sql("UPDATE journal_entry SET subject_id = 9999 WHERE id = %s", number_at(258)),
    "actor": lambda: sql("UPDATE journal_entry SET actor_id = 8 WHERE id = %s", number_at(258)),
    "data": lambda: sql("UPDATE journal_entry SET data = '{\"to\":\"closed\"}' WHERE id = %s", number_at(258)),
    "no details": lambda: sql("UPDATE journal_entry SET data = '[]' WHERE id = %s", number_at(258)),
    "time": _change_time,
    "reordered": _swap,
}  # fmt: skip


@pytest.mark.parametrize("what", CHANGES)
def test_an_entry_that_was_changed_is_named(what: str) -> None:
    logged(600)
    number = number_at(258)
    CHANGES[what]()
    assert check() == f"an entry was changed at position 258 (entry number {number} of the journal)"


@pytest.mark.skipif(connection.vendor != "sqlite", reason="other databases take no text for a number; not in CI")
@pytest.mark.parametrize("value", ["at = 'once'", "subject_id = 'é'", "actor_id = 'somebody'"])
def test_what_no_model_would_write_is_named_too(value: str) -> None:
    logged(600)
    number = number_at(258)
    sql(f"UPDATE journal_entry SET {value} WHERE id = %s", number)
    assert check() == f"an entry was changed at position 258 (entry number {number} of the journal)"


def test_an_entry_that_was_removed_is_named() -> None:
    logged(600)
    number = number_at(258)
    sql("DELETE FROM journal_entry WHERE id = %s OR id = %s", number, number_at(400))
    assert check() == f"an entry was removed at position 258 (entry number {number} of the journal)"


@pytest.mark.parametrize("position", [0, 258, 299])
def test_an_entry_that_was_slipped_in_is_named(position: int) -> None:
    entries(position)
    gap = int(append(kind="reports.moved", subject_id=1, now=NOW).pk)
    sql("DELETE FROM journal_entry WHERE id = %s", gap)
    logged(300 - position)
    assert check() == ""
    Entry.objects.create(id=gap, at=NOW, kind="reports.moved", subject_id=99, data={})
    assert check() == f"an entry was inserted at position {position} (entry number {gap} of the journal)"


def test_the_end_cannot_be_cut_off() -> None:
    logged(300)
    number = number_at(299)
    sql("DELETE FROM journal_entry WHERE id = %s", number)
    assert check() == f"an entry was removed at position 299 (entry number {number} of the journal)"
    # With its hash, too.
    tile = Tile.objects.get(level=0, number=1)
    Tile.objects.filter(pk=tile.pk).update(hashes=bytes(tile.hashes)[:-32], entries=bytes(tile.entries)[:-8])
    assert check() == "1 entries were removed at the end: 300 were signed, and 299 are there"


def test_who_changes_the_hashes_too_is_found_by_what_was_signed() -> None:
    logged(100)
    logged(200, now=NOW + MINUTE)
    sql("UPDATE journal_entry SET subject_id = 5 WHERE id = %s", number_at(200))
    kept = list(Checkpoint.objects.order_by("size").values_list("note", flat=True))
    Tile.objects.all().delete()
    actions.move_cursor(name=LOG_CURSOR, to=0)
    while sequence(blinding=BLINDING):
        pass
    assert "position 100 to 299" in check()
    # And who signs anew is found by what was kept elsewhere.
    Checkpoint.objects.all().delete()
    sign_checkpoint(signer=SITE, now=NOW + 2 * MINUTE)
    assert check() == ""
    known = [read_checkpoint(read_note(text).text) for text in kept]
    assert "position 100 to 299" in check_site(blinding=BLINDING, known=known).wrong


def test_stored_hashes_that_are_wrong_or_missing_are_named() -> None:
    logged(600)
    tile = Tile.objects.get(level=1, number=0)
    Tile.objects.filter(pk=tile.pk).update(hashes=bytes(32) + bytes(tile.hashes)[32:])
    assert check() == "tile 1/0 of the stored hashes is wrong"
    Tile.objects.filter(pk=tile.pk).delete()
    assert "is missing" in check()
    Tile.objects.filter(level=0, number=1).delete()
    assert check() == "tile 0/1 of the stored hashes is missing"


@pytest.mark.parametrize("column", ["size", "note", "root"])
def test_a_checkpoint_that_was_edited_is_found(column: str) -> None:
    row = logged(10)
    value = {"size": 9, "root": bytes(32), "note": row.note.replace("town", "down")}[column]
    Checkpoint.objects.filter(pk=row.pk).update(**{column: value})
    assert "is not what was signed" in check()
