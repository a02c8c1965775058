"""May this definition be used? Pure; every problem is a sentence for the administrator."""

from __future__ import annotations

import re

from django.utils.translation import gettext as _

from commonbeat.foundation.text import fold
from commonbeat.topics.definition import (
    CATEGORY,
    Definition,
    Field,
    FieldKind,
    Option,
    Period,
    Publishes,
    Texts,
    text_in,
)

CODE = re.compile(r"[a-z][a-z0-9-]{1,39}")
FIELD_CODE = re.compile(r"[a-z][a-z0-9_-]{0,39}")
OPTION_CODE = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
COLOUR = re.compile(r"#[0-9a-f]{6}")
ICON = re.compile(r"[a-z][a-z-]{0,30}")

# A real deployment (Haiti 2010) had 47 categories.
MOST_FIELDS, MOST_OPTIONS, MOST_KEYWORDS = 30, 200, 40
FINEST_RESOLUTION, COARSEST_RESOLUTION = 13, 5
LONGEST_NAME, LONGEST_TEXT = 80, 1000
# What every form asks for, and a topic may ask for in its own words.
ASKED_OF_ALL = ("what", "when", "where")
WORKFLOW_STATES = ("triaged", "published", "resolved", "rejected", "duplicate", "expired")
# In how a structured message is repeated: the short name of a question.
PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_-]*)\}")
# Answers to any message, whatever the topic.
RESERVED_WORDS = frozenset(
    fold(word)
    for word in (
        "stop", "start", "help", "status", "info", "yes", "no", "ndal", "nis", "fillo", "ndihmë", "statusi",
        "po", "jo", "توقف", "قف", "ابدأ", "مساعدة", "حالة", "نعم", "لا", "officer", "oficeri", "الضابط",
        "erase", "fshij", "امسح",
    )
)  # fmt: skip


def problems_of(definition: Definition, *, code: str) -> dict[str, str]:
    """Find what cannot be used, as part → sentence; parts are such as "name", "fields.2.options.0"."""
    found: dict[str, str] = {}
    # "all" stands for every topic in addresses of maps.
    if not CODE.fullmatch(code) or code == "all":
        found["code"] = _("The short name has 2 to 40 small letters, digits and dashes, and begins with a letter.")
    _check_texts(found, "name", definition.name, LONGEST_NAME, required=True)
    _check_texts(found, "help", definition.help, LONGEST_TEXT)
    if not ICON.fullmatch(definition.icon):
        found["icon"] = _("Choose an icon from the list.")
    if not COLOUR.fullmatch(definition.colour):
        found["colour"] = _("Choose a colour from the list.")
    _check_options(found, "categories", definition.categories)
    if len(definition.fields) > MOST_FIELDS:
        found["fields"] = _("A form has at most %(count)d questions.") % {"count": MOST_FIELDS}
    codes = [field.code for field in definition.fields]
    for index, field in enumerate(definition.fields[:MOST_FIELDS]):
        if not FIELD_CODE.fullmatch(field.code) or codes.index(field.code) != index:
            found[f"fields.{index}.code"] = _("Each question needs a short name of its own in small letters.")
        _check_field(found, f"fields.{index}", field)
    if definition.who_may_report not in ("anyone", "account"):
        found["who_may_report"] = _("Choose who may report.")
    found |= _privacy_problems(definition)
    found |= _score_problems(definition)
    found |= _keyword_problems(definition.keywords)
    found |= _structured_problems(definition)
    for state, texts in definition.workflow_texts.items():
        if state not in WORKFLOW_STATES:
            found["workflow_texts"] = _("The reporter is not told of the state “%(state)s”.") % {"state": state}
        _check_texts(found, f"workflow_texts.{state}", texts, 300)
    for asked, texts in definition.questions.items():
        if asked not in ASKED_OF_ALL:
            found["questions"] = _("A topic can word the questions what, when and where.")
        _check_texts(found, f"questions.{asked}", texts, 120)
    return found


def _privacy_problems(definition: Definition) -> dict[str, str]:
    found = {}
    if not COARSEST_RESOLUTION <= definition.public_resolution <= FINEST_RESOLUTION:
        found["public_resolution"] = _("Choose how exactly the place is shown.")
    if not 1 <= definition.smallest_count <= 1000:
        found["smallest_count"] = _("The smallest count shown is a number from 1 to 1000.")
    elif definition.publishes is Publishes.COUNTS and definition.smallest_count < 3:
        # Below 3, one of two people in a cell learns of the other by leaving out their own report.
        found["smallest_count"] = _("A topic that shows only counts shows none below 3.")
    if definition.never_public and definition.publishes is not Publishes.COUNTS:
        # So that whatever keeps a single report from the public keeps these from it, too.
        found["publishes"] = _("This topic is for the desk alone. It cannot publish each report.")
    if definition.publishes is Publishes.COUNTS and definition.period is Period.DAY:
        # Whoever saw something happen knows its day, and with it whom a count of that day is about.
        found["period"] = _("A topic that shows only counts tells them by week or month, not by day.")
    if not 0 <= definition.delay_hours <= 24 * 365:
        found["delay_hours"] = _("The delay is a number of hours from 0 to 8760.")
    if not 0 <= definition.expiry_days <= 3650:
        found["expiry_days"] = _("Expiry is a number of days from 0 to 3650.")
    if not 0 <= definition.retention_days <= 36_500:
        found["retention_days"] = _("How long reports are kept is a number of days from 0 to 36500.")
    return found


def _score_problems(definition: Definition) -> dict[str, str]:
    found = {}
    for index, field in enumerate(definition.fields[:MOST_FIELDS]):
        if field.weight is not None and not (field.kind is FieldKind.RATING and 0 <= field.weight <= 100):
            found[f"fields.{index}.weight"] = _("A rating weighs between 0 and 100 in the safety score.")
    for index, option in enumerate(definition.categories[:MOST_OPTIONS]):
        if option.lighting is not None and not 0 <= option.lighting <= 3:
            found[f"categories.{index}.lighting"] = _("What a kind says of the lighting is a number from 0 to 3.")
    scores = definition.scores
    if not (
        COARSEST_RESOLUTION <= scores.resolution <= FINEST_RESOLUTION
        and 0 < scores.strength <= 1_000
        and 0 <= scores.half_life_days <= 36_500
    ):
        found["scores"] = _("The safety score cannot be computed with these numbers.")
    return found


def _keyword_problems(keywords: list[str]) -> dict[str, str]:
    if len(keywords) > MOST_KEYWORDS:
        return {"keywords": _("A topic has at most %(count)d keywords.") % {"count": MOST_KEYWORDS}}
    for keyword in keywords:
        if not fold(keyword) or len(keyword) > 40:
            return {"keywords": _("“%(keyword)s” cannot begin a text message.") % {"keyword": keyword[:40]}}
        if fold(keyword) in RESERVED_WORDS:
            sentence = _("“%(keyword)s” already means something in every text message.")
            return {"keywords": sentence % {"keyword": keyword}}
    return {}


def _structured_problems(definition: Definition) -> dict[str, str]:
    structured = definition.structured
    if not structured.words:
        return {}
    kinds = {field.code: field.kind for field in definition.fields}
    if definition.categories:
        kinds[CATEGORY] = FieldKind.CHOICE
    named = [*structured.fields, *structured.needs, *structured.same, *([structured.site] if structured.site else [])]
    named += [code for text in structured.said.values() for code in PLACEHOLDER.findall(text)]
    for word in structured.words.values():
        if not re.fullmatch(r"[^\W_]{2,20}", word) or fold(word) in RESERVED_WORDS:
            return {"structured": _("“%(word)s” cannot be a code word.") % {"word": word[:20]}}
    if not structured.fields or len(set(structured.fields)) != len(structured.fields):
        return {"structured": _("A structured message names each of its questions once.")}
    for code in named:
        if code not in kinds or kinds[code] in (FieldKind.PHOTO, FieldKind.PLACE):
            return {"structured": _("A structured message cannot ask for “%(code)s”.") % {"code": code[:40]}}
    if structured.site and kinds[structured.site] is not FieldKind.TEXT:
        return {"structured": _("The place of a reporter is a question that is answered in words.")}
    if not 0 <= structured.correct_hours <= 48:
        return {"structured": _("A message corrects an earlier one within 0 to 48 hours.")}
    short = [field.short for field in definition.fields if field.short]
    if len(set(short)) != len(short) or not all(re.fullmatch(r"[a-z]{1,10}", one) for one in short):
        return {"structured": _("The short name of an answer has 1 to 10 small letters and is used once.")}
    found: dict[str, str] = {}
    for texts in (structured.said, structured.examples, structured.reminder):
        _check_texts(found, "structured", texts, 400)
    return found


def _check_field(found: dict[str, str], where: str, field: Field) -> None:
    _check_texts(found, f"{where}.label", field.label, 200, required=True)
    _check_texts(found, f"{where}.help", field.help, LONGEST_TEXT)
    if field.kind in (FieldKind.CHOICE, FieldKind.CHOICES) and len(field.options) < 2:
        found[f"{where}.options"] = _("A question with choices needs at least two answers.")
    if field.kind is FieldKind.RATING and any(option.code not in ("0", "1", "2", "3") for option in field.options):
        found[f"{where}.options"] = _("The answers of a rating are 0, 1, 2 and 3.")
    _check_options(found, f"{where}.options", field.options)
    if field.minimum is not None and field.maximum is not None and field.minimum > field.maximum:
        found[f"{where}.minimum"] = _("The smallest number is larger than the largest.")


def _check_options(found: dict[str, str], where: str, options: list[Option]) -> None:
    if len(options) > MOST_OPTIONS:
        found[where] = _("There can be at most %(count)d answers.") % {"count": MOST_OPTIONS}
    codes = [option.code for option in options]
    for index, option in enumerate(options[:MOST_OPTIONS]):
        if not OPTION_CODE.fullmatch(option.code) or codes.index(option.code) != index:
            found[f"{where}.{index}"] = _("Each answer needs a short name of its own in small letters.")
        _check_texts(found, f"{where}.{index}", option.label, 120, required=True)


def _check_texts(found: dict[str, str], where: str, texts: Texts, limit: int, *, required: bool = False) -> None:
    if required and not text_in(texts, "en").strip():
        found.setdefault(where, _("Write this in at least one language."))
    elif any(len(text) > limit for text in texts.values()):
        found.setdefault(where, _("Use at most %(count)d characters.") % {"count": limit})
