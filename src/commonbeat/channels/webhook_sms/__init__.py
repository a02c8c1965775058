"""The signed webhook, for every gateway that has no folder here: see docs/channels/webhook.md for the calls."""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import httpx

from commonbeat.channels.calls import (
    answered_object,
    fingerprint,
    moment,
    object_of,
    refused_answer,
    sender_of,
    site_options,
    written_moment,
)
from commonbeat.channels.clients import Clients
from commonbeat.config.options import Options
from commonbeat.messaging.channel import (
    OPTED_OUT,
    Failed,
    Inbound,
    Limits,
    Outbound,
    Receipt,
    Refused,
    Request,
    Sent,
    Setup,
    price_of,
)

# A signature older or newer than this is refused.
WINDOW_SECONDS = 300
_ANSWER = ("application/json", b"{}")
_ERROR_LENGTH = 40


class WebhookSms:
    """Talk to whatever speaks the signed webhook."""

    code = "webhook_sms"
    limits = Limits(address_kind="phone", per_second=20.0, knows_keys=True)
    setup = Setup(
        title="Signed webhook",
        to_receive=("webhook_key",),
        to_send=("webhook_key", "webhook_send_url"),
        hooks=(("Messages and receipts (POST)", ""),),
        # The key does not go there, but what is signed with it does.
        goes_to=("webhook_send_url",),
        purpose="Text messages through a program of your own, or any gateway that can be taught to sign.",
        manual="webhook.md",
    )

    def __init__(self, options: Callable[[], Options], *, clock: Callable[[], float] = time.time) -> None:
        self._options = options
        self._clock = clock

    def verify(self, request: Request) -> None:
        """Check the signature over time and body."""
        key = self._options().webhook_key.encode()
        stamp = request.headers.get("x-commonbeat-timestamp", "")
        given = request.headers.get("x-commonbeat-signature", "").lower().encode("utf-8", "surrogateescape")
        if not key or request.method != "POST":
            raise Refused(403, "The signature is missing or wrong.")
        if not hmac.compare_digest(signature(key, stamp, request.body).encode(), given):
            raise Refused(403, "The signature is missing or wrong.")
        if not stamp.isdecimal() or len(stamp) > 12 or abs(self._clock() - int(stamp)) > WINDOW_SECONDS:
            raise Refused(403, "The signature is too old. Check the clock of the gateway.")

    def parse(self, request: Request) -> Sequence[Inbound | Receipt]:
        """Read one message or one receipt."""
        fields = object_of(request.body)
        kind = fields.get("type")
        if kind == "message":
            return [_message(fields)]
        if kind == "receipt":
            return _receipts(fields)
        raise Refused(400, "“type” must be “message” or “receipt”; see docs/channels/webhook.md.")

    def answer(self, request: Request) -> tuple[str, bytes]:
        """Give an empty object."""
        return _ANSWER

    def send(self, message: Outbound) -> Sent | Failed:
        """Post one message, signed in the same way."""
        options = self._options()
        if not (options.webhook_send_url and options.webhook_key):
            return Failed("not configured", permanent=False)
        told = {"type": "message", "id": message.idempotency_key, "to": message.recipient, "text": message.text}
        body = json.dumps(told, ensure_ascii=False).encode("utf-8", "replace")
        stamp = str(int(self._clock()))
        headers = {
            "content-type": "application/json",
            "x-commonbeat-timestamp": stamp,
            "x-commonbeat-signature": signature(options.webhook_key.encode(), stamp, body),
        }
        try:
            response = self._client.post(options.webhook_send_url, content=body, headers=headers)
        except httpx.HTTPError as error:
            return Failed(type(error).__name__, permanent=False)
        answered = answered_object(response.content)
        # 409: the gateway has this id already, from an attempt whose answer we did not get.
        if response.is_success or response.status_code == 409:
            number = answered.get("id")
            price, currency = answered.get("price"), answered.get("currency")
            return Sent(
                provider_id=number if isinstance(number, str) and number else message.idempotency_key,
                price=price_of(str(price), currency) if isinstance(currency, str) else None,
            )
        if answered.get("error") == OPTED_OUT:
            return Failed(OPTED_OUT, permanent=True)
        return refused_answer(response.status_code)

    @cached_property
    def _client(self) -> Clients:
        return Clients(15.0)


def signature(key: bytes, stamp: str, body: bytes) -> str:
    """Give the signature: HMAC-SHA256 over the time, a full stop and the body, in hexadecimal."""
    return hmac.digest(key, stamp.encode("utf-8", "surrogateescape") + b"." + body, "sha256").hex()


def _message(fields: Mapping[str, Any]) -> Inbound:
    sender, text = _text(fields, "from"), _text(fields, "text")
    sent = fields.get("sent_at")
    return Inbound(
        provider_id=_text(fields, "id") or fingerprint(sender, text, str(sent)),
        sender=sender_of(sender),
        text=text,
        sent_at=moment(sent) if isinstance(sent, int | float) else written_moment(str(sent or "")),
    )


def _receipts(fields: Mapping[str, Any]) -> Sequence[Receipt]:
    about, outcome = _text(fields, "about"), _text(fields, "outcome")
    if not (about.isprintable() and about and outcome):
        raise Refused(400, "A receipt needs “about” and “outcome”.")
    if outcome not in ("delivered", "failed"):
        return []
    error = _text(fields, "error")[:_ERROR_LENGTH]
    # A code, never a sentence: that may hold the number.
    error = error if error.isascii() and error.replace("_", "").isalnum() and not error.isdecimal() else ""
    return [Receipt(provider_id=fingerprint("r", about, outcome), about=about, outcome=outcome, error=error)]


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name, "")
    if isinstance(value, str):
        return value
    raise Refused(400, f"“{name}” must be text in quotation marks.")


channel = WebhookSms(site_options)
