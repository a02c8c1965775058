"""GET /live/desk: an event stream of hints; the page then asks again through the ordinary permission check."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Executor

from commonbeat.live.http import Receive, Scope, Send, headers_of, refuse
from commonbeat.live.hub import KEEP_ALIVE_SECONDS, Hub, Listener
from commonbeat.live.session import Viewer

logger = logging.getLogger(__name__)

_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
]
_OPENING = b"retry: 3000\n\n"
_KEEP_ALIVE = b":\n\n"
# So long a stream may outlive a closed account, a changed role or a sign-out. 2,000 streams make 33 looks a second.
RECHECK_SECONDS = 60.0

FindViewer = Callable[[Mapping[str, str]], Viewer | None]
LookAgain = Callable[[], Awaitable[Viewer | None]]


async def desk_stream(
    hub: Hub, find_viewer: FindViewer, executor: Executor, scope: Scope, receive: Receive, send: Send
) -> None:
    """Stream hints to whoever has a desk, until they leave or the server stops."""
    loop = asyncio.get_running_loop()
    headers = headers_of(scope)
    if scope["method"] != "GET":
        await refuse(send, 405, "Ask for this stream with GET.", ((b"allow", b"GET"),))
        return
    try:
        viewer = await loop.run_in_executor(executor, find_viewer, headers)
        if viewer is None:
            await refuse(send, 403, "Please sign in as a member of a desk.")
            return
        position = await loop.run_in_executor(executor, hub.newest)
        resumed = _last_event_id(headers)
        # A number from beyond the end, of a database that was restored, would never be reached.
        position = position if resumed is None else min(position, resumed)
    except Exception as error:  # the database is away
        logger.warning("A stream could not be opened: %s.", type(error).__name__)
        await refuse(send, 503, "Please try again soon.", ((b"retry-after", b"5"),))
        return
    if not hub.is_open:
        await refuse(send, 503, "Too many pages listen at once. Please try again soon.", ((b"retry-after", b"10"),))
        return
    now = loop.time()
    listener = Listener(viewer=viewer, position=position, opened_at=now, written_at=now, task=asyncio.current_task())
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    gone = loop.create_task(_disconnect(receive, listener))
    hub.join(listener)

    async def look_again() -> Viewer | None:
        return await loop.run_in_executor(executor, find_viewer, headers)

    try:
        await _write(send, listener, _OPENING)
        await _serve(hub, executor, listener, look_again, send)
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    except asyncio.CancelledError:
        # The hub cut off a reader who was too slow; anything else that cancels must be heard.
        if not listener.is_over:
            raise
    finally:
        hub.leave(listener)
        gone.cancel()


async def _serve(hub: Hub, executor: Executor, listener: Listener, look_again: LookAgain, send: Send) -> None:
    loop = asyncio.get_running_loop()
    checked_at = listener.opened_at
    while not listener.is_over:
        # Before each batch and each sign of life, which comes every 15 s at the latest.
        if loop.time() - checked_at >= RECHECK_SECONDS:
            viewer = await _still_there(look_again)
            if viewer is None:
                return
            listener.viewer, checked_at = viewer, loop.time()
        # Made first, so that a wake-up while we look is not lost.
        listener.waker = loop.create_future()
        hints = hub.waiting_for(listener)
        if hints is None:
            data = await loop.run_in_executor(executor, hub.catch_up, listener)
        else:
            data = b"".join(hint.text for hint in hints)
        if data:
            await _write(send, listener, data)
        elif loop.time() - listener.written_at >= KEEP_ALIVE_SECONDS:
            await _write(send, listener, _KEEP_ALIVE)
        elif hints is not None:
            await listener.waker


async def _still_there(look_again: LookAgain) -> Viewer | None:
    try:
        return await look_again()
    except Exception as error:  # the database is away: the page opens the stream anew and is told so
        logger.warning("A listener could not be looked up: %s.", type(error).__name__)
        return None


async def _write(send: Send, listener: Listener, data: bytes) -> None:
    loop = asyncio.get_running_loop()
    listener.writing_since = loop.time()
    await send({"type": "http.response.body", "body": data, "more_body": True})
    listener.writing_since = None
    listener.written_at = loop.time()


async def _disconnect(receive: Receive, listener: Listener) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    listener.is_over = True
    listener.wake()


def _last_event_id(headers: Mapping[str, str]) -> int | None:
    text = headers.get("last-event-id", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None
