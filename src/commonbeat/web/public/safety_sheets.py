"""The scores that pages and files show: one sheet for all of them, so that the numbers are the same everywhere."""

from __future__ import annotations

import threading
import time
from datetime import datetime
from typing import NamedTuple

from django.db import connection
from django.utils import timezone

from commonbeat.maps.rules import day_number
from commonbeat.maps.safety_sheet import Sheet, make_sheet
from commonbeat.maps.safety_sums import sums, waiting
from commonbeat.topics.models import Topic
from commonbeat.topics.queries import all_topics
from commonbeat.topics.scoring import rated_fields, tells_of_lighting

# A score that is some seconds old misleads nobody. Scoring a thousand places takes 0.1 s, and twenty thousand 4 s; so
# that it never takes more than a hundredth of the time, the more places there are, the longer a sheet is kept.
FRESH_SECONDS = 5.0
FRESH_TIMES = 100


class _Kept(NamedTuple):
    until: float
    version: int | None
    today: int
    sheet: Sheet


_kept: dict[int, _Kept] = {}
_making = threading.Lock()


def rating_topics() -> list[Topic]:
    """Give the topics whose ratings make a safety score, in order; also those that are no longer offered."""
    return [topic for topic in all_topics() if rated_fields(topic.definition)]


def sheet_of(topic: Topic, *, now: datetime) -> Sheet:
    """Score every place of a topic, or give what was scored a moment ago. Two queries."""
    today = day_number(timezone.localtime(now).date())
    if connection.in_atomic_block:
        return _make(topic, today)
    # One at a time: a crowd that opens the page waits for the first one's answer.
    with _making:
        kept = _kept.get(topic.pk)
        begun = time.monotonic()
        if kept is None or begun > kept.until or (kept.today, kept.version) != (today, topic.current_id):
            sheet = _make(topic, today)
            ended = time.monotonic()
            kept = _Kept(ended + max(FRESH_SECONDS, FRESH_TIMES * (ended - begun)), topic.current_id, today, sheet)
            _kept[topic.pk] = kept
        return kept.sheet


def _make(topic: Topic, today: int) -> Sheet:
    definition = topic.definition
    lamps = [each.pk for each in all_topics() if each.pk != topic.pk and tells_of_lighting(each.definition)]
    return make_sheet(
        topic_id=topic.pk,
        fields=rated_fields(definition),
        scores=definition.scores,
        resolution=min(definition.scores.resolution, definition.public_resolution),
        sums=sums([topic.pk, *lamps]),
        waiting=waiting(topic.pk),
        today=today,
    )
