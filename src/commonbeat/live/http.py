"""The little of HTTP that the lean half needs, on bare ASGI."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = Iterable[tuple[bytes, bytes]]

_PLAIN = b"text/plain; charset=utf-8"


class TooLarge(Exception):
    """The body is larger than the limit."""


class Gone(Exception):
    """The caller went away before the body was complete."""


def headers_of(scope: Scope) -> dict[str, str]:
    """Give the headers by lower-case name; of repeated ones the last."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


def is_had(headers: Mapping[str, str], tag: str) -> bool:
    """Tell whether the caller has what bears this tag; a proxy that packs an answer makes its tag a weak one."""
    return tag in {one.strip().removeprefix("W/") for one in headers.get("if-none-match", "").split(",")}


async def read_body(receive: Receive, headers: Mapping[str, str], limit: int) -> bytes:
    """Read the body; raise TooLarge without reading it all, or Gone."""
    declared = headers.get("content-length", "0")
    if declared.isdecimal() and len(declared) < 19 and int(declared) > limit:
        raise TooLarge
    message = await receive()
    if message["type"] == "http.disconnect":
        raise Gone
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        if len(body) > limit:
            raise TooLarge
        return body
    parts, size = [body], len(body)
    while message.get("more_body", False):
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise TooLarge
        parts.append(part)
    return b"".join(parts)


async def respond(send: Send, status: int, body: bytes = b"", kind: bytes = _PLAIN, headers: Headers = ()) -> None:
    """Send a whole answer."""
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [
                (b"content-type", kind),
                (b"content-length", str(len(body)).encode()),
                (b"x-content-type-options", b"nosniff"),
                *headers,
            ],
        }
    )
    await send({"type": "http.response.body", "body": body})


async def refuse(send: Send, status: int, sentence: str, headers: Headers = ()) -> None:
    """Send a refusal: one sentence."""
    await respond(send, status, (sentence + "\n").encode(), headers=((b"cache-control", b"no-store"), *headers))
