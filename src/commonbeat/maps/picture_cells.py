"""What a picture counts: sums of published buckets in the part of the world that it shows.

A narrow view reads its buckets by ranges of cells. A wide one sums whole topics, once for each filter, and keeps that:
a million buckets take two seconds, what has changed since then a millisecond.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from django.db import connection
from django.db.models import Q, QuerySet, Subquery, Sum

from commonbeat.foundation import cells as h3cells
from commonbeat.maps import rules, tiling
from commonbeat.maps.arrays import NOTHING, Cells, Sums, once
from commonbeat.maps.models import Bucket, Change, Revision
from commonbeat.maps.picture_view import View
from commonbeat.topics.definition import Definition

# So many rows are read in some 40 ms.
_MOST_ROWS = 20_000
# Deeper trees of conditions are refused by SQLite, from 1,000 on.
_MOST_RANGES = 400
_HELD_BYTES = 10_000_000
_CHUNK = 10_000
# What is drawn is at most two steps coarser than the ranges by which it is read.
_SLACK = 3


class Span(NamedTuple):
    """Topics that count by the same periods, and those that begin from `since` on and before `until`."""

    topics: tuple[int, ...]
    since: int | None
    until: int | None


class Wanted(NamedTuple):
    """What is summed: topics and spans, a category or "", and the column: n, or sources."""

    spans: tuple[Span, ...]
    category: str = ""
    column: str = "n"


class _Held(NamedTuple):
    number: int
    sums: Sums


_held: OrderedDict[Wanted, _Held] = OrderedDict()
_lock = threading.Lock()


def wanted_of(
    topics: Iterable[tuple[int, Definition]], *, category: str, since: int | None, until: int | None, column: str = "n"
) -> Wanted:
    """Fit days, both included, to the periods of topics, as every map does."""
    found: dict[tuple[int | None, int | None], list[int]] = {}
    for pk, definition in topics:
        found.setdefault(rules.span_of(definition, since, until), []).append(pk)
    return Wanted(tuple(Span(tuple(pks), *span) for span, pks in found.items()), category, column)


def sums_in(view: View, wanted: Wanted) -> Sums:
    """Sum what may lie in a view into the cells that its zoom draws: at most three queries.

    Cells that were merged more keep their size; some of them may lie just outside.
    """
    if not wanted.spans:
        return NOTHING
    drawn = tiling.display_resolution(min(max(round(view.zoom), 0), tiling.FARTHEST_ZOOM))
    ranges = _ranges(view, drawn)
    # Inside a transaction its own changes count, and they may still be rolled back.
    if connection.in_atomic_block:
        held = _read_whole(wanted).sums
    elif wanted in _held or ranges is None or len(ranges[0]) * len(wanted.spans) > _MOST_RANGES:
        held = _current(wanted)
    else:
        narrow = _read_ranges(wanted, *ranges)
        held = _current(wanted) if narrow is None else narrow
    return _coarser(held if ranges is None else _within(held, *ranges), drawn)


def forget() -> None:
    """Make this process read the buckets again."""
    with _lock:
        _held.clear()


def _ranges(view: View, drawn: int) -> tuple[Cells, Cells] | None:
    """Give the first and last numbers of the cells, at every resolution, that may touch a view; None for all."""
    zoom = min(max(round(view.zoom) - 1, 0), tiling.FARTHEST_ZOOM)
    tiles = {(placed.x, placed.y) for placed in view.tiles(zoom)}
    firsts, lasts = [], []
    known: dict[int, Cells] = {}
    for resolution in range(rules.COARSEST, h3cells.STORED_RESOLUTION + 1):
        by = min(resolution, max(drawn, 1))
        if by not in known:
            parts = [tiling.covering(zoom, x, y, by) for x, y in tiles]
            some = [part for part in parts if part is not None]
            if not some or len(some) < len(parts):
                return None
            known[by] = np.unique(np.concatenate(some))
        first, last = tiling.ranges(known[by], resolution)
        step = 1 << (3 * (15 - by + 1))
        # Neighbours are one range, also where a few cells that are not wanted lie between.
        breaks = np.flatnonzero(first[1:] - last[:-1] > _SLACK * step)
        firsts.append(first[np.concatenate(([0], breaks + 1))])
        lasts.append(last[np.concatenate((breaks, [len(last) - 1]))])
    return np.concatenate(firsts), np.concatenate(lasts)


def _current(wanted: Wanted) -> Sums:
    """Give the sums of whole topics as they stand: what was read before, and what has changed since."""
    number, floor = Revision.objects.values_list("number", "floor").first() or (0, 0)
    held = _held.get(wanted)
    if held is None or held.number != number:
        # One thread reads at a time: a crowd that asks for the same waits for the first one's answer.
        with _lock:
            held = _held.get(wanted)
            if held is None or not floor <= held.number <= number:
                held = _read_whole(wanted)
            elif held.number < number:
                changes = _filtered(Change.objects.filter(number__gt=held.number, number__lte=number), wanted)
                rows = changes.values_list("cell").annotate(sum=Sum(wanted.column))
                columns = np.array(list(rows), np.int64).reshape(-1, 2)
                held = _Held(number, _added([held.sums, (columns[:, 0], columns[:, 1])]))
            _keep(wanted, held)
    return held.sums


def _keep(wanted: Wanted, held: _Held) -> None:
    _held[wanted] = held
    _held.move_to_end(wanted)
    while len(_held) > 1 and sum(16 * len(one.sums.cells) for one in _held.values()) > _HELD_BYTES:
        _held.popitem(last=False)


def _read_whole(wanted: Wanted) -> _Held:
    # The number stands in the same statement as the sums, so that both are of one moment.
    mark = Subquery(Revision.objects.values("number")[:1])
    found = _filtered(Bucket.objects.annotate(mark=mark), wanted)
    rows = found.values_list("cell", "mark").annotate(sum=Sum(wanted.column)).values_list("cell", "sum", "mark")
    parts: list[tuple[Cells, npt.NDArray[np.int64]]] = []
    number = 0
    read = rows.iterator(chunk_size=_CHUNK)
    while chunk := [row for _, row in zip(range(_CHUNK), read, strict=False)]:
        columns = np.array([row[:2] for row in chunk], np.int64)
        number = chunk[0][2] or 0
        parts.append((columns[:, 0], columns[:, 1]))
    return _Held(number, _added(parts))


def _read_ranges(wanted: Wanted, firsts: Cells, lasts: Cells) -> Sums | None:
    """Read the buckets of some ranges; None where they are many."""
    # Topics and periods stand in each part: were the topics outside, SQLite would search by them, and read them whole.
    within = Q()
    for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True):
        for span in wanted.spans:
            within |= _span(span) & Q(cell__range=(first, last))
    rows = list(_narrowed(Bucket.objects.filter(within), wanted).values_list("cell", wanted.column)[: _MOST_ROWS + 1])
    return None if len(rows) > _MOST_ROWS else _sums(rows)


def _filtered(found: QuerySet[Any, Any], wanted: Wanted) -> QuerySet[Any, Any]:
    which = Q()
    for span in wanted.spans:
        which |= _span(span)
    return _narrowed(found.filter(which), wanted)


def _narrowed(found: QuerySet[Any, Any], wanted: Wanted) -> QuerySet[Any, Any]:
    narrowed = found.filter(category=wanted.category) if wanted.category else found
    return narrowed.exclude(cell=rules.NO_PLACE).order_by()


def _span(span: Span) -> Q:
    found = Q(topic_id__in=span.topics)
    if span.since is not None:
        found &= Q(period__gte=span.since)
    if span.until is not None:
        found &= Q(period__lt=span.until)
    return found


def _sums(rows: Iterable[tuple[Any, ...]]) -> Sums:
    columns = np.array(list(rows), np.int64).reshape(-1, 2)
    return _added([(columns[:, 0], columns[:, 1])])


def _within(sums: Sums, firsts: Cells, lasts: Cells) -> Sums:
    """Keep what lies in some ranges."""
    at = np.searchsorted(firsts, sums.cells, side="right") - 1
    kept = (at >= 0) & (sums.cells <= lasts[at])
    return Sums(sums.cells[kept], sums.n[kept])


def _coarser(sums: Sums, drawn: int) -> Sums:
    """Sum into cells of a resolution; coarser ones stay as they are."""
    resolutions = h3cells.resolutions(sums.cells)
    parts = []
    for resolution in np.unique(resolutions).tolist():
        some = resolutions == resolution
        parts.append((h3cells.parents(sums.cells[some], min(resolution, drawn)), sums.n[some]))
    return _added(parts)


def _added(parts: list[tuple[Cells, npt.NDArray[np.int64]]]) -> Sums:
    if not parts:
        return NOTHING
    return once(np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts]))
