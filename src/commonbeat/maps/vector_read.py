"""Read vector tiles of base maps: shapes and their properties, bounded, and without trust in what the file says.

https://github.com/mapbox/vector-tile-spec/tree/master/2.1
"""

from __future__ import annotations

import struct
from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from commonbeat.maps.varint_read import Damaged, Numbers, fields, numbers

POINT, LINE, POLYGON = 1, 2, 3
Value = str | float | int | bool
# A tile of a capital has some 60,000 corners; what has far more is not a map.
MOST_POINTS = 400_000
MOST_FEATURES = 60_000
_MOVE_TO, _LINE_TO, _CLOSE = 1, 2, 7
# Far beyond any buffer around a tile, in tiles.
_FARTHEST = 64


class Feature(NamedTuple):
    """One shape: its rings, lines or points as slices of the layer's points."""

    kind: int
    parts: tuple[tuple[int, int], ...]
    properties: dict[str, Value]


@dataclass(frozen=True, eq=False, slots=True)
class Layer:
    """Shapes of one kind; points are x and y on the tile, 0 to 1."""

    features: list[Feature]
    points: npt.NDArray[np.float32]


class _Raw(NamedTuple):
    kind: int
    tags: bytes
    geometry: bytes


def read_tile(data: bytes, wanted: Container[str]) -> dict[str, Layer]:
    """Read those layers of a tile that are wanted; Damaged when it is no tile."""
    found: dict[str, Layer] = {}
    for field, value in fields(data):
        if field != 3 or not isinstance(value, bytes):
            continue
        name = _name_of(value)
        if name in wanted and name not in found:
            found[name] = _layer(value)
    return found


def _name_of(data: bytes) -> str:
    return next((_text(value) for field, value in fields(data) if field == 1 and isinstance(value, bytes)), "")


def _layer(data: bytes) -> Layer:
    raws: list[_Raw] = []
    keys: list[str] = []
    values: list[Value] = []
    extent = 4096
    for field, value in fields(data):
        if field == 5 and isinstance(value, int):
            extent = value
        elif not isinstance(value, bytes):
            continue
        elif field == 2:
            raws.append(_raw(value))
        elif field == 3:
            keys.append(_text(value))
        elif field == 4:
            values.append(_value(value))
    if not 1 <= extent <= 1 << 20 or len(raws) > MOST_FEATURES:
        raise Damaged("a layer is out of measure")
    tags, tag_ends = numbers(b"".join(raw.tags for raw in raws))
    steps, step_ends = numbers(b"".join(raw.geometry for raw in raws))
    if len(steps) > 2 * MOST_POINTS:
        raise Damaged("a layer has too many points")
    tag_at = _bounds([len(raw.tags) for raw in raws], tag_ends)
    step_at = _bounds([len(raw.geometry) for raw in raws], step_ends)
    # Numbers are folded: 0, -1, 1, -2 … are 0, 1, 2, 3 …
    unfolded = (steps >> 1) ^ -(steps & 1)
    features: list[Feature] = []
    pieces: list[Numbers] = []
    total = 0
    for at, raw in enumerate(raws):
        parts, points = _geometry(steps, unfolded, step_at[at], step_at[at + 1])
        if parts:
            where = tuple((total + first, total + last) for first, last in parts)
            features.append(Feature(raw.kind, where, _properties(tags[tag_at[at] : tag_at[at + 1]], keys, values)))
            pieces.append(points)
            total += len(points)
    joined = np.concatenate(pieces) if pieces else np.empty((0, 2), np.int64)
    if joined.size and (joined.max() > _FARTHEST * extent or joined.min() < -_FARTHEST * extent):
        raise Damaged("a shape lies far outside of its tile")
    return Layer(features, (joined / extent).astype(np.float32))


def _raw(data: bytes) -> _Raw:
    kind, tags, geometry = 0, b"", b""
    for field, value in fields(data):
        if field == 2 and isinstance(value, bytes):
            tags = value
        elif field == 3 and isinstance(value, int):
            kind = value
        elif field == 4 and isinstance(value, bytes):
            geometry = value
    return _Raw(kind, tags, geometry)


def _bounds(lengths: Sequence[int], ends: Numbers) -> list[int]:
    """Tell how many numbers come before each part of so many bytes; Damaged where a number lies across two parts."""
    edges = np.concatenate([np.zeros(1, np.int64), np.cumsum(np.array(lengths, np.int64))])
    at = np.searchsorted(ends, edges, side="right")
    some = at > 0
    if (ends[at[some] - 1] != edges[some]).any():
        raise Damaged("a number does not end")
    found: list[int] = at.tolist()
    return found


def _geometry(steps: Numbers, unfolded: Numbers, at: int, end: int) -> tuple[list[tuple[int, int]], Numbers]:
    """Give the parts of a shape, and its points."""
    parts: list[tuple[int, int]] = []
    pieces: list[Numbers] = []
    total = 0
    while at < end:
        command = int(steps[at])
        kind, count = command & 7, command >> 3
        at += 1
        if kind == _CLOSE:
            continue
        if kind not in (_MOVE_TO, _LINE_TO) or not 0 < count <= (end - at) // 2 or (kind == _LINE_TO and not parts):
            raise Damaged("a shape cannot be drawn")
        pieces.append(unfolded[at : at + 2 * count])
        at += 2 * count
        if kind == _MOVE_TO:
            parts.append((total, total + count))
        else:
            parts[-1] = (parts[-1][0], total + count)
        total += count
    if not pieces:
        return [], np.empty((0, 2), np.int64)
    # The point of the pen goes on from part to part.
    return parts, np.concatenate(pieces).reshape(-1, 2).cumsum(axis=0)


def _properties(tags: Numbers, keys: list[str], values: list[Value]) -> dict[str, Value]:
    pairs: list[int] = tags.tolist()
    try:
        return {keys[key]: values[value] for key, value in zip(pairs[::2], pairs[1::2], strict=True)}
    except (IndexError, ValueError):
        raise Damaged("a shape names a property that is not there") from None


def _value(data: bytes) -> Value:
    for field, value in fields(data):
        if isinstance(value, bytes):
            if field == 1:
                return _text(value)
            if field in (2, 3) and len(value) == (4 if field == 2 else 8):
                return float(struct.unpack("<f" if field == 2 else "<d", value)[0])
        elif field in (4, 5):
            return value
        elif field == 6:
            return (value >> 1) ^ -(value & 1)
        elif field == 7:
            return bool(value)
    return ""


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
