"""Check and show the answers to a topic's form; pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from babel.dates import format_date
from babel.lists import format_list
from babel.numbers import format_decimal
from django.utils import timezone
from django.utils.translation import gettext as _

from commonbeat.foundation.text import ascii_digits, clean_text
from commonbeat.topics.definition import Definition, Field, FieldKind, Option, text_in

LONGEST_ANSWER = 2000
EARLIEST_YEAR = 1900
LARGEST_NUMBER = 1e12
RATINGS = ("0", "1", "2", "3")
# Photos and the place have steps, tables and checks of their own.
ASKED_ELSEWHERE = frozenset({FieldKind.PHOTO, FieldKind.PLACE})

_NUMBER = re.compile(r"[+-]?\d{1,15}(?:\.\d{1,9})?")
_TIME = re.compile(r"(\d{1,2})\s*[:.h]?\s*(\d{2})")
_DAY_FIRST = re.compile(r"(\d{1,2})\s*[./-]\s*(\d{1,2})\s*[./-]\s*(\d{4})\.?")


class AnswerError(ValueError):
    """Carry the sentence that the reporter reads."""


def asked_fields(definition: Definition) -> list[Field]:
    """Give the fields whose answers are checked here: all but photos and the place."""
    return [field for field in definition.fields if field.kind not in ASKED_ELSEWHERE]


def check_answers(
    definition: Definition, raw: Mapping[str, Sequence[str]], *, today: date | None = None
) -> tuple[dict[str, Any], dict[str, str]]:
    """Check what a form sent, code → values, and return (answers, errors by code).

    Answers are JSON data: str, float or int, list of codes, ISO date. Empty ones are left out, unknown ones ignored.
    `today` is the site's date, beyond which a date lies in the future; without it the clock is asked.
    """
    answers: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for field in asked_fields(definition):
        given = [value for value in (v.strip() for v in raw.get(field.code, ())) if value]
        try:
            if given:
                answers[field.code] = answer_to(field, given, today=today or timezone.localdate())
            elif field.required:
                raise AnswerError(_missing(field))
        except AnswerError as error:
            errors[field.code] = str(error)
    return answers, errors


def check_categories(definition: Definition, codes: Sequence[str]) -> list[str]:
    """Keep the known categories, each once, in the topic's order."""
    return [option.code for option in definition.categories if option.code in set(codes)]


def describe_answers(definition: Definition, answers: Mapping[str, Any], language: str) -> list[tuple[str, str]]:
    """Put answers into words, in the form's order; answers whose question is gone come last, under their short name."""
    rows = []
    known = set()
    for field in asked_fields(definition):
        known.add(field.code)
        value = answers.get(field.code)
        if value is not None and value != "" and value != []:
            rows.append((text_in(field.label, language), _describe(field, value, language)))
    rows.extend((code, str(value)) for code, value in answers.items() if code not in known)
    return rows


def describe_categories(definition: Definition, codes: Sequence[str], language: str) -> list[str]:
    """Put category codes into words; an unknown code stands for itself."""
    return [_label(definition.categories, code, language) for code in codes]


def answer_to(field: Field, given: list[str], *, today: date) -> str | float | int | list[str]:
    """Read one answer from what was typed; AnswerError says what is wrong."""
    kind = field.kind
    if kind is FieldKind.CHOICES:
        return _choices(field, given)
    if len(given) > 1:
        raise AnswerError(_("Give one answer here."))
    value = given[0]
    if kind is FieldKind.TEXT:
        return _text(field, value)
    if kind is FieldKind.NUMBER:
        return _number(field, value)
    if kind is FieldKind.DATE:
        return _date(value, today)
    if kind is FieldKind.TIME:
        return _time(value)
    if kind is FieldKind.RATING:
        value = ascii_digits(value)
        if value not in RATINGS:
            raise AnswerError(_("Choose a number from 0 to 3."))
        return int(value)
    if value not in {option.code for option in field.options}:
        raise AnswerError(_("Choose one of the answers."))
    return value


def _choices(field: Field, given: list[str]) -> list[str]:
    known = [option.code for option in field.options]
    if any(value not in known for value in given):
        raise AnswerError(_("Choose among the answers."))
    return [code for code in known if code in given]


def _text(field: Field, value: str) -> str:
    limit = int(field.maximum) if field.maximum else LONGEST_ANSWER
    limit = min(limit, LONGEST_ANSWER)
    text = clean_text(value, LONGEST_ANSWER + 1)
    if len(text) > limit:
        raise AnswerError(_("Use at most %(count)d characters.") % {"count": limit})
    if not text and field.required:
        raise AnswerError(_missing(field))
    return text


def _number(field: Field, value: str) -> float | int:
    plain = ascii_digits(value).replace("\u00a0", "").replace("\u202f", "").replace(" ", "")
    plain = plain.replace("٫", ".").replace(",", ".").replace("−", "-")
    if not _NUMBER.fullmatch(plain):
        raise AnswerError(_("Enter a number, such as 12 or 2.5."))
    number = float(plain)
    low = field.minimum if field.minimum is not None else -LARGEST_NUMBER
    high = field.maximum if field.maximum is not None else LARGEST_NUMBER
    if number < low:
        raise AnswerError(_("Enter %(number)s or more.") % {"number": _plain(low)})
    if number > high:
        raise AnswerError(_("Enter %(number)s or less.") % {"number": _plain(high)})
    return int(number) if number.is_integer() else number


def _date(value: str, today: date) -> str:
    plain = ascii_digits(value)
    day_first = _DAY_FIRST.fullmatch(plain)
    try:
        if day_first:
            day = date(int(day_first[3]), int(day_first[2]), int(day_first[1]))
        else:
            day = datetime.fromisoformat(plain).date()
    except ValueError:
        raise AnswerError(_("Enter a date, such as 27.3.2025.")) from None
    if day > today:
        raise AnswerError(_("This date has not come yet. Enter today or an earlier day."))
    if day.year < EARLIEST_YEAR:
        raise AnswerError(_("This date is too long ago."))
    return day.isoformat()


def _missing(field: Field) -> str:
    if field.kind in (FieldKind.CHOICE, FieldKind.RATING):
        return _("Choose an answer.")
    if field.kind is FieldKind.CHOICES:
        return _("Choose at least one answer.")
    return _("Please answer this question.")


def _time(value: str) -> str:
    match = _TIME.fullmatch(ascii_digits(value).strip())
    if match is None or int(match[1]) > 23 or int(match[2]) > 59:
        raise AnswerError(_("Enter a time, such as 9:30 or 14:05."))
    return f"{int(match[1]):02}:{match[2]}"


def _describe(field: Field, value: Any, language: str) -> str:
    if isinstance(value, list):
        return format_list([_label(field.options, str(code), language) for code in value], locale=language)
    if field.kind in (FieldKind.CHOICE, FieldKind.TEXT):
        # Words that a text question suggests are kept by their code, whatever language they were written in.
        return _label(field.options, str(value), language)
    if field.kind is FieldKind.RATING:
        label = _label(field.options, str(value), language)
        return f"{value} / 3" if label == str(value) else f"{value} / 3: {label}"
    if field.kind is FieldKind.NUMBER and isinstance(value, int | float):
        return format_decimal(value, locale=language)
    if field.kind is FieldKind.DATE:
        try:
            return format_date(date.fromisoformat(str(value)), "long", locale=language)
        except ValueError:
            return str(value)
    return str(value)


def _label(options: Sequence[Option], code: str, language: str) -> str:
    return next((text_in(option.label, language) for option in options if option.code == code), code)


def _plain(number: float) -> str:
    return str(int(number)) if float(number).is_integer() else str(number)
