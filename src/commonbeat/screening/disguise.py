"""What a reader sees: invisible characters taken out, look-alike ones in their plain form."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from commonbeat.screening.findings import Finding

# Drawn as nothing without being format characters (Cf): joiners, fillers, variation selectors, the empty braille cell.
_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0") | {chr(c) for c in range(0xFE00, 0xFE10)}
_FULL_STOPS = frozenset("\u3002\uff0e\uff61\ufe52\u2024")

# Capital letters of other scripts that a plate can be written with.
_LOOK_ALIKES = str.maketrans(
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425\u0406\u0408\u0405"
    "\u0430\u0435\u043e\u0440\u0441\u0445\u0456\u0458\u0455"
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u03bf",
    "ABEKMHOPCTXIJSaeopcxijsABEZHIKMNOPTYXo",
)
_CHUNK = re.compile(r"[^\W_]+|[|!]")
_AS_DIGIT = str.maketrans("lI|!OoQ", "1111000")
_LIKE_DIGITS = re.compile(r"[\dlI|!OoQ]+")


@dataclass(frozen=True, slots=True)
class Seen:
    """A text as it is seen, with the position of each of its characters in the original."""

    text: str
    # None when they are the same.
    positions: tuple[int, ...] | None

    def original(self, finding: Finding) -> Finding:
        """Give a finding in the seen text as one in the original."""
        if self.positions is None:
            return finding
        return Finding(finding.kind, self.positions[finding.start], self.positions[finding.end - 1] + 1)


def as_seen(text: str) -> Seen:
    """Take out what is invisible, and write digits, letters and full stops of other shapes as the plain ones."""
    if text.isascii():
        return Seen(text, None)
    kept = [(index, _plain(character)) for index, character in enumerate(text)]
    if all(character for _index, character in kept):
        return Seen("".join(character for _index, character in kept), None)
    kept = [pair for pair in kept if pair[1]]
    return Seen("".join(character for _index, character in kept), tuple(index for index, _character in kept))


def plain_letters(text: str) -> str:
    """Write Greek and Cyrillic letters that look Latin as Latin, position for position."""
    return text if text.isascii() else text.translate(_LOOK_ALIKES)


def plain_plate(text: str) -> str:
    """Write letters that stand for digits as digits ("0l-234" as "01-234"), position for position."""
    return _CHUNK.sub(lambda match: _digits(match.group()), plain_letters(text))


def _digits(chunk: str) -> str:
    # A part of letters alone stands for digits only where it is as short as the first part of a plate.
    if not _LIKE_DIGITS.fullmatch(chunk) or (len(chunk) != 2 and not any(c.isdigit() for c in chunk)):
        return chunk
    return chunk.translate(_AS_DIGIT)


@lru_cache(maxsize=4096)
def _plain(character: str) -> str:
    """Give the plain form of one character, "" for an invisible one."""
    if character.isascii():
        return character
    if character in _FULL_STOPS:
        return "."
    if character in _UNSEEN or unicodedata.category(character) == "Cf" or "\U000e0100" <= character <= "\U000e01ef":
        return ""
    digit = unicodedata.digit(character, None)
    if digit is not None:
        return str(digit)
    # Full-width and mathematical letters, and signs such as the full-width @.
    folded = unicodedata.normalize("NFKC", character)
    return folded if len(folded) == 1 and folded.isascii() else character
