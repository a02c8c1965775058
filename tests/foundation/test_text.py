import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonbeat.foundation import text as t


def test_clean_text_keeps_words_and_drops_what_hides() -> None:
    assert t.clean_text("  a\x00b\x07\r\nc\u202ed\u2066e\ufeff  \n", 100) == "ab\ncde"
    assert t.clean_text("a\tb\u2028c", 100) == "a b\nc"
    assert t.clean_text("th\u00adi\u200bef", 100) == "thief"
    assert t.clean_text("e\u0308", 100) == "ë"
    assert t.clean_text("x\ud800y", 100) == "xy"
    assert t.clean_text("می\u200cروم", 100) == "می\u200cروم"
    assert t.clean_text("a\n\n\n\n\n\nb", 100) == "a\n\n\nb"


def test_clean_text_cuts_between_graphemes() -> None:
    assert t.clean_text("abcde", 3) == "abc"
    assert t.clean_text("ab👨‍👩‍👧", 4) == "ab"
    assert t.clean_text("ab👍🏽", 3) == "ab"
    assert t.clean_text("كتِب", 3) == "كتِ"
    assert t.clean_text("كتِب", 2) == "ك"


@given(st.text(max_size=200), st.integers(1, 100))
def test_clean_text_is_bounded_encodable_and_settled(raw: str, limit: int) -> None:
    clean = t.clean_text(raw, limit)
    assert len(clean) <= limit
    clean.encode()
    assert "\x00" not in clean
    assert t.clean_text(clean, limit) == clean


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("Prizren", "PRIZREN"),
        ("Gjakovë", "gjakove"),
        ("Ulqin/Ulcinj", "ulqin ulcinj"),
        ("مُغْتَصِب", "مغتصب"),
        ("إسلام", "اسلام"),
        ("مدرسة", "مدرسه"),
        ("مـــدرسة", "مدرسة"),
        ("Приштина", "Prishtina"),
        ("  Main   Street, 5! ", "main street 5"),
        ("Ｆｕｌｌ", "full"),
    ],
)
def test_fold_brings_spellings_together(a: str, b: str) -> None:
    assert t.fold(a) == t.fold(b)


@given(st.text(max_size=100))
def test_fold_is_plain_and_settled(text: str) -> None:
    folded = t.fold(text)
    assert folded.isascii()
    assert folded == folded.strip()
    assert "  " not in folded
    assert t.fold(folded) == folded


def test_to_gsm7_only_where_nothing_is_lost() -> None:
    assert t.to_gsm7("“It’s”\u00a0– here…") == '"It\'s" - here...'
    assert t.to_gsm7("Përshëndetje – këtu…") == "Përshëndetje – këtu…"
    assert t.to_gsm7("مرحبا…") == "مرحبا…"


@pytest.mark.parametrize(
    ("text", "encoding", "units", "parts"),
    [
        ("", "GSM-7", 0, 0),
        ("a" * 160, "GSM-7", 160, 1),
        ("a" * 161, "GSM-7", 161, 2),
        ("a" * 306, "GSM-7", 306, 2),
        ("a" * 307, "GSM-7", 307, 3),
        ("€" * 80, "GSM-7", 160, 1),
        ("€" * 81, "GSM-7", 162, 2),
        ("€" * 152, "GSM-7", 304, 2),
        ("€" * 153, "GSM-7", 306, 3),
        ("[]{}\\^~|", "GSM-7", 16, 1),
        ("ë" * 70, "UCS-2", 70, 1),
        ("ë" * 71, "UCS-2", 71, 2),
        ("ë" * 134, "UCS-2", 134, 2),
        ("ë" * 135, "UCS-2", 135, 3),
        ("😀" * 35, "UCS-2", 70, 1),
        ("😀" * 36, "UCS-2", 72, 2),
        ("😀" * 67, "UCS-2", 134, 3),
    ],
)
def test_segments(text: str, encoding: str, units: int, parts: int) -> None:
    assert t.segments(text) == t.Segments(encoding, units, parts)  # type: ignore[arg-type]


def test_excerpt_cuts_at_a_word() -> None:
    assert t.excerpt("one two\nthree four", 12) == "one two…"
    assert t.excerpt("short", 12) == "short"
    assert t.excerpt("x" * 50, 10) == "x" * 9 + "…"


@given(st.text(max_size=200), st.integers(1, 50))
def test_excerpt_is_bounded(text: str, n: int) -> None:
    assert len(t.excerpt(text, n)) <= n


def test_jaccard() -> None:
    assert t.jaccard("the lamp is broken", "The lamp is BROKEN!") == 1.0
    assert t.jaccard("the lamp is broken", "a dog ran off") == 0.0
    assert t.jaccard("", "") == 0.0
    assert t.jaccard("a b c", "a b d") == pytest.approx(1 / 3)
    assert t.jaccard(t.shingles("a b c"), "a b d") == pytest.approx(1 / 3)


def test_html_unescape_twice() -> None:
    assert t.html_unescape_twice("caf&amp;#233; &lt;b&gt;") == "café <b>"
