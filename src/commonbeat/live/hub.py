"""The hub of the event streams: one thread watches the journal, the event loop tells who is concerned."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from dataclasses import dataclass, field

import msgspec

from commonbeat.config.options import Options
from commonbeat.live.session import Viewer
from commonbeat.live.store import EntryRow, Store, open_store

logger = logging.getLogger(__name__)

LISTENERS_LIMIT = 2_000
KEEP_ALIVE_SECONDS = 15.0
# A listener to whom nothing could be sent for so long is cut off, and resumes by Last-Event-ID.
STUCK_SECONDS = 10.0
# Then the stream ends and the browser opens it anew, so that a lost permission counts.
LIFETIME_SECONDS = 600.0
_POLL_SECONDS = 0.1
_RING = 2_048
_CATCH_UP = 500
_UNITS_KNOWN = 10_000


@dataclass(frozen=True, slots=True)
class Hint:
    """One event: what changed, never how."""

    id: int
    # The desks that it concerns: where the report lies, and where it lay before.
    unit_ids: frozenset[int]
    text: bytes


@dataclass(eq=False, slots=True)
class Listener:
    """One open stream."""

    viewer: Viewer
    position: int
    opened_at: float
    written_at: float
    task: asyncio.Task[None] | None = None
    waker: asyncio.Future[None] | None = None
    # Set while a write is under way.
    writing_since: float | None = None
    is_over: bool = False

    def wake(self) -> None:
        """Let the stream look whether there is something for it."""
        if self.waker is not None and not self.waker.done():
            self.waker.set_result(None)


def hint_text(entry_id: int, kind: str, subject_id: int) -> bytes:
    """Write one event of the stream."""
    data = msgspec.json.encode({"topic": kind.partition(".")[0].removesuffix("s"), "id": subject_id, "kind": kind})
    return b"event: hint\nid: %d\ndata: %b\n\n" % (entry_id, data)


def everything_text(entry_id: int) -> bytes:
    """Write the event that says: too much happened, look at all of it again."""
    return b'event: hint\nid: %d\ndata: {"topic":"all","id":0,"kind":"all"}\n\n' % entry_id


@dataclass(slots=True)
class UnitsKnown:
    """Remember where reports lay, so that both desks hear of a report that moves."""

    last: dict[int, int] = field(default_factory=dict)

    def hints(self, store: Store, entries: list[EntryRow]) -> list[Hint]:
        """Make hints of those entries that concern a desk."""
        about = [entry for entry in entries if entry[1].startswith("reports.")]
        units = store.units_of(sorted({subject for _, _, subject in about}))
        made = []
        for entry_id, kind, subject in about:
            concerned = {unit for unit in (units.get(subject), self.last.get(subject)) if unit is not None}
            if concerned:
                made.append(Hint(entry_id, frozenset(concerned), hint_text(entry_id, kind, subject)))
        self.last.update(units)
        if len(self.last) > _UNITS_KNOWN:
            self.last.clear()
        return made


class Hub:
    """Hold the open streams of this process."""

    def __init__(self, site: Options) -> None:
        self._site = site
        self.listeners: set[Listener] = set()
        self._ring: deque[Hint] = deque()
        # Everything after floor and up to position is in the ring.
        self._floor = 0
        self._position = 0
        self._wanted = threading.Event()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ticker: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start watching, from the event loop that holds the streams; idle until somebody listens."""
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._watch, name="hub", daemon=True)
        self._thread.start()
        self._ticker = self._loop.create_task(self._tick())

    def close(self) -> None:
        """End every stream soon; from the event loop."""
        self._stopping = True
        self._wanted.set()
        for listener in self.listeners:
            listener.is_over = True
            listener.wake()

    def stop(self) -> None:
        """End the streams, the thread and the ticker."""
        self.close()
        if self._ticker is not None:
            self._ticker.cancel()
        if self._thread is not None:
            self._thread.join(timeout=2.0)

    @property
    def is_open(self) -> bool:
        """Tell whether another stream may be opened."""
        return not self._stopping and len(self.listeners) < LISTENERS_LIMIT

    def join(self, listener: Listener) -> None:
        """Add a stream."""
        self.listeners.add(listener)
        self._wanted.set()

    def leave(self, listener: Listener) -> None:
        """Take a stream out."""
        self.listeners.discard(listener)
        if not self.listeners and not self._stopping:
            self._wanted.clear()

    def waiting_for(self, listener: Listener) -> list[Hint] | None:
        """Give what a stream has not had, and move it on; None when that is no longer held here."""
        if listener.position < self._floor:
            return None
        found: list[Hint] = []
        for hint in reversed(self._ring):
            if hint.id <= listener.position:
                break
            if listener.viewer.may_see(hint.unit_ids):
                found.append(hint)
        listener.position = max(listener.position, self._position)
        found.reverse()
        return found

    def catch_up(self, listener: Listener) -> bytes:
        """Read from the database what a stream has not had, and move it on; blocks, so call it in a thread."""
        store = open_store(self._site)
        try:
            entries = store.entries_after(listener.position, _CATCH_UP + 1)
            if len(entries) > _CATCH_UP:
                listener.position = store.newest()
                return everything_text(listener.position)
            hints = UnitsKnown().hints(store, entries)
            if entries:
                listener.position = entries[-1][0]
            return b"".join(hint.text for hint in hints if listener.viewer.may_see(hint.unit_ids))
        finally:
            store.close()

    def newest(self) -> int:
        """Read where the journal ends; blocks, so call it in a thread."""
        store = open_store(self._site)
        try:
            return store.newest()
        finally:
            store.close()

    def _watch(self) -> None:
        store: Store | None = None
        position, mark, units = -1, -1, UnitsKnown()
        while True:
            if not self._wanted.is_set():
                position = -1
                self._wanted.wait()
            if self._stopping:
                break
            try:
                store = store or open_store(self._site)
                seen = store.change_mark()
                if position < 0:
                    position, mark = store.newest(), seen
                    self._tell(position, [], fresh=True)
                elif seen != mark:
                    entries = store.entries_after(position, 1_000)
                    if entries:
                        position = entries[-1][0]
                        self._tell(position, units.hints(store, entries), fresh=False)
                    # Fewer than asked for: nothing is left of what the mark stood for.
                    mark = seen if len(entries) < 1_000 else -1
            except Exception as error:  # the database may be away for a while; streams go on without hints
                logger.warning("The journal cannot be watched: %s.", type(error).__name__)
                store = None
                time.sleep(1.0)
            time.sleep(_POLL_SECONDS)
        if store is not None:
            store.close()

    def _tell(self, position: int, hints: list[Hint], *, fresh: bool) -> None:
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._publish, position, hints, fresh)

    def _publish(self, position: int, hints: list[Hint], fresh: bool) -> None:
        if fresh:
            self._ring.clear()
            self._floor = position
        self._ring.extend(hints)
        while len(self._ring) > _RING:
            self._floor = self._ring.popleft().id
        self._position = position
        for listener in self.listeners:
            if fresh or any(listener.viewer.may_see(hint.unit_ids) for hint in hints):
                listener.wake()

    async def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(1.0)
            now = loop.time()
            for listener in list(self.listeners):
                since = listener.writing_since
                if since is not None and now - since > STUCK_SECONDS:
                    listener.is_over = True
                    if listener.task is not None:
                        listener.task.cancel()
                elif now - listener.opened_at > LIFETIME_SECONDS:
                    listener.is_over = True
                    listener.wake()
                elif now - listener.written_at >= KEEP_ALIVE_SECONDS:
                    listener.wake()
