"""Tie a report to the alert that it answers."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from commonbeat.alerts import events
from commonbeat.alerts.models import Alert, AlertState, Sighting


def tie_sighting(*, alert_id: int, report_id: int, now: datetime) -> bool:
    """Remember that a report answers an alert; False where no such alert is out, or the report is tied already.

    Also an alert that has ended is answered: who saw something is heard.
    """
    with transaction.atomic():
        if not Alert.objects.filter(pk=alert_id, state=AlertState.RELEASED).exists():
            return False
        _row, is_new = Sighting.objects.get_or_create(
            report_id=report_id, defaults={"alert_id": alert_id, "created_at": now}
        )
        if is_new:
            events.write(events.SIGHTED, subject_id=alert_id, now=now, data={"report": report_id})
    return is_new
