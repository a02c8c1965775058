"""Every change of beats and places; each writes one journal entry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from commonbeat.foundation.text import clean_text, fold
from commonbeat.journal.actions import append
from commonbeat.people.models import Role, Unit, User
from commonbeat.places.areas import AreaError, bounds, read_area
from commonbeat.places.beats import BEAT_CHANGED, BEAT_CREATED, forget
from commonbeat.places.models import Beat, Place, PlaceName

PLACES_LOADED = "places.loaded"
LONGEST_SPELLING = 120


class PlacesError(ValueError):
    """Carry a sentence, and the name of the form field that it is about."""

    def __init__(self, field_name: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field_name


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """A place to load: names by language, and further spellings."""

    names: Mapping[str, str]
    latitude: float
    longitude: float
    kind: str = ""
    spellings: Sequence[str] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What became of the rows: `refused` holds the row's number, from 1, and why."""

    created: int
    known: int
    refused: list[tuple[int, str]]


def create_beat(
    *,
    name: str,
    unit_id: int,
    area: str | Mapping[str, Any],
    officer_ids: Sequence[int] = (),
    actor_id: int | None,
    now: datetime,
) -> Beat:
    """Make a beat from GeoJSON text; PlacesError when something cannot be used."""
    with transaction.atomic():
        beat = Beat()
        _fill(beat, name=name, unit_id=unit_id, area=area, officer_ids=officer_ids)
        append(kind=BEAT_CREATED, subject_id=beat.pk, now=now, actor_id=actor_id, data={"unit": unit_id})
        transaction.on_commit(forget)
    return beat


def change_beat(
    *,
    beat_id: int,
    name: str,
    unit_id: int,
    area: str | Mapping[str, Any],
    officer_ids: Sequence[int] = (),
    actor_id: int | None,
    now: datetime,
) -> Beat:
    """Give a beat another name, unit, area or other officers; reports stay on the desk where they are."""
    with transaction.atomic():
        beat = Beat.objects.select_for_update().get(pk=beat_id)
        _fill(beat, name=name, unit_id=unit_id, area=area, officer_ids=officer_ids)
        append(kind=BEAT_CHANGED, subject_id=beat.pk, now=now, actor_id=actor_id, data={"unit": unit_id})
        transaction.on_commit(forget)
    return beat


def load_places(rows: Iterable[PlaceRow | Mapping[str, Any]], now: datetime, *, actor_id: int | None = None) -> Loaded:
    """Add places to the gazetteer; a row with a known spelling within a metre is that place and gains spellings.

    A row may be a mapping, as decoded from a file, with names, lat, lon, and perhaps kind and aliases.
    """
    created = known = 0
    refused: list[tuple[int, str]] = []
    with transaction.atomic():
        existing: dict[tuple[str, float, float], int] = {
            (folded, round(lat, 5), round(lon, 5)): place_id
            for folded, lat, lon, place_id in PlaceName.objects.values_list(
                "folded", "place__latitude", "place__longitude", "place_id"
            )
        }
        for number, given in enumerate(rows, start=1):
            try:
                row = given if isinstance(given, PlaceRow) else _row_from(given)
            except (KeyError, TypeError, ValueError, AttributeError):
                refused.append((number, _("The row needs names, lat and lon.")))
                continue
            names = {code: cleaned for code, name in row.names.items() if (cleaned := clean_text(name, 120))}
            spellings = {s: None for text in (*names.values(), *row.spellings) if (s := fold(text)[:LONGEST_SPELLING])}
            if not names or not spellings:
                refused.append((number, _("The place has no name.")))
                continue
            if not (-90 <= row.latitude <= 90 and -180 <= row.longitude <= 180):
                refused.append((number, _("The place lies off the globe.")))
                continue
            where = round(row.latitude, 5), round(row.longitude, 5)
            place_id = next((existing[key] for s in spellings if (key := (s, *where)) in existing), None)
            if place_id is None:
                place_id = Place.objects.create(
                    names=names, kind=row.kind[:20], latitude=row.latitude, longitude=row.longitude
                ).pk
                created += 1
            else:
                known += 1
            PlaceName.objects.bulk_create(
                [PlaceName(place_id=place_id, folded=s) for s in spellings if (s, *where) not in existing],
                ignore_conflicts=True,
            )
            existing.update({(s, *where): place_id for s in spellings})
        if created:
            append(kind=PLACES_LOADED, subject_id=0, now=now, actor_id=actor_id, data={"created": created})
    return Loaded(created, known, refused)


def _row_from(data: Mapping[str, Any]) -> PlaceRow:
    return PlaceRow(
        names={str(code): str(name) for code, name in data["names"].items()},
        latitude=float(data["lat"]),
        longitude=float(data["lon"]),
        kind=str(data.get("kind", "")),
        spellings=[str(alias) for alias in data.get("aliases", ())],
    )


def _fill(beat: Beat, *, name: str, unit_id: int, area: str | Mapping[str, Any], officer_ids: Sequence[int]) -> None:
    name = clean_text(name, 120)
    if not name:
        raise PlacesError("name", _("Give the beat a name."))
    if Beat.objects.filter(name__iexact=name).exclude(pk=beat.pk).exists():
        raise PlacesError("name", _("There is a beat with this name already."))
    if not Unit.objects.filter(pk=unit_id).exists():
        raise PlacesError("unit", _("Choose the unit whose desk gets the reports of this beat."))
    try:
        beat.area = read_area(area)
    except AreaError as error:
        raise PlacesError("area", str(error)) from None
    beat.name, beat.unit_id = name, unit_id
    beat.south, beat.west, beat.north, beat.east = bounds(beat.area)
    officers = list(
        User.objects.filter(
            pk__in=officer_ids, unit_id=unit_id, is_active=True, role__in=(Role.OFFICER, Role.SUPERVISOR)
        )
    )
    if len(officers) != len(set(officer_ids)):
        raise PlacesError("officers", _("Choose officers of the beat's own unit."))
    beat.save()
    beat.officers.set(officers)
