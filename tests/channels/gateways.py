"""How the SMS gateways call us: Twilio, Vonage, Africa's Talking, SMSSync, the signed webhook."""

from __future__ import annotations

import base64
import hmac
import json
import time
from typing import Any
from urllib.parse import urlencode

import httpx

from commonbeat.messaging.channel import Request

TOKEN = "the auth token of the account"
SIGNING = "a secret to sign with"
SECRET = "the-end-of-the-address"
KEY = "a key of both sides, long enough"
CODES = ("twilio_sms", "vonage_sms", "africastalking_sms", "smssync_sms", "webhook_sms", "smpp_sms")
SETTINGS: dict[str, Any] = {
    "site_url": "https://example.org",
    "twilio_account": "AC1",
    "twilio_token": TOKEN,
    "twilio_from": "+38349000000",
    "twilio_url": "http://gateway.invalid",
    "vonage_key": "abcd1234",
    "vonage_secret": "word",
    "vonage_signature_secret": SIGNING,
    "vonage_from": "38349000000",
    "vonage_url": "http://gateway.invalid",
    "africastalking_username": "commonbeat",
    "africastalking_key": "word",
    "africastalking_sms_secret": SECRET,
    "smssync_secret": SECRET,
    "webhook_key": KEY,
    "webhook_send_url": "http://gateway.invalid/send",
}
NO_SECRETS = {
    "twilio_token": "",
    "vonage_signature_secret": "",
    "africastalking_sms_secret": "",
    "smssync_secret": "",
    "webhook_key": "",
}
NOT_SET_UP = {"twilio_from": "", "vonage_key": "", "africastalking_key": "", "webhook_send_url": ""}
_FORM = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
_JSON = {"content-type": "application/json"}


def twilio(fields: dict[str, str], tail: str = "", *, token: str = TOKEN) -> Request:
    """Make a call that Twilio has signed."""
    address = "https://example.org/hooks/twilio_sms" + (f"/{tail}" if tail else "")
    data = address + "".join(name + fields[name] for name in sorted(fields))
    signature = base64.b64encode(hmac.digest(token.encode(), data.encode(), "sha1")).decode()
    return Request("POST", tail, {}, {**_FORM, "x-twilio-signature": signature}, urlencode(fields).encode())


def twilio_message(text: str, *, sid: str = "") -> Request:
    """Make a message; each text has another id, as each message has."""
    sid = sid or "SM" + text.encode().hex()[:32]
    return twilio({"MessageSid": sid, "SmsStatus": "received", "From": "+38344123456", "To": "+3834900", "Body": text})


def twilio_receipt(about: str, outcome: str, *, error: str = "") -> Request:
    """Make a receipt, at the address that holds our key or with Twilio's id."""
    status = "delivered" if outcome == "delivered" else "undelivered"
    fields = {"MessageSid": about if about.startswith("SM") else "SM9", "MessageStatus": status}
    fields |= {"ErrorCode": error} if error else {}
    tail = "" if about.startswith("SM") else base64.urlsafe_b64encode(about.encode()).decode().rstrip("=")
    return twilio(fields, tail)


def vonage(fields: dict[str, Any], *, as_json: bool = False, at: float | None = None, secret: str = SIGNING) -> Request:
    """Make a call that Vonage has signed."""
    fields = {"api-key": "abcd1234", "timestamp": str(int(time.time() if at is None else at)), "nonce": "n", **fields}
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in fields.items()}
    data = "".join(f"&{name}={texts[name].replace('&', '_').replace('=', '_')}" for name in sorted(texts))
    fields["sig"] = hmac.digest(secret.encode(), data.encode(), "sha256").hex()
    if as_json:
        return Request("POST", "", {}, _JSON, json.dumps(fields).encode())
    return Request("POST", "", {}, _FORM, urlencode({**texts, "sig": fields["sig"]}).encode())


def vonage_message(text: str, **more: Any) -> Request:
    """Make a message; each text has another id, as each message has."""
    number = "0C" + text.encode().hex()[:14]
    fields = {"msisdn": "38344123456", "to": "3834900", "messageId": number, "text": text, "type": "text"}
    how = {name: more.pop(name) for name in ("as_json", "at", "secret") if name in more}
    return vonage({**fields, "message-timestamp": "2026-03-14 12:00:00", **more}, **how)


def vonage_receipt(about: str, outcome: str, *, error: str = "") -> Request:
    """Make a receipt."""
    is_delivered = outcome == "delivered"
    fields = {"msisdn": "38344123456", "messageId": "0C9", "client-ref": about, "price": "0.03330000"}
    return vonage({**fields, "status": outcome, "err-code": error or ("0" if is_delivered else "6")})


def africastalking(tail: str, fields: dict[str, str]) -> Request:
    """Make a call of Africa's Talking."""
    return Request("POST", tail, {}, _FORM, urlencode(fields).encode())


def africastalking_message(text: str) -> Request:
    """Make a message; each text has another id, as each message has."""
    number = "id-" + text.encode().hex()[:20]
    fields = {"id": number, "from": "+38344123456", "to": "1550", "text": text, "date": "2026-03-14 12:00:00"}
    return africastalking(SECRET, fields)


def africastalking_receipt(about: str, outcome: str, *, reason: str = "DeliveryFailure") -> Request:
    """Make a delivery report."""
    fields = {"id": about, "status": "Success" if outcome == "delivered" else "Failed", "phoneNumber": "+38344123456"}
    return africastalking(f"{SECRET}/reports", fields | ({} if outcome == "delivered" else {"failureReason": reason}))


def smssync(fields: dict[str, Any] | None, *, task: str = "", as_json: bool = False, tail: str = SECRET) -> Request:
    """Make a call of the telephone; without fields it asks."""
    query = {"task": task} if task else {}
    if fields is None:
        return Request("GET", tail, query, {}, b"")
    if as_json:
        return Request("POST", tail, query, _JSON, json.dumps(fields).encode())
    return Request("POST", tail, query, _FORM, urlencode(fields).encode())


def smssync_message(text: str, **how: Any) -> Request:
    """Make a message."""
    fields = {"from": "+38344123456", "message": text, "message_id": "7", "sent_to": "", "secret": SECRET}
    return smssync({**fields, "device_id": "1", "sent_timestamp": "1773489600000"}, **how)


def smssync_receipt(about: str, outcome: str) -> Request:
    """Make results, as the application does: a list, as JSON, as a text in JSON."""
    word = "SMS delivered" if outcome == "delivered" else ""
    one = {"uuid": about, "sent_result_code": 0 if word else 4, "sent_result_message": "x"}
    one |= {"delivered_result_code": 0, "delivered_result_message": word}
    return smssync({"message_result": json.dumps([one])}, task="result", as_json=True)


def webhook(fields: object, *, at: float | None = None, key: str = KEY, raw: bytes | None = None) -> Request:
    """Make a signed call."""
    body = json.dumps(fields).encode() if raw is None else raw
    stamp = str(int(time.time() if at is None else at))
    signature = hmac.digest(key.encode(), stamp.encode() + b"." + body, "sha256").hex()
    headers = {**_JSON, "x-commonbeat-timestamp": stamp, "x-commonbeat-signature": signature}
    return Request("POST", "", {}, headers, body)


def webhook_message(text: str) -> Request:
    """Make a message without an id: it is made of what the message says."""
    return webhook({"type": "message", "from": "+38344123456", "text": text, "sent_at": "2026-03-14T12:00:00Z"})


def webhook_receipt(about: str, outcome: str) -> Request:
    """Make a receipt."""
    return webhook({"type": "receipt", "about": about, "outcome": outcome})


PROVIDERS: list[dict[str, Any]] = [
    {
        "code": "twilio_sms",
        "message": twilio_message,
        "receipt": twilio_receipt,
        "accepts": httpx.Response(201, json={"sid": "SM1", "status": "queued", "price": None, "price_unit": "USD"}),
        "refuses_for_good": httpx.Response(400, json={"code": 21211, "message": "Invalid 'To' number +383"}),
        # The key travels in the address of the receipt, in letters that no proxy rewrites.
        "takes_key": False,
        "says_when": False,
        "answer": b"<Response/>",
    },
    {
        "code": "vonage_sms",
        "message": vonage_message,
        "receipt": vonage_receipt,
        "accepts": httpx.Response(200, json={"message-count": "1", "messages": [{"status": "0", "message-id": "0C1"}]}),
        "refuses_for_good": httpx.Response(200, json={"messages": [{"status": "3", "error-text": "Invalid to +383"}]}),
    },
    {
        "code": "africastalking_sms",
        "message": africastalking_message,
        "receipt": africastalking_receipt,
        "accepts": httpx.Response(
            201,
            json={
                "SMSMessageData": {
                    "Recipients": [
                        {"statusCode": 101, "messageId": "ATXid_1", "cost": "KES 0.8000", "status": "Success"}
                    ]
                }
            },
        ),
        "refuses_for_good": httpx.Response(
            201, json={"SMSMessageData": {"Recipients": [{"statusCode": 403, "number": "+383"}]}}
        ),
        "takes_key": False,
    },
    {
        "code": "smssync_sms",
        "message": smssync_message,
        "receipt": smssync_receipt,
        "accepts": httpx.Response(200),
        "refuses_for_good": httpx.Response(400),
        "is_called": False,
        "answer": b'{"payload": {"success": true, "error": null}}',
    },
    {
        "code": "webhook_sms",
        "message": webhook_message,
        "receipt": webhook_receipt,
        "accepts": httpx.Response(202),
        "refuses_for_good": httpx.Response(422, json={"error": "invalid_number"}),
    },
]
