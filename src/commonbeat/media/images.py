"""Public copies of photos: rebuilt from their pixels in a process apart, so that nothing else can come along."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from pathlib import Path

from commonbeat.media import decoding
from commonbeat.media.decoding import LIMITS, Limits

_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a")
# What telephones write after "ftyp" in a still picture; the decoder refuses what is packed otherwise inside.
_HEIC_BRANDS = (b"heic", b"heix", b"mif1")
# What the decoder says: width, height, perceptual hash, bytes of the large and of the small copy.
REPLY = struct.Struct("!IIqII")
GOOD, NO_PICTURE, TOO_LARGE = b"G", b"N", b"L"


class NotAPicture(ValueError):
    """Bytes that are no whole JPEG, PNG, WebP, GIF or HEIC, or that the decoder could not read within its limits."""


class PictureTooLarge(ValueError):
    """A picture with more pixels than the limit, or a side over 20,000."""


@dataclass(frozen=True, slots=True)
class PublicCopies:
    """Two JPEGs without metadata; width and height are those of `full`, sha256 (hexadecimal) that of the source.

    `phash` is a signed 64-bit perceptual hash: copies of one photo differ in a few bits.
    """

    full: bytes
    thumb: bytes
    width: int
    height: int
    sha256: str
    phash: int


def make_public_copies(
    source: bytes | Path,
    *,
    max_pixels: int = 50_000_000,
    sides: tuple[int, int] = (1600, 320),
    limits: Limits = LIMITS,
) -> PublicCopies:
    """Return a picture as a full and a small JPEG whose longer sides are at most `sides` pixels.

    NotAPicture when it is none, is cut off or takes more than the limits; PictureTooLarge before any pixel is read;
    DecoderUnavailable when no decoder starts.
    """
    data = source.read_bytes() if isinstance(source, Path) else source
    if not is_known(data):
        raise NotAPicture("not a JPEG, PNG, WebP, GIF or HEIC")
    reply = decoding.decode(data, max_pixels=max_pixels, sides=sides, limits=limits)
    if reply[:1] == TOO_LARGE:
        raise PictureTooLarge("too many pixels")
    if reply[:1] == NO_PICTURE:
        raise NotAPicture("the picture is damaged")
    copies = _understood(reply, data, sides)
    if copies is None:
        raise NotAPicture("We cannot read this picture.")
    return copies


def is_known(data: bytes) -> bool:
    """Tell whether bytes begin like a picture that the decoder reads."""
    if data[4:8] == b"ftyp":
        return data[8:12] in _HEIC_BRANDS
    return data.startswith(_SIGNATURES) or (data[:4] == b"RIFF" and data[8:12] == b"WEBP")


def _understood(reply: bytes, data: bytes, sides: tuple[int, int]) -> PublicCopies | None:
    # A stranger's file may have taken the decoder over: nothing that it says is believed. The hash of the original is
    # taken here.
    if reply[:1] != GOOD or len(reply) < 1 + REPLY.size:
        return None
    width, height, phash, full_bytes, thumb_bytes = REPLY.unpack_from(reply, 1)
    full = reply[1 + REPLY.size : 1 + REPLY.size + full_bytes]
    thumb = reply[1 + REPLY.size + full_bytes :]
    if len(full) != full_bytes or len(thumb) != thumb_bytes:
        return None
    if not all(copy.startswith(b"\xff\xd8\xff") and copy.endswith(b"\xff\xd9") for copy in (full, thumb)):
        return None
    if not 1 <= width <= sides[0] or not 1 <= height <= sides[0]:
        return None
    return PublicCopies(full, thumb, width, height, hashlib.sha256(data).hexdigest(), phash)
