"""Make the arrays of buckets from rows, and keep them up to date with changes."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from commonbeat.maps.arrays import FIRST_DAY, Group, TopicBuckets

# category, cell, period, n
BucketRow = tuple[str, int, int, int]

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
        codes, cells, periods, counts = zip(*rows, strict=True)
        known = self._categories
        for code in codes:
            if code not in known:
                # The last place is for all that come after 254 others: shown, but under no filter of their own.
                known[code] = min(len(known), _MOST_CATEGORIES)
        numbers = np.fromiter((known[code] for code in codes), np.uint8, len(codes))
        days = np.clip(np.array(periods, np.int64), FIRST_DAY, _LAST_DAY) - FIRST_DAY
        n = np.array(counts, np.int64)
        part = (np.array(cells, np.int64), days.astype(np.uint16), numbers)
        if np.abs(n).max() > _LARGEST_N:
            times = np.maximum(1, -(-np.abs(n) // _LARGEST_N))
            ends = np.cumsum(times)
            which = np.repeat(np.arange(len(n)), times)
            number_in = np.arange(len(which)) - (ends - times)[which]
            left = np.abs(n)[which] - number_in * _LARGEST_N
            n = np.sign(n)[which] * np.minimum(left, _LARGEST_N)
            part = (part[0][which], part[1][which], part[2][which])
        self._parts.append((*part, n.astype(np.int8)))

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
        cells, periods, categories, n = made
        if len(cells) > 1 and not (cells[1:] >= cells[:-1]).all():
            order = np.argsort(cells, kind="stable")
            cells, periods, categories, n = cells[order], periods[order], categories[order], n[order]
        # The resolution stands in the high bits, so that cells of one resolution lie together.
        edges = [int(np.searchsorted(cells, resolution << _RESOLUTION_SHIFT | 1 << 59)) for resolution in range(17)]
        return tuple(
            Group(resolution, cells[low:high], periods[low:high], categories[low:high], n[low:high])
            for resolution, (low, high) in enumerate(itertools.pairwise(edges))
            if high > low
        )


def made_of(rows: Iterable[BucketRow], number: int = 0) -> TopicBuckets:
    """Make a topic's buckets from rows."""
    builder = Builder()
    builder.add(list(rows))
    return TopicBuckets(builder.groups(), (), builder.categories, number)


def changed(buckets: TopicBuckets, rows: Sequence[BucketRow], number: int) -> TopicBuckets:
    """Add changes, as rows whose n may be negative."""
    builder = Builder(buckets.categories)
    builder.add(rows)
    added = builder.groups()
    changes = _merged(buckets.changes, added)
    limit = max(_MOST_CHANGES, sum(map(len, buckets.groups)) // 20)
    if sum(map(len, changes)) > limit:
        return TopicBuckets(_merged(buckets.groups, changes), (), builder.categories, number)
    return TopicBuckets(buckets.groups, changes, builder.categories, number)


def _merged(groups: tuple[Group, ...], more: tuple[Group, ...]) -> tuple[Group, ...]:
    by_resolution = {group.resolution: group for group in groups}
    for group in more:
        old = by_resolution.get(group.resolution)
        if old is None:
            by_resolution[group.resolution] = group
            continue
        at = np.searchsorted(old.cells, group.cells, side="right")
        by_resolution[group.resolution] = Group(
            group.resolution,
            np.insert(old.cells, at, group.cells),
            np.insert(old.periods, at, group.periods),
            np.insert(old.categories, at, group.categories),
            np.insert(old.n, at, group.n),
        )
    return tuple(by_resolution[resolution] for resolution in sorted(by_resolution))
