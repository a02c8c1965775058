"""Put the journal's entries into the log, sign what it has become, keep the oversight body's signatures."""

from __future__ import annotations

import struct
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from itertools import islice, pairwise

from django.db import transaction

from commonbeat.foundation.ids import random_key
from commonbeat.journal import notes
from commonbeat.journal.actions import append
from commonbeat.journal.leaves import Person, Row, commitment, entry_bytes, people_in
from commonbeat.journal.log_queries import (
    LOG_CURSOR,
    known_commitments,
    latest_checkpoint,
    read_tile,
    rows_after,
    stored_subtree,
    tree_size,
)
from commonbeat.journal.merkle import WIDTH, grow, leaf_hash
from commonbeat.journal.models import Checkpoint, Commitment, Countersigner, Cursor, Tile
from commonbeat.journal.notes import COUNTERSIGNS, NoteError, Signer, read_note, read_verifier, signature_of
from commonbeat.journal.queries import cursor_position

BATCH = 5_000
CHECKPOINT_EVERY = timedelta(minutes=1)
# Of a day that is so long ago, only its last checkpoint stays.
CHECKPOINTS_KEPT = timedelta(days=7)

EXPORTED = "oversight.log_exported"
PROVED = "oversight.entry_proved"
KEY_ADDED = "oversight.key_added"
KEY_RETIRED = "oversight.key_retired"
COUNTERSIGNED = "oversight.countersigned"


class LogError(ValueError):
    """Something that may not be done to the log; the text is a sentence."""


def sequence(*, blinding: bytes, limit: int = BATCH) -> int:
    """Put the next entries at the end of the log; gives how many, 0 when all are in it.

    Nothing is computed while the database is locked. Of two workers at once one does nothing.
    """
    position = cursor_position(LOG_CURSOR)
    rows = rows_after(position, limit)
    if not rows:
        return 0
    people = _commit({person for row in rows for person in people_in(row)})
    tiles = _grown([leaf_hash(entry_bytes(row, people=people, blinding=blinding)) for row in rows], rows)
    if not position:
        Cursor.objects.get_or_create(name=LOG_CURSOR)
    with transaction.atomic():
        # Where the cursor still is where it was, so are the tiles.
        if not Cursor.objects.filter(name=LOG_CURSOR, position=position).update(position=rows[-1].id):
            return 0
        _store(tiles)
    return len(rows)


def sign_checkpoint(*, signer: Signer, now: datetime, every: timedelta = CHECKPOINT_EVERY) -> Checkpoint | None:
    """Sign what the log has become, if something is new and the last signature is old enough; LogError where it forks.

    What was signed is checked first: whoever has changed stored hashes gets no signature for it.
    """
    size, last, key = tree_size(), latest_checkpoint(), signer.verifier.text
    if last is not None and last.key == key and (size == last.size or timedelta(0) <= now - last.at < every):
        return None
    subtree = stored_subtree()
    if last is not None and (size < last.size or subtree(0, last.size) != bytes(last.root)):
        raise LogError("The log is not what was signed before: see `commonbeat verify site`.")
    root = subtree(0, size)
    text = notes.Checkpoint(signer.name, size, root).text
    return Checkpoint.objects.create(size=size, root=root, at=now, note=f"{text}\n{signer.line(text)}", key=key)


def forget_people(people: Collection[Person]) -> None:
    """Delete the salts of people who are erased: what stands in the log for them can be tested no more.

    For whoever is not in the log yet, bytes are left that never had a salt, so that what is still to be logged of them
    gets none.
    """
    Commitment.objects.bulk_create(
        [Commitment(holder=holder, number=number, digest=random_key(), salt=None) for holder, number in sorted(people)],
        update_conflicts=True,
        unique_fields=["holder", "number"],
        update_fields=["salt"],
    )


def add_countersigner(*, text: str, now: datetime, actor_id: int) -> Countersigner:
    """Register a public key of the oversight body; LogError says what is wrong with it."""
    try:
        verifier = read_verifier(text)
    except NoteError as error:
        raise LogError(f"This key cannot be used: {error}.") from None
    if verifier.kind != COUNTERSIGNS:
        raise LogError("This key is for signing, not for countersigning. Make one with `commonbeat log key`.")
    with transaction.atomic():
        row, is_new = Countersigner.objects.get_or_create(
            key=verifier.text, defaults={"added_at": now, "added_by": actor_id}
        )
        if not is_new:
            raise LogError("This key is registered already.")
        append(kind=KEY_ADDED, subject_id=row.pk, now=now, actor_id=actor_id)
    return row


def retire_countersigner(*, countersigner_id: int, now: datetime, actor_id: int) -> None:
    """Accept no more signatures of a key; what it has signed stays."""
    with transaction.atomic():
        if Countersigner.objects.filter(pk=countersigner_id, retired_at=None).update(retired_at=now):
            append(kind=KEY_RETIRED, subject_id=countersigner_id, now=now, actor_id=actor_id)


def add_countersignature(*, text: str, now: datetime, actor_id: int) -> Checkpoint:
    """Keep the signature of a registered key under one of our checkpoints; LogError says why it is not taken."""
    try:
        note = read_note(text)
        said = notes.read_checkpoint(note.text)
        keys = [read_verifier(row.key) for row in Countersigner.objects.filter(retired_at=None)]
        found = [(key, signed[0]) for key in keys if (signed := signature_of(note, key)) is not None]
    except NoteError as error:
        raise LogError(f"This cannot be taken: {error}.") from None
    if not found:
        raise LogError("None of the registered keys has signed this.")
    with transaction.atomic():
        rows = Checkpoint.objects.select_for_update().filter(size=said.size, note__startswith=note.text + "\n")
        row = rows.order_by("pk").first()
        if row is None:
            raise LogError("This is no checkpoint of this log, or one that is kept no more. Countersign a newer one.")
        # One line of each key is enough.
        kept = read_note(row.note + row.countersignatures)
        new = [line for key, line in found if signature_of(kept, key) is None]
        if new:
            row.countersignatures += "".join(new)
            row.save(update_fields=["countersignatures"])
            append(kind=COUNTERSIGNED, subject_id=row.size, now=now, actor_id=actor_id)
    return row


def note_export(*, kind: str, subject_id: int, now: datetime, actor_id: int) -> None:
    """Journal that somebody takes the log, or the proof of an entry, out of the house."""
    with transaction.atomic():
        append(kind=kind, subject_id=subject_id, now=now, actor_id=actor_id)


def purge_checkpoints(*, now: datetime, limit: int = 500) -> int:
    """Delete old checkpoints that nobody has countersigned, but the last of each day; gives their number."""
    old = Checkpoint.objects.filter(at__lt=now - CHECKPOINTS_KEPT).order_by("size", "pk")
    rows = list(old.values_list("pk", "at", "countersignatures"))
    gone = (pk for (pk, at, signed), (_, then, _) in pairwise(rows) if not signed and at.date() == then.date())
    ids = list(islice(gone, limit))
    if ids:
        Checkpoint.objects.filter(pk__in=ids).delete()
    return len(ids)


def _commit(people: Collection[Person]) -> dict[Person, bytes]:
    found = known_commitments(people)
    new = [person for person in people if person not in found]
    if new:
        rows = []
        for person in sorted(new):
            salt = random_key()
            rows.append(Commitment(holder=person[0], number=person[1], salt=salt, digest=commitment(salt, person)))
        # Another worker, or an erasure, may have been quicker: theirs stays, and is read.
        Commitment.objects.bulk_create(rows, ignore_conflicts=True)
        found |= known_commitments(new)
    return found


def _grown(hashes: Sequence[bytes], rows: Sequence[Row]) -> list[Tile]:
    size = tree_size()
    first, filled = divmod(size, WIDTH)
    before = bytes(Tile.objects.get(level=0, number=first).entries) if filled else b""
    numbers = before + struct.pack(f">{len(rows)}q", *(row.id for row in rows))
    tiles = []
    for (level, number), data in grow(size, hashes, read_tile).items():
        part = numbers[(number - first) * WIDTH * 8 : (number - first + 1) * WIDTH * 8] if level == 0 else b""
        tiles.append(Tile(level=level, number=number, hashes=data, entries=part))
    return tiles


def _store(tiles: Sequence[Tile]) -> None:
    Tile.objects.bulk_create(
        tiles, update_conflicts=True, unique_fields=["level", "number"], update_fields=["hashes", "entries"]
    )
