from __future__ import annotations

import hashlib

import pytest

from commonbeat.tips import keys
from tests.tips.vectors import VECTORS


@pytest.mark.parametrize("one", VECTORS["derive"], ids=lambda one: one["label"])
def test_derives_as_written_down(one: dict[str, str]) -> None:
    secret = bytes.fromhex(one["secret"])
    assert keys.derive(one["label"], secret).hex() == one["derived"]
    # As libsodium's crypto_generichash does with a key of 32 bytes.
    key = one["label"].encode() + bytes(32 - len(one["label"]))
    assert hashlib.blake2b(secret, key=key, digest_size=32).hexdigest() == one["derived"]


def test_seeds_and_key_ids_are_as_written_down() -> None:
    for one in VECTORS["seeds"]:
        found = keys.pair_from_seed(bytes.fromhex(one["seed"]))
        assert (found.public.hex(), found.private.hex()) == (one["public"], one["private"])
        assert keys.pair_of(found.private) == found
    for one in VECTORS["key_ids"]:
        assert keys.key_id(bytes.fromhex(one["public"])).hex() == one["key_id"]


def test_a_label_is_short_and_not_empty() -> None:
    for label in ("", "x" * 33):
        with pytest.raises(ValueError):
            keys.derive(label, b"secret")


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_private_key_has_its_length(size: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        keys.pair_of(bytes(size))


def test_a_private_key_is_not_shown() -> None:
    pair = keys.new_key_pair()
    assert repr(pair.private) not in repr(pair)
    assert keys.new_key_pair() != pair
