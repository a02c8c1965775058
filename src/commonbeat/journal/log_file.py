"""A whole log as one file: write it, verify it, and find the first entry that is not what it was.

The entries stand in it as they are hashed, one a line, so that verifying reads no JSON. After them come their hashes,
and the checkpoint at the end: docs/reference/log.md has the format.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from commonbeat.journal.leaves import number_in
from commonbeat.journal.merkle import HASH_BYTES, WIDTH, ReadTile, grow, leaf_hash, root_of, split
from commonbeat.journal.notes import Checkpoint, Note, NoteError, read_checkpoint, read_note

FIRST_LINE = b"commonbeat-log 1\n"
HASHES_LINE = b"-- hashes\n"
CHECKPOINT_LINE = b"-- checkpoint\n"
# So many leaves become one hash at a time, so that memory does not grow with the log.
_CHUNK = WIDTH * WIDTH
_BLOCK_BYTES = 1 << 20
_NOTE_BYTES = 50_000
_HASHES = HASHES_LINE.rstrip(b"\n")


class LogFileError(ValueError):
    """A file that is no log, or not a whole one; the text says why."""


@dataclass(frozen=True, slots=True)
class Difference:
    """The first place at which a log is not what it was."""

    position: int
    # "changed", "removed", "inserted", "moved"
    what: str
    # The entry's own number, where it can be known.
    number: int | None = None

    def __str__(self) -> str:
        named = f" (entry number {self.number} of the journal)" if self.number is not None else ""
        return f"{_SENTENCES[self.what]} at position {self.position}{named}"


_SENTENCES = {
    "changed": "an entry was changed",
    "removed": "an entry was removed",
    "inserted": "an entry was inserted",
    "moved": "an entry was moved from here to a later place",
}


@dataclass(frozen=True, slots=True)
class Read:
    """What a file holds: how many entries, the root over them, its note and what that says."""

    count: int
    root: bytes
    note: Note
    checkpoint: Checkpoint

    @property
    def is_whole(self) -> bool:
        """Tell whether the entries are those of the checkpoint."""
        return self.count == self.checkpoint.size and self.root == self.checkpoint.root


def write_log(entries: Iterable[bytes], tiles: Iterable[bytes], note: str) -> Iterator[bytes]:
    """Give a file piece by piece: entries, the tiles of their hashes, the signed checkpoint."""
    yield FIRST_LINE
    some: list[bytes] = []
    for entry in entries:
        some.append(entry)
        if len(some) == WIDTH:
            yield b"\n".join(some) + b"\n"
            some = []
    if some:
        yield b"\n".join(some) + b"\n"
    yield HASHES_LINE
    for tile in tiles:
        yield base64.b64encode(tile) + b"\n"
    yield CHECKPOINT_LINE
    yield note.encode()


def read_log(file: Path) -> Read:
    """Hash every entry of a file: memory stays the same however long it is."""
    roots: list[bytes] = []
    row: list[bytes] = []
    count = 0
    hashing = sha256
    with file.open("rb") as handle:
        for lines in _entry_blocks(handle, file):
            count += len(lines)
            row += [hashing(b"\x00" + line).digest() for line in lines]
            while len(row) >= _CHUNK:
                roots.append(root_of(row[:_CHUNK]))
                del row[:_CHUNK]
    if row:
        roots.append(root_of(row))
    note = _note_of(file)
    return Read(count, root_of(roots), note, read_checkpoint(note.text))


def leaf_hashes(file: Path) -> list[bytes]:
    """Hash every entry of a file, and keep the hashes."""
    with file.open("rb") as handle:
        return [leaf_hash(line) for line in _entry_lines(handle, file)]


def told_hashes(file: Path) -> list[bytes]:
    """Read the hashes that a file tells; they may be believed where root_of() gives the root of its checkpoint."""
    found: list[bytes] = []
    with file.open("rb") as handle:
        for line in handle:
            if line == HASHES_LINE:
                break
        for line in handle:
            if line == CHECKPOINT_LINE:
                break
            try:
                found += split(base64.b64decode(line.rstrip(b"\n"), validate=True))
            except (binascii.Error, ValueError):
                return []
    return found if all(len(one) == HASH_BYTES for one in found) else []


def entry_at(file: Path, position: int) -> bytes | None:
    """Read one entry of a file by its place; None past the end."""
    with file.open("rb") as handle:
        for at, line in enumerate(_entry_lines(handle, file)):
            if at == position:
                return line
    return None


def position_of(file: Path, number: int) -> int | None:
    """Find the place of an entry by its own number."""
    with file.open("rb") as handle:
        for at, line in enumerate(_entry_lines(handle, file)):
            if number_in(line) == number:
                return at
    return None


def first_difference(expected: Sequence[bytes], found: Sequence[bytes]) -> Difference | None:
    """Find the first place at which leaf hashes are not those that were expected; None where all are."""
    at = 0
    for at, (one, other) in enumerate(zip(expected, found, strict=False)):  # noqa: B007
        if one != other:
            break
    else:
        at = min(len(expected), len(found))
        if len(expected) == len(found):
            return None
        return Difference(at, "removed" if len(expected) > at else "inserted")
    is_later = found[at] in set(expected[at + 1 :])
    was_later = expected[at] in set(found[at + 1 :])
    if is_later and was_later:
        return Difference(at, "moved")
    return Difference(at, "removed" if is_later else "inserted" if was_later else "changed")


def named(difference: Difference, file: Path) -> Difference:
    """Add the number of the entry that a file has at the place, unless what was there is missing."""
    if difference.what == "removed":
        return difference
    entry = entry_at(file, difference.position)
    return Difference(difference.position, difference.what, None if entry is None else number_in(entry))


def tiles_over(hashes: Sequence[bytes]) -> ReadTile:
    """Give the tiles of a tree over some leaf hashes."""
    made = grow(0, hashes, lambda level, number: b"")
    return lambda level, number: made.get((level, number), b"")


def _entry_lines(handle: BinaryIO, file: Path) -> Iterator[bytes]:
    for lines in _entry_blocks(handle, file):
        yield from lines


def _entry_blocks(handle: BinaryIO, file: Path) -> Iterator[list[bytes]]:
    # Many lines at a time: asking the file for each costs more than hashing it.
    if handle.readline(len(FIRST_LINE)) != FIRST_LINE:
        raise LogFileError(f"{file.name} is not an exported log: its first line is “{FIRST_LINE.decode().strip()}”")
    rest = b""
    while data := handle.read(_BLOCK_BYTES):
        lines = (rest + data).split(b"\n")
        rest = lines.pop()
        if _HASHES in lines:
            yield lines[: lines.index(_HASHES)]
            return
        yield lines
    raise LogFileError(f"{file.name} ends before its hashes: it is cut off")


def _note_of(file: Path) -> Note:
    with file.open("rb") as handle:
        handle.seek(max(0, file.stat().st_size - _NOTE_BYTES))
        _before, mark, text = handle.read().rpartition(b"\n" + CHECKPOINT_LINE)
    if not mark:
        raise LogFileError(f"{file.name} has no checkpoint at its end: it is cut off")
    try:
        return read_note(text.decode("utf-8"))
    except UnicodeDecodeError:
        raise NoteError("this is not a signed note") from None
