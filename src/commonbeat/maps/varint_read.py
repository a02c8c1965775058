"""Read protocol-buffer messages and numbers from files that nobody has checked."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int64]

_LONGEST = 10
_FIXED = {1: 8, 5: 4}


class Damaged(ValueError):
    """The bytes are not what they should be."""


def numbers(data: bytes) -> tuple[Numbers, Numbers]:
    """Read numbers that stand one after the other: the numbers, and where each ends; Damaged when the last does not."""
    raw = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(raw < 128).astype(np.int64) + 1
    if not raw.size:
        return ends, ends
    if not ends.size or ends[-1] != raw.size:
        raise Damaged("a number does not end")
    starts = np.concatenate([np.zeros(1, np.int64), ends[:-1]])
    length = ends - starts
    longest = int(length.max())
    if longest > _LONGEST:
        raise Damaged("a number is too long")
    found = (raw[starts] & 127).astype(np.uint64)
    for k in range(1, longest):
        some = np.flatnonzero(length > k)
        found[some] |= (raw[starts[some] + k] & 127).astype(np.uint64) << np.uint64(7 * k)
    return found.astype(np.int64), ends


def number(data: bytes, at: int) -> tuple[int, int]:
    """Read one number: it, and where the next begins."""
    value = shift = 0
    for byte in data[at : at + _LONGEST]:
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
    raise Damaged("a number does not end")


def fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Read the fields of a message: (number of the field, number or bytes); Damaged where it is none."""
    at, size = 0, len(data)
    while at < size:
        key, at = number(data, at)
        kind = key & 7
        if kind == 0:
            value, at = number(data, at)
            yield key >> 3, value
            continue
        if kind == 2:
            length, at = number(data, at)
        elif kind in _FIXED:
            length = _FIXED[kind]
        else:
            raise Damaged("there is no such kind of field")
        if at + length > size:
            raise Damaged("a field does not end")
        yield key >> 3, data[at : at + length]
        at += length
