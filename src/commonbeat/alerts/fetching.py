"""Fetch from an address that somebody else chose: bounded in time, size and steps, and never from inside our network.

A feed names addresses, and a server redirects to others. Each one is looked up once, checked, and then asked at just
the address that was checked: a name that answers differently a moment later (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import re
import socket
import ssl
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urljoin

import httpx

from commonbeat.foundation.net import is_public_address

TIMEOUT = httpx.Timeout(10.0, connect=5.0)
# For one address with all its redirects, however slowly it drips.
SECONDS = 20.0
MOST_REDIRECTS = 3
HOST = re.compile(r"[A-Za-z0-9._-]{1,253}|[0-9A-Fa-f:.]{2,45}")
_USER_AGENT = "Commonbeat (CAP reader)"
_ACCEPTED = "application/cap+xml, application/atom+xml, application/rss+xml, application/xml;q=0.9, text/xml;q=0.9"


class FetchError(Exception):
    """Carry a code that says why nothing was fetched."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a server answered; no data where it says that nothing has changed."""

    data: bytes
    is_unchanged: bool
    address: str
    etag: str
    modified: str


Resolve = Callable[[str, int], Sequence[str]]


def resolve(host: str, port: int) -> list[str]:
    """Give the addresses of a host; FetchError where it has none."""
    try:
        infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise FetchError("no such host") from None
    return [str(info[4][0]) for info in infos]


def fetch(
    address: str,
    *,
    client: httpx.Client,
    limit: int,
    etag: str = "",
    modified: str = "",
    allow_private: bool = False,
    look_up: Resolve = resolve,
    clock: Callable[[], float] = time.monotonic,
) -> Fetched:
    """Get what stands at an address, at most `limit` bytes; FetchError with a code otherwise.

    The client must not follow redirects, nor take proxies from the environment.
    """
    until = clock() + SECONDS
    headers = {"user-agent": _USER_AGENT, "accept": _ACCEPTED, "accept-encoding": "gzip, identity"}
    if etag:
        headers["if-none-match"] = etag
    if modified:
        headers["if-modified-since"] = modified
    for _step in range(MOST_REDIRECTS + 1):
        request = _request(address, headers, client=client, allow_private=allow_private, look_up=look_up)
        try:
            response = client.send(request, stream=True, follow_redirects=False)
            try:
                if response.status_code == 304:
                    return Fetched(b"", True, address, etag, modified)
                if response.status_code not in (301, 302, 303, 307, 308):
                    return _answer(response, address, limit, until, clock)
                address = _next(address, response.headers.get("location", ""))
            finally:
                response.close()
        except httpx.TimeoutException:
            raise FetchError("too slow") from None
        except httpx.ConnectError as error:
            raise FetchError(
                "TLS" if isinstance(error.__context__, ssl.SSLError) or "SSL" in str(error) else "no answer"
            ) from None
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL):
            raise FetchError("no answer") from None
        if clock() > until:
            raise FetchError("too slow")
    raise FetchError("too many redirects")


def client() -> httpx.Client:
    """Give a client for `fetch`."""
    return httpx.Client(timeout=TIMEOUT, trust_env=False, follow_redirects=False)


def _request(
    address: str, headers: dict[str, str], *, client: httpx.Client, allow_private: bool, look_up: Resolve
) -> httpx.Request:
    try:
        url = httpx.URL(address)
    except (httpx.InvalidURL, ValueError, TypeError):
        raise FetchError("address") from None
    port = url.port or (443 if url.scheme == "https" else 80)
    host = url.raw_host.decode("ascii")
    if url.scheme not in ("http", "https") or not HOST.fullmatch(host) or url.userinfo or not 0 < port < 65_536:
        raise FetchError("address")
    found = look_up(host, port)
    # All, not one of them: a mixed answer is what somebody sends who wants us to slip.
    if not found or not (allow_private or all(is_public_address(each) for each in found)):
        raise FetchError("private address")
    # Certificates are still checked against the name that was asked for.
    return client.build_request(
        "GET",
        url.copy_with(host=found[0].partition("%")[0]),
        headers={**headers, "host": url.netloc.decode("ascii")},
        extensions={"sni_hostname": host},
    )


def _next(address: str, location: str) -> str:
    try:
        target = urljoin(address, location)
    except ValueError:
        raise FetchError("address") from None
    if not location or (address.startswith("https:") and not target.startswith("https:")):
        # From an encrypted address to an open one: anybody between could then write the alerts.
        raise FetchError("redirect")
    return target


def _answer(response: httpx.Response, address: str, limit: int, until: float, clock: Callable[[], float]) -> Fetched:
    if response.status_code != 200:
        raise FetchError(f"status {response.status_code}")
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "", "gzip", "x-gzip"):
        raise FetchError("encoding")
    # Unpacked here and never beyond the limit: httpx would unpack a whole piece, a thousand times its size.
    unpacker = zlib.decompressobj(31) if "gzip" in encoding else None
    data = bytearray()
    try:
        # As the pieces come: gathered ones would let who sends a byte at a time hold us for hours.
        for piece in response.iter_raw():
            data += unpacker.decompress(piece, limit + 1 - len(data)) if unpacker else piece
            if len(data) > limit or (unpacker is not None and unpacker.unconsumed_tail):
                raise FetchError("too large")
            if clock() > until:
                raise FetchError("too slow")
    except zlib.error:
        raise FetchError("encoding") from None
    if unpacker is not None and not unpacker.eof:
        raise FetchError("cut off")
    return Fetched(
        bytes(data), False, address, response.headers.get("etag", ""), response.headers.get("last-modified", "")
    )
