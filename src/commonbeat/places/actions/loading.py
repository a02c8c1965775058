"""Load places into the gazetteer, many at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from commonbeat.foundation.text import clean_text, fold
from commonbeat.journal.actions import append
from commonbeat.places import look
from commonbeat.places.models import NameSource, Place, PlaceName, RefusedSpelling

PLACES_LOADED = "places.loaded"
LONGEST_SPELLING = 120
MOST_SPELLINGS = 60
# Places in one transaction: who reports meanwhile waits a quarter of a second at most.
BATCH = 500
# What was loaded without an id is one place if it lies within about a metre and shares a name.
_DECIMALS = 5

Spelled = tuple[str, float, float]


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """A place to load: names by language, and further spellings; `key` makes a repeat the same place."""

    names: Mapping[str, str]
    latitude: float
    longitude: float
    kind: str = ""
    spellings: Sequence[str] = field(default_factory=tuple)
    key: str = ""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What became of the rows: `refused` holds the row's number, from 1, and why."""

    created: int
    known: int
    refused: list[tuple[int, str]]
    # Of the known places: those that have moved or are called or counted as something else now.
    changed: int = 0


@dataclass(frozen=True, slots=True)
class _Ready:
    """A row that can be taken."""

    number: int
    row: PlaceRow
    names: dict[str, str]
    # folded → as written
    spellings: dict[str, str]

    @property
    def where(self) -> tuple[float, float]:
        return round(self.row.latitude, _DECIMALS), round(self.row.longitude, _DECIMALS)


class _DryRun(Exception):
    pass


def load_places(
    rows: Iterable[PlaceRow | Mapping[str, Any]], now: datetime, *, actor_id: int | None = None, dry_run: bool = False
) -> Loaded:
    """Add places to the gazetteer, in batches; what is there already gains names and is brought up to date.

    A row with the key of a place is that place; one without a key is the place that shares a name within a metre.
    A row may be a mapping, as decoded from a file, with names, lat, lon, and perhaps kind, aliases and id.
    With dry_run every row is judged and nothing is stored.
    """
    refused: list[tuple[int, str]] = []
    created = known = changed = 0
    ready = _ready(rows, refused)
    keys: set[str] = set()
    while batch := list(islice(ready, BATCH)):
        try:
            with transaction.atomic():
                made, met, renewed = _take(batch, keys)
                created, known, changed = created + made, known + met, changed + renewed
                if made or renewed:
                    data = {"created": made, "changed": renewed}
                    append(kind=PLACES_LOADED, subject_id=0, now=now, actor_id=actor_id, data=data)
                if dry_run:
                    raise _DryRun
        except _DryRun:
            look.forget()
    return Loaded(created, known, refused, changed)


def _ready(rows: Iterable[PlaceRow | Mapping[str, Any]], refused: list[tuple[int, str]]) -> Iterator[_Ready]:
    for number, given in enumerate(rows, start=1):
        try:
            row = given if isinstance(given, PlaceRow) else _row_from(given)
        except (KeyError, TypeError, ValueError, AttributeError):
            refused.append((number, _("The row needs names, lat and lon.")))
            continue
        names = {code: cleaned for code, name in row.names.items() if (cleaned := clean_text(name, LONGEST_SPELLING))}
        written = [*names.values(), *(clean_text(each, LONGEST_SPELLING) for each in row.spellings)]
        spellings = {folded: text for text in reversed(written) if (folded := fold(text)[:LONGEST_SPELLING])}
        if not names or not spellings:
            refused.append((number, _("The place has no name.")))
        elif not (-90 <= row.latitude <= 90 and -180 <= row.longitude <= 180):
            refused.append((number, _("The place lies off the globe.")))
        elif len(spellings) > MOST_SPELLINGS:
            refused.append((number, _("The place has more than %(number)s names.") % {"number": MOST_SPELLINGS}))
        else:
            yield _Ready(number, row, names, dict(reversed(spellings.items())))


def _take(batch: Sequence[_Ready], keys: set[str]) -> tuple[int, int, int]:
    """Store a batch; give how many places are new, were known, and of these have changed."""
    by_key = {
        place.key: place for place in Place.objects.filter(key__in={ready.row.key for ready in batch if ready.row.key})
    }
    by_spelling = _by_spelling(batch)
    met, changed = 0, []
    new: list[tuple[Place, _Ready]] = []
    owners: list[tuple[Place, _Ready]] = []
    for ready in batch:
        place = by_key.get(ready.row.key) if ready.row.key else _same_place(ready, by_spelling)
        if place is None:
            place = Place(
                key=ready.row.key or None,
                names=ready.names,
                kind=ready.row.kind[:20],
                latitude=ready.row.latitude,
                longitude=ready.row.longitude,
            )
            new.append((place, ready))
        else:
            met += 1
            # Of two rows with one key the first says where it is.
            if place.pk and ready.row.key and ready.row.key not in keys and _differs(place, ready):
                changed.append(place)
        if ready.row.key:
            keys.add(ready.row.key)
            by_key[ready.row.key] = place
        else:
            by_spelling.update({(folded, *ready.where): place for folded in ready.spellings})
        owners.append((place, ready))
    Place.objects.bulk_create([place for place, _ready_row in new])
    Place.objects.bulk_update(changed, ["names", "kind", "latitude", "longitude"])
    _add_names(owners)
    return len(new), met, len(changed)


def _add_names(owners: Sequence[tuple[Place, _Ready]]) -> None:
    ids = {place.pk for place, _row in owners}
    taken = set(PlaceName.objects.filter(place_id__in=ids).values_list("place_id", "folded"))
    taken |= set(RefusedSpelling.objects.filter(place_id__in=ids).values_list("place_id", "folded"))
    names = []
    for place, ready in owners:
        for folded, written in ready.spellings.items():
            if (place.pk, folded) not in taken:
                taken.add((place.pk, folded))
                names.append(PlaceName(place=place, folded=folded, written=written, source=NameSource.FILE))
    PlaceName.objects.bulk_create(names)


def _by_spelling(batch: Sequence[_Ready]) -> dict[Spelled, Place]:
    wanted = {folded for ready in batch if not ready.row.key for folded in ready.spellings}
    if not wanted:
        return {}
    south, north = (pick(ready.row.latitude for ready in batch) for pick in (min, max))
    names = PlaceName.objects.filter(
        folded__in=wanted, place__latitude__range=(south - 0.001, north + 0.001)
    ).select_related("place")
    return {
        (name.folded, round(name.place.latitude, _DECIMALS), round(name.place.longitude, _DECIMALS)): name.place
        for name in names
    }


def _same_place(ready: _Ready, by_spelling: Mapping[Spelled, Place]) -> Place | None:
    return next(
        (by_spelling[key] for folded in ready.spellings if (key := (folded, *ready.where)) in by_spelling), None
    )


def _differs(place: Place, ready: _Ready) -> bool:
    """Bring a place up to date; tell whether it was not. A name that only this site knows stays."""
    names = {**place.names, **ready.names}
    there = (names, ready.row.kind[:20] or place.kind, ready.row.latitude, ready.row.longitude)
    if there == (place.names, place.kind, place.latitude, place.longitude):
        return False
    place.names, place.kind, place.latitude, place.longitude = there
    return True


def _row_from(data: Mapping[str, Any]) -> PlaceRow:
    return PlaceRow(
        names={str(code): str(name) for code, name in data["names"].items()},
        latitude=float(data["lat"]),
        longitude=float(data["lon"]),
        kind=str(data.get("kind", "")),
        spellings=[str(alias) for alias in data.get("aliases", ())],
        key=str(data.get("id", "")),
    )
