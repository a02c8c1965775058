"""Verify a site's own log: that the journal, the stored hashes and what was signed are still one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from commonbeat.journal.leaves import Row
from commonbeat.journal.log_file import Difference
from commonbeat.journal.log_queries import LOG_CURSOR, bytes_of, numbers_of, read_tile, rows_between, tree_size
from commonbeat.journal.merkle import HASH_BYTES, WIDTH, ReadTile, Subtree, grow, leaf_hash, root_of, split, subtree_in
from commonbeat.journal.models import Checkpoint, Entry, Tile
from commonbeat.journal.notes import Checkpoint as Said
from commonbeat.journal.notes import NoteError, check_signed, read_checkpoint, read_note, read_verifier
from commonbeat.journal.queries import cursor_position


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found: how much is in the log, how much is not yet, and the first thing that is wrong, if any."""

    size: int
    waiting: int
    checkpoints: int
    wrong: str = ""


def check_site(*, blinding: bytes, known: Iterable[Said] = ()) -> Checked:
    """Compare every entry of the journal with its hash, every hash with the tree, the tree with what was signed.

    `known` are checkpoints that were kept elsewhere. Reads only.
    """
    size, position = tree_size(), cursor_position(LOG_CURSOR)
    waiting = Entry.objects.filter(id__gt=position).count()
    roots: list[bytes] = []
    last = 0
    for number in range((size + WIDTH - 1) // WIDTH):
        tile = Tile.objects.filter(level=0, number=number).first()
        wrong = f"tile 0/{number} of the stored hashes is missing" if tile is None else _tile_wrong(tile, size)
        if tile is not None and not wrong:
            numbers = numbers_of(tile.entries)
            difference = _compare(tile, numbers, rows_between(last, numbers[-1]), blinding)
            wrong = str(difference) if difference is not None else ""
            last = numbers[-1]
            if len(numbers) == WIDTH:
                roots.append(root_of(split(tile.hashes)))
        if wrong:
            return Checked(size, waiting, 0, wrong)
    extra = Entry.objects.filter(id__gt=last, id__lte=position).order_by("id").values_list("id", flat=True).first()
    if extra is not None:
        return Checked(size, waiting, 0, str(Difference(size, "inserted", extra)))
    count, wrong = _check_signed(size, _upper(roots), known)
    return Checked(size, waiting, count, wrong or _check_tiles(roots))


def _tile_wrong(tile: Tile, size: int) -> str:
    wanted = min(WIDTH, size - tile.number * WIDTH)
    if len(tile.hashes) != wanted * HASH_BYTES or len(tile.entries) != wanted * 8:
        return f"tile 0/{tile.number} of the stored hashes has not {wanted} entries"
    return ""


def _compare(tile: Tile, numbers: Sequence[int], rows: Sequence[Row], blinding: bytes) -> Difference | None:
    found = dict(zip((row.id for row in rows), bytes_of(rows, blinding=blinding), strict=True))
    begin = tile.number * WIDTH
    strange = sorted(found.keys() - set(numbers))
    for at, (number, expected) in enumerate(zip(numbers, split(tile.hashes), strict=True)):
        if strange and strange[0] < number:
            return Difference(begin + at, "inserted", strange[0])
        if number not in found:
            return Difference(begin + at, "removed", number)
        entry = found[number]
        if entry is None or leaf_hash(entry) != expected:
            return Difference(begin + at, "changed", number)
    return None


def _upper(roots: Sequence[bytes]) -> ReadTile:
    """Give tiles of which the lowest are as they are stored, and compared; the others are made anew."""
    made = grow(0, roots, lambda level, number: b"")
    return lambda level, number: made.get((level - 1, number), b"") if level else read_tile(0, number)


def _check_signed(size: int, read: ReadTile, known: Iterable[Said]) -> tuple[int, str]:
    subtree = subtree_in(read)
    good, count = 0, 0
    for row in Checkpoint.objects.order_by("size", "pk"):
        try:
            note = read_note(row.note + row.countersignatures)
            said = read_checkpoint(note.text)
            check_signed(note, [read_verifier(row.key)])
        except NoteError as error:
            return count, f"the checkpoint of {row.size} entries is not what was signed: {error}"
        if (said.size, said.root) != (row.size, bytes(row.root)):
            return count, f"the checkpoint of {row.size} entries is not what was signed"
        wrong = _fits(said, size, subtree, good)
        if wrong:
            return count, wrong
        good, count = said.size, count + 1
    good = 0
    for said in sorted(known, key=lambda one: one.size):
        wrong = _fits(said, size, subtree, good)
        if wrong:
            return count, wrong
        good = said.size
    return count, ""


def _fits(said: Said, size: int, subtree: Subtree, good: int) -> str:
    if said.size > size:
        return f"{said.size - size} entries were removed at the end: {said.size} were signed, and {size} are there"
    if subtree(0, said.size) != said.root:
        return (
            f"entries and their stored hashes were changed together, at position {good} to {said.size - 1}: "
            f"the checkpoint of {said.size} entries has another root"
        )
    return ""


def _check_tiles(roots: Sequence[bytes]) -> str:
    wanted = {(level + 1, number): data for (level, number), data in grow(0, roots, lambda *_: b"").items()}
    for tile in Tile.objects.filter(level__gt=0).order_by("level", "number"):
        if wanted.pop((tile.level, tile.number), None) != bytes(tile.hashes):
            return f"tile {tile.level}/{tile.number} of the stored hashes is wrong"
    return f"tile {min(wanted)} of the stored hashes is missing" if wanted else ""
