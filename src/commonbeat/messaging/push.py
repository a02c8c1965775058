"""Web Push (RFC 8030): what a browser's subscription looks like, and the key by which this site shows who it is."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from commonbeat.foundation.crypto import derive
from commonbeat.foundation.net import is_loopback, is_public_address

# The longest endpoints in use have about 500 letters.
ENDPOINT_LIMIT = 1_000
ADDRESS_LIMIT = 1_400
POINT_BYTES, AUTH_BYTES = 65, 16
# The order of P-256: a private key is a number from 1 to it, without it.
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_HOST = re.compile(r"(?=.{1,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
# Names that lead into a house, or nowhere.
_NEAR = frozenset({"localhost", "local", "internal", "intranet", "lan", "home", "corp", "arpa", "test", "invalid"})


class PushAddressError(ValueError):
    """This is no subscription of a browser that we may write to; the message repeats nothing of it."""


class PushAddress(msgspec.Struct, frozen=True):
    """Where a browser waits for messages, and the keys to which they are encrypted, both base64url."""

    endpoint: str
    p256dh: str
    auth: str


class _Keys(msgspec.Struct):
    p256dh: str
    auth: str


class _AsBrowsersGiveIt(msgspec.Struct):
    endpoint: str
    keys: _Keys | None = None
    p256dh: str = ""
    auth: str = ""


@dataclass(frozen=True, slots=True)
class Service:
    """Who carries the messages of a browser: the origin that a signature is made for, and its host."""

    origin: str
    host: str


_decoder = msgspec.json.Decoder(_AsBrowsersGiveIt)
_stored = msgspec.json.Decoder(PushAddress)
_encoder = msgspec.json.Encoder()


def normal_push_address(text: str, *, may_be_near: bool = False) -> str:
    """Give a subscription in its one form, from this form or as browsers write it; raise PushAddressError.

    may_be_near lets a push service on this computer in, which tests need.
    """
    if len(text) > 2 * ADDRESS_LIMIT:
        raise PushAddressError("too long")
    try:
        given = _decoder.decode(text)
    except (msgspec.MsgspecError, UnicodeError):
        raise PushAddressError("not a subscription") from None
    keys = given.keys or _Keys(given.p256dh, given.auth)
    point, auth = _bytes_of(keys.p256dh), _bytes_of(keys.auth)
    if len(point) != POINT_BYTES or len(auth) != AUTH_BYTES:
        raise PushAddressError("a key has the wrong length")
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError:
        raise PushAddressError("not a key") from None
    address = PushAddress(_normal_endpoint(given.endpoint, may_be_near), base64url(point), base64url(auth))
    return _encoder.encode(address).decode()


def push_address_of(stored: str) -> PushAddress:
    """Read what normal_push_address gave; raise PushAddressError."""
    try:
        return _stored.decode(stored)
    except (msgspec.MsgspecError, UnicodeError):
        raise PushAddressError("not a subscription") from None


def service_of(endpoint: str) -> Service:
    """Give who carries the messages to an endpoint of an address in its one form."""
    parts = urlsplit(endpoint)
    return Service(f"{parts.scheme}://{parts.netloc}", parts.hostname or "")


@lru_cache(maxsize=4)
def site_push_key(secret: bytes) -> ec.EllipticCurvePrivateKey:
    """Give the site's private VAPID key (RFC 8292), made of its secret: the same in every process and on every host."""
    number = int.from_bytes(derive(secret, "web push"), "big")
    return ec.derive_private_key(number % (_ORDER - 1) + 1, ec.SECP256R1())


@lru_cache(maxsize=4)
def application_server_key(secret: bytes) -> str:
    """Give the public half of the site's key, as pages hand it to a browser."""
    public = site_push_key(secret).public_key()
    return base64url(public.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint))


def base64url(data: bytes) -> str:
    """Write bytes in the alphabet of addresses, without padding."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _normal_endpoint(text: str, may_be_near: bool) -> str:
    if len(text) > ENDPOINT_LIMIT or not text.isascii() or not text.isprintable() or set(text) & set(' "<>\\^`{|}#'):
        raise PushAddressError("not an address")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise PushAddressError("not an address") from None
    host = (parts.hostname or "").rstrip(".")
    if not host or parts.username is not None or parts.password is not None:
        raise PushAddressError("not an address")
    if may_be_near and parts.scheme in ("http", "https") and is_loopback(host):
        return text
    is_named = bool(_HOST.fullmatch(host)) and host.rpartition(".")[2] not in _NEAR
    if parts.scheme != "https" or port not in (None, 443) or not (is_named or is_public_address(host)):
        raise PushAddressError("not a public address")
    shown = f"[{host}]" if ":" in host else host
    query = f"?{parts.query}" if parts.query else ""
    return f"https://{shown}{parts.path or '/'}{query}"


def _bytes_of(text: str) -> bytes:
    try:
        return base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        # Some old libraries write the plain alphabet.
        try:
            return base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise PushAddressError("not a key") from None
