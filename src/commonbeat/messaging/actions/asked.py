"""Providers that come for their messages: what is handed out, and what they confirm."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Sum

from commonbeat.messaging import channel as contract
from commonbeat.messaging import policy
from commonbeat.messaging.actions.delivery import record_outcomes
from commonbeat.messaging.actions.health import note_answers, note_presence
from commonbeat.messaging.actions.outbox import NO_LIMIT, Wanted, is_recalled, is_unwanted, lease, recover_leases
from commonbeat.messaging.models import Outbound, OutboundState
from commonbeat.messaging.queries import health, round_of, sending_key
from commonbeat.messaging.rules import is_down

# A telephone knows for about this long what became of a message.
_OPEN_FOR = timedelta(days=1)
# A telephone comes about once a minute, and may then take what it would have sent in that time.
_PACE_SECONDS = 60.0


def answer_asked(*, channel: str, asked: contract.Asked, now: datetime) -> list[contract.Outbound | str]:
    """Find what a provider came for: messages to send, keys that it may go by, or keys of which it is to tell.

    Between the handing out and the confirmation a message is leased; unconfirmed, it is handed out again.
    """
    if asked.confirmed:
        return [*_confirm(channel, asked.confirmed, now)]
    if asked.open:
        return [*_open(channel, asked.open, now)]
    recover_leases(now=now)
    wanted = Wanted(
        channel,
        is_night=policy.is_night(now),
        instead_of=_taken_over(channel, now),
        allowance=_allowance(now),
    )
    leased = lease(wanted, limit=min(asked.most, _room(channel, now)), now=now)
    if not asked.will_confirm:
        _record(channel, [(one.id, one.message.idempotency_key) for one in leased], now)
    if not leased and not Outbound.objects.filter(channel=channel, state=OutboundState.LEASED).exists():
        # It came, and there is nothing that it could take.
        note_presence(channel=channel, now=now)
    return [one.message for one in leased]


def _room(channel: str, now: datetime) -> int:
    """Count the messages that the pace of the channel leaves for now; several processes may be asked."""
    rate = policy.rate_of(contract.channels()[channel])
    window = timedelta(seconds=max(_PACE_SECONDS, 1 / rate)) if rate > 0 else timedelta(0)
    # The index begins with state and channel; of a telephone's messages there are few.
    taken = Outbound.objects.filter(
        state__in=[OutboundState.SENT, OutboundState.DELIVERED, OutboundState.FAILED],
        channel=channel,
        sent_at__gt=now - window,
    ).count()
    under_way = Outbound.objects.filter(state=OutboundState.LEASED, channel=channel).count()
    return max(0, int(rate * window.total_seconds()) - taken - under_way)


def _taken_over(channel: str, now: datetime) -> list[str]:
    down = [code for code, one in health().items() if is_down(one.failures, one.failing_since, now)]
    return [code for code in down if policy.fallback_of(code) == channel]


def _allowance(now: datetime) -> policy.Allowance:
    money = policy.allowance(now)
    if money == NO_LIMIT:
        return money
    # What is leased is booked only once it is confirmed, and the telephone may come again before that.
    under_way = Outbound.objects.filter(state=OutboundState.LEASED).values_list("channel").annotate(Sum("segments"))
    return money.after(sum(policy.cost_of(code, parts, None) or 0 for code, parts in under_way))


def _confirm(channel: str, keys: tuple[str, ...], now: datetime) -> list[str]:
    with transaction.atomic():
        rows = list(
            Outbound.objects.select_for_update(of=("self",))
            .select_related("contact", "broadcast")
            .filter(channel=channel, idempotency_key__in=[round_of(key)[0] for key in keys])
            .order_by("pk")
        )
        # What was closed meanwhile, by STOP or because it is too late, is not confirmed and so not sent; and what is
        # confirmed twice, because our answer was lost, is answered twice.
        mine = {sending_key(row): row for row in rows if _may_go(row, now)}
        good = [key for key in dict.fromkeys(keys) if key in mine]
        _record(channel, [(mine[key].pk, key) for key in good if mine[key].state == OutboundState.LEASED], now)
    return good


def _may_go(row: Outbound, now: datetime) -> bool:
    # What the telephone has told us that it sent is answered as before; what is only handed out may still be held back.
    may = not is_unwanted(row) and not is_recalled(row, now)
    return row.state == OutboundState.SENT or (row.state == OutboundState.LEASED and may)


def _open(channel: str, most: int, now: datetime) -> list[str]:
    found = Outbound.objects.filter(channel=channel, state=OutboundState.SENT, created_at__gt=now - _OPEN_FOR)
    return [sending_key(row) for row in found.order_by("-pk")[:most]]


def _record(channel: str, taken: list[tuple[int, str]], now: datetime) -> None:
    if not taken:
        return
    outcomes = [(pk, contract.Sent(provider_id=key)) for pk, key in taken]
    record_outcomes(outcomes, now=now)
    note_answers(channel=channel, outcomes=[outcome for _, outcome in outcomes], now=now)
