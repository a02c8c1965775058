"""Vonage (once Nexmo): see docs/channels/vonage.md for its configuration."""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

import httpx

from commonbeat.channels.calls import (
    answered_object,
    fields_of,
    fingerprint,
    refused_answer,
    sender_of,
    site_options,
    written_moment,
)
from commonbeat.channels.clients import Clients
from commonbeat.config.options import Options
from commonbeat.foundation.text import segments
from commonbeat.messaging.channel import (
    OPTED_OUT,
    Failed,
    Inbound,
    Limits,
    Outbound,
    Piece,
    Receipt,
    Refused,
    Request,
    Sent,
    Setup,
)

# Vonage calls again for 24 hours, and nothing says that it then signs anew; what comes twice is recognised by its id.
WINDOW_SECONDS = 25 * 3600
_ANSWER = ("text/plain; charset=utf-8", b"")
_OUTCOMES = {"delivered": "delivered", "failed": "failed", "rejected": "failed", "expired": "failed"}
# Of receipts: the person has asked not to get messages from this number.
_STOPPED = "9"
# Of sendings: too fast, credentials, an error of theirs, the account or its balance, too many binds, signature.
_MENDABLE = frozenset({"1", "4", "5", "8", "9", "10", "11", "14", "32"})


class VonageSms:
    """Talk to Vonage's SMS API."""

    code = "vonage_sms"
    limits = Limits(address_kind="phone", per_second=20.0)
    setup = Setup(
        title="Vonage",
        to_receive=("vonage_signature_secret",),
        to_send=("vonage_key", "vonage_secret", "vonage_from"),
        hooks=(("Inbound SMS webhook (POST or POST-JSON)", ""),),
        optional=("vonage_signature_method", "vonage_url"),
        goes_to=("vonage_url",),
        purpose="Text messages through Vonage.",
        manual="vonage.md",
    )

    def __init__(self, options: Callable[[], Options], *, clock: Callable[[], float] = time.time) -> None:
        self._options = options
        self._clock = clock

    def verify(self, request: Request) -> None:
        """Check the signature over all fields, and their time."""
        options = self._options()
        secret = options.vonage_signature_secret.encode()
        if not secret:
            raise Refused(403, "The signature is missing or wrong.")
        fields = fields_of(request)
        given = fields.pop("sig", "").lower().encode("utf-8", "surrogateescape")
        expected = signature(secret, fields, options.vonage_signature_method).encode()
        if not hmac.compare_digest(expected, given):
            raise Refused(403, "The signature is missing or wrong.")
        stamp = fields.get("timestamp", "")
        if not (stamp.isdecimal() and stamp.isascii() and len(stamp) <= 12):
            raise Refused(403, "The signed call has no timestamp.")
        if abs(self._clock() - int(stamp)) > WINDOW_SECONDS:
            raise Refused(403, "The signature is too old.")

    def parse(self, request: Request) -> Sequence[Inbound | Receipt]:
        """Read a message, a part of one, or a receipt."""
        fields = fields_of(request)
        number = fields.get("messageId", "")
        if not number:
            # Vonage asks without any message whether the address answers.
            return []
        if "status" in fields:
            return _receipts(fields, number)
        if fields.get("type") == "binary":
            return []
        sender = sender_of(fields.get("msisdn", ""))
        return [
            Inbound(
                provider_id=number,
                sender=f"+{sender}" if sender.isdecimal() and sender.isascii() and len(sender) > 9 else sender,
                text=fields.get("text", ""),
                sent_at=written_moment(fields.get("message-timestamp", "")),
                piece=_piece(fields),
            )
        ]

    def answer(self, request: Request) -> tuple[str, bytes]:
        """Answer with nothing."""
        return _ANSWER

    def send(self, message: Outbound) -> Sent | Failed:
        """Hand one message to the API; our key comes back in the receipt."""
        options = self._options()
        if not (options.vonage_key and options.vonage_secret and options.vonage_from):
            return Failed("not configured", permanent=False)
        fields = {
            "api_key": options.vonage_key,
            "api_secret": options.vonage_secret,
            "from": options.vonage_from.removeprefix("+"),
            "to": message.recipient.removeprefix("+"),
            "text": message.text,
            "type": "unicode" if segments(message.text).encoding == "UCS-2" else "text",
            "client-ref": reference(message.idempotency_key),
            "callback": f"{options.site_url.rstrip('/')}/hooks/{self.code}",
            "status-report-req": "1",
        }
        try:
            response = self._client.post(options.vonage_url.rstrip("/") + "/sms/json", data=fields)
        except httpx.HTTPError as error:
            return Failed(type(error).__name__, permanent=False)
        if not response.is_success:
            return refused_answer(response.status_code)
        return _outcome(answered_object(response.content).get("messages"))

    @cached_property
    def _client(self) -> Clients:
        return Clients(15.0)


def signature(secret: bytes, fields: Mapping[str, str], method: str) -> str:
    """Give the signature of Vonage: HMAC over "&name=value" of the sorted fields, "&" and "=" in values replaced."""
    data = "".join(f"&{name}={fields[name].replace('&', '_').replace('=', '_')}" for name in sorted(fields))
    return hmac.digest(secret, data.encode("utf-8", "surrogatepass"), method).hex()


def reference(key: str) -> str:
    """Give the reference that Vonage returns in receipts; it takes 100 characters, a key has 80 at most."""
    return key[:100]


def _piece(fields: Mapping[str, str]) -> Piece | None:
    number, total = fields.get("concat-part", ""), fields.get("concat-total", "")
    if fields.get("concat") != "true" or not (number.isdecimal() and total.isdecimal()):
        return None
    if not 1 <= int(number[:4]) <= int(total[:4]) <= 255 or total == "1":
        return None
    return Piece(reference=fields.get("concat-ref", "")[:40], number=int(number), total=int(total))


def _receipts(fields: Mapping[str, str], number: str) -> Sequence[Receipt]:
    status, error = fields["status"], fields.get("err-code", "")
    outcome = _OUTCOMES.get(status)
    if outcome is None:
        return []
    code = f"vonage {error}" if error.isdecimal() and len(error) <= 4 else status
    if error == _STOPPED and outcome == "failed":
        code = OPTED_OUT
    return [
        Receipt(
            provider_id=fingerprint("r", number, status, error),
            about=fields.get("client-ref") or number,
            outcome=outcome,
            error=code,
        )
    ]


def _outcome(messages: object) -> Sent | Failed:
    if not isinstance(messages, list) or not messages or not all(isinstance(part, dict) for part in messages):
        return Failed("unreadable answer", permanent=False)
    # One entry per part of a long text. Where one was taken, sending it all again would double that.
    taken = tuple(str(part.get("message-id", "")) for part in messages if str(part.get("status", "")) == "0")
    if taken:
        return Sent(provider_id=taken[0], part_ids=taken if len(taken) > 1 else ())
    status = str(messages[0].get("status", ""))
    code = "authorization" if status in ("4", "14", "32") else f"vonage {status}"[:40]
    return Failed(code, permanent=status not in _MENDABLE)


channel = VonageSms(site_options)
