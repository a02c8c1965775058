"""A process that makes one file and ends: its computing and its memory burden nobody who is being answered.

It reads an Errand, writes the file into the descriptor that it was given, and tells of it in lines of JSON.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from commonbeat.config.options import Licence, Options
from commonbeat.live.bucket_store import BucketStore, open_bucket_store
from commonbeat.live.data.formats import WRITERS, Row, Sheet
from commonbeat.maps.open_data import kinds_of, labels_of
from commonbeat.topics.definition import text_in

_POLITENESS = 10


class Errand(msgspec.Struct, frozen=True):
    """What is to be made, and from where."""

    data_dir: str
    database_url: str
    language: str
    publisher: str
    licence: Licence
    topic_id: int
    topic: str
    kind: str
    category: str = ""
    since: int | None = None
    until: int | None = None
    descriptor: int = -1


class Begun(msgspec.Struct, tag="begun"):
    """The state of the counts that the file shows."""

    number: int


class Ended(msgspec.Struct, tag="ended"):
    """The file is whole. `size` is that before compression."""

    rows: int
    reports: int
    size: int


Told = Begun | Ended


def make_file(errand: Errand, store: BucketStore, out: BinaryIO, tell: Callable[[Told], None]) -> None:
    """Make a file of the buckets as they stand at one moment."""
    parent = os.getppid()
    store.begin()
    try:
        tell(Begun(store.revision()[0]))
        definitions = store.definitions(errand.topic_id)
        sheet = Sheet(
            topic=errand.topic,
            title=text_in(definitions[0].name, errand.language) if definitions else errand.topic,
            publisher=errand.publisher,
            licence=errand.licence,
            rows=_rows(store, errand, parent),
            labels=labels_of(definitions, errand.language),
            kinds=kinds_of(definitions),
        )
        size = WRITERS[errand.kind](out, sheet)
        out.flush()
    finally:
        store.end()
    tell(Ended(sheet.count, sheet.reports, size))


def _rows(store: BucketStore, errand: Errand, parent: int) -> Iterator[Row]:
    parts = store.buckets(errand.topic_id, category=errand.category, since=errand.since, until=errand.until)
    for part in parts:
        if os.getppid() != parent:
            raise SystemExit("Whoever wanted the file is gone.")
        yield from part


def main() -> None:
    """Do one errand."""
    os.nice(_POLITENESS)
    errand = msgspec.json.decode(sys.stdin.buffer.read(), type=Errand)
    site = Options(data_dir=Path(errand.data_dir), database_url=errand.database_url)
    try:
        store = open_bucket_store(site)
        with os.fdopen(errand.descriptor, "wb", buffering=256 * 1024) as out:
            make_file(errand, store, out, _tell)
        store.close()
    except Exception as error:
        # The type only: what a database says of its connection is for nobody's log.
        raise SystemExit(type(error).__name__) from None


def _tell(told: Any) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(told) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
