"""The mapping: which column is what, as a file that an administrator writes."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from collections.abc import Mapping as MappingOf
from pathlib import Path
from typing import Any, Literal

import msgspec
from rapidfuzz import process

from commonbeat.cli.imports.records import shown

LARGEST_MAPPING = 1_000_000


class MappingError(ValueError):
    """The mapping cannot be used; carries a sentence."""


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where it happened: two columns, or one; of GeoJSON the geometry, if none is named."""

    latitude: str = ""
    longitude: str = ""
    # One column with both in any usual form, or with WKT.
    point: str = ""
    # The file has them the other way round; false says that it has not, whatever it looks like.
    swap: bool | None = None
    # Template of the place's name.
    name: str = ""
    # Look the name up in the gazetteer where there is no point.
    look_up: bool = False
    unreadable: Literal["refuse", "leave out"] = "refuse"
    # A point farther from the middle of all others is a slip.
    farthest_km: float = 1_000.0


class Date(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When it was said."""

    column: str = ""
    # A second column with the time of day.
    time: str = ""
    formats: list[str] = []
    time_zone: str = ""
    # For rows without a date.
    otherwise: str = ""


class Values(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A column whose values are a choice's answers, or categories."""

    column: str = ""
    separator: str = ""
    # What stands in the file → code, several codes, or "" for none.
    values: dict[str, str | list[str]] = {}
    unknown: Literal["refuse", "leave out", "add"] = "refuse"
    # For rows in which the column is empty.
    otherwise: str = ""
    # Of numbers: "," where 2,5 is meant and 1.000 is a thousand.
    decimal: Literal[".", ","] = "."
    # Of dates, as in [date].
    formats: list[str] = []


class State(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What becomes of a row: published, new on the desk, or rejected."""

    column: str = ""
    values: dict[str, Literal["publish", "new", "reject"]] = {}
    otherwise: Literal["publish", "new", "reject"] = "new"


class Mapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All that the importer needs to know of a file."""

    source: str = ""
    credit: str = ""
    licence: str = ""
    # A code such as "sq", or a column in braces.
    language: str = ""
    encoding: str = ""
    delimiter: str = ""
    # Key of the list of objects in a JSON file.
    list: str = ""
    id: str = ""
    title: str = ""
    text: str = ""
    # column → value → what it is called in title and text
    words: dict[str, dict[str, str]] = {}
    place: Place = Place()
    date: Date = Date()
    categories: Values = Values()
    fields: dict[str, Values] = {}
    state: State = State()


def read_mapping(path: Path) -> Mapping:
    """Read a mapping; MappingError, with a sentence that names the place, when it cannot be used."""
    try:
        if path.stat().st_size > LARGEST_MAPPING:
            raise MappingError(f"{path.name} is too large to be a mapping. Is it the data?")
        data = tomllib.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise MappingError(f"{path.name} cannot be opened: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MappingError(f"{path.name} is not readable as TOML: {error}.") from None
    return convert(data, name=path.name)


def convert(data: MappingOf[str, Any], *, name: str = "The mapping") -> Mapping:
    """Check decoded TOML and give the mapping."""
    _refuse_unknown(data, Mapping, "", name)
    for section, kind in (("place", Place), ("date", Date), ("categories", Values), ("state", State)):
        _refuse_unknown(data.get(section), kind, section, name)
    fields = data.get("fields")
    for code, field in fields.items() if isinstance(fields, dict) else ():
        _refuse_unknown(field, Values, f"fields.{code}", name)
    try:
        mapping = msgspec.convert(dict(data), Mapping)
    except msgspec.ValidationError as error:
        what, _at, where = str(error).partition(" - at ")
        raise MappingError(f"{name}: {where.strip('`').removeprefix('$.') or 'it'} cannot be used. {what}.") from None
    if bool(mapping.place.latitude) != bool(mapping.place.longitude):
        raise MappingError(f"{name}: [place] names one of latitude and longitude. Name both, or “point”.")
    if mapping.date.time and not mapping.date.column:
        raise MappingError(f"{name}: [date] names a column for the time but none for the day.")
    return mapping


def nearest(word: str, known: Iterable[str]) -> str:
    """Give the known word that was probably meant, or ""."""
    found = process.extractOne(word.lower(), {each: each.lower() for each in known}, score_cutoff=60)
    return str(found[2]) if found else ""


def _refuse_unknown(data: Any, kind: type[msgspec.Struct], section: str, name: str) -> None:
    if not isinstance(data, dict):
        return
    known = kind.__struct_fields__
    for key in data:
        if key not in known:
            place = f" in [{section}]" if section else ""
            meant = nearest(key, known)
            hint = f"Did you mean “{meant}”?" if meant else f"There may be: {', '.join(known)}."
            raise MappingError(f"{name}: there is no “{shown(key)}”{place}. {hint}")
