"""From text to the octets of SMPP and back: GSM-7 one septet an octet, Latin-1, UCS-2; long texts in pieces."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

DEFAULT, ASCII, LATIN1, UCS2 = 0, 1, 3, 8
_BINARY = frozenset({2, 4})
_ESCAPE = 0x1B
_TABLE = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = dict(zip(b"\x0a\x14\x28\x29\x2f\x3c\x3d\x3e\x40\x65", "\f^{}\\[~]|€", strict=True))
_CODES = {character: bytes([code]) for code, character in enumerate(_TABLE) if code != _ESCAPE}
_CODES |= {character: bytes([_ESCAPE, code]) for code, character in _EXTENSION.items()}
# Octets of a whole message and of a piece beside its header: septets for GSM-7, octets for UCS-2.
_ROOM = {DEFAULT: (160, 153), UCS2: (140, 134)}
_PIECES = 255


@dataclass(frozen=True, slots=True)
class Written:
    """One short message as it travels."""

    data: bytes
    data_coding: int
    # Whether the data begin with a header that says which piece it is.
    has_header: bool


def write(text: str, reference: int, *, latin1: bool = False) -> list[Written]:
    """Write a text as one or more short messages; reference, 0 to 255, is what its pieces have in common.

    latin1 is for centres whose default alphabet that is. What goes beyond 255 pieces is left out.
    """
    units, coding = _units(text, latin1=latin1)
    whole, room = _ROOM[coding]
    if sum(size for _, size in units) <= whole:
        return [Written(b"".join(octets for octets, _ in units), coding, has_header=False)]
    pieces = list(_packed(units, room))[:_PIECES]
    # The short header: that of a longer reference would cost a character of each piece.
    header = bytes([5, 0, 3, reference, len(pieces)])
    return [Written(header + bytes([n]) + piece, coding, has_header=True) for n, piece in enumerate(pieces, 1)]


def read(data: bytes, data_coding: int, *, latin1: bool = False) -> str:
    """Read the octets of a message; what is binary gives nothing, and what has no meaning a replacement sign."""
    alphabet = _alphabet(data_coding)
    if alphabet in _BINARY:
        return ""
    if alphabet == UCS2:
        return data.decode("utf-16-be", "replace")
    if alphabet == LATIN1 or (alphabet == DEFAULT and latin1):
        return data.decode("latin-1")
    if alphabet == ASCII:
        return data.decode("ascii", "replace")
    return "".join(_septets(data))


def _units(text: str, *, latin1: bool) -> tuple[list[tuple[bytes, int]], int]:
    if all(character in _CODES for character in text):
        codes = [(_CODES[character], len(_CODES[character])) for character in text]
        if not latin1:
            return codes, DEFAULT
        if all(ord(character) < 256 for character in text):
            # The centre makes septets of it, so that is what is counted.
            return [(c.encode("latin-1"), size) for c, (_, size) in zip(text, codes, strict=True)], DEFAULT
    wide = [character.encode("utf-16-be", "replace") for character in text]
    return [(octets, len(octets)) for octets in wide], UCS2


def _packed(units: list[tuple[bytes, int]], room: int) -> Iterator[bytes]:
    piece, used = b"", 0
    for octets, size in units:
        # Neither an escape nor half an emoji may end a piece.
        if used + size > room:
            yield piece
            piece, used = b"", 0
        piece, used = piece + octets, used + size
    yield piece


def _alphabet(data_coding: int) -> int:
    if data_coding < 0x10:
        return data_coding
    # The groups of GSM 03.38: 00xx and 01xx name the alphabet in two bits, 1111 in one.
    if data_coding < 0x80:
        return {0x00: DEFAULT, 0x04: 4, 0x08: UCS2, 0x0C: DEFAULT}[data_coding & 0x0C]
    if data_coding & 0xF0 == 0xF0:
        return 4 if data_coding & 0x04 else DEFAULT
    return UCS2 if data_coding & 0xF0 == 0xE0 else DEFAULT


def _septets(data: bytes) -> Iterator[str]:
    is_escaped = False
    for code in data:
        if is_escaped:
            # A phone shows the plain character where it does not know the extension.
            yield _EXTENSION.get(code) or (_TABLE[code] if code < 128 else "�")
            is_escaped = False
        elif code == _ESCAPE:
            is_escaped = True
        else:
            yield _TABLE[code] if code < 128 else "�"
