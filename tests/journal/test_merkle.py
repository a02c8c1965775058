"""The tree is the one of RFC 6962: known answers, and a naive implementation beside it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commonbeat.journal import merkle
from commonbeat.journal.merkle import (
    EMPTY_ROOT,
    HASH_BYTES,
    ProofError,
    check_consistency,
    check_inclusion,
    consistency_path,
    grow,
    inclusion_path,
    leaf_hash,
    root_of,
    subtree_in,
    tile_path,
    width_of,
)
from tests.journal import naive

# The entries and answers of Certificate Transparency's own tests (cpp/merkletree/merkle_tree_test.cc).
ENTRIES = [
    bytes.fromhex(text)
    for text in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
PATHS = {
    (0, 1): [],
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    (1, 5): [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
PROOFS = {
    (1, 1): [],
    (1, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
SIZES = st.integers(1, 700)


def tree(entries: Sequence[bytes], pieces: Sequence[int] = ()) -> merkle.ReadTile:
    """Grow a tree piece by piece, and give its tiles."""
    tiles: dict[tuple[int, int], bytes] = {}
    hashes = [leaf_hash(entry) for entry in entries]
    size = 0

    def read(level: int, number: int) -> bytes:
        return tiles.get((level, number), b"")

    for piece in (*pieces, len(hashes)):
        some = hashes[size : size + piece]
        tiles.update(grow(size, some, read))
        size += len(some)
    return read


def numbered(count: int) -> list[bytes]:
    return [b"%d" % number for number in range(count)]


def test_known_roots() -> None:
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" == root_of([]).hex()
    for size, root in enumerate(ROOTS, start=1):
        assert root_of([leaf_hash(entry) for entry in ENTRIES[:size]]).hex() == root
        assert subtree_in(tree(ENTRIES))(0, size).hex() == root


@pytest.mark.parametrize(("index", "size"), PATHS)
def test_known_inclusion_proofs(index: int, size: int) -> None:
    path = inclusion_path(index, size, subtree_in(tree(ENTRIES)))
    assert [step.hex() for step in path] == PATHS[index, size]
    check_inclusion(leaf_hash(ENTRIES[index]), index, size, path, bytes.fromhex(ROOTS[size - 1]))


@pytest.mark.parametrize(("old", "new"), PROOFS)
def test_known_consistency_proofs(old: int, new: int) -> None:
    path = consistency_path(old, new, subtree_in(tree(ENTRIES)))
    assert [step.hex() for step in path] == PROOFS[old, new]
    check_consistency(old, new, path, bytes.fromhex(ROOTS[old - 1]), bytes.fromhex(ROOTS[new - 1]))


@given(SIZES, st.lists(st.integers(1, 300), max_size=4), st.data())
def test_tiles_give_what_the_naive_tree_gives(size: int, pieces: list[int], data: st.DataObject) -> None:
    entries = numbered(size)
    subtree = subtree_in(tree(entries, pieces))
    assert subtree(0, size) == naive.root(entries) == root_of([leaf_hash(entry) for entry in entries])
    index = data.draw(st.integers(0, size - 1))
    path = inclusion_path(index, size, subtree)
    assert path == naive.path(index, entries)
    check_inclusion(leaf_hash(entries[index]), index, size, path, naive.root(entries))
    old = data.draw(st.integers(1, size))
    proof = consistency_path(old, size, subtree)
    assert proof == naive.proof(old, entries)
    check_consistency(old, size, proof, naive.root(entries[:old]), naive.root(entries))


@settings(max_examples=3)
@given(st.integers(65_500, 66_100))
def test_trees_of_three_levels_of_tiles(size: int) -> None:
    hashes = [leaf_hash(entry) for entry in numbered(size)]
    read = tree(numbered(size), (300, 65_000, 1))
    assert subtree_in(read)(0, size) == root_of(hashes)
    assert len(read(2, 0)) == (size >> 16) * HASH_BYTES
    path = consistency_path(65_400, size, subtree_in(read))
    check_consistency(65_400, size, path, root_of(hashes[:65_400]), root_of(hashes))


@given(st.integers(2, 300), st.data())
def test_no_proof_holds_for_something_else(size: int, data: st.DataObject) -> None:
    entries = numbered(size)
    subtree, root = subtree_in(tree(entries)), naive.root(entries)
    index = data.draw(st.integers(0, size - 1))
    path, leaf = inclusion_path(index, size, subtree), leaf_hash(entries[index])
    wrong = [
        (leaf_hash(b"another"), index, size, path, root),
        (leaf, (index + 1) % size, size, path, root),
        (leaf, size, size, path, root),
        (leaf, -1, size, path, root),
        (leaf, index, size, path, bytes(32)),
        (leaf, index, size, [*path, root], root),
        (leaf, index, size, path[:-1], root),
        *((leaf, index, size, [*path[:at], bytes(32), *path[at + 1 :]], root) for at in range(len(path))),
    ]
    for arguments in wrong:
        with pytest.raises(ProofError):
            check_inclusion(*arguments)


@given(st.integers(2, 300), st.data())
def test_no_fork_and_no_shorter_tree_is_consistent(size: int, data: st.DataObject) -> None:
    entries = numbered(size)
    old = data.draw(st.integers(1, size - 1))
    subtree = subtree_in(tree(entries))
    proof = consistency_path(old, size, subtree)
    before, after = naive.root(entries[:old]), naive.root(entries)
    changed = data.draw(st.integers(0, old - 1))
    fork = [*entries[:changed], b"fork", *entries[changed + 1 :]]
    forked = subtree_in(tree(fork))
    wrong = [
        (old, size, consistency_path(old, size, forked), before, naive.root(fork)),
        (old, size, proof, naive.root(fork[:old]), after),
        (old, size, proof, before, bytes(32)),
        (old, size, proof[:-1], before, after),
        (old, size, [*proof, after], before, after),
        (size, old, proof, after, before),
        (size, size, [], before, after),
        (0, size, [], before, after),
        *((old, size, [*proof[:at], bytes(32), *proof[at + 1 :]], before, after) for at in range(len(proof))),
    ]
    for arguments in wrong:
        with pytest.raises(ProofError):
            check_consistency(*arguments)


def test_an_empty_tree_is_the_beginning_of_each() -> None:
    check_consistency(0, 3, consistency_path(0, 3, subtree_in(tree(ENTRIES))), EMPTY_ROOT, bytes.fromhex(ROOTS[2]))
    check_consistency(0, 0, [], EMPTY_ROOT, EMPTY_ROOT)


@pytest.mark.parametrize(
    ("level", "number", "width", "path"),
    [
        (0, 0, 256, "0/000"),
        (0, 1_234_067, 256, "0/x001/x234/067"),
        (1, 1_000, 256, "1/x001/000"),
        (2, 67, 17, "2/067.p/17"),
    ],
)
def test_tiles_are_named_as_c2sp_does(level: int, number: int, width: int, path: str) -> None:
    assert tile_path(level, number, width) == path


def test_a_tree_of_seventy_thousand_has_the_tiles_of_the_specification() -> None:
    widths = [
        (level, number, width_of(level, number, 70_000))
        for level, number in ((0, 272), (0, 273), (1, 0), (1, 1), (2, 0))
    ]
    assert widths == [(0, 272, 256), (0, 273, 112), (1, 0, 256), (1, 1, 17), (2, 0, 1)]
    assert width_of(0, 274, 70_000) == 0 and width_of(1, 0, 256) == 1
