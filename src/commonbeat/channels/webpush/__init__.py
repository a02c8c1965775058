"""Web Push to browsers (RFC 8030, 8188, 8291, 8292): see docs/channels/webpush.md."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property

import httpx
from pywebpush import WebPusher

from commonbeat.channels.calls import site_options
from commonbeat.channels.webpush.carriers import Carriers, is_well_known
from commonbeat.channels.webpush.guarded import GuardedBackend, GuardedTransport
from commonbeat.channels.webpush.signing import Signatures
from commonbeat.config.options import Options
from commonbeat.foundation import clock
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
)
from commonbeat.messaging.push import PushAddress, PushAddressError, Service, push_address_of, service_of

# 4,096 bytes of a record, without its header (86), its tag (16) and the delimiter (1).
TEXT_BYTES = 3_993
# What no time limits is kept for a day; no service keeps anything for longer than four weeks.
_USUAL_TTL, _LONGEST_TTL = 24 * 3600, 28 * 24 * 3600
# Without a Retry-After.
_USUAL_PAUSE = 30.0
_CONNECTIONS = 16
_PATIENCE_SECONDS = 6.0
_ANSWER_BYTES = 16_384
_TOPIC = re.compile(r"[A-Za-z0-9_-]{1,32}")


class WebPush:
    """Hand messages to the push services that browsers name."""

    code = "webpush"
    # The services state no pace; each tells to wait when it has enough.
    limits = Limits(address_kind="push", per_second=1_000.0, in_parts=False, connections=_CONNECTIONS)
    # It needs no account anywhere: the key of its signatures is made of the site's own.
    setup = Setup(
        title="Web Push",
        to_send=("secret_key",),
        optional=("push_contact",),
        purpose="Alerts to browsers that asked for them. It needs nothing but the site's own key.",
        manual="webpush.md",
    )

    def __init__(self, options: Callable[[], Options], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._options = options
        self._clock = clock
        self._carriers = Carriers()
        self._signatures = Signatures(options)

    def verify(self, request: Request) -> None:
        """Refuse: push services call nobody."""
        raise Refused(404, "Nobody calls here.")

    def parse(self, request: Request) -> Sequence[Inbound | Receipt]:
        """Read nothing, for nothing comes."""
        return []

    def answer(self, request: Request) -> tuple[str, bytes]:
        """Give an empty answer."""
        return ("text/plain", b"")

    def send(self, message: Outbound) -> Sent | Failed:
        """Encrypt one message for one browser and hand it to that browser's service."""
        text = message.text.encode()
        if not text or len(text) > TEXT_BYTES:
            return Failed("too long", permanent=True)
        try:
            address = push_address_of(message.recipient)
        except PushAddressError:
            return Failed("no subscription", permanent=True)
        seconds = seconds_to_live(message.expires_at, clock.now())
        if seconds is None:
            return Failed("expired", permanent=True)
        service = service_of(address.endpoint)
        if not self._carriers.may_ask(service.host, address.endpoint, self._clock()):
            return Failed("http 429", permanent=False, is_elsewhere=True)
        headers = {
            "TTL": str(seconds),
            "Urgency": "high" if message.is_urgent else "normal",
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "Authorization": self._signatures.header_for(service.origin),
        }
        if _TOPIC.fullmatch(message.topic):
            headers["Topic"] = message.topic
        return self._post(address, service, encrypted(address, text), headers)

    def _post(self, address: PushAddress, service: Service, body: bytes, headers: dict[str, str]) -> Sent | Failed:
        is_elsewhere = not is_well_known(service.host)
        try:
            with self._client.stream("POST", address.endpoint, content=body, headers=headers) as response:
                read = 0
                # Read to the end, so that the connection can be used again; but nobody's endless answer.
                for part in response.iter_raw():
                    read += len(part)
                    if read > _ANSWER_BYTES:
                        break
        except httpx.HTTPError as error:
            self._carriers.kept_waiting(service.host, self._clock())
            return Failed(type(error).__name__, permanent=False, is_elsewhere=is_elsewhere)
        return self._outcome(response, address, service)

    def _outcome(self, response: httpx.Response, address: PushAddress, service: Service) -> Sent | Failed:
        status, is_elsewhere = response.status_code, not is_well_known(service.host)
        if 200 <= status < 300:
            self._carriers.answered(service.host)
            # The service's address of the message; its last part names it.
            return Sent(provider_id=response.headers.get("location", "").rstrip("/").rpartition("/")[2][:120])
        if status in (404, 410):
            # The browser has ended it, or is no more: there is nobody whom this address reaches.
            self._carriers.answered(service.host)
            return Failed(OPTED_OUT, permanent=True)
        if status == 429:
            pause = pause_of(response.headers.get("retry-after", ""), clock.now())
            self._carriers.told_to_wait(service.host, address.endpoint, pause, self._clock())
            return Failed("http 429", permanent=False, is_elsewhere=True)
        if status in (401, 403):
            # A wrong clock is mended by the operator, and the message then still goes. Elsewhere, for anybody can bring
            # a subscription that was made for another site's key.
            return Failed("authorization", permanent=False, is_elsewhere=True)
        if status in (408, 425) or status >= 500 or status < 400:
            if status >= 500 and "retry-after" in response.headers:
                pause = pause_of(response.headers["retry-after"], clock.now())
                self._carriers.told_to_wait(service.host, address.endpoint, pause, self._clock())
            self._carriers.kept_waiting(service.host, self._clock())
            return Failed(f"http {status}", permanent=False, is_elsewhere=is_elsewhere)
        return Failed(f"http {status}", permanent=True)

    @cached_property
    def _client(self) -> httpx.Client:
        backend = GuardedBackend(lambda: self._options().push_loopback)
        # Both lanes, replies and bulk, use it.
        transport = GuardedTransport(backend, connections=2 * _CONNECTIONS)
        return httpx.Client(transport=transport, timeout=_PATIENCE_SECONDS, trust_env=False, follow_redirects=False)


def encrypted(address: PushAddress, text: bytes) -> bytes:
    """Encrypt a text for one browser as one aes128gcm record."""
    keys = {"p256dh": address.p256dh, "auth": address.auth}
    body: bytes = WebPusher({"endpoint": address.endpoint, "keys": keys}).encode(text, "aes128gcm")["body"]
    return body


def seconds_to_live(expires_at: datetime | None, now: datetime) -> int | None:
    """Give for how many seconds a service keeps a message; None when it is too late. Zero would lose it at once."""
    if expires_at is None:
        return _USUAL_TTL
    left = (expires_at - now).total_seconds()
    return None if left <= 0 else min(max(int(left), 1), _LONGEST_TTL)


def pause_of(retry_after: str, now: datetime) -> float:
    """Read a Retry-After: seconds, or a date."""
    text = retry_after.strip()
    if text.isascii() and text.isdecimal():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return _USUAL_PAUSE
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max((moment - now).total_seconds(), 0.0)


channel = WebPush(site_options)
