"""What strangers read of a text, and how the words come back."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonbeat.screening.findings import Finding
from commonbeat.screening.masking import labels_of, marks_in, masked, pieces
from commonbeat.screening.screen import screen

PLACES = frozenset({"prizren"})


def read(text: str, *also: str) -> str:
    """Give a text as a stranger reads it."""
    findings = screen(text, region="XK", languages=("en", "sq", "ar"), known_places=PLACES).findings
    return masked(text, marks_in(text, findings, known_places=PLACES, also=also))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Call 044 123 456 please", "Call [number] please"),
        ("Write to a.b@example.org or www.example.org", "Write to [address] or [link]"),
        ("The car 01-234-AB drove off", "The car [plate] drove off"),
        ("He lives in Rruga e Re 12.", "He lives in [place]."),
        ("It was Arben Hoxha and then Arben Hoxha again", "It was [name] and then [name] again"),
        ("It was Arben Hoxha and Liri Krasniqi", "It was [name 1] and [name 2]"),
        # What a public text may keep, a stranger may not: one capital within a sentence, and whoever is accused.
        ("I saw that Besnik took it", "I saw that [name] took it"),
        ("Besnik stole my bike", "[name] stole my bike"),
        ("Mua më vodhi Besniku biçikletën", "Mua më vodhi [name] biçikletën"),
        ("اسمه أحمد علي وسرق دراجتي. رقمي 044123456", "اسمه [name] وسرق دراجتي. رقمي [number]"),
        # Neither a known place, nor a day, nor the first word of a sentence is a name.
        ("Near Prizren on Monday. Water is dirty.", "Near Prizren on Monday. Water is dirty."),
        ("Dy llamba.\n\nNë mbrëmje nuk shihet.", "Dy llamba.\n\nNë mbrëmje nuk shihet."),
        # The thief is to be translated; who it is is not.
        ("He is a thief", "He is a thief"),
    ],
)  # fmt: skip
def test_what_strangers_read(text: str, expected: str) -> None:
    assert read(text) == expected


def test_words_that_screening_missed_are_hidden_with_their_endings() -> None:
    assert (
        read("the baker's boy, the boys of the mill", "boy", "MILL")
        == "the baker's [hidden 1], the [hidden 2] of the [hidden 3]"
    )
    assert read("one letter only", "o", " ") == "one letter only"
    assert read("قال جارنا سمير ذلك", "سمير") == "قال جارنا [hidden] ذلك"


def test_words_come_back_where_their_marks_stand() -> None:
    text = "It was Arben Hoxha, 044 123 456, and Liri Krasniqi."
    marks = marks_in(text, screen(text, region="XK", languages=("en",)).findings)
    words = {label: text[start:end] for start, end, label in marks}
    given = "كان [name 2] و [ NAME ١ ] و[number] و[plate]."
    assert labels_of(given) == ["[name 2]", "[name 1]", "[number]", "[plate]"]
    found = pieces(given, words)
    assert "".join(piece.text for piece in found) == "كان Liri Krasniqi و Arben Hoxha و044 123 456 و[plate]."
    assert [piece.text for piece in found if piece.is_mark][-1] == "[plate]"


@given(st.text(max_size=80), st.lists(st.tuples(st.integers(0, 80), st.integers(0, 80))))
def test_whatever_overlaps_the_original_can_be_put_together_again(text: str, spans: list[tuple[int, int]]) -> None:
    findings = [Finding("name", min(a, len(text)), min(max(a, b), len(text))) for a, b in spans]
    marks = marks_in(text, findings)
    assert all(first.end <= second.start for first, second in pairwise(marks))
    # Nothing of what was found is left.
    rest = masked(text, [mark._replace(label="") for mark in marks])
    assert len(rest) == len(text) - sum(mark.end - mark.start for mark in marks)
    position, whole = 0, ""
    for mark in marks:
        whole += text[position : mark.start] + text[mark.start : mark.end]
        position = mark.end
    assert whole + text[position:] == text
