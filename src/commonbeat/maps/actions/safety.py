"""Sum up how places are rated: each publication once, as it stands; what is not public singly in drawn sums alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b

import numpy as np
from django.db import connection, transaction

from commonbeat.foundation import cells
from commonbeat.maps import safety
from commonbeat.maps.actions.buckets import lock_revision
from commonbeat.maps.actions.counting import today_number
from commonbeat.maps.actions.zone import site_zone
from commonbeat.maps.days import day_numbers
from commonbeat.maps.models import Rated, RatingSum
from commonbeat.maps.rating import Rating
from commonbeat.maps.rules import fewest_of
from commonbeat.maps.safety_sheet import WHOLE
from commonbeat.topics.definition import Definition
from commonbeat.topics.queries import all_topics
from commonbeat.topics.scoring import rated_fields

_ADD = (
    "INSERT INTO maps_ratingsum (topic_id, cell, period, parameter, is_drawn, n, total, squares, oldest, newest)"
    " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (topic_id, cell, period, parameter, is_drawn)"
    " DO UPDATE SET n = maps_ratingsum.n + excluded.n, total = maps_ratingsum.total + excluded.total,"
    " squares = maps_ratingsum.squares + excluded.squares"
)
_COLUMNS = ("topic_id", "cell", "day", "ratings", "source", "fewest", "is_single", "due_at")

# topic, cell
Spot = tuple[int, int]


@dataclass(slots=True)
class _Sum:
    n: int = 0
    total: float = 0.0
    squares: float = 0.0

    def add(self, value: float, times: int = 1) -> None:
        self.n += times
        self.total += times * value
        self.squares += times * value * value


def rerate(*, rows: Sequence[Rating], now: datetime) -> int:
    """Sum these publications up as they stand now; safe to repeat. Returns how many rate differently than before.

    A drawn audit stays in its sum whatever becomes of it, so that nobody learns from the difference of two scores.
    """
    with transaction.atomic():
        lock_revision()
        changed = _take(rows, now)
        spots = {(row.topic_id, row.cell) for row in changed if not row.is_single and row.due_at is None}
        _draw(spots, today=today_number(now))
    return len(changed)


def rebuild_ratings(*, chunks: Iterable[Sequence[Rating]], now: datetime, redraw: bool = False) -> None:
    """Sum every publication up anew; drawn sums stay as they are, unless redraw=True draws them anew."""
    with transaction.atomic():
        lock_revision()
        # What was promised to those that wait holds, though it is promised to nobody now.
        waits = Rated.objects.filter(is_drawn=False, is_single=False).order_by()
        promised = dict(waits.values_list("pk", "fewest"))
        (Rated.objects.all() if redraw else Rated.objects.filter(is_drawn=False)).delete()
        (RatingSum.objects.all() if redraw else RatingSum.objects.filter(is_drawn=False)).delete()
        for chunk in chunks:
            _take(chunk, now, promised)
        waiting = Rated.objects.filter(is_drawn=False, is_single=False, due_at__isnull=True)
        _draw(set(waiting.order_by().values_list("topic_id", "cell").distinct()), today=today_number(now))


def _take(rows: Sequence[Rating], now: datetime, promised: Mapping[int, int] | None = None) -> list[Rated]:
    """Bring Rated and the sums of what is public singly up to date; gives the rows that are new or changed."""
    rows = list({row.publication_id: row for row in rows}.values())
    definitions = {topic.pk: topic.definition for topic in all_topics()}
    before = Rated.objects.in_bulk([row.publication_id for row in rows])
    rows = [row for row in rows if row.ratings or row.publication_id in before]
    days = day_numbers(np.array([row.public_at for row in rows], dtype=np.int64), site_zone()).tolist()
    deltas: dict[tuple[int, int, int, str], _Sum] = defaultdict(_Sum)
    put: list[Rated] = []
    gone: list[int] = []
    for row, day in zip(rows, days, strict=True):
        old = before.get(row.publication_id)
        if old is not None and old.is_drawn:
            continue
        least = old.fewest if old is not None else (promised or {}).get(row.publication_id, 0)
        new = _rated(row, day, definitions.get(row.topic_id), now, least)
        if old is not None and new is not None and _says(old) == _says(new):
            continue
        _add_single(deltas, old, -1)
        _add_single(deltas, new, 1)
        if new is not None:
            put.append(new)
        elif old is not None:
            gone.append(old.pk)
    if put:
        fields = list(_COLUMNS)
        Rated.objects.bulk_create(put, update_conflicts=True, update_fields=fields, unique_fields=["publication_id"])
    if gone:
        Rated.objects.filter(pk__in=gone).delete()
    _write_singles(deltas)
    return put


def _rated(row: Rating, day: int, definition: Definition | None, now: datetime, least: int) -> Rated | None:
    if not row.ratings or not row.cell or definition is None:
        return None
    cell = cells.parent(row.cell, min(definition.scores.resolution, cells.resolution_of(row.cell)))
    due = datetime.fromtimestamp(row.public_at, tz=UTC)
    return Rated(
        publication_id=row.publication_id,
        topic_id=row.topic_id,
        cell=cell,
        day=day,
        ratings=dict(row.ratings),
        source=None if row.source is None or row.is_single else _source_in(row.source, row.topic_id, cell),
        fewest=max(fewest_of(definition), row.fewest, least),
        is_single=row.is_single,
        due_at=due if due > now else None,
    )


def _source_in(source: bytes, topic_id: int, cell: int) -> int:
    # Another name in each place, so that nobody can be followed from one to the next.
    return int.from_bytes(blake2b(b"%d %d" % (topic_id, cell), digest_size=8, key=source).digest(), "big") >> 1


def _says(rated: Rated) -> tuple[object, ...]:
    return tuple(getattr(rated, name) for name in _COLUMNS)


def _add_single(deltas: dict[tuple[int, int, int, str], _Sum], rated: Rated | None, times: int) -> None:
    if rated is None or not rated.is_single or rated.due_at is not None:
        return
    for code, value in rated.ratings.items():
        deltas[rated.topic_id, rated.cell, rated.day, code].add(value, times)


def _write_singles(deltas: dict[tuple[int, int, int, str], _Sum]) -> None:
    changed = [(key, sum_) for key, sum_ in sorted(deltas.items()) if (sum_.n, sum_.total) != (0, 0)]
    if not changed:
        return
    with connection.cursor() as cursor:
        cursor.executemany(
            _ADD,
            [
                (topic, cell, day, code, False, sum_.n, sum_.total, sum_.squares, day, day)
                for (topic, cell, day, code), sum_ in changed
            ],
        )
    if any(sum_.n < 0 for _, sum_ in changed):
        topics = {key[0] for key, _ in changed}
        RatingSum.objects.filter(topic_id__in=topics, cell__in={key[1] for key, _ in changed}, n=0).delete()


def _draw(spots: set[Spot], *, today: int) -> None:
    """Close the sum of each place in which enough people wait: it is told from now on, and never changes."""
    definitions = {topic.pk: topic.definition for topic in all_topics()}
    for topic_id, cell in sorted(spots):
        definition = definitions.get(topic_id)
        if definition is None:
            continue
        waiting = list(
            Rated.objects.filter(
                topic_id=topic_id, cell=cell, is_drawn=False, is_single=False, due_at__isnull=True
            ).order_by("pk")
        )
        fewest = max(fewest_of(definition), *(rated.fewest for rated in waiting))
        if _senders(waiting) < fewest:
            continue
        sums = {}
        for field in rated_fields(definition):
            answered = [rated for rated in waiting if field.code in rated.ratings]
            # What fewer have rated stays untold for good: the rest of the sum would tell it of somebody.
            if _senders(answered) >= fewest:
                sums[field.code] = _sum_of(rated.ratings[field.code] for rated in answered)
        weights = {field.code: field.weight or 0.0 for field in rated_fields(definition)}
        wholes = (safety.weighted_mean(rated.ratings, weights) for rated in waiting)
        sums[WHOLE] = _sum_of(safety.points_of(whole) for whole in wholes if whole is not None)
        _store(topic_id, cell, today, sums, min(r.day for r in waiting), max(r.day for r in waiting))
        Rated.objects.filter(pk__in=[rated.pk for rated in waiting]).update(is_drawn=True, ratings={}, source=None)


def _senders(waiting: list[Rated]) -> int:
    named = {rated.source for rated in waiting if rated.source is not None}
    return len(named) + sum(rated.source is None for rated in waiting)


def _sum_of(values: Iterable[float]) -> _Sum:
    found = _Sum()
    for value in values:
        found.add(value)
    return found


def _store(topic_id: int, cell: int, today: int, sums: dict[str, _Sum], oldest: int, newest: int) -> None:
    for code, sum_ in sums.items():
        if not sum_.n:
            continue
        row, made = RatingSum.objects.get_or_create(
            topic_id=topic_id,
            cell=cell,
            period=today,
            parameter=code,
            is_drawn=True,
            defaults={
                "n": sum_.n,
                "total": sum_.total,
                "squares": sum_.squares,
                "oldest": oldest,
                "newest": newest,
            },
        )
        if not made:
            # A second group on one day: both are of enough people, and so is their sum.
            row.n, row.total, row.squares = row.n + sum_.n, row.total + sum_.total, row.squares + sum_.squares
            row.oldest, row.newest = min(row.oldest, oldest), max(row.newest, newest)
            row.save()
