"""The words of those who report for others, in every language of the house."""

from __future__ import annotations

from rapidfuzz.distance import OSA

from commonbeat.intake.commands import Word, after_words, number_in, parse_command
from commonbeat.intake.proxy_intents import CONSENTS
from commonbeat.topics.queries import keyword_key

# Not "for", "për" or "عن": half of all messages might begin with them ("For a week the lamp is dark").
_BEHALF = {
    "en": "behalf|on behalf|on behalf of|in behalf of|behalf of",
    "sq": "ne emer|ne emer te|neemer",
    "ar": "نيابة|نيابة عن|نيابه|نيابه عن|بالنيابة|بالنيابة عن",
}
_RESIGNING = "resign|i resign|dorehiqem|doreheqje|jap doreheqje|استقالة|أستقيل|استقيل"
_SAID = {
    "word": "by word|by word of mouth|agreed|she agreed|he agreed|yes by word|me goje|po me goje|u pajtua"
    "|شفهيا|نعم شفهيا|وافق|وافقت",
    "writing": "in writing|written|yes in writing|me shkrim|po me shkrim|كتابة|كتابيا|نعم كتابة",
    "guardian": "parent|guardian|mother|father|parent or guardian|prindi|kujdestari|nena|babai"
    "|الوالد|الوالدة|الوصي|ولي الأمر",
    "danger": "danger|dangerous|could not ask|rrezik|nuk munda|خطر|تعذر",
    "refused": "no|nope|not agreed|she did not agree|he did not agree|jo|nuk u pajtua|لا|كلا|لم يوافق|لم توافق",
}
_WORDS = {keyword_key(phrase): language for language, some in _BEHALF.items() for phrase in some.split("|")}
_MOST_WORDS = 3
# One slip is forgiven from six letters on, as in commands.
_FORGIVING = 6
_RESIGNED = frozenset(map(keyword_key, _RESIGNING.split("|")))
_CONSENTS = {keyword_key(phrase): kind for kind, some in _SAID.items() for phrase in some.split("|")}
_LONGEST = 60


def behalf_in(text: str) -> tuple[str, str] | None:
    """Find the word for "on behalf of" that begins a message; give its language, and what follows it."""
    words = keyword_key(text[:_LONGEST]).split()
    for length in range(min(_MOST_WORDS, len(words)), 0, -1):
        language = _WORDS.get(" ".join(words[:length]))
        if language is None and length == 1 and len(words[0]) >= _FORGIVING:
            near = (code for word, code in _WORDS.items() if OSA.distance(word, words[0], score_cutoff=1) <= 1)
            language = next(near, None)
        # With the article it is the public prosecutor.
        if language is not None and not text.lstrip().startswith("ال"):
            return language, after_words(text, length)
    return None


def is_resigning(text: str) -> bool:
    """Tell whether a message is the word by which a proxy ends, and nothing else."""
    return keyword_key(text[:_LONGEST]) in _RESIGNED


def consent_in(text: str, languages: tuple[str, ...]) -> tuple[str, str] | None:
    """Read the answer to "did the person agree?"; give its kind and, behind "4", the reason.

    "5 houses are burning" is no "no": a number counts alone, or with words that say the same.
    """
    kind = _said(text, languages)
    if kind is not None:
        return kind, ""
    found = number_in(text)
    if found is None or not 1 <= found[0] <= len(CONSENTS):
        return None
    kind, rest = CONSENTS[found[0] - 1], found[1]
    said = _said(rest, languages) if rest else kind
    if said == kind or (said == "word" and kind != "refused"):
        return kind, ""
    # "1 no" and "5 yes" say two things, and so nothing.
    return (kind, rest) if kind == "danger" and said is None else None


def _said(text: str, languages: tuple[str, ...]) -> str | None:
    kind = _CONSENTS.get(keyword_key(text[:_LONGEST])) if len(text) <= _LONGEST else None
    if kind is None:
        command = parse_command(text, languages)
        kind = "word" if command is not None and command.word is Word.YES else None
    return kind
