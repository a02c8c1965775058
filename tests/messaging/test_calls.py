"""Heard and answered in one call: once, together, or kept for later."""

from __future__ import annotations

import pytest

from commonbeat.journal.models import Entry
from commonbeat.messaging import events
from commonbeat.messaging.actions import AddressError
from commonbeat.messaging.actions.calls import Answer, hear_in_call, last_heard
from commonbeat.messaging.channel import Inbound as Message
from commonbeat.messaging.models import Contact, Inbound, InboundState, Outbound
from tests import make

pytestmark = pytest.mark.django_db

CHANNEL = "africastalking_ussd"
SENDER = "+38344123456"


def hear(number: int = 1, *, text: str = "fire", sender: str = SENDER, respond=None) -> Answer | None:
    message = Message(provider_id=f"call-{number}", sender=sender, text=text)
    return hear_in_call(
        channel=CHANNEL,
        message=message,
        respond=respond or (lambda _: Answer("Thank you.", goes_on=True)),
        now=make.NOW,
    )


def test_a_repeat_gives_the_same_answer_and_asks_nobody() -> None:
    asked: list[Contact] = []

    def respond(contact: Contact) -> Answer:
        asked.append(contact)
        return Answer(f"Answer {len(asked)}", goes_on=False)

    assert [hear(respond=respond) for _ in range(3)] == [Answer("Answer 1", goes_on=False)] * 3
    assert len(asked) == 1
    assert (Inbound.objects.count(), Outbound.objects.count()) == (1, 1)
    assert Entry.objects.filter(kind=events.RECEIVED).count() == 1


def test_what_fails_leaves_the_message_and_nothing_else() -> None:
    def respond(contact: Contact) -> Answer:
        Contact.objects.update(language="sq")
        raise RuntimeError

    assert hear(respond=respond) is None
    assert hear(respond=respond) is None
    assert Inbound.objects.get().state == InboundState.NEW
    assert Contact.objects.get().language == ""
    assert Entry.objects.filter(kind=events.RECEIVED).count() == 1
    assert last_heard(channel=CHANNEL, provider_ids=["call-1"]) == ("call-1", None)


def test_the_last_of_what_was_heard_is_found() -> None:
    assert last_heard(channel=CHANNEL, provider_ids=["call-1", "call-2"]) is None
    hear(2, respond=lambda _: Answer("two", goes_on=False))
    hear(1, respond=lambda _: Answer("one", goes_on=True))
    ids = ["call-1", "call-2", "call-3"]
    assert last_heard(channel=CHANNEL, provider_ids=ids) == ("call-2", Answer("two", goes_on=False))
    assert last_heard(channel="demo_sms", provider_ids=ids) is None


def test_a_caller_without_a_number_leaves_nothing() -> None:
    with pytest.raises(AddressError):
        hear(sender="private")
    assert not Inbound.objects.exists()


def test_the_channel_that_answers_go_to_is_left_as_it_is() -> None:
    make.make_contact(SENDER, channel="whatsapp")
    hear()
    assert Contact.objects.get().channel == "whatsapp"
