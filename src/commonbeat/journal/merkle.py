"""The Merkle tree of RFC 6962 (section 2.1), kept as the tiles of C2SP tlog-tiles: hashes only, and no database."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

HASH_BYTES = 32
# A tile holds so many hashes: eight floors of the tree.
HEIGHT = 8
WIDTH = 1 << HEIGHT
EMPTY_ROOT = sha256(b"").digest()

# The hash of the leaves begin … end - 1, as one tree.
Subtree = Callable[[int, int], bytes]
# The hashes of one tile, one after the other: level, number → as many as there are, 256 at most.
ReadTile = Callable[[int, int], bytes]


class ProofError(ValueError):
    """A proof that proves nothing."""


def leaf_hash(entry: bytes) -> bytes:
    """Give the hash of one entry."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Give the hash of a node over its two children."""
    return sha256(b"\x01" + left + right).digest()


def root_of(hashes: Sequence[bytes]) -> bytes:
    """Give the root over leaf hashes, or over the roots of trees that are full and equally high, but for the last."""
    if not hashes:
        return EMPTY_ROOT
    row = list(hashes)
    while len(row) > 1:
        pairs = iter(row)
        above = [sha256(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=False)]
        # A node without a neighbour goes up as it is: RFC 6962 splits at the largest power of two.
        if len(row) % 2:
            above.append(row[-1])
        row = above
    return row[0]


def split(data: bytes | bytearray | memoryview) -> list[bytes]:
    """Take the hashes of a tile apart."""
    whole = bytes(data)
    return [whole[start : start + HASH_BYTES] for start in range(0, len(whole), HASH_BYTES)]


def width_of(level: int, number: int, size: int) -> int:
    """Tell how many hashes a tile has in a tree of that many leaves: 0 to 256."""
    return max(0, min(WIDTH, (size >> (HEIGHT * level)) - number * WIDTH))


def tile_path(level: int, number: int, width: int) -> str:
    """Name a tile as C2SP tlog-tiles does: 0/x001/234, or 0/x001/234.p/7 while it is not full."""
    digits = f"{number:03d}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    parts = [digits[start : start + 3] for start in range(0, len(digits), 3)]
    path = "/".join([f"x{part}" for part in parts[:-1]] + parts[-1:])
    return f"{level}/{path}" + (f".p/{width}" if width < WIDTH else "")


def grow(size: int, new: Iterable[bytes], read: ReadTile) -> dict[tuple[int, int], bytes]:
    """Give the tiles, by level and number, that are new or longer when leaf hashes are put at the end of a tree."""
    changed: dict[tuple[int, int], bytes] = {}
    level, added = 0, list(new)
    while added:
        before = size >> (HEIGHT * level)
        number, filled = divmod(before, WIDTH)
        data = bytearray(read(level, number)[: filled * HASH_BYTES]) if filled else bytearray()
        above = []
        while added:
            room = WIDTH - len(data) // HASH_BYTES
            data += b"".join(added[:room])
            added = added[room:]
            changed[level, number] = bytes(data)
            if len(data) == WIDTH * HASH_BYTES:
                above.append(root_of(split(data)))
                number, data = number + 1, bytearray()
        level, added = level + 1, above
    return changed


def subtree_in(read: ReadTile) -> Subtree:
    """Find the hash of any stretch of leaves by its tiles; each tile is read once."""
    kept: dict[tuple[int, int], bytes] = {}

    def tile(level: int, number: int) -> bytes:
        found = kept.get((level, number))
        if found is None:
            found = kept[level, number] = read(level, number)
        return found

    def full(begin: int, height: int) -> bytes:
        # The fewest hashes: from the highest tile that knows the stretch.
        level = height // HEIGHT
        first = begin >> (HEIGHT * level)
        number, at = divmod(first, WIDTH)
        count = 1 << (height - HEIGHT * level)
        part = tile(level, number)[at * HASH_BYTES : (at + count) * HASH_BYTES]
        if len(part) != count * HASH_BYTES:
            raise ProofError(f"tile {level}/{number} lacks hashes")
        return root_of(split(part))

    def subtree(begin: int, end: int) -> bytes:
        if begin == end:
            return EMPTY_ROOT
        count = end - begin
        if count & (count - 1) == 0 and begin % count == 0:
            return full(begin, count.bit_length() - 1)
        middle = begin + _half(count)
        return node_hash(subtree(begin, middle), subtree(middle, end))

    return subtree


def inclusion_path(index: int, size: int, subtree: Subtree) -> list[bytes]:
    """Give the audit path of a leaf, from its sibling upwards (RFC 6962, 2.1.1)."""
    if not 0 <= index < size:
        raise ProofError("no such leaf")
    path: list[bytes] = []
    begin, end = 0, size
    while end - begin > 1:
        middle = begin + _half(end - begin)
        if index < middle:
            path.append(subtree(middle, end))
            end = middle
        else:
            path.append(subtree(begin, middle))
            begin = middle
    return path[::-1]


def consistency_path(old: int, new: int, subtree: Subtree) -> list[bytes]:
    """Give the proof that the first `old` leaves of a tree of `new` ones are those of the smaller tree (2.1.2)."""
    if not 0 <= old <= new:
        raise ProofError("a tree does not shrink")
    if old in (0, new):
        return []
    path: list[bytes] = []
    begin, end = 0, new
    whole = True
    while old != end:
        middle = begin + _half(end - begin)
        if old <= middle:
            path.append(subtree(middle, end))
            end = middle
        else:
            path.append(subtree(begin, middle))
            begin, whole = middle, False
    if not whole:
        path.append(subtree(begin, end))
    return path[::-1]


def check_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """Raise ProofError unless a path leads from a leaf's hash to a root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        raise ProofError("no such leaf in a tree of this size")
    at, last, found = index, size - 1, leaf
    for step in path:
        if last == 0:
            raise ProofError("the path is too long")
        if at & 1 or at == last:
            found = node_hash(step, found)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = node_hash(found, step)
        at, last = at >> 1, last >> 1
    if last:
        raise ProofError("the path is too short")
    if found != root:
        raise ProofError("the path leads to another root")


def check_consistency(old: int, new: int, path: Sequence[bytes], old_root: bytes, new_root: bytes) -> None:
    """Raise ProofError unless a larger tree begins with the leaves of a smaller one (RFC 9162, 2.1.4.2)."""
    if not 0 <= old <= new:
        raise ProofError("the newer tree is the smaller one")
    if old == new or old == 0:
        if path:
            raise ProofError("the proof is too long")
        if old_root != (new_root if old == new else EMPTY_ROOT):
            raise ProofError("two trees of the same size have different roots")
        return
    # A full old tree is itself the first node, which the proof leaves out.
    steps = list(path) if old & (old - 1) else [old_root, *path]
    if not steps:
        raise ProofError("the proof is too short")
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    first = second = steps[0]
    for step in steps[1:]:
        if last == 0:
            raise ProofError("the proof is too long")
        if at & 1 or at == last:
            first, second = node_hash(step, first), node_hash(step, second)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            second = node_hash(second, step)
        at, last = at >> 1, last >> 1
    if last:
        raise ProofError("the proof is too short")
    if first != old_root:
        raise ProofError("the proof does not lead to the older root")
    if second != new_root:
        raise ProofError("the proof does not lead to the newer root")


def _half(count: int) -> int:
    """Give the largest power of two below a count of two or more."""
    return 1 << ((count - 1).bit_length() - 1)
