"""The SQL by which the lean half reads published buckets and pins, for both databases."""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import msgspec

from commonbeat.config.options import Options
from commonbeat.topics.definition import Definition, decode

if TYPE_CHECKING:
    import psycopg

_ROWS = 20_000
# The centre of a cell is stored as it was computed; another version of the library may differ in the last digits.
_NEARLY = 1e-7

_TOPICS = (
    "SELECT topics_topic.id, code, data, current_id FROM topics_topic JOIN topics_topicversion"
    " ON topics_topicversion.id = current_id ORDER BY position, topics_topic.id"
)
_REVISION = "SELECT number, floor FROM maps_revision"
# In the order of the index, so that the arrays need no sorting.
_BUCKETS = "SELECT category, cell, period, n FROM maps_bucket WHERE topic_id = ?"
_WITH_SOURCES = "SELECT category, cell, period, n, sources FROM maps_bucket WHERE topic_id = ?"
_IN_ORDER = " ORDER BY cell, period, category"
_VERSIONS = "SELECT data FROM topics_topicversion WHERE topic_id = ? ORDER BY number DESC"
_CHANGES = "SELECT topic_id, category, cell, period, n, sources FROM maps_change WHERE number > ? AND number <= ?"
# The same gate as PublicationQuerySet.public, in SQL: a topic that turned to counts shows no pin from that moment on.
_PINS = (
    "SELECT code, topic_id, categories, latitude, longitude, {seconds} FROM reports_publication"
    " WHERE latitude BETWEEN ? AND ? AND longitude BETWEEN ? AND ? AND state = 'public' AND lists_each"
    " AND topic_id NOT IN (SELECT id FROM topics_topic WHERE counts_only) AND public_at <= ? LIMIT ?"
)


class TopicRow(NamedTuple):
    """A topic as it stands."""

    id: int
    code: str
    definition: Definition
    # The number of this definition; a revised topic has a higher one.
    version: int = 0


class PinRow(NamedTuple):
    """A published report at its public place."""

    code: str
    topic_id: int
    category: str
    latitude: float
    longitude: float
    # Seconds from 1970-01-01 UTC.
    public_at: int


class BucketStore(Protocol):
    """Read what public maps show, and nothing else."""

    def topics(self) -> list[TopicRow]:
        """Read the topics in order."""

    def revision(self) -> tuple[int, int]:
        """Give the number of the newest change, and the number since which changes are kept."""

    def definitions(self, topic_id: int) -> list[Definition]:
        """Read every version of a topic, the newest first."""

    def buckets(
        self, topic_id: int, *, category: str = "", since: int | None = None, until: int | None = None
    ) -> Iterator[list[Any]]:
        """Read the buckets of a topic, in the order of their cells, in parts: category, cell, period, n.

        Only those of a category, and of the periods that begin from `since` on and before `until`.
        """

    def buckets_with_sources(self, topic_id: int) -> Iterator[list[Any]]:
        """Read the buckets of a topic in the same order: category, cell, period, n, sources."""

    def changes(self, after: int, until: int) -> list[Any]:
        """Read changes: topic, category, cell, period, n, sources."""

    def pins(self, centres: Sequence[tuple[float, float]], now: datetime, limit: int) -> list[PinRow]:
        """Read the published reports at some public places, at most `limit`."""

    def begin(self) -> None:
        """Read what follows as it stands at one moment."""

    def end(self) -> None:
        """End what begin() began."""

    def close(self) -> None:
        """Close the connection."""


def open_bucket_store(site: Options) -> BucketStore:
    """Connect to the site's database; a connection belongs to one thread at a time."""
    return _Postgres(site.database_url) if site.database_url else _Sqlite(str(site.database_path))


class _Store(ABC):
    """What both databases have in common."""

    _db: sqlite3.Connection | psycopg.Connection[Any]
    _mark = "?"
    _pins: str

    def topics(self) -> list[TopicRow]:
        return [_topic(*row) for row in self._asked(_TOPICS)]

    def revision(self) -> tuple[int, int]:
        row = self._asked(_REVISION).fetchone()
        return (row[0], row[1]) if row else (0, 0)

    def definitions(self, topic_id: int) -> list[Definition]:
        return [decode(_json(row[0])) for row in self._asked(_VERSIONS, topic_id)]

    def buckets(
        self, topic_id: int, *, category: str = "", since: int | None = None, until: int | None = None
    ) -> Iterator[list[Any]]:
        yield from self._streamed(*_narrowed(topic_id, category, since, until))

    def buckets_with_sources(self, topic_id: int) -> Iterator[list[Any]]:
        yield from self._streamed(_WITH_SOURCES + _IN_ORDER, (topic_id,))

    def changes(self, after: int, until: int) -> list[Any]:
        found: list[Any] = self._asked(_CHANGES, after, until).fetchall()
        return found

    def pins(self, centres: Sequence[tuple[float, float]], now: datetime, limit: int) -> list[PinRow]:
        at = self._moment(now)
        found: list[PinRow] = []
        for centre in centres:
            found += [_pin(*row) for row in self._asked(self._pins, *_around(centre), at, limit - len(found))]
            if len(found) >= limit:
                break
        return found

    def close(self) -> None:
        self._db.close()

    def _asked(self, sql: str, *values: Any) -> Any:
        return self._db.execute(sql.replace("?", self._mark), values)

    @abstractmethod
    def _streamed(self, sql: str, values: tuple[Any, ...]) -> Iterator[list[Any]]:
        """Give the rows piece by piece, so that nobody holds all of them."""

    def _moment(self, now: datetime) -> object:
        return now


class _Sqlite(_Store):
    _db: sqlite3.Connection
    _pins = _PINS.replace("{seconds}", "CAST(strftime('%s', public_at) AS INTEGER)")

    def __init__(self, path: str) -> None:
        self._db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None, check_same_thread=False)
        for pragma in ("busy_timeout=10000", "cache_size=-4000"):
            self._db.execute(f"PRAGMA {pragma}")

    def begin(self) -> None:
        self._db.execute("BEGIN")

    def end(self) -> None:
        if self._db.in_transaction:
            self._db.execute("COMMIT")

    def _streamed(self, sql: str, values: tuple[Any, ...]) -> Iterator[list[Any]]:
        found = self._db.execute(sql, values)
        while rows := found.fetchmany(_ROWS):
            yield rows

    def _moment(self, now: datetime) -> object:
        return str(now.astimezone(UTC).replace(tzinfo=None))


class _Postgres(_Store):
    _db: psycopg.Connection[Any]
    _mark = "%s"
    _pins = _PINS.replace("{seconds}", "floor(extract(epoch FROM public_at))::bigint")

    def __init__(self, url: str) -> None:
        import psycopg

        self._db = psycopg.connect(url, autocommit=True)

    def begin(self) -> None:
        self._db.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")

    def end(self) -> None:
        self._db.execute("COMMIT")

    def _streamed(self, sql: str, values: tuple[Any, ...]) -> Iterator[list[Any]]:
        # A cursor of the server: else the client would hold every row at once.
        with self._db.transaction(), self._db.cursor(name="buckets") as cursor:
            cursor.execute(sql.replace("?", self._mark), values)
            while rows := cursor.fetchmany(_ROWS):
                yield rows


def _narrowed(topic_id: int, category: str, since: int | None, until: int | None) -> tuple[str, tuple[Any, ...]]:
    parts: list[tuple[str, Any]] = [("", topic_id)]
    if category:
        parts.append((" AND category = ?", category))
    if since is not None:
        parts.append((" AND period >= ?", since))
    if until is not None:
        parts.append((" AND period < ?", until))
    return _BUCKETS + "".join(sql for sql, _ in parts) + _IN_ORDER, tuple(value for _, value in parts)


def _around(centre: tuple[float, float]) -> tuple[float, float, float, float]:
    latitude, longitude = centre
    return latitude - _NEARLY, latitude + _NEARLY, longitude - _NEARLY, longitude + _NEARLY


def _topic(pk: int, code: str, data: Any, version: int) -> TopicRow:
    return TopicRow(pk, code, decode(_json(data)), version)


def _pin(code: str, topic_id: int, categories: Any, latitude: float, longitude: float, public_at: int) -> PinRow:
    listed = _json(categories)
    return PinRow(code, topic_id, str(listed[0]) if listed else "", latitude, longitude, public_at)


def _json(data: Any) -> Any:
    return msgspec.json.decode(data) if isinstance(data, str) else data
