"""Files, sealed as they pass: never whole in memory, and nothing on disk that is not sealed.

crypto_secretstream_xchacha20poly1305 in chunks of 64 KiB. Each chunk tells how many bytes of the file are in it,
so that the length need not be known before, and the rest is zero bytes up to the padded length of the whole. The
stream's state chains the chunks, the last is tagged FINAL, and the first is bound to tip and number. The bytes are in
docs/reference/sealing.md.
"""

from __future__ import annotations

import secrets
import struct
from collections.abc import Iterable, Iterator
from typing import Protocol

import nacl.exceptions
from nacl.bindings import (
    crypto_secretstream_xchacha20poly1305_ABYTES,
    crypto_secretstream_xchacha20poly1305_HEADERBYTES,
    crypto_secretstream_xchacha20poly1305_init_pull,
    crypto_secretstream_xchacha20poly1305_init_push,
    crypto_secretstream_xchacha20poly1305_pull,
    crypto_secretstream_xchacha20poly1305_push,
    crypto_secretstream_xchacha20poly1305_state,
    crypto_secretstream_xchacha20poly1305_TAG_FINAL,
    crypto_secretstream_xchacha20poly1305_TAG_MESSAGE,
)

from commonbeat.tips.envelope import VERSION, Label, Purpose, seal, unseal
from commonbeat.tips.errors import Unopenable
from commonbeat.tips.keys import ID_BYTES, KEY_BYTES, KeyPair, key_id
from commonbeat.tips.padding import pad, padded_length, unpad

MAGIC = b"CBtf"
CHUNK_BYTES = 65_536
_COUNT = struct.Struct(">I")
_LENGTH = struct.Struct(">Q")
ROOM = CHUNK_BYTES - _COUNT.size
_FIRST = struct.Struct(">4sBI16s")
_HEADER_BYTES: int = crypto_secretstream_xchacha20poly1305_HEADERBYTES
_TAG_BYTES: int = crypto_secretstream_xchacha20poly1305_ABYTES
_SEALED_CHUNK = CHUNK_BYTES + _TAG_BYTES
_FINAL: int = crypto_secretstream_xchacha20poly1305_TAG_FINAL
_MESSAGE: int = crypto_secretstream_xchacha20poly1305_TAG_MESSAGE


class Readable(Protocol):
    """Whatever bytes are read from: a file, an upload. Fewer than asked for may come; none is the end."""

    def read(self, size: int, /) -> bytes: ...


class Writable(Protocol):
    """Whatever bytes are written to."""

    def write(self, data: bytes, /) -> object: ...


def new_file_key() -> bytes:
    """Give 32 random bytes: a key for one file."""
    return secrets.token_bytes(KEY_BYTES)


def seal_file_key(key: bytes, name: str, *, tip: bytes, number: int, tip_public: bytes) -> bytes:
    """Seal a file's key and name to the tip's key; `number` counts the files of the tip from 0."""
    if len(key) != KEY_BYTES:
        raise ValueError("a file's key has 32 bytes")
    return seal(
        Label(Purpose.FILE_KEY, tip, key_id(tip_public), number), pad(key + name.encode("utf-8", "replace")), tip_public
    )


def open_file_key(box: bytes, *, tip: bytes, number: int, tip_key: KeyPair) -> tuple[bytes, str]:
    """Open a file's key and name; Unopenable if it is another file's."""
    body = unpad(unseal(Label(Purpose.FILE_KEY, tip, key_id(tip_key.public), number), box, tip_key))
    if len(body) < KEY_BYTES:
        raise Unopenable
    try:
        return body[:KEY_BYTES], body[KEY_BYTES:].decode()
    except UnicodeDecodeError:
        raise Unopenable from None


class FileSealer:
    """Seal a file piece by piece as it comes: `header`, then what each `add` gives, then what `finish` gives."""

    def __init__(self, key: bytes, *, tip: bytes, number: int) -> None:
        self._state = crypto_secretstream_xchacha20poly1305_state()
        self.header: bytes = crypto_secretstream_xchacha20poly1305_init_push(self._state, key)
        self._bound: bytes | None = _bound(tip, number)
        self._waiting = b""
        self._length = 0

    def add(self, data: bytes) -> list[bytes]:
        """Take the next piece of the file; give the chunks that are sealed by now, which may be none."""
        self._length += len(data)
        # The last chunk bears a tag of its own: one is held back until more has come.
        whole = (len(self._waiting) + len(data) - 1) // ROOM
        if whole <= 0:
            self._waiting += data
            return []
        at = ROOM - len(self._waiting)
        view = memoryview(data)
        chunks = [self._push((self._waiting, view[:at]), ROOM, ROOM, _MESSAGE)]
        for _ in range(whole - 1):
            chunks.append(self._push((view[at : at + ROOM],), ROOM, ROOM, _MESSAGE))
            at += ROOM
        self._waiting = bytes(view[at:])
        return chunks

    def finish(self) -> Iterator[bytes]:
        """Give the rest, filled up to the padded length, a chunk at a time; nothing can be added afterwards."""
        rest, self._waiting = self._waiting, b""
        left = padded_length(self._length) - self._length + len(rest)
        while left:
            room = min(left, ROOM)
            left -= room
            yield self._push((rest,), len(rest), room, _MESSAGE if left else _FINAL)
            rest = b""

    def freeze(self) -> bytes:
        """Give the sealer as it stands, key and waiting bytes included: to be kept only where it is sealed itself."""
        is_first = b"\0" if self._bound is None else b"\1"
        return bytes(self._state.statebuf) + is_first + _LENGTH.pack(self._length) + self._waiting

    @classmethod
    def thaw(cls, frozen: bytes, *, tip: bytes, number: int) -> FileSealer:
        """Go on with a sealer from where it was frozen; it gives the same bytes for the same piece each time."""
        sealer = cls.__new__(cls)
        sealer._state = crypto_secretstream_xchacha20poly1305_state()
        size = len(sealer._state.statebuf)
        for at, value in enumerate(frozen[:size]):
            # The array is of C, and takes one number at a time.
            sealer._state.statebuf[at] = value  # type: ignore[index]
        sealer.header = b""
        sealer._bound = _bound(tip, number) if frozen[size] else None
        sealer._length = _LENGTH.unpack_from(frozen, size + 1)[0]
        sealer._waiting = frozen[size + 1 + _LENGTH.size :]
        return sealer

    def _push(self, content: Iterable[bytes | memoryview], count: int, room: int, tag: int) -> bytes:
        bound, self._bound = self._bound, None
        plain = b"".join((_COUNT.pack(count), *content, bytes(room - count)))
        return crypto_secretstream_xchacha20poly1305_push(self._state, plain, bound, tag)


def seal_file(source: Readable, target: Writable, key: bytes, *, tip: bytes, number: int) -> int:
    """Seal all of a file object into another; give the number of bytes that were read."""
    sealer = FileSealer(key, tip=tip, number=number)
    target.write(sealer.header)
    length = 0
    while data := source.read(4 * ROOM):
        length += len(data)
        for sealed in sealer.add(data):
            target.write(sealed)
    for sealed in sealer.finish():
        target.write(sealed)
    return length


def sealed_length(length: int) -> int:
    """Give the number of bytes that a file of so many takes when sealed."""
    padded = padded_length(length)
    return _HEADER_BYTES + padded + -(-padded // ROOM) * (_COUNT.size + _TAG_BYTES)


def is_sealed_length(length: int) -> bool:
    """Tell whether a sealed file can have so many bytes."""
    body = length - _HEADER_BYTES
    padded = body - -(-body // _SEALED_CHUNK) * (_COUNT.size + _TAG_BYTES)
    return padded > 0 and sealed_length(padded) == length


def opened_blocks(source: Readable, key: bytes, *, tip: bytes, number: int) -> Iterator[bytes]:
    """Give a sealed file block by block; Unopenable as soon as something is wrong.

    What was cut off is noticed at the end only: whoever keeps the blocks keeps them when the generator has ended.
    """
    if len(key) != KEY_BYTES:
        raise Unopenable
    header = _read(source, _HEADER_BYTES)
    if len(header) != _HEADER_BYTES:
        raise Unopenable
    state = crypto_secretstream_xchacha20poly1305_state()
    crypto_secretstream_xchacha20poly1305_init_pull(state, header, key)
    bound: bytes | None = _bound(tip, number)
    length, padded, ended, tag = 0, 0, False, _MESSAGE
    while tag != _FINAL:
        sealed = _read(source, _SEALED_CHUNK)
        if len(sealed) <= _TAG_BYTES + _COUNT.size:
            raise Unopenable
        try:
            plain, tag = crypto_secretstream_xchacha20poly1305_pull(state, sealed, bound)
        except nacl.exceptions.CryptoError:
            raise Unopenable from None
        bound = None
        count, room = _COUNT.unpack_from(plain)[0], len(plain) - _COUNT.size
        # Only one form of each file: full chunks of the file, one that is partly filled, chunks of nothing but filling.
        filling = plain.count(b"\0", _COUNT.size + count) if count < room else 0
        if tag not in (_MESSAGE, _FINAL) or (ended and count) or filling != room - count:
            raise Unopenable
        length, padded, ended = length + count, padded + room, count < room
        if count:
            yield plain[_COUNT.size : _COUNT.size + count]
    if padded != padded_length(length) or source.read(1):
        raise Unopenable


def _bound(tip: bytes, number: int) -> bytes:
    if len(tip) != ID_BYTES or not 0 <= number < 2**32:
        raise ValueError("a tip's id has 16 bytes, and a number is below 2**32")
    return _FIRST.pack(MAGIC, VERSION, number, tip)


def _read(source: Readable, size: int) -> bytes:
    """Read so many bytes, or as many as there are: one read may give fewer."""
    data = source.read(size)
    if len(data) == size or not data:
        return data
    parts, missing = [data], size - len(data)
    while missing and (data := source.read(missing)):
        parts.append(data)
        missing -= len(data)
    return b"".join(parts)
