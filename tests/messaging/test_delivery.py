"""What became of a message: parts, receipts in any order, what it cost, opting out, sending again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from commonbeat.journal.models import Entry
from commonbeat.messaging.actions import (
    NotRetried,
    enqueue,
    lease_batch,
    note_receipt,
    record_failed,
    record_outcomes,
    record_sent,
    retry_outbound,
    stop_contact,
)
from commonbeat.messaging.actions.outbox import Wanted, lease
from commonbeat.messaging.channel import OPTED_OUT, Price, Receipt, Sent, price_of
from commonbeat.messaging.models import Contact, Outbound, OutboundState, Part, Spending
from commonbeat.messaging.policy import allowance, is_night, spent_micros
from commonbeat.messaging.rules import is_known_not_taken, is_quiet
from tests.make import NOW, make_contact

pytestmark = pytest.mark.django_db
LONG = "Water is not safe to drink today. " * 8


@pytest.fixture(autouse=True)
def _prices(settings) -> None:
    settings.COMMONBEAT = replace(settings.COMMONBEAT, send_prices=("kannel_sms=0.05",), quiet_hours="")


@pytest.fixture
def contact() -> Contact:
    return make_contact("+38344123456", channel="kannel_sms")


def queue(contact: Contact, key: str = "a", **more) -> Outbound:
    row = enqueue(contact=contact, text=more.pop("text", "Hello"), idempotency_key=key, now=NOW, **more)
    assert row is not None
    return row


def leased(now=NOW):
    return lease_batch(channel="kannel_sms", limit=10, now=now)


def receipt(about: str, outcome: str = "delivered", **more) -> Receipt:
    return Receipt(provider_id=f"r:{about}:{outcome}", about=about, outcome=outcome, **more)


def test_what_was_sent_is_booked_by_the_setting(contact: Contact) -> None:
    row = queue(contact, text=LONG)
    leased()
    record_sent(outbound_id=row.pk, provider_id="p", now=NOW)
    record_sent(outbound_id=row.pk, provider_id="p", now=NOW)
    row.refresh_from_db()
    assert (row.segments, row.cost_micros, row.currency) == (2, 100_000, "EUR")
    booked = Spending.objects.get()
    assert (booked.messages, booked.parts, booked.cost_micros, booked.channel) == (1, 2, 100_000, "kannel_sms")


@pytest.mark.parametrize(
    ("price", "cost"), [(Price(70_000, "EUR"), 70_000), (Price(70_000, "USD"), 50_000), (None, 50_000)]
)
def test_the_providers_own_figure_counts_in_the_sites_currency(contact: Contact, price, cost: int) -> None:
    row = queue(contact)
    leased()
    record_outcomes([(row.pk, Sent("p", price=price))], now=NOW)
    assert Outbound.objects.get().cost_micros == Spending.objects.get().cost_micros == cost


def test_a_receipt_may_write_the_number_in_another_way(contact: Contact) -> None:
    one, parted = queue(contact), queue(contact, "b", text=LONG)
    leased()
    record_outcomes([(one.pk, Sent("3F2A")), (parted.pk, Sent("3F2B", part_ids=("3F2B", "3F2C")))], now=NOW)
    for decimal, hexadecimal in (("16170", "3F2A"), ("16171", "3F2B"), ("16172", "3F2C")):
        assert not note_receipt(channel="kannel_sms", receipt=receipt(decimal), now=NOW)
        told = receipt(decimal, spellings=("3f2x", hexadecimal))
        assert not note_receipt(channel="smsgate_sms", receipt=told, now=NOW)
        assert note_receipt(channel="kannel_sms", receipt=told, now=NOW)
    assert set(Outbound.objects.values_list("state", flat=True)) == {OutboundState.DELIVERED}


def test_what_a_receipt_alone_says_was_sent_is_booked_once(contact: Contact) -> None:
    lost, slow = queue(contact), queue(contact, "b")
    leased()
    record_failed(outbound_id=lost.pk, code="ReadTimeout", permanent=False, now=NOW)
    for _ in range(2):
        assert note_receipt(channel="kannel_sms", receipt=receipt("a"), now=NOW)
        assert note_receipt(channel="kannel_sms", receipt=receipt("b"), now=NOW)
    assert (Spending.objects.get().messages, Spending.objects.get().cost_micros) == (2, 100_000)
    # The gateway's answer, late: its number counts, and a price that it tells, but no second message.
    record_outcomes([(slow.pk, Sent("p", price=price_of("0.07", "EUR")))], now=NOW)
    record_outcomes([(slow.pk, Sent("p", price=price_of("0.09", "EUR")))], now=NOW)
    slow.refresh_from_db()
    assert (slow.state, slow.provider_id, slow.cost_micros) == (OutboundState.DELIVERED, "p", 70_000)
    assert (Spending.objects.get().messages, Spending.objects.get().cost_micros) == (2, 120_000)


def test_a_price_that_comes_with_the_receipt_corrects_the_book(contact: Contact) -> None:
    row = queue(contact)
    leased()
    record_sent(outbound_id=row.pk, provider_id="p", now=NOW)
    for _ in range(2):
        assert note_receipt(channel="kannel_sms", receipt=receipt("a", price=Price(20_000, "EUR")), now=NOW)
    assert spent_micros(NOW) == (20_000, 20_000)
    assert Spending.objects.get().messages == 1


def test_without_a_price_nothing_is_claimed(contact: Contact, settings) -> None:
    settings.COMMONBEAT = replace(settings.COMMONBEAT, send_prices=())
    row = queue(contact)
    leased()
    record_sent(outbound_id=row.pk, provider_id="p", now=NOW)
    row.refresh_from_db()
    assert (row.cost_micros, row.currency) == (None, "")


@pytest.mark.parametrize(
    ("amount", "currency", "micros"),
    [("-0.00750", "usd", 7500), ("0.8", "KES", 800_000), ("x", "EUR", None), ("NaN", "EUR", None), ("1", "", None)],
)
def test_prices_are_read_as_providers_write_them(amount: str, currency: str, micros: int | None) -> None:
    price = price_of(amount, currency)
    assert (price.micros if price else None) == micros


def test_a_message_is_delivered_when_each_part_is(contact: Contact) -> None:
    row = queue(contact, text=LONG)
    leased()
    record_outcomes([(row.pk, Sent("p1", part_ids=("p1", "p2")))], now=NOW)
    assert note_receipt(channel="kannel_sms", receipt=receipt("p2"), now=NOW)
    row.refresh_from_db()
    assert row.state == OutboundState.SENT
    assert note_receipt(channel="kannel_sms", receipt=receipt("p1"), now=NOW)
    assert note_receipt(channel="kannel_sms", receipt=receipt("p1", "failed"), now=NOW)
    row.refresh_from_db()
    assert row.state == OutboundState.DELIVERED
    assert list(Part.objects.order_by("number").values_list("number", "state")) == [(1, "delivered"), (2, "delivered")]


def test_numbered_parts_need_no_ids_and_one_that_fails_fails_the_message(contact: Contact) -> None:
    row = queue(contact, text=LONG)
    leased()
    record_sent(outbound_id=row.pk, provider_id="p", now=NOW)
    assert note_receipt(channel="kannel_sms", receipt=receipt("a", part=1), now=NOW)
    assert note_receipt(channel="kannel_sms", receipt=receipt("a", "failed", part=2, error="absent"), now=NOW)
    row.refresh_from_db()
    assert (row.state, row.error) == (OutboundState.FAILED, "absent")
    # The telephone was on again after all.
    assert note_receipt(channel="kannel_sms", receipt=receipt("a", part=2), now=NOW)
    row.refresh_from_db()
    assert row.state == OutboundState.DELIVERED


@pytest.mark.parametrize("by", ["answer", "receipt"])
def test_a_provider_that_was_told_to_stop_is_believed(contact: Contact, by: str) -> None:
    row, other = queue(contact), queue(contact, "b")
    lease_batch(channel="kannel_sms", limit=1, now=NOW)
    if by == "answer":
        record_failed(outbound_id=row.pk, code=OPTED_OUT, permanent=False, now=NOW)
    else:
        record_sent(outbound_id=row.pk, provider_id="p", now=NOW)
        note_receipt(channel="kannel_sms", receipt=receipt("a", "failed", error=OPTED_OUT), now=NOW)
    contact.refresh_from_db()
    assert contact.stopped_at == NOW
    assert list(Outbound.objects.order_by("id").values_list("state", "error")) == [
        ("failed", OPTED_OUT),
        ("expired", "stopped"),
    ]
    assert other.pk and Entry.objects.filter(kind="messaging.stopped").count() == 1


def test_a_failed_message_goes_again_under_a_new_key(contact: Contact) -> None:
    row = queue(contact)
    leased()
    record_sent(outbound_id=row.pk, provider_id="p", now=NOW)
    note_receipt(channel="kannel_sms", receipt=receipt("a", "failed"), now=NOW)
    retry_outbound(outbound_id=row.pk, actor_id=7, now=NOW)
    (one,) = leased()
    assert one.message.idempotency_key == "a~1"
    # What is said of the first attempt now does not undo the second, unless it is good news.
    assert not note_receipt(channel="kannel_sms", receipt=receipt("a", "failed"), now=NOW)
    record_sent(outbound_id=row.pk, provider_id="q", now=NOW)
    row.refresh_from_db()
    assert row.state == OutboundState.SENT
    assert note_receipt(channel="kannel_sms", receipt=receipt("a~1"), now=NOW)
    row.refresh_from_db()
    assert (row.state, Spending.objects.get().messages) == (OutboundState.DELIVERED, 2)
    entry = Entry.objects.get(kind="messaging.retried")
    assert (entry.subject_id, entry.actor_id) == (row.pk, 7)
    # The key by which the house knows it stays, so that no reaction queues it a second time.
    assert queue(contact).pk == row.pk


def test_what_came_too_late_keeps_its_key_for_the_gateway_may_have_it(contact: Contact) -> None:
    row = queue(contact, expires_in=timedelta(minutes=1))
    later = NOW + timedelta(hours=1)
    assert leased(later) == []
    retry_outbound(outbound_id=row.pk, actor_id=7, now=later)
    (one,) = leased(later)
    assert one.message.idempotency_key == "a"


def test_what_must_not_go_again_does_not(contact: Contact) -> None:
    row = queue(contact)
    with pytest.raises(NotRetried):
        retry_outbound(outbound_id=row.pk, actor_id=7, now=NOW)
    leased()
    record_failed(outbound_id=row.pk, code="http 400", permanent=True, now=NOW)
    stop_contact(contact=contact, now=NOW)
    with pytest.raises(NotRetried, match="no more messages"):
        retry_outbound(outbound_id=row.pk, actor_id=7, now=NOW)
    contact.stopped_at = None
    contact.save()
    Outbound.objects.update(body_sealed=b"")
    with pytest.raises(NotRetried, match="no longer kept"):
        retry_outbound(outbound_id=row.pk, actor_id=7, now=NOW)


def test_the_money_stops_bulk_then_replies_and_vital_ones_last(contact: Contact, settings) -> None:
    settings.COMMONBEAT = replace(settings.COMMONBEAT, daily_limit=1.0)
    queue(contact, "bulk", priority=10)
    queue(contact, "reply")
    queue(contact, "vital", is_vital=True)

    def goes_at(spent: int) -> set[str]:
        Spending.objects.all().delete()
        Spending.objects.create(day=NOW.date(), channel="kannel_sms", currency="EUR", cost_micros=spent)
        batch = lease(Wanted("kannel_sms", allowance=allowance(NOW)), limit=10, now=NOW)
        Outbound.objects.update(state=OutboundState.QUEUED, leased_until=None)
        return {one.message.idempotency_key for one in batch}

    assert goes_at(600_000) == {"bulk", "reply", "vital"}
    # 80 % is 800,000: nothing may go beyond it, not even the message that would reach it.
    assert goes_at(760_000) == {"reply", "vital"}
    assert goes_at(1_000_000) == {"vital"}
    assert goes_at(2_000_000) == set()


def test_the_months_limit_counts_the_whole_month(settings) -> None:
    settings.COMMONBEAT = replace(settings.COMMONBEAT, monthly_limit=10.0)
    first = NOW.date().replace(day=1)
    Spending.objects.create(day=first, channel="a", currency="EUR", cost_micros=9_000_000)
    Spending.objects.create(day=first - timedelta(days=1), channel="a", currency="EUR", cost_micros=9_000_000)
    assert allowance(NOW).replies == 1_000_000
    assert allowance(NOW).after(400_000).replies == 600_000


def test_a_batch_does_not_overshoot(contact: Contact, settings) -> None:
    settings.COMMONBEAT = replace(settings.COMMONBEAT, daily_limit=0.22)
    for number in range(10):
        queue(contact, f"k{number}")
    assert len(lease(Wanted("kannel_sms", allowance=allowance(NOW)), limit=10, now=NOW)) == 4


def test_quiet_hours_may_pass_midnight(settings) -> None:
    from datetime import UTC, datetime, time

    assert [is_quiet("21:00-08:00", time(hour)) for hour in (20, 21, 0, 7, 8)] == [False, True, True, True, False]
    assert [is_quiet("01:00-05:00", time(hour)) for hour in (0, 1, 5)] == [False, True, False]
    assert not is_quiet("", time(3))
    settings.COMMONBEAT = replace(settings.COMMONBEAT, quiet_hours="21:00-08:00", time_zone="Europe/Belgrade")
    # 20:30 UTC is 21:30 there in winter.
    assert is_night(datetime(2026, 1, 10, 20, 30, tzinfo=UTC))
    assert not is_night(datetime(2026, 1, 10, 19, 30, tzinfo=UTC))


def test_only_a_clear_answer_says_that_a_message_was_not_taken() -> None:
    assert all(map(is_known_not_taken, ["ConnectError", "http 503", "http 429", "authorization", "not configured"]))
    assert not any(map(is_known_not_taken, ["ReadTimeout", "ReadError", "http 500", "http 502", "ValueError"]))


def test_a_texts_typography_is_made_cheap_for_sms_only(contact: Contact) -> None:
    chat = make_contact("+38344999888", channel="kannel_sms")
    chat.channel = "email"
    row = queue(chat, text="It’s “here” " + "…" * 200)
    assert (row.segments, row.encoding) == (1, "UTF-8")
    assert queue(contact, "b", text="It’s “here”").encoding == "GSM-7"
