"""Entries get their places after they are committed, once each; people stay people who can be erased."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.db import transaction

from commonbeat.journal import actions
from commonbeat.journal.actions import append, log
from commonbeat.journal.actions.log import (
    LogError,
    add_countersignature,
    add_countersigner,
    purge_checkpoints,
    retire_countersigner,
    sequence,
    sign_checkpoint,
)
from commonbeat.journal.leaves import commitment
from commonbeat.journal.log_check import check_site
from commonbeat.journal.log_queries import (
    LOG_CURSOR,
    inclusion_of,
    latest_checkpoint,
    latest_countersigned,
    logged_entries,
    note_of,
    position_of,
    stored_subtree,
    tree_size,
)
from commonbeat.journal.merkle import consistency_path, leaf_hash, root_of
from commonbeat.journal.models import Checkpoint, Commitment, Countersigner, Entry, Tile
from commonbeat.journal.notes import Note, check_signed, read_checkpoint, read_note
from commonbeat.journal.proofs import Consistency
from commonbeat.messaging.actions.retention import erase_address
from commonbeat.messaging.models import Contact
from commonbeat.reactions.retention import Pace, delete_due
from tests import make
from tests.journal.log_site import BLINDING, MINUTE, OVERSEER, SITE, countersigned, entries, logged
from tests.make import NOW

pytestmark = pytest.mark.django_db


def number_at(position: int) -> int:
    """Give the number of the entry at a place."""
    return int(Entry.objects.order_by("id")[position].pk)


def check() -> str:
    """Verify the site; gives what is wrong."""
    return check_site(blinding=BLINDING).wrong


# ---------------------------------------------------------------- entries and their places


def test_the_log_is_the_tree_over_all_entries_in_order() -> None:
    logged(700)
    size = tree_size()
    hashes = [leaf_hash(entry) for entry in logged_entries(size, blinding=BLINDING)]
    assert size == len(hashes) == 700
    assert stored_subtree()(0, size) == root_of(hashes)
    assert [position_of(number_at(at)) for at in (0, 255, 256, 699)] == [0, 255, 256, 699]
    assert position_of(10**9) is None and position_of(-1) is None
    assert check() == ""


def test_numbers_that_were_never_given_leave_no_gap_in_the_log() -> None:
    entries(2)
    with pytest.raises(RuntimeError), transaction.atomic():
        append(kind="reports.moved", subject_id=1, now=NOW)
        raise RuntimeError
    last = int(Entry.objects.order_by("-id")[0].pk)
    append(kind="reports.moved", subject_id=1, now=NOW)
    Entry.objects.filter(id__gt=last).update(id=last + 5)
    logged(0)
    assert tree_size() == 3 and position_of(last + 5) == 2 and check() == ""


def test_in_pieces_or_at_once_the_tree_is_the_same() -> None:
    entries(600)
    while sequence(blinding=BLINDING, limit=7):
        pass
    pieces = stored_subtree()(0, 600)
    Tile.objects.all().delete()
    actions.move_cursor(name=LOG_CURSOR, to=0)
    assert sequence(blinding=BLINDING, limit=10_000) == 600
    assert stored_subtree()(0, 600) == pieces


def test_two_workers_at_once_log_each_entry_once(monkeypatch: pytest.MonkeyPatch) -> None:
    entries(20)
    hashing = log.entry_bytes
    inner: list[int] = []

    def slow(*arguments: object, **more: object) -> bytes:
        # While the first one hashes, the second one is through.
        if not inner:
            inner.append(0)
            inner[0] = sequence(blinding=BLINDING)
        return hashing(*arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(log, "entry_bytes", slow)
    assert sequence(blinding=BLINDING) == 0
    assert inner == [20] and tree_size() == 20
    assert sequence(blinding=BLINDING) == 0 and check() == ""


def test_what_breaks_off_in_the_middle_leaves_nothing_half_done(monkeypatch: pytest.MonkeyPatch) -> None:
    logged(10)
    entries(300)

    store = log._store

    def broken(tiles: list[Tile]) -> None:
        store(tiles)
        raise OSError

    with monkeypatch.context() as patch:
        patch.setattr(log, "_store", broken)
        with pytest.raises(OSError):
            sequence(blinding=BLINDING)
    assert tree_size() == 10 and check() == ""
    logged(0, now=NOW + MINUTE)
    assert tree_size() == 310 and check() == ""


# ---------------------------------------------------------------- checkpoints


def test_a_checkpoint_is_signed_at_once_and_then_once_a_minute_when_there_is_something_new() -> None:
    first = sign_checkpoint(signer=SITE, now=NOW)
    assert first is not None and first.size == 0
    assert sign_checkpoint(signer=SITE, now=NOW + 2 * MINUTE) is None
    entries(3)
    sequence(blinding=BLINDING)
    assert sign_checkpoint(signer=SITE, now=NOW + MINUTE / 2) is None
    second = sign_checkpoint(signer=SITE, now=NOW + MINUTE)
    assert second is not None and second.size == 3
    note = read_note(note_of(second))
    check_signed(note, [SITE.verifier])
    assert read_checkpoint(note.text).root == stored_subtree()(0, 3)
    # A clock that was put back must not stop it.
    entries(1)
    sequence(blinding=BLINDING)
    assert sign_checkpoint(signer=SITE, now=NOW - timedelta(days=1)) is not None


@pytest.mark.parametrize(("level", "number"), [(0, 1), (1, 0)])
def test_nothing_is_signed_that_does_not_go_on_from_what_was_signed(level: int, number: int) -> None:
    logged(300)
    tile = Tile.objects.get(level=level, number=number)
    Tile.objects.filter(pk=tile.pk).update(hashes=bytes(32) + bytes(tile.hashes)[32:])
    entries(1)
    sequence(blinding=BLINDING)
    with pytest.raises(LogError):
        sign_checkpoint(signer=SITE, now=NOW + MINUTE)
    assert Checkpoint.objects.count() == 1


def test_a_log_that_became_shorter_is_not_signed() -> None:
    logged(300)
    Tile.objects.filter(level=0, number=1).delete()
    with pytest.raises(LogError):
        sign_checkpoint(signer=SITE, now=NOW + MINUTE)


def test_of_old_checkpoints_the_last_of_each_day_and_the_countersigned_stay() -> None:
    for hour in range(72):
        logged(1, now=NOW + timedelta(hours=hour))
        if hour == 30:
            countersigned(now=NOW)
    days = {row.at.date() for row in Checkpoint.objects.all()}
    assert purge_checkpoints(now=NOW + timedelta(days=6)) == 0
    later = NOW + timedelta(days=20)
    assert purge_checkpoints(now=later, limit=10) == 10
    while purge_checkpoints(now=later):
        pass
    left = list(Checkpoint.objects.order_by("size"))
    assert {row.at.date() for row in left} == days and len(left) == len(days) + 1
    assert check() == ""


# ---------------------------------------------------------------- proofs


def test_an_entry_is_proved_and_the_growth_too() -> None:
    old = logged(290)
    logged(120, now=NOW + MINUTE)
    for position in (0, 255, 289, 290, 409):
        proof = inclusion_of(number_at(position), blinding=BLINDING)
        assert proof is not None and proof.check().size == 410 and proof.index == position
    newest = latest_checkpoint()
    assert newest is not None
    path = consistency_path(old.size, newest.size, stored_subtree())
    grown = Consistency(old.size, tuple(path), read_note(note_of(newest)))
    assert grown.check(read_checkpoint(read_note(old.note).text)).size == 410
    assert inclusion_of(10**9, blinding=BLINDING) is None


def test_what_is_not_signed_yet_is_not_proved() -> None:
    logged(3)
    entries(1)
    number = number_at(3)
    assert inclusion_of(number, blinding=BLINDING) is None
    sequence(blinding=BLINDING)
    assert inclusion_of(number, blinding=BLINDING) is None


# ---------------------------------------------------------------- people who are erased


def test_after_an_erasure_nobody_can_be_linked_and_the_log_still_verifies() -> None:
    contact = make.make_contact()
    append(kind="messaging.stopped", subject_id=contact.pk, now=NOW)
    before = logged(5)
    row = Commitment.objects.get(holder="contact", number=contact.pk)
    salt = bytes(row.salt or b"")
    assert bytes(row.digest) == commitment(salt, ("contact", contact.pk))
    erase_address(contact_id=contact.pk, now=NOW, actor_id=None)
    row.refresh_from_db()
    assert row.salt is None
    # What is written of the erasure is logged after the salt is gone.
    logged(1, now=NOW + MINUTE)
    lines = list(logged_entries(tree_size(), blinding=BLINDING))
    assert sum(bytes(row.digest).hex() in line.decode() for line in lines) == 2
    assert not any(salt.hex() in line.decode() for line in lines)
    assert check() == "" and tree_size() == before.size + 2


def test_who_is_erased_before_the_log_knows_them_never_gets_a_salt() -> None:
    contact = make.make_contact()
    append(kind="messaging.stopped", subject_id=contact.pk, now=NOW)
    erase_address(contact_id=contact.pk, now=NOW, actor_id=None)
    logged(1)
    assert Commitment.objects.get(holder="contact", number=contact.pk).salt is None
    assert check() == ""


def test_salts_of_those_erased_before_there_was_a_log_go_within_the_hour(unit: object) -> None:
    contact = make.make_contact()
    for pk in (contact.pk, contact.pk + 900):
        append(kind="messaging.stopped", subject_id=pk, now=NOW)
    sequence(blinding=BLINDING)
    delete_due(NOW, Pace(rest=lambda seconds: None))
    salts = dict(Commitment.objects.filter(holder="contact").values_list("number", "salt"))
    assert salts[contact.pk] is not None and salts[contact.pk + 900] is None
    assert Contact.objects.filter(pk=contact.pk).exists() and check() == ""


def test_no_number_of_a_person_stands_in_what_is_taken_out_of_the_house() -> None:
    append(kind="messaging.stopped", subject_id=777_001, now=NOW)
    append(kind="people.invited", subject_id=777_002, now=NOW, actor_id=777_003)
    append(kind="reports.enrolled", subject_id=3, now=NOW, actor_id=777_003, data={"contact": 777_004, "new": True})
    logged(0)
    # Whole, for three digits stand in some digest by chance.
    numbers = [str(number) for number in range(777_001, 777_005)]
    for line in logged_entries(3, blinding=BLINDING):
        assert not any(number in json.dumps(json.loads(line)[3:6]) for number in numbers)
    assert not any(number in str(inclusion_of(number_at(0), blinding=BLINDING)) for number in numbers)


# ---------------------------------------------------------------- countersigning


def test_a_countersignature_is_kept_once_and_shown_with_the_checkpoint() -> None:
    logged(5)
    row = countersigned()
    assert latest_countersigned() == row
    note = read_note(note_of(row))
    check_signed(note, [SITE.verifier, OVERSEER.verifier])
    again = add_countersignature(text=str(note), now=NOW, actor_id=1)
    assert again.countersignatures == row.countersignatures
    assert Entry.objects.filter(kind="oversight.countersigned").count() == 1
    assert check() == ""


def test_countersignatures_that_prove_nothing_are_refused() -> None:
    row = logged(5)
    text = row.note.partition("\n\n")[0] + "\n"
    mine = Note(text, (OVERSEER.line(text, at=1),))
    with pytest.raises(LogError, match="registered"):
        add_countersignature(text=str(mine), now=NOW, actor_id=1)
    key = add_countersigner(text=OVERSEER.verifier.text, now=NOW, actor_id=1)
    for wrong in ("", "hello", str(Note(text.replace("5", "6"), mine.lines)), row.note):
        with pytest.raises(LogError):
            add_countersignature(text=wrong, now=NOW, actor_id=1)
    other = text.replace("town", "down")
    with pytest.raises(LogError, match="no checkpoint of this log"):
        add_countersignature(text=str(Note(other, (OVERSEER.line(other, at=1),))), now=NOW, actor_id=1)
    retire_countersigner(countersigner_id=key.pk, now=NOW, actor_id=1)
    with pytest.raises(LogError, match="registered"):
        add_countersignature(text=str(mine), now=NOW, actor_id=1)
    row.refresh_from_db()
    assert row.countersignatures == ""


def test_only_public_keys_for_countersigning_are_registered() -> None:
    for wrong in ("", "hello", OVERSEER.text, SITE.verifier.text):
        with pytest.raises(LogError):
            add_countersigner(text=wrong, now=NOW, actor_id=1)
    add_countersigner(text=OVERSEER.verifier.text, now=NOW, actor_id=1)
    with pytest.raises(LogError, match="already"):
        add_countersigner(text=OVERSEER.verifier.text, now=NOW, actor_id=1)
    assert Countersigner.objects.count() == 1
    found = latest_checkpoint()
    assert found is None
