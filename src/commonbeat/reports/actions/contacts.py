"""Whether the number that was left with a report is its reporter's."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from commonbeat.reports import events
from commonbeat.reports.models import Report


def confirm_contact(*, contact_id: int, since: datetime, now: datetime) -> int:
    """Confirm the contact of each report that was made with it after a moment; gives their number."""
    with transaction.atomic():
        waiting = Report.objects.filter(contact_id=contact_id, contact_confirmed=False, created_at__gt=since)
        ids = list(waiting.select_for_update().order_by("id").values_list("pk", flat=True))
        Report.objects.filter(pk__in=ids).update(contact_confirmed=True)
        for pk in ids:
            events.write(events.CONFIRMED, report_id=pk, now=now)
    return len(ids)
