"""The word for "reach my officer", in every language of the house."""

from __future__ import annotations

from dataclasses import dataclass

from rapidfuzz.distance import OSA

from commonbeat.foundation.text import ascii_digits
from commonbeat.intake.alert_words import BEFORE_PLACE, behind
from commonbeat.topics.queries import keyword_key

# As it is named to people.
OFFICER = {"en": "OFFICER", "sq": "OFICERI", "ar": "الضابط"}
# Before a place, too: "OFFICER Old Bridge".
_WORDS = {
    "en": "officer|my officer|officr|offcer",
    "sq": "oficeri|oficer|oficerin|oficeri im|oficerin tim|oficeri i zones|oficerri|ofiqeri",
    "ar": "ضابط|الضابط|ضابطي|الضابت|ضابط الحي|ضابط المنطقة",
}
# Only as the whole message.
_PHRASES = {
    "en": "reach my officer|contact my officer|contact officer|reach officer|talk to my officer|my police officer"
    "|police officer|local officer|my local officer|who is my officer|whos my officer|who s my officer",
    "sq": "polici im|polici i zones|polici im i zones|kush eshte oficeri im|kush eshte polici im|kontakto oficerin"
    "|kontakto policin",
    "ar": "شرطي الحي|شرطي المنطقة|شرطي منطقتي|من هو الضابط|من هو ضابطي|من هو شرطي الحي|تواصل مع الضابط|ضابط الشرطة",
}
_POLITE = frozenset({"please", "pls", "ju lutem", *map(keyword_key, ("من فضلك", "لو سمحت"))})
# One slip is forgiven from six letters on, as in commands; but these are words of their own.
_FORGIVING = 6
_OTHERS = frozenset({"office", "offices", "officers"})
_MOST_WORDS = 3
_READ, _LONGEST = 200, 60


def _keys(table: dict[str, str]) -> dict[str, str]:
    return {keyword_key(phrase): language for language, phrases in table.items() for phrase in phrases.split("|")}


_BEFORE = _keys(_WORDS)
_ALONE = _keys(_PHRASES) | _BEFORE
_NEAR = {word: language for word, language in _BEFORE.items() if " " not in word and len(word) >= _FORGIVING}


@dataclass(frozen=True, slots=True)
class OfficerAsked:
    """What somebody says who wants to reach their officer."""

    language: str
    # What stands behind the word; empty when nothing does.
    rest: str
    # In capitals, or in a script without them: nobody writes so by chance.
    is_command: bool


def officer_in(text: str) -> OfficerAsked | None:
    """Read a message that begins with the word for one's officer; None when it does not."""
    keys = keyword_key(ascii_digits(text[:_READ])).split()
    if not keys:
        return None
    whole = " ".join(keys)
    if len(text) <= _LONGEST:
        alone = _ALONE.get(whole) or _ALONE.get(_without_please(whole))
        if alone is not None:
            return OfficerAsked(alone, "", text == text.upper())
    for length in range(min(_MOST_WORDS, len(keys)), 0, -1):
        language = _BEFORE.get(" ".join(keys[:length])) or (_near(keys[0]) if length == 1 else None)
        if language is not None:
            length += len(keys) > length and keys[length] in BEFORE_PLACE
            rest = behind(text, length)
            return OfficerAsked(language, rest, _is_command(text, rest))
    return None


def _near(word: str) -> str | None:
    if len(word) < _FORGIVING or word in _OTHERS:
        return None
    near = (code for key, code in _NEAR.items() if key[0] == word[0] and OSA.distance(key, word, score_cutoff=1) <= 1)
    return next(near, None)


def _without_please(words: str) -> str:
    return next((words.removesuffix(f" {polite}") for polite in _POLITE if words.endswith(f" {polite}")), words)


def _is_command(text: str, rest: str) -> bool:
    first = text.split()[0]
    return first.isupper() and rest != rest.upper()
