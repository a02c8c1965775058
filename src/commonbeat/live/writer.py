"""The group-commit writer: takes what is queued, one transaction, answers after COMMIT.

On a disk with an fsync of 2 ms this stores 16 times as many rows a second as a commit per row (bench/intake.py).
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from commonbeat.config.options import Options
from commonbeat.foundation import clock
from commonbeat.live.store import Row, Store, open_store

logger = logging.getLogger(__name__)

# Rows that may wait: at 6,000 a second a queue of a second or so, beyond which a gateway had better come again.
QUEUE_LIMIT = 8_192
# Rows in one transaction: beyond some hundreds the gain is nil and the lock is only held longer.
BATCH_LIMIT = 512


class QueueFull(Exception):
    """More waits to be stored than the writer takes."""


class NotStored(Exception):
    """The database did not take the rows; nothing of them is stored."""


# From so many messages per commit on, the writer gathers for a moment before it commits.
BUSY_FROM = 4
GATHER_SECONDS = 0.001
# For so long after such a commit the rest of the process had better leave the database to the writer.
PRESSED_SECONDS = 0.25


_Job = tuple[Sequence[Row], "asyncio.Future[None]"]


class Writer:
    """Store rows for the event loop, in a thread of its own."""

    def __init__(
        self, site: Options, *, on_stored: Callable[[], None] | None = None, queue_limit: int = QUEUE_LIMIT
    ) -> None:
        self._site = site
        self._on_stored = on_stored
        self._queue_limit = queue_limit
        self._queue: deque[_Job] = deque()
        self._waiting = 0
        self._wake = threading.Event()
        self._stopping = False
        self._is_busy = False
        self._pressed_at = -PRESSED_SECONDS
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Start the thread, from the event loop that will call store()."""
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    @property
    def is_running(self) -> bool:
        """Tell whether the thread lives."""
        return self._thread is not None and self._thread.is_alive()

    def is_pressed(self) -> bool:
        """Tell whether messages arrive faster than one at a time; from any thread."""
        return time.monotonic() - self._pressed_at < PRESSED_SECONDS

    def store(self, rows: Sequence[Row]) -> asyncio.Future[None]:
        """Queue rows; the future is done once they are committed, or holds NotStored. Raise QueueFull."""
        loop = self._loop
        if loop is None or self._stopping or self._waiting + len(rows) > self._queue_limit:
            raise QueueFull
        future: asyncio.Future[None] = loop.create_future()
        self._waiting += len(rows)
        self._queue.append((rows, future))
        self._wake.set()
        return future

    def stop(self) -> None:
        """Store what is queued and end the thread."""
        self._stopping = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout=5.0)

    def _run(self) -> None:
        store = self._early_store()
        while True:
            self._wake.wait()
            self._wake.clear()
            while self._queue:
                if self._is_busy:
                    # Under load a moment's wait makes half as many, twice as large commits, and costs nobody anything:
                    # whoever is waited for would have waited for this commit and the next.
                    time.sleep(GATHER_SECONDS)
                jobs = self._take()
                self._is_busy = len(jobs) >= BUSY_FROM
                if self._is_busy:
                    self._pressed_at = time.monotonic()
                error: BaseException | None = None
                try:
                    if store is None:
                        store = open_store(self._site)
                    store.write([row for rows, _ in jobs for row in rows], clock.now())
                except Exception as problem:  # every job must be answered, whatever went wrong
                    # The type only: a database's message may quote a row.
                    logger.error("%d messages were not stored: %s.", len(jobs), type(problem).__name__)
                    error = NotStored()
                    _close(store)
                    store = None
                self._answer(jobs, error)
            if self._stopping:
                break
        _close(store)

    def _early_store(self) -> Store | None:
        # So that the first message need not wait for it; a database that is away is met again with that message.
        try:
            return open_store(self._site)
        except Exception as problem:
            logger.warning("The database cannot be opened yet: %s.", type(problem).__name__)
            return None

    def _take(self) -> list[_Job]:
        jobs: list[_Job] = []
        rows = 0
        queue = self._queue
        # Appending and popping are atomic, and this thread alone pops.
        while queue and rows < BATCH_LIMIT:
            job = queue.popleft()
            jobs.append(job)
            rows += len(job[0])
        return jobs

    def _answer(self, jobs: list[_Job], error: BaseException | None) -> None:
        loop = self._loop
        if loop is None or loop.is_closed():
            return
        try:
            loop.call_soon_threadsafe(self._resolve, jobs, error)
        except RuntimeError:
            # The loop ended meanwhile; whoever waited is gone with it.
            return
        if error is None and self._on_stored is not None:
            self._on_stored()

    def _resolve(self, jobs: list[_Job], error: BaseException | None) -> None:
        for rows, future in jobs:
            self._waiting -= len(rows)
            if future.done():
                continue
            if error is None:
                future.set_result(None)
            else:
                future.set_exception(error)


def _close(store: Store | None) -> None:
    if store is not None:
        try:
            store.close()
        except Exception as problem:
            logger.warning("The writer's connection did not close: %s.", type(problem).__name__)
