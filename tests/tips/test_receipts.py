from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonbeat.tips import receipts, syllables
from commonbeat.tips.errors import Misspelt
from commonbeat.tips.keys import key_id
from tests.architecture.source import SOURCE
from tests.tips.vectors import VECTORS, pair

ONE = VECTORS["receipt"]
VALUES = st.lists(st.integers(0, 4095), min_size=7, max_size=7)


def spelt(values: list[int]) -> str:
    return "".join(map(syllables.word_of, [*values, syllables.check_of(values)]))


def test_is_spelt_and_derived_as_written_down() -> None:
    assert [syllables.word_of(w["value"]) for w in VECTORS["words"]] == [w["word"] for w in VECTORS["words"]]
    assert spelt(ONE["values"]) == ONE["letters"]
    assert receipts.show_receipt(ONE["letters"]) == ONE["shown"]
    assert receipts.look_up(ONE["letters"]).hex() == ONE["look_up"]
    assert receipts.source_pair(ONE["letters"]) == pair("source")
    stored = receipts.stored_look_up(bytes.fromhex(ONE["site_key"]), bytes.fromhex(ONE["look_up"]))
    assert stored.hex() == ONE["stored_look_up"]


@pytest.mark.parametrize("typed", ONE["typed"])
def test_reads_what_is_written_down(typed: str) -> None:
    assert receipts.read_receipt(typed) == ONE["letters"]


@pytest.mark.parametrize("one", ONE["misspelt"], ids=lambda one: one["typed"])
def test_tells_an_error_of_typing(one: dict[str, str | int | None]) -> None:
    with pytest.raises(Misspelt) as caught:
        receipts.read_receipt(str(one["typed"]))
    assert caught.value.word == one["word"]
    assert str(one["typed"]) not in str(caught.value)


def test_seven_words_of_chance_and_a_check() -> None:
    drawn = [receipts.new_receipt() for _ in range(50)]
    assert len(set(drawn)) == 50
    assert syllables.WORD_BITS * receipts.CHANCE_WORDS >= 80
    for receipt in drawn:
        assert re.fullmatch("([bdfghjklmnprstvz][aiou]){16}", receipt)
        assert receipts.read_receipt(receipts.show_receipt(receipt)) == receipt
        assert syllables.UNWANTED.isdisjoint(syllables.split(receipt))


def test_unwanted_words_are_drawn_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    unwanted = next(v for v in range(4096) if syllables.word_of(v) in syllables.UNWANTED)
    chances = iter([1, unwanted, 3, 4, 5, 6, 7, *[9] * 7])
    monkeypatch.setattr(syllables.secrets, "randbelow", lambda _: next(chances))
    assert receipts.new_receipt() == spelt([9] * 7)
    assert all(re.fullmatch("([bdfghjklmnprstvz][aiou]){2}", word) for word in syllables.UNWANTED)


@given(VALUES, st.sampled_from(["-", " ", "", " – ", "\n", ".", "‏-"]), st.booleans())
def test_forgives_how_it_is_typed(values: list[int], between: str, shouted: bool) -> None:
    receipt = spelt(values)
    typed = between.join(syllables.split(receipt))
    assert receipts.read_receipt(typed.upper() if shouted else typed) == receipt


@given(VALUES, st.data())
def test_look_alikes_are_read_by_their_place(values: list[int], data: st.DataObject) -> None:
    receipt = spelt(values)
    shapes = {"l": "lI1", "b": "b68", "g": "gq9", "s": "s5", "z": "z2", "v": "vuw", "k": "kc"}
    sounds = {"i": "iey1líjı", "o": "o0ö", "u": "uvü", "a": "a4â"}
    typed = "".join(
        data.draw(st.sampled_from((sounds if place % 2 else shapes).get(letter, letter)))
        for place, letter in enumerate(receipt)
    )
    assert receipts.read_receipt(typed) == receipt


@given(VALUES, st.integers(0, 7), st.integers(1, 4095))
def test_one_wrong_word_is_always_noticed(values: list[int], place: int, by: int) -> None:
    spoken = [*values, syllables.check_of(values)]
    spoken[place] = (spoken[place] + by) % 4096
    with pytest.raises(Misspelt):
        receipts.read_receipt("".join(map(syllables.word_of, spoken)))


@pytest.mark.parametrize(
    "typed", ["", "a", "babu", ONE["letters"] + "ba", "١" * 32, "x" * 100_000, "\0" * 32, "ﬁ" * 16]
)
def test_whatever_is_typed_is_a_receipt_or_misspelt(typed: str) -> None:
    with pytest.raises(Misspelt):
        receipts.read_receipt(typed)


@given(st.text())
def test_no_text_ends_in_another_error(typed: str) -> None:
    with pytest.raises(Misspelt):
        receipts.read_receipt(typed + "x")
    assert not receipts.is_word_of(ONE["letters"], typed + "x")


def test_one_of_its_words_is_typed_back() -> None:
    for typed in ("huho", " HUHO.", "huh0", "zuzu"):
        assert receipts.is_word_of(ONE["letters"], typed)
    for typed in ("", "huh", "huhoma", "abab", "bobo", "baba babi", "uhoh"):
        assert not receipts.is_word_of(ONE["letters"], typed)


def test_the_two_derivations_have_nothing_in_common() -> None:
    receipt = receipts.new_receipt()
    looked_up, own = receipts.look_up(receipt), receipts.source_pair(receipt)
    assert len({looked_up, own.public, own.private}) == 3
    assert looked_up[:16] != key_id(own.public)
    assert receipts.look_up(receipts.new_receipt()) != looked_up


def test_the_site_stores_another_thing_than_the_look_up() -> None:
    looked_up = receipts.look_up(receipts.new_receipt())
    assert receipts.stored_look_up(bytes(32), looked_up) not in (
        looked_up,
        receipts.stored_look_up(b"1" * 32, looked_up),
    )
    for site_key, wrong in ((b"short", looked_up), (bytes(32), b"short")):
        with pytest.raises(ValueError):
            receipts.stored_look_up(site_key, wrong)


def test_the_browser_avoids_the_same_words() -> None:
    script = (SOURCE / "web/static/tips/receipt.js").read_text("utf-8")
    listed = script.split("new Set(")[1].split(".split(")[0]
    assert set(re.findall(r"\b[a-z]{4}\b", listed)) == syllables.UNWANTED
