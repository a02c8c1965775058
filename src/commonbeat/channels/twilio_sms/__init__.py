"""Twilio: see docs/channels/twilio.md for its configuration."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable, Sequence
from functools import cached_property
from urllib.parse import urlsplit

import httpx

from commonbeat.channels.calls import answered_object, form_of, refused_answer, sender_of, site_options
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

# The person has told Twilio to stop: https://www.twilio.com/docs/api/errors/21610
_STOPPED = 21610
# Numbers that no text can reach: not a number, not mobile, not allowed there, not reachable.
_HOPELESS = frozenset({21211, 21214, 21217, 21408, 21421, 21606, 21612, 21614, 21617, 30003, 30004, 30005, 30006})
_OUTCOMES = {"delivered": "delivered", "read": "delivered", "undelivered": "failed", "failed": "failed"}
# An empty document: what stood in it would be sent to the person.
_ANSWER = ("text/xml; charset=utf-8", b"<Response/>")


class TwilioSms:
    """Talk to Twilio's Messaging API."""

    code = "twilio_sms"
    # Long codes send one a second and Twilio queues what is more; short codes a hundred.
    limits = Limits(address_kind="phone", per_second=10.0)
    setup = Setup(
        title="Twilio",
        to_receive=("twilio_token",),
        to_send=("twilio_account", "twilio_token", "twilio_from"),
        hooks=(("A message comes in (POST)", ""),),
        optional=("twilio_url",),
        goes_to=("twilio_url",),
        purpose="Text messages through Twilio.",
        manual="twilio.md",
    )

    def __init__(self, options: Callable[[], Options]) -> None:
        self._options = options

    def verify(self, request: Request) -> None:
        """Check the signature over our address and the fields of the form.

        It has no time in it: a call made again is recognised by its MessageSid, which is signed.
        """
        token = self._options().twilio_token.encode()
        given = request.headers.get("x-twilio-signature", "").encode("utf-8", "surrogateescape")
        if not token or request.method != "POST" or request.query:
            raise Refused(403, "The signature is missing or wrong.")
        fields = form_of(request.body)
        expected = [signature(token, address, fields) for address in self._addresses(request)]
        if not any(hmac.compare_digest(one, given) for one in expected):
            raise Refused(403, "The signature is missing or wrong.")

    def parse(self, request: Request) -> Sequence[Inbound | Receipt]:
        """Read a message, or what became of one of ours."""
        fields = dict(form_of(request.body))
        sid = fields.get("MessageSid") or fields.get("SmsSid", "")
        status = fields.get("MessageStatus") or fields.get("SmsStatus", "")
        if not sid:
            raise Refused(400, "The call has no MessageSid.")
        if status and status != "received":
            return _receipts(request, sid, status, fields.get("ErrorCode", ""))
        return [Inbound(provider_id=sid, sender=sender_of(fields.get("From", "")), text=fields.get("Body", ""))]

    def answer(self, request: Request) -> tuple[str, bytes]:
        """Give an empty TwiML document."""
        return _ANSWER

    def send(self, message: Outbound) -> Sent | Failed:
        """Hand one message to the API. Twilio knows no key of ours; it comes back in the address of the receipt."""
        options = self._options()
        if not (options.twilio_account and options.twilio_token and options.twilio_from):
            return Failed("not configured", permanent=False)
        is_service = options.twilio_from.startswith("MG")
        try:
            response = self._client.post(
                f"{options.twilio_url.rstrip('/')}/2010-04-01/Accounts/{options.twilio_account}/Messages.json",
                auth=(options.twilio_account, options.twilio_token),
                data={
                    "To": message.recipient,
                    "MessagingServiceSid" if is_service else "From": options.twilio_from,
                    "Body": message.text,
                    "StatusCallback": f"{self._hook()}/{key_in_address(message.idempotency_key)}",
                },
            )
        except httpx.HTTPError as error:
            return Failed(type(error).__name__, permanent=False)
        answered = answered_object(response.content)
        sid, code = answered.get("sid"), answered.get("code")
        if response.is_success and isinstance(sid, str):
            price, unit = answered.get("price"), answered.get("price_unit")
            return Sent(provider_id=sid, price=price_of(price, str(unit)) if isinstance(price, str) else None)
        if code == _STOPPED:
            return Failed(OPTED_OUT, permanent=True)
        if code in _HOPELESS:
            return Failed(f"twilio {code}", permanent=True)
        return refused_answer(response.status_code if not response.is_success else 502)

    @cached_property
    def _client(self) -> Clients:
        return Clients(15.0)

    def _hook(self) -> str:
        return f"{self._options().site_url.rstrip('/')}/hooks/{self.code}"

    def _addresses(self, request: Request) -> list[str]:
        # As it was pasted, with a slash at the end or without; and Twilio signs with the port or without it.
        hook = self._hook() + (f"/{request.tail}" if request.tail else "")
        parts = urlsplit(hook)
        host = parts.hostname or ""
        host = f"[{host}]" if ":" in host else host
        standard = 443 if parts.scheme == "https" else 80
        found = []
        for netloc in (parts.netloc, host, f"{host}:{parts.port or standard}"):
            address = parts._replace(netloc=netloc).geturl()
            found += [address, address + "/"] if not request.tail else [address]
        return found


def signature(token: bytes, address: str, fields: Sequence[tuple[str, str]]) -> bytes:
    """Give the signature of Twilio: HMAC-SHA1 over the address and the sorted fields, as base64."""
    data = address + "".join(name + value for name, value in sorted(set(fields)))
    return base64.b64encode(hmac.digest(token, data.encode("utf-8", "surrogatepass"), "sha1"))


def key_in_address(key: str) -> str:
    """Write a key so that no proxy rewrites it in an address."""
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def _key_of(tail: str) -> str:
    try:
        return base64.urlsafe_b64decode(tail + "=" * (-len(tail) % 4)).decode() if len(tail) <= 200 else ""
    except ValueError:
        return ""


def _receipts(request: Request, sid: str, status: str, error: str) -> Sequence[Receipt]:
    outcome = _OUTCOMES.get(status)
    if outcome is None:
        return []
    code = f"twilio {error}" if error.isdecimal() and len(error) <= 6 else status
    if error == str(_STOPPED):
        code = OPTED_OUT
    # The key is in the address that we gave, so that a receipt is known even when the answer to our sending was lost.
    about = _key_of(request.tail) or sid
    return [Receipt(provider_id=f"r:{sid}:{status}", about=about, outcome=outcome, error=code)]


channel = TwilioSms(site_options)
