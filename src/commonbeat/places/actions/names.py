"""Change places and their names by hand; each change writes one journal entry."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from commonbeat.foundation.text import clean_text, fold
from commonbeat.journal.actions import append
from commonbeat.places import look
from commonbeat.places.actions.errors import PlacesError
from commonbeat.places.actions.loading import LONGEST_SPELLING, MOST_SPELLINGS
from commonbeat.places.models import HeardSpelling, NameSource, Place, PlaceName, RefusedSpelling

PLACE_ADDED = "places.place_added"
PLACE_CHANGED = "places.place_changed"
PLACE_REMOVED = "places.place_removed"
NAME_ADDED = "places.name_added"
NAME_REMOVED = "places.name_removed"
SPELLING_RIGHT = "places.spelling_right"
SPELLING_WRONG = "places.spelling_wrong"


def add_place(
    *,
    names: Mapping[str, str],
    kind: str,
    point: tuple[float, float] | None,
    actor_id: int | None,
    now: datetime,
) -> Place:
    """Make a place with a name in some language; PlacesError when something is missing."""
    with transaction.atomic():
        place = _filled(Place(), names, kind, point)
        place.save()
        _give_names(place)
        append(kind=PLACE_ADDED, subject_id=place.pk, now=now, actor_id=actor_id)
    return place


def change_place(
    *,
    place_id: int,
    names: Mapping[str, str],
    kind: str,
    point: tuple[float, float] | None,
    actor_id: int | None,
    now: datetime,
) -> Place:
    """Name or move a place; what it was called before stays a spelling that is understood."""
    with transaction.atomic():
        place = _filled(Place.objects.select_for_update().get(pk=place_id), names, kind, point)
        place.save()
        _give_names(place)
        append(kind=PLACE_CHANGED, subject_id=place.pk, now=now, actor_id=actor_id)
    return place


def remove_place(*, place_id: int, actor_id: int | None, now: datetime) -> None:
    """Delete a place with its names; reports keep where they are."""
    with transaction.atomic():
        Place.objects.filter(pk=place_id).delete()
        append(kind=PLACE_REMOVED, subject_id=place_id, now=now, actor_id=actor_id)
    _forget_names()


def add_name(*, place_id: int, name: str, actor_id: int | None, now: datetime) -> None:
    """Add a name that people use; PlacesError when it is none or is there already."""
    written = clean_text(name, LONGEST_SPELLING)
    folded = fold(written)[:LONGEST_SPELLING]
    if not folded or folded.replace(" ", "").isdigit():
        raise PlacesError("name", _("Write the name with letters."))
    with transaction.atomic():
        spellings = PlaceName.objects.filter(place_id=place_id)
        if spellings.filter(folded=folded).exclude(source=NameSource.LEARNED).exists():
            raise PlacesError("name", _("The place has this name already."))
        if spellings.count() >= MOST_SPELLINGS:
            raise PlacesError("name", _("The place has many names already. Remove one first."))
        RefusedSpelling.objects.filter(place_id=place_id, folded=folded).delete()
        _replace_name(place_id, folded, written)
        append(kind=NAME_ADDED, subject_id=place_id, now=now, actor_id=actor_id)
    _forget_names()


def remove_name(*, place_id: int, name_id: int, actor_id: int | None, now: datetime) -> None:
    """Remove a spelling that is none of the place's names by language; PlacesError otherwise."""
    with transaction.atomic():
        place = Place.objects.select_for_update().get(pk=place_id)
        name = PlaceName.objects.filter(pk=name_id, place=place).first()
        if name is None:
            return
        if name.folded in {fold(each)[:LONGEST_SPELLING] for each in place.names.values()}:
            raise PlacesError("name", _("This is the place's name in one of the languages. Change it above."))
        # The next import of the file brings it no more.
        RefusedSpelling.objects.get_or_create(place=place, folded=name.folded)
        name.delete()
        append(kind=NAME_REMOVED, subject_id=place_id, now=now, actor_id=actor_id)
    _forget_names()


def judge_spelling(*, place_id: int, name_id: int, is_right: bool, actor_id: int | None, now: datetime) -> None:
    """Keep a learned spelling as a name of the place, or drop it and learn it no more."""
    with transaction.atomic():
        name = PlaceName.objects.filter(pk=name_id, place_id=place_id, source=NameSource.LEARNED).first()
        if name is None:
            return
        if is_right:
            _replace_name(place_id, name.folded, "")
        else:
            RefusedSpelling.objects.get_or_create(place_id=place_id, folded=name.folded)
            name.delete()
        HeardSpelling.objects.filter(place_id=place_id, folded=name.folded).delete()
        kind = SPELLING_RIGHT if is_right else SPELLING_WRONG
        append(kind=kind, subject_id=place_id, now=now, actor_id=actor_id)
    _forget_names()


def _filled(place: Place, names: Mapping[str, str], kind: str, point: tuple[float, float] | None) -> Place:
    cleaned = {code: text for code, name in names.items() if (text := clean_text(name, LONGEST_SPELLING))}
    if not cleaned:
        raise PlacesError("names", _("Give the place a name in one language at least."))
    if not all(fold(text) and not fold(text).replace(" ", "").isdigit() for text in cleaned.values()):
        raise PlacesError("names", _("Write the name with letters."))
    if point is None or not (-90 <= point[0] <= 90 and -180 <= point[1] <= 180):
        raise PlacesError("point", _("Put the pin on the map, or write coordinates such as 42.3801, 20.4301."))
    place.names, place.kind = cleaned, clean_text(kind, 20).lower()
    place.latitude, place.longitude = point
    return place


def _give_names(place: Place) -> None:
    for written in place.names.values():
        folded = fold(written)[:LONGEST_SPELLING]
        if not PlaceName.objects.filter(place=place, folded=folded, source__in=("file", "page")).exists():
            _replace_name(place.pk, folded, written)
    _forget_names()


def _replace_name(place_id: int, folded: str, written: str) -> None:
    # Rows are never changed: by their ids the index of names sees what is new.
    PlaceName.objects.filter(place_id=place_id, folded=folded).delete()
    try:
        with transaction.atomic():
            PlaceName.objects.create(place_id=place_id, folded=folded, written=written, source=NameSource.PAGE)
    except IntegrityError:
        raise PlacesError("name", _("The place has this name already.")) from None


def _forget_names() -> None:
    look.forget()
    transaction.on_commit(look.forget)
