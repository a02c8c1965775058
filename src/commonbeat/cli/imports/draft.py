"""Guess a first mapping from what a file's columns are called and what stands in them."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

from rapidfuzz import fuzz, process

from commonbeat.cli.imports.mapping import Mapping
from commonbeat.cli.imports.records import FileNotReadable, Record, shown
from commonbeat.cli.imports.source import open_source
from commonbeat.cli.imports.tables import Table
from commonbeat.cli.imports.values import EXCEL, MILLISECONDS, UNIX, USUAL_DATES, read_date, read_number
from commonbeat.foundation.coordinates import parse_coordinates
from commonbeat.foundation.text import fold
from commonbeat.topics.answers import asked_fields
from commonbeat.topics.definition import Definition, Option

SAMPLE = 5_000
# A choice has few values.
MOST_VALUES = 30
LIKE = 80.0
# What columns are called, in the languages of the region and of those who export.
NAMES = {
    "id": "id|nr|no|number|serial|objectid|fid|uuid|ref|reference|globalid",
    "latitude": "lat|latitude|y|gjeresia|sirina|breitengrad|geo lat|location lat",
    "longitude": "lon|lng|long|longitude|x|gjatesia|duzina|laengengrad|geo lon|location lon|location lng",
    "point": "coordinates|koordinatat|location|geolocation|gps|point|wkt|the geom|latlon|position",
    "name": "place|place name|address|adresa|vendi|village|fshati|street|rruga|location name|ort|lokacija|town",
    "title": "title|name|titulli|subject|headline|naslov|titel|summary",
    "text": "text|description|pershkrimi|note|notes|comment|details|opis|beschreibung|message|remarks",
    "date": "date|datetime|timestamp|data|koha|created|created at|reported|reported at|incident date|datum|saved time",
    "time": "time|ora|hour|vreme|uhrzeit",
    "categories": "category|categories|kategoria|type|types|kind|lloji|tip|kategorija|art",
    "state": "status|state|statusi|approved|stanje",
}
_DATE_FORMS = (*USUAL_DATES, "%m/%d/%Y", "%m/%d/%Y %H:%M", "%m/%d/%Y %I:%M:%S %p", "%d.%m.%y", "%d/%m/%y")
# 2001 to 2100, in seconds and in thousandths; Excel's days from 1980 to 2064.
_UNIX, _EXCEL = range(978_307_200, 4_102_444_800), range(29_221, 60_000)


@dataclass(slots=True)
class _Column:
    name: str
    values: list[str] = field(default_factory=list)
    parts: Counter[str] = field(default_factory=Counter)
    is_list: bool = False


def draft_mapping(path: Path, definition: Definition) -> str:
    """Write a commented mapping for a file; FileNotReadable when it cannot be read."""
    opened = open_source(path, Mapping())
    records = list(islice(opened.records(), SAMPLE))
    columns = _columns(records)
    if not columns:
        raise FileNotReadable("No row of the file can be read, so nothing can be guessed.")
    has_geometry = any(record.geometry for record in records)
    lines = [
        f"# A first mapping for {shown(path.name)}, guessed from {len(records)} rows.",
        "# Check each line, then try it with --dry-run.",
        f"# Columns: {', '.join(shown(column.name) for column in columns)}",
        "",
        "# The same source and row is the same report, however often the file is imported.",
        f"source = {_quoted(path.stem)}",
        "# Whose the data are, and what may be done with them: shown in public.",
        'credit = ""',
        'licence = ""',
    ]
    if isinstance(opened, Table) and opened.encoding in ("cp1252", "latin-1"):
        lines += [
            "# Not UTF-8. If č or ő look wrong it is windows-1250, if Arabic does windows-1256.",
            'encoding = "windows-1252"',
        ]
    guess = _Guess(columns, definition, has_geometry=has_geometry)
    return "\n".join([*lines, *guess.lines()]) + "\n"


class _Guess:
    """Chooses a column for each part of a mapping; each column once."""

    def __init__(self, columns: Sequence[_Column], definition: Definition, *, has_geometry: bool) -> None:
        self._free = {column.name: column for column in columns}
        self._definition = definition
        self._has_geometry = has_geometry

    def lines(self) -> Iterator[str]:
        # Surest first: what a value shows before what a name lets hope.
        place = list(self._place())
        date = list(self._date())
        fields = list(self._fields())
        categories = list(self._categories())
        yield from self._head()
        yield from place
        yield from date
        yield from categories
        yield from fields
        yield from self._state()

    def _head(self) -> Iterator[str]:
        key = self._take("id", fits=_are_unique)
        yield "# The column that names each row. Without it, a row that was changed since is a new report."
        yield f"id = {_quoted(key.name)}" if key else '# id = ""'
        title, text = self._take("title"), self._take("text")
        yield "# Columns in braces; the rest is written as it stands. Without a title, the topic's name."
        yield f"title = {_quoted('{' + title.name + '}')}" if title else '# title = "{…}"'
        yield f"text = {_quoted('{' + text.name + '}')}" if text else '# text = "{…}"'

    def _place(self) -> Iterator[str]:
        yield from ("", "[place]")
        latitude = self._take("latitude", fits=lambda c: _all_numbers(c, 90))
        longitude = self._take("longitude", fits=lambda c: _all_numbers(c, 180)) if latitude else None
        point = None if longitude else self._take("point", fits=_are_points)
        if latitude and longitude:
            yield f"latitude = {_quoted(latitude.name)}"
            yield f"longitude = {_quoted(longitude.name)}"
        elif point:
            yield f"point = {_quoted(point.name)}"
        elif self._has_geometry:
            yield "# The geometry of each feature is its place."
        else:
            yield "# No column looks like coordinates: the name is looked up in this site's gazetteer."
            yield "look_up = true"
        name = self._take("name")
        yield f"name = {_quoted('{' + name.name + '}')}" if name else '# name = "{…}"'
        yield "# What is no point on Earth: refuse the row, or leave out its place."
        yield 'unreadable = "refuse"'

    def _date(self) -> Iterator[str]:
        yield from ("", "[date]")
        column = self._take("date", fits=lambda c: bool(_date_forms(c)))
        if column is None:
            yield "# No column looks like a date. Name it, or a day that stands for all rows:"
            yield '# column = ""'
            yield '# otherwise = "2015-03-31"'
            return
        time = self._take("time")
        yield f"column = {_quoted(column.name)}"
        if time:
            yield f"time = {_quoted(time.name)}"
        yield "# Tried in this order; %d.%m.%Y %H:%M is 31.12.2024 23:59."
        yield f"formats = {json.dumps(_date_forms(column), ensure_ascii=False)}"
        empty = any(not value for value in column.values)
        yield f"# For rows without a date{', of which there are some' if empty else ''}; else they are not taken."
        yield '# otherwise = "2015-03-31"'

    def _categories(self) -> Iterator[str]:
        if not self._definition.categories:
            return
        column = self._take("categories", fits=_is_choice) or self._like_options(self._definition.categories)
        yield from ("", "[categories]")
        if column is None:
            yield '# column = ""'
            yield f"# There are: {_codes(self._definition.categories)}"
            return
        yield from _values(column, self._definition.categories, "categories")

    def _fields(self) -> Iterator[str]:
        for question in asked_fields(self._definition):
            names = [question.code, *question.label.values()]
            column = self._best(names, fits=_is_choice if question.options else None)
            if column is None and question.options:
                column = self._like_options(question.options)
            yield from ("", f"[fields.{question.code}]")
            if column is None:
                yield '# column = ""'
                if question.options:
                    yield f"# There are: {_codes(question.options)}"
                continue
            self._free.pop(column.name)
            if question.options:
                yield from _values(column, question.options, f"fields.{question.code}")
            else:
                yield f"column = {_quoted(column.name)}"

    def _state(self) -> Iterator[str]:
        yield from (
            "",
            "[state]",
            "# publish: shown at once if screening finds nothing; new: the desk decides; reject.",
        )
        column = self._take("state", fits=_is_choice)
        yield 'otherwise = "new"'
        if column:
            yield f"column = {_quoted(column.name)}"
            yield "[state.values]"
            for value in column.parts:
                yield f'{_quoted(value)} = "new"'

    def _take(self, part: str, fits: object = None) -> _Column | None:
        column = self._best(NAMES[part].split("|"), fits=fits)
        if column is not None:
            self._free.pop(column.name)
        return column

    def _best(self, names: Sequence[str], fits: object = None) -> _Column | None:
        scores: list[tuple[float, str]] = []
        for name in self._free:
            spoken = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
            # The whole name counts more than its last part.
            whole, part = fold(spoken), fold(spoken.rpartition(".")[2])
            known = [fold(each) for each in names]
            score = max(
                max((fuzz.ratio(whole, each) for each in known), default=0.0),
                max((fuzz.ratio(part, each) for each in known), default=0.0) - 5.0,
                90.0 if whole.rpartition(" ")[2] in known and " " in whole else 0.0,
            )
            if score >= LIKE:
                scores.append((score, name))
        for _score, name in sorted(scores, key=lambda pair: -pair[0]):
            if not callable(fits) or fits(self._free[name]):
                return self._free[name]
        return None

    def _like_options(self, options: Sequence[Option]) -> _Column | None:
        """Give the column most of whose values are a choice's answers."""
        for column in list(self._free.values()):
            known = [value for value in column.parts if _option_for(value, options)]
            if _is_choice(column) and len(known) * 2 > len(column.parts):
                return column
        return None


def _columns(records: Sequence[Record]) -> list[_Column]:
    found: dict[str, _Column] = {}
    for record in records:
        for name, cell in record.values.items():
            column = found.setdefault(name, _Column(name))
            parts = cell if isinstance(cell, list) else [cell]
            column.is_list = column.is_list or isinstance(cell, list)
            column.values.append(", ".join(parts).strip())
            column.parts.update(part.strip() for part in parts if part.strip())
    return list(found.values())


def _values(column: _Column, options: Sequence[Option], section: str) -> Iterator[str]:
    yield f"column = {_quoted(column.name)}"
    separator = _separator(column)
    parts = list(column.parts)
    if separator:
        yield f"separator = {_quoted(separator)}"
        parts = list(dict.fromkeys(piece.strip() for part in parts for piece in part.split(separator) if piece.strip()))
    yield "# A value of which nothing is said below: refuse the row, leave the value out, or (categories) add it."
    yield 'unknown = "refuse"'
    yield f"[{section}.values]"
    yield f'# There are: {_codes(options)}. "" leaves a value out.'
    for part in parts[:MOST_VALUES]:
        yield f"{_quoted(part)} = {_quoted(_option_for(part, options))}"


def _separator(column: _Column) -> str:
    if column.is_list:
        return ""
    for separator in (";", "|", ","):
        pieces = {piece.strip() for part in column.parts for piece in part.split(separator)}
        if any(separator in part for part in column.parts) and len(pieces) <= len(column.parts):
            return separator
    return ""


def _option_for(value: str, options: Sequence[Option]) -> str:
    names = {fold(name): option.code for option in options for name in (option.code, *option.label.values())}
    found = process.extractOne(fold(value), list(names), scorer=fuzz.token_set_ratio, score_cutoff=LIKE)
    return names[found[0]] if found and fold(value) else ""


def _are_unique(column: _Column) -> bool:
    return len(set(column.values)) == len(column.values) and all(column.values)


def _is_choice(column: _Column) -> bool:
    return 0 < len(column.parts) <= MOST_VALUES and max(map(len, column.parts)) <= 80


def _all_numbers(column: _Column, most: float) -> bool:
    numbers = [read_number(value.replace(",", ".")) for value in column.values if value]
    return bool(numbers) and all(number is not None and abs(number) <= most for number in numbers[:50])


def _are_points(column: _Column) -> bool:
    given = [value for value in column.values if value][:50]
    return bool(given) and sum(parse_coordinates(value) is not None for value in given) * 2 > len(given)


def _date_forms(column: _Column) -> list[str]:
    """Give the forms that read every date of a column; of two, the one that comes first in the list."""
    given = [value for value in column.values if value][:SAMPLE]
    numbers = [read_number(value) for value in given]
    if given and all(number is not None for number in numbers):
        for form, span, factor in ((MILLISECONDS, _UNIX, 1000), (UNIX, _UNIX, 1), (EXCEL, _EXCEL, 1)):
            if all(number is not None and int(number / factor) in span for number in numbers):
                return [form]
    zone = ZoneInfo("UTC")
    left, forms = given, []
    for form in _DATE_FORMS:
        if left and _reads(left, form, given, zone):
            forms.append(form)
            left = [value for value in left if read_date(value, (form,), zone) is None]
    return forms if given and not left else []


def _reads(left: Sequence[str], form: str, given: Sequence[str], zone: ZoneInfo) -> bool:
    """Tell whether a form reads dates that no other has read; of day and month, the order that reads all wins."""
    other = form.replace("%d/%m", "%m/%d")
    if other != form and any(_is_only(value, other, form, zone) for value in given):
        return False
    return any(read_date(value, (form,), zone) is not None for value in left)


def _is_only(value: str, form: str, but: str, zone: ZoneInfo) -> bool:
    return read_date(value, (form,), zone) is not None and read_date(value, (but,), zone) is None


def _codes(options: Sequence[Option]) -> str:
    return ", ".join(option.code for option in options)


def _quoted(text: str) -> str:
    # A JSON string is a TOML string, but for one control character.
    plain = text.encode("utf-8", "replace").decode("utf-8")
    return json.dumps(plain, ensure_ascii=False).replace("\x7f", "\\u007f")
