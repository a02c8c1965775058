"""The words about alerts, in every language of the house: ALERTS and a place, STOP ALERTS, STOP 2, SAW."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum

from rapidfuzz.distance import OSA

from commonbeat.alerts.answer_words import ALERTS, EVERYWHERE, SAW, STOP_ALERTS, STOP_ONE
from commonbeat.alerts.kinds import KINDS
from commonbeat.foundation.text import ascii_digits
from commonbeat.topics.queries import keyword_key

# In the plural they ask for alerts; in the singular only before a place that we know: "Alert! Fire at the school".
_PLURAL = {"en": "alerts", "sq": "njoftime|njoftimet", "ar": "تنبيهات|التنبيهات"}
_SINGULAR = {"en": "alert", "sq": "njoftim|njoftimi|alarme|alarmet", "ar": "تنبيه|إنذارات|تحذيرات"}
_STOP = {
    "en": "stop|end|cancel|no|no more|off|unsubscribe",
    "sq": "ndal|ndalo|ndalni|ndaloni|hiq|jo|mos",
    "ar": "أوقف|أوقفوا|إيقاف|وقف|توقف|إلغاء|لا",
}
# Alone before a number; "no 2" and "cancel 2" are something else.
_STOP_NUMBER = {"en": "stop|end", "sq": "ndal|ndalo|hiq", "ar": "أوقف|إيقاف|وقف|توقف"}
_BEFORE_PLACE = "for|to|around|about|per|rreth|ne|te|عن|حول|في|عند|قرب"
_EVERYWHERE = "all|everywhere|everything|everyplace|kudo|te gjitha|gjithkund|الكل|كل مكان|كل شيء"
# A word alone, as we ask for it; a phrase is how people begin a sentence anyway.
_SAW_WORDS = {"en": "saw|sighting|seen", "sq": "pash|pashe|pashë", "ar": "رأيت|شاهدت|شفت"}
_SAW_PHRASES = {
    "en": "i saw|we saw|i just saw|just saw|i have seen|i ve seen|ive seen|have seen|we have seen|i think i saw",
    "sq": "e pash|e pashë|une pash|une pashë|kam pare|e kam pare|sapo pash|sapo pashë|pame|e pame|mendoj se pash",
    "ar": "لقد رأيت|أنا رأيت|انا شفت|رأينا|شفنا|شاهدنا|لقد شاهدت",
}
_POLITE_WORDS = "please|pls|thanks|thank you|now|ju lutem|faleminderit|tani|من فضلك|لو سمحت|شكرا|الآن"
_MOST_WORDS = 4
# One slip is forgiven from six letters on, as in commands.
_FORGIVING = 6
_READ = 200
_WORD = re.compile(r"[^\W_]+(?:[^\W_]|[\u0300-\u036f\u0610-\u061a\u0640\u064b-\u065f\u0670'’])*")


def _keys(*tables: dict[str, str]) -> dict[str, str]:
    return {
        keyword_key(phrase): language
        for table in tables
        for language, phrases in table.items()
        for phrase in phrases.split("|")
    }


_SURE = _keys(_PLURAL, dict(ALERTS))
_ANY = _keys(_SINGULAR) | _SURE
_STOPS = _keys(_STOP, dict(STOP_ONE))
_STOPS_NUMBER = _keys(_STOP_NUMBER, dict(STOP_ONE))
_STOPS_ALERTS = _keys(dict(STOP_ALERTS))
_EVERY = _keys({"": _EVERYWHERE}, dict(EVERYWHERE))
_POLITE = frozenset({"", *map(keyword_key, _POLITE_WORDS.split("|"))})
BEFORE_PLACE = frozenset(map(keyword_key, _BEFORE_PLACE.split("|")))
_SAW = _keys(_SAW_WORDS, dict(SAW))
_SAW_BEGINS = _keys(_SAW_PHRASES) | _SAW
_KINDS = {keyword_key(name): kind.code for kind in KINDS.values() for name in (*kind.names.values(), kind.code)}


@dataclass(frozen=True, slots=True)
class AlertsAsked:
    """What somebody says of their own alerts."""

    language: str
    # STOP ALERTS, STOP 2; else it is ALERTS.
    ends: bool
    # What stands behind the words: a place, a number, a kind; empty when nothing does.
    rest: str
    # False for "Alert …", which is more often the beginning of a report.
    is_sure: bool = True


class Strength(IntEnum):
    """Tell how surely "saw" is meant for an alert."""

    # "I saw": so do many reports begin.
    PHRASE = 1
    # "saw …": as we ask for it, but it may be a sentence.
    WORD = 2
    # "SAW white van": nobody writes so by chance.
    COMMAND = 3


@dataclass(frozen=True, slots=True)
class Saw:
    """A message that says what somebody saw."""

    language: str
    strength: Strength
    # What stands behind the word.
    rest: str


def alerts_in(text: str) -> AlertsAsked | None:
    """Read what a message says of one's own alerts; None when it says nothing of them."""
    keys = keyword_key(ascii_digits(text[:_READ])).split()
    if not keys:
        return None
    if len(keys) == 2 and keys[0] in _STOPS_NUMBER and keys[1].isdecimal() and len(keys[1]) <= 2:
        return AlertsAsked(_STOPS_NUMBER[keys[0]], ends=True, rest=keys[1])
    for length in (3, 2):
        language = _ending(keys[:length]) if len(keys) >= length else None
        if language is not None:
            return AlertsAsked(language, ends=True, rest=behind(text, length))
    word = keys[0]
    sure = _SURE.get(word) or _near(word)
    language = sure or _ANY.get(word)
    if language is None:
        return None
    length = 2 if len(keys) > 1 and keys[1] in BEFORE_PLACE else 1
    rest = behind(text, length)
    return AlertsAsked(language, ends=False, rest=rest, is_sure=sure is not None) if sure or rest else None


def word_language(text: str) -> str:
    """Give the language of the words about alerts that begin a message; empty without any."""
    asked = alerts_in(text)
    if asked is not None:
        return asked.language if asked.ends or asked.is_sure else ""
    saw = saw_in(text)
    return saw.language if saw is not None else ""


def is_everywhere(text: str) -> bool:
    """Tell whether a text stands for all places."""
    return keyword_key(text[:_READ]) in _EVERY


def kind_named(text: str) -> str:
    """Give the kind of alert that a text names, in any language; empty when none."""
    return _KINDS.get(keyword_key(text[:_READ]), "")


def saw_in(text: str) -> Saw | None:
    """Read a message that begins with "saw"; None when it does not."""
    keys = keyword_key(text[:_READ]).split()
    for length in range(min(_MOST_WORDS, len(keys)), 0, -1):
        phrase = " ".join(keys[:length])
        language = _SAW_BEGINS.get(phrase)
        if language is not None:
            rest = behind(text, length)
            return Saw(language, _strength(text, phrase, rest), rest)
    return None


def _strength(text: str, phrase: str, rest: str) -> Strength:
    if phrase not in _SAW:
        return Strength.PHRASE
    first = _WORD.search(text[:_READ])
    # In a message that is all in capitals they say nothing; Arabic has none.
    if first and first[0].isupper() and (not rest or rest[:_READ] != rest[:_READ].upper()):
        return Strength.COMMAND
    return Strength.WORD


def _ending(keys: list[str]) -> str | None:
    """Give the language where words are STOP and ALERTS, in either order."""
    phrase = " ".join(keys)
    if phrase in _STOPS_ALERTS:
        return _STOPS_ALERTS[phrase]
    first, last = " ".join(keys[:-1]), keys[-1]
    if first in _STOPS and last in _ANY:
        return _ANY[last]
    return _ANY[keys[0]] if keys[0] in _ANY and " ".join(keys[1:]) in _STOPS else None


def _near(word: str) -> str | None:
    if len(word) < _FORGIVING:
        return None
    near = (_SURE[key] for key in _SURE if key[0] == word[0] and OSA.distance(key, word, score_cutoff=1) <= 1)
    return None if word in _ANY else next(near, None)


def behind(text: str, length: int) -> str:
    """Give what follows the first words of a message; the minus of coordinates stays."""
    end = 0
    for word in _WORD.finditer(text[:_READ]):
        if length <= 0:
            break
        # "I've" is two words once it is folded.
        length -= len(keyword_key(word[0]).split())
        end = word.end()
    rest = text[end:].lstrip(" \n:;,.!–—#").removeprefix("- ").strip()
    return "" if keyword_key(rest[:_READ]) in _POLITE else rest
