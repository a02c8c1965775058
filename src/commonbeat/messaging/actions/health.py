"""How a channel's gateway answers: kept by the worker, told to the operator."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from commonbeat.journal.actions import append
from commonbeat.messaging import channel as contract
from commonbeat.messaging import events
from commonbeat.messaging.models import Health, Outbound, OutboundState
from commonbeat.messaging.rules import ask_again_in, is_down

# A gateway in good health is written down this often only.
_KEEP = timedelta(seconds=30)


def note_answers(*, channel: str, outcomes: Sequence[contract.Sent | contract.Failed], now: datetime) -> Health:
    """Take in how a gateway answered a few messages, in their order; give its state after that."""
    row = Health.objects.filter(channel=channel).first() or Health(channel=channel)
    before = (row.failures, row.last_taken_at)
    was_down = is_down(row.failures, row.failing_since, now)
    for outcome in outcomes:
        if isinstance(outcome, contract.Failed) and not outcome.permanent:
            row.failures += 1
            row.failing_since = row.failing_since or now
            row.last_error = outcome.code[:60]
        else:
            # Also a message that is refused for good was answered.
            row.failures, row.failing_since, row.ask_again_at = 0, None, None
            row.last_taken_at = now if isinstance(outcome, contract.Sent) else row.last_taken_at
    down = is_down(row.failures, row.failing_since, now)
    if down:
        row.ask_again_at = now + ask_again_in(now - (row.failing_since or now))
    is_stale = before[1] is None or row.last_taken_at is None or row.last_taken_at - before[1] >= _KEEP
    if row.failures or before[0] or is_stale:
        row.save()
    if down != was_down:
        append(kind=events.CHANNEL_DOWN if down else events.CHANNEL_BACK, subject_id=row.pk, now=now)
        hasten(channel=channel, now=now, only_free=down)
    return row


def hasten(*, channel: str, now: datetime, only_free: bool) -> int:
    """Make due at once what waits for another attempt; only_free leaves what the gateway may have taken."""
    waiting = Outbound.objects.filter(channel=channel, state=OutboundState.QUEUED, due_at__gt=now, attempts__gt=0)
    if only_free:
        waiting = waiting.filter(maybe_taken=False)
    return waiting.update(due_at=now)


def bring_forward(*, channel: str, number: int, now: datetime) -> int:
    """Make due at once the few messages that ask whether a gateway is back, those with the fewest attempts first."""
    waiting = Outbound.objects.filter(channel=channel, state=OutboundState.QUEUED, due_at__gt=now, attempts__gt=0)
    chosen = list(waiting.order_by("attempts", "priority", "id").values_list("pk", flat=True)[:number])
    return Outbound.objects.filter(pk__in=chosen, state=OutboundState.QUEUED).update(due_at=now) if chosen else 0
