"""What only Telegram has: commands, places, photos, groups, people who have blocked us, and its own pace."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import httpx
import pytest

from commonbeat.channels.telegram import Telegram
from commonbeat.messaging.actions import receive, understand_batch
from commonbeat.messaging.channel import OPTED_OUT, Failed, Inbound, Outbound, Refused, Sent
from commonbeat.messaging.models import Contact
from commonbeat.messaging.models import Outbound as OutboundRow
from commonbeat.messaging.queries import text_of
from commonbeat.reactions.inbound import handle
from commonbeat.reports.models import PlaceSource, Report
from commonbeat.topics.ready_made import install_ready_made
from tests import make
from tests.channels.chat import SETTINGS, telegram

MESSAGE = Outbound(recipient="telegram:1111111", text="Your reference is KX7M-4QXP-2R.", idempotency_key="in:7:0")


class Service:
    """Stand where the Bot API is."""

    def __init__(self, *answers: httpx.Response) -> None:
        self.answers = list(answers)
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return self.answers.pop(0)


def bot(settings, service: Service | None = None, clock=lambda: 0.0, **options: object) -> Telegram:
    site = replace(settings.COMMONBEAT, **{**SETTINGS, **options})
    channel = Telegram(lambda: site, clock=clock)
    if service is not None:
        channel.__dict__["_client"] = httpx.Client(transport=httpx.MockTransport(service))
    return channel


def heard(settings, **message: Any) -> list[Inbound]:
    return [each for each in bot(settings).parse(telegram(**message)) if isinstance(each, Inbound)]


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        ("/start", "START"),
        ("/start beat-12", "START"),
        ("/status KX7M-4QXP-2R", "STATUS KX7M-4QXP-2R"),
        ("/stop@riverside_bot", "STOP"),
        ("/menu", "MENU"),
        ("/ 5 sacks", "/ 5 sacks"),
        ("fire 😀 \x00 here", "fire 😀 \x00 here"),
        ("1/2 of the road", "1/2 of the road"),
    ],
)
def test_commands_of_the_app_are_words_of_the_dialogue(settings, sent: str, text: str) -> None:
    (message,) = heard(settings, text=sent)
    assert message.text == text


def test_a_shared_place_is_its_coordinates(settings) -> None:
    (message,) = heard(settings, location={"latitude": 42.377112, "longitude": 20.441234, "horizontal_accuracy": 12})
    assert message.text == "42.377112, 20.441234"
    (small,) = heard(settings, location={"latitude": 1e-05, "longitude": -0.25})
    assert small.text == "0.000010, -0.250000"


def test_a_photo_is_noted_and_its_words_are_heard(settings) -> None:
    sizes = [{"file_id": "a", "width": 90, "height": 90}]
    (message,) = heard(settings, photo=sizes, caption="broken lamp")
    assert (message.text, message.attachments) == ("broken lamp", ("photo",))
    (silent,) = heard(settings, voice={"file_id": "b", "duration": 3})
    assert (silent.text, silent.attachments) == ("", ("voice",))


@pytest.mark.parametrize(
    "raw",
    [
        {"update_id": 1},
        {"update_id": 1, "edited_message": {"message_id": 1, "chat": {"id": 1, "type": "private"}, "text": "x"}},
        {"update_id": 1, "message": {"message_id": 1, "date": 1, "chat": {"id": -5, "type": "group"}, "text": "x"}},
        {"update_id": 1, "message": {"message_id": 1, "date": 1, "chat": {"id": 5, "type": "private"}, "sticker": {}}},
        {"update_id": 1, "my_chat_member": {"chat": {"id": 5}}},
    ],
)
def test_what_is_no_message_of_one_person_gives_nothing(settings, raw: dict[str, object]) -> None:
    assert bot(settings).parse(telegram(raw=json.dumps(raw).encode())) == []


@pytest.mark.parametrize("raw", [b"", b"{}", b"[]", b"\xff\x00", b"nope", b'{"update_id": "x"}', b"[" * 50_000])
def test_what_is_no_update_is_refused_with_a_sentence(settings, raw: bytes) -> None:
    with pytest.raises(Refused) as refused:
        bot(settings).parse(telegram(raw=raw))
    assert refused.value.status == 400


def test_half_an_emoji_does_not_cost_the_message(settings) -> None:
    raw = b'{"update_id":1,"message":{"message_id":1,"date":1,"chat":{"id":5,"type":"private"},"text":"fire \\ud83d"}}'
    (message,) = bot(settings).parse(telegram(raw=raw))
    assert isinstance(message, Inbound)
    assert message.text.startswith("fire ")
    assert message.text.encode()


def test_a_wrong_secret_is_refused_whatever_its_letters(settings) -> None:
    right = telegram(text="x")
    for given in ("", "x", "the-secret-that-telegram-repeatS", "\xff", "\udcff"):
        with pytest.raises(Refused):
            bot(settings).verify(replace(right, headers={"x-telegram-bot-api-secret-token": given}))
    bot(settings).verify(right)


def test_a_message_goes_to_its_chat_without_a_preview(settings) -> None:
    service = Service(httpx.Response(200, json={"ok": True, "result": {"message_id": 366}}))
    assert bot(settings, service).send(MESSAGE) == Sent(provider_id="366")
    (request,) = service.asked
    assert request.url.path == "/bot123456:token/sendMessage"
    body = json.loads(request.content)
    assert (body["chat_id"], body["text"]) == (1111111, MESSAGE.text)
    assert body["link_preview_options"] == {"is_disabled": True}
    assert "parse_mode" not in body


@pytest.mark.parametrize(
    ("status", "description", "code", "permanent"),
    [
        (403, "Forbidden: bot was blocked by the user", OPTED_OUT, True),
        (403, "Forbidden: user is deactivated", OPTED_OUT, True),
        (400, "Bad Request: chat not found", "unknown chat", True),
        (400, "Bad Request: message text is empty", "http 400", True),
        (401, "Unauthorized", "authorization", False),
        (404, "Not Found", "authorization", False),
        (502, "Bad Gateway", "http 502", False),
    ],
)
def test_refusals_are_told_apart(settings, status: int, description: str, code: str, permanent: bool) -> None:
    answer = httpx.Response(status, json={"ok": False, "error_code": status, "description": description})
    assert bot(settings, Service(answer)).send(MESSAGE) == Failed(code, permanent=permanent)


def test_retry_after_is_kept_to(settings) -> None:
    moment = 100.0
    too_many = {"ok": False, "error_code": 429, "description": "Too Many", "parameters": {"retry_after": 12}}
    service = Service(httpx.Response(429, json=too_many), httpx.Response(200, json={"ok": True, "result": {}}))
    channel = bot(settings, service, clock=lambda: moment)
    assert channel.send(MESSAGE) == Failed("http 429", permanent=False)
    moment = 111.9
    assert channel.send(MESSAGE) == Failed("http 429", permanent=False)
    assert len(service.asked) == 1
    moment = 112.0
    assert isinstance(channel.send(MESSAGE), Sent)


@pytest.mark.parametrize(
    "said", [{}, {"parameters": []}, {"parameters": {"retry_after": "x"}}, {"parameters": {"retry_after": -1}}]
)
def test_an_odd_pause_is_none(settings, said: dict[str, object]) -> None:
    service = Service(httpx.Response(429, json=said), httpx.Response(200, json={"ok": True}))
    channel = bot(settings, service)
    assert not isinstance(channel.send(MESSAGE), Sent)
    assert isinstance(channel.send(MESSAGE), Sent)


def test_a_number_is_no_account(settings) -> None:
    service = Service()
    for recipient in ("+38344123456", "telegram:", "telegram:x", "signal:5"):
        outcome = bot(settings, service).send(replace(MESSAGE, recipient=recipient))
        assert isinstance(outcome, Failed)
        assert outcome.permanent
    assert service.asked == []


def test_connecting_tells_the_service_address_and_secret(settings) -> None:
    service = Service(httpx.Response(200, json={"ok": True, "result": True}))
    said = bot(settings, service, site_url="https://riverside.example.org").connect()
    assert said == "Telegram now calls https://riverside.example.org/hooks/telegram."
    body = json.loads(service.asked[0].content)
    assert body["secret_token"] == SETTINGS["telegram_hook_secret"]
    assert body["allowed_updates"] == ["message"]
    assert SETTINGS["telegram_hook_secret"] not in body["url"]


@pytest.mark.parametrize(
    "options",
    [
        {"telegram_token": ""},
        {"telegram_hook_secret": "short"},
        {"telegram_hook_secret": "with spaces in it, and long"},
        {"site_url": "http://127.0.0.1:8000"},
        {},
    ],
)
def test_what_keeps_us_from_connecting_is_said_without_the_token(settings, options: dict[str, object]) -> None:
    service = Service(httpx.Response(401, json={"ok": False, "error_code": 401, "description": "Unauthorized"}))
    with pytest.raises(ValueError) as refused:
        bot(settings, service, **{"site_url": "https://riverside.example.org", **options}).connect()
    assert str(refused.value).endswith(".")
    assert "123456:token" not in str(refused.value)


# ------------------------------------------------------------------ through the dialogue


@pytest.fixture
def _town(unit: object) -> None:
    install_ready_made(make.NOW)
    make.make_beat()


def say(settings, update_id: int, **message: Any) -> list[str]:
    """Let somebody write, three times over, as after answers that were lost; give what is queued in return."""
    before = set(OutboundRow.objects.values_list("pk", flat=True))
    for _ in range(3):
        for each in bot(settings).parse(telegram(update_id=update_id, **message)):
            receive(channel="telegram", message=each, now=make.NOW)
    understand_batch(handle, make.NOW)
    return [text_of(row) for row in OutboundRow.objects.exclude(pk__in=before).order_by("id")]


@pytest.mark.django_db
@pytest.mark.usefixtures("_town")
def test_a_report_its_place_and_a_photo(settings) -> None:
    (hello,) = say(settings, 1, text="/start")
    assert "112" in hello
    assert len(say(settings, 2, text="light is broken")) == 1
    say(settings, 3, location={"latitude": 42.377112, "longitude": 20.441234})
    report = Report.objects.get()
    assert (report.latitude, report.longitude) == (42.377112, 20.441234)
    assert report.place_source == PlaceSource.COORDINATES
    (refused,) = say(settings, 4, photo=[{"file_id": "a"}])
    assert "/report/" in refused
    assert Report.objects.count() == 1
    with_words = say(settings, 5, photo=[{"file_id": "a"}], caption="and the lamp beside it")
    assert with_words[-1] == refused
    assert [message.text for message in report.messages.all()] == ["and the lamp beside it"]
    contact = Contact.objects.get()
    assert (contact.kind, contact.channel) == ("chat", "telegram")
    assert report.channel == "telegram"
    assert {row.channel for row in OutboundRow.objects.all()} == {"telegram"}


@pytest.mark.django_db
@pytest.mark.usefixtures("_town")
def test_after_stop_not_even_a_photo_is_answered_and_start_ends_that(settings) -> None:
    assert len(say(settings, 1, text="/stop")) == 1
    assert say(settings, 2, photo=[{"file_id": "a"}]) == []
    assert len(say(settings, 3, text="/start")) == 1
    assert Contact.objects.get().stopped_at is None
