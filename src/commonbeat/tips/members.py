"""A member's key pair: how its private half is kept, and how it is held open during a session.

The private half is made once and never changes its ways of being kept: under the passphrase, under the printed recovery
key, sealed to the escrow key. A new passphrase wraps it anew and touches no tip.
"""

from __future__ import annotations

import re
import secrets
import struct
import unicodedata
from dataclasses import dataclass

import nacl.exceptions
from argon2.low_level import ARGON2_VERSION, Type, hash_secret_raw
from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_ABYTES,
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
    crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
)

from commonbeat.tips import syllables
from commonbeat.tips.envelope import Label, Purpose, seal, unseal
from commonbeat.tips.errors import Unopenable
from commonbeat.tips.keys import ID_BYTES, KEY_BYTES, KeyPair, derive, key_id, pair_of

MAGIC = b"CBmk"
VERSION = 1
PASSPHRASE, RECOVERY, SESSION = 1, 2, 3
SALT_BYTES = 16
LEAST_CHARACTERS, LEAST_DIFFERENT, MOST_CHARACTERS = 12, 5, 512
# Eleven words of chance carry 132 bits; the twelfth is their check.
RECOVERY_WORDS = 11
RECOVERY_LABEL = "commonbeat tip v1 recovery"
SESSION_LABEL = "commonbeat tip v1 session"

_HEAD = struct.Struct(">4sBB")
_COST = struct.Struct(">BBI16s")
_NONCE_BYTES: int = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
_SEALED_BYTES: int = _NONCE_BYTES + KEY_BYTES + crypto_aead_xchacha20poly1305_ietf_ABYTES


@dataclass(frozen=True, slots=True)
class Cost:
    """What Argon2id (RFC 9106) is to cost: passes, lanes, and memory in KiB."""

    passes: int = 3
    lanes: int = 1
    memory_kib: int = 131_072


# 128 MiB and three passes: about 0.45 s on a small server.
COST = Cost()
# A row that somebody tampered with must not take the server's memory.
_MOST = Cost(passes=10, lanes=4, memory_kib=1_048_576)


# ---------------------------------------------------------------- passphrase


def is_too_short(passphrase: str) -> bool:
    """Tell whether a passphrase has fewer than 12 characters (four short words), or fewer than 5 different ones."""
    plain = _plain(passphrase)
    return len(plain) < LEAST_CHARACTERS or len(set(plain)) < LEAST_DIFFERENT


def is_too_long(passphrase: str) -> bool:
    """Tell whether a passphrase has more than 512 characters."""
    return len(_plain(passphrase)) > MOST_CHARACTERS


def wrap_by_passphrase(pair: KeyPair, *, member: bytes, passphrase: str, cost: Cost = COST) -> bytes:
    """Wrap a member's private key (member: 16 bytes) under the passphrase: 100 bytes."""
    if is_too_short(passphrase) or is_too_long(passphrase):
        raise ValueError("the passphrase is too short or too long")
    salt = secrets.token_bytes(SALT_BYTES)
    head = _HEAD.pack(MAGIC, VERSION, PASSPHRASE) + _COST.pack(cost.passes, cost.lanes, cost.memory_kib, salt)
    return _wrap(pair.private, member, head, _stretch(passphrase, salt, cost))


def open_by_passphrase(wrapped: bytes, *, member: bytes, passphrase: str, public: bytes) -> KeyPair:
    """Open a member's key pair by one Argon2id; Unopenable if the passphrase is wrong or it is not that of `public`."""
    size = _HEAD.size + _COST.size
    head = wrapped[:size]
    if len(wrapped) != size + _SEALED_BYTES or head[: _HEAD.size] != _HEAD.pack(MAGIC, VERSION, PASSPHRASE):
        raise Unopenable
    passes, lanes, memory_kib, salt = _COST.unpack(head[_HEAD.size :])
    # Smaller costs are no danger: another cost makes another key, under which nothing was wrapped.
    sane = 0 < passes <= _MOST.passes and 0 < lanes <= _MOST.lanes and 8 * lanes <= memory_kib <= _MOST.memory_kib
    if not sane or is_too_long(passphrase):
        raise Unopenable
    key = _stretch(passphrase, salt, Cost(passes, lanes, memory_kib))
    return _pair(_unwrap(wrapped, member, head, key), public)


# ---------------------------------------------------------------- printed recovery key, escrow


def new_recovery_key() -> str:
    """Draw a recovery key: 48 lower-case letters, 132 bits and a check."""
    return syllables.draw(RECOVERY_WORDS)


def show_recovery_key(recovery: str) -> list[str]:
    """Give a recovery key as three lines of four words, to be printed."""
    words = syllables.split(recovery)
    return [" ".join(words[at : at + 4]) for at in range(0, len(words), 4)]


def read_recovery_key(typed: str) -> str:
    """Give the recovery key that a person typed; Misspelt when there is an error of typing in it."""
    return syllables.read(typed, RECOVERY_WORDS)


def wrap_by_recovery(pair: KeyPair, *, member: bytes, recovery: str) -> bytes:
    """Wrap a member's private key under the recovery key: 78 bytes."""
    key = derive(RECOVERY_LABEL, recovery.encode("ascii"))
    return _wrap(pair.private, member, _HEAD.pack(MAGIC, VERSION, RECOVERY), key)


def open_by_recovery(wrapped: bytes, *, member: bytes, recovery: str, public: bytes) -> KeyPair:
    """Open a member's key pair with the printed key; Unopenable if it is another one's."""
    key = derive(RECOVERY_LABEL, recovery.encode("ascii"))
    return _pair(_unwrap(wrapped, member, _HEAD.pack(MAGIC, VERSION, RECOVERY), key), public)


def seal_for_escrow(pair: KeyPair, *, member: bytes, escrow_public: bytes) -> bytes:
    """Seal a member's private key to the escrow key of the oversight body."""
    label = Label(Purpose.MEMBER_KEY_FOR_ESCROW, member, key_id(escrow_public))
    return seal(label, pair.private, escrow_public)


def open_as_escrow(box: bytes, *, member: bytes, escrow: KeyPair, public: bytes) -> KeyPair:
    """Open a member's key pair with the escrow key."""
    return _pair(unseal(Label(Purpose.MEMBER_KEY_FOR_ESCROW, member, key_id(escrow.public)), box, escrow), public)


# ---------------------------------------------------------------- the session


def split_key(pair: KeyPair, *, member: bytes) -> tuple[bytes, bytes]:
    """Split an opened key in a half for the cookie (32 random bytes) and one for the server (78 bytes).

    Neither half opens anything.
    """
    cookie_half = secrets.token_bytes(KEY_BYTES)
    key = derive(SESSION_LABEL, cookie_half)
    return cookie_half, _wrap(pair.private, member, _HEAD.pack(MAGIC, VERSION, SESSION), key)


def join_key(cookie_half: bytes, server_half: bytes, *, member: bytes, public: bytes) -> KeyPair:
    """Join the halves of a session; Unopenable if they do not belong together, or to this member."""
    key = derive(SESSION_LABEL, cookie_half)
    return _pair(_unwrap(server_half, member, _HEAD.pack(MAGIC, VERSION, SESSION), key), public)


# ---------------------------------------------------------------- inside


def _plain(passphrase: str) -> str:
    # Another keyboard may write the same letters by other code points, and nobody sees how many spaces they typed.
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", passphrase)).strip()


def _stretch(passphrase: str, salt: bytes, cost: Cost) -> bytes:
    return hash_secret_raw(
        _plain(passphrase).encode(),
        salt,
        time_cost=cost.passes,
        memory_cost=cost.memory_kib,
        parallelism=cost.lanes,
        hash_len=KEY_BYTES,
        type=Type.ID,
        version=ARGON2_VERSION,
    )


def _wrap(private: bytes, member: bytes, head: bytes, key: bytes) -> bytes:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return head + nonce + crypto_aead_xchacha20poly1305_ietf_encrypt(private, _bound(head, member), nonce, key)


def _unwrap(wrapped: bytes, member: bytes, head: bytes, key: bytes) -> bytes:
    if len(wrapped) != len(head) + _SEALED_BYTES or wrapped[: len(head)] != head:
        raise Unopenable
    nonce, sealed = wrapped[len(head) : len(head) + _NONCE_BYTES], wrapped[len(head) + _NONCE_BYTES :]
    try:
        return crypto_aead_xchacha20poly1305_ietf_decrypt(sealed, _bound(head, member), nonce, key)
    except nacl.exceptions.CryptoError:
        raise Unopenable from None


def _bound(head: bytes, member: bytes) -> bytes:
    if len(member) != ID_BYTES:
        raise ValueError("a member's id has 16 bytes")
    return head + member


def _pair(private: bytes, public: bytes) -> KeyPair:
    pair = pair_of(private) if len(private) == KEY_BYTES else None
    if pair is None or pair.public != public:
        raise Unopenable
    return pair
