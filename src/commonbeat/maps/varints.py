"""Protocol-buffer numbers, many at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Unsigned = npt.NDArray[np.uint64]

_STEPS = [np.uint64(1 << (7 * k)) for k in range(1, 10)]


def sizes(values: Unsigned) -> npt.NDArray[np.int64]:
    """Tell how many bytes each number takes."""
    found: npt.NDArray[np.int64] = np.ones(values.shape, np.int64)
    largest = values.max() if values.size else 0
    for step in _STEPS:
        if largest < step:
            break
        found += values >= step
    return found


def encoded(values: Unsigned) -> bytes:
    """Write numbers one after the other, row by row."""
    flat = values.ravel()
    if not flat.size:
        return b""
    length = sizes(flat)
    ends = np.cumsum(length)
    out: npt.NDArray[Any] = np.empty(int(ends[-1]), np.uint8)
    at = ends - length
    longest = int(length.max())
    out[at] = (flat & np.uint64(127)) | (np.uint64(128) * (length > 1))
    for k in range(1, longest):
        some = np.flatnonzero(length > k)
        part = (flat[some] >> np.uint64(7 * k)) & np.uint64(127)
        out[at[some] + k] = part | (np.uint64(128) * (length[some] > k + 1))
    return out.tobytes()


def zigzag(values: npt.NDArray[np.int64]) -> Unsigned:
    """Fold signed numbers: 0, -1, 1, -2 … become 0, 1, 2, 3 …"""
    return ((values << 1) ^ (values >> 63)).astype(np.uint64)


def one(value: int) -> bytes:
    """Write one number."""
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def field(number: int, data: bytes) -> bytes:
    """Write a field that holds bytes."""
    return one(number << 3 | 2) + one(len(data)) + data
