"""A list of reporters as a supervisor types or uploads it: one a line."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from datetime import time

from django.utils.translation import gettext as _

from commonbeat.foundation.text import ascii_digits, clean_text, fold
from commonbeat.reports.actions.expected import Enrolment
from commonbeat.reports.errors import ReportError
from commonbeat.reports.expected_models import Rhythm

COLUMNS = ("phone", "place", "language", "rhythm", "due", "weekday", "latitude", "longitude")
LONGEST = 1_000_000
_DAYS = {
    fold(name): number
    for number, names in enumerate(
        ("monday mon", "tuesday tue", "wednesday wed", "thursday thu", "friday fri", "saturday sat", "sunday sun")
    )
    for name in names.split()
}
_HOUR = re.compile(r"(\d{1,2})(?:[:.h](\d{2}))?")


def read_lines(text: str, *, languages: tuple[str, ...]) -> tuple[list[Enrolment], list[tuple[int, str, str]]]:
    """Read the lines; give the reporters, and of each line that cannot be read its number, itself and why."""
    found: list[Enrolment] = []
    problems: list[tuple[int, str, str]] = []
    columns: tuple[str, ...] = COLUMNS
    for number, (line, cells) in enumerate(_cells(text), start=1):
        if number == 1 and "phone" in [fold(cell) for cell in cells]:
            columns = tuple(fold(cell) for cell in cells)
            continue
        try:
            found.append(_row(dict(zip(columns, cells, strict=False)), languages))
        except ReportError as error:
            problems.append((number, line, error.sentence))
    return found, problems


def _cells(text: str) -> list[tuple[str, list[str]]]:
    lines = [line for line in clean_text(text, LONGEST).splitlines() if line.strip()]
    first = lines[0] if lines else ""
    separator = next((mark for mark in (";", "\t") if mark in first), ",")
    # Lines are parted first, so that one stray quotation mark spoils its own line alone.
    return [(line, [c.strip() for c in next(csv.reader([line], delimiter=separator), [])]) for line in lines]


def _row(cells: Mapping[str, str], languages: tuple[str, ...]) -> Enrolment:
    language = cells.get("language", "").lower()
    if language and language not in languages:
        raise ReportError(_("The language is one of: %(languages)s.") % {"languages": ", ".join(languages)})
    rhythm = fold(cells.get("rhythm", "")) or Rhythm.DAILY
    day = fold(cells.get("weekday", ""))
    if day and day not in _DAYS:
        raise ReportError(_("The weekday is a name such as Monday."))
    return Enrolment(
        phone=cells.get("phone", ""),
        site=cells.get("place", ""),
        language=language,
        rhythm=rhythm,
        weekday=_DAYS.get(day, 0),
        due_at=_time(cells.get("due", "")),
        latitude=_degrees(cells.get("latitude", ""), 90),
        longitude=_degrees(cells.get("longitude", ""), 180),
    )


def _time(written: str) -> time:
    if not written:
        return time(12)
    match = _HOUR.fullmatch(ascii_digits(written))
    if match is None or int(match[1]) > 23 or int(match[2] or 0) > 59:
        raise ReportError(_("The time when a report is due is written like 14:00."))
    return time(int(match[1]), int(match[2] or 0))


def _degrees(written: str, most: float) -> float | None:
    if not written:
        return None
    try:
        number = float(ascii_digits(written).replace(",", "."))
    except ValueError:
        number = most + 1
    if not -most <= number <= most:
        raise ReportError(_("Latitude and longitude are numbers such as 42.381 and 20.431."))
    return number
