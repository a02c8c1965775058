"""Lengths that tell little: size classes for texts, Padmé for files."""

from __future__ import annotations

from commonbeat.tips.errors import TooLong, Unopenable

# 512 B, 2 k, 8 k … 512 k. A step of four: of a tip's text the size of its box tells one of six things.
SIZE_CLASSES = tuple(512 * 4**step for step in range(6))
LONGEST_TEXT = SIZE_CLASSES[-1] - 1
_MARK = b"\x80"
# Below it all files look alike.
LEAST_FILE = 4096


def pad(plain: bytes) -> bytes:
    """Fill up to the next size class: 0x80, then zero bytes (ISO/IEC 7816-4, as sodium_pad does)."""
    for size in SIZE_CLASSES:
        if len(plain) < size:
            return (plain + _MARK).ljust(size, b"\0")
    raise TooLong


def unpad(padded: bytes) -> bytes:
    """Take the filling off; Unopenable when the length is no size class, or not the smallest that would do."""
    if len(padded) not in SIZE_CLASSES:
        raise Unopenable
    marked = padded.rstrip(b"\0")
    plain = marked[:-1]
    if marked[-1:] != _MARK or (len(padded) > SIZE_CLASSES[0] and len(plain) < len(padded) // 4):
        raise Unopenable
    return plain


def padded_length(length: int) -> int:
    """Give the length to which a file is filled up: 4,096 bytes at least, beyond that a sixteenth more at most.

    From 64 KiB on it is a thirty-second. Padmé (Nikitin et al., Reducing Metadata Leakage from Encrypted Files, 2019):
    of the n bits of a length it leaves about log2 n to be seen.
    """
    if length <= LEAST_FILE:
        return LEAST_FILE
    exponent = length.bit_length() - 1
    step = 1 << (exponent - exponent.bit_length())
    return -(-length // step) * step
