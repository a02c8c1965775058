"""One text for many: queued once each, behind replies, before bulk, and taken back by one row."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from commonbeat.messaging.actions import enqueue
from commonbeat.messaging.actions.broadcasts import Queued, enqueue_many, make_broadcast, recall_broadcasts
from commonbeat.messaging.actions.outbox import Wanted, lease
from commonbeat.messaging.models import Broadcast, Outbound, OutboundState, Spending
from commonbeat.messaging.policy import allowance
from commonbeat.messaging.queries import due_queues
from commonbeat.messaging.rules import BULK, LEVELS_OF_MANY, MANY
from tests.make import NOW, make_contact

pytestmark = pytest.mark.django_db
NIGHT = datetime(2026, 3, 14, 22, 30, tzinfo=UTC)
END = NIGHT + timedelta(days=2)


def cast(key: str = "cast", *, now: datetime = NIGHT) -> Broadcast:
    return make_broadcast(
        key=key, text="The water is cut.", channel="demo_sms", topic="", is_urgent=False, expires_at=END, now=now
    )


def queue(key: str, priority: int, *, is_vital: bool = False, now: datetime = NIGHT) -> int:
    row = Queued(key, make_contact().pk, "demo_sms", cast(now=now).pk, now, 1, "GSM-7")
    return enqueue_many([row], priority=priority, is_vital=is_vital, expires_at=END, now=now)


def taken(*, bulk: bool | None = None, now: datetime = NIGHT, is_night: bool = True, limit: int = 10) -> list[str]:
    wanted = Wanted("demo_sms", bulk=bulk, is_night=is_night, allowance=allowance(now))
    return [one.message.idempotency_key for one in lease(wanted, limit=limit, now=now)]


def test_a_key_is_queued_once() -> None:
    assert queue("a", 5) == 1
    assert queue("a", 5) == 0
    assert cast().pk == Outbound.objects.get().broadcast_id
    row = Outbound.objects.get()
    assert (row.state, row.error, row.cost_micros, row.about_id) == (OutboundState.QUEUED, "", None, None)
    assert enqueue_many([], priority=5, is_vital=False, expires_at=END, now=NIGHT) == 0


def test_replies_have_a_queue_that_holds_nothing_for_many() -> None:
    queue("follow-up", 4)
    queue("urgent", 5)
    enqueue(contact=make_contact(), text="Hello", idempotency_key="reply", now=NIGHT)
    assert due_queues(["demo_sms"], now=NIGHT) == {("demo_sms", False), ("demo_sms", True)}
    assert taken(bulk=False) == ["reply"]
    assert due_queues(["demo_sms"], now=NIGHT) == {("demo_sms", True)}
    assert taken(bulk=True) == ["follow-up", "urgent"]


def test_at_night_bulk_waits_and_alerts_do_not() -> None:
    for level in reversed(LEVELS_OF_MANY):
        queue(f"level {level}", level)
    queue("later", 7, now=NIGHT + timedelta(hours=9))
    assert taken() == ["level 4", "level 5", "level 7"]
    # What waits for the morning alone wakes no queue.
    assert due_queues(["demo_sms"], now=NIGHT) == set()
    morning = NIGHT + timedelta(hours=10)
    assert taken(now=morning, is_night=False) == ["later", f"level {BULK}"]


def test_what_is_for_many_is_paid_of_bulks_share(settings) -> None:
    settings.COMMONBEAT = replace(settings.COMMONBEAT, daily_limit=10.0, send_prices=("demo_sms=0.05",))
    Spending.objects.create(day=NOW.date(), channel="demo_sms", currency="EUR", cost_micros=9_000_000)
    for key, priority, is_vital in (("urgent", 5, True), ("ordinary", 7, False), ("reply", 0, False)):
        queue(key, priority, is_vital=is_vital, now=NOW)
    assert MANY <= 7 < BULK
    assert taken(now=NOW, is_night=False) == ["reply", "urgent"]


def test_one_row_takes_all_back() -> None:
    for number in range(5):
        queue(f"a{number}", 7)
    later = NIGHT + timedelta(minutes=1)
    recall_broadcasts(broadcast_ids=[cast().pk], now=later)
    assert taken(now=later) == []
    assert set(Outbound.objects.values_list("state", "error")) == {(OutboundState.EXPIRED, "cancelled")}
    # What was over already keeps its end.
    recall_broadcasts(broadcast_ids=[cast().pk], now=later + timedelta(hours=1))
    assert Broadcast.objects.get().expires_at == later
