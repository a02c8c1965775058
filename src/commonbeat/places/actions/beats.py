"""Every change of beats; each writes one journal entry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from commonbeat.foundation.text import clean_text
from commonbeat.journal.actions import append
from commonbeat.people.models import Role, Unit, User
from commonbeat.places.actions.errors import PlacesError
from commonbeat.places.areas import AreaError, bounds, read_area
from commonbeat.places.beats import BEAT_CHANGED, BEAT_CREATED, forget
from commonbeat.places.models import Beat


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
