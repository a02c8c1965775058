"""Count everything anew, as a stream: 10 million publications in little memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import repeat
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db import transaction

from commonbeat.maps import rules
from commonbeat.maps.actions.buckets import INSERT_BUCKET, insert_rows, lock_revision, tell_everything_changed
from commonbeat.maps.actions.counting import (
    INSERT_COUNTED,
    PLACE_COLUMNS,
    PUT,
    Calendar,
    Place,
    leave_behind,
    left_behind,
    moment_value,
    place_of,
    source_of,
    today_number,
)
from commonbeat.maps.actions.make_up import Months
from commonbeat.maps.actions.zone import site_zone
from commonbeat.maps.contribution import Contribution, Contributions
from commonbeat.maps.days import day_numbers
from commonbeat.maps.models import Bucket, Counted, LeftBehind, MakeUp, Term, Waiting
from commonbeat.topics.definition import Period

_WAIT = "INSERT INTO maps_waiting (publication_id, due_at) VALUES (%s, %s)"
_ROWS = 50_000
# The source of a report without a contact; real ones are 0 and more.
_NOBODY = -1
# Makes numbers of days positive.
_AFTER_ALL = 1 << 31
_TOLD_SINGLY = Place(0, "", 0, 0, True, None)

Column = npt.NDArray[Any]


def rebuild(*, chunks: Iterable[Contributions], now: datetime, redraw: bool = False) -> int:
    """Count every public publication anew, in one transaction; returns how many count.

    chunks bring all that are public, each once. Drawn periods stay as they were drawn; redraw=True forgets them and
    draws them anew, from which somebody who kept the old figures can learn of what was withdrawn since.
    On SQLite nobody else can write meanwhile.
    """
    # Without a savepoint inside the caller's transaction: SQLite would keep a copy of every page for it.
    with transaction.atomic(savepoint=False):
        revision = lock_revision()
        if redraw:
            Term.objects.all().delete()
            LeftBehind.objects.all().delete()
            MakeUp.objects.all().delete()
        calendar = Calendar(today_number(now))
        kept = _Kept(calendar)
        Counted.objects.filter(is_single=True).delete()
        _delete_undrawn(calendar)
        Waiting.objects.all().delete()
        gone = Bucket.objects.all() if redraw else Bucket.objects.filter(is_drawn=False)
        # Deletes without a look at single rows: nothing points to a bucket.
        gone._raw_delete(gone.db)
        singles, months = _Singles(), Months(calendar.today)
        total = 0
        for chunk in chunks:
            total += _take(chunk, calendar, kept, singles, months, int(now.timestamp()))
        singles.write()
        calendar.save_terms()
        if redraw:
            _let_past_terms_be_drawn(calendar)
            months.let_past_be_drawn()
        tell_everything_changed(revision)
    return total


class _Singles:
    """Collect what is published singly, 22 bytes each, and sum it."""

    def __init__(self) -> None:
        # topic → parts of the columns cell, period, category, source
        self._parts: dict[int, tuple[list[Column], ...]] = {}
        self._codes: dict[str, int] = {}

    def add(
        self,
        topics: Column,
        categories: Sequence[str],
        cells: Sequence[int],
        periods: Column,
        sources: Sequence[int | None],
    ) -> None:
        """Add some."""
        codes = self._codes
        for category in sorted(set(categories) - codes.keys()):
            codes[category] = len(codes)
        numbers = np.fromiter(map(codes.__getitem__, categories), np.uint16, len(categories))
        named = np.array([_NOBODY if source is None else source for source in sources], np.int64)
        columns: list[Column] = [np.array(cells, np.int64), periods.astype(np.int32), numbers, named]
        for topic in np.unique(topics).tolist():
            mine = topics == topic
            parts = self._parts.setdefault(topic, ([], [], [], []))
            for part, column in zip(parts, columns, strict=True):
                part.append(column[mine])

    def write(self) -> None:
        """Insert the buckets in the order of their index, so that it grows at its end."""
        names: Column = np.array(list(self._codes))
        for topic in sorted(self._parts):
            cells, periods, numbers, named = (_joined(part) for part in self._parts.pop(topic))
            order = np.lexsort((named, numbers, periods, cells))
            # Column by column, so that never all of them are there twice.
            cells = cells[order]
            periods = periods[order]
            numbers = numbers[order]
            named = named[order]
            del order
            first = _differs(cells) | _differs(periods) | _differs(numbers)
            starts = np.flatnonzero(first)
            sizes = np.diff(starts, append=len(cells))
            # Of one sender's reports in a bucket the first counts.
            senders = np.add.reduceat(
                (first | _differs(named) | (named == _NOBODY)).view(np.int8), starts, dtype=np.int64
            )
            for at in range(0, len(starts), _ROWS):
                some = starts[at : at + _ROWS]
                n, from_ = sizes[at : at + _ROWS], senders[at : at + _ROWS]
                columns = [names[numbers[some]], cells[some], periods[some], n, from_, _told(n, from_)]
                name, cell, day, *counts = (column.tolist() for column in columns)
                insert_rows(INSERT_BUCKET, zip(repeat(topic), name, cell, day, repeat(False), *counts))


def _told(n: Column, senders: Column) -> Column:
    """Give how many senders are told of buckets, as rules.told_senders does."""
    enough = (n >= rules.REPORTS_TO_TELL_SENDERS) & (senders >= rules.SENDERS_TO_TELL)
    return np.where(enough, senders, n)


def _differs(column: Column) -> npt.NDArray[np.bool_]:
    """Tell which values are not the one before them."""
    found = np.ones(len(column), bool)
    np.not_equal(column[1:], column[:-1], out=found[1:])
    return found


def _joined(parts: list[Column]) -> Column:
    whole = np.concatenate(parts)
    parts.clear()
    return whole


def _take(
    chunk: Contributions,
    calendar: Calendar,
    kept: _Kept,
    singles: _Singles,
    months: Months,
    moment: int,
) -> int:
    # Nearly all of a large site: anybody may see them one by one, and nothing is known of them from before.
    usual = np.array(chunk.is_single, bool) & np.array(chunk.is_public, bool)
    usual &= np.array(chunk.public_at, np.int64) <= moment
    if kept.named:
        usual &= ~np.isin(np.array(chunk.publication_id, np.int64), np.fromiter(kept.named, np.int64))
    if usual.all():
        return _take_singles(chunk, calendar, singles, months)
    counted = _take_singles(chunk.only(usual.tolist()), calendar, singles, months)
    others = list(chunk.only((~usual).tolist()).rows())
    return counted + _take_others(others, calendar, kept, singles, months, moment)


def _take_singles(chunk: Contributions, calendar: Calendar, singles: _Singles, months: Months) -> int:
    if not chunk.publication_id:
        return 0
    topics = np.array(chunk.topic_id, np.int64)
    periods = _periods(topics, day_numbers(np.array(chunk.public_at, np.int64), site_zone()), calendar)
    sources = [
        None if source is None else rules.source_in(source, topic, period)
        for source, topic, period in zip(chunk.source, chunk.topic_id, periods.tolist(), strict=True)
    ]
    _note_months(months, topics, periods)
    insert_rows(INSERT_COUNTED, _counted(chunk, periods, sources))
    singles.add(topics, chunk.category, chunk.cell, periods, sources)
    return len(sources)


def _take_others(
    chunk: list[Contribution],
    calendar: Calendar,
    kept: _Kept,
    singles: _Singles,
    months: Months,
    moment: int,
) -> int:
    frozen = kept.frozen
    chunk = [row for row in chunk if row.is_public and frozen.get(row.publication_id) != row.topic_id]
    later = [row for row in chunk if row.public_at > moment]
    if later:
        _wait(later)
        chunk = [row for row in chunk if row.public_at <= moment]
    chunk = kept.without_returned(chunk)
    days = day_numbers(np.array([row.public_at for row in chunk], dtype=np.int64), site_zone())
    others = [
        (row.publication_id, *place_of(row, day, kept.place_of(row.publication_id), calendar))
        for row, day in zip(chunk, days.tolist(), strict=True)
        if not row.is_single
    ]
    months.note({(other[1], other[4]) for other in others})
    insert_rows(PUT, others)
    single = [row for row in chunk if row.is_single]
    if single:
        columns = Contributions(*zip(*single, strict=True))
        topics = np.array(columns.topic_id, np.int64)
        periods = _periods(topics, days[[row.is_single for row in chunk]], calendar)
        sources = [source_of(row, period) for row, period in zip(single, periods.tolist(), strict=True)]
        _note_months(months, topics, periods)
        # A frozen row whose report is now published singly, under another topic, gives way to it.
        insert_rows(PUT, _counted(columns, periods, sources))
        singles.add(topics, columns.category, columns.cell, periods, sources)
    return len(chunk)


def _counted(chunk: Contributions, periods: Column, sources: Sequence[int | None]) -> Iterator[tuple[Any, ...]]:
    first = (chunk.publication_id, chunk.topic_id, chunk.category, chunk.cell, periods.tolist())
    return zip(*first, repeat(True), sources, repeat(False))


def _note_months(months: Months, topics: Column, periods: Column) -> None:
    # One number for both: sorting pairs takes forty times as long.
    found = np.unique(topics << 32 | periods + _AFTER_ALL)
    months.note({(both >> 32, (both & 0xFFFFFFFF) - _AFTER_ALL) for both in found.tolist()})


def _periods(topics: Column, days: Column, calendar: Calendar) -> Column:
    found = days.copy()
    for topic in np.unique(topics).tolist():
        definition = calendar.definitions.get(topic)
        kind = Period.DAY if definition is None else rules.period_kind(definition, is_single=True)
        if kind is not Period.DAY:
            mine = np.flatnonzero(topics == topic)
            different, which = np.unique(days[mine], return_inverse=True)
            found[mine] = np.array([rules.period_start(day, kind) for day in different.tolist()])[which]
    return found


class _Kept:
    """Know what publications counted as before, as far as it matters."""

    def __init__(self, calendar: Calendar) -> None:
        # Those in drawn buckets, with their topics.
        self.frozen: dict[int, int] = {}
        # Those that wait to be drawn.
        self._waiting: dict[int, Place] = {}
        rows = Counted.objects.filter(is_single=False).values_list(*PLACE_COLUMNS)
        for pk, *columns in rows.iterator(chunk_size=10_000):
            place = Place(*columns)
            if calendar.is_frozen(place):
                self.frozen[pk] = place.topic_id
            else:
                self._waiting[pk] = place
        # In order, so that one is found in 10 million, of 8 bytes each.
        single = Counted.objects.filter(is_single=True).order_by("pk").values_list("pk", flat=True)
        self._single = np.fromiter(single.iterator(chunk_size=10_000), np.int64)
        self._behind = left_behind()
        # Those that are not simply counted anew.
        self.named = {*self.frozen, *self._waiting, *(pk for pk, _topic in self._behind)}

    def place_of(self, pk: int) -> Place | None:
        """Give what one counted as that is told only among others now; of one told singly only that it was."""
        found = self._waiting.get(pk)
        if found is None:
            at = int(np.searchsorted(self._single, pk))
            if at < len(self._single) and self._single[at] == pk:
                return _TOLD_SINGLY
        return found

    def without_returned(self, chunk: list[Contribution]) -> list[Contribution]:
        """Let go of publications that were drawn in another topic, and take in those that are back in it."""
        moved = [row.publication_id for row in chunk if row.publication_id in self.frozen]
        if moved:
            self._leave(moved)
        if not self._behind:
            return chunk
        back = {
            row.publication_id: place
            for row in chunk
            if (place := self._behind.get((row.publication_id, row.topic_id))) is not None
        }
        insert_rows(PUT, [(pk, *place) for pk, place in back.items()])
        return [row for row in chunk if row.publication_id not in back]

    def _leave(self, moved: list[int]) -> None:
        places: dict[int, Place] = {}
        for start in range(0, len(moved), 500):
            found = Counted.objects.filter(pk__in=moved[start : start + 500])
            places |= {pk: Place(*columns) for pk, *columns in found.values_list(*PLACE_COLUMNS)}
        leave_behind(places)
        # Their next topic is to know what could be read singly before.
        self._waiting |= places


def _delete_undrawn(calendar: Calendar) -> None:
    drawn = calendar.drawn
    for topic_id, period in Counted.objects.filter(is_single=False).values_list("topic_id", "period").distinct():
        if (topic_id, period) not in drawn:
            Counted.objects.filter(is_single=False, topic_id=topic_id, period=period).delete()


def _wait(rows: Iterable[Contribution]) -> None:
    insert_rows(_WAIT, [(row.publication_id, moment_value(row.public_at)) for row in rows])


def _let_past_terms_be_drawn(calendar: Calendar) -> None:
    for term in Term.objects.filter(drawn_at__isnull=True):
        definition = calendar.definitions.get(term.topic_id)
        kind = Period.MONTH if definition is None else rules.period_kind(definition, is_single=False)
        term.draw_on = rules.day_of(rules.period_end(term.period, kind))
        term.save(update_fields=["draw_on"])
