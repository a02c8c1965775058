"""Lay out a line of text for a drawing: letters in the order in which they stand, Arabic ones joined.

Pillow does both only where it finds the system's FriBiDi, which its wheels do not bring and small images lack; a
picture must not depend on that. Unicode's own tables hold every joined form of Arabic (blocks FB50 and FE70).
"""

from __future__ import annotations

import unicodedata
from functools import cache, lru_cache
from itertools import groupby
from typing import NamedTuple

_LAM, _ALEFS = "ل", "اآأإ"
_JOINER, _NON_JOINER, _TATWEEL = "\u200d", "\u200c", "ـ"
_MIRRORED = dict(zip("()[]{}<>«»‹›", ")(][}{><»«›‹", strict=True))
# Vowel signs stand above and below letters, which takes more than a table. Names on maps are written without them.
_SIGNS = frozenset([*map(chr, range(0x64B, 0x660)), "\u0670", *map(chr, range(0x6D6, 0x6DD))])
# Kinds of characters, as Unicode Annex 9 names them, that tell nothing of a direction.
_NEUTRAL = frozenset({"B", "S", "WS", "ON"})
_DROPPED = frozenset({"BN", "LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})


class _Forms(NamedTuple):
    final: str = ""
    initial: str = ""
    medial: str = ""


@lru_cache(maxsize=2_048)
def laid_out(text: str, *, right_to_left: bool) -> str:
    """Give a line of text as it stands from left to right."""
    plain = "".join(c for c in unicodedata.normalize("NFC", text) if c not in _SIGNS)
    if right_to_left or not plain.isascii():
        plain = _joined(plain)
        return _ordered(plain, 1 if right_to_left else 0)
    return plain


def has_right_to_left(text: str) -> bool:
    """Tell whether the first letter of a text is of a script that runs from right to left."""
    kinds = (unicodedata.bidirectional(character) for character in text)
    return next((kind in ("R", "AL") for kind in kinds if kind in ("L", "R", "AL")), False)


@cache
def _forms() -> tuple[dict[str, _Forms], dict[str, _Forms]]:
    """Give the forms of single letters, and of lam with an alef."""
    single: dict[str, dict[str, str]] = {}
    double: dict[str, dict[str, str]] = {}
    for code in (*range(0xFB50, 0xFDF0), *range(0xFE70, 0xFEFD)):
        kind, _, letters = unicodedata.decomposition(chr(code)).partition("> ")
        written = "".join(chr(int(letter, 16)) for letter in letters.split())
        # Other ligatures are ornaments; lam with an alef is a must.
        is_double = len(written) == 2 and written[0] == _LAM and written[1] in _ALEFS
        if is_double or len(written) == 1:
            (double if is_double else single).setdefault(written, {})[kind.removeprefix("<")] = chr(code)
    made = [
        {
            text: _Forms(found.get("final", ""), found.get("initial", ""), found.get("medial", ""))
            for text, found in each.items()
        }
        for each in (single, double)
    ]
    # The ligature that stands alone is not the letter itself.
    alone = {text: found.get("isolated", "") for text, found in double.items()}
    return made[0], {text: _Forms(forms.final, alone[text]) for text, forms in made[1].items()}


def _joined(text: str) -> str:
    single, double = _forms()
    found: list[str] = []
    before = False
    at = 0
    while at < len(text):
        letter = text[at]
        pair = double.get(text[at : at + 2])
        if pair is not None:
            # initial holds the form that stands alone; an alef joins nothing behind it.
            found.append(pair.final if before else pair.initial)
            before = False
            at += 2
            continue
        at += 1
        if letter in (_TATWEEL, _JOINER):
            before = True
            found.append(letter if letter == _TATWEEL else "")
            continue
        forms = single.get(letter)
        if forms is None:
            before = False
            found.append("" if letter == _NON_JOINER else letter)
            continue
        after = bool(forms.initial) and _joins_before(text[at : at + 1], single)
        joined = forms.medial if before and after else forms.final if before else forms.initial if after else letter
        found.append(joined or letter)
        before = bool(forms.initial)
    return "".join(found)


def _joins_before(letter: str, single: dict[str, _Forms]) -> bool:
    return letter in (_TATWEEL, _JOINER) if letter not in single else bool(single[letter].final)


def _ordered(text: str, base: int) -> str:
    """Order by levels: Unicode Annex 9 for one line that has no marks of direction."""
    characters = [c for c in text if unicodedata.bidirectional(c) not in _DROPPED]
    levels = _levels([unicodedata.bidirectional(c) or "L" for c in characters], base)
    line = [(level, _MIRRORED.get(c, c) if level % 2 else c) for level, c in zip(levels, characters, strict=True)]
    for level in range(max(levels, default=0), 0, -1):
        turned: list[tuple[int, str]] = []
        for is_within, run in groupby(line, key=lambda one: one[0] >= level):
            part = list(run)
            turned += part[::-1] if is_within else part
        line = turned
    return "".join(c for _, c in line)


def _levels(kinds: list[str], base: int) -> list[int]:
    found = _neutral(_weak(kinds, "R" if base else "L"), "R" if base else "L")
    even = {"L": 0, "R": 1, "AN": 2, "EN": 2}
    odd = {"L": 1, "R": 0, "AN": 1, "EN": 1}
    levels = [base + (odd if base else even)[kind] for kind in found]
    # Space at the end of a line belongs to the line (L1).
    for at in range(len(kinds) - 1, -1, -1):
        if kinds[at] not in ("WS", "S", "B"):
            break
        levels[at] = base
    return levels


def _weak(kinds: list[str], base: str) -> list[str]:
    """Settle numbers, and what stands with them (W1 to W7)."""
    found: list[str] = []
    strong = base
    for kind in kinds:
        if kind == "NSM":
            kind = found[-1] if found else base
        if kind in ("L", "R", "AL"):
            strong = kind
        found.append("AN" if kind == "EN" and strong == "AL" else kind)
    found = ["R" if kind == "AL" else kind for kind in found]
    for at in range(1, len(found) - 1):
        before, after = found[at - 1], found[at + 1]
        if before == after and (
            (found[at] in ("ES", "CS") and before == "EN") or (found[at] == "CS" and before == "AN")
        ):
            found[at] = before
    for is_mark, run in groupby(range(len(found)), key=lambda at: found[at] == "ET"):
        where = list(run)
        around = {found[at] for at in (where[0] - 1, where[-1] + 1) if 0 <= at < len(found)}
        if is_mark:
            for at in where:
                found[at] = "EN" if "EN" in around else "ON"
    found = ["ON" if kind in ("ES", "CS", "ET") else kind for kind in found]
    strong = base
    for at, kind in enumerate(found):
        if kind in ("L", "R"):
            strong = kind
        elif kind == "EN" and strong == "L":
            found[at] = "L"
    return found


def _neutral(kinds: list[str], base: str) -> list[str]:
    """Settle spaces and signs: as what they stand between, else as the line (N1, N2)."""
    found = list(kinds)
    for is_neutral, run in groupby(range(len(kinds)), key=lambda at: kinds[at] in _NEUTRAL):
        if not is_neutral:
            continue
        where = list(run)
        before = kinds[where[0] - 1] if where[0] else base
        after = kinds[where[-1] + 1] if where[-1] + 1 < len(kinds) else base
        sides = {"L" if side == "L" else "R" for side in (before, after)}
        for at in where:
            found[at] = sides.copy().pop() if len(sides) == 1 else base
    return found
