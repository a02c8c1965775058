"""The test vectors of docs/reference, which the browser's half is held to as well."""

from __future__ import annotations

import json
from typing import Any

from commonbeat.tips.keys import KeyPair
from tests.architecture.source import REPOSITORY

VECTORS: dict[str, Any] = json.loads((REPOSITORY / "docs/reference/sealing-vectors.json").read_text("utf-8"))
TIP = bytes.fromhex(VECTORS["tip"])
MEMBER = bytes.fromhex(VECTORS["keys"]["member"]["id"])


def pair(name: str) -> KeyPair:
    """Give the key pair of tip, source, member or escrow."""
    one = VECTORS["keys"][name]
    return KeyPair(bytes.fromhex(one["public"]), bytes.fromhex(one["private"]))


def flipped(data: bytes, place: int, bit: int = 0) -> bytes:
    """Turn one bit around."""
    return data[:place] + bytes([data[place] ^ 1 << bit]) + data[place + 1 :]
