"""Salted commitments: the journal can prove later that a tip came and was answered, and tells nothing before.

Without the salt a commitment is 32 random-looking bytes. Whoever deletes a tip deletes its salts, and nothing is left.
"""

from __future__ import annotations

import enum
import hashlib
import hmac
import secrets
import struct

_TAG = b"commonbeat tip commitment v1\0"
_REST = struct.Struct(">B16sQ")
SALT_BYTES = 32


class Fact(enum.IntEnum):
    """What is committed to. A number is never given anew."""

    RECEIVED = 1
    ANSWERED = 2
    CLOSED = 3


def new_salt() -> bytes:
    """Give 32 random bytes."""
    return secrets.token_bytes(SALT_BYTES)


def commit(fact: Fact, *, tip: bytes, second: int, box: bytes, salt: bytes) -> bytes:
    """Commit in 32 bytes to a fact of a tip (16 bytes) at a Unix second, with the sealed box that it is about."""
    if len(salt) != SALT_BYTES or len(tip) != 16:
        raise ValueError("a salt has 32 bytes and a tip's id 16")
    rest = _REST.pack(fact, tip, second)
    return hashlib.sha256(_TAG + salt + rest + hashlib.sha256(box).digest()).digest()


def holds(commitment: bytes, fact: Fact, *, tip: bytes, second: int, box: bytes, salt: bytes) -> bool:
    """Tell whether a commitment was made of exactly this."""
    return hmac.compare_digest(commitment, commit(fact, tip=tip, second=second, box=box, salt=salt))
