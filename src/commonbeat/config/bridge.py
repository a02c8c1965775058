"""Django's pages behind ASGI: no thread ever waits for a client.

A request is read whole before it takes a thread, and an answer is made whole before it is sent. A bridge that passes
pieces on as they come loses its threads to clients who send or take nothing: eight sockets were enough for a site.
"""

from __future__ import annotations

import asyncio
import io
import logging
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

from commonbeat.config.lane import Job, Lane
from commonbeat.config.spool import SealedSpool
from commonbeat.foundation.net import client_network
from commonbeat.live.http import Receive, Scope, Send, refuse

logger = logging.getLogger(__name__)

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

_PIECE = 256 * 1024
_CLOSE = (b"connection", b"close")
_AGAIN = (b"retry-after", b"5")
# When the site stops, bodies that come may still end in this time.
_STOP_SECONDS = 0.5
# After so long it is worth a task to see whether somebody still waits for the page.
_WATCH_AFTER_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What one client, and all of them together, may take."""

    # Three photos of 15 MB in a form, and what stands around them; an outbox takes 20 MB.
    body_bytes: int = 50_000_000
    # Of all bodies being read or used, beyond which new ones had better come later.
    held_bytes: int = 1_000_000_000
    # Kept in memory; what is larger goes to a file without a name, under a key that is nowhere but in memory.
    memory_bytes: int = 1_000_000
    # A client may be silent for so long, and must send so much on average: a sixth of what GPRS, the slowest, does.
    patience_seconds: float = 20.0
    bytes_per_second: float = 500.0
    total_seconds: float = 600.0
    # Requests that may wait for a thread, per thread; beyond it people had better see "try again" at once.
    waiting_per_thread: int = 32


class _Refused(Exception):
    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


class _Gone(Exception):
    """The client went away."""


@dataclass(slots=True)
class _Page:
    """One answer in the making; is_unwanted tells the thread to stop."""

    # What fits into memory stands in parts, else all of it in the file.
    parts: list[bytes] = field(default_factory=list)
    file: SealedSpool | None = None
    status: int = 500
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    size: int = 0
    is_unwanted: bool = False

    def add(self, part: bytes, memory_bytes: int, spool: Callable[[], SealedSpool]) -> None:
        """Add what was made."""
        self.size += len(part)
        if self.file is None and self.size > memory_bytes:
            self.file = spool()
            self.file.writelines(self.parts)
            self.parts.clear()
        if self.file is None:
            self.parts.append(part)
        else:
            self.file.write(part)

    def close(self) -> None:
        """Let go of it."""
        self.parts = []
        if self.file is not None:
            self.file.close()


class Bridge:
    """Answer HTTP requests by a WSGI application in a bounded pool of threads."""

    def __init__(
        self, pages: Wsgi, *, threads: int, folder: Path | None, limits: Limits | None = None, proxies: int = 0
    ) -> None:
        # folder takes what is too large for memory; None means the system's own.
        self._pages = pages
        self._proxies = proxies
        self._limits = limits or Limits()
        self._folder = str(folder) if folder is not None else None
        self._lane = Lane(threads)
        self._busy = 0
        self._busy_by_network: Counter[str] = Counter()
        self._busy_limit = threads * (1 + self._limits.waiting_per_thread)
        self._held = 0
        self._reading: set[asyncio.Timeout] = set()
        self._is_closing = False

    def close(self) -> None:
        """Wait no longer for bodies that clients still send; from the event loop."""
        self._is_closing = True
        until = asyncio.get_running_loop().time() + _STOP_SECONDS
        for patience in self._reading:
            patience.reschedule(min(until, patience.when() or until))

    def stop(self) -> None:
        """Start no further page."""
        self._lane.stop()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if not scope["query_string"].isascii():
            # WSGI carries ASCII only; browsers always escape the rest.
            await refuse(send, 400, "The address has characters that must be escaped.", (_CLOSE,))
            return
        held = [0]
        network = client_network(_client_address(scope, self._proxies))
        body: io.BytesIO | SealedSpool = io.BytesIO()
        try:
            self._require_room(network)
            declared = _declared_length(scope)
            if declared != 0:
                body = self._spool()
                await self._read(body, held, declared, receive)
                self._require_room(network)
            environ = environ_of(scope, body, held[0] if declared != 0 else None)
            await self._answer(environ, network, scope, receive, send)
        except _Refused as refusal:
            more = (_CLOSE, _AGAIN) if refusal.status == 503 else (_CLOSE,)
            await refuse(send, refusal.status, refusal.sentence, more)
        except _Gone:
            return
        finally:
            self._held -= held[0]
            body.close()

    def _spool(self) -> SealedSpool:
        return SealedSpool(self._limits.memory_bytes, self._folder)

    def _require_room(self, network: str) -> None:
        # Once half of the room is taken no network gets more than a quarter: one client must not shut out all others,
        # and a town behind one address may use what nobody else wants.
        is_full = self._busy >= self._busy_limit
        is_crowding = self._busy * 2 >= self._busy_limit and self._busy_by_network[network] * 4 >= self._busy_limit
        if is_full or is_crowding:
            raise _Refused(503, "Too many people are here at once. Please try again.")

    async def _read(self, body: SealedSpool, held: list[int], declared: int | None, receive: Receive) -> None:
        """Read a body to its end; held[0] is how much of the common room it takes."""
        limits, now = self._limits, asyncio.get_running_loop().time
        begun, more = now(), True
        too_large = _Refused(413, "This is too large to be sent here.")
        if declared is not None and declared > limits.body_bytes:
            raise too_large
        while more:
            deadline = min(
                now() + limits.patience_seconds,
                begun + limits.patience_seconds + held[0] / limits.bytes_per_second,
                begun + limits.total_seconds,
            )
            if self._is_closing:
                deadline = min(deadline, now() + _STOP_SECONDS)
            try:
                async with asyncio.timeout_at(deadline) as patience:
                    self._reading.add(patience)
                    try:
                        message = await receive()
                    finally:
                        self._reading.discard(patience)
            except TimeoutError:
                if self._is_closing:
                    raise _Refused(503, "The site is about to stop. Please try again.") from None
                raise _Refused(408, "Sending took too long. Please try again.") from None
            if message["type"] == "http.disconnect":
                raise _Gone
            part: bytes = message.get("body", b"")
            more = message.get("more_body", False)
            if held[0] + len(part) > limits.body_bytes:
                raise too_large
            if self._held + len(part) > limits.held_bytes:
                raise _Refused(503, "Too many people send at once. Please try again.")
            held[0] += len(part)
            self._held += len(part)
            # Pieces are at most 256 kB and go to the page cache: 50 µs, less than a change of threads costs.
            body.write(part)
        body.seek(0)

    async def _answer(self, environ: dict[str, Any], network: str, scope: Scope, receive: Receive, send: Send) -> None:
        page = _Page()
        self._busy += 1
        self._busy_by_network[network] += 1
        try:
            try:
                await self._made(self._lane.submit(partial(self._make, environ, page)), page, receive)
            finally:
                self._busy -= 1
                self._busy_by_network[network] -= 1
                if not self._busy_by_network[network]:
                    del self._busy_by_network[network]
            await _send_page(page, scope["method"], send)
        finally:
            if not page.is_unwanted:
                page.close()

    async def _made(self, job: Job, page: _Page, receive: Receive) -> None:
        """Wait for a page; raise _Gone, once its thread is free, when nobody wants it any more."""
        watches: list[asyncio.Task[None]] = []

        async def watch() -> None:
            await _disconnect(receive)
            page.is_unwanted = True
            self._lane.cancel(job)

        loop = asyncio.get_running_loop()
        timer = loop.call_later(_WATCH_AFTER_SECONDS, lambda: watches.append(loop.create_task(watch())))
        try:
            has_run = await job.ended
        except asyncio.CancelledError:
            page.is_unwanted = True
            self._lane.cancel(job)
            raise
        finally:
            timer.cancel()
            for task in watches:
                task.cancel()
        if page.is_unwanted:
            raise _Gone
        # _make() raises nothing, but the lane may be stopped.
        if not has_run:
            raise _Refused(503, "The site is about to stop. Please try again.")

    def _make(self, environ: dict[str, Any], page: _Page) -> None:
        """Make the page, in a thread."""

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[..., Any]:
            page.status = int(status[:3])
            page.headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
            return add

        def add(part: bytes) -> None:
            page.add(part, self._limits.memory_bytes, self._spool)

        try:
            made = self._pages(environ, start_response)
            try:
                for part in made:
                    if page.is_unwanted:
                        break
                    add(part)
            finally:
                close = getattr(made, "close", None)
                if close is not None:
                    close()
            if page.file is not None:
                page.file.seek(0)
        except BaseException as error:
            # The type only: what exceptions quote is never logged. Django answers its own errors before this.
            logger.error("A page could not be made: %s.", type(error).__name__)
            page.close()
            page.parts = [b"Something went wrong here. Please try again.\n"]
            page.status, page.size, page.file = 500, len(page.parts[0]), None
            page.headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"x-content-type-options", b"nosniff")]
        finally:
            if page.is_unwanted:
                page.close()


async def _send_page(page: _Page, method: str, send: Send) -> None:
    has_body = page.status not in (204, 304) and page.status >= 200
    headers = page.headers
    if not has_body:
        headers = [header for header in headers if header[0] != b"content-length"]
    elif method != "HEAD" or page.size:
        # The length is known now, whatever the application thought.
        headers = [header for header in headers if header[0] != b"content-length"]
        headers.append((b"content-length", b"%d" % page.size))
    await send({"type": "http.response.start", "status": page.status, "headers": headers})
    if not has_body or method == "HEAD" or page.file is None:
        body = b"".join(page.parts) if has_body and method != "HEAD" else b""
        await send({"type": "http.response.body", "body": body})
        return
    left = page.size
    while left > _PIECE:
        part = page.file.read(_PIECE)
        left -= len(part)
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": page.file.read()})


async def _disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _declared_length(scope: Scope) -> int | None:
    """Give the length that the client states: 0 when there is no body, None when it comes in chunks."""
    length: int | None = 0
    for name, value in scope["headers"]:
        if name == b"transfer-encoding":
            return None
        if name == b"content-length":
            # The server has refused what is no number; a number of 19 digits is too large anyway.
            length = int(value[:18]) if value.isdigit() else 0
    return length


def _client_address(scope: Scope, proxies: int) -> str:
    """Tell where a request came from, believing as many proxies as the settings name; as web/throttle.py does."""
    address = str((scope.get("client") or ("",))[0])
    if not proxies:
        return address
    said = b",".join(value for name, value in scope["headers"] if name == b"x-forwarded-for").decode("latin-1")
    hops = [hop.strip() for hop in said.split(",") if hop.strip()]
    return hops[-proxies] if len(hops) >= proxies else address


@cache
def _default_environ() -> dict[str, Any]:
    return {
        "SCRIPT_NAME": "",
        "wsgi.version": (1, 0),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }


def environ_of(scope: Scope, body: Any, size: int | None) -> dict[str, Any]:
    """Write a request as WSGI wants it (PEP 3333); size None means that it has no body.

    Headers with an underscore are left out: WSGI knows no difference between X_Forwarded_For, which any client may
    send past a proxy, and the X-Forwarded-For that the proxy vouches for.
    """
    server = scope.get("server") or ("localhost", 80)
    client = scope.get("client") or ("", 0)
    raw_path: bytes | None = scope.get("raw_path")
    path = unquote_to_bytes(raw_path) if raw_path is not None else scope["path"].encode()
    environ = {
        **_default_environ(),
        "REQUEST_METHOD": scope["method"],
        "PATH_INFO": path.decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("ascii"),
        "SERVER_PROTOCOL": f"HTTP/{scope.get('http_version', '1.1')}",
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1] or 0),
        "REMOTE_ADDR": client[0],
        "REMOTE_PORT": str(client[1]),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": body,
    }
    for name, value in scope["headers"]:
        if b"_" in name or name in (b"content-length", b"transfer-encoding"):
            continue
        key = "CONTENT_TYPE" if name == b"content-type" else "HTTP_" + name.decode("latin-1").upper().replace("-", "_")
        text = value.decode("latin-1")
        # Repeated headers are one list (RFC 9110, 5.3); cookies alone are separated otherwise.
        environ[key] = environ[key] + ("; " if name == b"cookie" else ",") + text if key in environ else text
    if size is not None:
        environ["CONTENT_LENGTH"] = str(size)
    return environ


def empty_folder(folder: Path) -> Path:
    """Make the folder for what is too large for memory, closed to others, and give it.

    Files in it have no names; what lies there all the same was left by a system that cannot make such files.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    for file in folder.glob(f"{tempfile.gettempprefix()}*"):
        file.unlink(missing_ok=True)
    return folder
