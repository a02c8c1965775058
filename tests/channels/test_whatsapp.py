"""What only WhatsApp has: the challenge, many things in one call, and 24 hours."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from commonbeat.channels.whatsapp import WhatsApp
from commonbeat.messaging.actions import enqueue, lease_batch, receive, understand_batch
from commonbeat.messaging.channel import Failed, Inbound, Outbound, Receipt, Refused, Request, Sent
from commonbeat.messaging.queries import find_contact
from tests import make
from tests.channels.chat import SETTINGS, VERIFY_TOKEN, whatsapp

NOW = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
MESSAGE = Outbound(
    recipient="+38344123456",
    text="News of KX7M-4QXP-2R:\n  dealt with.    Thank you.",
    idempotency_key="in:7:0",
    language="sq",
    heard_at=NOW - timedelta(hours=1),
)
TAKEN = httpx.Response(200, json={"messages": [{"id": "wamid.HBg2"}]})
CLOSED = httpx.Response(400, json={"error": {"message": "(#131047) Re-engagement message", "code": 131047}})


def channel(settings, *answers: httpx.Response, **options: object) -> tuple[WhatsApp, list[httpx.Request]]:
    site = replace(settings.COMMONBEAT, **{**SETTINGS, **options})
    one, asked, left = WhatsApp(lambda: site, clock=NOW.timestamp), [], list(answers)

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return left.pop(0)

    one.__dict__["_client"] = httpx.Client(transport=httpx.MockTransport(handler))
    return one, asked


def heard(settings, *messages: dict[str, Any]) -> list[Inbound | Receipt]:
    return list(channel(settings)[0].parse(whatsapp(*messages)))


# ------------------------------------------------------------------ calls


def test_the_challenge_is_repeated_to_whoever_knows_the_token(settings) -> None:
    one, _asked = channel(settings)
    query = {"hub.mode": "subscribe", "hub.verify_token": VERIFY_TOKEN, "hub.challenge": "1158201444"}
    request = Request("GET", "", query, {}, b"")
    one.verify(request)
    assert one.parse(request) == []
    assert one.answer(request) == ("text/plain; charset=utf-8", b"1158201444")
    for wrong in ({"hub.verify_token": "x"}, {"hub.verify_token": "\udcff"}, {"hub.mode": "unsubscribe"}):
        with pytest.raises(Refused):
            one.verify(replace(request, query={**query, **wrong}))


def test_a_signature_over_another_body_is_refused(settings) -> None:
    one, _asked = channel(settings)
    request = whatsapp({"type": "text", "text": {"body": "fire"}})
    one.verify(request)
    for forged in (
        replace(request, body=request.body.replace(b"fire", b"wire")),
        replace(request, headers={"x-hub-signature-256": "sha256=" + "0" * 64}),
        replace(request, headers={"x-hub-signature-256": "\xff"}),
        replace(request, headers={"x-hub-signature": request.headers["x-hub-signature-256"]}),
    ):
        with pytest.raises(Refused):
            one.verify(forged)


@pytest.mark.parametrize(
    ("message", "text", "attachments"),
    [
        ({"type": "text", "text": {"body": "fire 😀 \x00"}}, "fire 😀 \x00", ()),
        ({"type": "location", "location": {"latitude": 42.377112, "longitude": 20.4, "name": "Bar"}},
         "42.377112, 20.400000", ()),
        ({"type": "button", "button": {"text": "STATUS", "payload": "p"}}, "STATUS", ()),
        ({"type": "interactive", "interactive": {"type": "button_reply", "button_reply": {"id": "1", "title": "Yes"}}},
         "Yes", ()),
        ({"type": "interactive", "interactive": {"type": "list_reply", "list_reply": {"id": "2", "title": "Dump"}}},
         "Dump", ()),
        ({"type": "image", "image": {"id": "5", "caption": "broken lamp"}}, "broken lamp", ("photo",)),
        ({"type": "image", "image": {"id": "5"}}, "", ("photo",)),
        ({"type": "audio", "audio": {"id": "5", "voice": True}}, "", ("voice",)),
    ],
)  # fmt: skip
def test_each_kind_of_message(settings, message: dict[str, Any], text: str, attachments: tuple[str, ...]) -> None:
    (one,) = heard(settings, message)
    assert isinstance(one, Inbound)
    assert (one.text, one.attachments, one.sender) == (text, attachments, "+38344123456")


@pytest.mark.parametrize(
    "message",
    [
        {"type": "reaction", "reaction": {"message_id": "x", "emoji": "👍"}},
        {"type": "sticker", "sticker": {"id": "1"}},
        {"type": "unsupported", "errors": [{"code": 131051}]},
        {"type": "system", "system": {"body": "User changed number"}},
        {"type": "text", "text": {"body": "x"}, "from": "not a number"},
    ],
)
def test_what_says_nothing_gives_nothing(settings, message: dict[str, Any]) -> None:
    assert heard(settings, message) == []


def test_many_messages_and_statuses_in_one_call(settings) -> None:
    one, _asked = channel(settings)
    statuses: list[dict[str, Any]] = [
        {"id": "wamid.1", "status": "sent"},
        {"id": "wamid.1", "status": "delivered", "biz_opaque_callback_data": "in:7:0"},
        {"id": "wamid.1", "status": "read"},
        {"id": "wamid.2", "status": "failed", "errors": [{"code": 131047, "title": "Re-engagement message"}]},
    ]
    messages = [{"type": "text", "id": f"wamid.m{n}", "text": {"body": "x"}} for n in range(3)]
    found = one.parse(whatsapp(*messages, statuses=statuses))
    assert len({each.provider_id for each in found}) == 6
    receipts = [each for each in found if isinstance(each, Receipt)]
    assert [(each.about, each.outcome, each.error) for each in receipts] == [
        ("in:7:0", "delivered", ""),
        ("wamid.1", "delivered", ""),
        ("wamid.2", "failed", "window_closed"),
    ]


def test_what_is_for_another_number_or_about_something_else_gives_nothing(settings) -> None:
    one, _asked = channel(settings, whatsapp_phone_id="5")
    assert one.parse(whatsapp({"type": "text", "text": {"body": "x"}})) == []
    other = {"entry": [{"id": "8", "changes": [{"field": "account_update", "value": {"event": 3, "messages": 5}}]}]}
    assert one.parse(whatsapp(raw=json.dumps(other).encode())) == []


@pytest.mark.parametrize("raw", [b"", b"[]", b"\xff\x00", b"nope", b'{"entry": 5}', b"[" * 50_000])
def test_what_is_no_call_is_refused_with_a_sentence(settings, raw: bytes) -> None:
    with pytest.raises(Refused) as refused:
        channel(settings)[0].parse(whatsapp(raw=raw))
    assert refused.value.status == 400


def test_half_an_emoji_does_not_cost_the_message(settings) -> None:
    raw = whatsapp({"type": "text", "text": {"body": "fire HALF"}}).body.replace(b"HALF", b"\\ud83d")
    (message,) = channel(settings)[0].parse(whatsapp(raw=raw))
    assert isinstance(message, Inbound)
    assert message.text.startswith("fire ")
    assert message.text.encode()


# ------------------------------------------------------------------ sending


def sent_body(request: httpx.Request) -> dict[str, Any]:
    assert request.headers["authorization"] == "Bearer token"
    assert "token" not in str(request.url)
    body: dict[str, Any] = json.loads(request.content)
    return body


def test_within_24_hours_it_is_text(settings) -> None:
    one, asked = channel(settings, TAKEN, whatsapp_templates=("sq=lajme",))
    assert one.send(MESSAGE) == Sent(provider_id="wamid.HBg2")
    body = sent_body(asked[0])
    assert (body["type"], body["to"], body["biz_opaque_callback_data"]) == ("text", "38344123456", "in:7:0")
    assert body["text"] == {"body": MESSAGE.text, "preview_url": False}


@pytest.mark.parametrize("heard_at", [None, NOW - timedelta(hours=24), NOW - timedelta(days=9)])
def test_later_it_is_a_template_of_the_persons_language(settings, heard_at: datetime | None) -> None:
    one, asked = channel(settings, TAKEN, whatsapp_templates=("en=news/en_US", "sq=lajme"))
    assert isinstance(one.send(replace(MESSAGE, heard_at=heard_at)), Sent)
    body = sent_body(asked[0])
    assert body["type"] == "template"
    assert body["template"]["name"] == "lajme"
    assert body["template"]["language"] == {"code": "sq"}
    (component,) = body["template"]["components"]
    assert component["parameters"] == [{"type": "text", "text": "News of KX7M-4QXP-2R: dealt with. Thank you."}]


def test_a_language_without_a_template_takes_the_sites_first(settings) -> None:
    one, asked = channel(settings, TAKEN, whatsapp_templates=("en=news/en_US",))
    one.send(replace(MESSAGE, heard_at=None))
    template = sent_body(asked[0])["template"]
    assert (template["name"], template["language"]) == ("news", {"code": "en_US"})


def test_without_a_template_nothing_is_sent_after_24_hours(settings) -> None:
    one, asked = channel(settings)
    assert one.send(replace(MESSAGE, heard_at=None)) == Failed("window_closed", permanent=True)
    assert asked == []


def test_where_the_service_counts_otherwise_the_template_goes_at_once(settings) -> None:
    one, asked = channel(settings, CLOSED, TAKEN, whatsapp_templates=("sq=lajme",))
    assert isinstance(one.send(MESSAGE), Sent)
    assert [sent_body(each)["type"] for each in asked] == ["text", "template"]
    one, _asked = channel(settings, CLOSED)
    assert one.send(MESSAGE) == Failed("window_closed", permanent=True)


@pytest.mark.parametrize(
    ("status", "number", "permanent"),
    [
        (401, 190, False),
        (400, 130429, False),
        (400, 131056, False),
        (429, 80007, False),
        (500, 131000, False),
        (400, 131026, True),
        (400, 132001, True),
        (400, 999999, True),
    ],
)
def test_refusals_are_told_apart_and_no_sentence_is_kept(settings, status: int, number: int, permanent: bool) -> None:
    answer = httpx.Response(status, json={"error": {"message": "about 38344123456", "code": number}})
    outcome = channel(settings, answer)[0].send(MESSAGE)
    assert isinstance(outcome, Failed)
    assert outcome.permanent is permanent
    assert "383" not in outcome.code


@pytest.mark.django_db
def test_the_outbox_tells_when_the_person_last_wrote_here() -> None:
    sender, later = "+38344123456", NOW + timedelta(hours=30)
    make.fallback()
    for number, at in enumerate((NOW - timedelta(days=3), NOW)):
        message = Inbound(provider_id=f"w{number}", sender=sender, text=f"seven lamps are out, {number}")
        receive(channel="whatsapp", message=message, now=at)
        understand_batch(lambda *_: (), at)
    contact = find_contact(kind="phone", address=sender)
    assert contact is not None
    enqueue(contact=contact, text="News", idempotency_key="k1", now=later)
    (leased,) = lease_batch(channel="whatsapp", limit=5, now=later)
    assert leased.message.heard_at == NOW
    # Whoever has only texted has not opened WhatsApp's 24 hours.
    enqueue(contact=make.make_contact(channel="whatsapp"), text="News", idempotency_key="k2", now=later)
    (leased,) = lease_batch(channel="whatsapp", limit=5, now=later)
    assert leased.message.heard_at is None


@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b'{"messages": 5}', b'{"messages": []}', b"\xff"])
def test_an_odd_answer_is_no_exception(settings, content: bytes) -> None:
    assert isinstance(channel(settings, httpx.Response(200, content=content))[0].send(MESSAGE), Sent)
    assert isinstance(channel(settings, httpx.Response(400, content=content))[0].send(MESSAGE), Failed)
