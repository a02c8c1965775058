"""Send what the outbox holds: replies before bulk, each channel at its own pace, another where a gateway is down."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import wait
from datetime import datetime

from commonbeat.foundation import clock
from commonbeat.messaging import policy
from commonbeat.messaging.actions import bring_forward, hand_back, note_answers, record_outcomes
from commonbeat.messaging.actions.outbox import Leased, Wanted, lease, recover_leases
from commonbeat.messaging.channel import Channel, IsAsked, channels
from commonbeat.messaging.models import Health
from commonbeat.messaging.queries import due_queues, health
from commonbeat.messaging.rules import ASKING_AT_ONCE, Bucket, is_down, may_ask
from commonbeat.worker.lane import Lane, Tried

# How long one step waits for gateways before it looks again for replies.
PATIENCE_SECONDS = 0.05
# How long a queue that gave nothing is left alone while others are busy.
_LEFT_ALONE_SECONDS = 0.1
# What is answered within it when the site stops is still recorded; the rest is sent again under the same key.
_LAST_WORDS_SECONDS = 0.5


class Sending:
    """Hold the pace of each channel and, for its replies and its bulk, a few connections each."""

    def __init__(self) -> None:
        # Whoever comes for messages by itself is served where it comes (live/hooks.py).
        self._channels = {code: one for code, one in channels().items() if not isinstance(one, IsAsked)}
        self._buckets = {code: Bucket(policy.rate_of(channel)) for code, channel in self._channels.items()}
        self._is_idle = True
        # Replies first, here as everywhere.
        self._lanes = [Lane(channel, bulk=bulk) for bulk in (False, True) for channel in self._channels.values()]

    def send_batch(self) -> int:
        """Begin what is due on every channel, as far as pace and money allow; give what was begun or is on its way."""
        now = clock.now()
        self._collect()
        recover_leases(now=now)
        # Looked at without a transaction, which on SQLite would hold up everybody who writes.
        states = health()
        down = {code: state for code, state in states.items() if is_down(state.failures, state.failing_since, now)}
        due = self._due(down, now)
        begun = self._begin_all(due, down, now) if due else 0
        calls = [call for lane in self._lanes for call in lane.calls]
        if calls:
            wait(calls, timeout=PATIENCE_SECONDS)
        self._collect()
        under_way = begun + sum(len(lane.calls) for lane in self._lanes)
        self._is_idle = not under_way
        return under_way

    def close(self) -> None:
        """End the calls; what has no outcome keeps its lease and is sent again under the same key."""
        for lane in self._lanes:
            lane.close()
        calls = [call for lane in self._lanes for call in lane.calls]
        if calls:
            wait(calls, timeout=_LAST_WORDS_SECONDS)
            self._collect()

    def _due(self, down: dict[str, Health], now: datetime) -> set[tuple[str, bool]]:
        due = due_queues(list(self._channels), now=now)
        for code, state in down.items():
            # Else a gateway whose last messages have long to wait would be asked only when one of them is due.
            is_asked = not due.isdisjoint({(code, False), (code, True)})
            may = not is_asked and code in self._channels and may_ask(state.ask_again_at, now)
            if may and bring_forward(channel=code, number=ASKING_AT_ONCE, now=now):
                return due_queues(list(self._channels), now=now)
        return due

    def _begin_all(self, due: set[tuple[str, bool]], down: dict[str, Health], now: datetime) -> int:
        money, is_night, begun = policy.allowance(now), policy.is_night(now), 0
        for lane in self._lanes:
            code = lane.channel.code
            # Taking over is for a gateway that answers itself.
            instead_of = [] if code in down else [other for other in down if policy.fallback_of(other) == code]
            if not any((one, lane.bulk) in due for one in (code, *instead_of)):
                continue
            limit = self._room(lane, down.get(code), now)
            if limit < 1:
                continue
            wanted = Wanted(
                channel=code,
                bulk=lane.bulk,
                is_night=is_night,
                instead_of=instead_of,
                busy={one.contact_id for one in self._on_its_way(lane.channel)},
                allowance=money.after(sum(one.cost_micros for one in self._on_its_way(None))),
            )
            begun += self._begin(lane, lease(wanted, limit=limit, now=now))
        return begun

    def _room(self, lane: Lane, down: Health | None, now: datetime) -> int:
        moment = time.monotonic()
        if moment < lane.empty_until and not self._is_idle:
            return 0
        limit = min(lane.free, self._buckets[lane.channel.code].available(moment))
        if down is None:
            return limit
        # A few ask whether the gateway is back; the others wait and keep their attempts.
        asking = sum(1 for _ in self._on_its_way(lane.channel))
        return min(limit, ASKING_AT_ONCE - asking) if may_ask(down.ask_again_at, now) else 0

    def _begin(self, lane: Lane, batch: list[Leased]) -> int:
        # What is due may not be affordable, or wait for an earlier message to the same person.
        lane.empty_until = 0.0 if batch else time.monotonic() + _LEFT_ALONE_SECONDS
        self._buckets[lane.channel.code].take(len(batch))
        lane.begin(batch)
        return len(batch)

    def _on_its_way(self, channel: Channel | None) -> Iterator[Leased]:
        for lane in self._lanes:
            if channel is None or lane.channel is channel:
                yield from lane.on_its_way

    def _collect(self) -> None:
        for lane in self._lanes:
            tried = lane.finished()
            if tried:
                _record(lane, tried)


def _record(lane: Lane, tried: Sequence[Tried]) -> None:
    now = clock.now()
    outcomes = [(one.leased.id, one.outcome) for one in tried if one.outcome is not None]
    record_outcomes(outcomes, now=now)
    untried = [one.leased.id for one in tried if one.outcome is None]
    if untried:
        hand_back(outbound_ids=untried, now=now)
    if outcomes:
        note_answers(channel=lane.channel.code, outcomes=[outcome for _, outcome in outcomes], now=now)
