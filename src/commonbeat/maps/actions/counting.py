"""Count publications anew: each as it stands, whatever happened to it before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import numpy as np
from django.db import connection, transaction
from django.db.models import Count
from django.utils import timezone

from commonbeat.maps import rules
from commonbeat.maps.actions.buckets import Amount, Key, add_to_buckets, insert_rows, lock_revision
from commonbeat.maps.actions.make_up import Months
from commonbeat.maps.actions.zone import site_zone
from commonbeat.maps.contribution import Contribution
from commonbeat.maps.days import day_numbers
from commonbeat.maps.models import Counted, LeftBehind, Term, Waiting
from commonbeat.topics.definition import Definition
from commonbeat.topics.queries import all_topics

INSERT_COUNTED = (
    "INSERT INTO maps_counted (publication_id, topic_id, category, cell, period, is_single, source, was_single)"
    " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"
)
PUT = (
    f"{INSERT_COUNTED} ON CONFLICT (publication_id) DO UPDATE SET topic_id = excluded.topic_id,"
    " category = excluded.category, cell = excluded.cell, period = excluded.period, is_single = excluded.is_single,"
    " source = excluded.source, was_single = excluded.was_single"
)
_WAIT = (
    "INSERT INTO maps_waiting (publication_id, due_at) VALUES (%s, %s)"
    " ON CONFLICT (publication_id) DO UPDATE SET due_at = excluded.due_at"
)

# What was promised to one report in a period holds for all of it, whatever is promised to later ones.
_PUT_TERM = (
    "INSERT INTO maps_term (topic_id, period, draw_on, fewest, untold) VALUES (%s, %s, %s, %s, 0)"
    " ON CONFLICT (topic_id, period) DO UPDATE SET fewest ="
    " CASE WHEN excluded.fewest > maps_term.fewest THEN excluded.fewest ELSE maps_term.fewest END"
)


class Place(NamedTuple):
    """What one publication counts as."""

    topic_id: int
    category: str
    cell: int
    period: int
    is_single: bool
    source: int | None
    # Anybody could read it singly before, though now it is told only among others.
    was_single: bool = False

    @property
    def key(self) -> Key:
        """Name the bucket of what is published singly."""
        return self[:4]


# The columns of Counted, in the order of Place.
PLACE_COLUMNS = ("publication_id", "topic_id", "category", "cell", "period", "is_single", "source", "was_single")


_READ = f"SELECT {', '.join(PLACE_COLUMNS)} FROM maps_counted"  # noqa: S608


class Calendar:
    """Know which periods are drawn, and where a report counts that may be told only among others."""

    def __init__(self, today: int) -> None:
        self.today = today
        self.definitions: dict[int, Definition] = {topic.pk: topic.definition for topic in all_topics()}
        self.drawn = set(Term.objects.filter(drawn_at__isnull=False).values_list("topic_id", "period"))
        self._terms: dict[tuple[int, int], int] = {}
        self._fewest: dict[tuple[int, int], int] = {}
        self._single: dict[tuple[int, int], int] = {}

    def period_of(self, topic_id: int, day: int, *, is_single: bool, before: Place | None) -> int:
        """Give the period in which a publication counts.

        A drawn period never changes, so that nobody learns from its change; what comes late counts as coming today.
        """
        if is_single:
            found = self._single.get((topic_id, day))
            if found is None:
                found = rules.period_start(day, rules.period_kind(self._definition(topic_id), is_single=True))
                self._single[topic_id, day] = found
            return found
        kind = rules.period_kind(self._definition(topic_id), is_single=False)
        period = rules.period_start(day, kind)
        if before is not None and before.topic_id == topic_id and not before.is_single:
            period = max(period, before.period)
        if (topic_id, period) in self.drawn:
            period = rules.period_start(self.today, kind)
        # Where a topic has turned from weeks to months, a week may have been drawn that began with the month.
        while (topic_id, period) in self.drawn:
            period = rules.period_end(period, kind)
        if (topic_id, period) not in self._terms:
            # What comes for a period that is over, such as a file's rows, is drawn when the current one ends: by then
            # the whole file is here.
            self._terms[topic_id, period] = rules.period_end(max(period, rules.period_start(self.today, kind)), kind)
        return period

    def keep_promise(self, topic_id: int, period: int, fewest: int) -> None:
        """Have a period drawn by the largest k that was promised to anything in it, at its making or now."""
        promised = max(fewest, rules.fewest_of(self._definition(topic_id)))
        self._fewest[topic_id, period] = max(promised, self._fewest.get((topic_id, period), 0))

    def is_frozen(self, place: Place) -> bool:
        """Tell whether a publication is part of drawn buckets."""
        return not place.is_single and (place.topic_id, place.period) in self.drawn

    def save_terms(self) -> None:
        """Note the periods that are to be drawn."""
        day_value = connection.ops.adapt_datefield_value
        insert_rows(
            _PUT_TERM,
            [
                (*key, day_value(rules.day_of(draw_on)), self._fewest.get(key, rules.FEWEST))
                for key, draw_on in self._terms.items()
            ],
        )

    def _definition(self, topic_id: int) -> Definition:
        return self.definitions.get(topic_id) or Definition(name={})


def recount(*, rows: Sequence[Contribution], now: datetime) -> int:
    """Count these publications as they stand now; safe to repeat. Returns how many count differently than before.

    At most some thousand rows at a time.
    """
    rows = list({row.publication_id: row for row in rows}.values())
    if not rows:
        return 0
    moment = int(now.timestamp())
    days = day_numbers(np.array([row.public_at for row in rows], dtype=np.int64), site_zone()).tolist()
    # Without a savepoint inside the caller's transaction: SQLite would keep a copy of every page for it.
    with transaction.atomic(savepoint=False):
        revision = lock_revision()
        ids = [row.publication_id for row in rows]
        before = _counted(ids)
        calendar = Calendar(today_number(now))
        behind = left_behind(ids)
        leaving: dict[int, Place] = {}
        moves = _Moves()
        put: list[tuple[Any, ...]] = []
        taken: list[int] = []
        for row, day in zip(rows, days, strict=True):
            old = before.get(row.publication_id)
            counts = row.is_public and row.public_at <= moment
            is_frozen = old is not None and calendar.is_frozen(old)
            if old is not None and is_frozen and (old.topic_id == row.topic_id or not counts):
                continue
            new = None
            if counts:
                new = behind.get((row.publication_id, row.topic_id)) or place_of(row, day, old, calendar)
            if new == old:
                continue
            if old is not None and is_frozen:
                leaving[row.publication_id] = old
            moves.add(old, -1)
            moves.add(new, 1)
            if new is None:
                taken.append(row.publication_id)
            else:
                put.append((row.publication_id, *new))
        deltas = moves.amounts()
        if put:
            insert_rows(PUT, put)
        if taken:
            Counted.objects.filter(pk__in=taken).delete()
        leave_behind(leaving)
        calendar.save_terms()
        Months(calendar.today).note({(row[1], row[4]) for row in put})
        _wait([row for row in rows if row.is_public and row.public_at > moment], ids)
        add_to_buckets(deltas, is_drawn=False, revision=revision)
    return len(put) + len(taken)


def _counted(ids: Sequence[int]) -> dict[int, Place]:
    """Give what some publications count as; in SQL, for most are new and Django takes longer to ask than SQLite."""
    found: dict[int, Place] = {}
    with connection.cursor() as cursor:
        for at in range(0, len(ids), 500):
            some = ids[at : at + 500]
            cursor.execute(f"{_READ} WHERE publication_id IN ({', '.join(['%s'] * len(some))})", some)
            found |= {
                pk: Place(topic, category, cell, period, bool(single), source, bool(before))
                for pk, topic, category, cell, period, single, source, before in cursor.fetchall()
            }
    return found


def place_of(row: Contribution, day: int, old: Place | None, calendar: Calendar) -> Place:
    """Give what a public publication counts as, after what it counted as before."""
    single = row.is_single
    period = calendar.period_of(row.topic_id, day, is_single=single, before=old)
    source = source_of(row, period)
    if single:
        return Place(row.topic_id, row.category, row.cell, period, True, source)
    calendar.keep_promise(row.topic_id, period, row.fewest)
    return Place(row.topic_id, row.category, row.cell, period, False, source, was_single(old))


def was_single(old: Place | None) -> bool:
    """Tell whether anybody could read a publication singly that is told only among others now."""
    return old is not None and (old.is_single or old.was_single)


def left_behind(publication_ids: Sequence[int] | None = None) -> dict[tuple[int, int], Place]:
    """Give what some publications, or all, count as in topics that they have left: (publication, topic) → place."""
    # Mostly there is none, and a question is cheaper than one with a thousand ids.
    if not LeftBehind.objects.exists():
        return {}
    found = LeftBehind.objects.all()
    if publication_ids is not None:
        found = found.filter(publication_id__in=publication_ids)
    return {
        (each.publication_id, each.topic_id): Place(
            each.topic_id, each.category, each.cell, each.period, False, each.source, each.was_single
        )
        for each in found
    }


def leave_behind(places: Mapping[int, Place]) -> None:
    """Note what publications count as in drawn buckets of the topics that they leave, lest they count there again."""
    LeftBehind.objects.bulk_create(
        [
            LeftBehind(
                publication_id=pk,
                topic_id=place.topic_id,
                category=place.category,
                cell=place.cell,
                period=place.period,
                source=place.source,
                was_single=place.was_single,
            )
            for pk, place in places.items()
        ],
        ignore_conflicts=True,
    )


class _Moves:
    """What is published singly and comes into buckets and out of them, and what that makes of their senders."""

    def __init__(self) -> None:
        self._n: Counter[Key] = Counter()
        self._named: Counter[tuple[int, Key]] = Counter()
        self._nameless: Counter[Key] = Counter()

    def add(self, place: Place | None, n: int) -> None:
        """Note a report that comes, or goes."""
        if place is None or not place.is_single:
            return
        key = place.key
        self._n[key] += n
        if place.source is None:
            self._nameless[key] += n
        else:
            self._named[place.source, key] += n

    def amounts(self) -> dict[Key, Amount]:
        """Give what is to be added to each bucket; asked before Counted is written. One query."""
        sources = Counter(self._nameless)
        if self._named:
            held = self._held()
            for (source, key), n in self._named.items():
                before = held.get((source, key), 0)
                sources[key] += (before + n > 0) - (before > 0)
        return {key: Amount(n, sources[key]) for key, n in self._n.items()}

    def _held(self) -> dict[tuple[int, Key], int]:
        # A source is of one topic and period, so that few rows have the same.
        found = Counted.objects.filter(is_single=True, source__in={source for source, _ in self._named}).order_by()
        rows = found.values_list("source", "topic_id", "category", "cell", "period").annotate(n=Count("publication_id"))
        return {(source, (topic, category, cell, period)): n for source, topic, category, cell, period, n in rows}


def source_of(row: Contribution, period: int) -> int | None:
    """Name the sender of a report in a period, so that they are nobody in another."""
    return None if row.source is None else rules.source_in(row.source, row.topic_id, period)


def stop_waiting(*, publication_ids: Sequence[int]) -> None:
    """Forget that these were waiting: they have been looked at, or are gone."""
    Waiting.objects.filter(pk__in=publication_ids).delete()


def today_number(now: datetime) -> int:
    """Give the site's day of a moment."""
    return rules.day_number(timezone.localtime(now, site_zone()).date())


def _wait(later: list[Contribution], ids: list[int]) -> None:
    waiting = {row.publication_id for row in later}
    # Mostly nothing waits, and a question is cheaper than a DELETE with a thousand ids.
    if Waiting.objects.exists():
        Waiting.objects.filter(pk__in=[pk for pk in ids if pk not in waiting]).delete()
    if later:
        insert_rows(_WAIT, [(row.publication_id, moment_value(row.public_at)) for row in later])


def moment_value(seconds: int) -> Any:
    """Write a moment as the database keeps it."""
    return connection.ops.adapt_datetimefield_value(datetime.fromtimestamp(seconds, tz=UTC))
