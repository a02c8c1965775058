"""Which beat contains a point?"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from django.db import connection
from django.db.models import Count, F, Max, Sum
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from commonbeat.journal.models import Entry
from commonbeat.people.models import User
from commonbeat.places.models import Beat

BEAT_CREATED = "places.beat_created"
BEAT_CHANGED = "places.beat_changed"

# Outside a transaction, a change made by another process is seen after this long at most.
FRESH_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class _Areas:
    version: tuple[Any, ...]
    # south, west, north, east
    boxes: npt.NDArray[np.float64]
    ids: list[int]
    polygons: list[BaseGeometry]


@dataclass(frozen=True, slots=True)
class _Held:
    areas: _Areas
    beats: dict[int, Beat | None]


# Of one thread: what a batch holds on to is no news for the pages served meanwhile.
_held: ContextVar[_Held | None] = ContextVar("held_beats", default=None)
_areas: _Areas | None = None
_checked_at = 0.0


def beat_containing(lat: float, lon: float) -> Beat | None:
    """Find the beat that contains a point, with its unit loaded; of overlapping beats the smallest, edges included."""
    areas = _current_areas()
    if not areas.ids:
        return None
    boxes = areas.boxes
    inside = (boxes[:, 0] <= lat) & (lat <= boxes[:, 2]) & (boxes[:, 1] <= lon) & (lon <= boxes[:, 3])
    point = shapely.Point(lon, lat)
    # Areas are sorted, smallest first.
    for index in np.flatnonzero(inside):
        if areas.polygons[index].intersects(point):
            return _beat(areas.ids[index])
    return None


@contextmanager
def beats_held() -> Iterator[None]:
    """Look once, not for every point, whether the beats have changed: for a batch inside one transaction."""
    before = _held.set(_held.get() or _Held(_current_areas(), {}))
    try:
        yield
    finally:
        _held.reset(before)


def forget() -> None:
    """Make this process read the beats again."""
    global _areas
    _areas = None


def all_beats() -> list[Beat]:
    """Read every beat by name, with units and officers loaded."""
    return list(Beat.objects.select_related("unit").prefetch_related("officers").order_by("name"))


def officers_of(beat: Beat) -> list[User]:
    """Give the active officers of a beat who show themselves in public; no query where the officers are loaded."""
    shown = (officer for officer in beat.officers.all() if officer.is_active and officer.public_intro)
    return sorted(shown, key=lambda officer: officer.pk)


def _beat(pk: int) -> Beat | None:
    held = _held.get()
    if held is None:
        return Beat.objects.select_related("unit").filter(pk=pk).first()
    if pk not in held.beats:
        held.beats[pk] = Beat.objects.select_related("unit").filter(pk=pk).first()
    return held.beats[pk]


def _current_areas() -> _Areas:
    global _areas, _checked_at
    held = _held.get()
    if held is not None:
        return held.areas
    moment = time.monotonic()
    if _areas is not None and not connection.in_atomic_block and moment - _checked_at < FRESH_SECONDS:
        return _areas
    version = _version()
    if _areas is None or _areas.version != version:
        _areas = _read(version)
    _checked_at = moment
    return _areas


def _version() -> tuple[Any, ...]:
    # The weights keep a change of one side from hiding that of another; the journal knows redrawings inside a box.
    box = F("south") + F("west") * 3 + F("north") * 7 + F("east") * 11
    found = Beat.objects.aggregate(count=Count("id"), last=Max("id"), boxes=Sum(box))
    changes = Entry.objects.filter(kind__in=(BEAT_CREATED, BEAT_CHANGED)).aggregate(last=Max("id"))
    return (*found.values(), changes["last"])


def _read(version: tuple[Any, ...]) -> _Areas:
    rows = [(pk, shape(area)) for pk, area in Beat.objects.order_by("id").values_list("id", "area")]
    rows.sort(key=lambda row: (row[1].area, row[0]))
    polygons = [polygon for _pk, polygon in rows]
    for polygon in polygons:
        shapely.prepare(polygon)
    boxes = np.array([(p.bounds[1], p.bounds[0], p.bounds[3], p.bounds[2]) for p in polygons], dtype=np.float64)
    return _Areas(version, boxes.reshape(-1, 4), [pk for pk, _polygon in rows], polygons)
