"""The published buckets of a topic in memory: sorted by place, 13 bytes each, summed for any tile and filter.

Only sums are ever asked for, so a bucket may stand in several rows: a change is a row of its own, and a count over 127
several rows. Where no report has a contact, reports and senders are one column, and 12 bytes.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from commonbeat.foundation import cells as h3cells
from commonbeat.maps import tiling

Cells = npt.NDArray[np.int64]
Counts = npt.NDArray[Any]

# Cells up to this resolution are summed once per filter and kept: a tile of a country is then a part of few sums.
_SUMMED_RESOLUTION = 7
_SUMMED_BYTES = 24_000_000
# Periods are kept as days from 1900-01-01 on, in 16 bits: until 2079.
FIRST_DAY = -25_567


class Filter(NamedTuple):
    """What a reader narrows the map to: a category's code or "", and periods that begin from since on, before until."""

    category: str = ""
    since: int | None = None
    until: int | None = None


class Sums(NamedTuple):
    """Cells, each once, with how much is in them: whole numbers, or parts where they were divided."""

    cells: Cells
    n: Counts


NOTHING = Sums(np.empty(0, np.int64), np.empty(0, np.int64))


@dataclass(frozen=True, eq=False, slots=True)
class Group:
    """Buckets whose cells have one resolution, sorted by cell."""

    resolution: int
    cells: Cells
    periods: npt.NDArray[np.uint16]
    categories: npt.NDArray[np.uint8]
    n: npt.NDArray[np.int8]
    # The same array as n where each report is of another sender, or of nobody knows whom.
    sources: npt.NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.cells)

    def kept(self, low: int, high: int, narrowed: _Narrowed, *, of_sources: bool = False) -> npt.NDArray[Any]:
        """Give n, or the senders, of the rows low to high, 0 where the filter lets nothing through."""
        category, since, until = narrowed
        n: npt.NDArray[Any] = (self.sources if of_sources else self.n)[low:high]
        if category is not None:
            n = n * (self.categories[low:high] == category)
        if since > 0 or until <= 65_535:
            # One comparison for both ends: unsigned numbers wrap around.
            n = n * ((self.periods[low:high] - np.uint16(since)) < np.uint16(until - since))
        return n


@dataclass(frozen=True, eq=False, slots=True)
class TopicBuckets:
    """The buckets of a topic as they stand; never changed, but replaced."""

    groups: tuple[Group, ...] = ()
    changes: tuple[Group, ...] = ()
    categories: tuple[str, ...] = ()
    # The number of the newest change in it.
    number: int = 0
    # The period in which the first of it was counted; None without anything.
    first: int | None = None

    def __len__(self) -> int:
        return sum(map(len, self.groups)) + sum(map(len, self.changes))

    def sums(self, zoom: int, x: int, y: int, wanted: Filter, kept: Kept, *, of_sources: bool = False) -> Sums:
        """Sum what may touch a tile into the cells that its zoom draws; cells that were merged more keep their size.

        Some of the cells may lie just outside of the tile. of_sources=True sums senders instead of reports.
        """
        narrowed = self._read(wanted)
        if narrowed is None:
            return NOTHING
        parts = [
            _sum_group(group, (zoom, x, y), narrowed, kept if keeps else None, of_sources=of_sources)
            for groups, keeps in ((self.groups, True), (self.changes, False))
            for group in groups
        ]
        return together(parts)

    def places(self, zoom: int, x: int, y: int, wanted: Filter) -> Cells:
        """Name the public cells, unmerged, that may lie on a tile and have something that the filter lets through."""
        narrowed = self._read(wanted)
        if narrowed is None:
            return NOTHING.cells
        found = [NOTHING.cells]
        for group in (*self.groups, *self.changes):
            drawn = min(tiling.display_resolution(zoom), group.resolution)
            for low, high in _spans(group.cells, tiling.covering(zoom, x, y, drawn), group.resolution):
                found.append(group.cells[low:high][group.kept(low, high, narrowed) != 0])
        return np.unique(np.concatenate(found))

    def _read(self, wanted: Filter) -> _Narrowed | None:
        category: int | None = None
        if wanted.category:
            if wanted.category not in self.categories:
                return None
            category = self.categories.index(wanted.category)
        since = 0 if wanted.since is None else min(max(wanted.since - FIRST_DAY, 0), 65_535)
        until = 65_536 if wanted.until is None else min(max(wanted.until - FIRST_DAY, 0), 65_536)
        if until <= since:
            return None
        if since == 0 and until == 65_535:
            until = 65_536
        return category, since, until


# index of the category, first period, first period that is left out
_Narrowed = tuple[int | None, int, int]


@dataclass(eq=False)
class Kept:
    """Sums of whole topics by filter, the latest few."""

    _held: OrderedDict[tuple[int, _Narrowed, bool], tuple[Group, Sums]] = field(default_factory=OrderedDict)
    _starts: OrderedDict[int, tuple[Group, npt.NDArray[np.int64]]] = field(default_factory=OrderedDict)
    _bytes: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def summed(self, group: Group, narrowed: _Narrowed, *, of_sources: bool) -> Sums:
        """Sum a whole group by its ancestors at _SUMMED_RESOLUTION, or give what was summed before."""
        key = (id(group), narrowed, of_sources and group.sources is not group.n)
        with self._lock:
            found = self._held.get(key)
            if found is not None:
                self._held.move_to_end(key)
                return found[1]
        starts = self._starts_of(group)
        n = np.add.reduceat(group.kept(0, len(group), narrowed, of_sources=of_sources), starts, dtype=np.int32)
        some = np.flatnonzero(n)
        ancestors = h3cells.parents(group.cells[starts[some]], min(_SUMMED_RESOLUTION, group.resolution))
        made = Sums(ancestors, n[some].astype(np.int64))
        with self._lock:
            # The group is held with its sums, so that no other can get its id.
            self._held[key] = (group, made)
            self._bytes += made.cells.nbytes + made.n.nbytes
            while self._bytes > _SUMMED_BYTES and len(self._held) > 1:
                _, (_, gone) = self._held.popitem(last=False)
                self._bytes -= gone.cells.nbytes + gone.n.nbytes
        return made

    def forget(self, groups: Iterable[Group]) -> None:
        """Let go of what belongs to no group of these."""
        living = {id(group) for group in groups}
        with self._lock:
            for key in [key for key in self._held if key[0] not in living]:
                _, gone = self._held.pop(key)
                self._bytes -= gone.cells.nbytes + gone.n.nbytes
            for one in [one for one in self._starts if one not in living]:
                del self._starts[one]

    def _starts_of(self, group: Group) -> npt.NDArray[np.int64]:
        with self._lock:
            found = self._starts.get(id(group))
        if found is None:
            found = (group, _runs(group.cells, min(_SUMMED_RESOLUTION, group.resolution)))
            with self._lock:
                self._starts[id(group)] = found
        return found[1]


def together(parts: Sequence[Sums]) -> Sums:
    """Add sums up, cell by cell, sorted; what comes to nothing is left out."""
    parts = [part for part in parts if len(part.cells)]
    if not parts:
        return NOTHING
    if len(parts) > 1:
        return once(np.concatenate([part.cells for part in parts]), np.concatenate([part.n for part in parts]))
    order = np.argsort(parts[0].cells, kind="stable")
    return _some(Sums(parts[0].cells[order], parts[0].n[order]))


def once(cells: Cells, n: Counts) -> Sums:
    """Add up what stands in several rows, sorted by cell; what comes to nothing is left out."""
    found, which = np.unique(cells, return_inverse=True)
    added = Sums(found, np.zeros(len(found), n.dtype))
    np.add.at(added.n, which, n)
    return _some(added)


def values_at(sums: Sums, wanted: Cells) -> Counts:
    """Read sums, sorted by cell, at some cells; 0 where they have nothing."""
    if not len(sums.cells):
        return np.zeros(len(wanted), sums.n.dtype)
    at = np.minimum(np.searchsorted(sums.cells, wanted), len(sums.cells) - 1)
    found: Counts = np.where(sums.cells[at] == wanted, sums.n[at], 0)
    return found


def _some(added: Sums) -> Sums:
    some = added.n > 0
    return added if some.all() else Sums(added.cells[some], added.n[some])


def _sum_group(
    group: Group, tile: tuple[int, int, int], narrowed: _Narrowed, kept: Kept | None, *, of_sources: bool
) -> Sums:
    zoom, x, y = tile
    drawn = min(tiling.display_resolution(zoom), group.resolution)
    around = tiling.covering(zoom, x, y, drawn)
    if kept is not None and drawn <= _SUMMED_RESOLUTION:
        whole = kept.summed(group, narrowed, of_sources=of_sources)
        spans = _spans(whole.cells, around, min(_SUMMED_RESOLUTION, group.resolution))
        cells = _joined(whole.cells, spans)
        n: npt.NDArray[Any] = _joined(whole.n, spans)
    else:
        spans = _spans(group.cells, around, group.resolution)
        cells = _joined(group.cells, spans)
        pieces = [group.kept(low, high, narrowed, of_sources=of_sources) for low, high in spans]
        n = pieces[0] if len(pieces) == 1 else np.concatenate(pieces) if pieces else group.n[:0]
    if not len(cells):
        return NOTHING
    # What is drawn is never finer than the group, nor than what is summed of it.
    ancestors = h3cells.ancestors(cells, drawn)
    starts = _changes_at(ancestors)
    # In 32 bits ten times as fast as in 64; more than two thousand million reports are in no cell.
    sums = np.add.reduceat(n, starts, dtype=np.int32)
    some = np.flatnonzero(sums)
    return Sums(ancestors[starts[some]], sums[some].astype(np.int64))


def _spans(sorted_cells: Cells, around: Cells | None, resolution: int) -> list[tuple[int, int]]:
    if around is None:
        return [(0, len(sorted_cells))]
    first, last = tiling.ranges(around, resolution)
    low = np.searchsorted(sorted_cells, first, side="left")
    high = np.searchsorted(sorted_cells, last, side="right")
    some = np.flatnonzero(high > low)
    if not some.size:
        return []
    low, high = low[some], high[some]
    # Neighbours with nothing between them are one.
    breaks = np.flatnonzero(low[1:] != high[:-1]) + 1
    begin = low[np.concatenate(([0], breaks))]
    end = high[np.concatenate((breaks - 1, [len(high) - 1]))]
    return list(zip(begin.tolist(), end.tolist(), strict=True))


def _joined(column: npt.NDArray[Any], spans: Sequence[tuple[int, int]]) -> npt.NDArray[Any]:
    if len(spans) == 1:
        return column[spans[0][0] : spans[0][1]]
    return np.concatenate([column[low:high] for low, high in spans]) if spans else column[:0]


def _changes_at(sorted_cells: Cells) -> npt.NDArray[np.int64]:
    first = np.ones(len(sorted_cells), bool)
    np.not_equal(sorted_cells[1:], sorted_cells[:-1], out=first[1:])
    return np.flatnonzero(first)


def _runs(cells: Cells, resolution: int, step: int = 1_000_000) -> npt.NDArray[np.int64]:
    # In steps: for ten million cells at once the working copies would take 160 MB.
    found = []
    last = None
    for at in range(0, len(cells), step):
        ancestors = h3cells.parents(cells[at : at + step], resolution)
        starts = _changes_at(ancestors)
        if last is not None and ancestors[0] == last:
            starts = starts[1:]
        last = ancestors[-1]
        found.append(starts + at)
    return np.concatenate(found) if found else np.empty(0, np.int64)
