"""The structured messages of a topic while it is edited: code word, order of answers, what is said back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils import timezone, translation
from django.utils.translation import gettext as _

from commonbeat.foundation.text import ascii_digits, clean_text
from commonbeat.topics.definition import CATEGORY, Definition, FieldKind
from commonbeat.topics.structured import call_of, examples_of, form_of, in_words, labels_of, parse
from commonbeat.web.administration.numbers import whole_number

# What a text message cannot hold.
_NOT_TEXTED = frozenset({FieldKind.PHOTO, FieldKind.PLACE})
Texts = Callable[[str, int], dict[str, str]]


@dataclass(frozen=True, slots=True)
class Row:
    """One question as the page lists it; `at` is its place in the message, 0 where it is not asked."""

    code: str
    label: dict[str, str]
    at: int
    is_needed: bool
    is_same: bool
    # None where it cannot have one.
    short: str | None
    may_be_site: bool


@dataclass(frozen=True, slots=True)
class Tried:
    """An example as it would be read: what we would answer, and what could not be read."""

    language: str
    form: str
    line: str
    said: str
    problems: list[str]


def rows_of(data: Mapping[str, Any]) -> list[Row]:
    """List the questions that a message can ask for: those of the message first, in its order."""
    told = data["structured"]
    order = {code: at for at, code in enumerate(told["fields"], 1)}
    rows = [
        Row(
            one["code"],
            one["label"],
            order.get(one["code"], 0),
            one["code"] in told["needs"],
            one["code"] in told["same"],
            one.get("short", ""),
            one["kind"] == FieldKind.TEXT,
        )
        for one in data["fields"]
        if one["code"] and one["kind"] not in _NOT_TEXTED
    ]
    if data["categories"]:
        label = {"en": str(_("Kind of report"))}
        at = order.get(CATEGORY, 0)
        rows.append(Row(CATEGORY, label, at, CATEGORY in told["needs"], CATEGORY in told["same"], None, False))
    return sorted(rows, key=lambda row: row.at or len(rows) + 1)


def read_texting(data: dict[str, Any], post: Mapping[str, str], texts: Texts, problems: dict[str, str]) -> None:
    """Read the part of the form about structured messages; a page without it changes nothing."""
    if "texted-hours" not in post:
        return
    told = data["structured"]
    rows = {row.code: row for row in rows_of(data)}
    told["words"] = {code: word.upper() for code, word in texts("word-", 20).items()}
    told["said"], told["reminder"] = texts("texted-said-", 400), texts("texted-reminder-", 400)
    told["examples"] = texts("texted-examples-", 400)
    told["anyone"] = post.get("texted-anyone") == "on"
    told["fields"] = _in_order(rows, post)
    told["needs"] = _chosen("needs", told["needs"], told["fields"], post)
    told["same"] = _chosen("same", told["same"], told["fields"], post)
    site = post.get("texted-site", "")
    told["site"] = site if site in told["fields"] else ""
    hours = whole_number(ascii_digits(post["texted-hours"].strip()))
    if hours is None:
        problems["texted-hours"] = _("Write a whole number here.")
    else:
        told["correct_hours"] = hours
    for one in data["fields"]:
        if f"texted-short-{one['code']}" in post and one["code"] in rows:
            one["short"] = clean_text(post[f"texted-short-{one['code']}"], 10).lower()


def tried(definition: Definition, languages: list[str]) -> list[Tried]:
    """Read the examples as the dialogue would, in each language that has a code word."""
    found = []
    today = timezone.localdate()
    for language in languages:
        if language not in definition.structured.words:
            continue
        with translation.override(language):
            form, labels = form_of(definition, language), labels_of(definition, language)
        # What is wrong is told to the administrator, whose pages are English.
        own = definition.structured.examples.get(language)
        for line in examples_of(definition, language) if own else [form]:
            if not own:
                found.append(Tried(language, form, "", "", []))
                continue
            call = call_of(definition, line)
            if call is None:
                found.append(Tried(language, form, line, "", [_("It does not begin with the code word.")]))
                continue
            parsed = parse(definition, call.rest, today=today)
            problems = [f"{labels.get(code, code)} {sentence}" for code, sentence in parsed.errors.items()]
            problems += [_("%(answer)s is missing.") % {"answer": labels.get(code, code)} for code in parsed.missing]
            with translation.override(language):
                said = in_words(definition, parsed, language)
            found.append(Tried(language, form, line, said, problems))
    return found


def _in_order(rows: Mapping[str, Row], post: Mapping[str, str]) -> list[str]:
    # A number that two have puts them in the order of the page.
    places = [(whole_number(post.get(f"texted-at-{code}", "")) or 0, code) for code in rows]
    return [code for at, code in sorted(places, key=lambda pair: pair[0]) if at > 0]


def _chosen(what: str, before: list[str], asked: list[str], post: Mapping[str, str]) -> list[str]:
    """Give what is ticked among what is asked, in the order that it had."""
    ticked = [code for code in asked if post.get(f"texted-{what}-{code}") == "on"]
    return [*(code for code in before if code in ticked), *(code for code in ticked if code not in before)]
