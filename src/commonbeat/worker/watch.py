"""Has anybody written? Asked ten times a second, so the question is cheap."""

from __future__ import annotations

from django.db import connection

_SQLITE = "PRAGMA data_version"
_POSTGRESQL = (
    "SELECT (SELECT max(id) FROM journal_entry), (SELECT max(id) FROM messaging_inbound),"
    " (SELECT max(id) FROM messaging_outbound)"
)


class Watch:
    """Remember the last mark of this thread's connection."""

    def __init__(self) -> None:
        self._mark: object = None

    def has_changed(self) -> bool:
        """Tell whether another connection has committed since the last call; True at first."""
        with connection.cursor() as cursor:
            cursor.execute(_SQLITE if connection.vendor == "sqlite" else _POSTGRESQL)
            mark: object = cursor.fetchone()
        changed = mark != self._mark
        self._mark = mark
        return changed
