"""A box opens with one key, under one label, unchanged; everything else is the same Unopenable."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.bindings import crypto_box_seal

from commonbeat.tips.envelope import HEADER_BYTES, OVERHEAD, VERSION, Label, Purpose, seal, unseal
from commonbeat.tips.errors import Unopenable
from commonbeat.tips.keys import new_key_pair
from tests.tips.vectors import VECTORS, flipped, pair

OWN = new_key_pair()
LABEL = Label(Purpose.TEXT_TO_DESK, b"t" * 16, b"r" * 16, 7)
SECRET = b"Nobody may read this."


@pytest.mark.parametrize("one", VECTORS["boxes"], ids=lambda one: one["name"])
def test_opens_what_is_written_down(one: dict[str, str | int]) -> None:
    subject, recipient = (bytes.fromhex(str(one[name])) for name in ("subject", "recipient"))
    label = Label(Purpose(int(one["purpose"])), subject, recipient, int(one["number"]))
    assert unseal(label, bytes.fromhex(str(one["box"])), pair(str(one["opened_by"]))).hex() == one["body"]


def test_the_bytes_are_where_they_are_said_to_be() -> None:
    assert LABEL.header() == b"CBtp\x01\x01\x00\x00\x00\x07" + b"t" * 16 + b"r" * 16
    box = seal(LABEL, SECRET, OWN.public)
    assert (HEADER_BYTES, OVERHEAD, len(box)) == (42, 91, 91 + len(SECRET))
    assert box[0] == VERSION and SECRET not in box


@given(
    st.binary(max_size=300), st.sampled_from(Purpose), st.binary(min_size=16, max_size=16), st.integers(0, 2**32 - 1)
)
def test_what_goes_in_comes_out(body: bytes, purpose: Purpose, subject: bytes, number: int) -> None:
    label = Label(purpose, subject, b"r" * 16, number)
    assert unseal(label, seal(label, body, OWN.public), OWN) == body


def test_two_boxes_of_the_same_are_unlike() -> None:
    assert seal(LABEL, SECRET, OWN.public) != seal(LABEL, SECRET, OWN.public)


def test_every_bit_counts() -> None:
    box = seal(LABEL, SECRET, OWN.public)
    for place in range(len(box)):
        for bit in range(8):
            # X25519 ignores the top bit of a point, but it is part of what the nonce is made of.
            with pytest.raises(Unopenable):
                unseal(LABEL, flipped(box, place, bit), OWN)


def test_every_byte_counts() -> None:
    box = seal(LABEL, SECRET, OWN.public)
    for size in range(len(box)):
        with pytest.raises(Unopenable):
            unseal(LABEL, box[:size], OWN)
    for other in (box + b"\0", b"\0" + box, box + box):
        with pytest.raises(Unopenable):
            unseal(LABEL, other, OWN)


@pytest.mark.parametrize(
    "changed",
    [{"purpose": purpose} for purpose in Purpose if purpose != LABEL.purpose]
    + [{"subject": b"u" * 16}, {"recipient": b"s" * 16}, {"number": 8}],
    ids=str,
)
def test_a_box_opens_only_in_its_own_place(changed: dict[str, object]) -> None:
    box = seal(LABEL, SECRET, OWN.public)
    with pytest.raises(Unopenable):
        unseal(dataclasses.replace(LABEL, **changed), box, OWN)  # type: ignore[arg-type]


def test_another_key_opens_nothing() -> None:
    with pytest.raises(Unopenable):
        unseal(LABEL, seal(LABEL, SECRET, OWN.public), new_key_pair())


@pytest.mark.parametrize("place", range(6), ids=["C", "B", "t", "p", "version", "purpose"])
def test_another_magic_or_version_inside_is_refused(place: int) -> None:
    other = flipped(LABEL.header(), place)
    with pytest.raises(Unopenable):
        unseal(LABEL, bytes([VERSION]) + crypto_box_seal(other + SECRET, OWN.public), OWN)


def test_another_version_outside_is_refused() -> None:
    box = seal(LABEL, SECRET, OWN.public)
    with pytest.raises(Unopenable):
        unseal(LABEL, bytes([VERSION + 1]) + box[1:], OWN)


def test_a_box_too_small_for_a_header_is_refused() -> None:
    with pytest.raises(Unopenable):
        unseal(LABEL, bytes([VERSION]) + crypto_box_seal(LABEL.header()[:41], OWN.public), OWN)


def test_what_is_said_of_it_tells_nothing() -> None:
    seen = set()
    for box in (b"", flipped(seal(LABEL, SECRET, OWN.public), 60), seal(LABEL, SECRET, new_key_pair().public)):
        with pytest.raises(Unopenable) as caught:
            unseal(LABEL, box, OWN)
        seen.add(str(caught.value))
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None or caught.value.__suppress_context__
    assert seen == {"this cannot be opened"}


@pytest.mark.parametrize("wrong", [(b"", b"r" * 16, 0), (b"t" * 16, b"r" * 17, 0), (b"t" * 16, b"r" * 16, -1)])
def test_a_label_has_ids_and_a_number(wrong: tuple[bytes, bytes, int]) -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        Label(Purpose.FILE_KEY, *wrong)
