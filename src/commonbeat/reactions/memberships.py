"""Whoever has no account any more, or another role, is no member of a desk for sealed dialogues any more."""

from __future__ import annotations

from datetime import datetime

from commonbeat.journal.models import Entry
from commonbeat.tips.actions.membership import end_memberships


def end(entry: Entry, now: datetime) -> None:
    """End the places of an account that was closed or has another role; what still fits stays."""
    end_memberships(user_id=entry.subject_id, now=now)
