"""Files of pictures: originals and their clean copies, all sealed under the site key.

A copy is unsealed for each reader, also after it was published: 200 kB take under a millisecond, and so nothing lies
in the clear that would have to follow each hold and withdrawal. Names are random, never made from the content or its
owner: neither tells the other.
"""

import contextlib
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from commonbeat.foundation import crypto
from commonbeat.foundation.ids import new_token

_TOKEN = re.compile(r"[A-Za-z0-9_-]{22}")
VARIANTS = ("full", "thumb")
ORIGINALS, COPIES = "originals", "copies"


class NoSuchPicture(LookupError):
    """No file is kept under this token."""


@dataclass(frozen=True, slots=True)
class Paths:
    """Where the files of one token live; originals and clean copies have tokens of their own."""

    original: Path
    full: Path
    thumb: Path


def paths(token: str, *, data_dir: Path) -> Paths:
    """Return where the files of a token are or would be; ValueError when it is no token."""
    if not _TOKEN.fullmatch(token):
        raise ValueError("not a media token")
    media = data_dir / "media"
    # One level of folders by the first two characters, so that none holds a million files.
    original, copies = media / ORIGINALS / token[:2], media / COPIES / token[:2]
    return Paths(original / f"{token}.sealed", copies / f"{token}.full.sealed", copies / f"{token}.thumb.sealed")


def keep_original(data: bytes, *, data_dir: Path, key: bytes) -> str:
    """Seal and store an original and return its token; on disk when this returns."""
    token = new_token()
    _write(paths(token, data_dir=data_dir).original, crypto.seal(key, data))
    return token


def read_original(token: str, *, data_dir: Path, key: bytes) -> bytes:
    """Return an original; NoSuchPicture when there is none, SealError when the key is another."""
    return crypto.unseal(key, _read(paths(token, data_dir=data_dir).original))


def write_public(token: str, *, full: bytes, thumb: bytes, data_dir: Path, key: bytes) -> None:
    """Seal and store both clean copies, the small one first, under a token that should not be the original's."""
    place = paths(token, data_dir=data_dir)
    _write(place.thumb, crypto.seal(key, thumb))
    _write(place.full, crypto.seal(key, full))


def read_public(token: str, *, variant: str = "full", data_dir: Path, key: bytes) -> bytes:
    """Return a clean copy, "full" or "thumb"; NoSuchPicture when there is none, SealError when the key is another."""
    if variant not in VARIANTS:
        raise ValueError("a variant is full or thumb")
    place = paths(token, data_dir=data_dir)
    return crypto.unseal(key, _read(place.full if variant == "full" else place.thumb))


def delete(token: str, *, data_dir: Path) -> None:
    """Remove what is kept under a token, original or clean copies; nothing happens when there is nothing."""
    place = paths(token, data_dir=data_dir)
    for path in (place.full, place.thumb, place.original):
        path.unlink(missing_ok=True)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise NoSuchPicture("no such picture") from None


def _write(path: Path, data: bytes) -> None:
    # A reader sees the whole file or none, also after a power cut: temporary file, fsync, rename, fsync of the folder.
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
