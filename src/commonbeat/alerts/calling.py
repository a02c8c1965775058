"""Post to an address that a partner named: signed, over in five seconds, and never into our own network.

A name is looked up once, all its addresses are checked, and one of those is connected to: a name that answers
differently a moment later (DNS rebinding) gains nothing. Redirects are not followed, for the signature is for one.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import ssl
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import httpcore
import httpx

from commonbeat.alerts.fetching import HOST, FetchError, Resolve, resolve
from commonbeat.foundation.net import is_loopback, is_public_address

# From the connection to the end of the answer, however slowly it drips.
SECONDS = 5.0
ANSWER_BYTES = 16_384
# What a partner may ask us to wait; beyond it we try all the same.
LONGEST_PAUSE = 900.0
GONE = "gone"
LONGEST_ADDRESS = 500
_ADDRESS = re.compile(rf"[!-~]{{1,{LONGEST_ADDRESS}}}")
_ADDRESSES = 3


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of a call: an empty code where it was taken, and how many seconds the server asks us to wait."""

    code: str = ""
    pause: float = 0.0


def signature(secret: str, stamp: str, body: bytes) -> str:
    """Sign a time in seconds since 1970 and a body: hexadecimal HMAC-SHA256 of time, a dot and body."""
    return hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def signed_headers(secret: str, body: bytes, *, identifier: str, now: datetime) -> dict[str, str]:
    """Give the headers of a call: its time, its signature, and an id that stays the same when it is repeated."""
    stamp = str(int(now.timestamp()))
    return {
        "Content-Type": "application/json",
        "X-Commonbeat-Timestamp": stamp,
        "X-Commonbeat-Signature": signature(secret, stamp, body),
        "X-Commonbeat-Delivery": identifier,
    }


def is_fit_address(address: str, *, near: bool = False) -> bool:
    """Tell whether an address may be posted to, by its form: https and no password; `near` lets this computer in."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    if not _ADDRESS.fullmatch(address) or not HOST.fullmatch(host):
        return False
    if parts.username is not None or parts.password is not None or port == 0 or "\\" in address or parts.fragment:
        return False
    return parts.scheme == "https" or (near and parts.scheme == "http" and is_loopback(host))


def post(
    address: str,
    *,
    body: bytes,
    headers: Mapping[str, str],
    near: bool = False,
    look_up: Resolve = resolve,
    clock: Callable[[], float] = time.monotonic,
) -> Answered:
    """Post a body once; nothing is raised, whatever the other side does. `near` lets servers on this computer in."""
    if not is_fit_address(address, near=near):
        return Answered("address")
    backend = _Backend(near=near, look_up=look_up, clock=clock)
    try:
        with (
            httpcore.ConnectionPool(ssl_context=_trust(), network_backend=backend, max_connections=1) as pool,
            pool.stream("POST", address, headers=_headers(address, headers, body), content=body) as response,
        ):
            read = 0
            for part in response.iter_stream():
                read += len(part)
                if read > ANSWER_BYTES:
                    break
            return _judged(response)
    except FetchError as error:
        return Answered(error.code)
    except httpcore.TimeoutException:
        return Answered("too slow")
    except httpcore.ConnectError as error:
        return Answered("TLS" if isinstance(error.__cause__, ssl.SSLError) else "no answer")
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol):
        return Answered("no answer")


class _Backend(httpcore.SyncBackend):
    """Connect only to what was looked at, and let everything end at one moment."""

    def __init__(self, *, near: bool, look_up: Resolve, clock: Callable[[], float]) -> None:
        self._near = near
        self._look_up = look_up
        self._clock = clock
        self._until = 0.0

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to one of the addresses of a name, if all of them are public."""
        found = list(dict.fromkeys(self._look_up(host, port)))
        # All, not one of them: a mixed answer is what somebody sends who wants us to slip.
        if not found or not all(is_public_address(one) or (self._near and is_loopback(one)) for one in found):
            raise FetchError("private address")
        self._until = self._clock() + SECONDS
        # IPv4 first: many hosts have an IPv6 address and no way there.
        found.sort(key=lambda one: ":" in one)
        last: httpcore.ConnectError | None = None
        for one in found[:_ADDRESSES]:
            try:
                return _Stream(super().connect_tcp(one, port, self.left(), local_address, socket_options), self)
            except httpcore.ConnectError as error:
                last = error
        raise last or httpcore.ConnectError("no address")

    def left(self) -> float:
        """Give the seconds that are left; ReadTimeout when none are."""
        left = self._until - self._clock()
        if left <= 0:
            raise httpcore.ReadTimeout("too slow")
        return left


class _Stream(httpcore.NetworkStream):
    """A connection each step of which may last as long as the whole still may."""

    def __init__(self, inner: httpcore.NetworkStream, backend: _Backend) -> None:
        self._inner = inner
        self._backend = backend

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what has come."""
        return self._inner.read(max_bytes, self._backend.left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write piece by piece, for one may take the time of all."""
        for start in range(0, len(buffer), 16_384):
            self._inner.write(buffer[start : start + 16_384], self._backend.left())

    def close(self) -> None:
        """Close the connection."""
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Speak TLS from now on."""
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, self._backend.left()), self._backend)

    def get_extra_info(self, info: str) -> Any:
        """Tell about the connection."""
        return self._inner.get_extra_info(info)


@cache
def _trust() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)


def _headers(address: str, given: Mapping[str, str], body: bytes) -> list[tuple[str, str]]:
    return [
        # As it stands in the address, the port with it.
        ("Host", urlsplit(address).netloc),
        ("User-Agent", "Commonbeat (look-outs)"),
        ("Accept-Encoding", "identity"),
        ("Connection", "close"),
        ("Content-Length", str(len(body))),
        *given.items(),
    ]


def _judged(response: httpcore.Response) -> Answered:
    status = response.status
    if 200 <= status < 300:
        return Answered()
    if status == 410:
        return Answered(GONE)
    if 300 <= status < 400:
        return Answered("redirect")
    asked = next((value for name, value in response.headers if name.lower() == b"retry-after"), b"")
    # Seconds alone: dates are rare, and a wait that we do not understand is ours.
    pause = float(asked[:6]) if asked.isdigit() and status in (429, 503) else 0.0
    return Answered(f"status {status}", min(pause, LONGEST_PAUSE))
