"""A telephone that comes for its messages gets each once, until it says that it took it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from commonbeat.journal.models import Entry
from commonbeat.messaging import channel as contract
from commonbeat.messaging.actions import (
    answer_asked,
    enqueue,
    note_answers,
    note_receipt,
    note_silence,
    stop_contact,
)
from commonbeat.messaging.actions.outbox import LEASE, Wanted, lease
from commonbeat.messaging.channel import Asked
from commonbeat.messaging.models import Outbound, OutboundState
from commonbeat.messaging.queries import health
from commonbeat.messaging.rules import DOWN_AFTER, is_down
from commonbeat.worker.sending import Sending
from tests.make import make_contact

pytestmark = pytest.mark.django_db
DAY = datetime(2026, 3, 14, 12, tzinfo=UTC)
NIGHT = datetime(2026, 3, 14, 23, tzinfo=UTC)


def queue(key: str, *, address: str = "+38344123456", now: datetime = DAY, **more) -> None:
    assert enqueue(contact=make_contact(address, channel="smssync_sms"), text=key, idempotency_key=key, now=now, **more)


def ask(now: datetime = DAY, **what) -> list[str]:
    found = answer_asked(channel="smssync_sms", asked=Asked(**what), now=now)
    return [one if isinstance(one, str) else one.idempotency_key for one in found]


def states() -> list[str]:
    return list(Outbound.objects.order_by("id").values_list("state", flat=True))


def test_without_confirmation_what_is_handed_out_is_sent() -> None:
    queue("a")
    queue("b", address="+38344999888")
    assert ask(most=1) == ["a"]
    assert states() == [OutboundState.SENT, OutboundState.QUEUED]
    assert ask(most=10) == ["b"]
    assert ask(most=10) == []


def test_with_confirmation_it_is_handed_out_again_until_it_is_confirmed() -> None:
    queue("a")
    assert ask(most=10, will_confirm=True) == ["a"]
    assert ask(most=10, will_confirm=True) == []
    later = DAY + LEASE + timedelta(seconds=1)
    assert ask(later, most=10, will_confirm=True) == ["a"]
    assert ask(later, confirmed=("a", "never", "a")) == ["a"]
    assert states() == [OutboundState.SENT]
    # The answer to the confirmation was lost.
    assert ask(later, confirmed=("a",)) == ["a"]
    assert ask(later + LEASE * 2, most=10, will_confirm=True) == []


def test_what_stop_or_time_closed_is_not_confirmed() -> None:
    queue("a")
    contact = Outbound.objects.get().contact
    assert ask(most=10, will_confirm=True) == ["a"]
    stop_contact(contact=contact, now=DAY + timedelta(seconds=1))
    assert ask(DAY + timedelta(seconds=2), confirmed=("a",)) == []
    Outbound.objects.update(state=OutboundState.EXPIRED)
    assert ask(confirmed=("a",)) == []


def test_another_channels_messages_are_neither_given_nor_confirmed() -> None:
    enqueue(contact=make_contact("+38344123456", channel="kannel_sms"), text="k", idempotency_key="k", now=DAY)
    assert ask(most=10) == []
    assert ask(confirmed=("k",)) == []
    assert states() == [OutboundState.QUEUED]


def test_bulk_waits_for_the_morning_here_too() -> None:
    queue("bulk", now=NIGHT, priority=10)
    queue("reply", now=NIGHT, address="+38344999888")
    assert ask(NIGHT, most=10) == ["reply"]


def test_what_waits_for_a_confirmation_is_spoken_for(settings) -> None:
    settings.COMMONBEAT = replace(
        settings.COMMONBEAT, daily_limit=0.15, send_prices=("smssync_sms=0.1", "kannel_sms=0.1")
    )
    queue("a")
    queue("b", address="+38344999888")
    assert ask(most=1, will_confirm=True) == ["a"]
    assert ask(most=10, will_confirm=True) == []
    assert states() == [OutboundState.LEASED, OutboundState.QUEUED]


def test_a_telephone_takes_over_from_a_gateway_that_is_down(settings) -> None:
    settings.COMMONBEAT = replace(settings.COMMONBEAT, send_fallbacks=("kannel_sms=smssync_sms",))
    for key, address in (("k", "+38344123456"), ("maybe", "+38344999888")):
        enqueue(contact=make_contact(address, channel="kannel_sms"), text=key, idempotency_key=key, now=DAY)
    Outbound.objects.filter(idempotency_key="maybe").update(maybe_taken=True)
    assert ask(most=10) == []
    failed = [contract.Failed("ConnectError", permanent=False)] * DOWN_AFTER
    note_answers(channel="kannel_sms", outcomes=failed, now=DAY)
    assert ask(most=10) == ["k"]
    row = Outbound.objects.get(idempotency_key="k")
    assert (row.channel, row.moved_from, row.state) == ("smssync_sms", "kannel_sms", OutboundState.SENT)


def test_it_is_asked_about_what_has_no_outcome() -> None:
    queue("a")
    queue("b", address="+38344999888")
    ask(most=10)
    assert ask(open=10) == ["b", "a"]
    receipt = contract.Receipt(provider_id="r", about="a", outcome="delivered")
    assert note_receipt(channel="smssync_sms", receipt=receipt, now=DAY)
    assert ask(open=10) == ["b"]


def test_the_worker_leaves_these_messages_alone() -> None:
    queue("a", now=datetime.now(UTC))
    sending = Sending()
    try:
        assert sending.send_batch() == 0
    finally:
        sending.close()
    assert states() == [OutboundState.QUEUED]


def test_a_silent_telephone_counts_as_down_and_another_gateway_takes_over(settings) -> None:
    settings.COMMONBEAT = replace(settings.COMMONBEAT, send_fallbacks=("smssync_sms=kannel_sms",))
    queue("a")

    def look(minutes: int) -> bool:
        note_silence(now=DAY + timedelta(minutes=minutes))
        state = health().get("smssync_sms")
        return state is not None and is_down(state.failures, state.failing_since, DAY + timedelta(minutes=minutes))

    assert [look(minutes) for minutes in (1, 4, 5, 6, 7)] == [False, False, False, False, True]
    assert Entry.objects.filter(kind="messaging.channel_down").count() == 1
    wanted = Wanted("kannel_sms", instead_of=["smssync_sms"])
    assert [one.message.idempotency_key for one in lease(wanted, limit=5, now=DAY + timedelta(minutes=8))] == ["a"]
    # It comes back, and there is nothing left for it to take.
    assert ask(DAY + timedelta(minutes=9), most=10, will_confirm=True) == []
    assert not look(9)
    assert Entry.objects.filter(kind="messaging.channel_back").count() == 1


def test_a_telephone_that_takes_and_never_confirms_is_missed_too() -> None:
    queue("a")
    for minutes in range(12):
        ask(DAY + timedelta(minutes=minutes), most=10, will_confirm=True)
        note_silence(now=DAY + timedelta(minutes=minutes, seconds=59))
    assert health()["smssync_sms"].failures > 0


def test_bulk_at_night_and_an_empty_queue_are_no_silence() -> None:
    queue("bulk", now=NIGHT, priority=10)
    note_silence(now=NIGHT + timedelta(hours=1))
    assert health() == {}


def test_the_pace_of_the_site_counts_for_a_telephone_too(settings) -> None:
    settings.COMMONBEAT = replace(settings.COMMONBEAT, send_rates=("smssync_sms=0.05",))
    for number in range(8):
        queue(f"m{number}", address=f"+38344123{number:03d}")
    assert len(ask(most=10)) == 3
    assert ask(DAY + timedelta(seconds=20), most=10) == []
    assert len(ask(DAY + timedelta(seconds=61), most=10, will_confirm=True)) == 3
    assert ask(DAY + timedelta(seconds=62), most=10, will_confirm=True) == []
    settings.COMMONBEAT = replace(settings.COMMONBEAT, send_rates=("smssync_sms=0.002",))
    Outbound.objects.filter(state=OutboundState.LEASED).update(state=OutboundState.QUEUED)
    assert ask(DAY + timedelta(seconds=400), most=10) == []
    assert len(ask(DAY + timedelta(seconds=502), most=10)) == 1
