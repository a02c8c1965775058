"""What people write: cleaned, folded for matching, measured for SMS."""

import html
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Literal

from anyascii import anyascii

_DIGITS = {ord(c): str(i % 10) for i, c in enumerate("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹")} | {0xFF10 + i: str(i) for i in range(10)}

# Control characters that stay: newline only. Format characters that stay: the joiners that scripts and emoji
# need and the harmless direction marks. Embeddings, overrides and isolates reorder what a reader sees
# (CVE-2021-42574); soft hyphens and zero-width spaces would hide words from screening.
_KEPT_FORMAT = frozenset("\u200c\u200d\u200e\u200f\u061c")
_NEWLINES = re.compile(r"\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_TRAILING = re.compile(r"[^\S\n]+(?=\n|\Z)")
_MANY_NEWLINES = re.compile(r"\n{4,}")
_SPACES = re.compile(r"\s+")
_JOINER = "\u200d"

# Arabic is matched without vowel signs and lengthening, and with one form of alef, yeh and teh marbuta.
_ARABIC_MARKS = re.compile("[\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed]")
_ARABIC_FORMS = str.maketrans("أإآٱىئؤةکیگپچ", "ااااييوهكيكبج")
_NOT_WORD = re.compile(r"[^0-9a-z]+")

_GSM7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM7_EXTENSION = frozenset("\f^{}\\[~]|€")
_TO_GSM7 = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′ʼʻ`´", "'"),
        **dict.fromkeys("“”„‟″«»", '"'),
        **dict.fromkeys("‐‑‒–—―−", "-"),
        **dict.fromkeys(
            "\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000\t", " "
        ),
        **dict.fromkeys("\u00ad\u200b\u200c\u200d\u2060\ufeff\u200e\u200f\u061c", ""),
        "…": "...",
        "•": "-",
        "·": "-",
    }
)


@dataclass(frozen=True, slots=True)
class Segments:
    """How a text travels by SMS: `units` are septets of GSM-7 or 16-bit units of UCS-2."""

    encoding: Literal["GSM-7", "UCS-2"]
    units: int
    parts: int


def ascii_digits(text: str) -> str:
    """Return a text with Arabic-Indic, Persian and full-width digits as 0 to 9, position for position."""
    return text.translate(_DIGITS)


def clean_text(raw: str, limit: int) -> str:
    """Return a text fit for storing: NFC, no control or reordering characters, trimmed, at most `limit` long.

    A cut never parts a letter from its marks or an emoji from its joined rest.
    """
    # Three times the limit is ample for what cleaning removes, and bounds the work on oversized input.
    text = unicodedata.normalize("NFC", _NEWLINES.sub("\n", raw[: 3 * limit + 1000])).replace("\t", " ")
    if not text.isprintable():
        text = "".join(character for character in text if _is_kept(character))
    text = _MANY_NEWLINES.sub("\n\n\n", _TRAILING.sub("", text)).strip()
    if len(text) <= limit:
        return text
    end = limit
    while end > 0 and _continues(text, end):
        end -= 1
    return text[: end or limit].rstrip()


def fold(text: str) -> str:
    """Return a text for matching across scripts and spellings: ASCII, lower case, words parted by one space."""
    if text.isascii():
        return _NOT_WORD.sub(" ", text.lower()).strip()
    plain = plain_arabic(unicodedata.normalize("NFKC", text).casefold())
    return _NOT_WORD.sub(" ", anyascii(plain).lower().replace("'", "")).strip()


def plain_arabic(text: str) -> str:
    """Return a text without Arabic vowel signs and lengthening, each letter in one form."""
    return _ARABIC_MARKS.sub("", text).translate(_ARABIC_FORMS)


def to_gsm7(text: str) -> str:
    """Return a text with typographic quotes, dashes, spaces and dots in their GSM-7 form.

    Nothing is lost by it; a text that needs UCS-2 anyway keeps its invisible joiners.
    """
    plain = unicodedata.normalize("NFC", text).translate(_TO_GSM7)
    if all(character in _GSM7 or character in _GSM7_EXTENSION for character in plain):
        return plain
    return text


def segments(text: str) -> Segments:
    """Measure a text as SMS: 160 or 153 septets a part, or 70 or 67 units of 16 bits."""
    if all(character in _GSM7 or character in _GSM7_EXTENSION for character in text):
        sizes = [2 if character in _GSM7_EXTENSION else 1 for character in text]
        return _pack("GSM-7", sizes, single=160, joined=153)
    return _pack("UCS-2", [2 if ord(character) > 0xFFFF else 1 for character in text], single=70, joined=67)


def html_unescape_twice(text: str) -> str:
    """Return a text without HTML entities, also where an export escaped it twice (&amp;#233;)."""
    return html.unescape(html.unescape(text))


def excerpt(text: str, n: int) -> str:
    """Return the first words of a text on one line, at most n characters with the ellipsis."""
    line = _SPACES.sub(" ", text[: 8 * n + 100]).strip()
    if len(line) <= n:
        return line
    end = max(n - 1, 0)
    space = line.rfind(" ", end // 2, end + 1)
    if space > 0:
        end = space
    while end > 0 and _continues(line, end):
        end -= 1
    return line[:end].rstrip(" ,;:.-") + "…"


def shingles(text: str) -> frozenset[str]:
    """Return the pairs of neighbouring folded words of a text; one word stands alone."""
    return _shingles(text[:10_000])


def jaccard(a: str | frozenset[str], b: str | frozenset[str]) -> float:
    """Return how alike two texts, or their shingles, are: 0.0 to 1.0; nothing is unlike everything."""
    left = shingles(a) if isinstance(a, str) else a
    right = shingles(b) if isinstance(b, str) else b
    if not left or not right:
        return 0.0
    both = len(left & right)
    return both / (len(left) + len(right) - both)


@lru_cache(maxsize=4096)
def _shingles(text: str) -> frozenset[str]:
    words = fold(text).split()
    if len(words) < 2:
        return frozenset(words)
    return frozenset(f"{first} {second}" for first, second in pairwise(words))


def _is_kept(character: str) -> bool:
    if character == "\n" or character in _KEPT_FORMAT:
        return True
    category = unicodedata.category(character)
    if category == "Cn":
        # Letters of a newer Unicode pass; the non-characters U+xxFFFE, U+xxFFFF and U+FDD0..FDEF do not.
        return ord(character) & 0xFFFE != 0xFFFE and not 0xFDD0 <= ord(character) <= 0xFDEF
    return category not in ("Cc", "Cf", "Cs")


def _continues(text: str, index: int) -> bool:
    here, before = text[index], text[index - 1]
    return (
        before == _JOINER
        or here == _JOINER
        or unicodedata.category(here) in ("Mn", "Me", "Mc")
        or 0x1F3FB <= ord(here) <= 0x1F3FF
    )


def _pack(encoding: Literal["GSM-7", "UCS-2"], sizes: list[int], *, single: int, joined: int) -> Segments:
    units = sum(sizes)
    if units <= single:
        return Segments(encoding, units, 1 if units else 0)
    # An escape pair or a surrogate pair may not be parted, so the last place of a part can stay empty.
    parts, used = 1, 0
    for size in sizes:
        if used + size > joined:
            parts, used = parts + 1, 0
        used += size
    return Segments(encoding, units, parts)
