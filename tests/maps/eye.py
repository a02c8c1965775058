"""What anybody can see of the public map: the tiles of the site, through the functions that answer for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import connection

from commonbeat.live import bucket_store
from commonbeat.live.bucket_store import PinRow, TopicRow
from commonbeat.live.bucket_watch import BucketWatch
from commonbeat.live.tiles import Tiles, read_address
from commonbeat.maps import tiling
from commonbeat.topics.definition import Definition, decode
from tests.maps.brute import layers


class TestStore:
    """Read by the test's own connection, so that what its transaction has done is seen."""

    __test__ = False

    def topics(self) -> list[TopicRow]:
        return [bucket_store._topic(*row) for row in self._rows(bucket_store._TOPICS)]

    def revision(self) -> tuple[int, int]:
        rows = self._rows(bucket_store._REVISION)
        return (rows[0][0], rows[0][1]) if rows else (0, 0)

    def definitions(self, topic_id: int) -> list[Definition]:
        return [decode(bucket_store._json(row[0])) for row in self._rows(bucket_store._VERSIONS, topic_id)]

    def buckets(
        self, topic_id: int, *, category: str = "", since: int | None = None, until: int | None = None
    ) -> Iterator[list[Any]]:
        sql, values = bucket_store._narrowed(topic_id, category, since, until)
        yield self._rows(sql, *values)

    def buckets_with_sources(self, topic_id: int) -> Iterator[list[Any]]:
        yield self._rows(bucket_store._WITH_SOURCES, topic_id)

    def changes(self, after: int, until: int) -> list[Any]:
        return self._rows(bucket_store._CHANGES, after, until)

    def pins(self, centres: Sequence[tuple[float, float]], now: datetime, limit: int) -> list[PinRow]:
        sqlite = connection.vendor == "sqlite"
        sql = (bucket_store._Sqlite if sqlite else bucket_store._Postgres)._pins
        at = str(now.astimezone(UTC).replace(tzinfo=None)) if sqlite else now
        rows = [row for one in centres for row in self._rows(sql, *bucket_store._around(one), at, limit)]
        return [bucket_store._pin(*row) for row in rows]

    def begin(self) -> None: ...

    def end(self) -> None: ...

    def close(self) -> None: ...

    def _rows(self, sql: str, *values: Any) -> list[Any]:
        with connection.cursor() as cursor:
            sql = sql.replace("%", "%%") if connection.vendor == "sqlite" else sql
            cursor.execute(sql.replace("?", "%s"), values)
            return list(cursor.fetchall())


class Eye:
    """Look at the map from outside."""

    def __init__(self) -> None:
        self._store = TestStore()
        self._watch = BucketWatch(settings.COMMONBEAT, lambda: self._store)
        self.look_again()
        self._watch._thread = None
        self._tiles = Tiles(settings.COMMONBEAT, self._watch)

    def look_again(self) -> None:
        """Let the process that answers follow what has happened."""
        self._watch.refresh(self._store)

    def body(self, path: str, query: str = "") -> bytes:
        """Ask for a tile."""
        return self._tiles.tile(read_address(path, query.encode())).body

    def description(self, topic: str) -> bytes:
        return self._tiles.description(topic)

    def cells(
        self, topic: str, zoom: int, points: Sequence[tuple[float, float]], query: str = "", name: str = "n"
    ) -> dict[int, int]:
        """Read n, or another number, by cell on the tiles around some points, and their neighbours."""
        found: dict[int, int] = {}
        for x, y in sorted({tile for point in points for tile in tiles_around(point, zoom)}):
            read = layers(self.body(f"{topic}/{zoom}/{x}/{y}.mvt", query))
            assert "pins" not in read or topic != "harassment"
            for feature in read.get("cells", []):
                assert found.get(feature["id"], feature[name]) == feature[name], "neighbouring tiles disagree"
                found[feature["id"]] = feature[name]
        return found


def tiles_around(point: tuple[float, float], zoom: int, reach: int = 1) -> list[tuple[int, int]]:
    """Name the tile of a point and its neighbours."""
    size = 1 << zoom
    x, y = int(tiling.mercator_x(point[1]) * size), int(tiling.mercator_y(point[0]) * size)
    return [
        (x + dx, y + dy)
        for dx in range(-reach, reach + 1)
        for dy in range(-reach, reach + 1)
        if tiling.is_tile(zoom, x + dx, y + dy)
    ]
