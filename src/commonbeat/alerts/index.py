"""The confirmed subscriptions of this process, as arrays: read once, then only what has changed.

What has changed is known from the journal, whose entries of subscriptions carry their ids, and from the highest id.
An erasure ends them first, so that they leave here too (reactions/erasing.py). A row that vanishes otherwise leaves no
entry: it stays here until the process ends, and reaches nobody, for whoever is queued is looked up
(actions/fanning.py).
"""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db import connection
from django.db.models import Max

from commonbeat.alerts import events
from commonbeat.alerts.geometry import Geometry, geometry_of
from commonbeat.alerts.kinds import KINDS
from commonbeat.alerts.matching import ALL, AREA, BEAT, POINT, Subscriptions
from commonbeat.alerts.models import Subscription
from commonbeat.journal.queries import newest_entry, subjects_between
from commonbeat.messaging import policy

CHANGES = (events.CONFIRMED, events.UNSUBSCRIBED, events.NARROWED)
KIND_BITS = {code: number for number, code in enumerate(KINDS)}
_SHAPES = {"point": POINT, "area": AREA, "beat": BEAT, "all": ALL}
_CHUNK = 20_000
_SELECT = (
    "SELECT s.id, s.contact_id, s.shape, s.latitude, s.longitude, s.radius, s.beat_id, s.kinds, s.least_severity,"
    " s.language, c.kind, c.channel, s.quiet_from, s.quiet_to, CASE WHEN s.shape = 'area' THEN s.area END"
    " FROM alerts_subscription s JOIN messaging_contact c ON c.id = s.contact_id"
    " WHERE s.confirmed_at IS NOT NULL AND {} ORDER BY s.id"
)
_COLUMNS: dict[str, Any] = {
    "ids": np.int64, "contacts": np.int64, "shapes": np.uint8, "latitudes": np.float64, "longitudes": np.float64,
    "radii": np.float32, "beats": np.int32, "kinds": np.uint32, "least": np.uint8, "languages": np.uint8,
    "channels": np.uint8, "quiet_from": np.int16, "quiet_to": np.int16,
}  # fmt: skip


@dataclass(slots=True)
class Numbers:
    """Give each word a number, from 0 on, as they come."""

    words: list[str] = field(default_factory=list)
    _known: dict[Any, int] = field(default_factory=dict)

    def of(self, word: str) -> int:
        """Give the number of a word; 255 different ones at most."""
        number = self._known.get(word)
        if number is None:
            number = self._known[word] = min(len(self.words), 255)
            self.words.append(word)
        return number


@dataclass(slots=True)
class Index:
    """Hold the subscriptions; refresh() brings them up to date."""

    subscriptions: Subscriptions = field(default_factory=lambda: _empty())
    languages: Numbers = field(default_factory=Numbers)
    # By which people were last heard; for a preview, while the fan-out looks it up.
    channels: Numbers = field(default_factory=Numbers)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _is_read: bool = False
    _position: int = 0
    _last_id: int = 0

    def refresh(self) -> Subscriptions:
        """Read what has changed since the last time; two small queries where nothing has."""
        with self._lock:
            newest = newest_entry()
            last_id = Subscription.objects.aggregate(last=Max("id"))["last"] or 0
            if not self._is_read or newest < self._position or (self._last_id > last_id and not last_id):
                # At first, and where another database lies beneath than before.
                self._last_id = 0
                self.subscriptions = self._read()
                self._is_read = True
            else:
                changed = self._changed_until(newest)
                if changed or last_id > self._last_id:
                    self._put(changed, is_longer=last_id > self._last_id)
            self._position, self._last_id = newest, max(last_id, self._last_id)
            return self.subscriptions

    def forget(self) -> None:
        """Read everything anew at the next time."""
        with self._lock:
            self.subscriptions, self._is_read, self._last_id = _empty(), False, 0

    def _changed_until(self, newest: int) -> list[int]:
        changed: set[int] = set()
        position = self._position
        while position < newest and (found := subjects_between(position, newest, kinds=CHANGES)):
            changed.update(subject for _, subject in found)
            position = found[-1][0]
        return sorted(changed)

    def _put(self, changed: Sequence[int], *, is_longer: bool) -> None:
        kept = self.subscriptions
        parts = []
        for at in range(0, len(changed), 500):
            some = changed[at : at + 500]
            marks = ", ".join(["%s"] * len(some))
            # What lies behind the last id is read below, once.
            parts.append(self._rows(f"s.id IN ({marks}) AND s.id <= %s", [*some, self._last_id]))
        if is_longer:
            parts.append(self._read())
        fresh = _joined(parts)
        gone = np.flatnonzero(np.isin(kept.ids, changed)) if changed else np.empty(0, np.int64)
        places = np.searchsorted(np.delete(kept.ids, gone), fresh.ids)
        columns: dict[str, Any] = {
            name: np.insert(np.delete(getattr(kept, name), gone), places, getattr(fresh, name)) for name in _COLUMNS
        }
        left = set(changed)
        areas = {pk: area for pk, area in kept.areas.items() if pk not in left}
        self.subscriptions = Subscriptions(**columns, areas=areas | fresh.areas)

    def _read(self) -> Subscriptions:
        """Read from the last id on, chunk by chunk, so that neither database nor driver holds a million rows."""
        parts = []
        while len(part := self._rows("s.id > %s", [self._last_id], limit=_CHUNK)):
            parts.append(part)
            self._last_id = int(part.ids[-1])
            if len(part) < _CHUNK:
                break
        return _joined(parts)

    def _rows(self, condition: str, values: Sequence[Any], *, limit: int | None = None) -> Subscriptions:
        with connection.cursor() as cursor:
            cursor.execute(_SELECT.format(condition) + (f" LIMIT {limit}" if limit else ""), values)
            rows = cursor.fetchall()
        return self._arrays(rows)

    def _arrays(self, rows: Sequence[Sequence[Any]]) -> Subscriptions:
        if not rows:
            return _empty()
        (
            ids, contacts, shapes, latitudes, longitudes, radii, beats, kinds, least, languages, contact_kinds,
            channels, quiet_from, quiet_to, areas,
        ) = zip(*rows, strict=True)  # fmt: skip
        masks: dict[Any, int] = {}
        columns: dict[str, list[Any] | tuple[Any, ...]] = {
            "ids": ids,
            "contacts": contacts,
            "shapes": [_SHAPES[shape] for shape in shapes],
            "latitudes": _numbers(latitudes),
            "longitudes": _numbers(longitudes),
            "radii": _numbers(radii),
            "beats": [beat or 0 for beat in beats],
            "kinds": [masks[key] if (key := str(one)) in masks else masks.setdefault(key, _mask(one)) for one in kinds],
            "least": least,
            "languages": [self.languages.of(one) for one in languages],
            "channels": [
                self.channels.of(channel or policy.default_channel(kind))
                for kind, channel in zip(contact_kinds, channels, strict=True)
            ],
            "quiet_from": [-1 if one is None else one for one in quiet_from],
            "quiet_to": [-1 if one is None else one for one in quiet_to],
        }
        drawn = {pk: _outline(area) for pk, area in zip(ids, areas, strict=True) if area is not None}
        return Subscriptions(**{name: np.array(columns[name], kind) for name, kind in _COLUMNS.items()}, areas=drawn)


def current() -> Index:
    """Give the index of this process, up to date."""
    _index.refresh()
    return _index


def forget() -> None:
    """Make this process read its subscriptions again."""
    _index.forget()


def _empty() -> Subscriptions:
    return Subscriptions(**{name: np.empty(0, kind) for name, kind in _COLUMNS.items()}, areas={})


def _joined(parts: Sequence[Subscriptions]) -> Subscriptions:
    if not parts:
        return _empty()
    areas: dict[int, Geometry] = {}
    for part in parts:
        areas |= part.areas
    columns: dict[str, npt.NDArray[Any]] = {
        name: np.concatenate([getattr(part, name) for part in parts]) for name in _COLUMNS
    }
    ids = columns["ids"]
    if np.any(ids[1:] < ids[:-1]):
        order = np.argsort(ids)
        columns = {name: column[order] for name, column in columns.items()}
    return Subscriptions(**columns, areas=areas)


def _numbers(values: Sequence[float | None]) -> list[float]:
    return [math.nan if value is None else value for value in values]


def _mask(kinds: Any) -> int:
    named = json.loads(kinds) if isinstance(kinds, str | bytes) else kinds
    bits = [1 << KIND_BITS[code] for code in named if code in KIND_BITS]
    # Only kinds that are no longer there: of those nothing will come, which is not the same as everything.
    return sum(set(bits)) if bits or not named else 1 << 31


def _outline(area: Any) -> Geometry:
    return geometry_of(json.loads(area) if isinstance(area, str | bytes) else area)


# Last, for it is made of what stands above.
_index = Index()
