"""GET /data/<topic>.csv, .geojson or .parquet: every published bucket of a topic, from one moment.

?category=, ?since= and ?until= narrow it down as they do for tiles.
"""

from __future__ import annotations

import asyncio
import os
import re
import time
import zlib
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Executor
from email.utils import format_datetime
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec

from commonbeat.config.options import Options
from commonbeat.live.asked import NotAsked, read_days, read_query
from commonbeat.live.bucket_store import TopicRow, open_bucket_store
from commonbeat.live.data.formats import COMPRESSED
from commonbeat.live.data.making import Making, MakingFailed, Makings, TooMany, Wish
from commonbeat.live.database import database_errors
from commonbeat.live.http import Receive, Scope, Send, headers_of, is_had, refuse
from commonbeat.live.maps import send_file
from commonbeat.maps.open_data import FORMATS
from commonbeat.maps.rules import day_of, span_of
from commonbeat.topics.definition import Definition, encode

_FILE = re.compile(r"([a-z0-9-]{1,40})\.(csv|geojson|parquet)")
_PIECE = 256 * 1024
# Most files are whole by then, and their length can be told; of the others the beginning is sent.
_PATIENCE_SECONDS = 5.0
_LOOK_SECONDS = 0.1
_KNOWN_SECONDS = 1.0
_MOST_READERS = 200
# Another form of the files: a new number makes everybody fetch them anew.
_FORM = 1
_KEEP = b"public, max-age=60, stale-while-revalidate=600"


class CutShort(Exception):
    """The rest of an answer cannot be made: its connection must end without an end of the answer."""


class _Known(NamedTuple):
    until: float
    topics: dict[str, TopicRow]
    number: int


class _Asked(NamedTuple):
    row: TopicRow
    wish: Wish
    number: int


class DataFiles:
    """Answer for the files of open data."""

    def __init__(self, site: Options, executor: Executor) -> None:
        self._site = site
        self._executor = executor
        self._known = _Known(0.0, {}, 0)
        self._readers = 0
        self.makings = Makings(site)

    async def serve(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; path is what follows /data/."""
        if scope["method"] not in ("GET", "HEAD"):
            await refuse(send, 405, "Ask for a file with GET.", ((b"allow", b"GET, HEAD"),))
            return
        try:
            asked = await asyncio.get_running_loop().run_in_executor(
                self._executor, self._understand, path, scope["query_string"]
            )
            if self._readers >= _MOST_READERS:
                raise NotAsked(503, "Too many files are asked for at once. Please try again.")
            self._readers += 1
            try:
                await self._give(asked, scope, receive, send)
            finally:
                self._readers -= 1
        except NotAsked as problem:
            again = ((b"retry-after", b"30"),) if problem.status == 503 else ()
            await refuse(send, problem.status, problem.sentence, (*again, (b"access-control-allow-origin", b"*")))
        except database_errors():
            await refuse(send, 503, "Please try again soon.", ((b"retry-after", b"5"),))

    def _understand(self, path: str, query: bytes) -> _Asked:
        """Read what is asked for; NotAsked when there is no such file. Blocks."""
        match = _FILE.fullmatch(path)
        if match is None:
            raise NotAsked(404, "There is no such file. Ask for /data/<topic>.csv, .geojson or .parquet.")
        given = read_query(query)
        category = given.get("category", "")
        since, until = read_days(given)
        known = self._known
        row = known.topics.get(match[1])
        is_old = time.monotonic() > known.until
        if is_old or row is None or category not in _categories(row.definition):
            store = open_bucket_store(self._site)
            try:
                if is_old:
                    topics = {row.code: row for row in store.topics()}
                    known = _Known(time.monotonic() + _KNOWN_SECONDS, topics, store.revision()[0])
                    self._known = known
                row = known.topics.get(match[1])
                if row is None:
                    raise NotAsked(404, "There is no such topic.")
                # Also one of former times, which buckets may still have.
                if category not in _categories(*store.definitions(row.id)):
                    raise NotAsked(400, "This topic has no such category.")
            finally:
                store.close()
        return _Asked(row, Wish(row.id, match[2], category, *span_of(row.definition, since, until)), known.number)

    async def _give(self, asked: _Asked, scope: Scope, receive: Receive, send: Send) -> None:
        row, wish, number = asked
        headers = headers_of(scope)
        packed = wish.kind in COMPRESSED and _takes_gzip(headers)
        if await self._is_had(asked, number, packed, headers, send):
            return
        gone = asyncio.ensure_future(_disconnect(receive))
        try:
            with self.makings.reading(wish, row, number) as making:
                await _until(making.ended, gone, _PATIENCE_SECONDS)
                # Behind others it may not even have begun.
                await _until(making.begun, gone, None)
                if gone.done():
                    return
                if making.ended.done():
                    # While nothing has been sent, a failure can still be told.
                    making.ended.result()
                shown = making.begun.result().number
                if shown == number or not await self._is_had(asked, shown, packed, headers, send):
                    await self._send(making, asked, self._tag(asked, shown, packed), packed, scope, gone, send)
        except TooMany:
            raise NotAsked(503, "Many files are being made just now. Please try again in a minute.") from None
        except MakingFailed:
            raise NotAsked(503, "This file cannot be made just now. Please try again later.") from None
        finally:
            gone.cancel()

    async def _is_had(self, asked: _Asked, number: int, packed: bool, headers: dict[str, str], send: Send) -> bool:
        """Answer that nothing changed, if so."""
        tag = self._tag(asked, number, packed)
        if not is_had(headers, tag):
            return False
        kept = [(b"etag", tag.encode()), (b"cache-control", _KEEP), (b"access-control-allow-origin", b"*")]
        await send({"type": "http.response.start", "status": 304, "headers": kept})
        await send({"type": "http.response.body", "body": b""})
        return True

    async def _send(
        self,
        making: Making,
        asked: _Asked,
        tag: str,
        packed: bool,
        scope: Scope,
        gone: asyncio.Future[None],
        send: Send,
    ) -> None:
        kind, is_get = asked.wish.kind, scope["method"] == "GET"
        is_plain = kind in COMPRESSED and not packed
        headers = [*self._headers(making, asked), *([(b"content-encoding", b"gzip")] if packed else [])]
        if making.is_whole and not is_plain:
            asked_for = headers_of(scope)
            descriptor = making.descriptor
            await send_file(descriptor, self._executor, asked_for, send, headers, with_body=is_get, tag=tag)
            return
        headers += [(b"etag", tag.encode()), (b"accept-ranges", b"none")]
        if making.is_whole:
            headers.append((b"content-length", b"%d" % making.ended.result().size))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        if is_get:
            unpack = zlib.decompressobj(wbits=31) if is_plain else None
            async for piece in self._pieces(making, gone):
                for part in _unpacked(unpack, piece) if unpack is not None else [piece]:
                    await send({"type": "http.response.body", "body": part, "more_body": True})
        if not gone.done():
            await send({"type": "http.response.body", "body": b""})

    async def _pieces(self, making: Making, gone: asyncio.Future[None]) -> AsyncIterator[bytes]:
        """Read a file to its end, which may be yet to come; MakingFailed when it does not come."""
        loop = asyncio.get_running_loop()
        at = 0
        while not gone.done():
            is_last = making.ended.done()
            piece = await loop.run_in_executor(self._executor, os.pread, making.descriptor, _PIECE, at)
            if piece:
                at += len(piece)
                yield piece
            elif is_last:
                if not making.is_whole:
                    # So that nobody takes half a file for a whole one.
                    raise CutShort
                return
            else:
                await _until(making.ended, gone, _LOOK_SECONDS)

    def _headers(self, making: Making, asked: _Asked) -> list[tuple[bytes, bytes]]:
        licence = self._site.licence
        return [
            (b"content-type", FORMATS[asked.wish.kind].encode()),
            (b"content-disposition", f'attachment; filename="{_file_name(asked)}"'.encode()),
            (b"cache-control", _KEEP),
            (b"last-modified", format_datetime(making.made_at, usegmt=True).encode()),
            (b"vary", b"Accept-Encoding"),
            (b"link", f'</data/datapackage.json>; rel="describedby", <{licence.url}>; rel="license"'.encode()),
            (b"access-control-allow-origin", b"*"),
            (b"access-control-expose-headers", b"Content-Disposition, Content-Length, Content-Range, ETag, Link"),
            (b"x-content-type-options", b"nosniff"),
        ]

    def _tag(self, asked: _Asked, number: int, packed: bool) -> str:
        about = (_FORM, number, asked.wish, encode(asked.row.definition), self._site.licence, self._site.site_name)
        digest = blake2b(msgspec.json.encode(about), digest_size=9).hexdigest()
        return f'"{digest}-gzip"' if packed else f'"{digest}"'


def _categories(*definitions: Definition) -> set[str]:
    return {"", *(option.code for each in definitions for option in each.categories)}


def _file_name(asked: _Asked) -> str:
    wish = asked.wish
    days = [day_of(day).isoformat() for day in (wish.since, wish.until) if day is not None]
    words = [asked.row.code, wish.category, *days]
    return "-".join(re.sub(r"[^a-z0-9_-]", "", word) for word in words if word) + f".{wish.kind}"


def _takes_gzip(headers: dict[str, str]) -> bool:
    for part in headers.get("accept-encoding", "").lower().split(","):
        name, _, weight = part.partition(";")
        if name.strip() in ("gzip", "*"):
            return not re.fullmatch(r"\s*q\s*=\s*0(\.0*)?\s*", weight)
    return False


def _unpacked(unpack: zlib._Decompress, piece: bytes) -> Iterator[bytes]:
    # In small steps: what was 256 kB may be many megabytes.
    while piece:
        part = unpack.decompress(piece, _PIECE)
        if part:
            yield part
        piece = unpack.unconsumed_tail


async def _until(what: asyncio.Future[Any], gone: asyncio.Future[None], seconds: float | None) -> None:
    """Wait for something, or for the client to go away, or for the time."""
    if not what.done():
        await asyncio.wait([what, gone], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)


async def _disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
