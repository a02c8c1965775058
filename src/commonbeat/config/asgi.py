"""One process, two halves: lean ASGI endpoints beside Django's pages, and the worker's loops."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "commonbeat.config.settings")

import django

django.setup()

# Below, for models can be imported only after the set-up: what stands here is marked E402, and nothing else is.
from django.conf import settings  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402

from commonbeat.config.assets import Assets  # noqa: E402
from commonbeat.config.bridge import Bridge, empty_folder  # noqa: E402
from commonbeat.config.options import Options  # noqa: E402
from commonbeat.live.app import LiveApp  # noqa: E402
from commonbeat.live.http import Receive, Scope, Send, refuse  # noqa: E402
from commonbeat.messaging.in_force import Follower  # noqa: E402
from commonbeat.web.headers import SECURITY_HEADERS  # noqa: E402

if TYPE_CHECKING:
    from commonbeat.worker.run import Worker

logger = logging.getLogger(__name__)


class Application:
    """Send each request to its half, and start and stop what belongs to this process."""

    def __init__(self, options: Options, halves: frozenset[str]) -> None:
        self.halves = halves
        self.worker: Worker | None = None
        self.live: LiveApp | None = None
        self._pages: Bridge | None = None
        self._assets: Assets | None = None
        # Every half asks for the settings of channels.
        self._settings = Follower()
        if "work" in halves:
            from commonbeat.worker.run import Worker

            self.worker = Worker(options, is_pressed=self._is_pressed)
        if "live" in halves:
            wake = self.worker.wake if self.worker is not None else None
            packaged = Path(__file__).resolve().parent.parent / "web" / "static" / "commonbeat" / "map"
            self.live = LiveApp(options, map_folders=[packaged], on_stored=wake)
        if "pages" in halves:
            pages: Any = get_wsgi_application()
            self._pages = Bridge(
                pages,
                threads=options.threads,
                folder=empty_folder(options.temporary_dir),
                proxies=options.trusted_proxies,
            )
            self._assets = Assets(
                Path(settings.STATIC_ROOT),
                url=settings.STATIC_URL,
                hosts=settings.ALLOWED_HOSTS,
                security_headers=SECURITY_HEADERS,
            )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or live through the server's life."""
        if scope["type"] == "http":
            if self.live is not None and self.live.is_live(scope["path"]):
                await self.live(scope, receive, send)
            elif self._assets is not None and self._assets.has(scope["path"]):
                await self._assets(scope, receive, send)
            elif self._pages is not None:
                await self._pages(scope, receive, send)
            else:
                await refuse(send, 404, "There is nothing here.")
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})

    def _is_pressed(self) -> bool:
        return self.live is not None and self.live.writer.is_pressed()

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        # Python lets a thread compute for 5 ms before another may; event loop and writer need it sooner. At 0.2 ms
        # threads change hands so often that pages beside intake suffer (bench/intake.py).
        sys.setswitchinterval(0.001)
        try:
            # Before the first message; in a thread, for it waits for the database.
            await asyncio.get_running_loop().run_in_executor(None, self._settings.start)
            if self.live is not None:
                self.live.start()
            self._end_waiting_on_signal()
            if self.worker is not None:
                self.worker.start()
        except Exception as error:
            logger.error("The site could not start: %s: %s", type(error).__name__, error)
            await send({"type": "lifespan.startup.failed", "message": type(error).__name__})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        for part in (self._pages, self._assets):
            if part is not None:
                part.stop()
        if self.live is not None:
            self.live.stop()
        if self.worker is not None:
            await asyncio.get_running_loop().run_in_executor(None, self.worker.stop)
        self._settings.stop()
        await send({"type": "lifespan.shutdown.complete"})

    def _end_waiting_on_signal(self) -> None:
        # The server waits for open answers before it tells of the end of its life, and a stream never ends by itself;
        # so what waits for clients hears of the signal directly.
        if threading.current_thread() is not threading.main_thread():
            return
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            before = signal.getsignal(number)

            def handler(signum: int, frame: FrameType | None, before: Any = before) -> None:
                loop.call_soon_threadsafe(self._end_waiting)
                if callable(before):
                    before(signum, frame)

            signal.signal(number, handler)

    def _end_waiting(self) -> None:
        if self.live is not None:
            self.live.close_streams()
        if self._pages is not None:
            self._pages.close()


class _Later:
    """Make the application at the first call, so that naming all of them costs nothing."""

    def __init__(self, *halves: str) -> None:
        self._halves = frozenset(halves)
        self._made: Application | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._made is None:
            self._made = Application(settings.COMMONBEAT, self._halves)
        await self._made(scope, receive, send)


application = _Later("pages", "live", "work")
"""Everything in one process."""

HALVES = {"pages": _Later("pages"), "live": _Later("live")}
"""The halves as processes of their own; `commonbeat work` runs beside them."""
