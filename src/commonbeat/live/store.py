"""The SQL of the lean half, for both databases: it shares the tables of messaging and the journal by contract.

The rows are those of messaging.actions.receive; tests/live/test_writer.py reads them back through the models.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Protocol

from commonbeat.config.options import Options
from commonbeat.journal.actions import JOURNAL_LOCK

if TYPE_CHECKING:
    import psycopg

# channel, provider's id, sealed body
Row = tuple[str, str, bytes]
# id, kind, subject
EntryRow = tuple[int, str, int]

_BUSY_SECONDS = 10.0
_LOOK_AGAIN_SECONDS = 0.001
# Each call into SQLite gives up the interpreter's lock, and under load it takes milliseconds to get it back; so a
# batch is few calls with many rows each, not executemany with one call per row (2.5 times as many messages a second).
_ROWS_AT_ONCE = 64


@cache
def _insert(rows: int) -> str:
    values = ",".join(["(?,?,?,?,'new',0)"] * rows)
    return (
        "INSERT INTO messaging_inbound (channel, provider_id, body_sealed, received_at, state, attempts)"
        f" VALUES {values} ON CONFLICT DO NOTHING"
    )


class Store(Protocol):
    """Write messages, and read the journal."""

    def write(self, rows: Sequence[Row], now: datetime) -> None:
        """Store the rows that are new with a journal entry each, and commit; nothing is stored when it raises."""

    def newest(self) -> int:
        """Give the id of the newest entry of the journal."""

    def entries_after(self, position: int, limit: int) -> list[EntryRow]:
        """Read entries of the journal, oldest first."""

    def units_of(self, report_ids: Sequence[int]) -> dict[int, int]:
        """Give the unit on whose desk each report lies."""

    def change_mark(self) -> int:
        """Give a number that differs once somebody else has committed; cheap."""

    def close(self) -> None:
        """Close the connection."""


def open_store(site: Options) -> Store:
    """Connect to the site's database; a connection belongs to one thread."""
    return PostgresStore(site.database_url) if site.database_url else SqliteStore(str(site.database_path))


class SqliteStore:
    """Keep one SQLite connection: WAL, synchronous FULL, IMMEDIATE."""

    def __init__(self, path: str) -> None:
        # Only an existing file: an empty one made here would look like a site without tables.
        self._db = sqlite3.connect(
            f"file:{path}?mode=rw", uri=True, timeout=0.0, isolation_level=None, check_same_thread=False
        )
        for pragma in (
            f"busy_timeout={int(_BUSY_SECONDS * 1000)}",
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "cache_size=-4000",
        ):
            self._db.execute(f"PRAGMA {pragma}")
        self._db.execute("PRAGMA busy_timeout=0")

    def write(self, rows: Sequence[Row], now: datetime) -> None:
        """Store the rows in one transaction."""
        # Django reads naive UTC text.
        at = str(now.astimezone(UTC).replace(tzinfo=None))
        db = self._db
        self._begin()
        try:
            for start in range(0, len(rows), _ROWS_AT_ONCE):
                part = rows[start : start + _ROWS_AT_ONCE]
                db.execute(_insert(len(part)), [value for row in part for value in (*row, at)])
            # The lock is held and entries are written in the order of their messages, so these are exactly ours.
            db.execute(
                "INSERT INTO journal_entry (at, kind, subject_id, actor_id, data)"
                " SELECT received_at, 'messaging.received', id, NULL, '{}' FROM messaging_inbound WHERE id >"
                " (SELECT coalesce(max(subject_id), 0) FROM journal_entry WHERE kind = 'messaging.received')"
                " ORDER BY id"
            )
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise

    def _begin(self) -> None:
        # SQLite's own waiting looks again after up to 100 ms, and then another writer with short breaks between its
        # transactions wins nearly always: measured 40 messages a second beside a busy worker instead of hundreds.
        until = time.monotonic() + _BUSY_SECONDS
        while True:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                    raise
                time.sleep(_LOOK_AGAIN_SECONDS)

    def newest(self) -> int:
        """Give the newest id."""
        return int(self._db.execute("SELECT coalesce(max(id), 0) FROM journal_entry").fetchone()[0])

    def entries_after(self, position: int, limit: int) -> list[EntryRow]:
        """Read entries, oldest first."""
        sql = "SELECT id, kind, subject_id FROM journal_entry WHERE id > ? ORDER BY id LIMIT ?"
        return self._db.execute(sql, (position, limit)).fetchall()

    def units_of(self, report_ids: Sequence[int]) -> dict[int, int]:
        """Look up units, 500 at a time."""
        found: dict[int, int] = {}
        for start in range(0, len(report_ids), 500):
            part = report_ids[start : start + 500]
            marks = ",".join("?" * len(part))
            sql = f"SELECT id, unit_id FROM reports_report WHERE id IN ({marks})"
            found.update(self._db.execute(sql, part))
        return found

    def change_mark(self) -> int:
        """Ask SQLite whether another connection has committed."""
        return int(self._db.execute("PRAGMA data_version").fetchone()[0])

    def close(self) -> None:
        """Close the connection."""
        self._db.close()


class PostgresStore:
    """Keep one PostgreSQL connection, renewed when it breaks."""

    def __init__(self, url: str) -> None:
        self._url = url
        import psycopg

        self._db = psycopg.connect(url, autocommit=True)

    def write(self, rows: Sequence[Row], now: datetime) -> None:
        """Store the rows in one transaction."""
        db = self._alive()
        with db.transaction(), db.cursor() as cursor:
            # First, not last as elsewhere: two writers with the same messages in another order cannot then deadlock,
            # and one statement and the commit are all that happens under it.
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", (JOURNAL_LOCK,))
            cursor.execute(
                "WITH new AS (INSERT INTO messaging_inbound"
                " (channel, provider_id, body_sealed, received_at, state, attempts)"
                " SELECT channel, provider_id, body, %(now)s, 'new', 0"
                " FROM unnest(%(channels)s::text[], %(ids)s::text[], %(bodies)s::bytea[]) WITH ORDINALITY"
                " AS row (channel, provider_id, body, number) ORDER BY number"
                " ON CONFLICT DO NOTHING RETURNING id)"
                " INSERT INTO journal_entry (at, kind, subject_id, actor_id, data)"
                " SELECT %(now)s, 'messaging.received', id, NULL, '{}'::jsonb FROM new ORDER BY id",
                {
                    "now": now,
                    "channels": [row[0] for row in rows],
                    "ids": [row[1] for row in rows],
                    "bodies": [row[2] for row in rows],
                },
            )

    def newest(self) -> int:
        """Give the newest id."""
        found = self._alive().execute("SELECT coalesce(max(id), 0) FROM journal_entry").fetchone()
        return int(found[0]) if found else 0

    def entries_after(self, position: int, limit: int) -> list[EntryRow]:
        """Read entries, oldest first."""
        sql = "SELECT id, kind, subject_id FROM journal_entry WHERE id > %s ORDER BY id LIMIT %s"
        return self._alive().execute(sql, (position, limit)).fetchall()

    def units_of(self, report_ids: Sequence[int]) -> dict[int, int]:
        """Look up units."""
        sql = "SELECT id, unit_id FROM reports_report WHERE id = ANY(%s)"
        return dict(self._alive().execute(sql, (list(report_ids),)).fetchall())

    def change_mark(self) -> int:
        """Give the newest id: PostgreSQL has no cheaper sign."""
        return self.newest()

    def close(self) -> None:
        """Close the connection."""
        self._db.close()

    def _alive(self) -> psycopg.Connection:
        if self._db.closed or self._db.broken:
            import psycopg

            self._db = psycopg.connect(self._url, autocommit=True)
        return self._db
