"""What every channel must do, whatever its provider."""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import parse_qsl

import httpx
import pytest

from commonbeat.messaging.channel import Channel, Failed, Inbound, Outbound, Receipt, Refused, Request, Sent, channels
from tests.channels import chat, gateways

KEY = "a signing key of the telephone"
SECRET = "the-end-of-the-address"
MESSAGE = Outbound(recipient="+38344123456", text="Your reference is KX7M-4QXP-2R.", idempotency_key="in:7:0")


@dataclass(frozen=True)
class Provider:
    """How one provider calls us, so that the same questions can be put to all."""

    code: str
    message: Callable[[str], Request]
    receipt: Callable[[str, str], Request]
    accepts: httpx.Response
    refuses_for_good: httpx.Response
    sender: str = "+38344123456"
    # Chats know no key that would make a repeat recognisable, and some send no receipts.
    takes_key: bool = True
    sends_receipts: bool = True
    # Some say nothing of when a message was written, some come for our messages by themselves.
    says_when: bool = True
    is_called: bool = True
    answer: bytes = b""


def smsgate(name: str, payload: dict[str, object], number: str = "e1") -> Request:
    body = json.dumps({"id": number, "event": name, "deviceId": "d", "webhookId": "w", "payload": payload}).encode()
    stamp = str(int(time.time()))
    signature = hmac.new(KEY.encode(), body + stamp.encode(), "sha256").hexdigest()
    return Request("POST", "", {}, {"x-timestamp": stamp, "x-signature": signature}, body)


def kannel(tail: str, query: str) -> Request:
    return Request("GET", f"{SECRET}{tail}", dict(parse_qsl(query, errors="surrogateescape")), {}, b"")


PROVIDERS = [
    Provider(
        code="smsgate_sms",
        message=lambda text: smsgate(
            "sms:received",
            {"messageId": "00ab", "message": text, "sender": "+38344123456", "receivedAt": "2026-03-14T12:00:00+01:00"},
        ),
        receipt=lambda about, outcome: smsgate(f"sms:{outcome}", {"messageId": about}, number=f"{about}{outcome}"),
        accepts=httpx.Response(202, json={"id": "in:7:0", "state": "Pending"}),
        refuses_for_good=httpx.Response(400, json={"message": "invalid phone number"}),
    ),
    Provider(
        code="kannel_sms",
        message=lambda text: kannel(
            "", f"from=%2B38344123456&to=1550&ts=1773489600&id=9f&coding=0&charset=UTF-8&text={text}"
        ),
        receipt=lambda about, outcome: kannel("/dlr", f"key={about}&type={1 if outcome == 'delivered' else 2}"),
        accepts=httpx.Response(202, text="0: Accepted for delivery"),
        refuses_for_good=httpx.Response(400, text="Empty receiver number not allowed, rejected"),
    ),
    Provider(
        code="telegram",
        message=lambda text: chat.telegram(text=text),
        receipt=lambda about, outcome: chat.telegram(),
        accepts=httpx.Response(200, json={"ok": True, "result": {"message_id": 366, "chat": {"id": 1111111}}}),
        refuses_for_good=httpx.Response(
            403, json={"ok": False, "error_code": 403, "description": "Forbidden: bot was blocked by the user"}
        ),
        sender="telegram:1111111",
        takes_key=False,
        sends_receipts=False,
    ),
    Provider(
        code="whatsapp",
        message=lambda text: chat.whatsapp({"type": "text", "text": {"body": text}}),
        receipt=chat.whatsapp_receipt,
        accepts=httpx.Response(200, json={"messaging_product": "whatsapp", "messages": [{"id": "wamid.HBg2"}]}),
        refuses_for_good=httpx.Response(400, json={"error": {"message": "undeliverable", "code": 131026}}),
    ),
]
PROVIDERS += [Provider(**how) for how in gateways.PROVIDERS]
each_provider = pytest.mark.parametrize("provider", PROVIDERS, ids=lambda p: p.code)
each_sender = pytest.mark.parametrize("provider", [p for p in PROVIDERS if p.is_called], ids=lambda p: p.code)
each_channel = pytest.mark.parametrize(
    "code",
    [
        "kannel_sms",
        "smsgate_sms",
        "telegram",
        "whatsapp",
        "africastalking_ussd",
        "demo_sms",
        "email",
        "webpush",
        *gateways.CODES,
    ],
)


@pytest.fixture(autouse=True)
def _gateways(settings) -> None:
    settings.COMMONBEAT = replace(
        settings.COMMONBEAT,
        smsgate_signing_key=KEY,
        smsgate_url="http://gateway.invalid/3rdparty/v1",
        smsgate_username="user",
        smsgate_password="word",
        kannel_hook_secret=SECRET,
        kannel_send_url="http://gateway.invalid/cgi-bin/sendsms",
        kannel_username="user",
        kannel_password="word",
        **chat.SETTINGS,
        **gateways.SETTINGS,
    )


@pytest.fixture
def gateway(monkeypatch) -> Callable[[Channel, httpx.Response | Exception], list[httpx.Request]]:
    """Answer what a channel sends, and keep it."""

    def put(channel: Channel, answer: httpx.Response | Exception) -> list[httpx.Request]:
        asked: list[httpx.Request] = []

        def handler(request: httpx.Request) -> httpx.Response:
            asked.append(request)
            if isinstance(answer, Exception):
                raise answer
            return answer

        monkeypatch.setitem(channel.__dict__, "_client", httpx.Client(transport=httpx.MockTransport(handler)))
        return asked

    return put


def message_to(provider: Provider) -> Outbound:
    """Give a message to the person that writes to us in these tests, who wrote a moment ago."""
    return replace(MESSAGE, recipient=provider.sender, heard_at=datetime.now(UTC))


def test_every_channel_of_the_site_is_tested_here() -> None:
    assert set(channels()) == {
        "kannel_sms",
        "smsgate_sms",
        "telegram",
        "whatsapp",
        "africastalking_ussd",
        "demo_sms",
        "email",
        "webpush",
        *gateways.CODES,
    }


@each_channel
def test_a_channel_states_its_limits(code: str) -> None:
    channel = channels()[code]
    assert channel.code == code
    assert channel.limits.address_kind in ("phone", "email", "chat", "push")
    assert channel.limits.per_second > 0
    assert channel.limits.body_bytes <= 1_000_000


@each_channel
@pytest.mark.parametrize(
    "request_",
    [
        Request("POST", "", {}, {}, b""),
        Request("GET", "", {}, {}, b""),
        Request("GET", "/", {"from": "1", "text": "x"}, {}, b""),
        Request("POST", "é\udcff", {}, {"x-signature": "\xff", "x-timestamp": "\xff"}, b"\xff\x00"),
        Request("POST", "x" * 10_000, {}, {"x-signature": "0" * 64, "x-timestamp": "0"}, b"{}"),
    ],
)
def test_a_forged_call_is_refused_with_a_sentence(code: str, request_: Request) -> None:
    with pytest.raises(Refused) as refused:
        channels()[code].verify(request_)
    assert 400 <= refused.value.status < 500
    assert refused.value.sentence.endswith(".")


@each_provider
def test_without_its_secret_a_channel_refuses_everything(provider: Provider, settings) -> None:
    request = provider.message("x")
    settings.COMMONBEAT = replace(
        settings.COMMONBEAT, smsgate_signing_key="", kannel_hook_secret="", **chat.NO_SECRETS, **gateways.NO_SECRETS
    )
    with pytest.raises(Refused):
        channels()[provider.code].verify(request)


@each_provider
def test_a_message_is_read(provider: Provider) -> None:
    channel, request = channels()[provider.code], provider.message("fire")
    channel.verify(request)
    (message,) = channel.parse(request)
    assert isinstance(message, Inbound)
    assert (message.sender, message.text) == (provider.sender, "fire")
    assert (message.sent_at is not None) == provider.says_when
    assert message.sent_at is None or message.sent_at.tzinfo is not None
    kind, body = channel.answer(request)
    assert "/" in kind
    # What a gateway would send on to the person must be empty.
    assert body in (b"", b"{}", provider.answer)


@each_provider
def test_the_same_call_gives_the_same_id_and_another_text_another(provider: Provider) -> None:
    channel = channels()[provider.code]
    first, again, other = (channel.parse(provider.message(text))[0] for text in ("fire", "fire", "water"))
    assert first.provider_id == again.provider_id
    assert first.provider_id != other.provider_id


@each_provider
@pytest.mark.parametrize("outcome", ["delivered", "failed"])
def test_a_receipt_is_read(provider: Provider, outcome: str) -> None:
    channel = channels()[provider.code]
    if not provider.sends_receipts:
        assert channel.parse(provider.receipt("in:7:0", outcome)) == []
        return
    (receipt,) = channel.parse(provider.receipt("in:7:0", outcome))
    assert isinstance(receipt, Receipt)
    assert (receipt.about, receipt.outcome) == ("in:7:0", outcome)


@each_sender
def test_sending_hands_over_text_number_and_key(provider: Provider, gateway) -> None:
    channel = channels()[provider.code]
    asked = gateway(channel, provider.accepts)
    outcome = channel.send(message_to(provider))
    assert isinstance(outcome, Sent)
    (request,) = asked
    sent = str(request.url) + request.content.decode()
    assert provider.sender.lstrip("+").rpartition(":")[2] in sent
    assert "KX7M-4QXP-2R" in sent
    assert not provider.takes_key or "in:7:0" in sent.replace("%253A", ":").replace("%3A", ":")


@each_sender
def test_a_receipt_about_what_was_sent_finds_it(provider: Provider, gateway) -> None:
    channel = channels()[provider.code]
    gateway(channel, provider.accepts)
    sent = channel.send(replace(message_to(provider), idempotency_key="report:" + "9" * 60))
    assert isinstance(sent, Sent)
    if not provider.sends_receipts:
        return
    (receipt,) = channel.parse(provider.receipt(sent.provider_id, "delivered"))
    assert isinstance(receipt, Receipt)
    assert receipt.about == sent.provider_id


@each_sender
@pytest.mark.parametrize("answer", [httpx.Response(500), httpx.Response(503), httpx.Response(429), httpx.Response(403)])
def test_a_gateway_in_trouble_is_asked_again(provider: Provider, answer: httpx.Response, gateway) -> None:
    channel = channels()[provider.code]
    gateway(channel, answer)
    outcome = channel.send(message_to(provider))
    assert isinstance(outcome, Failed)
    assert not outcome.permanent


@each_sender
@pytest.mark.parametrize("error", [httpx.ConnectError("to +38344123456"), httpx.ReadTimeout("x"), httpx.ReadError("x")])
def test_a_broken_line_is_no_exception_and_names_no_number(provider: Provider, error: Exception, gateway) -> None:
    channel = channels()[provider.code]
    gateway(channel, error)
    outcome = channel.send(message_to(provider))
    assert isinstance(outcome, Failed)
    assert not outcome.permanent
    assert "383" not in outcome.code


@each_sender
def test_what_the_gateway_refuses_for_good_is_not_sent_again(provider: Provider, gateway) -> None:
    channel = channels()[provider.code]
    gateway(channel, provider.refuses_for_good)
    outcome = channel.send(message_to(provider))
    assert isinstance(outcome, Failed)
    assert outcome.permanent


@each_sender
def test_a_channel_that_is_not_set_up_waits(provider: Provider, settings) -> None:
    settings.COMMONBEAT = replace(
        settings.COMMONBEAT, smsgate_url="", kannel_send_url="", **chat.NOT_SET_UP, **gateways.NOT_SET_UP
    )
    outcome = channels()[provider.code].send(message_to(provider))
    assert isinstance(outcome, Failed)
    assert not outcome.permanent


def test_the_demo_telephone_sends_nothing_and_says_sent() -> None:
    assert channels()["demo_sms"].send(MESSAGE) == Sent(provider_id="in:7:0")


# ------------------------------------------------------------------ what only one provider has


def test_smsgate_accepts_a_signature_within_five_minutes_only() -> None:
    from commonbeat.channels.smsgate_sms import SmsGateSms

    moment = 1_773_489_600.0
    channel = SmsGateSms(lambda: _options(), clock=lambda: moment)
    for offset, is_accepted in ((0, True), (299, True), (-299, True), (301, False), (-301, False)):
        stamp = str(int(moment) + offset)
        signature = hmac.new(KEY.encode(), b"{}" + stamp.encode(), "sha256").hexdigest()
        request = Request("POST", "", {}, {"x-timestamp": stamp, "x-signature": signature}, b"{}")
        if is_accepted:
            channel.verify(request)
        else:
            with pytest.raises(Refused):
                channel.verify(request)


def test_smsgate_takes_a_repeated_id_for_sent(gateway) -> None:
    channel = channels()["smsgate_sms"]
    gateway(channel, httpx.Response(409))
    assert isinstance(channel.send(MESSAGE), Sent)


def test_smsgate_leaves_other_events_out() -> None:
    assert channels()["smsgate_sms"].parse(smsgate("sms:sent", {"messageId": "x"})) == []
    assert channels()["smsgate_sms"].parse(smsgate("system:ping", {})) == []


def test_kannel_sends_arabic_as_ucs2_and_latin_without(gateway) -> None:
    channel = channels()["kannel_sms"]
    asked = gateway(channel, httpx.Response(202, text="0: Accepted for delivery"))
    channel.send(replace(MESSAGE, text="رقم البلاغ"))
    channel.send(MESSAGE)
    arabic, latin = (dict(request.url.params) for request in asked)
    assert arabic["coding"] == "2"
    assert arabic["charset"] == "UTF-8"
    assert arabic["text"] == "رقم البلاغ"
    assert "coding" not in latin
    assert latin["dlr-mask"] == "19"
    assert latin["dlr-url"].endswith(f"/hooks/kannel_sms/{SECRET}/dlr?key=in%3A7%3A0&type=%d")


def test_kannel_reads_utf16_and_what_is_no_utf8() -> None:
    channel = channels()["kannel_sms"]

    def text_of(query: str) -> str:
        (message,) = channel.parse(kannel("", "from=%2B38344123456&" + query))
        assert isinstance(message, Inbound)
        return message.text

    arabic = "".join(f"%{byte:02X}" for byte in "حريق".encode("utf-16-be"))
    assert text_of(f"coding=2&charset=UTF-16BE&text={arabic}") == "حريق"
    assert text_of("coding=0&charset=UTF-8&text=%C3%ABsht%C3%AB") == "është"
    assert text_of("coding=0&text=kafe%E9") == "kafeé"
    assert text_of("coding=0&charset=UTF-8&text=a%2Bb") == "a+b"


def test_kannel_leaves_receipts_out_that_say_nothing_final() -> None:
    channel = channels()["kannel_sms"]
    assert channel.parse(kannel("/dlr", "key=in%3A7%3A0&type=8")) == []
    for query in ("key=&type=1", "key=x&type=", "key=x&type=½", "type=1"):
        with pytest.raises(Refused):
            channel.parse(kannel("/dlr", query))


def _options():
    from django.conf import settings

    return settings.COMMONBEAT
