"""Make a report of a record, as the mapping says, or say why it is none."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from commonbeat.cli.imports.mapping import Mapping as FileMapping
from commonbeat.cli.imports.mapping import MappingError, Values, nearest
from commonbeat.cli.imports.records import Cell, Record, RowError, content_key, fingerprint, shown
from commonbeat.cli.imports.values import PointError, read_date, read_geometry, read_number, read_pair, read_point
from commonbeat.foundation.text import clean_text, fold
from commonbeat.places.gazetteer import place_called
from commonbeat.reports.actions.imports import ImportedReport, ImportedRow
from commonbeat.reports.actions.submit import NOWHERE, Whereabouts
from commonbeat.reports.models import PlaceSource
from commonbeat.topics.answers import asked_fields, check_answers
from commonbeat.topics.definition import Definition, Field, FieldKind, Option, text_in

KEY_LIMIT = 60
_COLUMN = re.compile(r"\{([^{}]+)\}")
# Clocks differ, and a date without a zone may be a day ahead.
_AHEAD = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the reader of rows needs of the site."""

    definition: Definition
    languages: Sequence[str]
    zone: ZoneInfo
    now: datetime


class RowReader:
    """Reads records of one file by one mapping."""

    def __init__(self, mapping: FileMapping, around: Surroundings) -> None:
        """Check the mapping against the topic; MappingError when it names what the topic does not have."""
        self._mapping = mapping
        self._around = around
        definition = around.definition
        self._fields = {field.code: field for field in asked_fields(definition)}
        for code in mapping.fields:
            if code not in self._fields:
                meant = nearest(code, self._fields)
                raise MappingError(
                    f"The topic asks no question “{shown(code)}”. "
                    + (f"Did you mean “{meant}”?" if meant else f"It asks: {', '.join(self._fields) or 'none'}.")
                )
        self._categories = _Choices(mapping.categories, definition.categories, "categories")
        self._choices = {
            code: _Choices(values, self._fields[code].options, f"fields.{code}")
            for code, values in mapping.fields.items()
            if self._fields[code].options
        }
        self._otherwise = self._fallback_date()

    def columns(self) -> Iterator[str]:
        """Name every column that the mapping reads."""
        mapping = self._mapping
        place, day = mapping.place, mapping.date
        yield from (mapping.id, place.latitude, place.longitude, place.point, day.column, day.time)
        yield from (mapping.categories.column, mapping.state.column, *(v.column for v in mapping.fields.values()))
        for template in (mapping.title, mapping.text, mapping.language, place.name):
            yield from _COLUMN.findall(template)

    def read(self, record: Record) -> ImportedRow:
        """Make a report of a record; the row says why where it is none."""
        mark = fingerprint(record.raw)
        given = _text(record.values, self._mapping.id)
        # A long one is hashed: two that begin alike are two.
        key = shown(given, KEY_LIMIT) if len(given) <= KEY_LIMIT else content_key(given)
        key = key or content_key(record.raw)
        if record.problem:
            # The id of a broken row cannot be trusted, so its own content names it.
            return ImportedRow(record.number, content_key(record.raw), None, problem=record.problem, fingerprint=mark)
        try:
            report, options = self._report(record)
        except (RowError, PointError) as error:
            problem = shown(str(error), 200)
            return ImportedRow(record.number, key, None, problem=problem, fingerprint=mark)
        return ImportedRow(record.number, key, report, options, fingerprint=mark)

    def _report(self, record: Record) -> tuple[ImportedReport, tuple[Option, ...]]:
        mapping, values = self._mapping, record.values
        said_at, is_dated = self._date(values)
        codes, options = self._categories.read(values)
        name = text_in(self._around.definition.name, self._language(values) or self._around.languages[0])
        where, remark = self._where(record)
        report = ImportedReport(
            title=clean_text(self._fill(mapping.title, values) or name, 200),
            text=clean_text(self._fill(mapping.text, values), 10_000),
            said_at=said_at,
            is_dated=is_dated,
            categories=codes,
            answers=self._answers(values),
            where=where,
            state=self._state(values),
            language=self._language(values),
            remark=remark,
        )
        return report, options

    def _date(self, values: Mapping[str, Cell]) -> tuple[datetime, bool]:
        day = self._mapping.date
        given = f"{_text(values, day.column)} {_text(values, day.time)}".strip()
        if not _text(values, day.column):
            if self._otherwise is None:
                raise RowError("has no date")
            return self._otherwise, False
        said_at = read_date(given, day.formats, self._around.zone)
        if said_at is None:
            raise RowError(f"has the date “{shown(given, 40)}”, which is none")
        if said_at > self._around.now + _AHEAD:
            raise RowError(f"has the date “{shown(given, 40)}”, which has not come yet")
        return min(said_at, self._around.now), True

    def _fallback_date(self) -> datetime | None:
        given = self._mapping.date.otherwise
        if not given:
            return None
        found = read_date(given, ("iso",), self._around.zone)
        if found is None or found > self._around.now:
            raise MappingError(f"[date] otherwise = “{shown(given)}” is no day that has been. Write one as 2015-03-31.")
        return found

    def _where(self, record: Record) -> tuple[Whereabouts, str]:
        place = self._mapping.place
        name = clean_text(self._fill(place.name, record.values), 200)
        nowhere = Whereabouts(name=name) if name else NOWHERE
        try:
            pair = self._pair(record)
        except PointError as error:
            if place.unreadable == "refuse":
                raise
            return nowhere, clean_text(f"The row {error}; it was taken without its place.", 300)
        if pair is not None:
            return Whereabouts(source=PlaceSource.FILE, name=name, latitude=pair[0], longitude=pair[1]), ""
        if place.look_up and name:
            found = place_called(name, language=self._around.languages[0])
            if found is not None:
                return Whereabouts(PlaceSource.NAMED, name, found.latitude, found.longitude), ""
        return nowhere, ""

    def _pair(self, record: Record) -> tuple[float, float] | None:
        place, values = self._mapping.place, record.values
        if place.latitude:
            first, second = _text(values, place.latitude), _text(values, place.longitude)
            return read_pair(second, first) if place.swap else read_pair(first, second)
        if place.point:
            return read_point(_text(values, place.point), swap=bool(place.swap))
        if record.geometry is None:
            return None
        return read_geometry(record.geometry, swap=bool(place.swap))

    def _answers(self, values: Mapping[str, Cell]) -> dict[str, object]:
        raw = {code: self._answer(code, each, values) for code, each in self._mapping.fields.items()}
        answers, errors = check_answers(self._around.definition, raw, today=self._around.now.date())
        for code, sentence in errors.items():
            # A file need not answer what a form asks for.
            if raw.get(code):
                if self._mapping.fields[code].unknown == "refuse":
                    raise RowError(f"has “{shown(', '.join(raw[code]), 40)}” for {code}: {sentence}")
                answers.pop(code, None)
        return answers

    def _answer(self, code: str, mapped: Values, values: Mapping[str, Cell]) -> list[str]:
        if code in self._choices:
            return self._choices[code].read(values)[0]
        given = _text(values, mapped.column) or mapped.otherwise
        return [_in_form(self._fields[code], given, mapped, self._around.zone)] if given else []

    def _state(self, values: Mapping[str, Cell]) -> str:
        state = self._mapping.state
        return state.values.get(_text(values, state.column), state.otherwise) if state.column else state.otherwise

    def _language(self, values: Mapping[str, Cell]) -> str:
        code = self._fill(self._mapping.language, values).strip().lower()[:8]
        if code and code not in self._around.languages:
            raise RowError(f"is in the language “{code}”, which this site does not have")
        return code

    def _fill(self, template: str, values: Mapping[str, Cell]) -> str:
        if "{" not in template:
            return template
        words, found = self._mapping.words, []

        def put(match: re.Match[str]) -> str:
            column = match[1]
            cell = values.get(column, "")
            said = words.get(column, {})
            parts = [said.get(part, part) for part in (cell if isinstance(cell, list) else [cell])]
            found.append("".join(parts).strip())
            return ", ".join(part for part in parts if part)

        text = _COLUMN.sub(put, template)
        # Where a column is empty, no colon stands before nothing.
        return (text.strip() if all(found) else text.strip(" \n,;:-–/|")) if any(found) else ""


class _Choices:
    """The values of a column and what they are in the topic."""

    def __init__(self, mapped: Values, options: Sequence[Option], section: str) -> None:
        self._mapped = mapped
        self._section = section
        codes = [option.code for option in options]
        self._known: dict[str, list[str]] = {}
        self._new: dict[str, Option] = {}
        for option in options:
            for name in (option.code, *option.label.values()):
                self._known.setdefault(_plain(name), [option.code])
        for value, given in mapped.values.items():
            targets = [code for code in ([given] if isinstance(given, str) else given) if code]
            for code in targets:
                if code not in codes and mapped.unknown == "add":
                    self._new.setdefault(code, Option(code=code, label={"en": clean_text(value, 120)}))
                elif code not in codes:
                    meant = nearest(code, codes)
                    hint = f"Did you mean “{meant}”?" if meant else f"There are: {', '.join(codes)}."
                    raise MappingError(f"[{section}] “{shown(value)}” becomes “{shown(code)}”, which is none. {hint}")
            self._known[_plain(value)] = targets

    def read(self, values: Mapping[str, Cell]) -> tuple[list[str], tuple[Option, ...]]:
        """Give the codes in a row, each once, and options for those that the topic may not have."""
        found: dict[str, None] = {}
        for part in self._parts(values):
            codes = self._known.get(_plain(part))
            if codes is None and self._mapped.unknown == "add":
                code = fold(part).replace(" ", "-")[:40].strip("-") or content_key(part)[:12]
                self._new.setdefault(code, Option(code=code, label={"en": clean_text(part, 120)}))
                codes = [code]
            elif codes is None and self._mapped.unknown == "refuse":
                raise RowError(
                    f"has “{shown(part, 40)}” in the column {shown(self._mapped.column, 40)}, of which "
                    f"[{self._section}] says nothing"
                )
            found.update(dict.fromkeys(codes or ()))
        return list(found), tuple(self._new[code] for code in found if code in self._new)

    def _parts(self, values: Mapping[str, Cell]) -> list[str]:
        cell = values.get(self._mapped.column, "")
        parts = cell if isinstance(cell, list) else [cell]
        if self._mapped.separator:
            parts = [piece for part in parts for piece in part.split(self._mapped.separator)]
        parts = [part.strip() for part in parts if part.strip()]
        return parts or ([self._mapped.otherwise] if self._mapped.otherwise else [])


def _text(values: Mapping[str, Cell], column: str) -> str:
    cell = values.get(column, "") if column else ""
    return (", ".join(cell) if isinstance(cell, list) else cell).strip()


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _in_form(field: Field, given: str, mapped: Values, zone: ZoneInfo) -> str:
    """Write a number or a date as the topic's form would have it; what is none stays, and is refused there."""
    if field.kind in (FieldKind.NUMBER, FieldKind.RATING):
        number = read_number(given, mapped.decimal)
        return given if number is None else f"{number:.9f}".rstrip("0").rstrip(".")
    if field.kind is FieldKind.DATE:
        moment = read_date(given, mapped.formats, zone)
        return given if moment is None else date(moment.year, moment.month, moment.day).isoformat()
    return given
