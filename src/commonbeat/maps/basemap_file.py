"""Read map files: PMTiles, version 3 (https://github.com/protomaps/PMTiles/blob/main/spec/v3/spec.md)."""

from __future__ import annotations

import json
import re
import struct
import zlib
from functools import lru_cache
from html import unescape
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from commonbeat.maps.varint_read import Damaged, number, numbers

_HEADER = 127
_PLAIN, _GZIP = 1, 2
_VECTOR = 1
# Of what is unpacked: a tile of a capital has 1.5 MB, a directory of the whole world 0.4.
_MOST_BYTES = 8_000_000
_DEEPEST = 4
_MARKUP = re.compile(r"<[^>]{0,500}>")

Numbers = npt.NDArray[np.int64]


class _Entries(NamedTuple):
    ids: Numbers
    runs: Numbers
    lengths: Numbers
    offsets: Numbers


class MapFile(NamedTuple):
    """A map file: what its header says."""

    path: Path
    # Changes when the file does.
    stamp: tuple[int, int]
    root: tuple[int, int]
    metadata: tuple[int, int]
    leaves: int
    tiles: int
    internal_compression: int
    tile_compression: int
    nearest: int
    farthest: int
    # West, south, east and north, in degrees.
    box: tuple[float, float, float, float]

    def tile(self, zoom: int, x: int, y: int) -> bytes:
        """Give a tile, unpacked, or nothing where the file has none; Damaged and OSError when it cannot be read."""
        wanted = tile_id(zoom, x, y)
        offset, length = self.root
        for _ in range(_DEEPEST):
            entries = _directory(self, offset, length)
            at = int(np.searchsorted(entries.ids, wanted, side="right")) - 1
            if at < 0:
                return b""
            run = int(entries.runs[at])
            offset, length = int(entries.offsets[at]), int(entries.lengths[at])
            if run:
                if wanted - int(entries.ids[at]) >= run:
                    return b""
                return _unpacked(_read(self.path, self.tiles + offset, length), self.tile_compression)
            offset += self.leaves
        raise Damaged("the directories of a map file lead nowhere")

    def attribution(self) -> str:
        """Give whom the file wants to be named, in plain text."""
        return _attribution(self)


@lru_cache(maxsize=16)
def _open(path: Path, stamp: tuple[int, int]) -> MapFile:
    head = _read(path, 0, _HEADER)
    if head[:8] != b"PMTiles\x03":
        raise Damaged("this is no map file of version 3")
    root_at, root, metadata_at, metadata, leaves, _, tiles, _ = struct.unpack("<8Q", head[8:72])
    internal, packed, kind, nearest, farthest = head[97:102]
    if kind != _VECTOR or nearest > farthest or farthest > 24:
        raise Damaged("this map file holds no vector tiles")
    west, south, east, north = (value / 1e7 for value in struct.unpack("<4i", head[102:118]))
    where = (root_at, root), (metadata_at, metadata), leaves, tiles
    return MapFile(path, stamp, *where, internal, packed, nearest, farthest, (west, south, east, north))


def open_map(path: Path) -> MapFile:
    """Read the header of a map file, or give what was read before; Damaged and OSError when it cannot be read."""
    status = path.stat()
    return _open(path, (status.st_mtime_ns, status.st_size))


def tile_id(zoom: int, x: int, y: int) -> int:
    """Give the place of a tile on the curve along which the file is sorted (Hilbert's, zoom after zoom)."""
    found = ((1 << (2 * zoom)) - 1) // 3
    for bit in range(zoom - 1, -1, -1):
        half = 1 << bit
        right, below = int(bool(x & half)), int(bool(y & half))
        found += half * half * ((3 * right) ^ below)
        if not below:
            if right:
                x, y = half - 1 - x, half - 1 - y
            x, y = y, x
    return found


@lru_cache(maxsize=64)
def _directory(file: MapFile, offset: int, length: int) -> _Entries:
    data = _unpacked(_read(file.path, offset, length), file.internal_compression)
    count, at = number(data, 0)
    found, _ = numbers(data[at:])
    if not count or len(found) < 4 * count:
        raise Damaged("a directory of a map file is cut off")
    ids, runs, lengths, offsets = found[: 4 * count].reshape(4, count)
    return _Entries(np.cumsum(ids), runs, lengths, _offsets(offsets, lengths))


def _offsets(given: Numbers, lengths: Numbers) -> Numbers:
    # 0 says: right behind the one before; else one more than the offset.
    base = np.where(given > 0, given - 1, 0)
    begins = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)[:-1]])
    last = np.maximum.accumulate(np.where(given > 0, np.arange(len(given)), 0))
    found: Numbers = base[last] + begins - begins[last]
    return found


@lru_cache(maxsize=16)
def _attribution(file: MapFile) -> str:
    try:
        about = json.loads(_unpacked(_read(file.path, *file.metadata), file.internal_compression))
        text = about.get("attribution") if isinstance(about, dict) else None
    except (ValueError, OSError):
        return ""
    return " ".join(unescape(_MARKUP.sub(" ", text)).split())[:200] if isinstance(text, str) else ""


def _read(path: Path, offset: int, length: int) -> bytes:
    if not (0 <= length <= _MOST_BYTES and 0 <= offset < 1 << 62):
        raise Damaged("a part of a map file is too large")
    with path.open("rb") as file:
        file.seek(offset)
        data = file.read(length)
    if len(data) != length:
        raise Damaged("a map file is cut off")
    return data


def _unpacked(data: bytes, compression: int) -> bytes:
    if compression == _PLAIN:
        return data
    if compression != _GZIP:
        raise Damaged("this map file is packed in a way that we do not read")
    unpacker = zlib.decompressobj(wbits=31)
    try:
        found = unpacker.decompress(data, _MOST_BYTES)
    except zlib.error:
        raise Damaged("a part of a map file cannot be unpacked") from None
    if unpacker.unconsumed_tail or not unpacker.eof:
        raise Damaged("a part of a map file is too large, or cut off")
    return found
