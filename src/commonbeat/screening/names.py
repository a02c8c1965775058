"""What looks like a personal name: after words that lead to one, and capitalised words that are no known place."""

import re
from collections.abc import Container, Iterator
from functools import lru_cache
from importlib import resources

from commonbeat.foundation.text import fold
from commonbeat.screening.findings import Finding

_CAPITAL = r"[A-ZÀ-ÖØ-ÞĀ-Ž][\w'’-]+"
_LATIN = re.compile(
    rf"""(?<!\w)
    (?: (?i:Mr|Mrs|Ms|Miss|Sir|Dr|Prof|Zoti|Zonja|Zotin|Zotit|Zonjën|Zonjës|Z|Znj)\.?
      | (?i:officer|sergeant|sgt|captain|polici|oficeri|komandanti|inspektori)
      | (?i:named|called|name\s+is|name's|quhet|quhej|emrin|emri\s+i\s+tij\s+është|i\s+quajtur|e\s+quajtur)
    )[\ ]
    (?P<name>{_CAPITAL}(?:[\ ]{_CAPITAL}){{0,2}})""",
    re.VERBOSE,
)
_ARABIC = re.compile(
    r"(?<!\w)[ولب]?(?:السيدة|السيد|الدكتورة|الدكتور|الأستاذة|الأستاذ|الضابط|الشرطي|اسمه|اسمها|يدعى|تدعى|المدعو|المدعوة|اسمي)\s+"
    r"(?P<name>[ء-ي]{3,}(?:\s+[ء-ي]{3,})?)"
)


_MY_NAME = re.compile(
    r"(?<!\w)(?i:I\s+am|I['’]m|Im|name\s+is|jam|quhem|emri\s+im\s+është)[ ]"
    rf"(?P<name>{_CAPITAL})"
)
# Words of one name: nothing but a space between them, an initial may be among them. Two letters make a word.
_RUN = re.compile(rf"(?<![\w'’]){_CAPITAL}(?:[ ]+(?:[A-Z]\.[ ]+)?{_CAPITAL})*(?!\w)")
_WORD = re.compile(_CAPITAL)
_LETTER = re.compile(r"[^\W\d_]")
# An everyday abbreviation in capitals ("PCR", "KEDS") is no name.
_SHORTEST_CAPITALS = 4


def find_names(text: str, known_places: Container[str] = frozenset()) -> list[Finding]:
    """Find names after a title or words such as "my name is", and two or more capitalised words in a row.

    known_places holds folded names ("mother teresa"); what it knows is no person.
    """
    found = [Finding("name", *match.span("name")) for pattern in (_LATIN, _ARABIC) for match in pattern.finditer(text)]
    found += [
        Finding("name", *match.span("name"))
        for match in _MY_NAME.finditer(text)
        if not is_common(match["name"]) and fold(match["name"]) not in known_places
    ]
    start = 0
    for line in text.split("\n"):
        for first, last in _runs(line, known_places):
            found.append(Finding("name", start + first, start + last))
        start += len(line) + 1
    return found


def _runs(line: str, known_places: Container[str]) -> Iterator[tuple[int, int]]:
    # Where all is written in capitals, they tell nothing.
    shouted = not any(letter.islower() for letter in _LETTER.findall(line))
    if shouted:
        return
    for run in _RUN.finditer(line):
        words = [(run.start() + w.start(), run.start() + w.end(), w.group()) for w in _WORD.finditer(run.group())]
        for part in _without_known(_parts(words), known_places):
            if len(part) >= 2 and not any(_folded(word) in _listed("place-words") for _s, _e, word in part):
                yield part[0][0], part[-1][1]


_Words = list[tuple[int, int, str]]


def _parts(words: _Words) -> Iterator[_Words]:
    """Cut a run at words that are in no name."""
    part: _Words = []
    for word in words:
        if is_common(word[2]) or (word[2].isupper() and len(word[2]) < _SHORTEST_CAPITALS):
            yield part
            part = []
        else:
            part.append(word)
    yield part


def _without_known(parts: Iterator[_Words], known_places: Container[str]) -> Iterator[_Words]:
    """Cut known places out, the longest first; what stays on either side may still be a name."""
    for part in parts:
        if len(part) < 2 or len(part) > 12:
            yield part
            continue
        for size in range(len(part), 0, -1):
            at = next(
                (
                    first
                    for first in range(len(part) - size + 1)
                    if fold(" ".join(word for _s, _e, word in part[first : first + size])) in known_places
                ),
                None,
            )
            # One word of a longer name may also be a village's: "Arben Krusha" stays whole.
            if at is not None and (size > 1 or len(part) == 1):
                yield part[:at]
                yield part[at + size :]
                break
        else:
            yield part


def is_common(word: str) -> bool:
    """Tell whether a word is an everyday one, in no name although it may have a capital."""
    return _folded(word) in _listed("common-words")


@lru_cache(maxsize=20_000)
def _folded(word: str) -> str:
    return fold(word.replace("’", "'").removesuffix("'s")).replace(" ", "")


@lru_cache(maxsize=2)
def _listed(name: str) -> frozenset[str]:
    file = resources.files("commonbeat.screening") / "lexicon" / f"{name}.txt"
    lines = file.read_text("utf-8").splitlines()
    return frozenset(_folded(word) for line in lines if not line.startswith("#") for word in line.split())
