"""Read the journal."""

from __future__ import annotations

from collections.abc import Collection

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


def newest_entry() -> int:
    """Tell where the journal ends; 0 when it is empty."""
    return Entry.objects.order_by("-id").values_list("id", flat=True).first() or 0


def subjects_between(position: int, end: int, *, kinds: Collection[str], limit: int = 1_000) -> list[tuple[int, int]]:
    """Read (entry, subject) of some kinds after a position, up to and with `end`, oldest first."""
    found = Entry.objects.filter(id__gt=position, id__lte=end, kind__in=kinds).order_by("id")
    return list(found.values_list("id", "subject_id")[:limit])
