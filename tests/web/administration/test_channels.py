"""The page of channels: what is set up, where providers call, and a test message. Never a secret, never a number."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from commonbeat.foundation import clock
from commonbeat.journal.models import Entry
from commonbeat.messaging import channel as contract
from commonbeat.messaging.actions import enqueue, receive, stop_contact
from commonbeat.messaging.channel import channels, setup_of
from commonbeat.messaging.models import Contact, Inbound, Outbound, OutboundState
from commonbeat.messaging.queries import text_of
from tests.channels import gateways
from tests.make import make_contact

ADDRESS = "+38344123456"


@pytest.fixture(autouse=True)
def _gateways(settings) -> None:
    settings.COMMONBEAT = replace(settings.COMMONBEAT, **gateways.SETTINGS, sms_channel="kannel_sms")


@pytest.fixture
def admin(administrator_client: Client) -> Client:
    return administrator_client


def page(admin: Client) -> str:
    answer = admin.get(reverse("administration:channels"))
    assert answer.status_code == 200
    return answer.content.decode()


def send(admin: Client, **fields: str):
    given = {"channel": "twilio_sms", "number": ADDRESS, "once": "a", **fields}
    return admin.post(reverse("administration:channels"), given)


def test_it_tells_what_is_set_up_and_where_providers_call_but_no_secret(admin: Client) -> None:
    shown = page(admin)
    assert "https://example.org/hooks/twilio_sms" in shown
    assert "https://example.org/hooks/africastalking_sms/…/reports" in shown
    assert "COMMONBEAT_AFRICASTALKING_SMS_SECRET" in shown
    # What is not set up names what it needs.
    assert "COMMONBEAT_KANNEL_HOOK_SECRET" in shown and "/hooks/kannel_sms" not in shown
    for secret in (gateways.TOKEN, gateways.SIGNING, gateways.SECRET, gateways.KEY):
        assert secret not in shown


def test_it_tells_what_came_and_went_and_failed_but_of_nobody(admin: Client) -> None:
    receive(channel="vonage_sms", message=contract.Inbound("m1", ADDRESS, "a lamp"), now=clock.now())
    Inbound.objects.update(state="failed")
    enqueue(contact=make_contact(ADDRESS, channel="twilio_sms"), text="t", idempotency_key="k", now=clock.now())
    Outbound.objects.update(state=OutboundState.FAILED, error="twilio 30003", sent_at=clock.now())
    shown = page(admin)
    assert '1 × <code dir="ltr">twilio 30003</code>' in shown
    assert "1 × not understood" in shown
    assert "44123456" not in shown and "lamp" not in shown and Contact.objects.get().handle not in shown


def test_a_test_message_goes_once_by_the_chosen_channel_and_is_journalled_without_the_number(admin: Client) -> None:
    make_contact(ADDRESS, channel="vonage_sms")
    assert send(admin).status_code == 302
    assert send(admin).status_code == 302
    row = Outbound.objects.get()
    assert (row.channel, row.state) == ("twilio_sms", OutboundState.QUEUED)
    assert "test message" in text_of(row)
    # Where answers go is not changed by it.
    assert row.contact.channel == "vonage_sms"
    entry = Entry.objects.get(kind="messaging.tried")
    assert (entry.subject_id, entry.data) == (row.pk, {"channel": "twilio_sms"})
    assert "44123456" not in str(list(Entry.objects.values()))
    assert send(admin, once="b").status_code == 302
    assert Outbound.objects.count() == 2


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"number": "12"}, "not a telephone number"),
        ({"number": "\x00" * 9}, "not a telephone number"),
        ({"number": ""}, "not a telephone number"),
        ({"channel": "kannel_sms"}, "Choose a channel"),
        ({"channel": "nobody"}, "Choose a channel"),
    ],
)
def test_what_cannot_be_sent_is_said(admin: Client, fields: dict[str, str], words: str) -> None:
    answer = send(admin, **fields)
    assert answer.status_code == 422 and words in answer.content.decode()
    assert not Outbound.objects.exists()


def test_stop_holds_here_too(admin: Client) -> None:
    stop_contact(contact=make_contact(ADDRESS), now=clock.now())
    answer = send(admin)
    assert answer.status_code == 422 and "STOP" in answer.content.decode()
    assert not Outbound.objects.exists()


def test_ten_an_hour_are_enough(admin: Client) -> None:
    for number in range(10):
        assert send(admin, once=str(number)).status_code == 302
    assert send(admin, once="x").status_code == 422
    assert Outbound.objects.count() == 10


def test_its_queries_do_not_grow_with_the_messages(admin: Client) -> None:
    page(admin)
    with CaptureQueriesContext(connection) as few:
        page(admin)
    for number in range(20):
        receive(channel="vonage_sms", message=contract.Inbound(f"m{number}", ADDRESS, "x"), now=clock.now())
        contact = make_contact(f"+383441234{number:02}", channel="twilio_sms")
        enqueue(contact=contact, text="t", idempotency_key=str(number), now=clock.now())
    Outbound.objects.update(state=OutboundState.FAILED, error="x")
    with CaptureQueriesContext(connection) as many:
        page(admin)
    assert len(many) == len(few)


def test_every_setting_that_a_channel_names_exists(settings) -> None:
    for channel in channels().values():
        setup = setup_of(channel)
        for name in (*setup.to_receive, *setup.to_send):
            assert hasattr(settings.COMMONBEAT, name), (channel.code, name)
