"""How a channel's gateway answers: kept by the worker, told to the operator."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from commonbeat.journal.actions import append
from commonbeat.messaging import channel as contract
from commonbeat.messaging import events, policy
from commonbeat.messaging.models import Health, Outbound, OutboundState
from commonbeat.messaging.rules import MANY, MISSED_AFTER, ask_again_in, is_down

# A gateway in good health is written down this often only.
_KEEP = timedelta(seconds=30)


def note_answers(*, channel: str, outcomes: Sequence[contract.Sent | contract.Failed], now: datetime) -> Health:
    """Take in how a gateway answered a few messages, in their order; give its state after that."""
    row = Health.objects.filter(channel=channel).first() or Health(channel=channel)
    before = (row.failures, row.last_taken_at)
    # As it was written down: by the time alone it may have come to be down since.
    was_down = row.ask_again_at is not None
    for outcome in outcomes:
        if isinstance(outcome, contract.Failed) and outcome.is_elsewhere:
            continue
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


def note_presence(*, channel: str, now: datetime) -> None:
    """Take in that a provider that comes by itself has come; only one that was missed is written down."""
    row = Health.objects.filter(channel=channel).first()
    if row is not None and row.failures:
        # An answer, and no message taken.
        note_answers(channel=channel, outcomes=[contract.Failed("", permanent=True)], now=now)


def note_silence(*, now: datetime) -> None:
    """Count as failing each provider that comes by itself and leaves replies waiting for minutes; once a minute."""
    for code, channel in contract.channels().items():
        if not isinstance(channel, contract.IsAsked) or not _is_missed(code, now):
            continue
        note_answers(channel=code, outcomes=[contract.Failed("silent", permanent=False)], now=now)


def _is_missed(code: str, now: datetime) -> bool:
    row = Health.objects.filter(channel=code).first()
    if row is not None and row.last_taken_at is not None and now - row.last_taken_at < MISSED_AFTER:
        return False
    # Bulk may wait for the morning and replies for money; what is vital waits for nothing but the telephone.
    left = policy.allowance(now)
    due = Outbound.objects.filter(
        # What is handed out and never confirmed waits, too.
        state__in=[OutboundState.QUEUED, OutboundState.LEASED],
        channel=code,
        priority__lt=MANY,
        due_at__lte=now - MISSED_AFTER,
        expires_at__gt=now,
    )
    if left.replies is not None and left.replies <= 0:
        due = due.filter(is_vital=True)
    return due.exists()


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
