"""GET /live/alerts.json and /live/alerts/<cell>.json: what is active, for devices that find out what is near.

While there is little, alerts.json holds all of it; else it names the cells (H3, resolution 4) in which there is
something, and the device asks for those around it. See alerts/near.py.
"""

from __future__ import annotations

import asyncio
import gzip
import logging
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import blake2b

from commonbeat.alerts.near import RESOLUTION, NearEntry, entry_of, listing
from commonbeat.config.options import Options
from commonbeat.foundation import cells, clock
from commonbeat.live.alert_store import AlertStore, open_alert_store
from commonbeat.live.database import database_errors
from commonbeat.live.http import Scope, Send, headers_of, is_had, refuse, respond

logger = logging.getLogger(__name__)

# How old an answer may be, beyond what caches add; while one looks again, the others have what is known.
_LOOK_SECONDS = 0.5
_OLDEST_SECONDS = 2.0
# Bytes up to which everything is told to everybody: a list is better for those who ask than any cell.
_WHOLE_BYTES = 200_000
_CELL = re.compile(r"[0-9a-f]{15}")
_JSON = b"application/json"
_KEEP = b"public, max-age=10, stale-while-revalidate=60"


@dataclass(frozen=True, slots=True)
class Written:
    """One answer, plain and packed."""

    plain: bytes
    packed: bytes
    tag: str


@dataclass(frozen=True, eq=False, slots=True)
class Known:
    """What is active at one moment; replaced, never changed but for what is written of it on the way."""

    ids: tuple[int, ...]
    entries: dict[int, NearEntry]
    by_cell: dict[int, list[int]]
    written: dict[int, Written] = field(default_factory=dict)


class NearAlerts:
    """Hold what is active, written, until it changes. Nothing is read before somebody asks."""

    def __init__(self, site: Options) -> None:
        self._site = site
        self._known: Known | None = None
        self._looked_at = 0.0
        self._look: asyncio.Task[None] | None = None
        self._store: AlertStore | None = None
        # One thread, for a connection belongs to one; it also packs.
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="near")
        self._lock = threading.Lock()

    def stop(self) -> None:
        """End the thread."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    async def answer(self, cell: int) -> Written:
        """Give the answer for a cell, 0 for the list; raises what the database raises."""
        age = time.monotonic() - self._looked_at
        if self._known is None or age > _LOOK_SECONDS:
            if self._look is None or self._look.done():
                self._look = asyncio.create_task(self._refresh())
            if self._known is None or age > _OLDEST_SECONDS:
                # Shielded: others wait for it too, and one of them going away must not end it.
                await asyncio.shield(self._look)
        known = self._known
        assert known is not None
        # Cells without anything of their own have one answer together.
        name = cell if cell in known.by_cell else -1 if cell else 0
        written = known.written.get(name)
        if written is None:
            loop = asyncio.get_running_loop()
            written = await loop.run_in_executor(self._executor, self._write, known, name)
        return written

    async def _refresh(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._executor, self.refresh)

    def refresh(self) -> None:
        """Bring what is known up to date. Blocks."""
        now = clock.now()
        try:
            self._store = self._store or open_alert_store(self._site)
            ids = self._store.active_ids(now)
            known = self._known
            if known is None or known.ids != ids:
                entries = {pk: known.entries[pk] for pk in ids if pk in known.entries} if known else {}
                rows = self._store.rows([pk for pk in ids if pk not in entries])
                entries |= {pk: entry_of(row) for pk, row in rows.items()}
                self._known = _known(tuple(pk for pk in ids if pk in entries), entries)
        except database_errors():
            self._store = None
            raise
        self._looked_at = time.monotonic()

    def _write(self, known: Known, name: int) -> Written:
        with self._lock:
            if name not in known.written:
                known.written[name] = _written(_body(known, name))
            return known.written[name]


async def serve_alerts(alerts: NearAlerts, path: str, scope: Scope, send: Send) -> None:
    """Answer one request; path is what follows /live/alerts."""
    if scope["method"] not in ("GET", "HEAD"):
        await refuse(send, 405, "Ask for alerts with GET.", ((b"allow", b"GET, HEAD"),))
        return
    cell = _cell(path)
    if cell is None:
        await refuse(send, 404, f"Ask for /live/alerts.json, or for a cell of H3's resolution {RESOLUTION} below it.")
        return
    try:
        written = await alerts.answer(cell)
    except database_errors() as error:
        logger.warning("The active alerts could not be read: %s.", type(error).__name__)
        await refuse(send, 503, "Please try again soon.", ((b"retry-after", b"5"),))
        return
    asked = headers_of(scope)
    is_packed = "gzip" in asked.get("accept-encoding", "")
    headers = [
        # A weak one, for it stands for the packed bytes and for the plain ones.
        (b"etag", b"W/" + written.tag.encode()),
        (b"cache-control", _KEEP),
        (b"vary", b"accept-encoding"),
        (b"access-control-allow-origin", b"*"),
    ]
    if is_had(asked, written.tag):
        await respond(send, 304, b"", _JSON, headers)
        return
    if is_packed:
        headers.append((b"content-encoding", b"gzip"))
    body = written.packed if is_packed else written.plain
    await respond(send, 200, body if scope["method"] == "GET" else b"", _JSON, headers)


def _cell(path: str) -> int | None:
    if path == ".json":
        return 0
    name = path.removeprefix("/").removesuffix(".json")
    if not path.endswith(".json") or not _CELL.fullmatch(name):
        return None
    cell = int(name, 16)
    return cell if cells.resolution_of(cell) == RESOLUTION else None


def _known(ids: tuple[int, ...], entries: dict[int, NearEntry]) -> Known:
    by_cell: dict[int, list[int]] = {}
    for pk in ids:
        for cell in entries[pk].cells or ():
            by_cell.setdefault(cell, []).append(pk)
    return Known(ids, entries, by_cell)


def _body(known: Known, name: int) -> bytes:
    if name == 0:
        everything = [known.entries[pk].body for pk in known.ids]
        if sum(map(len, everything)) <= _WHOLE_BYTES:
            return listing(everything, places=None)
    wide = [pk for pk in known.ids if known.entries[pk].cells is None]
    if name == 0:
        return listing([known.entries[pk].body for pk in wide], places=sorted(known.by_cell))
    # What is told everywhere stands in the list already.
    return listing([known.entries[pk].body for pk in known.by_cell.get(name, ())], places=None)


def _written(body: bytes) -> Written:
    return Written(body, gzip.compress(body, 6, mtime=0), f'"{blake2b(body, digest_size=9).hexdigest()}"')
