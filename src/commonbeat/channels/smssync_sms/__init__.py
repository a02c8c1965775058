"""SMSSync, an old Android telephone as gateway: see docs/channels/smssync.md for its configuration."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from commonbeat.channels.calls import (
    fields_of,
    fingerprint,
    moment,
    object_of,
    require_end_of_address,
    sender_of,
    site_options,
)
from commonbeat.config.options import Options
from commonbeat.messaging.channel import (
    Asked,
    Failed,
    Inbound,
    Limits,
    Outbound,
    Receipt,
    Refused,
    Request,
    Sent,
    Setup,
)

_JSON = "application/json"
_TAKEN = json.dumps({"payload": {"success": True, "error": None}}).encode()
# Of the delivery, versions write 0 or Android's own -1; both also stand there before anything is known, without words.
# Of the sending, what is above 0 is a fault (1 general, 2 radio off, 4 no service).
_WELL = (0, -1)
# The application sends one text after the other and Android asks its owner beyond about thirty in half an hour.
_AT_ONCE = 10
_RESULTS_AT_ONCE = 200
# 2001-09-09 in milliseconds. Before it, a number would be in seconds, as the documentation of the application says.
_MILLISECONDS_FROM = 1_000_000_000_000


class SmsSync:
    """Talk to the application SMSSync, which calls us for everything."""

    code = "smssync_sms"
    limits = Limits(address_kind="phone", per_second=1.0, knows_keys=True)
    setup = Setup(
        title="SMSSync (an old Android telephone)",
        to_receive=("smssync_secret",),
        to_send=("smssync_secret",),
        hooks=(("Sync URL", "/{smssync_secret}"),),
        optional=("smssync_confirms",),
        purpose="Text messages through an old Android telephone, which comes for them by itself.",
        manual="smssync.md",
    )

    def __init__(self, options: Callable[[], Options]) -> None:
        self._options = options

    def verify(self, request: Request) -> None:
        """Compare the secret at the end of the address, and the one that the application repeats where it does.

        Not every call of the application repeats it, so the address must hold it.
        """
        secret = self._options().smssync_secret
        require_end_of_address(secret, request)
        given = request.query.get("secret")
        if given is not None and not hmac.compare_digest(secret.encode(), given.encode("utf-8", "surrogateescape")):
            raise Refused(403, "The secret of the application is not the one at the end of the address.")

    def parse(self, request: Request) -> Sequence[Inbound | Receipt]:
        """Read a message, or what became of those that the telephone sent."""
        task = request.query.get("task", "")
        if task == "result" and request.method == "POST":
            return _receipts(object_of(request.body))
        if task or request.method != "POST":
            return []
        fields = fields_of(request)
        sender, text = sender_of(fields.get("from", "")), fields.get("message")
        if text is None:
            raise Refused(400, "A message needs “from” and “message”.")
        stamp = fields.get("sent_timestamp", "")
        # The telephone's own id is random since 2.7 and absent before.
        number = fingerprint(fields.get("message_id", ""), sender, stamp, text)
        return [Inbound(provider_id=number, sender=sender, text=text, sent_at=_time(stamp))]

    def answer(self, request: Request) -> tuple[str, bytes]:
        """Say that the message is stored, in the words that the application looks for."""
        return _JSON, _TAKEN

    def asked(self, request: Request) -> Asked | None:
        """Tell whether the telephone comes for messages, or says which it took."""
        task = request.query.get("task", "")
        if task == "send":
            return Asked(most=_AT_ONCE, will_confirm=self._options().smssync_confirms)
        if task == "sent" and request.method == "POST":
            taken = object_of(request.body).get("queued_messages")
            keys = taken[:_RESULTS_AT_ONCE] if isinstance(taken, list) else []
            return Asked(confirmed=tuple(key for key in keys if isinstance(key, str) and key.isprintable()))
        if task == "result" and request.method == "GET":
            return Asked(open=_RESULTS_AT_ONCE)
        return None

    def answer_asked(self, asked: Asked, found: Sequence[Outbound | str]) -> tuple[str, bytes]:
        """Give the messages to send, or the ids of those that the telephone may send now."""
        if not asked.most:
            return _JSON, json.dumps({"message_uuids": [one for one in found if isinstance(one, str)]}).encode()
        messages = [
            {"to": one.recipient, "message": one.text, "uuid": one.idempotency_key}
            for one in found
            if isinstance(one, Outbound)
        ]
        payload = {"success": True, "task": "send", "secret": self._options().smssync_secret, "messages": messages}
        return _JSON, json.dumps({"payload": payload}, ensure_ascii=False).encode("utf-8", "replace")

    def send(self, message: Outbound) -> Sent | Failed:
        """Wait: the telephone comes for its messages by itself."""
        return Failed("waits for the telephone", permanent=False)


def _receipts(body: Mapping[str, Any]) -> Sequence[Receipt]:
    results = body.get("message_result")
    if isinstance(results, str):
        # The application writes the list as JSON and then the text that it got as JSON again.
        results = _list_in(results)
    if not isinstance(results, list):
        raise Refused(400, "The results have no “message_result”.")
    receipts = []
    for one in results[:_RESULTS_AT_ONCE]:
        about = one.get("uuid") if isinstance(one, dict) else None
        if not isinstance(about, str) or not about:
            continue
        sent, word = one.get("sent_result_code"), str(one.get("delivered_result_message") or "").lower()
        if word and "not" not in word and one.get("delivered_result_code") in _WELL:
            receipts.append(Receipt(provider_id=f"r:{about}:delivered", about=about, outcome="delivered"))
        elif isinstance(sent, int) and sent > 0:
            receipts.append(
                Receipt(provider_id=f"r:{about}:failed", about=about, outcome="failed", error=f"android {sent % 1000}")
            )
    return receipts


def _list_in(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _time(text: str) -> Any:
    if not (text.isdecimal() and text.isascii() and len(text) <= 15):
        return None
    number = int(text)
    return moment(number / 1000 if number >= _MILLISECONDS_FROM else number)


channel = SmsSync(site_options)
