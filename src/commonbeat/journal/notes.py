"""Signed notes, checkpoints and countersignatures, as C2SP's signed-note, tlog-checkpoint and tlog-cosignature say."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from commonbeat.journal.merkle import HASH_BYTES

# What a key signs: the note as it is, or, for a countersignature, the note with the time at which it was seen.
SIGNS, COUNTERSIGNS = 1, 4
# A note with sixteen signatures takes 2.5 kB.
MOST_BYTES = 20_000
MOST_SIGNATURES = 32
_ID_BYTES, _TIME_BYTES, _KEY_BYTES, _SIGNATURE_BYTES = 4, 8, 32, 64
_NAME = re.compile(r"[^\s+\x00-\x20\x7f]{1,200}")
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_PRIVATE = "PRIVATE+KEY+"
_DASH = "— "


class NoteError(ValueError):
    """A note or key that cannot be believed; the text says why."""


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key with its name."""

    name: str
    kind: int
    public: bytes

    @property
    def id(self) -> bytes:
        """Give the four bytes by which a signature says whose it is."""
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:_ID_BYTES]

    @property
    def text(self) -> str:
        """Give the key as one line (vkey)."""
        return f"{self.name}+{self.id.hex()}+{_to64(bytes([self.kind]) + self.public)}"


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key with its name."""

    name: str
    kind: int
    seed: bytes

    @property
    def verifier(self) -> Verifier:
        """Give the public half."""
        public = self._key().public_key()
        raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return Verifier(self.name, self.kind, raw)

    @property
    def text(self) -> str:
        """Give the private key as one line."""
        return f"{_PRIVATE}{self.name}+{self.verifier.id.hex()}+{_to64(bytes([self.kind]) + self.seed)}"

    def line(self, text: str, *, at: int = 0) -> str:
        """Give the signature of a note's text as a line; a countersignature says when, in seconds since 1970."""
        stamp = at.to_bytes(_TIME_BYTES, "big") if self.kind == COUNTERSIGNS else b""
        signature = self._key().sign(_signed(self.kind, text, at))
        return f"{_DASH}{self.name} {_to64(self.verifier.id + stamp + signature)}\n"

    def _key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log says of itself: so many entries, and the root over them."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """Give the text that is signed."""
        return f"{self.origin}\n{self.size}\n{_to64(self.root)}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text and the lines that sign it."""

    text: str
    lines: tuple[str, ...]

    def __str__(self) -> str:
        return self.text + "\n" + "".join(self.lines)


def new_signer(name: str, kind: int) -> Signer:
    """Make a key; NoteError where no key may have that name."""
    if not _NAME.fullmatch(name):
        raise NoteError("the name of a key is one word without a plus, such as oversight.example/2026")
    raw = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption()
    )
    return Signer(name, kind, raw)


def read_signer(text: str) -> Signer:
    """Read a private key from its line."""
    line = text.strip()
    if not line.startswith(_PRIVATE):
        raise NoteError("this is not a private key: it begins with PRIVATE+KEY+")
    name, key_id, kind, seed = _parts(line.removeprefix(_PRIVATE))
    signer = Signer(name, kind, seed)
    if signer.verifier.id != key_id:
        raise NoteError("this private key is damaged")
    return signer


def read_verifier(text: str) -> Verifier:
    """Read a public key from its line."""
    if text.strip().startswith(_PRIVATE):
        raise NoteError("this is a private key: show it to nobody, and give the public one")
    name, key_id, kind, public = _parts(text.strip())
    verifier = Verifier(name, kind, public)
    if verifier.id != key_id:
        raise NoteError("this public key is damaged")
    return verifier


def read_note(text: str) -> Note:
    """Take a note apart into its text and its signatures; nothing is verified yet."""
    if len(text) > MOST_BYTES or any(letter < " " and letter != "\n" for letter in text):
        raise NoteError("this is not a signed note")
    body, blank, rest = text.rpartition("\n\n")
    lines = rest.split("\n")
    if not blank or lines.pop() != "" or not 0 < len(lines) <= MOST_SIGNATURES:
        raise NoteError("this is not a signed note: it ends with an empty line and signatures")
    if not all(line.startswith(_DASH) and len(line.split(" ")) == 3 for line in lines):
        raise NoteError("a line below the empty line is no signature")
    return Note(body + "\n", tuple(line + "\n" for line in lines))


def read_checkpoint(text: str) -> Checkpoint:
    """Read what the text of a note says of a log."""
    lines = text.split("\n")
    # No further lines: nobody audits what would stand there.
    if len(lines) != 4 or lines[3] or not _NAME.fullmatch(lines[0]) or not _SIZE.fullmatch(lines[1]):
        raise NoteError("this is not a checkpoint: three lines with the log's name, its size and its root")
    root = _from64(lines[2])
    if len(root) != HASH_BYTES:
        raise NoteError("the root of a checkpoint has 32 bytes")
    return Checkpoint(lines[0], int(lines[1]), root)


def signature_of(note: Note, verifier: Verifier) -> tuple[str, int] | None:
    """Find a key's signature of a note: its line, and the seconds that it tells (0 for a plain one); None without one.

    NoteError where the key has signed something else.
    """
    public = Ed25519PublicKey.from_public_bytes(verifier.public)
    for line in note.lines:
        _dash, name, encoded = line.rstrip("\n").split(" ")
        data = _from64(encoded)
        if name != verifier.name or data[:_ID_BYTES] != verifier.id:
            continue
        stamp = _TIME_BYTES if verifier.kind == COUNTERSIGNS else 0
        at = int.from_bytes(data[_ID_BYTES : _ID_BYTES + stamp], "big")
        try:
            if len(data) != _ID_BYTES + stamp + _SIGNATURE_BYTES:
                raise InvalidSignature
            public.verify(data[_ID_BYTES + stamp :], _signed(verifier.kind, note.text, at))
        except InvalidSignature:
            raise NoteError(f"the signature of {name} is wrong") from None
        return line, at
    return None


def check_signed(note: Note, verifiers: Iterable[Verifier]) -> None:
    """Raise NoteError unless each of some keys has signed a note."""
    for verifier in verifiers:
        if signature_of(note, verifier) is None:
            raise NoteError(f"{verifier.name} has not signed this")


def _signed(kind: int, text: str, at: int) -> bytes:
    return (f"cosignature/v1\ntime {at}\n{text}" if kind == COUNTERSIGNS else text).encode()


def _parts(text: str) -> tuple[str, bytes, int, bytes]:
    name, _plus, rest = text.partition("+")
    key_id, _plus, encoded = rest.partition("+")
    data = _from64(encoded)
    if not _NAME.fullmatch(name) or not re.fullmatch(r"[0-9a-f]{8}", key_id) or len(data) != 1 + _KEY_BYTES:
        raise NoteError("this is not a key: it reads name+8 hexadecimal digits+letters")
    if data[0] not in (SIGNS, COUNTERSIGNS):
        raise NoteError("this is a kind of key that is not known here")
    return name, bytes.fromhex(key_id), data[0], data[1:]


def _to64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _from64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise NoteError("something that should be base64 is not") from None
