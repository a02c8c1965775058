"""What the buckets tell beside the map: sums over all places, held in memory and kept up to date by the changes."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db import connection
from django.db.models import Subquery

from commonbeat.maps.models import Bucket, Change, Revision
from commonbeat.maps.queries import Totals
from commonbeat.maps.rules import NO_PLACE, SEVERAL

PLACED, WITHOUT_PLACE, MERGED = range(3)
_CHUNK = 20_000
# topic, category, period, kind
_Key = tuple[int, str, int, int]

_reading = threading.Lock()
_known: Tally | None = None


@dataclass(frozen=True, eq=False, slots=True)
class Tally:
    """Columns of (topic, category, period, kind, n); never changed, but replaced."""

    number: int
    names: tuple[str, ...]
    topics: npt.NDArray[np.int64]
    categories: npt.NDArray[np.int64]
    periods: npt.NDArray[np.int64]
    kinds: npt.NDArray[np.int64]
    n: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.n)

    def only(self, topic_id: int, *, category: str = "", since: int | None = None, until: int | None = None) -> Tally:
        """Keep a topic, a category, and the periods that begin from `since` on and before `until`."""
        kept = self.topics == topic_id
        if category:
            kept &= self.categories == (self.names.index(category) if category in self.names else -1)
        if since is not None:
            kept &= self.periods >= since
        if until is not None:
            kept &= self.periods < until
        return self._rows(kept)

    def totals(self) -> Totals:
        """Add everything up."""
        placed, without_place, merged = (int(self.n[self.kinds == kind].sum()) for kind in range(3))
        return Totals(placed, without_place, merged)

    def by_category(self) -> dict[str, int]:
        """Sum by category; "" stands for none, "*" for what was merged over several."""
        sums = np.bincount(self.categories, self.n, minlength=len(self.names))
        return {name: int(n) for name, n in zip(self.names, sums.tolist(), strict=True) if n}

    def by_span(self, edges: Sequence[int]) -> list[Totals]:
        """Sum by the spans between neighbouring edges, days in order: of a period counts the day on which it begins."""
        where = np.searchsorted(np.array(edges, np.int64), self.periods, side="right") - 1
        inside = (where >= 0) & (where < len(edges) - 1)
        sums = np.zeros((len(edges) - 1, 3), np.int64)
        np.add.at(sums, (where[inside], self.kinds[inside]), self.n[inside])
        return [Totals(*row) for row in sums.tolist()]

    def span(self) -> tuple[int, int] | None:
        """Give the first and the last period in which something counts."""
        some = self.periods[self.n != 0]
        return (int(some.min()), int(some.max())) if len(some) else None

    def _rows(self, kept: npt.NDArray[Any]) -> Tally:
        columns = (self.topics, self.categories, self.periods, self.kinds, self.n)
        return Tally(self.number, self.names, *(column[kept] for column in columns))


def tally() -> Tally:
    """Give the sums as they stand: one small query, and what has changed since the last call.

    The first call sums every bucket, in two seconds for a million.
    """
    global _known
    if connection.in_atomic_block:
        # Inside a transaction its own changes count, and they may still be rolled back.
        return _read()
    number, floor = _revision()
    known = _known
    if known is not None and known.number == number:
        return known
    with _reading:
        known = _known
        if known is None or known.number < floor or known.number > number:
            _known = known = _read()
        elif known.number < number:
            _known = known = _followed(known, number)
    return known


def forget() -> None:
    """Make this process read the buckets again."""
    global _known
    _known = None


def _revision() -> tuple[int, int]:
    return Revision.objects.values_list("number", "floor").first() or (0, 0)


def _read() -> Tally:
    number, _ = _revision()
    # The number stands in the same statement as the buckets, so that both are of one moment.
    mark = Subquery(Revision.objects.values("number")[:1])
    sums: dict[_Key, int] = {}
    # Summed here: of a million rows SQLite makes the same groups in twice the time.
    rows = Bucket.objects.order_by().values_list("topic_id", "category", "cell", "period", "n", mark)
    for topic, category, cell, period, n, at in rows.iterator(chunk_size=_CHUNK):
        key = topic, category, period, _kind(category, cell)
        sums[key] = sums.get(key, 0) + n
        number = at
    return _tally(number, (), sums)


def _followed(known: Tally, number: int) -> Tally:
    sums: dict[_Key, int] = {}
    changes = Change.objects.filter(number__gt=known.number, number__lte=number)
    rows = changes.values_list("topic_id", "category", "cell", "period", "n")
    for topic, category, cell, period, n in rows.iterator(chunk_size=_CHUNK):
        key = topic, category, period, _kind(category, cell)
        sums[key] = sums.get(key, 0) + n
    return _tally(number, known.names, sums, known)


def _kind(category: str, cell: int) -> int:
    if cell != NO_PLACE:
        return PLACED
    return MERGED if category == SEVERAL else WITHOUT_PLACE


def _tally(number: int, names: tuple[str, ...], sums: dict[_Key, int], before: Tally | None = None) -> Tally:
    index = {name: at for at, name in enumerate(names)}
    read = [(topic, index.setdefault(name, len(index)), at, kind, n) for (topic, name, at, kind), n in sums.items()]
    columns = np.array(read, np.int64).reshape(-1, 5).T
    if before is not None:
        old = np.stack([before.topics, before.categories, before.periods, before.kinds, before.n])
        columns = _once(np.concatenate([old, columns], axis=1))
    return Tally(number, tuple(index), *columns)


def _once(columns: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Sum what stands in several rows."""
    keys, at = np.unique(columns[:4], axis=1, return_inverse=True)
    sums = np.zeros(keys.shape[1], np.int64)
    np.add.at(sums, at.ravel(), columns[4])
    return np.concatenate([keys, sums[None]])
