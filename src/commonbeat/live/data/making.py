"""Files of open data: made by a process of their own, kept while they hold, without a name on the disk.

A file is read while it still grows, so nobody waits for the end of a long one; and it grows at the disk's pace, so a
slow reader holds no transaction open.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
import time
from collections import OrderedDict
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryFile
from typing import NamedTuple

import msgspec

from commonbeat.config.options import Options
from commonbeat.foundation import clock
from commonbeat.live.bucket_store import TopicRow
from commonbeat.live.data.process import Begun, Ended, Errand, Told

logger = logging.getLogger(__name__)

# One after the other: the rest of the computer is for those who look at pages.
_AT_ONCE = 1
_MOST_UNDER_WAY = 12
_MOST_KEPT = 300
_KEPT_BYTES = 2_000_000_000
# Where counts change by the second, making files anew may take a twentieth of the time.
_SHARE = 1 / 20


class MakingFailed(Exception):
    """The file could not be made."""


class TooMany(Exception):
    """More files are wanted than can be made soon."""


class Wish(NamedTuple):
    """One file that is asked for, its span rounded to the topic's periods."""

    topic_id: int
    kind: str
    category: str
    since: int | None
    until: int | None


class Making:
    """A file while it is made, and afterwards."""

    def __init__(self, row: TopicRow, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.row = row
        self.file = TemporaryFile(dir=folder)  # noqa: SIM115  # closed when nobody reads it any more
        self.readers = 0
        self.is_kept = True
        self.made_at: datetime = clock.now()
        self.begun: asyncio.Future[Begun] = asyncio.get_running_loop().create_future()
        self.ended: asyncio.Future[Ended] = asyncio.get_running_loop().create_future()
        self.fresh_until = 0.0
        self.task: asyncio.Task[None] | None = None

    @property
    def descriptor(self) -> int:
        """Give the open file."""
        return self.file.fileno()

    @property
    def stored_bytes(self) -> int:
        """Tell how much of it there is by now."""
        return os.fstat(self.descriptor).st_size

    @property
    def is_whole(self) -> bool:
        """Tell whether it has been made."""
        return self.ended.done() and self.ended.exception() is None

    def holds(self, row: TopicRow, number: int) -> bool:
        """Tell whether it may still be given to somebody who asks now."""
        if self.row != row or (self.ended.done() and not self.is_whole):
            return False
        # One in the making shows what was there when it began, a moment ago.
        return not self.is_whole or self.begun.result().number == number or time.monotonic() < self.fresh_until

    def fail(self) -> None:
        """Tell whoever waits that there will be no file."""
        for one in (self.begun, self.ended):
            if not one.done():
                one.set_exception(MakingFailed())
                # Nobody may be waiting.
                one.exception()


class Makings:
    """Make files, and keep those that were asked for lately."""

    def __init__(self, site: Options) -> None:
        self._site = site
        self._kept: OrderedDict[Wish, Making] = OrderedDict()
        self._under_way = 0
        self._turn = asyncio.Semaphore(_AT_ONCE)

    @contextlib.contextmanager
    def reading(self, wish: Wish, row: TopicRow, number: int) -> Iterator[Making]:
        """Give a file, begun if there is none; once its last reader is gone an unfinished one is given up."""
        making = self._kept.get(wish)
        if making is None or not making.holds(row, number):
            making = self._start(wish, row)
        self._kept.move_to_end(wish)
        making.readers += 1
        try:
            yield making
        finally:
            making.readers -= 1
            if not making.readers and not making.ended.done() and making.task is not None:
                making.task.cancel()
                self._forget(wish, making)
            self._close_unwanted(making)

    def stop(self) -> None:
        """Give up what is being made; from the event loop."""
        for making in self._kept.values():
            if making.task is not None:
                making.task.cancel()

    def _start(self, wish: Wish, row: TopicRow) -> Making:
        if self._under_way >= _MOST_UNDER_WAY:
            raise TooMany
        old = self._kept.pop(wish, None)
        if old is not None:
            old.is_kept = False
            self._close_unwanted(old)
        making = self._kept[wish] = Making(row, self._site.temporary_dir)
        self._under_way += 1
        making.task = asyncio.create_task(self._make(wish, making))
        # Not at the end of the task itself: one that is cancelled before its first step has no end.
        making.task.add_done_callback(lambda _: self._ended(wish, making))
        return making

    async def _make(self, wish: Wish, making: Making) -> None:
        try:
            async with self._turn:
                begun_at = time.monotonic()
                ended = await self._run(self._errand(wish, making), making)
            now = time.monotonic()
            making.fresh_until = now + (now - begun_at) / _SHARE
            making.ended.set_result(ended)
        except (MakingFailed, OSError) as error:
            said = error if isinstance(error, MakingFailed) else type(error).__name__
            logger.warning("A file of open data could not be made: %s.", said)

    def _ended(self, wish: Wish, making: Making) -> None:
        self._under_way -= 1
        if not making.is_whole:
            making.fail()
            self._forget(wish, making)
        self._close_unwanted(making)
        self._make_room()

    async def _run(self, errand: Errand, making: Making) -> Ended:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            # Not from the folder that the site happens to run in.
            "-P",
            "-m",
            "commonbeat.live.data.process",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            pass_fds=(errand.descriptor,),
        )
        assert process.stdin is not None and process.stdout is not None and process.stderr is not None
        try:
            process.stdin.write(msgspec.json.encode(errand))
            process.stdin.close()
            ended: Ended | None = None
            async for line in process.stdout:
                told = msgspec.json.decode(line, type=Told)
                if isinstance(told, Begun):
                    making.made_at = clock.now()
                    making.begun.set_result(told)
                else:
                    ended = told
            complaint = (await process.stderr.read(2_000)).decode("utf-8", "replace").strip().rpartition("\n")[2]
            if await process.wait() != 0 or ended is None:
                raise MakingFailed(complaint[:100] or "it ended early")
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        return ended

    def _errand(self, wish: Wish, making: Making) -> Errand:
        site = self._site
        return Errand(
            data_dir=str(site.data_dir.absolute()),
            database_url=site.database_url,
            language=site.languages[0],
            publisher=site.site_name,
            licence=site.licence,
            topic=making.row.code,
            descriptor=making.descriptor,
            **wish._asdict(),
        )

    def _make_room(self) -> None:
        sizes = {wish: making.stored_bytes for wish, making in self._kept.items()}
        total = sum(sizes.values())
        for wish, making in list(self._kept.items()):
            if total <= _KEPT_BYTES and len(self._kept) <= _MOST_KEPT:
                return
            if making.ended.done():
                total -= sizes[wish]
                self._forget(wish, making)
                self._close_unwanted(making)

    def _forget(self, wish: Wish, making: Making) -> None:
        making.is_kept = False
        if self._kept.get(wish) is making:
            del self._kept[wish]

    def _close_unwanted(self, making: Making) -> None:
        # While it is made its process writes to it.
        if not making.is_kept and not making.readers and making.ended.done():
            making.file.close()
