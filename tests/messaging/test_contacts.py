"""Addresses are encrypted, found by a keyed hash, and shown as a handle."""

from __future__ import annotations

from datetime import timedelta

import pytest

from commonbeat.journal.models import Entry
from commonbeat.messaging.actions import (
    AddressError,
    address_of,
    contact_for,
    enqueue,
    set_language,
    start_contact,
    stop_contact,
)
from commonbeat.messaging.handles import WORDS, new_handle
from commonbeat.messaging.models import Contact, ContactKind, Outbound, OutboundState
from commonbeat.messaging.queries import find_contact
from tests.make import NOW

pytestmark = pytest.mark.django_db


def phone(address: str = "+38344123456", **more) -> Contact:
    return contact_for(kind=ContactKind.PHONE, address=address, now=NOW, **more)


def test_one_number_in_any_spelling_is_one_contact() -> None:
    first = phone("044 123 456", channel="kannel_sms")
    assert phone("+383 44 123 456", channel="smsgate_sms").pk == first.pk
    assert phone("38344123456").pk == first.pk
    assert Contact.objects.get().channel == "smsgate_sms"


def test_nothing_of_the_number_is_stored_readably() -> None:
    contact = phone()
    row = Contact.objects.filter(pk=contact.pk).values().get()
    for value in row.values():
        assert b"44123456" not in (bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode())
    assert address_of(contact) == "+38344123456"
    assert find_contact(kind="phone", address="+38344123456") == contact
    assert find_contact(kind="phone", address="+38344123457") is None


@pytest.mark.parametrize("address", ["", "VODAFONE", "12", "+383", "x" * 500, "'; drop table"])
def test_what_is_no_number_is_refused_without_repeating_it(address: str) -> None:
    with pytest.raises(AddressError) as error:
        phone(address)
    assert not address or address not in str(error.value)
    assert Contact.objects.count() == 0


def test_mail_addresses() -> None:
    contact = contact_for(kind=ContactKind.EMAIL, address=" Someone@Example.org ", now=NOW)
    assert address_of(contact) == "someone@example.org"
    for address in ("a", "a@b", "@b.c", "a b@c.d"):
        with pytest.raises(AddressError):
            contact_for(kind=ContactKind.EMAIL, address=address, now=NOW)


def test_a_taken_handle_is_drawn_again(monkeypatch) -> None:
    drawn = iter(["Heron 4K7", "Heron 4K7", "Heron 4K7", "Oak 222"])
    monkeypatch.setattr("commonbeat.messaging.actions.contacts.new_handle", lambda: next(drawn))
    assert phone("+38344123456").handle == "Heron 4K7"
    assert phone("+38344123457").handle == "Oak 222"


def test_two_callers_who_meet_the_same_new_number_get_one_contact(monkeypatch) -> None:
    from commonbeat.messaging.actions import contacts

    def other_caller_is_faster() -> str:
        monkeypatch.undo()
        phone()
        return "Heron 4K7"

    monkeypatch.setattr(contacts, "new_handle", other_caller_is_faster)
    contact = phone()
    assert contact.handle != "Heron 4K7"
    assert Contact.objects.get() == contact


def test_handles_are_words_that_can_be_said() -> None:
    assert len(set(WORDS)) == len(WORDS) > 100
    word, rest = new_handle().split(" ")
    assert word in WORDS
    assert len(rest) == 3


def test_language_and_channel_are_kept_when_nothing_new_is_known() -> None:
    phone(channel="kannel_sms", language="sq")
    contact = phone()
    assert (contact.channel, contact.language) == ("kannel_sms", "sq")
    set_language(contact=contact, language="ar")
    assert Contact.objects.get().language == "ar"


def test_a_contact_is_never_seen_earlier_than_before() -> None:
    phone()
    contact = contact_for(kind="phone", address="+38344123456", now=NOW - timedelta(days=1))
    assert contact.last_seen_at == NOW


def test_stop_and_start() -> None:
    contact = phone()
    waiting = enqueue(contact=contact, text="x", idempotency_key="a", now=NOW)
    assert waiting is not None
    stop_contact(contact=contact, now=NOW)
    stop_contact(contact=contact, now=NOW)
    assert Outbound.objects.get(pk=waiting.pk).state == OutboundState.EXPIRED
    assert enqueue(contact=contact, text="x", idempotency_key="b", now=NOW) is None
    assert enqueue(contact=contact, text="x", idempotency_key="c", now=NOW, even_if_stopped=True) is not None
    start_contact(contact=contact, now=NOW)
    start_contact(contact=contact, now=NOW)
    assert enqueue(contact=contact, text="x", idempotency_key="d", now=NOW) is not None
    assert list(Entry.objects.order_by("id").values_list("kind", flat=True)) == [
        "messaging.stopped",
        "messaging.started",
    ]
