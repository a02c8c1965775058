"""The index of names as the database has it now, and one look into it."""

from __future__ import annotations

import threading
import time
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from django.db import connection

from commonbeat.places.models import NameSource, Place, PlaceName
from commonbeat.places.names_index import NamesIndex, Row

# How long new names, and names that another process deleted, may go unseen.
FRESH_SECONDS, COUNTED_SECONDS = 2.0, 10.0
# The newest names by which the next look tells whether only more have come.
_TAIL = 40
_CHUNK = 4_000
# Places that are read for one text; a name that more places share says nothing of where it is.
_MOST_READ = 500

_Tail = tuple[tuple[int, str, int], ...]


class KnownNames(Container[str]):
    """The names that staff or a file have given, perhaps with others; asked one by one, never listed."""

    def __init__(self, index: NamesIndex, others: Container[str] = frozenset()) -> None:
        """Hold on to an index, which never changes."""
        self._index = index
        self._others = others

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and (self._index.is_given(name) or name in self._others)

    def __or__(self, others: Container[str]) -> KnownNames:
        """Add further names."""
        return KnownNames(self._index, _Either(self._others, others))

    __ror__ = __or__


@dataclass(frozen=True, slots=True)
class _Either(Container[str]):
    one: Container[str]
    other: Container[str]

    def __contains__(self, name: object) -> bool:
        return name in self.one or name in self.other


@dataclass(slots=True)
class Look:
    """One look into the gazetteer: all names, and the places that it has read."""

    index: NamesIndex
    # place id → names by language, kind, latitude, longitude
    places: dict[int, tuple[dict[str, str], str, float, float]] = field(default_factory=dict)
    _ids: dict[str, list[int]] = field(default_factory=dict)

    def __contains__(self, name: str) -> bool:
        return self.index.has(name)

    def ids(self, name: str) -> list[int]:
        """Give the places of this name, at most as many as are read for one text."""
        if name not in self._ids:
            self._ids[name] = list(dict.fromkeys(self.index.place_ids(name)))[:_MOST_READ]
        return self._ids[name]

    def has_word(self, word: str) -> bool:
        """Tell whether a word stands in any name."""
        return self.index.count_of(word) > 0

    def load(self, ids: Iterable[int]) -> None:
        """Read places, one query; what is gone meanwhile is left out."""
        wanted = list(dict.fromkeys(ids))[:_MOST_READ]
        rows = Place.objects.filter(pk__in=wanted).values_list("pk", "names", "kind", "latitude", "longitude")
        self.places = {pk: (names, kind, lat, lon) for pk, names, kind, lat, lon in rows} if wanted else {}
        for name, found in self._ids.items():
            self._ids[name] = [pk for pk in found if pk in self.places]


@dataclass(slots=True)
class _Kept:
    index: NamesIndex
    tail: _Tail
    checked_at: float
    counted_at: float


_kept: _Kept | None = None
_lock = threading.Lock()


def current_look() -> Look:
    """Give a look into the names as they are in the database, perhaps two seconds ago."""
    global _kept
    moment, kept = time.monotonic(), _kept
    # Within a transaction its own new names must be found.
    if kept is None or connection.in_atomic_block or moment - kept.checked_at >= FRESH_SECONDS:
        with _lock:
            kept = _kept = _renewed(_kept, moment)
    return Look(kept.index)


def forget() -> None:
    """Read all names anew at the next look; for whoever has deleted some."""
    global _kept
    _kept = None


def _renewed(kept: _Kept | None, moment: float) -> _Kept:
    tail = _tail()
    if kept is not None and moment - kept.counted_at >= COUNTED_SECONDS:
        # Deleted names are told by their number alone, and a name more is one that the tail has.
        newer = sum(row[0] > (kept.tail[0][0] if kept.tail else 0) for row in tail)
        if newer < _TAIL and PlaceName.objects.count() != len(kept.index) + newer:
            kept = None
        else:
            kept.counted_at = moment
    if kept is not None and kept.tail == tail:
        kept.checked_at = moment
        return kept
    if kept is not None and kept.tail and kept.tail[0] in tail:
        index = kept.index.with_more(_chunks(after=kept.tail[0][0]))
        return _Kept(index, tail, moment, kept.counted_at)
    return _Kept(NamesIndex().with_more(_chunks(after=0)), tail, moment, moment)


def _tail() -> _Tail:
    return tuple(PlaceName.objects.order_by("-id").values_list("id", "folded", "place_id")[:_TAIL])


def _chunks(*, after: int) -> Iterator[list[Row]]:
    rows = PlaceName.objects.filter(pk__gt=after).order_by("id").values_list("folded", "place_id", "source")
    found = (Row(folded, pk, source == NameSource.LEARNED) for folded, pk, source in rows.iterator(chunk_size=_CHUNK))
    while chunk := list(islice(found, _CHUNK)):
        yield chunk
