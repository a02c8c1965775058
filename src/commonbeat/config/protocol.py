"""HTTP on a socket, with an end to patience: requests that never end, and answers that nobody takes."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

# From the first byte to the end of the head; browsers open connections in advance, and those may be silent so long.
HEAD_SECONDS = 20.0
# Between two pieces of a body; longer than the pages' own patience, which answers with a sentence.
SILENT_SECONDS = 30.0
# Cookies and a form's address take some kB.
HEAD_BYTES = 64 * 1024
# In this time a client must take 48 kB (the transport's marks are 64 and 16 kB): GPRS takes 15 seconds for it.
STUCK_SECONDS = 60.0


class ImpatientProtocol(HttpToolsProtocol):
    """Cut off clients who keep a connection without using it; uvicorn itself waits for ever."""

    head_seconds = HEAD_SECONDS
    silent_seconds = SILENT_SECONDS
    stuck_seconds = STUCK_SECONDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._in_head = True
        self._in_body = False
        self._head_bytes = 0
        self._running: RequestResponseCycle | None = None
        self._open_timer: asyncio.TimerHandle | None = None
        self._stuck_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """Give the client time for a request."""
        super().connection_made(transport)
        self._open_timer = self.loop.call_later(self.head_seconds, transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timers."""
        for timer in (self._open_timer, self._stuck_timer):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)
        # uvicorn tells the last of several requests that were sent at once, not the one that is being answered.
        if self._running is not None:
            self._running.disconnected = True
            self._running.message_event.set()

    def data_received(self, data: bytes) -> None:
        """Parse, and see whether the request is still open after it."""
        super().data_received(data)
        if self._in_head:
            # Only heads that come in several pieces get here, so that ordinary requests cost no timer.
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES:
                self.transport.abort()
            elif self._open_timer is None:
                self._open_timer = self.loop.call_later(self.head_seconds, self.transport.abort)
            return
        if self._open_timer is not None:
            self._open_timer.cancel()
            self._open_timer = None
            self._head_bytes = 0
        if self._in_body:
            self._open_timer = self.loop.call_later(self.silent_seconds, self.transport.abort)

    def on_message_begin(self) -> None:
        """Note that a head begins."""
        self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Note that a head is complete."""
        self._in_head, self._in_body = False, True
        super().on_headers_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def on_message_complete(self) -> None:
        """Note that a request is complete."""
        self._in_body = False
        super().on_message_complete()

    def pause_writing(self) -> None:
        """Give the client time to take what is written."""
        super().pause_writing()
        if self._stuck_timer is None:
            self._stuck_timer = self.loop.call_later(self.stuck_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """The client takes something."""
        super().resume_writing()
        if self._stuck_timer is not None:
            self._stuck_timer.cancel()
            self._stuck_timer = None
