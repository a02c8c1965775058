"""Proofs as files: an entry is in a log (C2SP tlog-proof), or a log only grew (as a C2SP tlog-witness is told)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass

from commonbeat.journal.merkle import HASH_BYTES, ProofError, check_consistency, check_inclusion, leaf_hash
from commonbeat.journal.notes import Checkpoint, Note, NoteError, read_checkpoint, read_note

_HEAD = "c2sp.org/tlog-proof@v1"
_MOST_STEPS = 63
MOST_BYTES = 200_000


@dataclass(frozen=True, slots=True)
class Inclusion:
    """That an entry stands at a place of a log; its bytes are in the proof."""

    entry: bytes
    index: int
    path: tuple[bytes, ...]
    note: Note

    def __str__(self) -> str:
        return f"{_HEAD}\nextra {_to64(self.entry)}\nindex {self.index}\n{_steps(self.path)}\n{self.note}"

    def check(self) -> Checkpoint:
        """Give the checkpoint that the entry is in; ProofError where it is not."""
        checkpoint = read_checkpoint(self.note.text)
        check_inclusion(leaf_hash(self.entry), self.index, checkpoint.size, self.path, checkpoint.root)
        return checkpoint


@dataclass(frozen=True, slots=True)
class Consistency:
    """That a log begins with what it was when it had `old` entries."""

    old: int
    path: tuple[bytes, ...]
    note: Note

    def __str__(self) -> str:
        return f"old {self.old}\n{_steps(self.path)}\n{self.note}"

    def check(self, older: Checkpoint) -> Checkpoint:
        """Give the newer checkpoint; ProofError where it does not go on from the older one."""
        newer = read_checkpoint(self.note.text)
        if newer.origin != older.origin:
            raise ProofError(f"these are two logs: {older.origin} and {newer.origin}")
        if self.old != older.size:
            raise ProofError(f"the proof begins at {self.old} entries, and the older checkpoint has {older.size}")
        check_consistency(older.size, newer.size, self.path, older.root, newer.root)
        return newer


def read_inclusion(text: str) -> Inclusion:
    """Read a proof that an entry is in a log; ProofError or NoteError where it cannot be read."""
    head, note = _halves(text)
    if head[:1] != [_HEAD] or len(head) < 3 or not head[1].startswith("extra ") or not head[2].startswith("index "):
        raise ProofError(f"this is no proof of an entry: it begins with {_HEAD}, extra and index")
    return Inclusion(_from64(head[1][6:]), _number(head[2][6:]), _path(head[3:]), note)


def read_consistency(text: str) -> Consistency:
    """Read a proof that a log only grew; ProofError or NoteError where it cannot be read."""
    head, note = _halves(text)
    if not head or not head[0].startswith("old "):
        raise ProofError("this is no proof that a log only grew: it begins with “old” and a number of entries")
    return Consistency(_number(head[0][4:]), _path(head[1:]), note)


def _halves(text: str) -> tuple[list[str], Note]:
    head, blank, rest = text[:MOST_BYTES].partition("\n\n")
    if not blank:
        raise NoteError("there is no checkpoint in this proof")
    return head.split("\n"), read_note(rest)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise ProofError("a number of a proof cannot be read")
    return int(text)


def _path(lines: Sequence[str]) -> tuple[bytes, ...]:
    path = tuple(_from64(line) for line in lines)
    if len(path) > _MOST_STEPS or any(len(step) != HASH_BYTES for step in path):
        raise ProofError("a proof has at most 63 hashes of 32 bytes")
    return path


def _steps(path: Sequence[bytes]) -> str:
    return "".join(_to64(step) + "\n" for step in path)


def _to64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _from64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ProofError("something that should be base64 is not") from None
