"""When a topic turns stricter, what was published under it follows."""

from __future__ import annotations

from datetime import datetime

from commonbeat.journal.models import Entry
from commonbeat.reports.actions.tighten import tighten_publications


def tighten(entry: Entry, now: datetime) -> None:
    """Hide or coarsen the public copies of a revised topic; does nothing when it did not turn stricter."""
    tighten_publications(topic_id=entry.subject_id, now=now)
