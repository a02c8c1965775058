"""Read the log: tiles, checkpoints, entries as they are hashed, proofs."""

from __future__ import annotations

import json
import struct
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice
from typing import Any

from django.db import connection

from commonbeat.journal.leaves import Person, Row, entry_bytes, microseconds, people_in
from commonbeat.journal.merkle import HASH_BYTES, WIDTH, Subtree, inclusion_path, subtree_in
from commonbeat.journal.models import Checkpoint, Commitment, Countersigner, Entry, Tile
from commonbeat.journal.notes import Note, read_note
from commonbeat.journal.proofs import Inclusion
from commonbeat.journal.queries import cursor_position

# How far the journal's entries are in the log.
LOG_CURSOR = "log"
_PATIENCE = timedelta(minutes=10)
# Of one query; SQLite takes no more values at once on old systems.
_NAMES_AT_ONCE = 500
_NOTHING: Mapping[str, Any] = {}
_COLUMNS = "kind, subject_id, actor_id, data FROM journal_entry WHERE id > %s"
# SQLite keeps moments as text in UTC, and its driver would read it the slow way.
_SELECT = {True: "SELECT id, CAST(at AS text), " + _COLUMNS, False: "SELECT id, at, " + _COLUMNS}


def tree_size() -> int:
    """Tell how many entries are in the log."""
    last = Tile.objects.filter(level=0).order_by("-number").values_list("number", "hashes").first()
    return 0 if last is None else last[0] * WIDTH + len(last[1]) // HASH_BYTES


def read_tile(level: int, number: int) -> bytes:
    """Read the hashes of a tile; empty where there is none."""
    found = Tile.objects.filter(level=level, number=number).values_list("hashes", flat=True).first()
    return b"" if found is None else bytes(found)


def stored_subtree() -> Subtree:
    """Find the hashes of stretches of the log by the tiles that are stored."""
    return subtree_in(read_tile)


def latest_checkpoint() -> Checkpoint | None:
    """Read the newest checkpoint."""
    return Checkpoint.objects.order_by("-size", "-pk").first()


def latest_countersigned() -> Checkpoint | None:
    """Read the newest checkpoint that somebody has countersigned."""
    return Checkpoint.objects.exclude(countersignatures="").order_by("-size", "-pk").first()


def stands_still(now: datetime) -> bool:
    """Tell whether something waits for its place or its signature for longer than a running worker lets it."""
    checkpoint = latest_checkpoint()
    if checkpoint is None:
        return False
    if tree_size() > checkpoint.size and now - checkpoint.at > _PATIENCE:
        return True
    logged = cursor_position(LOG_CURSOR)
    oldest = Entry.objects.filter(id__gt=logged).order_by("id").values_list("at", flat=True).first()
    return oldest is not None and now - oldest > _PATIENCE


def countersigners() -> list[Countersigner]:
    """Read the keys of the oversight body, those in use first."""
    return sorted(Countersigner.objects.all(), key=lambda one: (one.retired_at is not None, -one.pk))


def note_of(checkpoint: Checkpoint) -> str:
    """Give a checkpoint as the public reads it: signed, and countersigned where it is."""
    return checkpoint.note + checkpoint.countersignatures


def salted(holder: str, *, after: int, limit: int) -> list[int]:
    """Name people of a kind whose salts are kept, in the order of their numbers."""
    found = Commitment.objects.filter(holder=holder, number__gt=after, salt__isnull=False).order_by("number")
    return list(found.values_list("number", flat=True)[:limit])


def rows_after(position: int, limit: int) -> list[Row]:
    """Read entries of the journal after a number, oldest first."""
    return _rows("", [position, limit])


def rows_between(position: int, end: int) -> list[Row]:
    """Read entries of the journal after a number, up to and with another, oldest first."""
    return _rows(" AND id <= %s", [position, end, end - position])


def known_commitments(people: Collection[Person]) -> dict[Person, bytes]:
    """Read the commitments of some people; those who have none are left out."""
    found: dict[Person, bytes] = {}
    for holder in {holder for holder, _ in people}:
        numbers = iter(sorted(number for one, number in people if one == holder))
        while some := list(islice(numbers, _NAMES_AT_ONCE)):
            rows = Commitment.objects.filter(holder=holder, number__in=some).values_list("number", "digest")
            found.update({(holder, number): bytes(digest) for number, digest in rows})
    return found


def bytes_of(rows: Sequence[Row], *, blinding: bytes) -> list[bytes | None]:
    """Give the bytes of entries; None for one that names somebody whom the log does not know, for it was changed."""
    # SQLite takes a text where a number belongs.
    meant = {person for row in rows for person in people_in(row) if isinstance(person[1], int)}
    people = known_commitments(meant)
    return [_bytes(row, people, blinding) for row in rows]


def numbers_of(tile: bytes | memoryview) -> tuple[int, ...]:
    """Read the numbers of the entries of a tile."""
    return struct.unpack(f">{len(tile) // 8}q", tile)


def logged_entries(size: int, *, blinding: bytes) -> Iterator[bytes]:
    """Give the entries of the log as they are hashed, in their order; what has gone from the journal is left out."""
    for tile in _tiles(size):
        numbers = numbers_of(tile.entries)[: _left(tile, size)]
        rows = {row.id: row for row in rows_between(numbers[0] - 1, numbers[-1])}
        wanted = [rows[number] for number in numbers if number in rows]
        yield from (entry for entry in bytes_of(wanted, blinding=blinding) if entry is not None)


def logged_tiles(size: int) -> Iterator[bytes]:
    """Give the hashes of the log, a tile at a time."""
    for tile in _tiles(size):
        yield bytes(tile.hashes)[: _left(tile, size) * HASH_BYTES]


def position_of(number: int) -> int | None:
    """Find the place in the log of an entry, by its number in the journal; None where it is not in it yet."""
    # The numbers grow with the places: the tile is the last one that does not begin after it.
    low, high = 0, tree_size() // WIDTH
    while low <= high:
        middle = (low + high) // 2
        tile = Tile.objects.filter(level=0, number=middle).first()
        numbers = numbers_of(tile.entries) if tile is not None else ()
        if not numbers or number < numbers[0]:
            high = middle - 1
        elif number > numbers[-1]:
            low = middle + 1
        else:
            return middle * WIDTH + numbers.index(number) if number in numbers else None
    return None


def inclusion_of(number: int, *, blinding: bytes) -> Inclusion | None:
    """Prove that an entry of the journal is in the newest checkpoint; None where it is not in it yet."""
    checkpoint, position = latest_checkpoint(), position_of(number)
    rows = rows_between(number - 1, number)
    if checkpoint is None or position is None or position >= checkpoint.size or not rows:
        return None
    entry = bytes_of(rows, blinding=blinding)[0]
    if entry is None:
        return None
    path = inclusion_path(position, checkpoint.size, stored_subtree())
    return Inclusion(entry, position, tuple(path), _note(checkpoint))


def _note(checkpoint: Checkpoint) -> Note:
    return read_note(note_of(checkpoint))


def _rows(narrowed: str, values: list[int]) -> list[Row]:
    # Not by models, which take three times as long: all that is written passes here, on a site that is busy writing it.
    with connection.cursor() as cursor:
        cursor.execute(_SELECT[connection.vendor == "sqlite"] + narrowed + " ORDER BY id LIMIT %s", values)
        return [_row(*found) for found in cursor.fetchall()]


def _row(number: int, at: datetime | str, kind: str, subject_id: int, actor_id: int | None, data: str) -> Row:
    # Whoever tampers writes what the models never do; it must read as something else, and not stop the reading.
    details = _NOTHING if data == "{}" else json.loads(data)
    if not isinstance(details, dict):
        details = {"": details}
    return Row(number, _moment(at), kind, subject_id, actor_id, details)


# What came in one transaction has the same moment.
@lru_cache(maxsize=100)
def _moment(at: datetime | str) -> int:
    try:
        return microseconds(datetime.fromisoformat(at).replace(tzinfo=UTC) if isinstance(at, str) else at)
    except ValueError:
        return -1


def _bytes(row: Row, people: Mapping[Person, bytes], blinding: bytes) -> bytes | None:
    try:
        return entry_bytes(row, people=people, blinding=blinding)
    except (KeyError, TypeError, ValueError):
        return None


def _tiles(size: int) -> Iterator[Tile]:
    for number in range((size + WIDTH - 1) // WIDTH):
        yield Tile.objects.get(level=0, number=number)


def _left(tile: Tile, size: int) -> int:
    return min(WIDTH, size - tile.number * WIDTH)
