"""Random numbers as words that everybody can copy: consonant, vowel, consonant, vowel.

No language's words, so that nobody needs that language: 16 consonants and 4 vowels that most alphabets of Latin letters
share make 4,096 words of four letters, 12 bits each. As consonants and vowels take turns, the place of a letter tells
an l from an i and a v from a u. The last word is a check: any one wrong word is noticed, whatever it became.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Sequence

from commonbeat.tips.errors import Misspelt

CONSONANTS = "bdfghjklmnprstvz"
VOWELS = "aiou"
WORD_BITS = 12
WORDS = 1 << WORD_BITS
WORD_LETTERS = 4
# What people take one letter for: by shape (0, 1, 5, q), or by ear (c, e, w, y).
_AS_CONSONANT = {**{letter: letter for letter in CONSONANTS}, "i": "l", "1": "l", "c": "k", "q": "g", "9": "g",
                 "6": "b", "8": "b", "5": "s", "2": "z", "w": "v", "u": "v"}  # fmt: skip
_AS_VOWEL = {**{letter: letter for letter in VOWELS}, "e": "i", "y": "i", "j": "i", "l": "i", "1": "i", "ı": "i",
             "0": "o", "v": "u", "4": "a"}  # fmt: skip
# Nobody should have to write these down; to draw anew costs a receipt a tenth of a bit.
UNWANTED = frozenset(
    "fuka fuki fuku gaza homo kaka kaki kari kusi kuso kusu muti nazi niga nigu nika niki pidi pipi pisi pula puli "
    "pusi puta puti puto sisa sisi suka suki titi tizi zibi zubi".split()
)
_DROPPED = re.compile(r"[\W_]+")


def word_of(value: int) -> str:
    """Spell a number below 4,096."""
    return CONSONANTS[value >> 8] + VOWELS[value >> 6 & 3] + CONSONANTS[value >> 2 & 15] + VOWELS[value & 3]


def draw(count: int) -> str:
    """Draw so many words and add the check word; give them as lower-case letters without spaces."""
    while True:
        values = [secrets.randbelow(WORDS) for _ in range(count)]
        words = [word_of(value) for value in (*values, check_of(values))]
        if UNWANTED.isdisjoint(words):
            return "".join(words)


def read(text: str, count: int) -> str:
    """Give the letters of so many words and their check word as a person meant them; Misspelt if they cannot be meant.

    Case, accents, spaces, dashes, line breaks and letters that look or sound alike do not matter.
    """
    letters = letters_in(text)
    if len(letters) != (count + 1) * WORD_LETTERS:
        raise Misspelt
    canonical = meant(letters)
    values = [_value(word) for word in split(canonical)]
    if check_of(values[:-1]) != values[-1]:
        raise Misspelt
    return canonical


def meant(letters: str) -> str:
    """Give the letters that look-alikes stand for, by their places; Misspelt, with the word, if one stands for none."""
    found = []
    for place, letter in enumerate(letters):
        taken = (_AS_VOWEL if place % 2 else _AS_CONSONANT).get(letter)
        if taken is None:
            raise Misspelt(place // WORD_LETTERS + 1)
        found.append(taken)
    return "".join(found)


def split(canonical: str) -> list[str]:
    """Cut letters into words."""
    return [canonical[at : at + WORD_LETTERS] for at in range(0, len(canonical), WORD_LETTERS)]


def letters_in(text: str) -> str:
    """Give the letters and digits of what was typed, in lower case and without accents."""
    if len(text) > 1000:
        raise Misspelt
    plain = unicodedata.normalize("NFKD", text).lower()
    bare = "".join(character for character in plain if unicodedata.category(character)[0] != "M")
    return _DROPPED.sub("", bare)


def check_of(values: Sequence[int]) -> int:
    """Give the value of the check word: the sum of values times 1, 3, 5 …, modulo 4,096.

    An odd weight has an inverse modulo 4,096, so that every single wrong word changes the sum; of two words that
    changed places one pair in 273 is missed at most, of neighbours one in 4,096.
    """
    return sum((2 * place + 1) * value for place, value in enumerate(values)) % WORDS


def _value(word: str) -> int:
    high = CONSONANTS.index(word[0]) << 2 | VOWELS.index(word[1])
    return high << 6 | CONSONANTS.index(word[2]) << 2 | VOWELS.index(word[3])
