from __future__ import annotations

import nacl.bindings
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonbeat.tips import padding
from commonbeat.tips.errors import TooLong, Unopenable
from tests.tips.vectors import VECTORS


@given(st.binary(max_size=3000))
def test_only_size_classes_come_out(plain: bytes) -> None:
    padded = padding.pad(plain)
    assert len(padded) in padding.SIZE_CLASSES
    assert padding.unpad(padded) == plain
    # The same as libsodium's own, which the browser has.
    assert padded == nacl.bindings.sodium_pad(plain, len(padded))


@pytest.mark.parametrize("one", VECTORS["padding"], ids=lambda one: one["length"])
def test_pads_as_written_down(one: dict[str, int]) -> None:
    padded = padding.pad(b"x" * one["length"])
    assert len(padded) == one["padded"]
    assert padding.unpad(padded) == b"x" * one["length"]


def test_the_longest_text_fits_and_one_byte_more_does_not() -> None:
    assert len(padding.pad(b"x" * padding.LONGEST_TEXT)) == padding.SIZE_CLASSES[-1]
    with pytest.raises(TooLong):
        padding.pad(b"x" * (padding.LONGEST_TEXT + 1))


@pytest.mark.parametrize(
    "padded",
    [
        b"",
        bytes(512),
        b"x" * 512,
        b"x\x80".ljust(511, b"\0"),
        b"x\x80".ljust(1024, b"\0"),
        b"x\x80".ljust(2048, b"\0"),
        b"x\x81".ljust(512, b"\0"),
    ],
    ids=["empty", "zeros", "no mark", "short", "no class", "not the smallest class", "another mark"],
)
def test_there_is_one_form_of_each(padded: bytes) -> None:
    with pytest.raises(Unopenable):
        padding.unpad(padded)


@pytest.mark.parametrize(("length", "padded"), VECTORS["padded_lengths"])
def test_files_pad_as_written_down(length: int, padded: int) -> None:
    assert padding.padded_length(length) == padded


@given(st.integers(0, 2**50))
def test_a_file_grows_by_a_sixteenth_at_most(length: int) -> None:
    padded = padding.padded_length(length)
    assert padded == padding.padded_length(padded) >= length
    assert padded == padding.LEAST_FILE or (padded - length) / length <= 1 / 16


def test_few_lengths_are_seen() -> None:
    assert len({padding.padded_length(length) for length in range(4096, 65_537)}) == 65
