"""The key pair of one tip, sealed for everybody who may open it. Who joins is given one box more, and that is all."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from commonbeat.tips.envelope import Label, Purpose, seal, unseal
from commonbeat.tips.errors import Unopenable
from commonbeat.tips.keys import ID_BYTES, KEY_BYTES, KeyPair, key_id, new_key_pair, pair_of


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A tip's key pair as it is stored: its public half, and boxes of its private half (member's id → box)."""

    public: bytes
    for_members: Mapping[bytes, bytes]
    for_source: bytes
    for_escrow: bytes | None


def new_tip_id() -> bytes:
    """Give 16 random bytes."""
    return secrets.token_bytes(ID_BYTES)


def new_tip_key(
    tip: bytes, *, members: Mapping[bytes, bytes], source_public: bytes, escrow_public: bytes | None = None
) -> tuple[KeyPair, Wrapped]:
    """Make a tip's key pair, and seal it for each member (id → public key), the source, and the escrow key if any."""
    pair = new_key_pair()
    return pair, Wrapped(
        pair.public,
        {member: wrap_for_member(pair, tip=tip, member=member, public=public) for member, public in members.items()},
        wrap_for_source(pair, tip=tip, public=source_public),
        None if escrow_public is None else wrap_for_escrow(pair, tip=tip, public=escrow_public),
    )


def wrap_for_member(pair: KeyPair, *, tip: bytes, member: bytes, public: bytes) -> bytes:
    """Seal a tip's private key to a member: all that is done to each tip when a member joins."""
    return seal(Label(Purpose.TIP_KEY_FOR_MEMBER, tip, member), pair.private, public)


def wrap_for_source(pair: KeyPair, *, tip: bytes, public: bytes) -> bytes:
    """Seal a tip's private key to the key that is derived from the receipt."""
    return seal(Label(Purpose.TIP_KEY_FOR_SOURCE, tip, key_id(public)), pair.private, public)


def wrap_for_escrow(pair: KeyPair, *, tip: bytes, public: bytes) -> bytes:
    """Seal a tip's private key to the escrow key of the oversight body."""
    return seal(Label(Purpose.TIP_KEY_FOR_ESCROW, tip, key_id(public)), pair.private, public)


def open_as_member(box: bytes, *, tip: bytes, member: bytes, own: KeyPair, tip_public: bytes) -> KeyPair:
    """Open a tip's key pair as a member; Unopenable if it is not that of `tip_public`."""
    return _pair(unseal(Label(Purpose.TIP_KEY_FOR_MEMBER, tip, member), box, own), tip_public)


def open_as_source(box: bytes, *, tip: bytes, own: KeyPair, tip_public: bytes) -> KeyPair:
    """Open a tip's key pair as its source; Unopenable if it is not that of `tip_public`."""
    return _pair(unseal(Label(Purpose.TIP_KEY_FOR_SOURCE, tip, key_id(own.public)), box, own), tip_public)


def open_as_escrow(box: bytes, *, tip: bytes, own: KeyPair, tip_public: bytes) -> KeyPair:
    """Open a tip's key pair with the escrow key; Unopenable if it is not that of `tip_public`."""
    return _pair(unseal(Label(Purpose.TIP_KEY_FOR_ESCROW, tip, key_id(own.public)), box, own), tip_public)


def _pair(private: bytes, public: bytes) -> KeyPair:
    if len(private) != KEY_BYTES:
        raise Unopenable
    pair = pair_of(private)
    if not hmac.compare_digest(pair.public, public):
        raise Unopenable
    return pair
