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
from concurrent.futures import ThreadPoolExecutor

# Several times what an ordinary page takes.
LONG_SECONDS = 0.02


class Job:
    """Work in a lane; `ended` tells how: True when it ran, False when it never will."""

    __slots__ = ("_loop", "_work", "ended")

    def __init__(self, work: Callable[[], None], loop: asyncio.AbstractEventLoop) -> None:
        self._work = work
        self._loop = loop
        # Not a future of threads, which costs more than all else between the loop and a page.
        self.ended: asyncio.Future[bool] = loop.create_future()

    def run(self) -> None:
        """Do the work, in a thread, and tell the loop; what it raises goes to whoever waits."""
        problem: BaseException | None = None
        try:
            self._work()
        except BaseException as error:
            problem = error
        self._tell(True, problem)

    def drop(self) -> None:
        """Tell that it never runs."""
        self._tell(False, None)

    def _tell(self, has_run: bool, problem: BaseException | None) -> None:
        try:
            self._loop.call_soon_threadsafe(self._end, has_run, problem)
        except RuntimeError:
            # The loop is closed: nobody waits any more.
            return

    def _end(self, has_run: bool, problem: BaseException | None) -> None:
        if self.ended.done():
            return
        if problem is None:
            self.ended.set_result(has_run)
        else:
            self.ended.set_exception(problem)


class Lane:
    """Run jobs in at most so many threads; all but what threads do belongs to the event loop."""

    def __init__(self, threads: int, *, long_seconds: float = LONG_SECONDS) -> None:
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="page")
        self._most = threads
        self._long_seconds = long_seconds
        self._lock = threading.Lock()
        self._waiting: deque[Job] = deque()
        self._running = 0
        # Which thread computes, by the turn that it took; 0 when none does.
        self._first = 0
        self._turn = 0
        self._began = 0.0
        self._watch: asyncio.TimerHandle | None = None
        self._is_stopped = False

    def submit(self, work: Callable[[], None]) -> Job:
        """Run work in its turn."""
        loop = asyncio.get_running_loop()
        job = Job(work, loop)
        if self._is_stopped:
            job.drop()
            return job
        self._waiting.append(job)
        if not self._begin_next() and self._watch is None:
            self._watch = loop.call_later(self._long_seconds, self._look)
        return job

    def cancel(self, job: Job) -> bool:
        """Take back a job that has not begun; tell whether it was so."""
        with self._lock:
            if job not in self._waiting:
                return False
            self._waiting.remove(job)
        job.drop()
        return True

    def stop(self) -> None:
        """Start nothing more."""
        self._is_stopped = True
        with self._lock:
            waiting = list(self._waiting)
            self._waiting.clear()
        for job in waiting:
            job.drop()
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
                job = self._waiting.popleft()
                self._first, self._began = turn, time.monotonic()
            job.run()
