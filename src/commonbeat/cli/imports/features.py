"""Read GeoJSON, other lists of JSON objects and their JavaScript assignments: one object at a time, however many."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from commonbeat.cli.imports.records import (
    Cell,
    FileNotReadable,
    Record,
    encoding_of,
    open_text,
    shown,
    undecodable,
)

# One feature; a coastline has about 100,000 points of 40 characters.
VALUE_LIMIT = 8_000_000
_CHUNK = 1 << 16
# Keys under which others put their list.
LISTS = ("features", "data", "items", "results", "records", "reports", "rows")
WGS84 = re.compile(r"CRS84|(?:EPSG|epsg)(?::|/|::)(?:[\d.]*(?::|/))?4326$|WGS ?84$", re.IGNORECASE)
# A record separator (RFC 8142) may stand before each text.
_SPACE = re.compile("[ \t\r\n\x1e\ufeff\0]*")
_ASSIGNMENT = re.compile(
    r"(?:export\s+default\s+|(?:export\s+)?(?:var|let|const)\s+[\w$]+\s*=\s*|[\w$][\w$.]*(?:\[[^\]]{0,80}\])?\s*=\s*)"
)
_COMMENT = re.compile(r"//[^\n]*(?:\n|$)|/\*.*?\*/", re.DOTALL)
_DEEPEST = 5
_NOT_OBJECT = "is no object with columns, but a single value or a list"


@dataclass(frozen=True, slots=True)
class Features:
    """A JSON file whose objects are the rows."""

    path: Path
    encoding: str
    # Key of the list, where it is none of the usual ones.
    list_key: str

    def records(self) -> Iterator[Record]:
        """Read every object of the list, from the beginning."""
        with open_text(self.path, self.encoding) as handle:
            text = _Text(handle)
            try:
                for number, found in enumerate(_objects(text, self.list_key), start=1):
                    yield _record(number, found)
            except UnicodeError:
                raise undecodable(self.encoding) from None


@dataclass(frozen=True, slots=True)
class _Broken:
    raw: str
    problem: str


class _Text:
    """A text read piece by piece, from which whole JSON values are taken."""

    def __init__(self, handle: IO[str]) -> None:
        self._handle = handle
        self._decoder = json.JSONDecoder()
        self._buffer = ""
        self._at = 0
        self._before = 0
        self.is_at_end = False

    def peek(self) -> str:
        """Skip white space and give the next character, "" at the end."""
        while True:
            match = _SPACE.match(self._buffer, self._at)
            self._at = match.end() if match else self._at
            if self._at < len(self._buffer):
                return self._buffer[self._at]
            if not self._more():
                return ""

    def take(self, character: str) -> None:
        """Step over one expected character."""
        if self.peek() != character:
            raise self.broken(f"“{character}” was expected")
        self._at += 1

    def match(self, pattern: re.Pattern[str]) -> bool:
        """Step over what a pattern matches here, within one chunk."""
        self.peek()
        while len(self._buffer) - self._at < _CHUNK and self._more():
            pass
        found = pattern.match(self._buffer, self._at)
        if found is None or not found.group():
            return False
        self._at = found.end()
        return True

    def value(self) -> tuple[Any, str]:
        """Take one JSON value and give it with its own text."""
        self.peek()
        while True:
            try:
                value, end = self._decoder.raw_decode(self._buffer, self._at)
            except RecursionError:
                raise self.broken("it is nested too deeply") from None
            except ValueError as error:
                if self._grow():
                    continue
                at = getattr(error, "pos", self._at) - self._at
                raise self.broken(getattr(error, "msg", "a number is too long"), at) from None
            # A number at the end of a piece may go on in the next.
            if end == len(self._buffer) and self._grow():
                continue
            raw = self._buffer[self._at : end]
            self._at = end
            return value, raw

    def line(self) -> str:
        """Take the rest of the line."""
        while (end := self._buffer.find("\n", self._at)) < 0 and self._grow():
            pass
        end = len(self._buffer) if end < 0 else end + 1
        line, self._at = self._buffer[self._at : end], end
        return line

    def first_line(self) -> tuple[str, str]:
        """Give the rest of the line, and what begins the next one, and take nothing."""
        while (end := self._buffer.find("\n", self._at)) < 0 and self._grow():
            pass
        if end < 0:
            return self._buffer[self._at :], ""
        if end + 1 == len(self._buffer):
            self._more()
            end = self._buffer.find("\n", self._at)
        return self._buffer[self._at : end], self._buffer[end + 1 : end + _CHUNK].strip(" \t\r\n\x1e\0")[:1]

    def broken(self, what: str, further: int = 0) -> FileNotReadable:
        """Give the sentence for a place, here or further on, at which the file is no JSON."""
        at = self._before + self._at + further + 1
        return FileNotReadable(f"The file is not readable as JSON at character {at:,}: {what}.")

    def _grow(self) -> bool:
        """Read as much again as is held, so that a long value is tried a few times only."""
        held = len(self._buffer) - self._at
        if held > VALUE_LIMIT:
            return False
        grew = False
        for _chunk in range(max(1, held // _CHUNK)):
            grew = self._more() or grew
        return grew

    def _more(self) -> bool:
        piece = self._handle.read(_CHUNK)
        if not piece:
            self.is_at_end = True
            return False
        self._before += self._at
        self._buffer = self._buffer[self._at :] + piece
        self._at = 0
        return True


def open_features(path: Path, *, encoding: str = "", list_key: str = "") -> Features:
    """Find how a JSON file is encoded; FileNotReadable when it cannot be opened."""
    return Features(path, encoding_of(path, encoding), list_key)


def flat(found: Mapping[str, Any], *, prefix: str = "", depth: int = 0) -> Iterator[tuple[str, Cell]]:
    """Give the columns of an object: what lies within others by path, such as location.lat."""
    for key, value in found.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and depth < _DEEPEST and value:
            yield from flat(value, prefix=f"{name}.", depth=depth + 1)
        elif isinstance(value, list) and not any(isinstance(part, Mapping | list) for part in value):
            yield name, [_plain(part) for part in value]
        else:
            yield name, _plain(value)


def _plain(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _objects(text: _Text, list_key: str) -> Iterator[Any]:
    while text.match(_COMMENT):
        pass
    is_script = text.match(_ASSIGNMENT)
    match text.peek():
        case "[":
            yield from _elements(text)
        case "{":
            if not is_script and _is_by_line(text):
                yield from _lines(text)
                return
            yield from _within(text, list_key)
        case "":
            raise FileNotReadable("The file is empty.")
        case _:
            raise FileNotReadable("The file is neither GeoJSON nor a list of JSON objects.")
    if text.peek() == ";":
        text.take(";")
    while text.match(_COMMENT):
        pass
    if text.peek():
        raise text.broken("something follows after its end; only one value can be read, and no program")


def _is_by_line(text: _Text) -> bool:
    """Tell whether the first line is a whole object, and another follows."""
    line, following = text.first_line()
    if not following:
        return False
    found, problem = _parsed(line)
    return not problem and found.get("type") != "FeatureCollection"


def _lines(text: _Text) -> Iterator[Any]:
    while text.peek():
        line = text.line().strip(" \t\r\n\x1e\0")
        found, problem = _parsed(line)
        yield _Broken(line, f"is no line of JSON: {problem}") if problem else found


def _parsed(line: str) -> tuple[Any, str]:
    try:
        return json.loads(line.strip(" \t\r\n\x1e\ufeff\0")), ""
    except RecursionError:
        return None, "it is nested too deeply"
    except ValueError as error:
        return None, str(getattr(error, "msg", "a number is too long"))


def _elements(text: _Text) -> Iterator[Any]:
    text.take("[")
    if text.peek() == "]":
        text.take("]")
        return
    while True:
        yield text.value()[0]
        if text.peek() == "]":
            text.take("]")
            return
        text.take(",")
        if text.peek() == "]":
            # JavaScript allows a comma after the last.
            text.take("]")
            return


def _within(text: _Text, list_key: str) -> Iterator[Any]:
    """Give the objects of the list in an object, or the object itself where it is one feature."""
    wanted = (list_key,) if list_key else LISTS
    others: dict[str, Any] = {}
    has_list = False
    text.take("{")
    while text.peek() != "}":
        key = text.value()[0]
        text.take(":")
        if not has_list and key in wanted and text.peek() == "[":
            has_list = True
            yield from _elements(text)
        else:
            others[str(key)] = text.value()[0]
        if text.peek() == ",":
            text.take(",")
        elif text.peek() != "}":
            raise text.broken("“,” was expected")
    text.take("}")
    _refuse_other_crs(others.get("crs"))
    if has_list:
        return
    if list_key:
        raise FileNotReadable(f"The file has no list “{shown(list_key)}”.")
    if others.get("type") == "FeatureCollection":
        raise FileNotReadable("The file is a FeatureCollection without a list of features.")
    yield others


def _refuse_other_crs(crs: Any) -> None:
    if not crs:
        return
    properties = crs.get("properties") if isinstance(crs, dict) else None
    name = str(properties.get("name", "")) if isinstance(properties, dict) else str(crs)
    if not WGS84.search(name):
        raise FileNotReadable(
            f"The file's coordinates are in {shown(name) or 'a system without a name'}, not in WGS 84. "
            "Convert it first: ogr2ogr -t_srs EPSG:4326 converted.geojson FILE"
        )


def _record(number: int, found: Any) -> Record:
    if isinstance(found, _Broken):
        return Record(number, {}, found.raw, problem=found.problem)
    try:
        raw = json.dumps(found, ensure_ascii=False, sort_keys=True)
        if not isinstance(found, dict):
            return Record(number, {}, raw, problem=_NOT_OBJECT)
        properties = found.get("properties")
        geometry = found.get("geometry")
        if found.get("type") == "Feature":
            rest = {"id": found["id"]} if "id" in found else {}
            values = rest | (properties if isinstance(properties, dict) else {})
        else:
            values = {key: value for key, value in found.items() if not (key == "geometry" and isinstance(value, dict))}
        geometry = geometry if isinstance(geometry, dict) else None
        return Record(number, dict(flat(values)), raw, geometry=geometry)
    except RecursionError:
        return Record(number, {}, str(number), problem="is nested too deeply")
