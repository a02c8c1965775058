"""Take what must not be read out of a text, leave marks such as [name 1] in its place, and put it back later."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import NamedTuple

from commonbeat.foundation.text import ascii_digits, fold
from commonbeat.screening.findings import Finding, Kind
from commonbeat.screening.names import is_common

# "accusation" is not among them: what somebody did has to be read to be translated, by whom is taken out as a name.
_WORDS: dict[Kind, str] = {
    "name": "name",
    "phone": "number",
    "plate": "plate",
    "email": "address",
    "link": "link",
    "place": "place",
}
HIDDEN = "hidden"
_MARK = re.compile(rf"\[\s*({'|'.join([*_WORDS.values(), HIDDEN])})\s*(\d{{0,3}})\s*\]", re.IGNORECASE)
_CAPITAL = re.compile(r"(?<![\w'’])[A-ZÀ-ÖØ-ÞĀ-Ž][\w'’-]+")
# What may stand before the first word of a sentence.
_OPENING = re.compile(r"(?:^|[.!?…:\n])[\s\"'“”«»„(\[*–—-]*$")
_LETTER = re.compile(r"[^\W\d_]")


class Mark(NamedTuple):
    """Where the original has what a mark stands for; `label` is the mark as it is written, "[name 2]"."""

    start: int
    end: int
    label: str


class Piece(NamedTuple):
    """A stretch of a text; `is_mark` tells what stood, or stands, for a mark."""

    text: str
    is_mark: bool


def marks_in(
    text: str, findings: Iterable[Finding], *, known_places: Container[str] = frozenset(), also: Sequence[str] = ()
) -> list[Mark]:
    """Choose what to take out of a text: findings but accusations, lone capitalised words, and the words of `also`.

    Stricter than the gate for public texts, for strangers read it: one capitalised word within a sentence is taken for
    a name unless it is an everyday word or a known place. The same words get the same number.
    """
    found = list(findings)
    spans = [(f.start, f.end, _WORDS[f.kind]) for f in found if f.kind in _WORDS]
    accusing = [(f.start, f.end) for f in found if f.kind == "accusation"]
    spans += [(start, end, _WORDS["name"]) for start, end in _lone_names(text, accusing, known_places)]
    spans += [(start, end, HIDDEN) for words in also for start, end in _places_of(text, words)]
    return _numbered(text, _apart(spans))


def not_in(text: str, also: Sequence[str]) -> list[str]:
    """Give the words of `also` that hide nothing of a text."""
    return [words for words in also if not any(True for _span in _places_of(text, words))]


def masked(text: str, marks: Sequence[Mark]) -> str:
    """Write the marks in place of what they stand for."""
    pieces: list[str] = []
    position = 0
    for start, end, label in marks:
        pieces += [text[position:start], label]
        position = end
    return "".join([*pieces, text[position:]])


def labels_of(text: str) -> list[str]:
    """Give the marks that a text has, each once, as they are written."""
    return list(dict.fromkeys(_label(match) for match in _MARK.finditer(ascii_digits(text))))


def pieces(text: str, words: Mapping[str, str]) -> list[Piece]:
    """Cut a text at its marks, and say the words behind each; a mark without words stays as it is."""
    found: list[Piece] = []
    position = 0
    for match in _MARK.finditer(ascii_digits(text)):
        if match.start() > position:
            found.append(Piece(text[position : match.start()], False))
        found.append(Piece(words.get(_label(match), text[match.start() : match.end()]), True))
        position = match.end()
    if position < len(text):
        found.append(Piece(text[position:], False))
    return found


def _label(match: re.Match[str]) -> str:
    number = int(match[2]) if match[2] else 0
    return f"[{match[1].lower()} {number}]" if number else f"[{match[1].lower()}]"


def _lone_names(
    text: str, accusing: Sequence[tuple[int, int]], known_places: Container[str]
) -> Iterable[tuple[int, int]]:
    # Where all is written in capitals, they tell nothing.
    if not any(letter.islower() for letter in _LETTER.findall(text)):
        return
    for match in _CAPITAL.finditer(text):
        word = match.group()
        # In "Besnik stole it" the first word of the sentence is whom the text accuses.
        begins = _OPENING.search(text, max(0, match.start() - 12), match.start()) or match.start() == 0
        if begins and not any(start <= match.start() < end for start, end in accusing):
            continue
        if is_common(word) or fold(word) in known_places or (word.isupper() and len(word) <= 3):
            continue
        yield match.span()


def _places_of(text: str, words: str) -> Iterable[tuple[int, int]]:
    wanted = words.strip()
    # One letter would take out half of the text.
    if len(wanted) < 2:
        return
    # With whatever ending: Albanian and Arabic bend names, and half a name left over is a name.
    for match in re.finditer(rf"{re.escape(wanted)}\w*", text, re.IGNORECASE):
        yield match.span()


def _apart(spans: Iterable[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Join what overlaps, under the word of the longest."""
    joined: list[tuple[int, int, str, int]] = []
    for start, end, word in sorted(span for span in spans if span[0] < span[1]):
        if joined and start < joined[-1][1]:
            first, last, before, length = joined[-1]
            longest = max((length, before), (end - start, word), key=lambda one: one[0])
            joined[-1] = (first, max(last, end), longest[1], longest[0])
        else:
            joined.append((start, end, word, end - start))
    return [(start, end, word) for start, end, word, _length in joined]


def _numbered(text: str, spans: Sequence[tuple[int, int, str]]) -> list[Mark]:
    numbers: dict[str, dict[str, int]] = {}
    for start, end, word in spans:
        of_word = numbers.setdefault(word, {})
        of_word.setdefault(_key(text[start:end]), len(of_word) + 1)
    return [
        Mark(start, end, f"[{word} {numbers[word][_key(text[start:end])]}]" if len(numbers[word]) > 1 else f"[{word}]")
        for start, end, word in spans
    ]


def _key(words: str) -> str:
    return fold(words) or words
