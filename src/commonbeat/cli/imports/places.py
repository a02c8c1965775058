"""Read places for the gazetteer from a table or GeoJSON: columns are known by their usual names, or named."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click
from django.conf import settings

from commonbeat.cli.imports.mapping import Mapping as FileMapping
from commonbeat.cli.imports.mapping import MappingError
from commonbeat.cli.imports.records import Cell, FileNotReadable, Record, RowError, content_key, shown
from commonbeat.cli.imports.source import Columns, Source, open_source
from commonbeat.cli.imports.values import PointError, read_geometry, read_pair, read_point
from commonbeat.foundation import clock
from commonbeat.foundation.cells import distance_m
from commonbeat.places.actions import Loaded, PlaceRow, load_places

KEY_LIMIT = 110
# What we call a column → what files call it, folded to lower case; OpenStreetMap's and GeoNames' names are among them.
USUAL: dict[str, tuple[str, ...]] = {
    "id": ("id", "@id", "osm_id", "full_id", "geonameid", "gid", "fid", "code"),
    "name": ("name", "title", "label", "asciiname", "emri", "emertimi", "naziv", "الاسم"),
    "kind": ("kind", "place", "amenity", "highway", "type", "category", "class", "fclass", "feature_class", "lloji"),
    "lat": ("lat", "latitude", "y", "gjeresia", "gjerësia", "خط العرض"),
    "lon": ("lon", "lng", "long", "longitude", "x", "gjatesia", "gjatësia", "خط الطول"),
    "point": ("point", "coordinates", "coordinate", "wkt", "geom", "location"),
    "aliases": (
        "aliases", "alias", "alt_name", "old_name", "short_name", "loc_name", "official_name", "reg_name", "nickname",
        "alternatenames", "alternate_names", "other_names",
    ),
}  # fmt: skip
_IN_LANGUAGE = re.compile(r"(name|alt_name|old_name|short_name|loc_name|official_name)[:_]([a-z]{2,3})(?:[-_].*)?")
_SEPARATORS = re.compile(r"[;|\n]")
# Kinds that mean the same to the gazetteer: how much a name says of where something is.
_KINDS = {
    **dict.fromkeys(
        (
            "residential",
            "primary",
            "secondary",
            "tertiary",
            "trunk",
            "motorway",
            "unclassified",
            "living_street",
            "pedestrian",
            "service",
            "track",
        ),
        "street",
    ),
    **dict.fromkeys(("hamlet", "isolated_dwelling", "locality", "ppl"), "village"),
    **dict.fromkeys(("stream", "canal", "riverbank"), "river"),
    **dict.fromkeys(("bus_stop", "bus_station", "platform"), "stop"),
    "place_of_worship": "worship",
}
_FAR_M = 500_000.0
_MOST_SHOWN = 50


@dataclass(slots=True)
class _Account:
    """Which rows were handed on, which were not and why, and roughly where they lie."""

    handed_on: list[int] = field(default_factory=list)
    refused: list[tuple[int, str, str]] = field(default_factory=list)
    north: float = 0.0
    east: float = 0.0

    @property
    def middle(self) -> tuple[float, float] | None:
        count = len(self.handed_on)
        return (self.north / count, self.east / count) if count else None


class PlaceReader:
    """Makes places of the records of one file."""

    def __init__(self, named: Mapping[str, str], *, source: str, language: str, swap: bool) -> None:
        """Take the columns that were named; others are found by their usual names."""
        self._named = named
        self._source = source
        self._language = language
        self._swap = swap
        # Every file has few columns; their meaning is found once.
        self._meanings: dict[str, tuple[str, str]] = {}

    def read(self, record: Record) -> PlaceRow:
        """Make a place of a record; the error says why it is none."""
        if record.problem:
            raise RowError(record.problem)
        given: dict[str, list[str]] = {}
        names: dict[str, str] = {}
        spellings: list[str] = []
        for column, cell in record.values.items():
            what, language = self._meaning(column)
            texts = _texts(cell)
            if not what or not texts:
                continue
            if what == "name":
                # Several names in one cell: the first is shown, all are understood.
                first, *others = [part.strip() for part in _SEPARATORS.split(texts[0]) if part.strip()] or [""]
                names.setdefault(language, first)
                spellings += others
            elif what == "aliases":
                spellings += _aliases(texts, column)
            else:
                given.setdefault(what, texts)
        point = self._point(record, given)
        if not names and spellings:
            names[self._language] = spellings[0]
        if not names:
            raise RowError("has no name")
        kind = given.get("kind", [""])[0].strip().lower().replace(" ", "_")
        return PlaceRow(names, *point, _KINDS.get(kind, kind)[:20], spellings, self._key(given))

    def _meaning(self, column: str) -> tuple[str, str]:
        known = self._meanings.get(column)
        if known is None:
            known = self._meanings[column] = self._meaning_of(column)
        return known

    def _meaning_of(self, column: str) -> tuple[str, str]:
        for what, name in self._named.items():
            if name == column:
                kind, _colon, language = what.partition(":")
                return kind, language or self._language
        plain = " ".join(column.lower().split())
        in_language = _IN_LANGUAGE.fullmatch(plain)
        if in_language:
            kind, language = in_language.groups()
            return ("name" if kind == "name" else "aliases"), language
        for what, usual in USUAL.items():
            if what not in self._named and plain in usual:
                return what, self._language
        return "", ""

    def _point(self, record: Record, given: Mapping[str, Sequence[str]]) -> tuple[float, float]:
        if "lat" in given or "lon" in given:
            lat, lon = (given.get(key, [""])[0] for key in ("lat", "lon"))
            point = read_pair(lon, lat) if self._swap else read_pair(lat, lon)
        elif "point" in given:
            point = read_point(", ".join(given["point"]), swap=self._swap)
        elif record.geometry is not None:
            point = read_geometry(record.geometry, swap=self._swap)
        else:
            point = None
        if point is None:
            raise RowError("has no point")
        return point

    def _key(self, given: Mapping[str, Sequence[str]]) -> str:
        key = given.get("id", [""])[0].strip()
        if not key:
            return ""
        key = f"{self._source}:{key}"
        return key if len(key) <= KEY_LIMIT and key.isprintable() else f"{self._source}:{content_key(key)}"


def import_places(
    file: Path,
    *,
    columns: Sequence[str],
    source: str,
    language: str,
    encoding: str,
    delimiter: str,
    swap: bool,
    dry_run: bool,
) -> list[tuple[int, str, str]]:
    """Bring the places of a file in and say what became of them; give the rows that were not taken."""
    named = _named(columns)
    try:
        opened = open_source(file, FileMapping(encoding=encoding, delimiter=delimiter))
        _check(opened, named)
        reader = PlaceReader(
            named, source=source[:40], language=language or settings.COMMONBEAT.languages[0], swap=swap
        )
        account = _Account()
        loaded = load_places(_rows(opened.records(), reader, account), clock.now(), dry_run=dry_run)
    except (FileNotReadable, MappingError) as error:
        raise click.ClickException(str(error)) from None
    for number, why in loaded.refused:
        account.refused.append((account.handed_on[number - 1], "", why))
    account.refused.sort()
    _say(loaded, account, dry_run)
    return account.refused


def _rows(records: Iterable[Record], reader: PlaceReader, account: _Account) -> Iterator[PlaceRow]:
    for record in records:
        try:
            row = reader.read(record)
        except (RowError, PointError) as error:
            why = shown(str(error), 200).replace("swap = true in [place]", "--swap")
            account.refused.append((record.number, "", f"The row {why.rstrip('.')}."))
            continue
        account.handed_on.append(record.number)
        account.north += row.latitude
        account.east += row.longitude
        yield row


def _named(columns: Sequence[str]) -> dict[str, str]:
    named: dict[str, str] = {}
    for given in columns:
        what, is_there, column = given.partition("=")
        if not is_there or what.partition(":")[0] not in USUAL or not column:
            raise click.UsageError(
                f"--column {shown(given)}: write what it is and the file's column, such as name:sq=EMRI. "
                f"It may be: {', '.join(USUAL)}; name and aliases with a language behind a colon."
            )
        named[what] = column
    return named


def _check(opened: Source, named: Mapping[str, str]) -> None:
    columns = Columns(opened)
    for _record, _number in zip(columns.watch(opened.records()), range(1_000), strict=False):
        pass
    columns.check(named.values())


def _say(loaded: Loaded, account: _Account, dry_run: bool) -> None:
    total = loaded.created + loaded.known + len(account.refused)
    click.echo(f"{total} rows{' (nothing was stored: this was a dry run)' if dry_run else ''}:")
    click.echo(f"  {loaded.created:>7} new places")
    click.echo(f"  {loaded.known:>7} known already, {loaded.changed} of them brought up to date")
    click.echo(f"  {len(account.refused):>7} not taken")
    for number, _key, why in account.refused[:_MOST_SHOWN]:
        click.echo(f"  Row {number}: {why}")
    if len(account.refused) > _MOST_SHOWN:
        click.echo(f"  … and {len(account.refused) - _MOST_SHOWN} more. Name a file with --problems for all of them.")
    centre, middle = (settings.COMMONBEAT.map_latitude, settings.COMMONBEAT.map_longitude), account.middle
    if middle is None:
        return
    if distance_m(*middle, *centre) > _FAR_M:
        swapped = distance_m(middle[1], middle[0], *centre) <= _FAR_M if abs(middle[1]) <= 90 else False
        click.echo(
            f"The middle of these places is {middle[0]:.2f} north, {middle[1]:.2f} east, far from this site's map. "
            + ("Latitude and longitude seem to be swapped: try --swap." if swapped else "Are they the right ones?")
        )


def _texts(cell: Cell) -> list[str]:
    texts = [cell] if isinstance(cell, str) else cell
    return [text.strip() for text in texts if text.strip()]


def _aliases(texts: Sequence[str], column: str) -> Iterator[str]:
    for text in texts:
        # GeoNames parts them with commas, which elsewhere may be part of a name.
        parts = text.split(",") if column.lower().startswith("alternate") else _SEPARATORS.split(text)
        yield from (part.strip() for part in parts if part.strip())
