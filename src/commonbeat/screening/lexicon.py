"""Words that accuse, per language: `lexicon/<language>.txt`, one entry a line.

An entry is a word or a phrase, as written; `*` at the end of a word stands for any ending. `#` starts a comment.
Four kinds of single words belong together: `~verb` accuses only when a person stands near it ("stole"), `@word` means
one known person ("he", "neighbour"), `-word` is no name ("somebody", "street"), and `/word` leads to a place or a
thing, so that the capitals behind it are no person's ("near", "the").
Matching is on whole words, without case, accents or vowel signs; Arabic words also match behind the joined
prefixes (and, the, with, to …).
"""

import re
from functools import lru_cache
from importlib import resources
from itertools import pairwise

from commonbeat.foundation.text import fold, plain_arabic
from commonbeat.screening.disguise import plain_letters
from commonbeat.screening.findings import Finding
from commonbeat.screening.persons import accused

# Combining marks are no word characters for `re`; they and the apostrophe stay inside the word.
_TOKEN = re.compile(r"[^\W_][\w\u0300-\u036f\u0610-\u061a\u0640\u064b-\u065f\u0670\u00ad\u200b-\u200d'’]*")
_ARABIC = re.compile("[\u0600-\u06ff]")
_MARKS = "~@-/"
_LATIN = re.compile("[A-Za-z]")
_PREFIXES = ("", "و", "ف", "ب", "ل", "ك", "ال", "وال", "فال", "بال", "كال", "لل", "ولل", "وب", "ول", "يا")


class _Lexicon:
    """Entries of some languages by their first word or stem."""

    def __init__(self, entries: list[tuple[str, ...]]) -> None:
        self.words: dict[str, list[tuple[str, ...]]] = {}
        self.stems: dict[str, list[tuple[str, ...]]] = {}
        self.verbs, self.persons, self.others, self.leading = (
            frozenset(entry[0][1:] for entry in entries if entry[0].startswith(mark)) for mark in _MARKS
        )
        for entry in entries:
            if entry[0][0] in _MARKS:
                continue
            first, rest = entry[0], entry[1:]
            (self.stems if first.endswith("*") else self.words).setdefault(first.rstrip("*"), []).append(rest)
        self.stem_lengths = sorted({len(stem) for stem in self.stems})


def find_accusations(text: str, languages: tuple[str, ...]) -> list[Finding]:
    """Find accusation words and phrases of the languages; an unknown language has none."""
    lexicon = _lexicon(tuple(sorted({language.lower().partition("-")[0] for language in languages})))
    tokens = [(match.start(), match.end(), _forms(match.group())) for match in _TOKEN.finditer(text)]
    tokens += _spelled_out(text, tokens)
    # Phrases are looked for in what follows, so a spelled-out word is only ever found alone.
    found: list[Finding] = []
    for index, (start, end, forms) in enumerate(tokens):
        length = max((_match(lexicon, form, tokens, index) for form in forms), default=0)
        if not length and not lexicon.verbs.isdisjoint(forms):
            # The person as well: a text without the verb alone would still name them.
            start, end = accused(text, tokens, index, lexicon) or (start, start)
            if start < end and not (found and start < found[-1].end):
                found.append(Finding("accusation", start, end))
        elif length and not (found and start < found[-1].end):
            found.append(Finding("accusation", start, tokens[index + length - 1][1]))
    return found


def _match(lexicon: _Lexicon, form: str, tokens: list[tuple[int, int, tuple[str, ...]]], index: int) -> int:
    rests = list(lexicon.words.get(form, ()))
    for length in lexicon.stem_lengths:
        if length > len(form):
            break
        rests += lexicon.stems.get(form[:length], ())
    best = 0
    for rest in rests:
        following = tokens[index + 1 : index + 1 + len(rest)]
        if len(following) == len(rest) and all(
            any(_fits(word, candidate) for candidate in forms)
            for word, (_, _, forms) in zip(rest, following, strict=True)
        ):
            best = max(best, 1 + len(rest))
    return best


def _fits(word: str, form: str) -> bool:
    return form.startswith(word[:-1]) if word.endswith("*") else form == word


def _spelled_out(text: str, tokens: list[tuple[int, int, tuple[str, ...]]]) -> list[tuple[int, int, tuple[str, ...]]]:
    # "t h i e f", "t.h.i.e.f": a run of at least four single letters is read as a word as well.
    words: list[tuple[int, int, tuple[str, ...]]] = []
    run: list[tuple[int, int]] = []
    single = [(start, end) for start, end, _ in tokens if end - start == 1 and text[start].isalpha()]
    for (start, end), (next_start, next_end) in pairwise([*single, (len(text) + 9, len(text) + 9)]):
        run = run or [(start, end)]
        if next_start - end <= 2 and next_end <= len(text):
            run.append((next_start, next_end))
            continue
        # The article before it is a single letter too, so every start and length is tried, within reason.
        for first in range(max(0, min(len(run), 60) - 3)):
            for last in range(first + 3, min(len(run), first + 16)):
                word = "".join(text[a:b] for a, b in run[first : last + 1])
                words.append((run[first][0], run[last][1], _forms(word)))
        run = []
    return words


@lru_cache(maxsize=20_000)
def _forms(token: str) -> tuple[str, ...]:
    if _ARABIC.search(token):
        word = plain_arabic(re.sub("[\u00ad\u200b-\u200d]", "", token))
        return tuple(
            word[len(prefix) :] for prefix in _PREFIXES if word.startswith(prefix) and len(word) - len(prefix) >= 2
        )
    if not token.isascii() and _LATIN.search(token):
        token = plain_letters(token)
    folded = fold(re.sub("[\u00ad\u200b-\u200d]", "", token).replace("’", "'").removesuffix("'s")).replace(" ", "")
    return (folded,) if folded else ()


@lru_cache(maxsize=32)
def _lexicon(languages: tuple[str, ...]) -> _Lexicon:
    folder = resources.files("commonbeat.screening") / "lexicon"
    entries: list[tuple[str, ...]] = []
    for language in languages:
        file = folder / f"{language}.txt"
        if not language.isalpha() or not file.is_file():
            continue
        for line in file.read_text("utf-8").splitlines():
            words = line.partition("#")[0].split()
            if words:
                entries.append(tuple(_entry_word(word) for word in words))
    return _Lexicon(entries)


def _entry_word(word: str) -> str:
    if word[0] in _MARKS:
        return word[0] + _entry_word(word[1:])
    stem = word.rstrip("*")
    folded = plain_arabic(stem) if _ARABIC.search(stem) else fold(stem).replace(" ", "")
    return folded + "*" if word.endswith("*") else folded
