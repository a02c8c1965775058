"""Threads for pages: one computes at a time, and others beside it when it takes long.

Python computes in one thread at a time, whatever their number. Eight that wanted to compute took it from one another
at every row that the database gave (150 changes of threads a page), and made 250 pages a second where one alone makes
400. So the next page begins when the one before is done, in the same thread, or when it has taken so long that it
probably waits: for the disk, a picture, a password's hash.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

# Several times what an ordinary page takes.
LONG_SECONDS = 0.02


class Lane:
    """Run jobs in at most so many threads; submit() and stop() belong to the event loop."""

    def __init__(self, threads: int, *, long_seconds: float = LONG_SECONDS) -> None:
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="page")
        self._most = threads
        self._long_seconds = long_seconds
        self._lock = threading.Lock()
        self._waiting: deque[tuple[Future[None], Callable[[], None]]] = deque()
        self._running = 0
        # Which thread computes, by the turn that it took; 0 when none does.
        self._first = 0
        self._turn = 0
        self._began = 0.0
        self._watch: asyncio.TimerHandle | None = None

    def submit(self, work: Callable[[], None]) -> Future[None]:
        """Run work in its turn; what it raises is the future's."""
        job: Future[None] = Future()
        self._waiting.append((job, work))
        if not self._begin_next() and self._watch is None:
            self._watch = asyncio.get_running_loop().call_later(self._long_seconds, self._look)
        return job

    def stop(self) -> None:
        """Start nothing more; what waits is cancelled."""
        with self._lock:
            waiting = list(self._waiting)
            self._waiting.clear()
        for job, _work in waiting:
            job.cancel()
        if self._watch is not None:
            self._watch.cancel()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _look(self) -> None:
        """Let another page begin beside one that takes long."""
        self._watch = None
        self._begin_next()
        if self._waiting:
            self._watch = asyncio.get_running_loop().call_later(self._long_seconds, self._look)

    def _begin_next(self) -> bool:
        """Let a thread begin, unless a page computes that began only now."""
        with self._lock:
            is_long = self._first == 0 or time.monotonic() - self._began >= self._long_seconds
            if not self._waiting or not is_long or self._running >= self._most:
                return False
            self._running += 1
            self._turn += 1
            self._first, self._began = self._turn, time.monotonic()
        self._pool.submit(self._work, self._turn)
        return True

    def _work(self, turn: int) -> None:
        """Run one job after another, for as long as no other thread has been let in."""
        while True:
            with self._lock:
                if not self._waiting or self._first not in (turn, 0):
                    self._running -= 1
                    if self._first == turn:
                        self._first = 0
                    return
                job, work = self._waiting.popleft()
                self._first, self._began = turn, time.monotonic()
            if not job.set_running_or_notify_cancel():
                continue
            try:
                work()
            except BaseException as error:
                job.set_exception(error)
            else:
                job.set_result(None)
