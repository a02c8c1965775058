"""Keys, sealed bytes and keyed hashes.

The outbox envelope is what a browser can make with WebCrypto alone: P-256 ECDH, HKDF-SHA256, AES-256-GCM.
Its bytes are 0x01, the ephemeral public point (65), the nonce (12), the ciphertext with its tag; the first
66 bytes are authenticated as associated data.
"""

import contextlib
import hashlib
import os
import secrets
from pathlib import Path

import nacl.exceptions
import nacl.secret
import nacl.utils
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_VERSION = b"\x01"
_OUTBOX_INFO = b"commonbeat outbox v1"
_POINT_BYTES = 65
_HEADER_BYTES = 1 + _POINT_BYTES
_NONCE_BYTES = 12
_TAG_BYTES = 16


class SealError(ValueError):
    """Sealed bytes that this key cannot open: wrong key, damaged or not sealed at all."""


def derive(secret: bytes, purpose: str) -> bytes:
    """Return the 32-byte key of one purpose, from a site secret of at least 16 bytes."""
    if len(secret) < 16:
        raise ValueError("a site secret has at least 16 bytes")
    return _hkdf(secret, b"commonbeat " + purpose.encode())


def seal(key: bytes, plain: bytes) -> bytes:
    """Encrypt and authenticate bytes under a 32-byte key; 41 bytes longer than what went in."""
    return _VERSION + bytes(nacl.secret.SecretBox(key).encrypt(plain))


def unseal(key: bytes, sealed: bytes) -> bytes:
    """Return what was sealed; SealError when it was not sealed under this key or was changed."""
    if sealed[:1] != _VERSION:
        raise SealError("unknown version")
    try:
        return nacl.secret.SecretBox(key).decrypt(sealed[1:])
    except (nacl.exceptions.CryptoError, nacl.exceptions.ValueError) as error:
        raise SealError("cannot be opened with this key") from error


def keyed_hash(key: bytes, text: str) -> bytes:
    """Return the 32-byte BLAKE2b of a text under a key of at most 64 bytes."""
    if not key:
        raise ValueError("an empty key would make a plain hash")
    return hashlib.blake2b(text.encode(), digest_size=32, key=key).digest()


def new_outbox_keypair() -> tuple[bytes, bytes]:
    """Return a P-256 private key as PEM and its public point, 65 bytes uncompressed."""
    private = ec.generate_private_key(ec.SECP256R1())
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return pem, _raw_point(private.public_key())


def outbox_public(private_pem: bytes) -> bytes:
    """Return the public point, 65 bytes uncompressed, of a private key in PEM."""
    return _raw_point(_load_private(private_pem).public_key())


def open_outbox(private_pem: bytes, blob: bytes) -> bytes:
    """Return what a phone sealed to the site's public key; SealError when it cannot be opened."""
    if len(blob) < _HEADER_BYTES + _NONCE_BYTES + _TAG_BYTES or blob[:1] != _VERSION:
        raise SealError("not an outbox envelope")
    header, nonce = blob[:_HEADER_BYTES], blob[_HEADER_BYTES : _HEADER_BYTES + _NONCE_BYTES]
    private = _load_private(private_pem)
    try:
        ephemeral = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), header[1:])
        key = _hkdf(private.exchange(ec.ECDH(), ephemeral), _OUTBOX_INFO)
        return AESGCM(key).decrypt(nonce, blob[_HEADER_BYTES + _NONCE_BYTES :], header)
    except (InvalidTag, ValueError) as error:
        raise SealError("cannot be opened with this key") from error


def seal_for_outbox(public_raw: bytes, plain: bytes) -> bytes:
    """Seal bytes to the site's public point as a browser does."""
    ephemeral = ec.generate_private_key(ec.SECP256R1())
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public_raw)
    header = _VERSION + _raw_point(ephemeral.public_key())
    key = _hkdf(ephemeral.exchange(ec.ECDH(), public), _OUTBOX_INFO)
    nonce = os.urandom(_NONCE_BYTES)
    return header + nonce + AESGCM(key).encrypt(nonce, plain, header)


def keep_key(file: Path, pem: bytes) -> bytes:
    """Store a new key, readable by the site's account alone, whole or not at all; give the one that was first."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = file.with_name(f".{secrets.token_hex(8)}.part")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as handle:
            handle.write(pem)
            handle.flush()
            os.fsync(handle.fileno())
        # A link fails where a rename would replace: of two processes that start at once, the first one's key stays.
        with contextlib.suppress(FileExistsError):
            os.link(temporary, file)
    finally:
        temporary.unlink(missing_ok=True)
    return file.read_bytes()


def _hkdf(secret: bytes, info: bytes) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=b"", info=info).derive(secret)


def _raw_point(public: ec.EllipticCurvePublicKey) -> bytes:
    return public.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def _load_private(private_pem: bytes) -> ec.EllipticCurvePrivateKey:
    private = serialization.load_pem_private_key(private_pem, password=None)
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        raise TypeError("the outbox key is not an elliptic curve key")
    return private
