"""GET /map/<name>.pmtiles: map files by byte ranges, from the data folder or from the package."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

from commonbeat.live.http import Headers, Receive, Scope, Send, headers_of, is_had, refuse

_NAME = re.compile(r"[a-z0-9-]{1,60}")
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_CHUNK = 256 * 1024
_HEADERS = [
    (b"content-type", b"application/vnd.pmtiles"),
    (b"cache-control", b"public, max-age=3600"),
    (b"x-content-type-options", b"nosniff"),
]


class Unsatisfiable(Exception):
    """The range lies outside the file."""


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes start to end, end not included."""

    start: int
    end: int


def map_file(folders: Sequence[Path], name: str) -> Path | None:
    """Find the file of a map in the first folder that has it; None for odd names."""
    if not _NAME.fullmatch(name):
        return None
    for folder in folders:
        file = folder / f"{name}.pmtiles"
        if file.is_file():
            return file
    return None


def read_range(header: str, size: int) -> Span | None:
    """Read a Range header (RFC 9110, section 14); None for what may be ignored: several ranges, other units.

    Raise Unsatisfiable when nothing of the range exists.
    """
    match = _RANGE.fullmatch(header.strip().replace(" ", ""))
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:
        length = int(match[2])
        if length == 0 or size == 0:
            raise Unsatisfiable
        return Span(max(0, size - length), size)
    start = int(match[1])
    end = int(match[2]) + 1 if match[2] else size
    if match[2] and end <= start:
        return None
    if start >= size:
        raise Unsatisfiable
    return Span(start, min(end, size))


async def serve_map(
    folders: Sequence[Path], executor: Executor, name: str, scope: Scope, receive: Receive, send: Send
) -> None:
    """Answer with the file, or with the part of it that was asked for."""
    method = scope["method"]
    if method not in ("GET", "HEAD"):
        await refuse(send, 405, "Ask for a map with GET.", ((b"allow", b"GET, HEAD"),))
        return
    loop = asyncio.get_running_loop()
    file = await loop.run_in_executor(executor, map_file, folders, name)
    if file is None:
        await refuse(send, 404, "There is no such map.")
        return
    try:
        descriptor = os.open(file, os.O_RDONLY)
    except OSError:
        await refuse(send, 404, "There is no such map.")
        return
    try:
        await send_file(descriptor, executor, headers_of(scope), send, _HEADERS, with_body=method == "GET")
    finally:
        os.close(descriptor)


async def send_file(
    descriptor: int,
    executor: Executor,
    asked: dict[str, str],
    send: Send,
    headers: Headers,
    *,
    with_body: bool,
    tag: str = "",
) -> None:
    """Send an open file, or the part of it that was asked for, or that nothing changed.

    Without a tag the file's time and size make one.
    """
    status_of_file = os.fstat(descriptor)
    size = status_of_file.st_size
    tag = tag or f'"{status_of_file.st_mtime_ns:x}-{size:x}"'
    headers = [*headers, (b"accept-ranges", b"bytes"), (b"etag", tag.encode())]
    if is_had(asked, tag):
        await send({"type": "http.response.start", "status": 304, "headers": headers})
        await send({"type": "http.response.body", "body": b""})
        return
    span, status = Span(0, size), 200
    if "range" in asked and asked.get("if-range", tag) == tag:
        try:
            part = read_range(asked["range"], size)
        except Unsatisfiable:
            headers += [(b"content-range", b"bytes */%d" % size), (b"content-length", b"0")]
            await send({"type": "http.response.start", "status": 416, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
            return
        if part is not None:
            span, status = part, 206
            headers.append((b"content-range", b"bytes %d-%d/%d" % (part.start, part.end - 1, size)))
    headers.append((b"content-length", b"%d" % (span.end - span.start)))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    if with_body:
        await _send_span(descriptor, executor, span, send)
    else:
        await send({"type": "http.response.body", "body": b""})


async def _send_span(descriptor: int, executor: Executor, span: Span, send: Send) -> None:
    loop = asyncio.get_running_loop()
    at = span.start
    while at < span.end:
        # In a thread: a cold disk must not hold up the streams and the gateways.
        data = await loop.run_in_executor(executor, os.pread, descriptor, min(_CHUNK, span.end - at), at)
        if not data:
            # The file was cut while we read it; ending early is all that is left to say so.
            return
        at += len(data)
        await send({"type": "http.response.body", "body": data, "more_body": at < span.end})
    if span.start == span.end:
        await send({"type": "http.response.body", "body": b""})
