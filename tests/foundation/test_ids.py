import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonbeat.foundation import ids

REFERENCES = [ids.new_reference() for _ in range(200)]


def test_references_are_mixed_and_have_no_look_alikes() -> None:
    for reference in REFERENCES:
        assert len(reference) == 10
        assert not set(reference) & set("0O1IL")
        assert any(c.isdigit() for c in reference)
        assert any(c.isalpha() for c in reference)
        assert ids.parse_reference(reference) == reference
    assert len(set(REFERENCES)) == len(REFERENCES)


def test_formats_in_three_groups() -> None:
    assert ids.format_reference("KX7M4QXP2R") == "KX7M-4QXP-2R"


# The references differ on each run; two test processes must name the tests alike.
@pytest.mark.parametrize("reference", REFERENCES[:20], ids=range(20))
def test_forgives_how_it_is_typed(reference: str) -> None:
    shown = ids.format_reference(reference)
    arabic = shown.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
    for typed in (shown, shown.lower(), f" {shown} ", shown.replace("-", " "), shown.replace("-", "–"), arabic):
        assert ids.parse_reference(typed) == reference
        assert ids.find_reference(f"STATUS {typed}, please") == reference
    assert ids.parse_reference("\u200f" + shown) == reference


@given(st.integers(0, 199), st.integers(0, 9), st.sampled_from(ids.ALPHABET))
def test_one_wrong_character_is_noticed(which: int, position: int, character: str) -> None:
    reference = REFERENCES[which]
    typed = reference[:position] + character + reference[position + 1 :]
    assert ids.parse_reference(typed) == (reference if typed == reference else None)


@given(st.integers(0, 199), st.integers(0, 8))
def test_swapped_neighbours_are_noticed(which: int, position: int) -> None:
    reference = REFERENCES[which]
    a, b = reference[position], reference[position + 1]
    typed = reference[:position] + b + a + reference[position + 2 :]
    assert ids.parse_reference(typed) == (reference if a == b else None)


def test_look_alikes_are_read_as_the_letter_that_fits() -> None:
    reference = next(r for r in iter(ids.new_reference, None) if r.count("Q") == 1 and "D" not in r)
    assert ids.parse_reference(reference.replace("Q", "0")) == reference
    assert ids.parse_reference(reference.replace("Q", "o")) == reference


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "my number is 0441234567",
        "+38344123456",
        "everything is broken here since then",
        "2345678923",
        "A" * 5000,
    ],
)
def test_ordinary_messages_hold_no_reference(text: str) -> None:
    assert ids.find_reference(text) is None


@given(st.text(alphabet=string.printable + "٠١٢éА\u200f", max_size=200))
def test_any_text_is_read_without_error(text: str) -> None:
    for found in (ids.find_reference(text), ids.parse_reference(text)):
        assert found is None or ids.parse_reference(found) == found


def test_tokens_and_keys_are_long_and_differ() -> None:
    assert ids.new_token() != ids.new_token()
    assert len(ids.new_token()) == 22
    assert len(ids.random_key()) == 32
