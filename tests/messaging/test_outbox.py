"""At least once, under one key, replies first, and never too late."""

from __future__ import annotations

from datetime import timedelta

import pytest

from commonbeat.journal.models import Entry
from commonbeat.messaging.actions import (
    enqueue,
    expire_outbound,
    free_leases,
    lease_batch,
    note_receipt,
    record_failed,
    record_sent,
    stop_contact,
)
from commonbeat.messaging.channel import Receipt
from commonbeat.messaging.models import Contact, Outbound, OutboundState
from commonbeat.messaging.queries import text_of
from commonbeat.messaging.rules import Bucket, send_again_in
from tests.make import NOW, make_contact

pytestmark = pytest.mark.django_db


@pytest.fixture
def contact() -> Contact:
    return make_contact("+38344123456", channel="kannel_sms")


def queue(contact: Contact, key: str = "a", **more) -> Outbound:
    row = enqueue(contact=contact, text=more.pop("text", "Hello"), idempotency_key=key, now=NOW, **more)
    assert row is not None
    return row


def lease(now=NOW, limit: int = 10):
    return lease_batch(channel="kannel_sms", limit=limit, now=now)


def test_one_key_is_one_message(contact: Contact) -> None:
    first = queue(contact, about_id=7)
    assert queue(contact, text="another text").pk == first.pk
    assert Outbound.objects.count() == 1
    assert text_of(first) == "Hello"
    assert b"Hello" not in bytes(Outbound.objects.get().body_sealed)


def test_texts_are_made_cheap_and_measured(contact: Contact) -> None:
    row = queue(contact, text="It’s “here” …")
    assert (text_of(row), row.encoding, row.segments) == ('It\'s "here" ...', "GSM-7", 1)
    row = queue(contact, "b", text="رقم " * 30)
    assert (row.encoding, row.segments) == ("UCS-2", 2)


def test_the_channel_is_the_contacts_or_the_sites(contact: Contact, settings) -> None:
    assert queue(contact).channel == "kannel_sms"
    contact.channel = ""
    assert queue(contact, "b").channel == settings.COMMONBEAT.sms_channel


def test_replies_go_before_bulk(contact: Contact) -> None:
    bulk, reply = queue(contact, "bulk", priority=10), queue(contact, "reply")
    assert [one.id for one in lease(limit=1)] == [reply.pk]
    assert [one.id for one in lease()] == [bulk.pk]
    assert lease() == []


def test_a_leased_message_carries_what_the_channel_needs(contact: Contact) -> None:
    row = queue(contact)
    (one,) = lease()
    assert (one.id, one.contact_id, one.channel) == (row.pk, contact.pk, "kannel_sms")
    assert (one.message.recipient, one.message.text, one.message.idempotency_key) == ("+38344123456", "Hello", "a")


def test_what_a_dead_worker_leased_is_sent_again_under_the_same_key(contact: Contact) -> None:
    queue(contact)
    lease()
    assert lease(NOW + timedelta(seconds=59)) == []
    (again,) = lease(NOW + timedelta(seconds=61))
    assert again.message.idempotency_key == "a"


def test_an_only_worker_takes_leases_back_at_once(contact: Contact) -> None:
    queue(contact)
    lease()
    assert free_leases(now=NOW) == 1
    assert len(lease()) == 1


def test_failures_wait_longer_each_time(contact: Contact) -> None:
    row, now, waits = queue(contact), NOW, []
    for _ in range(6):
        lease(now)
        record_failed(outbound_id=row.pk, code="http 503", permanent=False, now=now)
        row.refresh_from_db()
        waits.append((row.due_at - now).total_seconds())
        assert lease(row.due_at - timedelta(seconds=1)) == []
        now = row.due_at
    assert waits == [5, 30, 120, 600, 3600, 3600]
    assert (row.state, row.error, row.attempts) == (OutboundState.QUEUED, "http 503", 6)


def test_a_permanent_failure_ends_it_and_is_journalled(contact: Contact) -> None:
    row = queue(contact)
    lease()
    record_failed(outbound_id=row.pk, code="http 400", permanent=True, now=NOW)
    row.refresh_from_db()
    assert row.state == OutboundState.FAILED
    assert lease(NOW + timedelta(hours=2)) == []
    assert Entry.objects.filter(kind="messaging.undelivered", subject_id=row.pk).count() == 1


def test_what_has_expired_is_not_sent(contact: Contact) -> None:
    late = queue(contact, expires_in=timedelta(minutes=1))
    other = queue(contact, "b", expires_in=timedelta(minutes=1))
    assert lease(NOW + timedelta(minutes=1), limit=1) == []
    assert expire_outbound(now=NOW + timedelta(minutes=1)) == 1
    for row in (late, other):
        row.refresh_from_db()
        assert row.state == OutboundState.EXPIRED


def test_a_receipt_may_come_before_the_gateways_answer(contact: Contact) -> None:
    row = queue(contact)
    lease()
    receipt = Receipt(provider_id="r", about="a", outcome="delivered")
    assert note_receipt(channel="kannel_sms", receipt=receipt, now=NOW)
    record_sent(outbound_id=row.pk, provider_id="p", now=NOW + timedelta(seconds=1))
    row.refresh_from_db()
    assert (row.state, row.provider_id) == (OutboundState.DELIVERED, "p")
    assert row.sent_at == NOW + timedelta(seconds=1)
    # Nor does a late report of failure undo it.
    assert note_receipt(channel="kannel_sms", receipt=Receipt(provider_id="s", about="p", outcome="failed"), now=NOW)
    row.refresh_from_db()
    assert row.state == OutboundState.DELIVERED


def test_receipts_are_found_by_the_providers_id_on_their_channel_only(contact: Contact) -> None:
    row = queue(contact)
    lease()
    record_sent(outbound_id=row.pk, provider_id="p" * 200, now=NOW)
    receipt = Receipt(provider_id="r", about="p" * 200, outcome="failed", error="dlr 2")
    assert not note_receipt(channel="smsgate_sms", receipt=receipt, now=NOW)
    assert note_receipt(channel="kannel_sms", receipt=receipt, now=NOW)
    row.refresh_from_db()
    assert (row.state, row.error) == (OutboundState.FAILED, "dlr 2")


@pytest.mark.parametrize("how", ["failed", "lost"])
def test_what_was_on_its_way_when_stop_came_is_not_tried_again(contact: Contact, how: str) -> None:
    row = queue(contact)
    lease()
    stopped = NOW + timedelta(seconds=5)
    stop_contact(contact=contact, now=stopped)
    told = enqueue(contact=contact, text="Bye", idempotency_key="bye", now=stopped, even_if_stopped=True)
    if how == "failed":
        record_failed(outbound_id=row.pk, code="http 503", permanent=False, now=stopped)
    assert [one.message.idempotency_key for one in lease(stopped + timedelta(minutes=5))] == ["bye"]
    row.refresh_from_db()
    assert told is not None
    assert (row.state, row.error) == (OutboundState.EXPIRED, "stopped")


def test_a_damaged_text_fails_alone(contact: Contact) -> None:
    bad, good = queue(contact), queue(contact, "b")
    Outbound.objects.filter(pk=bad.pk).update(body_sealed=b"\x01broken")
    assert [one.id for one in lease()] == [good.pk]
    bad.refresh_from_db()
    assert bad.state == OutboundState.FAILED


def test_leasing_takes_the_same_queries_for_many(contact: Contact, django_assert_max_num_queries) -> None:
    for number in range(30):
        queue(contact, f"k{number}")
    with django_assert_max_num_queries(6):
        assert len(lease(limit=30)) == 30


def test_the_pace_of_a_channel() -> None:
    bucket = Bucket(per_second=2.0)
    assert bucket.available(100.0) == 2
    bucket.take(2)
    assert bucket.available(100.2) == 0
    assert bucket.available(100.6) == 1
    assert bucket.available(500.0) == 2
    slow = Bucket(per_second=0.5)
    assert slow.available(0.0) == 1
    slow.take(1)
    assert slow.available(1.0) == 0
    assert slow.available(2.1) == 1


def test_waits_are_bounded() -> None:
    assert send_again_in(0) == send_again_in(1) == timedelta(seconds=5)
    assert send_again_in(1000) == timedelta(hours=1)
