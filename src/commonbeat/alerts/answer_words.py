"""The words by which people answer alerts and ask for them: what a message names is what we understand; pure.

Each is understood in every language; these are the ones that we name. More spellings stand in intake/alert_words.py.
"""

from __future__ import annotations

from collections.abc import Mapping

SAW: Mapping[str, str] = {"en": "SAW", "sq": "PASH", "ar": "رأيت"}
ALERTS: Mapping[str, str] = {"en": "ALERTS", "sq": "NJOFTIME", "ar": "تنبيهات"}
STOP_ALERTS: Mapping[str, str] = {"en": "STOP ALERTS", "sq": "NDAL NJOFTIMET", "ar": "أوقف التنبيهات"}
STOP_ONE: Mapping[str, str] = {"en": "STOP", "sq": "NDAL", "ar": "أوقف"}
EVERYWHERE: Mapping[str, str] = {"en": "ALL", "sq": "KUDO", "ar": "الكل"}


def word_in(words: Mapping[str, str], language: str | None) -> str:
    """Give the word of a language, else the English one."""
    return words.get(language or "", words["en"])
