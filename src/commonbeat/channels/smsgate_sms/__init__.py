"""SMSGate, an Android telephone as gateway: see docs/channels/smsgate.md for its configuration."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Sequence
from functools import cached_property

import httpx
import msgspec

from commonbeat.channels.calls import fingerprint, refused_answer, site_options, written_moment
from commonbeat.channels.clients import Clients
from commonbeat.config.options import Options
from commonbeat.messaging.channel import Failed, Inbound, Limits, Outbound, Receipt, Refused, Request, Sent, Setup

# A signature older or newer than this is refused, so that a call that leaked cannot be made again later.
WINDOW_SECONDS = 300
_ANSWER = ("application/json", b"{}")


class _Payload(msgspec.Struct):
    messageId: str = ""
    message: str = ""
    sender: str = ""
    phoneNumber: str = ""
    receivedAt: str = ""


class _Event(msgspec.Struct):
    id: str
    event: str
    payload: _Payload


_decoder = msgspec.json.Decoder(_Event)


class SmsGateSms:
    """Talk to SMSGate's cloud or private server."""

    code = "smsgate_sms"
    # The app keeps a queue and a pace of its own (its settings, "limits"); this only spares its API.
    limits = Limits(address_kind="phone", per_second=10.0, knows_keys=True)
    setup = Setup(
        title="SMSGate (an Android telephone)",
        to_receive=("smsgate_signing_key",),
        to_send=("smsgate_url", "smsgate_username", "smsgate_password"),
        hooks=(("sms:received, sms:delivered, sms:failed", ""),),
        goes_to=("smsgate_url",),
        purpose="Text messages through an Android telephone with a SIM card.",
        manual="smsgate.md",
    )

    def __init__(self, options: Callable[[], Options], *, clock: Callable[[], float] = time.time) -> None:
        self._options = options
        self._clock = clock

    def verify(self, request: Request) -> None:
        """Check the signature over body and time."""
        key = self._options().smsgate_signing_key.encode()
        stamp = request.headers.get("x-timestamp", "")
        given = request.headers.get("x-signature", "")
        if not key or request.method != "POST":
            raise Refused(403, "The signature is missing or wrong.")
        digest = hmac.digest(key, request.body + stamp.encode("utf-8", "surrogateescape"), "sha256").hex()
        # Bytes: compare_digest refuses text that is not ASCII.
        if not hmac.compare_digest(digest.encode(), given.lower().encode("utf-8", "surrogateescape")):
            raise Refused(403, "The signature is missing or wrong.")
        if not stamp.isdecimal() or len(stamp) > 12 or abs(self._clock() - int(stamp)) > WINDOW_SECONDS:
            raise Refused(403, "The signature is too old. Check the clock of the telephone.")

    def parse(self, request: Request) -> Sequence[Inbound | Receipt]:
        """Read one event; events that do not matter give nothing."""
        event = _event(request.body)
        payload = event.payload
        if event.event == "sms:received":
            sender = payload.sender or payload.phoneNumber
            if not sender:
                raise Refused(400, "The message names no sender.")
            return [
                Inbound(
                    provider_id=_fingerprint(event),
                    sender=sender[:60],
                    text=payload.message,
                    sent_at=written_moment(payload.receivedAt),
                )
            ]
        if event.event in ("sms:delivered", "sms:failed") and payload.messageId:
            outcome = event.event.removeprefix("sms:")
            # Delivered comes once per part, with an event id each.
            return [Receipt(provider_id=f"r:{event.id}", about=payload.messageId, outcome=outcome)]
        return []

    def answer(self, request: Request) -> tuple[str, bytes]:
        """Give an empty object."""
        return _ANSWER

    def send(self, message: Outbound) -> Sent | Failed:
        """Hand one message to the API; the id is our key, so that a repeat is recognised there."""
        options = self._options()
        if not options.smsgate_url:
            return Failed("not configured", permanent=False)
        body = {
            "id": provider_key(message.idempotency_key),
            "textMessage": {"text": message.text},
            "phoneNumbers": [message.recipient],
            "withDeliveryReport": True,
        }
        try:
            response = self._client.post(
                options.smsgate_url.rstrip("/") + "/message",
                json=body,
                auth=(options.smsgate_username, options.smsgate_password),
                headers={"Idempotency-Key": message.idempotency_key},
            )
        except httpx.HTTPError as error:
            return Failed(type(error).__name__, permanent=False)
        status = response.status_code
        # 409: the gateway has this id already, from an attempt whose answer we did not get.
        if 200 <= status < 300 or status == 409:
            return Sent(provider_id=provider_key(message.idempotency_key))
        return refused_answer(status)

    @cached_property
    def _client(self) -> Clients:
        return Clients(15.0)


def provider_key(idempotency_key: str) -> str:
    """Give the id that SMSGate knows a message by: our key, or its hash beyond the 36 characters it takes."""
    if len(idempotency_key) <= 36:
        return idempotency_key
    return hashlib.sha256(idempotency_key.encode()).hexdigest()[:36]


def _event(body: bytes) -> _Event:
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    # Telephones cut long texts in the middle of an emoji, and half of one is not valid JSON text: keep the rest.
    try:
        tree = json.loads(body.decode("utf-8", "replace"))
        whole = json.dumps(tree, ensure_ascii=False).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return msgspec.convert(_without_nulls(json.loads(whole)), _Event)
    except (ValueError, RecursionError, msgspec.ValidationError):
        raise Refused(400, "The body is not an event of SMSGate.") from None


def _fingerprint(event: _Event) -> str:
    # The telephone's messageId is a hash of 32 bits: among 65,000 messages two would likely share one, and the
    # second would be lost. The id of the event differs when two webhooks are set up for one telephone.
    payload = event.payload
    when = payload.receivedAt or event.id
    return fingerprint(payload.messageId, payload.sender or payload.phoneNumber, when, payload.message)


def _without_nulls(tree: object) -> object:
    if isinstance(tree, dict):
        return {key: _without_nulls(value) for key, value in tree.items() if value is not None}
    return tree


channel = SmsGateSms(site_options)
