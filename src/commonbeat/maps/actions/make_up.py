"""Draw how a month's reports came: once, after its end, for every topic."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Max

from commonbeat.maps import make_up, rules
from commonbeat.maps.actions.buckets import lock_revision
from commonbeat.maps.actions.zone import site_zone
from commonbeat.maps.contribution import Sending
from commonbeat.maps.models import ALL_TOPICS, MakeUp, Term
from commonbeat.topics.definition import Definition, Period
from commonbeat.topics.queries import all_topics


class Months:
    """Note the months that have reports, so that they are drawn when they are over."""

    def __init__(self, today: int) -> None:
        self._today = today
        # Older ones are told nowhere, so a file of twenty years is not read through for them.
        self._first = make_up.first_month(today)
        self._noted: set[tuple[int, int]] = set()

    def note(self, counted: Iterable[tuple[int, int]]) -> None:
        """Note (topic, period) of what has come to be counted: one query, and one more for what is new."""
        wanted = {(topic_id, rules.period_start(period, Period.MONTH)) for topic_id, period in counted}
        wanted = {one for one in wanted if one[1] >= self._first} - self._noted
        if not wanted:
            return
        known = MakeUp.objects.filter(month__in={month for _, month in wanted}).values_list("topic_id", "month")
        MakeUp.objects.bulk_create(
            MakeUp(topic_id=topic_id, month=month, draw_on=rules.day_of(self._end(month)))
            for topic_id, month in sorted(wanted - set(known))
        )
        self._noted |= wanted

    def let_past_be_drawn(self) -> None:
        """Let what is over be drawn now, and not when the present month ends."""
        for row in MakeUp.objects.filter(drawn_at__isnull=True):
            row.draw_on = rules.day_of(rules.period_end(row.month, Period.MONTH))
            row.save(update_fields=["draw_on"])

    def _end(self, month: int) -> int:
        # A file brings months that are over row by row: they are drawn when all of it is here.
        return rules.period_end(max(month, rules.period_start(self._today, Period.MONTH)), Period.MONTH)


def draw_make_ups(*, month: int, topic_ids: Sequence[int], chunks: Iterable[Sequence[Sending]], now: datetime) -> None:
    """Draw how the reports of these topics came in a month; chunks bring all that are counted in it, each once."""
    gathered = {topic_id: make_up.Gathering(site_zone()) for topic_id in topic_ids}
    for chunk in chunks:
        for sending in chunk:
            gathered[sending.topic_id].add(sending)
    definitions = {topic.pk: topic.definition for topic in all_topics()}
    promised = _promised(month, topic_ids)
    fewest = {
        topic_id: max(promised.get(topic_id, 0), rules.fewest_of(definitions.get(topic_id) or Definition(name={})))
        for topic_id in topic_ids
    }
    leftovers = []
    with transaction.atomic():
        lock_revision()
        for row in MakeUp.objects.filter(month=month, topic_id__in=topic_ids, drawn_at__isnull=True):
            shares, left = gathered[row.topic_id].told(fewest[row.topic_id])
            leftovers.append(left)
            row.drawn_at, row.shares, row.fewest = now, shares, fewest[row.topic_id]
            row.withheld = {kind: sum(here.n for here in values.values()) for kind, values in left.items()}
            row.save(update_fields=["drawn_at", "fewest", "shares", "withheld"])
        most = max(map(rules.fewest_of, definitions.values()), default=rules.FEWEST)
        _pool(month, leftovers, max(most, *fewest.values()), now)


def _promised(month: int, topic_ids: Sequence[int]) -> dict[int, int]:
    """Give the largest k that was promised to what counts in a month: topic → k."""
    terms = Term.objects.filter(
        topic_id__in=topic_ids, period__gte=month, period__lt=rules.period_end(month, Period.MONTH)
    )
    return dict(terms.order_by().values_list("topic_id").annotate(most=Max("fewest")))


def _pool(month: int, leftovers: list[make_up.Leftover], fewest: int, now: datetime) -> None:
    before = MakeUp.objects.filter(topic_id=ALL_TOPICS).exclude(withheld={})
    # Where it is, it is whole: each month takes over what the one before has left.
    waiting, promised = before.values_list("withheld", "fewest").first() or ({}, 0)
    fewest = max(fewest, promised)
    before.update(withheld={})
    row, _made = MakeUp.objects.get_or_create(
        topic_id=ALL_TOPICS, month=month, defaults={"draw_on": rules.day_of(month), "drawn_at": now}
    )
    shares, row.withheld = make_up.pooled(leftovers, waiting, fewest)
    # A file may have brought a topic to this month since.
    row.shares = make_up.added([row.shares, shares])
    row.fewest = max(row.fewest, fewest)
    row.save(update_fields=["fewest", "shares", "withheld"])
