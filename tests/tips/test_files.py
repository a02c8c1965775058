"""Files pass in pieces; whatever is cut, moved, added or exchanged is refused."""

from __future__ import annotations

import base64
import io
import secrets
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl import bindings

from commonbeat.tips import files
from commonbeat.tips.envelope import OVERHEAD
from commonbeat.tips.errors import Unopenable
from commonbeat.tips.files import CHUNK_BYTES, ROOM
from commonbeat.tips.keys import new_key_pair
from commonbeat.tips.padding import padded_length
from tests.tips.vectors import TIP, VECTORS, flipped, pair

KEY = files.new_file_key()
SEALED_CHUNK = CHUNK_BYTES + 17
LONG = secrets.token_bytes(3 * ROOM + 1000)


def sealed(content: bytes, key: bytes = KEY, number: int = 0) -> bytes:
    target = io.BytesIO()
    assert files.seal_file(io.BytesIO(content), target, key, tip=TIP, number=number) == len(content)
    return target.getvalue()


def opened(data: bytes, key: bytes = KEY, tip: bytes = TIP, number: int = 0) -> bytes:
    return b"".join(files.opened_blocks(io.BytesIO(data), key, tip=tip, number=number))


def test_opens_what_is_written_down() -> None:
    one = VECTORS["file"]
    tip_key = pair("tip")
    key, name = files.open_file_key(bytes.fromhex(one["key_box"]), tip=TIP, number=one["number"], tip_key=tip_key)
    assert (key.hex(), name) == (one["key"], one["name"])
    data = base64.b64decode(one["sealed_base64"])
    assert opened(data, key, number=one["number"]).hex() == one["content"]


@pytest.mark.parametrize(
    "length",
    [0, 1, 4095, 4096, 4097, ROOM - 1, ROOM, ROOM + 1, 2 * ROOM, 32 * ROOM - 5, 33 * ROOM],
)
def test_what_goes_in_comes_out_at_every_edge(length: int) -> None:
    content = secrets.token_bytes(length)
    data = sealed(content)
    assert opened(data) == content
    assert len(data) == files.sealed_length(length) == files.sealed_length(padded_length(length))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 90_000), max_size=6))
def test_it_does_not_matter_in_which_pieces_it_comes(sizes: list[int]) -> None:
    content = (LONG * 4)[: sum(sizes)]
    sealer = files.FileSealer(KEY, tip=TIP, number=0)
    data, at = sealer.header, 0
    for size in sizes:
        data += b"".join(sealer.add(content[at : at + size]))
        at += size
    data += b"".join(sealer.finish())
    assert opened(data) == content and len(data) == files.sealed_length(len(content))


def test_a_source_that_gives_little_at_a_time_is_read_to_its_end() -> None:
    class Dripping(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(size or 0, 1000))

    target = io.BytesIO()
    files.seal_file(Dripping(LONG), target, KEY, tip=TIP, number=0)
    assert b"".join(files.opened_blocks(Dripping(target.getvalue()), KEY, tip=TIP, number=0)) == LONG


def test_no_piece_is_held_longer_than_needed() -> None:
    sealer = files.FileSealer(KEY, tip=TIP, number=0)
    given_back = [[len(chunk) for chunk in sealer.add(bytes(ROOM))] for _ in range(4)]
    assert given_back == [[], [SEALED_CHUNK], [SEALED_CHUNK], [SEALED_CHUNK]]
    assert max(len(piece) for piece in sealer.finish()) <= SEALED_CHUNK


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data[:-1],
        lambda data: data[: 24 + 3 * SEALED_CHUNK],
        lambda data: data[: 24 + SEALED_CHUNK],
        lambda data: data[:24],
        lambda data: data[:23],
        lambda data: b"",
        lambda data: data + b"\0",
        lambda data: data + data,
        lambda data: data + data[24:],
        lambda data: data[:24] + data[24 + SEALED_CHUNK :],
        lambda data: data[:24] + data[24 + SEALED_CHUNK : 24 + 2 * SEALED_CHUNK] + data[24 : 24 + SEALED_CHUNK]
        + data[24 + 2 * SEALED_CHUNK :],
        lambda data: data[: 24 + SEALED_CHUNK] + data[24:],
        lambda data: data[: 24 + SEALED_CHUNK] + sealed(LONG)[24 + SEALED_CHUNK :],
        lambda data: sealed(LONG)[:24] + data[24:],
    ],
    ids=["a byte less", "no last chunk", "one chunk", "header only", "half a header", "nothing", "a byte more", "twice",
         "chunks twice", "no first chunk", "two swapped", "one repeated", "chunks of another file", "another's header"],
)  # fmt: skip
def test_what_was_cut_moved_or_added_is_refused(change: Callable[[bytes], bytes]) -> None:
    data = sealed(LONG)
    assert opened(data) == LONG
    with pytest.raises(Unopenable):
        opened(change(data))


def test_a_bit_turned_anywhere_is_refused() -> None:
    data = sealed(LONG)
    chunks = [24 + number * SEALED_CHUNK for number in range(4)]
    for place in [*range(24), *[at + by for at in chunks for by in (0, 1, 4, 5, 900)], len(data) - 1, len(data) - 17]:
        with pytest.raises(Unopenable):
            opened(flipped(data, place, place % 8))


def test_a_file_opens_only_in_its_own_place() -> None:
    data = sealed(LONG, number=1)
    assert opened(data, number=1) == LONG
    for key, tip, number in ((KEY, TIP, 0), (KEY, bytes(16), 1), (files.new_file_key(), TIP, 1), (b"short", TIP, 1)):
        with pytest.raises(Unopenable):
            opened(data, key, tip, number)


def test_a_files_key_opens_only_in_its_own_place() -> None:
    own = new_key_pair()
    box = files.seal_file_key(KEY, "fotoja e urës.jpg", tip=TIP, number=1, tip_public=own.public)
    assert files.open_file_key(box, tip=TIP, number=1, tip_key=own) == (KEY, "fotoja e urës.jpg")
    assert len(box) == OVERHEAD + 512
    for tip, number, key in ((TIP, 0, own), (bytes(16), 1, own), (TIP, 1, new_key_pair())):
        with pytest.raises(Unopenable):
            files.open_file_key(box, tip=tip, number=number, tip_key=key)
    with pytest.raises(ValueError):
        files.seal_file_key(b"short", "", tip=TIP, number=0, tip_public=own.public)


def framed(*chunks: tuple[int, bytes, int]) -> bytes:
    """Seal chunks as somebody would who has the key and keeps to no rule: count, bytes, tag."""
    state = bindings.crypto_secretstream_xchacha20poly1305_state()
    data = bindings.crypto_secretstream_xchacha20poly1305_init_push(state, KEY)
    bound: bytes | None = b"CBtf\x01" + bytes(4) + TIP
    for count, content, tag in chunks:
        plain = count.to_bytes(4, "big") + content
        data += bindings.crypto_secretstream_xchacha20poly1305_push(state, plain, bound, tag)
        bound = None
    return data


FULL = b"f" * ROOM


@pytest.mark.parametrize(
    "chunks",
    [
        [(4096, b"x" * 4095, 3)],
        [(3, b"abc", 3)],
        [(3, b"abc" + b"\0" * 4092 + b"x", 3)],
        [(3, b"abc".ljust(8192, b"\0"), 3)],
        [(3, b"abc".ljust(4096, b"\0"), 1)],
        [(3, b"abc".ljust(4096, b"\0"), 2)],
        [(3, b"abc".ljust(4096, b"\0"), 0), (0, b"\0" * 10, 3)],
        [(ROOM, FULL, 0), (0, b"", 3)],
        [(0, bytes(ROOM), 0), (ROOM, FULL, 3)],
        [(2**32 - 1, b"abc".ljust(4096, b"\0"), 3)],
        # The lengths are right in these: 66,531 and 66,532 bytes, filled up to 67,584.
        [(ROOM - 1, FULL[1:] + b"\0", 0), (1000, b"x" * 1000 + bytes(1052), 3)],
        [(ROOM, FULL, 1), (1000, b"x" * 1000 + bytes(1052), 3)],
        [(ROOM, FULL, 2), (1000, b"x" * 1000 + bytes(1052), 3)],
    ],
    ids=["more told than there", "not filled up", "filling with a word in it", "filled up too far", "push tag",
         "rekey tag", "short chunk in the middle", "empty chunk", "content after filling", "largest count",
         "a gap", "push tag in the middle", "rekey tag in the middle"],
)  # fmt: skip
def test_there_is_one_form_of_each_file(chunks: list[tuple[int, bytes, int]]) -> None:
    with pytest.raises(Unopenable):
        opened(framed(*chunks))


def test_the_one_form_is_taken() -> None:
    assert opened(framed((3, b"abc".ljust(4096, b"\0"), 3))) == b"abc"
    long = framed((ROOM, FULL, 0), (1000, b"x" * 1000 + bytes(1052), 3))
    assert opened(long) == FULL + b"x" * 1000


@pytest.mark.parametrize(("tip", "number"), [(b"", 0), (TIP, -1), (TIP, 2**32)])
def test_a_file_belongs_to_a_tip(tip: bytes, number: int) -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        files.FileSealer(KEY, tip=tip, number=number)
