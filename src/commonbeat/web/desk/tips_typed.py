"""What a member had typed when the key was locked: it goes to their browser and back, sealed to their own key.

The server keeps nothing of it, and whoever sits down at the forgotten computer cannot read it in the page.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping

import nacl.exceptions
from nacl.bindings import crypto_box_seal, crypto_box_seal_open

from commonbeat.tips.keys import KeyPair
from commonbeat.tips.models import Member

_MAGIC = b"CBkt\x01"
# What a form of a dialogue may send; the token against forged requests is none of them.
FIELDS = ("text", "outcome")


def seal_typed(member: Member, *, tip_id: int, typed: Mapping[str, str]) -> str:
    """Seal what a form about a tip holds to the member who typed it; empty where nothing was typed."""
    fields = {name: typed[name] for name in FIELDS if typed.get(name)}
    if not fields:
        return ""
    plain = _MAGIC + json.dumps({"tip": tip_id, **fields}).encode()
    return base64.urlsafe_b64encode(crypto_box_seal(plain, bytes(member.public))).decode("ascii")


def open_typed(pair: KeyPair, *, tip_id: int, sealed: str) -> dict[str, str]:
    """Open what was typed about a tip; empty where it is none, or another tip's."""
    try:
        box = base64.b64decode(sealed.encode("ascii"), altchars=b"-_", validate=True)
        plain = crypto_box_seal_open(box, pair.public, pair.private)
        found = json.loads(plain.removeprefix(_MAGIC)) if plain.startswith(_MAGIC) else {}
    except (binascii.Error, ValueError, TypeError, nacl.exceptions.CryptoError):
        return {}
    if found.get("tip") != tip_id:
        return {}
    return {name: str(found[name]) for name in FIELDS if name in found}
