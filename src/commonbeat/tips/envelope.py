"""A sealed box that says inside what it is, whose, for whom, and the how-manieth.

crypto_box_seal has no associated data, so the label stands before the body under the same seal, and opening compares it
with what the opener expects. The bytes are in docs/reference/sealing.md.
"""

from __future__ import annotations

import enum
import hmac
import struct
from dataclasses import dataclass

import nacl.exceptions
from nacl.bindings import crypto_box_seal, crypto_box_seal_open, crypto_box_SEALBYTES

from commonbeat.tips.errors import Unopenable
from commonbeat.tips.keys import ID_BYTES, KeyPair

MAGIC = b"CBtp"
VERSION = 1
_HEADER = struct.Struct(">4sBBI16s16s")
HEADER_BYTES = _HEADER.size
# The version stands outside, too: another one may use another kind of box.
_PREFIX = bytes([VERSION])
OVERHEAD = len(_PREFIX) + crypto_box_SEALBYTES + HEADER_BYTES


class Purpose(enum.IntEnum):
    """What a box holds. A number is never given anew."""

    TEXT_TO_DESK = 1
    TEXT_TO_SOURCE = 2
    TIP_KEY_FOR_MEMBER = 3
    TIP_KEY_FOR_SOURCE = 4
    TIP_KEY_FOR_ESCROW = 5
    FILE_KEY = 6
    MEMBER_KEY_FOR_ESCROW = 7


@dataclass(frozen=True, slots=True)
class Label:
    """What is checked on opening.

    `subject` is the tip (or the member whose key it is), `recipient` the member's id or the `key_id` of any other key:
    16 bytes each. `number` counts texts of one direction, and files, within the tip; 0 for keys.
    """

    purpose: Purpose
    subject: bytes
    recipient: bytes
    number: int = 0

    def __post_init__(self) -> None:
        if len(self.subject) != ID_BYTES or len(self.recipient) != ID_BYTES or not 0 <= self.number < 2**32:
            raise ValueError("a label has two ids of 16 bytes and a number below 2**32")

    def header(self) -> bytes:
        """Give the 42 bytes that stand before the body."""
        return _HEADER.pack(MAGIC, VERSION, self.purpose, self.number, self.subject, self.recipient)


def seal(label: Label, body: bytes, public: bytes) -> bytes:
    """Seal a body to a public key; the box is 91 bytes longer."""
    return _PREFIX + crypto_box_seal(label.header() + body, public)


def unseal(label: Label, box: bytes, pair: KeyPair) -> bytes:
    """Give the body of a box that was sealed to this key under this label; Unopenable otherwise."""
    if len(box) < OVERHEAD or box[:1] != _PREFIX:
        raise Unopenable
    try:
        plain = crypto_box_seal_open(box[1:], pair.public, pair.private)
    except nacl.exceptions.CryptoError:
        raise Unopenable from None
    if not hmac.compare_digest(plain[:HEADER_BYTES], label.header()):
        raise Unopenable
    return plain[HEADER_BYTES:]
