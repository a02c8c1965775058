"""Hold the published buckets in memory, and follow their changes: one thread, twice a second."""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from commonbeat.config.options import Options
from commonbeat.live.bucket_store import BucketStore, TopicRow, open_bucket_store
from commonbeat.maps.arrays import Kept, TopicBuckets
from commonbeat.maps.making import BucketRow, Builder, changed, first_period

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.4
_EMPTY = TopicBuckets()


@dataclass(frozen=True, eq=False, slots=True)
class Atlas:
    """What there is to show, at one moment; replaced, never changed."""

    number: int = 0
    topics: dict[str, TopicRow] = field(default_factory=dict)
    buckets: dict[int, TopicBuckets] = field(default_factory=dict)


class BucketWatch:
    """Keep an Atlas up to date. Nothing is read before the first map is asked for."""

    def __init__(self, site: Options, open_store: Callable[[], BucketStore] | None = None) -> None:
        self.open_store = open_store or partial(open_bucket_store, site)
        self.kept = Kept()
        self._atlas: Atlas | None = None
        self._reading = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def atlas(self) -> Atlas:
        """Give what is known; the first call reads everything, and begins to follow the changes. Blocks."""
        if self._atlas is None:
            with self._reading:
                if self._atlas is None:
                    self._refresh_by_itself()
                    self._thread = threading.Thread(target=self._watch, name="buckets", daemon=True)
                    self._thread.start()
        assert self._atlas is not None
        return self._atlas

    @property
    def current(self) -> Atlas | None:
        """Give what is known, without waiting."""
        return self._atlas

    def stop(self) -> None:
        """End the thread."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout=2.0)

    def refresh(self, store: BucketStore) -> None:
        """Bring what is known up to date."""
        known = self._atlas
        topics = store.topics()
        number, floor = store.revision()
        by_code = {topic.code: topic for topic in topics}
        if known is not None and known.number == number and known.topics == by_code:
            return
        if known is None or known.number < floor or known.number > number:
            buckets, number = self._read_all(store)
        else:
            buckets = _follow(known, store, number)
        self._atlas = Atlas(number, by_code, buckets)
        self.kept.forget(group for each in buckets.values() for group in each.groups)

    def _read_all(self, store: BucketStore) -> tuple[dict[int, TopicBuckets], int]:
        # The buckets and their number must be of one moment.
        store.begin()
        try:
            number, _ = store.revision()
            found = {}
            for topic in store.topics():
                builder = Builder()
                for rows in store.buckets_with_sources(topic.id):
                    builder.add(rows)
                groups = builder.groups()
                found[topic.id] = TopicBuckets(groups, (), builder.categories, number, first_period(groups))
            return found, number
        finally:
            store.end()

    def _refresh_by_itself(self) -> None:
        store = self.open_store()
        try:
            self.refresh(store)
        finally:
            store.close()

    def _watch(self) -> None:
        store: BucketStore | None = None
        while not self._stopping.wait(POLL_SECONDS):
            try:
                store = store or self.open_store()
                self.refresh(store)
            except Exception as error:  # the database may be away for a while; maps stay as they are known
                logger.warning("The counts of the map cannot be followed: %s.", type(error).__name__)
                store = None
        if store is not None:
            store.close()


def _follow(known: Atlas, store: BucketStore, number: int) -> dict[int, TopicBuckets]:
    rows: dict[int, list[BucketRow]] = defaultdict(list)
    for topic_id, *row in store.changes(known.number, number):
        category, cell, period, n, sources = row
        rows[topic_id].append((category, cell, period, n, sources))
    buckets = dict(known.buckets)
    for topic_id, changes in rows.items():
        buckets[topic_id] = changed(buckets.get(topic_id, _EMPTY), changes, number)
    return buckets
