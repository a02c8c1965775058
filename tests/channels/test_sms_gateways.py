"""What only one SMS gateway has: its signature, its codes, its oddities."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import httpx
import pytest
from django.conf import settings as site

from commonbeat.channels import twilio_sms, vonage_sms
from commonbeat.channels.vonage_sms import VonageSms
from commonbeat.channels.webhook_sms import WebhookSms, signature
from commonbeat.foundation import clock
from commonbeat.messaging.channel import (
    OPTED_OUT,
    Asked,
    Channel,
    Failed,
    Inbound,
    Outbound,
    Price,
    Receipt,
    Refused,
    Request,
    Sent,
    channels,
)
from tests.channels import gateways

MESSAGE = Outbound(recipient="+38344123456", text="Your reference is KX7M-4QXP-2R.", idempotency_key="in:7:0")


@pytest.fixture(autouse=True)
def _gateways(settings) -> None:
    settings.COMMONBEAT = replace(settings.COMMONBEAT, **gateways.SETTINGS)


@pytest.fixture
def gateway(monkeypatch) -> Callable[[str, httpx.Response], list[httpx.Request]]:
    """Answer what a channel sends, and keep it."""

    def put(code: str, answer: httpx.Response) -> list[httpx.Request]:
        asked: list[httpx.Request] = []

        def handler(request: httpx.Request) -> httpx.Response:
            asked.append(request)
            return answer

        client = httpx.Client(transport=httpx.MockTransport(handler))
        monkeypatch.setitem(channels()[code].__dict__, "_client", client)
        return asked

    return put


def refuses(channel: Channel, request: Request) -> bool:
    try:
        channel.verify(request)
    except Refused as refused:
        return 400 <= refused.status < 500
    return False


# ------------------------------------------------------------------ Twilio


def test_twilio_signs_as_its_own_library_does() -> None:
    # The second stands in Twilio's documentation; both were computed with its library, version 9.13.0.
    fields = [
        ("MessageSid", "SM90c6fc909d8504d45ecdb3a3d5b3556e"),
        ("From", "+38344123456"),
        ("To", "+38349000000"),
        ("Body", "Zjarr te ura = shpejt & ë"),
        ("NumMedia", "0"),
    ]
    assert twilio_sms.signature(b"12345", "https://example.org/hooks/twilio_sms", fields) == (
        b"LuNCtSvYTFdA/eudcMCdxUKPFmA="
    )
    fields = [
        ("CallSid", "CA1234567890ABCDE"),
        ("Caller", "+14158675309"),
        ("Digits", "1234"),
        ("From", "+14158675309"),
        ("To", "+18005551212"),
    ]
    address = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert twilio_sms.signature(b"12345", address, fields) == b"RSOYDt4T1cUTdK1PDd93/VVr8B8="


def test_twilio_is_believed_only_for_this_address_and_these_fields() -> None:
    channel, good = channels()["twilio_sms"], gateways.twilio_message("zjarr")
    channel.verify(good)
    assert refuses(channel, gateways.twilio({"MessageSid": "SM1", "From": "+1", "Body": "x"}, token="another"))
    assert refuses(channel, replace(good, body=good.body + b"&Body=y"))
    assert refuses(channel, replace(good, tail="other"))
    assert refuses(channel, replace(good, query={"Body": "y"}))
    assert refuses(channel, replace(good, method="GET"))


def test_twilio_says_that_somebody_has_stopped(gateway) -> None:
    gateway("twilio_sms", httpx.Response(400, json={"code": 21610, "message": "… unsubscribed +383…", "status": 400}))
    assert channels()["twilio_sms"].send(MESSAGE) == Failed(OPTED_OUT, permanent=True)
    (receipt,) = channels()["twilio_sms"].parse(gateways.twilio_receipt("in:7:0", "failed", error="21610"))
    assert isinstance(receipt, Receipt) and receipt.error == OPTED_OUT


def test_twilio_gives_the_key_back_in_the_address_of_the_receipt(gateway) -> None:
    channel = channels()["twilio_sms"]
    asked = gateway("twilio_sms", httpx.Response(201, json={"sid": "SM1", "price": "-0.00750", "price_unit": "USD"}))
    sent = channel.send(replace(MESSAGE, text="رقم ٥ 🔥"))
    assert sent == Sent("SM1", price=Price(7_500, "USD"))
    fields = httpx.QueryParams(asked[0].content.decode())
    assert (fields["To"], fields["Body"]) == ("+38344123456", "رقم ٥ 🔥")
    hook, _, tail = fields["StatusCallback"].rpartition("/")
    assert hook == "https://example.org/hooks/twilio_sms"
    call = gateways.twilio({"MessageSid": "SM7", "MessageStatus": "delivered"}, tail)
    channel.verify(call)
    (receipt,) = channel.parse(call)
    assert isinstance(receipt, Receipt) and receipt.about == "in:7:0"


def test_twilio_receipts_that_say_nothing_final_are_left_out() -> None:
    for status in ("queued", "sent", "accepted", "sending"):
        assert channels()["twilio_sms"].parse(gateways.twilio({"MessageSid": "SM1", "MessageStatus": status})) == []


# ------------------------------------------------------------------ Vonage


def test_vonage_signs_as_its_own_library_does() -> None:
    # Computed with vonage-http-client 1.5.2.
    fields = {
        "msisdn": "38344123456",
        "to": "38349000000",
        "messageId": "0C000000217B7F02",
        "text": "a=b & ë 🔥",
        "type": "unicode",
        "keyword": "A=B",
        "api-key": "abcd1234",
        "message-timestamp": "2026-03-14 12:00:00",
        "timestamp": "1773489600",
        "nonce": "aaaaaaaa-bbbb-cccc-dddd-0123456789ab",
    }
    assert vonage_sms.signature(b"a secret to sign with", fields, "sha256") == (
        "da3acffac3002d3e80f2084c58651159115a98d4a7b7b28061d661f4e20886fa"
    )
    assert vonage_sms.signature(b"a secret to sign with", fields, "sha512").startswith(
        "fa1e160a9f28792dadc68b4df3c47a30"
    )


def test_vonage_is_believed_for_a_day_and_only_with_its_time() -> None:
    moment = time.time()
    channel = VonageSms(lambda: site.COMMONBEAT, clock=lambda: moment)
    # It calls again for 24 hours.
    for hours, is_refused in ((0, False), (24, False), (26, True), (-26, True)):
        assert refuses(channel, gateways.vonage_message("x", at=moment - hours * 3600)) is is_refused
    assert refuses(channel, gateways.vonage_message("x", secret="another"))
    assert refuses(channel, gateways.vonage({"messageId": "1", "timestamp": ""}))
    assert refuses(channel, gateways.vonage({"messageId": "1", "timestamp": "½"}))


def test_vonage_is_read_as_form_and_as_json_with_pieces() -> None:
    channel = channels()["vonage_sms"]
    more = {"concat-ref": "77", "concat-total": "3", "concat-part": "2"}
    for request in (
        gateways.vonage_message("shkolla 🔥", **more, concat="true"),
        gateways.vonage_message("shkolla 🔥", **more, concat=True, as_json=True),
    ):
        channel.verify(request)
        (message,) = channel.parse(request)
        assert isinstance(message, Inbound)
        assert (message.sender, message.text) == ("+38344123456", "shkolla 🔥")
        assert message.piece is not None
        assert (message.piece.reference, message.piece.number, message.piece.total) == ("77", 2, 3)


def test_vonage_says_that_somebody_has_stopped_and_who_may_try_again(gateway) -> None:
    channel = channels()["vonage_sms"]
    (receipt,) = channel.parse(gateways.vonage_receipt("in:7:0", "failed", error="9"))
    assert isinstance(receipt, Receipt) and receipt.error == OPTED_OUT
    for status, code, is_permanent in (
        ("1", "vonage 1", False),
        ("4", "authorization", False),
        ("9", "vonage 9", False),
        ("6", "vonage 6", True),
    ):
        gateway("vonage_sms", httpx.Response(200, json={"messages": [{"status": status}]}))
        assert channel.send(MESSAGE) == Failed(code, permanent=is_permanent)
    gateway("vonage_sms", httpx.Response(200, text="<html>"))
    assert channel.send(MESSAGE) == Failed("unreadable answer", permanent=False)


def test_vonage_gives_an_id_for_each_part_and_says_unicode(gateway) -> None:
    parts = [{"status": "0", "message-id": "A"}, {"status": "0", "message-id": "B"}]
    asked = gateway("vonage_sms", httpx.Response(200, json={"messages": parts}))
    sent = channels()["vonage_sms"].send(replace(MESSAGE, text="رقم " * 30))
    assert sent == Sent("A", part_ids=("A", "B"))
    fields = httpx.QueryParams(asked[0].content.decode())
    assert (fields["type"], fields["client-ref"], fields["to"]) == ("unicode", "in:7:0", "38344123456")


# ------------------------------------------------------------------ Africa's Talking


def test_africas_talking_tells_of_those_who_stopped(gateway, monkeypatch) -> None:
    channel = channels()["africastalking_sms"]
    moment = datetime(2026, 3, 14, 12, tzinfo=UTC)
    monkeypatch.setattr(clock, "now", lambda: moment)
    call = gateways.africastalking(f"{gateways.SECRET}/stop", {"senderId": "1550", "phoneNumber": "+38344123456"})
    channel.verify(call)
    (first,), (again,) = channel.parse(call), channel.parse(call)
    assert isinstance(first, Inbound)
    assert (first.sender, first.text, first.provider_id) == ("+38344123456", "STOP", again.provider_id)
    moment = datetime(2026, 3, 16, 12, tzinfo=UTC)
    assert channel.parse(call)[0].provider_id != first.provider_id
    (receipt,) = channel.parse(gateways.africastalking_receipt("ATXid_1", "failed", reason="UserInBlackList"))
    assert isinstance(receipt, Receipt) and receipt.error == OPTED_OUT
    gateway("africastalking_sms", _recipients(statusCode=406))
    assert channel.send(MESSAGE) == Failed(OPTED_OUT, permanent=True)


def test_africas_talking_says_what_it_cost_and_what_is_mended(gateway) -> None:
    channel = channels()["africastalking_sms"]
    asked = gateway("africastalking_sms", _recipients(statusCode=101, messageId="ATXid_1", cost="KES 0.8000"))
    assert channel.send(MESSAGE) == Sent("ATXid_1", price=Price(800_000, "KES"))
    assert asked[0].headers["apikey"] == "word" and asked[0].url.host == "api.africastalking.com"
    gateway("africastalking_sms", _recipients(statusCode=405))
    assert channel.send(MESSAGE) == Failed("africastalking 405", permanent=False)
    gateway("africastalking_sms", httpx.Response(201, json={"SMSMessageData": {"Message": "InvalidSenderId"}}))
    assert channel.send(MESSAGE) == Failed("not taken", permanent=False)


def _recipients(**one: object) -> httpx.Response:
    return httpx.Response(201, json={"SMSMessageData": {"Recipients": [one]}})


# ------------------------------------------------------------------ SMSSync


def test_smssync_counts_in_milliseconds_whatever_its_documentation_says() -> None:
    channel = channels()["smssync_sms"]
    for how in ({}, {"as_json": True}):
        (message,) = channel.parse(gateways.smssync_message("zjarr 🔥", **how))
        assert isinstance(message, Inbound)
        assert message.sent_at == datetime(2026, 3, 14, 12, tzinfo=UTC)
        assert message.text == "zjarr 🔥"
    fields = {"from": "+1", "message": "x", "sent_timestamp": "1773489600"}
    (message,) = channel.parse(gateways.smssync(fields))
    assert isinstance(message, Inbound) and message.sent_at == datetime(2026, 3, 14, 12, tzinfo=UTC)


def test_smssync_needs_the_secret_in_the_address_for_some_calls_repeat_none() -> None:
    channel = channels()["smssync_sms"]
    channel.verify(gateways.smssync(None, task="send"))
    assert refuses(channel, gateways.smssync(None, task="send", tail=""))
    assert refuses(channel, gateways.smssync(None, task="send", tail="the-end-of-the-addresS"))
    wrong = gateways.smssync(None, task="send")
    assert refuses(channel, replace(wrong, query={**wrong.query, "secret": "another"}))


def test_smssync_leaves_results_out_that_are_not_known_yet() -> None:
    channel = channels()["smssync_sms"]
    unknown = {"uuid": "in:7:0", "sent_result_code": 0, "delivered_result_code": -1, "delivered_result_message": ""}
    undelivered = {**unknown, "delivered_result_message": "SMS not delivered"}
    call = gateways.smssync({"message_result": [unknown, undelivered, {}, 7]}, task="result", as_json=True)
    assert channel.parse(call) == []
    for bad in ({"message_result": "[" * 40_000}, {"message_result": 7}, {}):
        with pytest.raises(Refused):
            channel.parse(gateways.smssync(bad, task="result", as_json=True))


def test_smssync_hands_out_messages_with_the_secret_that_the_telephone_expects() -> None:
    channel = channels()["smssync_sms"]
    assert channel.asked(gateways.smssync(None, task="send")) == Asked(most=10)
    _, body = channel.answer_asked(Asked(most=10), [MESSAGE])
    assert f'"secret": "{gateways.SECRET}"'.encode() in body
    assert b'"uuid": "in:7:0"' in body and b'"to": "+38344123456"' in body


# ------------------------------------------------------------------ the signed webhook


def test_the_webhook_signs_as_its_page_says() -> None:
    # printf '1773489600.{"type":"message"}' | openssl dgst -sha256 -hmac 'key'
    expected = "f7a819bba113488e9ea5e71495907cbae394b75e3b14c4ab79b194cb9e99cdeb"
    assert signature(b"key", "1773489600", b'{"type":"message"}') == expected


def test_the_webhook_is_believed_for_five_minutes() -> None:
    moment = 1_773_489_600.0
    channel = WebhookSms(lambda: site.COMMONBEAT, clock=lambda: moment)
    for offset, is_refused in ((0, False), (299, False), (-299, False), (301, True), (-301, True)):
        assert refuses(channel, gateways.webhook({}, at=moment + offset)) is is_refused
    assert refuses(channel, gateways.webhook({}, at=moment, key="another"))
    good = gateways.webhook({"type": "message"}, at=moment)
    assert refuses(channel, replace(good, body=good.body + b" "))


def test_the_webhook_signs_what_it_sends_and_takes_a_repeat_for_sent(gateway) -> None:
    channel = channels()["webhook_sms"]
    for answer, outcome in (
        (
            httpx.Response(200, json={"id": "9", "price": "0.04", "currency": "EUR"}),
            Sent("9", price=Price(40_000, "EUR")),
        ),
        (httpx.Response(409), Sent("in:7:0")),
        (httpx.Response(422, json={"error": "opted_out"}), Failed(OPTED_OUT, permanent=True)),
    ):
        asked = gateway("webhook_sms", answer)
        assert channel.send(MESSAGE) == outcome
        (request,) = asked
        stamp = request.headers["x-commonbeat-timestamp"]
        assert abs(int(stamp) - time.time()) < 60
        assert request.headers["x-commonbeat-signature"] == signature(gateways.KEY.encode(), stamp, request.content)


def test_the_webhook_refuses_what_it_cannot_read_with_a_sentence() -> None:
    channel = channels()["webhook_sms"]
    for raw in (b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 30_000, b'{"type": "letter"}', b'{"type": 3}'):
        with pytest.raises(Refused) as refused:
            channel.parse(gateways.webhook(None, raw=raw))
        assert refused.value.status == 400 and refused.value.sentence.endswith(".")
    for fields in ({"type": "message", "from": 3, "text": "x"}, {"type": "message", "text": "x"}, {"type": "receipt"}):
        with pytest.raises(Refused):
            channel.parse(gateways.webhook(fields))


@pytest.mark.parametrize("text", ["zjarr\x00te ura", "🔥" * 500, "حريق", "\u202e\u200b", ""])
def test_odd_texts_arrive_as_they_were_written(text: str) -> None:
    for code, call in (
        ("twilio_sms", gateways.twilio_message(text)),
        ("vonage_sms", gateways.vonage_message(text)),
        ("vonage_sms", gateways.vonage_message(text, as_json=True)),
        ("africastalking_sms", gateways.africastalking_message(text)),
        ("smssync_sms", gateways.smssync_message(text, as_json=True)),
        ("webhook_sms", gateways.webhook_message(text)),
    ):
        channels()[code].verify(call)
        (message,) = channels()[code].parse(call)
        assert isinstance(message, Inbound) and message.text == text
