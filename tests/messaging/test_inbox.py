"""Stored once, understood in order, tried again, and given up in the open."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonbeat.journal.models import Entry
from commonbeat.messaging import channel as contract
from commonbeat.messaging.actions import enqueue, lease_batch, purge_raw, receive, stop_contact, understand_batch
from commonbeat.messaging.models import Contact, Inbound, InboundState, Outbound, OutboundState
from commonbeat.messaging.queries import conversation, text_of
from commonbeat.messaging.sealing import open_inbound, seal_inbound, stored_provider_id
from tests.make import NOW, make_contact

pytestmark = pytest.mark.django_db
SECRET = b"a secret of sufficient length"


def message(text: str = "fire", *, number: int = 1, sender: str = "+38344123456") -> contract.Inbound:
    return contract.Inbound(provider_id=f"m{number}", sender=sender, text=text, sent_at=None)


def take(what: contract.Inbound | contract.Receipt, channel: str = "kannel_sms") -> bool:
    return receive(channel=channel, message=what, now=NOW)


def echo(contact: Contact, inbound: contract.Inbound, now: datetime) -> list[str]:
    return [f"You wrote: {inbound.text}"]


def test_fifty_times_the_same_is_one_row_and_one_entry() -> None:
    assert [take(message()) for _ in range(50)] == [True] + [False] * 49
    assert Inbound.objects.count() == 1
    assert Entry.objects.filter(kind="messaging.received").count() == 1


def test_a_message_is_answered_once() -> None:
    take(message())
    assert understand_batch(echo, NOW) == 1
    assert understand_batch(echo, NOW) == 0
    row, reply = Inbound.objects.get(), Outbound.objects.get()
    assert row.state == InboundState.UNDERSTOOD
    assert row.contact == reply.contact == Contact.objects.get()
    assert (reply.idempotency_key, reply.channel, text_of(reply)) == (f"in:{row.pk}:0", "kannel_sms", "You wrote: fire")
    # The raw copy stays until its retention has passed.
    assert row.body_sealed


def test_nothing_of_a_failed_attempt_is_left_behind() -> None:
    take(message())

    def half(contact: Contact, inbound: contract.Inbound, now: datetime) -> list[str]:
        enqueue(contact=contact, text="half", idempotency_key="half", now=now)
        raise ValueError(inbound.text)

    understand_batch(half, NOW)
    assert Outbound.objects.count() == 0
    row = Inbound.objects.get()
    assert (row.state, row.attempts) == (InboundState.NEW, 1)


def test_after_five_attempts_it_is_given_up_in_the_journal(caplog) -> None:
    take(message("my number is 044999888"))
    caplog.set_level(logging.DEBUG)

    def broken(contact: Contact, inbound: contract.Inbound, now: datetime) -> list[str]:
        raise ValueError(inbound.text)

    now = NOW
    for attempt in range(1, 6):
        assert understand_batch(broken, now) == 1
        assert Inbound.objects.get().attempts == attempt
        assert understand_batch(broken, now) == 0
        now += timedelta(minutes=6)
    assert Inbound.objects.get().state == InboundState.FAILED
    entry = Entry.objects.get(kind="messaging.failed")
    assert (entry.subject_id, entry.data) == (Inbound.objects.get().pk, {"error": "ValueError"})
    assert "044999888" not in caplog.text
    assert "ValueError" in caplog.text


def test_what_the_same_person_sent_later_waits_for_it_and_others_do_not() -> None:
    heard: list[str] = []
    failing = [True]

    def dialogue(contact: Contact, inbound: contract.Inbound, now: datetime) -> list[str]:
        if inbound.text == "first" and failing[0]:
            raise RuntimeError
        heard.append(inbound.text)
        return []

    take(message("first", number=1))
    take(message("second", number=2))
    take(message("other", number=3, sender="+38344999888"))
    understand_batch(dialogue, NOW)
    assert heard == ["other"]
    failing[0] = False
    take(message("third", number=4))
    understand_batch(dialogue, NOW + timedelta(milliseconds=10))
    assert heard == ["other"]
    understand_batch(dialogue, NOW + timedelta(seconds=2))
    assert heard == ["other", "first", "second", "third"]


@pytest.mark.parametrize("sender", ["VODAFONE", "12", ""])
def test_a_sender_that_cannot_be_answered_fails_at_once(sender: str) -> None:
    take(message(sender=sender))
    understand_batch(echo, NOW)
    assert Inbound.objects.get().state == InboundState.FAILED
    assert Entry.objects.get(kind="messaging.failed").data == {"error": "AddressError"}


def test_a_damaged_row_fails_and_the_next_is_understood() -> None:
    take(message(number=1))
    take(message(number=2))
    Inbound.objects.filter(provider_id="m1").update(body_sealed=b"\x01nonsense")
    understand_batch(echo, NOW)
    assert set(Inbound.objects.values_list("provider_id", "state")) == {("m1", "failed"), ("m2", "understood")}


def test_a_channel_that_was_removed_fails_in_the_open() -> None:
    take(message(), channel="telex")
    understand_batch(echo, NOW)
    assert Inbound.objects.get().state == InboundState.FAILED


def test_stop_is_confirmed_once_and_then_there_is_silence() -> None:
    def dialogue(contact: Contact, inbound: contract.Inbound, now: datetime) -> list[str]:
        if inbound.text == "STOP":
            stop_contact(contact=contact, now=now)
        return ["You will hear no more."]

    for number, text in enumerate(["STOP", "hello", "STOP"]):
        take(message(text, number=number))
    understand_batch(dialogue, NOW)
    assert Outbound.objects.filter(state=OutboundState.QUEUED).count() == 1


def test_two_machines_that_answer_each_other_come_to_an_end() -> None:
    for number in range(60):
        take(message(number=number))
    understand_batch(echo, NOW, limit=100)
    assert Outbound.objects.count() == 40
    assert not Inbound.objects.exclude(state=InboundState.UNDERSTOOD).exists()


def test_a_receipt_marks_its_message() -> None:
    contact = make_contact(channel="kannel_sms")
    row = enqueue(contact=contact, text="x", idempotency_key="k", now=NOW)
    assert row is not None
    lease_batch(channel="kannel_sms", limit=1, now=NOW)
    take(contract.Receipt(provider_id="r1", about="k", outcome="delivered"))
    understand_batch(echo, NOW)
    row.refresh_from_db()
    assert (row.state, row.delivered_at) == (OutboundState.DELIVERED, NOW)
    assert Inbound.objects.get().state == InboundState.UNDERSTOOD


def test_a_receipt_that_overtook_its_message_is_looked_at_again() -> None:
    take(contract.Receipt(provider_id="r1", about="k", outcome="delivered"))
    understand_batch(echo, NOW)
    assert Inbound.objects.get().state == InboundState.NEW
    row = enqueue(contact=make_contact(channel="kannel_sms"), text="x", idempotency_key="k", now=NOW)
    assert row is not None
    understand_batch(echo, NOW + timedelta(seconds=2))
    row.refresh_from_db()
    assert row.state == OutboundState.DELIVERED
    assert Inbound.objects.get().state == InboundState.UNDERSTOOD


def test_raw_copies_are_emptied_after_their_retention(settings) -> None:
    take(message())
    understand_batch(echo, NOW)
    take(message(number=2))
    Outbound.objects.update(state=OutboundState.SENT)
    assert purge_raw(now=NOW + timedelta(days=29)) == 0
    assert purge_raw(now=NOW + timedelta(days=31)) == 2
    assert purge_raw(now=NOW + timedelta(days=31)) == 0
    # What was not understood yet keeps its text.
    assert [bool(b) for b in Inbound.objects.order_by("id").values_list("body_sealed", flat=True)] == [False, True]
    assert text_of(Outbound.objects.get()) == ""


def test_the_telephone_of_the_demo_sees_both_sides() -> None:
    take(message())
    understand_batch(echo, NOW)
    said = conversation(Contact.objects.get())
    assert [(one.text, one.from_us) for one in said] == [("fire", False), ("You wrote: fire", True)]


def test_understanding_takes_the_same_queries_per_message(django_assert_max_num_queries) -> None:
    for number in range(10):
        take(message(number=number, sender=f"+3834412345{number}"))
    with django_assert_max_num_queries(10 * 16 + 2):
        understand_batch(echo, NOW)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])), st.text(max_size=300))
def test_whatever_is_written_comes_back_and_every_id_can_be_stored(text: str, provider_id: str) -> None:
    sent = contract.Inbound(provider_id=provider_id, sender="+38344123456", text=text)
    sealed = seal_inbound(SECRET, sent)
    assert open_inbound(SECRET, sealed) == sent
    stored = stored_provider_id(SECRET, provider_id)
    assert 0 < len(stored) <= 120
    assert stored.isascii()
    assert "\x00" not in stored
