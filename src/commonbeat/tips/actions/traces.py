"""Commit to what has happened to a dialogue, so that it can be proved while the dialogue is kept."""

from __future__ import annotations

from datetime import datetime

from commonbeat.tips import commitment, rules
from commonbeat.tips.commitment import Fact
from commonbeat.tips.models import Tip, Trace
from commonbeat.tips.queries import today


def leave_trace(tip: Tip, fact: Fact, *, box: bytes, now: datetime) -> None:
    """Commit to the first time that something happened, as of the beginning of the day."""
    day, salt = today(now), commitment.new_salt()
    made = commitment.commit(fact, tip=bytes(tip.uid), second=rules.day_second(day), box=box, salt=salt)
    Trace.objects.get_or_create(
        tip_number=tip.pk, fact=fact.value, defaults={"day": day, "commitment": made, "salt": salt}
    )
