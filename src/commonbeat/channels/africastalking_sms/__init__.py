"""Africa's Talking, text messages: see docs/channels/africastalking_sms.md for its configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

import httpx

from commonbeat.channels.calls import (
    answered_object,
    fields_of,
    fingerprint,
    refused_answer,
    require_end_of_address,
    sender_of,
    site_options,
    written_moment,
)
from commonbeat.channels.clients import Clients
from commonbeat.config.options import Options
from commonbeat.foundation import clock
from commonbeat.messaging.channel import (
    OPTED_OUT,
    Failed,
    Inbound,
    Limits,
    Outbound,
    Price,
    Receipt,
    Refused,
    Request,
    Sent,
    Setup,
    price_of,
)

_ANSWER = ("text/plain; charset=utf-8", b"")
_OUTCOMES = {"Success": "delivered", "Failed": "failed", "Rejected": "failed", "AbsentSubscriber": "failed"}
# The person has opted out of what this sender sends; the provider's list keeps the number until it is taken off.
_STOPPED_REASONS = frozenset({"UserInBlackList", "UserInBlacklist"})
_STOPPED = 406
_TAKEN = frozenset({100, 101, 102})
# Numbers and routes that no repetition mends; a sender name or a balance is mended by the operator.
_HOPELESS = frozenset({403, 404, 407, 409, 502})


class AfricasTalkingSms:
    """Talk to Africa's Talking's SMS API."""

    code = "africastalking_sms"
    limits = Limits(address_kind="phone", per_second=10.0)
    setup = Setup(
        title="Africa's Talking, text messages",
        to_receive=("africastalking_sms_secret",),
        to_send=("africastalking_username", "africastalking_key"),
        hooks=(
            ("Incoming messages", "/{africastalking_sms_secret}"),
            ("Delivery reports", "/{africastalking_sms_secret}/reports"),
            ("Bulk SMS opt-out", "/{africastalking_sms_secret}/stop"),
        ),
        optional=("africastalking_from",),
        purpose="Text messages through Africa's Talking.",
        manual="africastalking_sms.md",
    )

    def __init__(self, options: Callable[[], Options]) -> None:
        self._options = options

    def verify(self, request: Request) -> None:
        """Compare the secret at the end of the address; Africa's Talking does not sign."""
        if request.method != "POST":
            raise Refused(403, "This address is not known.")
        require_end_of_address(self._options().africastalking_sms_secret, request)

    def parse(self, request: Request) -> Sequence[Inbound | Receipt]:
        """Read a message, a delivery report, or that somebody has opted out."""
        fields = fields_of(request)
        if "status" in fields and "text" not in fields:
            return _receipts(fields)
        if "senderId" in fields and "text" not in fields:
            return [_stop(sender_of(fields.get("phoneNumber", "")))]
        text, number = fields.get("text"), fields.get("id", "")
        if text is None:
            raise Refused(400, "The call is no message, no delivery report and no opt-out.")
        sender = sender_of(fields.get("from", ""))
        return [
            Inbound(
                provider_id=number or fingerprint(sender, text, fields.get("date", "")),
                sender=sender,
                text=text,
                sent_at=written_moment(fields.get("date", "")),
            )
        ]

    def answer(self, request: Request) -> tuple[str, bytes]:
        """Answer with nothing."""
        return _ANSWER

    def send(self, message: Outbound) -> Sent | Failed:
        """Hand one message to the API, which knows no key of ours."""
        options = self._options()
        if not (options.africastalking_username and options.africastalking_key):
            return Failed("not configured", permanent=False)
        host = "api.sandbox" if options.africastalking_username == "sandbox" else "api"
        fields = {
            "username": options.africastalking_username,
            "to": message.recipient,
            "message": message.text,
            # It waits in their queue rather than holding up ours.
            "enqueue": "1",
        }
        if options.africastalking_from:
            fields["from"] = options.africastalking_from
        try:
            response = self._client.post(
                f"https://{host}.africastalking.com/version1/messaging",
                data=fields,
                headers={"apiKey": options.africastalking_key, "accept": "application/json"},
            )
        except httpx.HTTPError as error:
            return Failed(type(error).__name__, permanent=False)
        if not response.is_success:
            return refused_answer(response.status_code)
        return _outcome(answered_object(response.content).get("SMSMessageData"))

    @cached_property
    def _client(self) -> Clients:
        return Clients(15.0)


def _stop(sender: str) -> Inbound:
    # The call has no id. Told again on the same day it is the same; after a START it is another day's.
    day = clock.now().date().isoformat()
    return Inbound(provider_id=fingerprint("stop", sender, day), sender=sender, text="STOP")


def _receipts(fields: Mapping[str, str]) -> Sequence[Receipt]:
    number, status, reason = fields.get("id", ""), fields["status"], fields.get("failureReason", "")
    if not number:
        raise Refused(400, "The delivery report has no id.")
    outcome = _OUTCOMES.get(status)
    if outcome is None:
        return []
    error = OPTED_OUT if reason in _STOPPED_REASONS else (reason or status)
    is_code = error.isascii() and error.replace("_", "").isalnum()
    return [
        Receipt(
            provider_id=fingerprint("r", number, status),
            about=number,
            outcome=outcome,
            error=error[:40] if is_code else "undelivered",
        )
    ]


def _outcome(data: object) -> Sent | Failed:
    recipients = data.get("Recipients") if isinstance(data, dict) else None
    if not isinstance(recipients, list) or not recipients or not isinstance(recipients[0], dict):
        # With none, "Message" says why, for all at once: InvalidSenderId, InsufficientBalance …
        return Failed("not taken", permanent=False)
    one = recipients[0]
    status, number = one.get("statusCode"), one.get("messageId")
    if status in _TAKEN and isinstance(number, str):
        return Sent(provider_id=number, price=_price(one.get("cost")))
    if status == _STOPPED:
        return Failed(OPTED_OUT, permanent=True)
    code = status if isinstance(status, int) else 0
    return Failed(f"africastalking {code}", permanent=code in _HOPELESS)


def _price(cost: object) -> Price | None:
    # "KES 0.8000"
    currency, _, amount = cost.partition(" ") if isinstance(cost, str) else ("", "", "")
    return price_of(amount, currency)


channel = AfricasTalkingSms(site_options)
