"""Read the journal."""

from __future__ import annotations

from commonbeat.journal.models import Cursor, Entry


def entries_after(position: int, *, limit: int = 500) -> list[Entry]:
    """Read the entries after a position, oldest first."""
    return list(Entry.objects.filter(id__gt=position).order_by("id")[:limit])


def cursor_position(name: str) -> int:
    """Tell how far a reader has come; 0 for a new one."""
    return Cursor.objects.filter(name=name).values_list("position", flat=True).first() or 0


def history_of(kinds_prefix: str, subject_id: int) -> list[Entry]:
    """Read what happened to one subject, oldest first; kinds_prefix is such as "reports."."""
    return list(Entry.objects.filter(kind__startswith=kinds_prefix, subject_id=subject_id).order_by("id")[:500])
