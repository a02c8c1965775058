"""The SQL by which the lean half reads active alerts, for both databases."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec

from commonbeat.alerts.near import NearRow
from commonbeat.config.options import Options

# The newest message of each chain that is neither ended, cancelled nor expired; alerts/queries.py has the same gate
# (tests/live/test_alerts.py compares the two).
_ACTIVE = (
    "SELECT a.id FROM alerts_alert a JOIN alerts_alert r ON r.id = coalesce(a.root_id, a.id)"
    " WHERE a.state = 'released' AND a.expires_at > ? AND a.msg_type <> 'Cancel' AND r.ended_at IS NULL"
    " AND NOT EXISTS (SELECT 1 FROM alerts_alert n WHERE n.root_id = r.id AND n.id > a.id AND n.state = 'released')"
    " ORDER BY a.id"
)
_ROWS = "SELECT id, root_id, kind, status, severity, expires_at, area FROM alerts_alert WHERE id IN ({marks})"
_TEXTS = "SELECT alert_id, language, headline, area_desc FROM alerts_alerttext WHERE alert_id IN ({marks}) ORDER BY id"
_AT_ONCE = 500


class AlertStore(Protocol):
    """Read what is active, and nothing else."""

    def active_ids(self, now: datetime) -> tuple[int, ...]:
        """Give the ids of the messages that stand, one for each alert."""

    def rows(self, ids: Sequence[int]) -> dict[int, NearRow]:
        """Read messages."""

    def close(self) -> None:
        """Close the connection."""


def open_alert_store(site: Options) -> AlertStore:
    """Connect to the site's database; a connection belongs to one thread at a time."""
    if site.database_url:
        import psycopg

        return _Postgres(psycopg.connect(site.database_url, autocommit=True))
    path = f"file:{site.database_path}?mode=ro"
    db = sqlite3.connect(path, uri=True, isolation_level=None, check_same_thread=False, timeout=10.0)
    return _Sqlite(db)


class _Store:
    """What both databases have in common."""

    _mark = "?"

    def __init__(self, db: Any) -> None:
        self._db = db

    def active_ids(self, now: datetime) -> tuple[int, ...]:
        return tuple(row[0] for row in self._asked(_ACTIVE, [self._moment(now)]))

    def rows(self, ids: Sequence[int]) -> dict[int, NearRow]:
        found: dict[int, NearRow] = {}
        for at in range(0, len(ids), _AT_ONCE):
            part = ids[at : at + _AT_ONCE]
            marks = ",".join("?" * len(part))
            texts: dict[int, dict[str, tuple[str, str]]] = {}
            for pk, language, headline, place in self._asked(_TEXTS.format(marks=marks), part):
                texts.setdefault(pk, {})[language] = (headline, place)
            for pk, root, kind, status, severity, expires, area in self._asked(_ROWS.format(marks=marks), part):
                given = msgspec.json.decode(area) if isinstance(area, str) else area
                moment = int(_read(expires).timestamp())
                found[pk] = NearRow(root or pk, kind, status, severity, moment, given, texts.get(pk, {}))
        return found

    def close(self) -> None:
        self._db.close()

    def _asked(self, sql: str, values: Sequence[Any]) -> Any:
        return self._db.execute(sql.replace("?", self._mark), list(values)).fetchall()

    def _moment(self, now: datetime) -> object:
        return now


class _Sqlite(_Store):
    def _moment(self, now: datetime) -> object:
        # Django writes naive UTC text.
        return str(now.astimezone(UTC).replace(tzinfo=None))


class _Postgres(_Store):
    _mark = "%s"


def _read(moment: str | datetime) -> datetime:
    if isinstance(moment, datetime):
        return moment
    return datetime.fromisoformat(moment).replace(tzinfo=UTC)
