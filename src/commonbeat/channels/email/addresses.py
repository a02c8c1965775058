"""Addresses with a token: report+r…@example.org says whose conversation it is, and only the site could write it.

A token is ten bytes that mean something to us and ten of a keyed hash over them, in letters that survive a server
which makes all letters small. Nobody can read it, nor make one for somebody else.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass
from enum import StrEnum

from commonbeat.config.options import Options
from commonbeat.foundation.crypto import derive, keyed_hash

# The bytes of each half: 80 bits cannot be guessed, and the whole stays under the 64 letters that a name may have.
HALF = 10


class Purpose(StrEnum):
    """Say what mail to an address with a token is."""

    REPLY = "r"
    STOP = "s"
    # Where servers return what they cannot deliver; machines alone write there.
    BOUNCE = "b"
    # In the heads of our mail only, which go along when somebody forwards it; no address, and it opens nothing.
    THREAD = "t"


@dataclass(frozen=True, slots=True)
class Recipient:
    """One of our addresses, read; without a token, purpose is None."""

    purpose: Purpose | None = None
    payload: bytes = b""
    has_wrong_token: bool = False


def token(options: Options, purpose: Purpose, payload: bytes) -> str:
    """Make the token of a purpose over ten bytes."""
    return purpose + _letters(payload + _proof(options, purpose, payload))


def address_with(options: Options, purpose: Purpose, payload: bytes) -> str:
    """Give the site's address with a token in it."""
    name, _, host = options.mail_address.rpartition("@")
    return f"{name}+{token(options, purpose, payload)}@{host}"


def read_recipient(options: Options, address: str) -> Recipient | None:
    """Read one of our addresses; None when it is somebody else's."""
    own_name, _, own_host = options.mail_address.lower().rpartition("@")
    name, _, host = address.strip().strip("<>").lower().rpartition("@")
    base, plus, tail = name.partition("+")
    if not own_name or host != own_host or base != own_name:
        return None
    if not plus or not tail:
        return Recipient()
    found = read_token(options, tail)
    return found if found is not None and found.purpose is not Purpose.THREAD else Recipient(has_wrong_token=True)


def read_token(options: Options, text: str) -> Recipient | None:
    """Read a token; None when this site did not make it."""
    try:
        purpose = Purpose(text[:1])
        both = base64.b32decode(text[1:].upper())
    except (ValueError, binascii.Error):
        return None
    payload, proof = both[:HALF], both[HALF:]
    if not hmac.compare_digest(proof, _proof(options, purpose, payload)):
        return None
    return Recipient(purpose, payload)


def is_plain_address(address: str) -> bool:
    """Tell whether an address can be written to: no spaces, no control characters, a host with a dot."""
    name, at, host = address.rpartition("@")
    return bool(
        name
        and at
        and "." in host
        and len(name) <= 64
        and len(address) <= 254
        and address.isprintable()
        and not set(address) & set(' "<>,;:()[]\\')
    )


def _letters(data: bytes) -> str:
    return base64.b32encode(data).decode().lower()


def _proof(options: Options, purpose: Purpose, payload: bytes) -> bytes:
    return keyed_hash(derive(options.secret, "mail tokens"), f"{purpose}:{payload.hex()}")[:HALF]
