"""Structured messages of trained reporters: from tokens to answers, by the topic's own form; pure.

`STOCK amoxicillin 0 clinic 12` is a code word and the answers in the order that the topic names. What does not fit is
told per question, and the rest is read all the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from msgspec.structs import replace
from rapidfuzz import fuzz

from commonbeat.foundation.text import ascii_digits
from commonbeat.topics.answers import RATINGS, AnswerError, answer_to, describe_answers, describe_categories
from commonbeat.topics.checks import PLACEHOLDER
from commonbeat.topics.definition import CATEGORY, Definition, Field, FieldKind, Option, text_in
from commonbeat.topics.queries import keyword_key

# What follows so many tokens is the note, unread.
MOST_TOKENS = 60
# A mistyped answer is taken for the nearest one from here on (0 to 100), if no other comes this near.
NEAR, CLEARLY = 80.0, 8.0
# Below this length one wrong letter makes another word.
FORGIVING_LENGTH = 4
_LONGEST_OPTION = 3
# A text before a number reaches to that number, if it is not farther.
_LONGEST_TEXT = 5
_ENDS = ",;،؛"
_EDGES = ",;،؛."
_FIRST = re.compile(r"\s*#?([^\W_]+)\s*(!?)[\s:,;،؛.!-]*")
_NAMED = re.compile(r"([^\W\d_]{1,20})[=:](.+)", re.DOTALL)
_TIME = re.compile(r"\d{1,2}[:.h]\d{2}|\d{3,4}")
_DATE = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}\.?")
_SEVERAL = re.compile(r"[+/&]")
_NUMBER = re.compile(r"[+-]?\d+(?:[.,٫]\d+)?")
# "7" alone says nothing; "12:30" or "Clinic 12" does.
_NAMED_KINDS = frozenset({FieldKind.NUMBER, FieldKind.RATING, FieldKind.DATE, FieldKind.CHOICES})
_NOTHING_LEFT = frozenset(map(keyword_key, ("zero", "none", "nil", "out", "asnje", "asgje", "صفر", "نفد")))


@dataclass(frozen=True, slots=True)
class Call:
    """A message that begins with a code word: its language, what follows, and whether "!" marks a correction."""

    language: str
    rest: str
    corrects: bool


@dataclass(slots=True)
class Parsed:
    """What was understood, and per question (by its short name) what was not."""

    answers: dict[str, Any] = field(default_factory=dict)
    categories: list[str] = field(default_factory=list)
    note: str = ""
    errors: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    # No word was forgiven: the answers hold all that was written.
    exact: bool = True


def call_of(definition: Definition, text: str) -> Call | None:
    """Tell whether a message begins with one of the topic's code words."""
    match = _FIRST.match(text[:200])
    if match is None:
        return None
    word = keyword_key(match[1])
    for language, known in definition.structured.words.items():
        if word and word == keyword_key(known):
            return Call(language, text[match.end() :].strip(), bool(match[2]))
    return None


def slots_of(definition: Definition) -> list[Field]:
    """Give the questions of a structured message in their order; the kind of report is a choice like any other."""
    fields = {one.code: one for one in definition.fields}
    if definition.categories:
        label = {"en": "Kind", "sq": "Lloji", "ar": "النوع"}
        fields[CATEGORY] = Field(CATEGORY, FieldKind.CHOICE, label, options=definition.categories)
    needs = definition.structured.needs
    return [
        replace(fields[code], required=True) if code in needs else fields[code]
        for code in definition.structured.fields
        if code in fields
    ]


def parse(definition: Definition, text: str, *, today: date, sites: Sequence[str] = ()) -> Parsed:
    """Read the answers that follow the code word; sites are the places of the reporter, one of which fills a gap."""
    reader = _Reader(definition, text, today, sites)
    reader.read()
    return reader.parsed


def in_words(definition: Definition, parsed: Parsed, language: str) -> str:
    """Say what was understood: in the topic's own words where everything is there, else answer by answer."""
    shown = _shown(definition, parsed, language)
    said = definition.structured.said.get(language, "")
    if said and all(code in shown for code in PLACEHOLDER.findall(said)):
        sentence = PLACEHOLDER.sub(lambda match: shown[match[1]], said)
    else:
        named = {slot.code for slot in slots_of(definition) if slot.kind in _NAMED_KINDS}
        labels = labels_of(definition, language)
        parts = [f"{labels[code]}: {value}" if code in named else value for code, value in shown.items()]
        sentence = f"{text_in(definition.name, language)}: {', '.join(parts)}." if parts else ""
    return f"{sentence} {parsed.note}".strip()


def form_of(definition: Definition, language: str) -> str:
    """Give the pattern to follow: the code word, then each question in brackets."""
    word = text_in(definition.structured.words, language)
    return " ".join([word, *(f"[{label}]" for label in labels_of(definition, language).values())])


def labels_of(definition: Definition, language: str) -> dict[str, str]:
    """Give what each question is called: the question without its mark."""
    return {slot.code: text_in(slot.label, language).rstrip("?؟ ") for slot in slots_of(definition)}


def examples_of(definition: Definition, language: str) -> list[str]:
    """Give the messages to learn from."""
    return [line for line in text_in(definition.structured.examples, language).splitlines() if line.strip()]


def is_same(definition: Definition, before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Tell whether a message is about the same as an earlier one; what one of them does not say decides nothing."""
    return all(
        before.get(code) is None or now.get(code) is None or _alike(before[code], now[code])
        for code in definition.structured.same
    )


def site_named(text: str, sites: Sequence[str]) -> str:
    """Find the one of a reporter's places that a text names: by name, by number, or nearly; empty when none."""
    wanted = keyword_key(ascii_digits(text))
    by_key = {keyword_key(ascii_digits(site)): site for site in sites}
    if wanted in by_key:
        return by_key[wanted]
    numbers = [site for key, site in by_key.items() if wanted.isdigit() and wanted in key.split()]
    if len(numbers) == 1:
        return numbers[0]
    # "clinic 12" and "clinic 13" are one letter apart: numbers are never forgiven.
    digits = re.findall(r"\d+", wanted)
    near = {key: site for key, site in by_key.items() if re.findall(r"\d+", key) == digits}
    return near[found] if (found := _nearest(wanted, {key: key for key in near})) is not None else ""


class _Reader:
    def __init__(self, definition: Definition, text: str, today: date, sites: Sequence[str]) -> None:
        self.definition = definition
        self.today = today
        self.sites = sites
        self.parsed = Parsed()
        words = text.split(maxsplit=MOST_TOKENS)
        self.rest_unread = words.pop() if len(words) > MOST_TOKENS else ""
        self.tokens = words
        self.at = 0

    def read(self) -> None:
        slots = slots_of(self.definition)
        done = self._take_named(slots)
        left = [slot for slot in slots if slot.code not in done]
        for index, slot in enumerate(left):
            self._fill(slot, left[index + 1 :])
        self._fill_site()
        for slot in slots:
            if slot.required and self._value(slot) is None and slot.code not in self.parsed.errors:
                self.parsed.missing.append(slot.code)
        self.parsed.note = " ".join([*self.tokens[self.at :], self.rest_unread]).strip()

    def _value(self, slot: Field) -> Any:
        if slot.code == CATEGORY:
            return self.parsed.categories or None
        return self.parsed.answers.get(slot.code)

    def _take_named(self, slots: list[Field]) -> set[str]:
        """Take "n=0" wherever it stands."""
        names = {keyword_key(name): slot for slot in slots for name in (slot.short, slot.code) if name}
        kept, done = [], set()
        for token in self.tokens:
            match = _NAMED.fullmatch(token.strip(_EDGES))
            slot = names.get(keyword_key(match[1])) if match else None
            if match is None or slot is None or slot.code in done:
                kept.append(token)
                continue
            done.add(slot.code)
            self._answer(slot, [match[2]])
        self.tokens = kept
        return done

    def _fill(self, slot: Field, following: list[Field]) -> None:
        if self.at >= len(self.tokens):
            return
        if slot.kind is FieldKind.TEXT:
            self._take(slot, self._length_of_text(slot, following))
        elif slot.kind is FieldKind.CHOICE:
            size, code = self._option_here(slot, forgiving=slot.required)
            if size:
                self._store(slot, code)
                self.at += size
            elif slot.required:
                self._take(slot, 1)
        elif slot.required or _fits(slot, self._token(self.at)):
            # What is needed and cannot be read is named to the reporter; what may be missing is left to the next.
            self._take(slot, 1)

    def _token(self, index: int) -> str:
        return self.tokens[index].strip(_EDGES)

    def _take(self, slot: Field, size: int) -> None:
        taken = self.tokens[self.at : self.at + size]
        self.at += size
        self._answer(slot, [" ".join(taken).strip(_EDGES)])

    def _length_of_text(self, slot: Field, following: list[Field]) -> int:
        remaining = len(self.tokens) - self.at
        for size in range(1, min(remaining, _LONGEST_TEXT) + 1):
            if self.tokens[self.at + size - 1].endswith(tuple(_ENDS)):
                return size
        if not following:
            return remaining
        known, _code = self._option_here(slot, forgiving=True)
        if known:
            return known
        after = following[0]
        if slot.code == self.definition.structured.site and (named := self._length_of_site()):
            return named
        for size in range(1, min(remaining - 1, _LONGEST_TEXT) + 1):
            if _fits(after, self._token(self.at + size)):
                return size
        has_number = remaining > 1 and ascii_digits(self._token(self.at + 1)).isdigit()
        # "station 4 ballot box missing": a word and its number.
        return 2 if has_number and not self._token(self.at)[-1:].isdigit() else 1

    def _length_of_site(self) -> int:
        for size in range(min(len(self.tokens) - self.at, _LONGEST_TEXT), 0, -1):
            if site_named(" ".join(self._token(self.at + n) for n in range(size)), self.sites):
                return size
        return 0

    def _option_here(self, slot: Field, *, forgiving: bool) -> tuple[int, str]:
        """Find the answer that the next words name: how many words, and its code; 0 when none does."""
        for size in range(min(_LONGEST_OPTION, len(self.tokens) - self.at), 0, -1):
            words = " ".join(self._token(self.at + n) for n in range(size))
            # "count" may as well begin the note: a kind that may be missing is named by its short form, if it has one.
            code = _option_of(slot.options, words, forgiving=False, by_short=slot.code == CATEGORY)
            if code:
                return size, code
        code = _option_of(slot.options, self._token(self.at), forgiving=True) if forgiving else ""
        return (1, code) if code else (0, "")

    def _answer(self, slot: Field, given: list[str]) -> None:
        written = given[0]
        try:
            self._store(slot, self._read_answer(slot, written))
        except AnswerError as error:
            self.parsed.errors[slot.code] = _("“%(written)s”: %(problem)s") % {
                "written": written[:30],
                "problem": str(error),
            }

    def _read_answer(self, slot: Field, written: str) -> Any:
        if slot.kind is FieldKind.CHOICE:
            return self._chosen(slot, written)
        if slot.kind is FieldKind.CHOICES:
            return list(dict.fromkeys(self._chosen(slot, part) for part in _SEVERAL.split(written) if part))
        if slot.code == self.definition.structured.site:
            site = site_named(written, self.sites)
            self.parsed.exact &= not site or keyword_key(site) == keyword_key(written)
            return site or answer_to(slot, [written], today=self.today)
        if slot.kind is FieldKind.TEXT and slot.options:
            code = _option_of(slot.options, written, forgiving=True)
            if code:
                self.parsed.exact &= bool(_option_of(slot.options, written, forgiving=False))
                return code
        if slot.kind is FieldKind.NUMBER and keyword_key(written) in _NOTHING_LEFT:
            self.parsed.exact = False
            written = "0"
        return answer_to(slot, [written], today=self.today)

    def _chosen(self, slot: Field, written: str) -> str:
        code = _option_of(slot.options, written, forgiving=True)
        if not code:
            known = ", ".join((option.short or [option.code])[0] for option in slot.options[:12])
            raise AnswerError(_("Write one of: %(answers)s.") % {"answers": known})
        self.parsed.exact &= bool(_option_of(slot.options, written, forgiving=False))
        return code

    def _store(self, slot: Field, value: Any) -> None:
        if slot.code == CATEGORY:
            self.parsed.categories = [str(value)]
        elif value not in ("", []):
            self.parsed.answers[slot.code] = value

    def _fill_site(self) -> None:
        """Take the reporter's only place for the one that the message leaves out."""
        site = self.definition.structured.site
        if site and len(self.sites) == 1 and self.sites[0].strip() and self.parsed.answers.get(site) is None:
            self.parsed.answers[site] = self.sites[0]
            self.parsed.errors.pop(site, None)


def _fits(slot: Field, token: str) -> bool:
    plain = ascii_digits(token)
    if slot.kind is FieldKind.NUMBER:
        return bool(_NUMBER.fullmatch(plain)) or keyword_key(token) in _NOTHING_LEFT
    if slot.kind is FieldKind.TIME:
        return bool(_TIME.fullmatch(plain))
    if slot.kind is FieldKind.CHOICE:
        return bool(_option_of(slot.options, token, forgiving=False))
    if slot.kind is FieldKind.CHOICES:
        return all(_option_of(slot.options, part, forgiving=False) for part in _SEVERAL.split(token))
    if slot.kind is FieldKind.DATE:
        return bool(_DATE.fullmatch(plain))
    return slot.kind is FieldKind.RATING and plain in RATINGS


def _option_of(options: Sequence[Option], written: str, *, forgiving: bool, by_short: bool = False) -> str:
    """Find the answer that is written: by code, short form or label; nearly where that is clear."""
    wanted = keyword_key(ascii_digits(written))
    if not wanted:
        return ""
    has_short = by_short and any(option.short for option in options)
    names = dict(_names_of(options, by_short=has_short))
    if wanted in names:
        return names[wanted]
    return (_nearest(wanted, names) or "") if forgiving else ""


def _names_of(options: Sequence[Option], *, by_short: bool) -> Iterator[tuple[str, str]]:
    # From the last to the first: of two answers with one name the first counts.
    for option in reversed(options):
        for name in option.short if by_short else (*option.label.values(), *option.short, option.code):
            if key := keyword_key(name.replace("-", " ")):
                yield key, option.code


def _nearest(wanted: str, names: Mapping[str, str]) -> str | None:
    if len(wanted) < FORGIVING_LENGTH or wanted.isdigit():
        return None
    best: dict[str, float] = {}
    for name, code in names.items():
        if len(name) >= FORGIVING_LENGTH:
            best[code] = max(best.get(code, 0.0), fuzz.ratio(wanted, name))
    ranked = sorted(best.items(), key=lambda pair: -pair[1])
    if not ranked or ranked[0][1] < NEAR or (len(ranked) > 1 and ranked[0][1] - ranked[1][1] < CLEARLY):
        return None
    return ranked[0][0]


def _shown(definition: Definition, parsed: Parsed, language: str) -> dict[str, str]:
    shown = {}
    for slot in slots_of(definition):
        if slot.code == CATEGORY:
            if parsed.categories:
                shown[CATEGORY] = ", ".join(describe_categories(definition, parsed.categories, language))
            continue
        value = parsed.answers.get(slot.code)
        if value is not None:
            only = Definition(name={}, fields=[slot])
            shown[slot.code] = describe_answers(only, {slot.code: value}, language)[0][1]
    return shown


def _alike(before: Any, now: Any) -> bool:
    if isinstance(before, str) and isinstance(now, str):
        return keyword_key(ascii_digits(before)) == keyword_key(ascii_digits(now))
    return bool(before == now)
