"""Two workers, a gateway that fails in every way, kills and clocks that jump: each message comes to an end, once."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.db.models import Sum

from commonbeat.foundation import clock
from commonbeat.messaging.actions import enqueue, expire_outbound, note_receipt
from commonbeat.messaging.actions.outbox import recover_leases
from commonbeat.messaging.models import Outbound, OutboundState, Spending
from commonbeat.worker import lane as lane_module
from commonbeat.worker import sending as sending_module
from commonbeat.worker.sending import Sending
from tests.channels.faulty_gateway import AtOnce, FaultyGateway, Killed
from tests.make import make_contact

MESSAGES = 40
ENDS = {OutboundState.DELIVERED, OutboundState.FAILED, OutboundState.EXPIRED}
LONG = "The water at the old bridge is not safe to drink today, boil it. " * 4


class Time:
    """The site's clock, which may jump, and the machine's, which may not."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.seconds = clock.now(), 1_000.0
        monkeypatch.setattr(sending_module.clock, "now", lambda: self.now)
        monkeypatch.setattr(sending_module.time, "monotonic", lambda: self.seconds)

    def pass_(self, seconds: float) -> None:
        """Let both go on."""
        self.now += timedelta(seconds=seconds)
        self.seconds += seconds

    def jump(self, by: timedelta) -> None:
        """Set the site's clock."""
        self.now += by


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(10))
def test_every_message_comes_to_an_end_and_is_paid_for_once(seed: int, monkeypatch, settings) -> None:
    gateway = FaultyGateway(seed, knows_keys=seed % 4 != 0)
    for module in ("commonbeat.worker.sending", "commonbeat.messaging.policy", "commonbeat.messaging.queries"):
        monkeypatch.setattr(f"{module}.channels", lambda: {gateway.code: gateway})
    monkeypatch.setattr(lane_module, "ThreadPoolExecutor", AtOnce)
    settings.COMMONBEAT = replace(
        settings.COMMONBEAT, quiet_hours="", currency="EUR", send_prices=("kannel_sms=0.05",), send_fallbacks=()
    )
    time = Time(monkeypatch)
    gateway.tell = lambda receipt: note_receipt(channel=gateway.code, receipt=receipt, now=time.now)
    begun = time.now
    for number in range(MESSAGES):
        contact = make_contact(f"+3834410{number % 17:04d}", channel=gateway.code)
        text, priority = (LONG if number % 4 == 0 else "Hello"), (10 if number % 3 else 0)
        enqueue(contact=contact, text=text, idempotency_key=f"m{number:02d}", priority=priority, now=time.now)
    workers = [Sending(), Sending()]
    day = timedelta(days=1)
    jumps = ({30: -day, 60: day}, {40: day}, {40: -day})[seed % 3]
    for at in range(70):
        time.jump(jumps.get(at, timedelta(0)))
        for which in (0, 1):
            try:
                workers[which].send_batch()
            except Killed:
                # Somebody starts it again, knowing nothing of what it had leased and been told of.
                workers[which] = Sending()
                gateway.unclear.update(key for key in leased() if gateway.calls[key])
        if gateway.chance.random() < 0.4:
            gateway.deliver_receipts()
        time.pass_(gateway.chance.choice((1, 5, 40, 400)))
    # Then all is well, for as long as a message may wait from when it was queued.
    gateway.is_well = True
    while time.now < begun + timedelta(days=1, hours=2):
        for worker in workers:
            worker.send_batch()
        gateway.deliver_receipts()
        time.pass_(900)
    gateway.deliver_receipts(everything=True)
    expire_outbound(now=time.now)
    check(gateway, begun, time.now)


@pytest.mark.django_db
def test_a_lease_ends_although_the_clock_was_set_back() -> None:
    now = clock.now()
    enqueue(contact=make_contact("+38344100001"), text="Hello", idempotency_key="m", now=now)
    Outbound.objects.update(state=OutboundState.LEASED, leased_until=now + timedelta(days=1))
    assert recover_leases(now=now) == 1
    # A worker whose clock is a little ahead keeps what it has.
    Outbound.objects.update(state=OutboundState.LEASED, leased_until=now + timedelta(minutes=2))
    assert recover_leases(now=now) == 0


def leased() -> list[str]:
    """Give the keys of what some worker has leased."""
    return list(Outbound.objects.filter(state=OutboundState.LEASED).values_list("idempotency_key", flat=True))


def check(gateway: FaultyGateway, begun: datetime, now: datetime) -> None:
    """Compare what the site believes with what happened."""
    rows = {row.idempotency_key: row for row in Outbound.objects.all()}
    assert len(rows) == MESSAGES
    assert {row.state for row in rows.values()} <= ENDS
    for key, row in rows.items():
        # At least once: more often only where nobody could know, and where the gateway forgets its keys.
        assert gateway.went_out[key] <= (1 if gateway.knows_keys else 1 + gateway.unclear[key]), key
        assert gateway.told_sent[key] <= 1 + gateway.unclear[key], key
        # None is told to have arrived that never left; what was taken is never given up for want of an answer.
        if row.state == OutboundState.DELIVERED:
            assert gateway.went_out[key]
        if row.state == OutboundState.EXPIRED:
            assert row.error == "stopped" or row.expires_at <= now
        # What is known to have gone out was paid for.
        if row.state == OutboundState.DELIVERED or row.sent_at is not None:
            assert row.cost_micros, (key, row.state)
    booked = Spending.objects.aggregate(Sum("cost_micros"), Sum("messages"))
    assert booked["cost_micros__sum"] == sum(row.cost_micros or 0 for row in rows.values())
    assert booked["messages__sum"] == sum(row.sent_at is not None for row in rows.values())
