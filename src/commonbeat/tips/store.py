"""Where sealed files lie in the data folder, and how pieces are written to them."""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

from commonbeat.tips.errors import BrokenOff

_TOKEN = re.compile(r"[A-Za-z0-9_-]{22}")
FOLDER = "tips"
# A file gets its row in the minute in which it is written; two days are beyond doubt.
STRAY_AFTER = timedelta(days=2)


def path_of(token: str, *, data_dir: Path) -> Path:
    """Name the file of a token; ValueError when it is no token."""
    if not _TOKEN.fullmatch(token):
        raise ValueError("not a token of a file")
    return data_dir / FOLDER / token[:2] / f"{token}.sealed"


def write_at(token: str, offset: int, chunks: Iterable[bytes], *, data_dir: Path, only_same: bool = False) -> int:
    """Write sealed chunks from an offset on and give where they end; on disk when this returns.

    Nothing is cut off: whoever writes the same piece twice writes the same bytes to the same place. With `only_same`,
    BrokenOff where other bytes lie already; they stay.
    """
    path = path_of(token, data_dir=data_dir)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        # Nobody writes between the look and the writing; closing unlocks.
        fcntl.flock(handle, fcntl.LOCK_EX)
        end = os.fstat(handle).st_size if only_same else 0
        for chunk in chunks:
            if offset < end and not chunk.startswith(os.pread(handle, len(chunk), offset)):
                raise BrokenOff
            view = memoryview(chunk)
            while view:
                written = os.pwrite(handle, view, offset)
                offset += written
                view = view[written:]
        os.fsync(handle)
    finally:
        os.close(handle)
    return offset


def cut(token: str, length: int, *, data_dir: Path) -> None:
    """Take off what a piece that was broken off has left behind the end, and keep the name of the file."""
    path = path_of(token, data_dir=data_dir)
    with path.open("r+b") as handle:
        handle.truncate(length)
        os.fsync(handle.fileno())
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def delete(token: str, *, data_dir: Path) -> None:
    """Remove a file, if it is there."""
    path_of(token, data_dir=data_dir).unlink(missing_ok=True)


def old_files(*, data_dir: Path, now: datetime) -> Iterator[tuple[str, Path]]:
    """Give token and path of the files that were last written more than two days ago."""
    before = (now - STRAY_AFTER).timestamp()
    place = data_dir / FOLDER
    for folder in sorted(place.iterdir()) if place.is_dir() else ():
        for path in folder.iterdir() if folder.is_dir() else ():
            if path.suffix == ".sealed" and path.stat().st_mtime < before:
                yield path.stem, path
