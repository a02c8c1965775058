"""What of a message is encrypted at rest, and under which key of the site."""

from __future__ import annotations

from functools import lru_cache

import msgspec

from commonbeat.foundation.crypto import derive, keyed_hash, seal, unseal
from commonbeat.messaging.channel import Inbound, Receipt

PROVIDER_ID_LIMIT = 120

_key = lru_cache(maxsize=128)(derive)
_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[Inbound | Receipt] = msgspec.json.Decoder(Inbound | Receipt)


def seal_inbound(secret: bytes, message: Inbound | Receipt) -> bytes:
    """Encrypt what a gateway delivered."""
    return seal(_key(secret, "inbound"), _encoder.encode(message))


def open_inbound(secret: bytes, sealed: bytes | memoryview) -> Inbound | Receipt:
    """Decrypt what a gateway delivered; SealError or msgspec.DecodeError when it is damaged."""
    return _decoder.decode(unseal(_key(secret, "inbound"), bytes(sealed)))


def stored_provider_id(secret: bytes, provider_id: str) -> str:
    """Give the id under which a gateway's message is stored: itself, or a hash when it is long or odd."""
    if 0 < len(provider_id) <= PROVIDER_ID_LIMIT and provider_id.isascii() and provider_id.isprintable():
        return provider_id
    return "h:" + keyed_hash(_key(secret, "provider id"), ascii(provider_id)).hex()


def seal_outbound(secret: bytes, text: str) -> bytes:
    """Encrypt the text of a message to send."""
    return seal(_key(secret, "outbound"), text.encode())


def open_outbound(secret: bytes, sealed: bytes | memoryview) -> str:
    """Decrypt the text of a message to send; SealError when it is damaged."""
    return unseal(_key(secret, "outbound"), bytes(sealed)).decode()


def seal_address(secret: bytes, address: str) -> bytes:
    """Encrypt a phone number or address."""
    return seal(_key(secret, "address"), address.encode())


def open_address(secret: bytes, sealed: bytes | memoryview) -> str:
    """Decrypt a phone number or address; SealError when it is damaged."""
    return unseal(_key(secret, "address"), bytes(sealed)).decode()


def seal_setting(secret: bytes, name: str, text: str) -> bytes:
    """Encrypt the value of a channel's setting, so that it opens under the same name only."""
    return seal(_key(secret, f"setting {name}"), text.encode())


def open_setting(secret: bytes, name: str, sealed: bytes | memoryview) -> str:
    """Decrypt the value of a channel's setting; SealError when it is damaged or of another site or setting."""
    return unseal(_key(secret, f"setting {name}"), bytes(sealed)).decode()


def address_hash(secret: bytes, kind: str, address: str) -> bytes:
    """Give the keyed hash by which an address is found."""
    return keyed_hash(_key(secret, "address hash"), f"{kind}:{address}")
