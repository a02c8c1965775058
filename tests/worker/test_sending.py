"""Gateways that fail in every way: nothing is lost, nothing goes twice but under one key, and replies go first."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from commonbeat.foundation import clock
from commonbeat.journal.models import Entry
from commonbeat.messaging.actions import enqueue, expire_outbound, free_leases, note_receipt
from commonbeat.messaging.channel import Failed, Limits, Outbound, Receipt, Sent
from commonbeat.messaging.models import Health, OutboundState, Spending
from commonbeat.messaging.models import Outbound as Row
from commonbeat.worker import lane as lane_module
from commonbeat.worker import sending as sending_module
from commonbeat.worker.sending import Sending
from tests.make import make_contact

NIGHT = datetime.fromisoformat("2026-03-14T23:30:00+01:00")
Answer = Callable[[Outbound], Sent | Failed]


class Faulty:
    """A gateway that remembers what it took by key, and answers as it is told to."""

    def __init__(self, code: str, *, per_second: float = 10_000.0, connections: int = 4) -> None:
        self.code = code
        self.limits = Limits(address_kind="phone", per_second=per_second, connections=connections)
        self.called: list[str] = []
        self.taken: list[str] = []
        self.answer: Answer = self.take

    def take(self, message: Outbound) -> Sent | Failed:
        if message.idempotency_key not in self.taken:
            self.taken.append(message.idempotency_key)
        return Sent(message.idempotency_key)

    def lose_answer(self, message: Outbound) -> Sent | Failed:
        """Take it, and break the connection before the answer."""
        self.take(message)
        return Failed("RemoteProtocolError", permanent=False)

    def refuse(self, message: Outbound) -> Sent | Failed:
        return Failed("http 503", permanent=False)

    def send(self, message: Outbound) -> Sent | Failed:
        self.called.append(message.idempotency_key)
        return self.answer(message)


class Time:
    """The site's clock and the bucket's, moved by hand."""

    def __init__(self, monkeypatch) -> None:
        self.now, self.seconds = clock.now(), 1000.0
        for module in (sending_module,):
            monkeypatch.setattr(module.clock, "now", lambda: self.now)
            monkeypatch.setattr(module.time, "monotonic", lambda: self.seconds)

    def pass_(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.seconds += seconds


@pytest.fixture
def time(monkeypatch) -> Time:
    return Time(monkeypatch)


@pytest.fixture
def gateways(monkeypatch, settings) -> tuple[Faulty, Faulty]:
    first, second = Faulty("kannel_sms"), Faulty("smsgate_sms")
    known = {one.code: one for one in (first, second)}
    for module in ("commonbeat.worker.sending", "commonbeat.messaging.policy", "commonbeat.messaging.queries"):
        monkeypatch.setattr(f"{module}.channels", lambda: known)
    settings.COMMONBEAT = replace(settings.COMMONBEAT, quiet_hours="", send_prices=("kannel_sms=0.05",))
    return first, second


def queue(key: str, now: datetime, **more) -> Row:
    contact = make_contact(f"+383441{len(key):02d}{sum(map(ord, key)) % 1000:03d}", channel="kannel_sms")
    row = enqueue(contact=contact, text="Hello", idempotency_key=key, now=now, **more)
    assert row is not None
    return row


def states() -> dict[str, str]:
    return dict(Row.objects.values_list("idempotency_key", "state"))


def run(sending: Sending, time: Time, seconds: float, step: float = 1.0) -> None:
    """Let the sender run for a while."""
    until = time.now + timedelta(seconds=seconds)
    while time.now < until:
        while sending.send_batch():
            pass
        time.pass_(step)


@pytest.mark.django_db
def test_an_answer_that_was_lost_repeats_under_the_same_key(gateways: tuple[Faulty, Faulty], time: Time) -> None:
    gateway, _ = gateways
    gateway.answer = gateway.lose_answer
    row = queue("a", time.now)
    sending = Sending()
    sending.send_batch()
    row.refresh_from_db()
    assert (row.state, row.maybe_taken) == (OutboundState.QUEUED, True)
    gateway.answer = gateway.take
    run(sending, time, 10)
    assert (gateway.called, gateway.taken, states()) == (["a", "a"], ["a"], {"a": "sent"})


@pytest.mark.django_db
def test_receipts_that_come_before_the_answer_doubled_and_in_any_order(
    gateways: tuple[Faulty, Faulty], time: Time
) -> None:
    gateway, _ = gateways
    row = queue("a", time.now)
    sending = Sending()

    held = threading.Event()

    def hold(message: Outbound) -> Sent | Failed:
        held.wait(5)
        return gateway.take(message)

    gateway.answer = hold
    assert sending.send_batch()
    good, bad = (Receipt(provider_id=f"r{o}", about="a", outcome=o) for o in ("delivered", "failed"))
    for one in (bad, good, good, bad):
        assert note_receipt(channel="kannel_sms", receipt=one, now=time.now)
    held.set()
    while sending.send_batch():
        pass
    row.refresh_from_db()
    assert (row.state, row.provider_id, gateway.called) == (OutboundState.DELIVERED, "a", ["a"])
    assert Spending.objects.get().messages == 1


@pytest.mark.django_db
def test_a_gateway_that_was_down_for_a_day_gets_replies_first_and_nothing_that_is_too_late(
    gateways: tuple[Faulty, Faulty], time: Time
) -> None:
    gateway, _ = gateways
    gateway.answer = gateway.refuse
    for number in range(80):
        queue(f"bulk{number:02d}", time.now, priority=10, expires_in=timedelta(days=3))
    queue("late", time.now, expires_in=timedelta(hours=2))
    sending = Sending()
    run(sending, time, 86_400, step=1800)
    expire_outbound(now=time.now)
    # A few asked whether it is back; the others were spared.
    assert len(gateway.called) < 200
    assert states()["late"] == OutboundState.EXPIRED
    assert Entry.objects.filter(kind="messaging.channel_down").count() == 1
    for number in range(5):
        queue(f"reply{number}", time.now)
    gateway.answer, gateway.called = gateway.take, []
    run(sending, time, 90)
    assert all(key.startswith("reply") for key in gateway.called[:2])
    assert len(gateway.taken) == len(set(gateway.called)) == len(gateway.called) == 85
    assert set(states().values()) == {"sent", "expired"}
    assert Entry.objects.filter(kind="messaging.channel_back").count() == 1
    assert Health.objects.get(channel="kannel_sms").failures == 0


@pytest.mark.django_db
def test_another_gateway_takes_over_what_the_first_cannot_have(
    gateways: tuple[Faulty, Faulty], time: Time, settings
) -> None:
    first, second = gateways
    settings.COMMONBEAT = replace(settings.COMMONBEAT, send_fallbacks=("kannel_sms=smsgate_sms",))
    first.answer = first.lose_answer
    queue("unclear", time.now)
    sending = Sending()
    sending.send_batch()
    first.answer = first.refuse
    for number in range(8):
        queue(f"k{number}", time.now)
    run(sending, time, 200)
    moved = {f"k{number}" for number in range(8)}
    assert set(second.taken) == moved
    assert first.taken == ["unclear"]
    assert states()["unclear"] == OutboundState.QUEUED
    assert set(Row.objects.filter(moved_from="kannel_sms", channel="smsgate_sms", state="sent").values_list(
        "idempotency_key", flat=True
    )) == moved  # fmt: skip
    # A receipt of the second finds its message; and the first, once back, gets its own under the same key.
    receipt = Receipt(provider_id="r", about="k1", outcome="delivered")
    assert note_receipt(channel="smsgate_sms", receipt=receipt, now=time.now)
    first.answer = first.take
    run(sending, time, 120)
    assert (states()["unclear"], first.taken, second.called.count("k1")) == ("sent", ["unclear"], 1)


@pytest.mark.django_db
def test_a_fallback_for_another_kind_of_address_is_none(
    gateways: tuple[Faulty, Faulty], time: Time, settings, monkeypatch
) -> None:
    first, second = gateways
    settings.COMMONBEAT = replace(settings.COMMONBEAT, send_fallbacks=("kannel_sms=smsgate_sms",))
    monkeypatch.setattr(second, "limits", Limits(address_kind="email", per_second=10.0))
    first.answer = first.refuse
    for number in range(8):
        queue(f"k{number}", time.now)
    run(Sending(), time, 100)
    assert second.called == []


@pytest.mark.django_db
def test_what_a_killed_worker_leased_is_not_given_to_another_gateway(
    gateways: tuple[Faulty, Faulty], time: Time, settings
) -> None:
    first, second = gateways
    settings.COMMONBEAT = replace(settings.COMMONBEAT, send_fallbacks=("kannel_sms=smsgate_sms",))
    for number in range(6):
        queue(f"k{number}", time.now)
    Row.objects.update(state=OutboundState.LEASED, leased_until=time.now + timedelta(seconds=60))
    free_leases(now=time.now)
    first.answer = first.refuse
    run(Sending(), time, 200)
    assert second.called == []
    assert set(states().values()) == {"queued"}


@pytest.mark.django_db
def test_bulk_waits_for_the_morning_and_replies_do_not(gateways: tuple[Faulty, Faulty], time: Time, settings) -> None:
    gateway, _ = gateways
    settings.COMMONBEAT = replace(settings.COMMONBEAT, quiet_hours="21:00-08:00", time_zone="Europe/Belgrade")
    time.now = NIGHT
    queue("bulk", NIGHT, priority=10)
    queue("reply", NIGHT)
    sending = Sending()
    run(sending, time, 5)
    assert gateway.taken == ["reply"]
    time.pass_(9 * 3600)
    run(sending, time, 5)
    assert gateway.taken == ["reply", "bulk"]


@pytest.mark.django_db
def test_a_slow_gateway_for_bulk_does_not_hold_up_replies(gateways: tuple[Faulty, Faulty], time: Time) -> None:
    gateway, _ = gateways
    held = threading.Event()

    def slow_for_bulk(message: Outbound) -> Sent | Failed:
        if message.idempotency_key.startswith("bulk"):
            held.wait(5)
        return gateway.take(message)

    gateway.answer = slow_for_bulk
    for number in range(20):
        queue(f"bulk{number:02d}", time.now, priority=10)
    sending = Sending()
    sending.send_batch()
    queue("reply", time.now)
    time.pass_(0.2)
    sending.send_batch()
    assert gateway.taken == ["reply"]
    held.set()
    while sending.send_batch():
        pass
    assert set(states().values()) == {"sent"}


@pytest.mark.django_db
def test_the_money_for_what_is_on_its_way_is_not_spent_twice(
    gateways: tuple[Faulty, Faulty], time: Time, settings
) -> None:
    gateway, _ = gateways
    settings.COMMONBEAT = replace(settings.COMMONBEAT, daily_limit=0.5)
    for number in range(40):
        queue(f"k{number:02d}", time.now)
    run(Sending(), time, 20)
    assert len(gateway.taken) == 10
    assert Spending.objects.get().cost_micros == 500_000


@pytest.mark.django_db
def test_a_clock_that_was_set_back_does_not_keep_a_gateway_down(gateways: tuple[Faulty, Faulty], time: Time) -> None:
    gateway, _ = gateways
    gateway.answer = gateway.refuse
    for number in range(8):
        queue(f"k{number}", time.now - timedelta(days=2), expires_in=timedelta(days=9))
    sending = Sending()
    run(sending, time, 20)
    gateway.answer = gateway.take
    time.now -= timedelta(days=1)
    Row.objects.update(due_at=time.now)
    run(sending, time, 5)
    assert len(gateway.taken) == 8


@pytest.mark.django_db
def test_what_waited_too_long_in_memory_is_handed_back_untried(
    gateways: tuple[Faulty, Faulty], time: Time, monkeypatch
) -> None:
    gateway, _ = gateways
    monkeypatch.setattr(lane_module, "FRESH_SECONDS", -1.0)
    row = queue("a", time.now)
    sending = Sending()
    sending.send_batch()
    row.refresh_from_db()
    assert (gateway.called, row.state, row.attempts, row.maybe_taken) == ([], OutboundState.QUEUED, 0, False)


@pytest.mark.django_db
def test_many_go_in_one_call_where_the_provider_has_one(
    gateways: tuple[Faulty, Faulty], time: Time, monkeypatch
) -> None:
    gateway, _ = gateways
    calls: list[int] = []

    def send_many(messages: Sequence[Outbound]) -> list[Sent | Failed]:
        calls.append(len(messages))
        if len(calls) == 1:
            return []
        return [gateway.take(one) for one in messages]

    monkeypatch.setattr(gateway, "send_many", send_many, raising=False)
    for number in range(30):
        queue(f"k{number:02d}", time.now)
    sending = Sending()
    sending.send_batch()
    # Another number of outcomes than of messages: nobody knows what was taken.
    assert Row.objects.filter(maybe_taken=True).count() == 30
    run(sending, time, 60)
    assert (len(gateway.taken), set(states().values()), gateway.called) == (30, {"sent"}, [])


@pytest.mark.django_db
def test_stopping_records_what_was_answered(gateways: tuple[Faulty, Faulty], time: Time) -> None:
    gateway, _ = gateways
    begun = threading.Event()

    def slowly(message: Outbound) -> Sent | Failed:
        begun.wait(0.2)
        return gateway.take(message)

    gateway.answer = slowly
    queue("a", time.now)
    sending = Sending()
    assert sending.send_batch()
    begun.set()
    sending.close()
    assert states() == {"a": "sent"}


@pytest.mark.django_db
def test_a_step_asks_the_same_number_of_times_for_many(
    gateways: tuple[Faulty, Faulty], time: Time, django_assert_max_num_queries
) -> None:
    for number in range(30):
        queue(f"k{number:02d}", time.now)
    sending = Sending()
    with django_assert_max_num_queries(24):
        sending.send_batch()
