"""Room for bodies and answers: in memory, and beyond it in a file without a name that only this process can read."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable
from tempfile import TemporaryFile
from typing import IO

from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20


class SealedSpool(io.RawIOBase):
    """Take bytes, then `seek(0)` and give them once from the beginning.

    What does not fit into memory goes to the disk under a key that stays in memory: a tip, its files and the pages that
    show them are nowhere on it to be read, and neither is anything else that somebody sends.
    """

    def __init__(self, max_size: int, folder: str | None = None) -> None:
        super().__init__()
        self._max_size, self._folder = max_size, folder
        self._file: IO[bytes] = io.BytesIO()
        self._rolled = False
        self._key = b""
        self._cipher: CipherContext | None = None

    def write(self, data: bytes, /) -> int:  # type: ignore[override]  # whole bytes only
        """Take the next bytes."""
        if not self._rolled and self._file.tell() + len(data) > self._max_size:
            self._roll_over()
        self._file.write(self._cipher.update(data) if self._cipher is not None else data)
        return len(data)

    def writelines(self, lines: Iterable[bytes], /) -> None:  # type: ignore[override]  # as write
        """Take several."""
        for line in lines:
            self.write(line)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go back to the beginning, from where everything is given."""
        if offset or whence:
            raise io.UnsupportedOperation("only to the beginning")
        if self._rolled:
            self._cipher = _stream(self._key)
        return self._file.seek(0)

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]  # as read
        """Give the next bytes."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def read(self, size: int | None = -1, /) -> bytes:
        """Give the next bytes, or all that are left."""
        data = self._file.read(-1 if size is None else size)
        return self._cipher.update(data) if self._cipher is not None else data

    def readline(self, size: int | None = -1, /) -> bytes:
        """Give the next line; in memory at once, from the disk byte by byte."""
        return super().readline(size) if self._rolled else self._file.readline(-1 if size is None else size)

    def readable(self) -> bool:
        """Say that this can be read."""
        return True

    def writable(self) -> bool:
        """Say that this can be written."""
        return True

    def close(self) -> None:
        """Let go of it, and of the key."""
        self._file.close()
        self._key, self._cipher = b"", None
        super().close()

    def _roll_over(self) -> None:
        held = self._file.getvalue() if isinstance(self._file, io.BytesIO) else b""
        self._key = os.urandom(32)
        self._cipher = _stream(self._key)
        self._file = TemporaryFile(dir=self._folder)  # noqa: SIM115  # closed with this
        self._file.write(self._cipher.update(held))
        self._rolled = True


def _stream(key: bytes) -> CipherContext:
    # A key is used for one file, so the nonce may always be the same.
    return Cipher(ChaCha20(key, bytes(16)), mode=None).encryptor()
