"""Journal who asks how many people an area would reach: from many drawings the home of one could be traced."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from commonbeat.alerts import events


def note_look(*, alert_id: int | None, actor_id: int, now: datetime) -> None:
    """Journal one look at one more area; 0 stands for an alert of which there is no draft yet."""
    with transaction.atomic():
        events.write(events.LOOKED, subject_id=alert_id or 0, actor_id=actor_id, now=now)
