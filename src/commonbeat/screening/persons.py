"""Does a verb such as "stole" stand with a person, or with "somebody"?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

Token = tuple[int, int, tuple[str, ...]]
# Words between a person and the verb, either side.
NEAR = 6
_BREAK = re.compile(r"[.!?;:\n]")
_BETWEEN_NAMES = re.compile(r"[ -]")
# "was robbed" says nothing of who did it, but names its victim; "by" leads to who did.
_PASSIVE = frozenset({"was", "were", "been", "being", "got"})
_BY = frozenset({"by", "nga"})


class Words(Protocol):
    """Words of some languages, folded."""

    # Mean one known person: "he", "neighbour".
    persons: frozenset[str]
    # No person's name, or nobody known: "somebody", "street".
    others: frozenset[str]
    # What follows is a place or a thing, though it has a capital: "near", "the".
    leading: frozenset[str]


def accused(text: str, tokens: Sequence[Token], verb: int, words: Words) -> tuple[int, int] | None:
    """Give where a verb and the person with it stand: a pronoun, a known person, a name; None when nobody does."""
    before, after = _around(text, tokens, verb)
    doer = _doer(text, before, words)
    other = _named(text, after, words) or _by_person(after, words)
    if doer is None and other is None:
        return None
    return tokens[verb][0] if doer is None else doer, tokens[verb][1] if other is None else other


def _doer(text: str, before: list[Token], words: Words) -> int | None:
    """Give where the person before the verb begins."""
    if before and not _PASSIVE.isdisjoint(before[-1][2]):
        return _name(text, before, len(before) - 2, words) if len(before) > 2 else None
    for place in range(len(before) - 1, -1, -1):
        start, _end, forms = before[place]
        if not words.persons.isdisjoint(forms):
            return start
        if not words.others.isdisjoint(forms):
            # "Somebody" right here: whoever is named further off did something else.
            return None
        name = _name(text, before, place, words)
        if name is not None:
            return name
    # One name alone, right before the verb.
    alone = bool(before) and _is_capital(text, before[-1]) and words.leading.isdisjoint(before[-1][2])
    return before[-1][0] if alone else None


def _named(text: str, after: list[Token], words: Words) -> int | None:
    """Give where the last name after the verb ends."""
    places = [place for place in range(1, len(after)) if _name(text, after, place, words) is not None]
    return after[places[-1]][1] if places else None


def _by_person(after: list[Token], words: Words) -> int | None:
    for place, (_start, _end, forms) in enumerate(after):
        if not _BY.isdisjoint(forms):
            return next((t[1] for t in after[place + 1 : place + 4] if not words.persons.isdisjoint(t[2])), None)
    return None


def _name(text: str, tokens: list[Token], last: int, words: Words) -> int | None:
    """Give where the name that ends with word `last` begins: two capitals or more, none of a place or after "near"."""
    first = last
    while (
        first
        and _is_capital(text, tokens[first - 1])
        and _BETWEEN_NAMES.fullmatch(text[tokens[first - 1][1] : tokens[first][0]])
    ):
        first -= 1
    run = tokens[first : last + 1]
    if not all(words.others.isdisjoint(forms) for _start, _end, forms in run) or not _is_capital(text, run[-1]):
        return None
    led = bool(first) and not words.leading.isdisjoint(tokens[first - 1][2])
    # "The Arben Hoxha", "In Green Hill": a capital of the sentence's first word is none of a name.
    while run and not words.leading.isdisjoint(run[0][2]):
        run, led = run[1:], True
    return run[0][0] if len(run) >= 2 and not led else None


def _is_capital(text: str, token: Token) -> bool:
    return token[1] - token[0] > 1 and text[token[0]].isupper()


def _around(text: str, tokens: Sequence[Token], verb: int) -> tuple[list[Token], list[Token]]:
    first = verb
    while first and verb - first < NEAR and not _breaks(text, tokens[first - 1], tokens[first]):
        first -= 1
    last = verb
    while last + 1 < len(tokens) and last - verb < NEAR and not _breaks(text, tokens[last], tokens[last + 1]):
        last += 1
    return list(tokens[first:verb]), list(tokens[verb + 1 : last + 1])


def _breaks(text: str, left: Token, right: Token) -> bool:
    # Words spelled out letter by letter stand at the end of the list, not where they are in the text.
    return right[0] < left[1] or _BREAK.search(text, left[1], right[0]) is not None
