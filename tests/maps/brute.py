"""Sums as anybody would make them, to compare with; and a reader of vector tiles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from struct import unpack
from typing import Any

from django.db.models import QuerySet

from commonbeat.foundation import cells
from commonbeat.maps.arrays import Filter, TopicBuckets
from commonbeat.maps.making import BucketRow, Builder, first_period
from commonbeat.maps.models import Bucket
from commonbeat.reports.models import Publication

EVERYTHING = Filter()


def made_of(rows: Iterable[BucketRow]) -> TopicBuckets:
    """Make a topic's buckets from rows."""
    builder = Builder()
    builder.add(list(rows))
    groups = builder.groups()
    return TopicBuckets(groups, (), builder.categories, 0, first_period(groups))


def by_period(found: QuerySet[Bucket]) -> list[int]:
    """Sum buckets by period, oldest first."""
    sums: Counter[int] = Counter()
    for period, n in found.values_list("period", "n"):
        sums[period] += n
    return [sums[period] for period in sorted(sums)]


def by_category(found: QuerySet[Bucket]) -> dict[str, int]:
    """Sum buckets by category."""
    sums: Counter[str] = Counter()
    for category, n in found.values_list("category", "n"):
        sums[category] += n
    return dict(sums)


def listed(topic_id: int, *, now: datetime) -> int:
    """Count what the public list of a topic holds."""
    return Publication.objects.public(now).filter(topic_id=topic_id).count()


def sums_of(rows: Iterable[BucketRow], resolution: int, wanted: Filter, *, of_sources: bool = False) -> Counter[int]:
    """Sum rows, or their senders, by the cell in which they are drawn."""
    found: Counter[int] = Counter()
    for category, cell, period, n, sources in rows:
        if not cell or (wanted.category and category != wanted.category):
            continue
        if wanted.since is not None and period < wanted.since:
            continue
        if wanted.until is not None and period >= wanted.until:
            continue
        found[cells.parent(cell, min(resolution, cells.resolution_of(cell)))] += sources if of_sources else n
    return Counter({cell: n for cell, n in found.items() if n})


def fields(data: bytes) -> Iterator[tuple[int, Any]]:
    """Read the fields of a protocol-buffer message: numbers and bytes."""
    at = 0
    while at < len(data):
        key, at = number(data, at)
        if key & 7 == 0:
            value, at = number(data, at)
            yield key >> 3, value
        elif key & 7 == 1:
            yield key >> 3, unpack("<d", data[at : at + 8])[0]
            at += 8
        else:
            assert key & 7 == 2
            size, at = number(data, at)
            yield key >> 3, data[at : at + size]
            assert at + size <= len(data)
            at += size


def number(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def numbers(data: bytes) -> list[int]:
    found, at = [], 0
    while at < len(data):
        value, at = number(data, at)
        found.append(value)
    return found


def layers(tile: bytes) -> dict[str, list[dict[str, Any]]]:
    """Read a vector tile: layer → features, each with id, rings and what it says."""
    found = {}
    for layer_field, layer in fields(tile):
        assert layer_field == 3
        parts: dict[int, list[Any]] = {}
        for key, value in fields(layer):
            parts.setdefault(key, []).append(value)
        assert (parts[15], parts[5]) == ([2], [4096])
        keys = [key.decode() for key in parts[3]]
        values = [_value(value) for value in parts[4]]
        found[parts[1][0].decode()] = [_feature(feature, keys, values) for feature in parts[2]]
    return found


def _value(data: bytes) -> Any:
    ((kind, value),) = fields(data)
    return value.decode() if kind == 1 else value


def _feature(data: bytes, keys: list[str], values: list[Any]) -> dict[str, Any]:
    parts = dict(fields(data))
    tags = numbers(parts[2])
    said = {keys[key]: values[value] for key, value in zip(tags[::2], tags[1::2], strict=True)}
    return {"id": parts.get(1), "type": parts[3], "points": _points(numbers(parts[4])), **said}


def _points(commands: list[int]) -> list[tuple[int, int]]:
    found, at, x, y = [], 0, 0, 0
    while at < len(commands):
        command, times = commands[at] & 7, commands[at] >> 3
        at += 1
        if command == 7:
            continue
        for _ in range(times):
            x += (commands[at] >> 1) ^ -(commands[at] & 1)
            y += (commands[at + 1] >> 1) ^ -(commands[at + 1] & 1)
            found.append((x, y))
            at += 2
    return found
