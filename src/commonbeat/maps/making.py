"""Make the arrays of buckets from rows, and keep them up to date with changes."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from commonbeat.maps.arrays import FIRST_DAY, Group, TopicBuckets

# category, cell, period, n, sources
BucketRow = tuple[str, int, int, int, int]

_RESOLUTION_SHIFT = 52
_MOST_CATEGORIES = 255
_LARGEST_N = 127
# Changes are merged into the rest when they are more than this, or a twentieth of it.
_MOST_CHANGES = 20_000
_LAST_DAY = FIRST_DAY + 65_534


class Builder:
    """Collect rows of one topic, best in the order of their cells, with little memory."""

    def __init__(self, categories: Sequence[str] = ()) -> None:
        self._categories = {code: index for index, code in enumerate(categories)}
        self._parts: list[tuple[npt.NDArray[Any], ...]] = []

    def add(self, rows: Sequence[BucketRow]) -> None:
        """Add rows; those without a place are on no map."""
        rows = [row for row in rows if row[1]]
        if not rows:
            return
        codes, cells, periods, counts, senders = zip(*rows, strict=True)
        known = self._categories
        for code in codes:
            if code not in known:
                # The last place is for all that come after 254 others: shown, but under no filter of their own.
                known[code] = min(len(known), _MOST_CATEGORIES)
        numbers = np.fromiter((known[code] for code in codes), np.uint8, len(codes))
        days = np.clip(np.array(periods, np.int64), FIRST_DAY, _LAST_DAY) - FIRST_DAY
        amounts = np.array([counts, senders], np.int64)
        part = (np.array(cells, np.int64), days.astype(np.uint16), numbers)
        most = np.abs(amounts).max(axis=0)
        if most.max() > _LARGEST_N:
            times = np.maximum(1, -(-most // _LARGEST_N))
            ends = np.cumsum(times)
            which = np.repeat(np.arange(len(most)), times)
            number_in = np.arange(len(which)) - (ends - times)[which]
            left = np.abs(amounts)[:, which] - number_in * _LARGEST_N
            amounts = np.sign(amounts)[:, which] * np.clip(left, 0, _LARGEST_N)
            part = (part[0][which], part[1][which], part[2][which])
        self._parts.append((*part, *amounts.astype(np.int8)))

    @property
    def categories(self) -> tuple[str, ...]:
        """Name the categories by index."""
        return tuple(code for code, index in self._categories.items() if index < _MOST_CATEGORIES)

    def groups(self) -> tuple[Group, ...]:
        """Make the arrays; the rows are let go of column by column."""
        if not self._parts:
            return ()
        columns: list[list[npt.NDArray[Any]]] = [list(column) for column in zip(*self._parts, strict=True)]
        self._parts = []
        made = []
        for parts in columns:
            made.append(np.concatenate(parts))
            parts.clear()
        if np.array_equal(made[3], made[4]):
            made[4] = made[3]
        cells = made[0]
        if len(cells) > 1 and not (cells[1:] >= cells[:-1]).all():
            order = np.argsort(cells, kind="stable")
            cells, *others = (column[order] for column in made[:4])
            made = [cells, *others, others[-1] if made[4] is made[3] else made[4][order]]
        same = made[4] is made[3]
        # The resolution stands in the high bits, so that cells of one resolution lie together.
        edges = [int(np.searchsorted(cells, resolution << _RESOLUTION_SHIFT | 1 << 59)) for resolution in range(17)]
        return tuple(
            _group(resolution, [column[low:high] for column in (made[:4] if same else made)])
            for resolution, (low, high) in enumerate(itertools.pairwise(edges))
            if high > low
        )


def first_period(groups: Iterable[Group], step: int = 1_000_000) -> int | None:
    """Tell in which period the first was counted of what is there."""
    sums = np.zeros(1 << 16)
    # In steps: the sums want numbers of 8 bytes.
    for group in groups:
        for at in range(0, len(group), step):
            n = group.n[at : at + step]
            sums += np.bincount(group.periods[at : at + step], n, minlength=len(sums))
    some = np.flatnonzero(sums > 0)
    return int(some[0]) + FIRST_DAY if some.size else None


def changed(buckets: TopicBuckets, rows: Sequence[BucketRow], number: int) -> TopicBuckets:
    """Add changes, as rows whose n may be negative."""
    builder = Builder(buckets.categories)
    builder.add(rows)
    added = builder.groups()
    changes = _merged(buckets.changes, added)
    limit = max(_MOST_CHANGES, sum(map(len, buckets.groups)) // 20)
    groups = buckets.groups
    if sum(map(len, changes)) > limit:
        groups, changes = _merged(groups, changes), ()
    first = buckets.first
    earliest = min((row[2] for row in rows if row[1]), default=None)
    if earliest is not None and (first is None or earliest <= first):
        # What is taken back may have been the first.
        is_taken = any(row[3] < 0 and row[1] for row in rows)
        first = first_period((*groups, *changes)) if is_taken else max(earliest, FIRST_DAY)
    return TopicBuckets(groups, changes, builder.categories, number, first)


def _group(resolution: int, columns: Sequence[npt.NDArray[Any]]) -> Group:
    """Make a group of its columns; without the last, senders are what n is."""
    cells, periods, categories, n, *sources = columns
    return Group(resolution, cells, periods, categories, n, sources[0] if sources else n)


def _columns(group: Group, same: bool) -> list[npt.NDArray[Any]]:
    columns: list[npt.NDArray[Any]] = [group.cells, group.periods, group.categories, group.n]
    return columns if same else [*columns, group.sources]


def _merged(groups: tuple[Group, ...], more: tuple[Group, ...]) -> tuple[Group, ...]:
    by_resolution = {group.resolution: group for group in groups}
    for group in more:
        old = by_resolution.get(group.resolution)
        if old is None:
            by_resolution[group.resolution] = group
            continue
        at = np.searchsorted(old.cells, group.cells, side="right")
        same = old.sources is old.n and group.sources is group.n
        columns = zip(_columns(old, same), _columns(group, same), strict=True)
        by_resolution[group.resolution] = _group(
            group.resolution, [np.insert(before, at, more) for before, more in columns]
        )
    return tuple(by_resolution[resolution] for resolution in sorted(by_resolution))
