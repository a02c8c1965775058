"""Web Push: what leaves, what a service's answers mean, and whom an address may lead to."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from py_vapid import Vapid02

from commonbeat.channels.webpush import TEXT_BYTES, WebPush
from commonbeat.foundation import clock
from commonbeat.messaging.actions import contact_for
from commonbeat.messaging.actions.delivery import record_outcomes
from commonbeat.messaging.actions.health import note_answers
from commonbeat.messaging.actions.outbox import enqueue, lease_batch
from commonbeat.messaging.channel import OPTED_OUT, Failed, Outbound, Request, Sent
from commonbeat.messaging.models import ContactKind, Health, OutboundState
from commonbeat.messaging.models import Outbound as OutboundRow
from commonbeat.messaging.push import (
    application_server_key,
    normal_push_address,
)
from tests.channels.browsers import Browser

NOW = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
FCM = "https://fcm.googleapis.com/fcm/send/abc"


class Service:
    """Answer what a channel sends, and keep it."""

    def __init__(self, answer: httpx.Response | Exception) -> None:
        self.answer = answer
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if isinstance(self.answer, Exception):
            raise self.answer
        return httpx.Response(self.answer.status_code, headers=self.answer.headers, stream=httpx.ByteStream(b"{}"))


@pytest.fixture
def moment() -> list[float]:
    return [1_000.0]


@pytest.fixture
def push(settings, moment: list[float], monkeypatch) -> Callable[[httpx.Response | Exception], tuple[WebPush, Service]]:
    monkeypatch.setattr(clock, "now", lambda: NOW)

    def made(answer: httpx.Response | Exception) -> tuple[WebPush, Service]:
        site = replace(settings.COMMONBEAT, mail_address="report@example.org", site_url="https://beat.example.org")
        channel, service = WebPush(lambda: site, clock=lambda: moment[0]), Service(answer)
        channel.__dict__["_client"] = httpx.Client(transport=httpx.MockTransport(service))
        return channel, service

    return made


def message_to(browser: Browser, **changes) -> Outbound:
    fields = {
        "recipient": normal_push_address(browser.subscription()),
        "text": '{"title":"Ujë i papastër"}',
        "idempotency_key": "alert:1:2",
        "expires_at": NOW + timedelta(hours=2),
        "topic": "alert-1",
        **changes,
    }
    return Outbound(**fields)


# ------------------------------------------------------------------ what leaves


def test_a_message_is_encrypted_for_the_browser_and_says_how_long_and_how_urgent(push) -> None:
    channel, service = push(httpx.Response(201, headers={"Location": "https://push.example.com/m/0:17"}))
    browser = Browser()
    assert channel.send(message_to(browser, is_urgent=True)) == Sent(provider_id="0:17")
    (request,) = service.asked
    assert str(request.url) == browser.endpoint
    assert browser.read(request.content) == '{"title":"Ujë i papastër"}'
    assert b"papast" not in request.content
    headers = request.headers
    assert (headers["ttl"], headers["urgency"], headers["topic"]) == ("7200", "high", "alert-1")
    assert (headers["content-encoding"], headers["content-type"]) == ("aes128gcm", "application/octet-stream")


def test_the_signature_is_the_sites_and_names_the_service_and_whom_to_write_to(push, settings) -> None:
    channel, service = push(httpx.Response(201))
    channel.send(message_to(Browser()))
    header = service.asked[0].headers["authorization"]
    assert Vapid02.verify(header)
    assert header.endswith(f"k={application_server_key(settings.COMMONBEAT.secret)}")
    claims = json.loads(base64.urlsafe_b64decode(header.split(".")[1] + "=="))
    assert (claims["aud"], claims["sub"]) == ("https://push.example.com", "mailto:report@example.org")


def test_a_signature_serves_for_hours_and_is_then_made_anew(settings) -> None:
    from commonbeat.channels.webpush.signing import Signatures

    now = [1_000_000.0]
    signatures = Signatures(lambda: settings.COMMONBEAT, clock=lambda: now[0])
    first = signatures.header_for("https://push.example.com")
    now[0] += 5 * 3600
    assert signatures.header_for("https://push.example.com") == first
    assert signatures.header_for("https://push.example.org") != first
    now[0] += 2 * 3600
    again = signatures.header_for("https://push.example.com")
    assert again != first
    claims = json.loads(base64.urlsafe_b64decode(again.split(".")[1] + "=="))
    assert 0 < claims["exp"] - now[0] <= 24 * 3600


def test_an_ordinary_message_is_of_normal_urgency_and_an_odd_topic_is_left_out(push) -> None:
    channel, service = push(httpx.Response(201))
    channel.send(message_to(Browser(), topic="two words"))
    channel.send(message_to(Browser(), topic="x" * 33))
    channel.send(message_to(Browser(), topic=""))
    assert [request.headers["urgency"] for request in service.asked] == ["normal"] * 3
    assert all("topic" not in request.headers for request in service.asked)


@pytest.mark.parametrize(
    ("left", "ttl"),
    [
        (timedelta(milliseconds=300), "1"),
        (timedelta(seconds=59, milliseconds=999), "59"),
        (timedelta(days=400), str(28 * 24 * 3600)),
        (None, "86400"),
    ],
)
def test_it_lives_until_it_expires_and_never_zero_seconds(push, left: timedelta | None, ttl: str) -> None:
    channel, service = push(httpx.Response(201))
    channel.send(message_to(Browser(), expires_at=NOW + left if left is not None else None))
    assert service.asked[0].headers["ttl"] == ttl


def test_what_has_expired_is_not_sent(push) -> None:
    channel, service = push(httpx.Response(201))
    assert channel.send(message_to(Browser(), expires_at=NOW)) == Failed("expired", permanent=True)
    assert not service.asked


def test_a_text_fits_one_record_to_the_last_byte_and_no_further(push) -> None:
    channel, service = push(httpx.Response(201))
    browser = Browser()
    fits = "ë" * (TEXT_BYTES // 2) + "x" * (TEXT_BYTES % 2)
    assert isinstance(channel.send(message_to(browser, text=fits)), Sent)
    assert len(service.asked[0].content) == 4096
    assert browser.read(service.asked[0].content) == fits
    assert channel.send(message_to(browser, text=fits + "x")) == Failed("too long", permanent=True)
    assert channel.send(message_to(browser, text="")) == Failed("too long", permanent=True)
    assert len(service.asked) == 1


def test_every_message_has_a_key_of_its_own(push) -> None:
    channel, service = push(httpx.Response(201))
    message = message_to(Browser())
    channel.send(message)
    channel.send(message)
    first, second = (request.content for request in service.asked)
    assert first != second


# ------------------------------------------------------------------ what answers mean


@pytest.mark.parametrize("status", [404, 410])
def test_a_subscription_that_has_ended_ends_here(push, status: int) -> None:
    channel, _service = push(httpx.Response(status))
    assert channel.send(message_to(Browser())) == Failed(OPTED_OUT, permanent=True)


@pytest.mark.parametrize("status", [400, 413])
def test_what_can_never_arrive_is_not_sent_again(push, status: int) -> None:
    channel, _service = push(httpx.Response(status))
    assert channel.send(message_to(Browser())) == Failed(f"http {status}", permanent=True)


@pytest.mark.parametrize("status", [301, 401, 403, 429, 500, 503])
def test_a_service_in_trouble_is_asked_again(push, status: int) -> None:
    channel, service = push(httpx.Response(status, headers={"Location": "https://elsewhere.example.com/"}))
    outcome = channel.send(message_to(Browser()))
    assert isinstance(outcome, Failed)
    assert not outcome.permanent
    # Nor is a redirection followed: it could lead anywhere.
    assert len(service.asked) == 1


@pytest.mark.parametrize("error", [httpx.ConnectError("to abc"), httpx.ReadTimeout("x"), httpx.ReadError("x")])
def test_a_broken_line_is_no_exception_and_names_no_address(push, error: Exception) -> None:
    channel, _service = push(error)
    assert channel.send(message_to(Browser())) == Failed(type(error).__name__, permanent=False, is_elsewhere=True)


def test_a_subscription_that_is_to_wait_is_not_asked_before(push, moment: list[float]) -> None:
    channel, service = push(httpx.Response(429, headers={"Retry-After": "120"}))
    one, other = Browser(FCM + "1"), Browser(FCM + "2")
    channel.send(message_to(one))
    assert channel.send(message_to(one)) == Failed("http 429", permanent=False, is_elsewhere=True)
    assert len(service.asked) == 1
    channel.send(message_to(other))
    assert len(service.asked) == 2
    moment[0] += 121
    channel.send(message_to(one))
    assert len(service.asked) == 3


def test_a_service_that_puts_off_many_is_left_alone_until_it_said(push, moment: list[float]) -> None:
    channel, service = push(httpx.Response(429, headers={"Retry-After": "60"}))
    for number in range(20):
        channel.send(message_to(Browser(f"{FCM}{number}")))
    assert len(service.asked) == 10
    moment[0] += 61
    service.answer = httpx.Response(201)
    assert isinstance(channel.send(message_to(Browser(FCM))), Sent)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120),
        ("Sat, 14 Mar 2026 12:05:00 GMT", 300),
        ("Sat, 14 Mar 2026 11:00:00 GMT", 0),
        ("soon", 30),
        ("", 30),
    ],
)
def test_a_retry_after_is_read_in_both_its_forms(text: str, seconds: int) -> None:
    from commonbeat.channels.webpush import pause_of

    assert pause_of(text, NOW) == seconds


def test_a_strangers_host_that_does_not_answer_gets_a_rest_and_others_do_not_wait(push, moment: list[float]) -> None:
    channel, service = push(httpx.ReadTimeout("x"))
    for number in range(5):
        channel.send(message_to(Browser(f"https://n{number}.slow.example.com/")))
    assert len(service.asked) == 1
    service.answer = httpx.Response(201)
    assert isinstance(channel.send(message_to(Browser(FCM))), Sent)
    moment[0] += 31
    assert isinstance(channel.send(message_to(Browser("https://n1.slow.example.com/"))), Sent)


@pytest.mark.django_db
def test_dead_endpoints_of_strangers_do_not_bring_the_channel_down_and_trouble_of_a_great_service_does(push) -> None:
    channel, _service = push(httpx.ConnectError("x"))
    strange = [channel.send(message_to(Browser(f"https://push{n}.example{n}.com/"))) for n in range(20)]
    note_answers(channel="webpush", outcomes=strange, now=NOW)
    assert not Health.objects.filter(channel="webpush", failures__gt=0).exists()
    great = [channel.send(message_to(Browser(f"{FCM}{n}"))) for n in range(20)]
    note_answers(channel="webpush", outcomes=great, now=NOW)
    assert Health.objects.get(channel="webpush").failures == 20


@pytest.mark.django_db
def test_after_404_nothing_more_goes_to_this_browser(push, monkeypatch) -> None:
    channel, _service = push(httpx.Response(410))
    contact = contact_for(kind=ContactKind.PUSH, address=Browser().subscription(), now=NOW)
    for number in range(2):
        enqueue(contact=contact, text="{}", idempotency_key=f"k{number}", now=NOW)
    assert set(OutboundRow.objects.values_list("channel", flat=True)) == {"webpush"}
    (first,) = lease_batch(channel="webpush", limit=1, now=NOW)
    record_outcomes([(first.id, channel.send(first.message))], now=NOW)
    states = list(OutboundRow.objects.order_by("id").values_list("state", "error"))
    assert states == [(OutboundState.FAILED, OPTED_OUT), (OutboundState.EXPIRED, "stopped")]
    contact.refresh_from_db()
    assert contact.stopped_at == NOW
    assert enqueue(contact=contact, text="{}", idempotency_key="k3", now=NOW) is None


def test_nobody_calls_it(push) -> None:
    channel, _service = push(httpx.Response(201))
    from commonbeat.messaging.channel import Refused

    with pytest.raises(Refused):
        channel.verify(Request("POST", "", {}, {}, b"{}"))
    assert channel.parse(Request("POST", "", {}, {}, b"{}")) == []


def test_a_recipient_that_is_none_is_given_up(push) -> None:
    channel, service = push(httpx.Response(201))
    assert channel.send(message_to(Browser(), recipient="+38344123456")) == Failed("no subscription", permanent=True)
    assert not service.asked
