"""Page threads: one computes at a time, and a long one makes room."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

from commonbeat.config.lane import Job, Lane

PATIENCE = 10


def in_loop(work: Callable[[Lane], list[Job]], *, threads: int = 4, long_seconds: float = 0.005) -> None:
    async def run() -> None:
        lane = Lane(threads, long_seconds=long_seconds)
        try:
            jobs = work(lane)
            async with asyncio.timeout(PATIENCE):
                assert all(await asyncio.gather(*(job.ended for job in jobs)))
        finally:
            lane.stop()

    asyncio.run(run())


def test_short_jobs_run_one_after_another_in_their_order() -> None:
    seen: list[tuple[int, int]] = []

    def work(lane: Lane) -> list[Job]:
        return [lane.submit(lambda n=n: seen.append((n, threading.get_ident()))) for n in range(50)]

    in_loop(work, long_seconds=60)
    assert [n for n, _thread in seen] == list(range(50))


def test_no_job_begins_beside_one_that_began_only_now() -> None:
    inside = threading.Lock()
    overlapped: list[bool] = []

    def job() -> None:
        overlapped.append(not inside.acquire(blocking=False))
        inside.release()

    in_loop(lambda lane: [lane.submit(job) for _ in range(200)], long_seconds=60)
    assert len(overlapped) == 200
    assert not any(overlapped)


def test_a_job_that_takes_long_makes_room_for_the_next() -> None:
    other_has_run = threading.Event()
    waited: list[bool] = []

    def long() -> None:
        waited.append(other_has_run.wait(PATIENCE))

    in_loop(lambda lane: [lane.submit(long), lane.submit(other_has_run.set)])
    assert waited == [True]


def test_there_are_never_more_threads_than_allowed() -> None:
    two_are_in = threading.Barrier(2)
    most: list[int] = []
    count = 0
    lock = threading.Lock()

    def long() -> None:
        nonlocal count
        with lock:
            count += 1
            most.append(count)
        two_are_in.wait(PATIENCE)
        with lock:
            count -= 1

    in_loop(lambda lane: [lane.submit(long) for _ in range(8)], threads=2)
    assert max(most) == 2


def test_a_failure_belongs_to_its_own_job() -> None:
    def fail() -> None:
        raise ValueError("on purpose")

    async def run() -> None:
        lane = Lane(2)
        failed, fine = lane.submit(fail), lane.submit(lambda: None)
        with pytest.raises(ValueError, match="on purpose"):
            await failed.ended
        assert await fine.ended
        lane.stop()

    asyncio.run(run())


def test_what_waits_is_told_at_the_end_and_what_runs_ends() -> None:
    go = threading.Event()

    async def run() -> None:
        lane = Lane(1, long_seconds=60)
        running, waiting = lane.submit(lambda: _wait(go)), lane.submit(lambda: None)
        lane.stop()
        assert await waiting.ended is False
        assert await lane.submit(lambda: None).ended is False
        go.set()
        assert await running.ended is True

    asyncio.run(run())


def test_a_job_is_taken_back_only_before_it_begins() -> None:
    go, began = threading.Event(), threading.Event()

    def first() -> None:
        began.set()
        _wait(go)

    async def run() -> None:
        lane = Lane(1, long_seconds=60)
        running, waiting = lane.submit(first), lane.submit(lambda: None)
        await asyncio.to_thread(began.wait, PATIENCE)
        assert not lane.cancel(running)
        assert lane.cancel(waiting)
        assert await waiting.ended is False
        go.set()
        assert await running.ended is True
        lane.stop()

    asyncio.run(run())


def _wait(event: threading.Event) -> None:
    event.wait(PATIENCE)
