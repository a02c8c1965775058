"""Kannel, the SMS gateway: see docs/channels/kannel.md for its configuration."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cached_property
from urllib.parse import quote

import httpx

from commonbeat.channels.calls import require_end_of_address, site_options
from commonbeat.channels.clients import Clients
from commonbeat.config.options import Options
from commonbeat.foundation.text import segments
from commonbeat.messaging.channel import Failed, Inbound, Limits, Outbound, Receipt, Refused, Request, Sent, Setup

# Delivered, failed and rejected; "queued" and "accepted" say nothing that we act on.
_DLR_MASK = 1 + 2 + 16
_OUTCOMES = {"1": "delivered", "2": "failed", "16": "failed"}
_UCS2 = {"UTF-16BE", "UCS-2", "UCS2", "UTF-16"}
_TEXT = "text/plain; charset=utf-8"


class KannelSms:
    """Talk to Kannel's smsbox."""

    code = "kannel_sms"
    limits = Limits(address_kind="phone", per_second=20.0)
    setup = Setup(
        title="Kannel",
        to_receive=("kannel_hook_secret",),
        to_send=("kannel_send_url", "kannel_username", "kannel_password", "kannel_hook_secret"),
        hooks=(("get-url", "/{kannel_hook_secret}"),),
        goes_to=("kannel_send_url",),
        purpose="Text messages through a Kannel gateway, beside an operator's message centre or a modem.",
        manual="kannel.md",
    )

    def __init__(self, options: Callable[[], Options]) -> None:
        self._options = options

    def verify(self, request: Request) -> None:
        """Compare the secret at the end of the address; Kannel cannot sign."""
        require_end_of_address(self._options().kannel_hook_secret, request)

    def parse(self, request: Request) -> Sequence[Inbound | Receipt]:
        """Read a message, or a delivery report under …/dlr."""
        query = request.query
        if request.tail.partition("/")[2].strip("/") == "dlr":
            return _receipts(query.get("key", ""), query.get("type", ""))
        sender, raw = query.get("from", ""), query.get("text")
        if not sender or raw is None:
            raise Refused(400, "A message needs “from” and “text”; see docs/channels/kannel.md for the address.")
        text = _decoded(raw, query.get("charset", ""), query.get("coding", ""))
        sent_at = _time(query.get("ts", ""))
        # Centres begin their ids anew after a restart, and some send none: what was said and by whom is part of ours.
        provider_id = _fingerprint(sender, raw, query.get("id") or query.get("ts", ""))
        return [Inbound(provider_id=provider_id, sender=_plain(sender), text=text, sent_at=sent_at)]

    def answer(self, request: Request) -> tuple[str, bytes]:
        """Answer with nothing: Kannel would send a body to the person."""
        return _TEXT, b""

    def send(self, message: Outbound) -> Sent | Failed:
        """Hand a message to sendsms."""
        options = self._options()
        if not options.kannel_send_url:
            return Failed("not configured", permanent=False)
        key = quote(message.idempotency_key, safe="")
        hook = f"{options.site_url}/hooks/{self.code}/{quote(options.kannel_hook_secret, safe='')}"
        fields = {
            "username": options.kannel_username,
            "password": options.kannel_password,
            "to": message.recipient,
            "text": message.text,
            "charset": "UTF-8",
            "dlr-mask": str(_DLR_MASK),
            "dlr-url": f"{hook}/dlr?key={key}&type=%d",
        }
        if options.sms_number:
            fields["from"] = options.sms_number
        if segments(message.text).encoding == "UCS-2":
            fields["coding"] = "2"
        try:
            response = self._client.get(options.kannel_send_url, params=fields)
        except httpx.HTTPError as error:
            return Failed(type(error).__name__, permanent=False)
        return _outcome(response.status_code, response.text, message.idempotency_key)

    @cached_property
    def _client(self) -> Clients:
        return Clients(10.0)


def _outcome(status: int, body: str, key: str) -> Sent | Failed:
    # "0: Accepted for delivery" and "3: Queued for later delivery" are both taken.
    if status == 202 and body[:2] in ("0:", "3:"):
        return Sent(provider_id=key)
    if status == 403:
        # A wrong password is mended by the operator, and the message then still goes.
        return Failed("authorization", permanent=False)
    if 400 <= status < 500 and status not in (404, 408, 429):
        return Failed(f"http {status}", permanent=True)
    return Failed(f"http {status}", permanent=False)


def _receipts(key: str, kind: str) -> Sequence[Receipt]:
    if not key or not kind.isdecimal() or len(kind) > 3:
        raise Refused(400, "A delivery report needs “key” and “type”.")
    outcome = _OUTCOMES.get(kind)
    if outcome is None:
        return []
    return [Receipt(provider_id=f"dlr:{key}:{kind}", about=key, outcome=outcome, error=f"dlr {kind}")]


def _decoded(raw: str, charset: str, coding: str) -> str:
    # The query arrives as UTF-8 with other bytes kept as surrogates. Kannel passes UCS-2 on as UTF-16BE and says so
    # in %C; everything else it has made UTF-8.
    data = raw.encode("utf-8", "surrogateescape")
    is_wide = charset.upper() in _UCS2 or (coding == "2" and not charset)
    if is_wide and len(data) % 2 == 0:
        return data.decode("utf-16-be", "replace")
    if _is_utf8(data):
        return data.decode()
    return data.decode("windows-1252", "replace")


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _plain(text: str) -> str:
    return text.encode("utf-8", "replace").decode()[:60]


def _time(text: str) -> datetime | None:
    # %T is in seconds since 1970.
    return datetime.fromtimestamp(int(text), UTC) if text.isdecimal() and len(text) <= 11 else None


def _fingerprint(*parts: str) -> str:
    joined = "\x00".join(parts).encode("utf-8", "surrogateescape")
    return hashlib.sha256(joined).hexdigest()


channel = KannelSms(site_options)
