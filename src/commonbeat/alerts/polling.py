"""Ask a source of alerts what it has: the fetch and the reading, without a table."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

import httpx
from lxml import etree

from commonbeat.alerts.cap import CapAlert, CapError
from commonbeat.alerts.cap_reading import MESSAGE_BYTES, message_in, parse
from commonbeat.alerts.cap_signing import verified
from commonbeat.alerts.feed_reading import FEED_BYTES, Entry, read_feed
from commonbeat.alerts.fetching import FetchError, Resolve, fetch, resolve

# Messages of a feed that are fetched in one go; the rest come a minute later.
MOST_FETCHES = 40
# One source must not keep the others waiting.
SECONDS = 60.0
_REMEMBERED = 5_000


@dataclass(frozen=True, slots=True)
class Found:
    """One message of a source, or why there is none."""

    address: str
    message: CapAlert | None = None
    code: str = ""
    # What named it; None where it stood in the document itself.
    entry: Entry | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a source answered; a code where it could not be asked or read at all."""

    found: tuple[Found, ...] = ()
    code: str = ""
    is_unchanged: bool = False
    # More was there than fits one go; the feed must be read again.
    has_more: bool = False
    etag: str = ""
    modified: str = ""


class Seen:
    """Remember what was dealt with, in one process: each message is fetched once, and what is over stays over."""

    def __init__(self) -> None:
        self._known: dict[object, None] = {}

    def has(self, source_id: int, entry: Entry) -> bool:
        """Tell whether an entry was dealt with as it stands now."""
        return (source_id, entry) in self._known

    def add(self, source_id: int, entry: Entry) -> None:
        """Remember an entry."""
        self._add((source_id, entry))

    def is_over(self, stored_identifier: str) -> bool:
        """Tell whether a message was replaced or cancelled before it came itself."""
        return stored_identifier in self._known

    def add_over(self, stored_identifier: str) -> None:
        """Remember that a message was replaced or cancelled."""
        self._add(stored_identifier)

    def _add(self, what: object) -> None:
        self._known[what] = None
        while len(self._known) > _REMEMBERED:
            self._known.pop(next(iter(self._known)))


def ask(
    *,
    address: str,
    client: httpx.Client,
    now: datetime,
    source_id: int = 0,
    etag: str = "",
    modified: str = "",
    certificate: str = "",
    allow_private: bool = False,
    seen: Seen | None = None,
    most: int = MOST_FETCHES,
    seconds: float = SECONDS,
    look_up: Resolve = resolve,
    clock: Callable[[], float] = time.monotonic,
) -> Answer:
    """Fetch a source and what its feed names, and read it; nothing is raised, whatever it sends."""
    until = clock() + seconds
    seen = Seen() if seen is None else seen

    def get(what: str, limit: int, etag: str = "", modified: str = "") -> tuple[bytes, str, str, str] | None:
        got = fetch(
            what, client=client, limit=limit, etag=etag, modified=modified,
            allow_private=allow_private, look_up=look_up, clock=clock,
        )  # fmt: skip
        return None if got.is_unchanged else (got.data, got.address, got.etag, got.modified)

    try:
        got = get(address, FEED_BYTES, etag, modified)
        if got is None:
            return Answer(is_unchanged=True, etag=etag, modified=modified)
        data, final, etag, modified = got
        feed = read_feed(data, final)
    except (FetchError, CapError) as error:
        return Answer(code=error.code)
    found = [_read(each, address, certificate, now) for each in feed.messages]
    has_more = False
    for fetched, entry in enumerate(_new(feed.entries, source_id, seen)):
        if fetched >= most or clock() > until:
            has_more = True
            break
        try:
            part = get(entry.address, MESSAGE_BYTES)
            root = parse(part[0] if part else b"", MESSAGE_BYTES)
            found.append(replace(_read(root, entry.address, certificate, now), entry=entry))
        except FetchError as error:
            # It may be there a minute later, so the entry is not remembered.
            found.append(Found(entry.address, code=error.code))
            has_more = True
        except CapError as error:
            found.append(Found(entry.address, code=error.code, entry=entry))
    return Answer(tuple(found), has_more=has_more, etag=etag, modified=modified)


def _new(entries: tuple[Entry, ...], source_id: int, seen: Seen) -> Iterator[Entry]:
    return (entry for entry in entries if not seen.has(source_id, entry))


def _read(root: etree._Element, address: str, certificate: str, now: datetime) -> Found:
    try:
        return Found(address, message_in(verified(root, certificate, now) if certificate else root))
    except CapError as error:
        return Found(address, code=error.code)
