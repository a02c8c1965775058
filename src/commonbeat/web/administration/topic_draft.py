"""A topic while it is being edited: what stands in the form, one round trip after another. Nothing is stored here.

The whole definition travels as JSON in one hidden field; only what is open has controls of its own. So the page works
without JavaScript and stays far below the number of fields that a form may have.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from django.utils.translation import gettext as _

from commonbeat.foundation.text import ascii_digits, clean_text, fold
from commonbeat.topics.checks import MOST_FIELDS, MOST_OPTIONS, WORKFLOW_STATES
from commonbeat.topics.definition import Definition, FieldKind, Period, decode, encode
from commonbeat.web.administration.numbers import whole_number
from commonbeat.web.administration.topic_texting import read_texting

WITH_OPTIONS = frozenset({FieldKind.CHOICE, FieldKind.CHOICES, FieldKind.RATING})
_STEP = re.compile(r"(category|field|option)-(?:(\d{1,3})-)?(add|up|remove|open|close)")


@dataclass(slots=True)
class Draft:
    """A definition as plain data, which question is open, and what could not be read."""

    data: dict[str, Any]
    open: int | None = None
    problems: dict[str, str] = field(default_factory=dict)

    @property
    def state(self) -> str:
        """Give the definition for the hidden field."""
        return json.dumps(self.data, ensure_ascii=False, separators=(",", ":"))

    @property
    def open_field(self) -> dict[str, Any] | None:
        """Give the question that is open."""
        fields = self.data["fields"]
        return fields[self.open] if self.open is not None and self.open < len(fields) else None

    def definition(self) -> Definition:
        """Make a definition of it, with short names for what has none yet and without what is empty."""
        data = json.loads(self.state)
        data["categories"] = _named([o for o in data["categories"] if any(o["label"].values())], "category")
        data["fields"] = _named(data["fields"], "question")
        for one in data["fields"]:
            if one["kind"] == FieldKind.TEXT:
                # Words that a text suggests to trained reporters; the page keeps them.
                continue
            if one["kind"] not in WITH_OPTIONS:
                one["options"] = []
            elif one["kind"] != FieldKind.RATING:
                one["options"] = _named([o for o in one["options"] if any(o["label"].values())], "answer")
            else:
                one["options"] = [o for o in one["options"] if any(o["label"].values())]
        data["workflow_texts"] = {state: texts for state, texts in data["workflow_texts"].items() if texts}
        return decode(data)

    def preview(self) -> Definition:
        """Make a definition to look at, however unfinished."""
        return self.definition()


def draft_of(definition: Definition) -> Draft:
    """Begin from a definition."""
    return Draft(encode(definition))


def blank() -> Draft:
    """Begin a new topic."""
    return draft_of(Definition(name={}, colour="#28608f"))


def read_draft(post: Mapping[str, str], languages: list[str]) -> Draft:
    """Read what the form sent; a damaged state begins anew, and `problems[""]` says so."""
    try:
        draft = draft_of(decode(msgspec.json.decode(post.get("state", ""))))
    # RecursionError: a thousand brackets in each other, which no browser sends.
    except (ValueError, RecursionError, msgspec.MsgspecError):
        draft = blank()
        draft.problems[""] = _("What arrived here was damaged or too large. Nothing was stored.")
    data = draft.data

    def texts(prefix: str, limit: int = 1000) -> dict[str, str]:
        return {code: text for code in languages if (text := clean_text(post.get(f"{prefix}{code}", ""), limit))}

    if f"name-{languages[0]}" in post:
        data["name"], data["help"] = texts("name-", 80), texts("help-")
        data["icon"], data["colour"] = post.get("icon", data["icon"]), post.get("colour", data["colour"])
        words = re.split(r"[,;،\n]+", post.get("keywords", ""))
        data["keywords"] = list(dict.fromkeys(word for w in words if (word := clean_text(w, 60))))
        data["workflow_texts"] = {s: told for s in WORKFLOW_STATES if (told := texts(f"told-{s}-", 400))}
        _read_privacy(draft, post)
    read_texting(data, post, texts, draft.problems)
    for index, category in enumerate(data["categories"]):
        category["label"] = texts(f"category-{index}-", 120)
    opened = whole_number(post.get("open", ""))
    draft.open = opened if opened is not None and opened < len(data["fields"]) else None
    if draft.open_field is not None:
        _read_field(draft, post, texts)
    return draft


def take_step(draft: Draft, step: str) -> None:
    """Do what a button of the form says: add, move up, remove, open or close a part."""
    match = _STEP.fullmatch(step)
    if match is None:
        return
    what, verb = match[1], match[3]
    index = int(match[2]) if match[2] else None
    one = draft.open_field
    options = one["options"] if one else []
    rows = {"category": draft.data["categories"], "field": draft.data["fields"], "option": options}[what]
    if verb == "close":
        draft.open = None
    elif verb == "add" and len(rows) < (MOST_FIELDS if what == "field" else MOST_OPTIONS):
        _add(draft, what, rows)
    elif index is not None and index < len(rows):
        if verb == "open":
            draft.open = index
        elif verb == "remove":
            del rows[index]
            if what == "field":
                draft.open = None
        elif verb == "up" and index > 0:
            rows[index - 1], rows[index] = rows[index], rows[index - 1]
            if what == "field" and draft.open is not None:
                draft.open = {index: index - 1, index - 1: index}.get(draft.open, draft.open)


def _add(draft: Draft, what: str, rows: list[dict[str, Any]]) -> None:
    if what == "field":
        rows.append(
            {"code": "", "kind": "text", "label": {}, "help": {}, "required": False, "options": [], "minimum": None}
            | {"maximum": None}
        )
        draft.open = len(rows) - 1
    elif what == "category" or draft.open_field is not None:
        rows.append({"code": "", "label": {}, "colour": ""})


def _read_privacy(draft: Draft, post: Mapping[str, str]) -> None:
    data = draft.data
    if post.get("publishes") in ("each", "counts"):
        data["publishes"] = post["publishes"]
    if post.get("who_may_report") in ("anyone", "account"):
        data["who_may_report"] = post["who_may_report"]
    if "period" in post:
        data["period"] = post["period"] or None
        if data["period"] is not None and data["period"] not in set(Period):
            data["period"] = None
            draft.problems["period"] = _("Choose by which span of time reports are counted.")
    for name in ("public_resolution", "smallest_count", "delay_hours", "expiry_days", "retention_days"):
        number = whole_number(ascii_digits(post.get(name, "0" if name == "retention_days" else "").strip()))
        if number is None:
            draft.problems[name] = _("Write a whole number here.")
        else:
            data[name] = number


def _read_field(draft: Draft, post: Mapping[str, str], texts: Any) -> None:
    one = draft.open_field
    if one is None or "field-kind" not in post:
        return
    if post["field-kind"] in set(FieldKind):
        one["kind"] = post["field-kind"]
    one["label"], one["help"] = texts("field-label-", 200), texts("field-help-")
    one["required"] = post.get("field-required") == "on"
    for name in ("minimum", "maximum"):
        written = post.get(f"field-{name}", "").strip().replace(",", ".")
        try:
            one[name] = float(written) if written else None
            if one[name] is not None and not math.isfinite(one[name]):
                raise ValueError
        except ValueError:
            one[name] = None
            draft.problems[f"field-{name}"] = _("Enter a number, such as 12 or 2.5.")
    # The words that a text suggests have no controls here.
    for index, option in enumerate(one["options"] if one["kind"] in WITH_OPTIONS else ()):
        option["label"] = texts(f"option-{index}-", 120)
    if one["kind"] == FieldKind.RATING:
        labels = [option["label"] for option in one["options"][:4]] + [{}] * 4
        one["options"] = [{"code": str(n), "label": labels[n], "colour": ""} for n in range(4)]
    elif one["kind"] in WITH_OPTIONS:
        while len(one["options"]) < 2:
            one["options"].append({"code": "", "label": {}, "colour": ""})


def _named(rows: list[dict[str, Any]], fallback: str) -> list[dict[str, Any]]:
    """Give a short name to each row that has none; those that have one keep it, for old answers are stored under it."""
    taken = {row["code"] for row in rows}
    for number, row in enumerate(rows, start=1):
        if row["code"]:
            continue
        words = fold(row["label"].get("en") or next(iter(row["label"].values()), "")).replace(" ", "-")[:30].strip("-")
        base = words if words[:1].isalpha() else f"{fallback}-{number}"
        code, again = base, 2
        while code in taken:
            code, again = f"{base}-{again}", again + 1
        row["code"] = code
        taken.add(code)
    return rows
