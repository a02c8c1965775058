"""Let the reporter say what a report is about, until the desk has taken it up."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from commonbeat.reports import events
from commonbeat.reports.models import Report, State
from commonbeat.topics.models import TopicVersion


def sort_report(*, report_id: int, version: TopicVersion, now: datetime) -> bool:
    """Put a new report under the topic that its reporter chose; False once the desk has taken it up."""
    with transaction.atomic():
        report = Report.objects.select_for_update().get(pk=report_id)
        if report.state != State.NEW or report.claimed_by_id is not None or hasattr(report, "publication"):
            return False
        if report.privacy.never_public:
            return False
        if report.topic_id == version.topic_id:
            return True
        before = report.topic_id
        report.topic_id = version.topic_id
        report.topic_version = version
        report.changed_at = now
        report.save(update_fields=["topic", "topic_version", "changed_at"])
        events.write(events.SORTED, report_id=report.pk, now=now, data={"from": before, "to": version.topic_id})
    return True
