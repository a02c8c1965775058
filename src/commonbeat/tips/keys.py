"""Key pairs (X25519), and keys derived from secrets (keyed BLAKE2b, which libsodium.js offers as it stands)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from nacl.bindings import crypto_box_keypair, crypto_box_seed_keypair, crypto_scalarmult_base

KEY_BYTES = 32
ID_BYTES = 16


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A public key, and the private key that never appears in a log or a traceback."""

    public: bytes
    private: bytes = field(repr=False)


def new_key_pair() -> KeyPair:
    """Make a fresh key pair."""
    public, private = crypto_box_keypair()
    return KeyPair(public, private)


def pair_of(private: bytes) -> KeyPair:
    """Give the key pair of a private key of 32 bytes; ValueError of any other length."""
    # PyNaCl does not look, and would read on behind the bytes.
    if len(private) != KEY_BYTES:
        raise ValueError("a private key has 32 bytes")
    return KeyPair(crypto_scalarmult_base(private), private)


def pair_from_seed(seed: bytes) -> KeyPair:
    """Give the key pair that a seed of 32 bytes stands for."""
    public, private = crypto_box_seed_keypair(seed)
    return KeyPair(public, private)


def derive(label: str, secret: bytes) -> bytes:
    """Derive 32 bytes of a secret for one use; the label has at most 32 ASCII characters.

    libsodium.js has no `person` parameter: the label is the key of the hash, filled up with zero bytes to 32.
    """
    key = label.encode("ascii")
    if not 0 < len(key) <= KEY_BYTES:
        raise ValueError("a label has 1 to 32 characters")
    return hashlib.blake2b(secret, digest_size=KEY_BYTES, key=key.ljust(KEY_BYTES, b"\0")).digest()


def key_id(public: bytes) -> bytes:
    """Name a public key in 16 bytes: the recipient of whatever is sealed to a key that is no member's."""
    return derive("commonbeat tip v1 key id", public)[:ID_BYTES]
