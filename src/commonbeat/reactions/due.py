"""Do what time has made due; each is safe to repeat."""

from __future__ import annotations

from datetime import datetime

from commonbeat.alerts.actions.follow import expire_alerts
from commonbeat.intake.actions import purge_sessions
from commonbeat.maps.actions import forget_old_changes
from commonbeat.media.actions import purge_drafts
from commonbeat.places.actions import purge_heard
from commonbeat.reactions.erasing import finish_erasures
from commonbeat.reactions.expected import remind_expected
from commonbeat.reactions.retention import keep_retention
from commonbeat.reports.actions.work import expire_reports


def do_due(now: datetime) -> None:
    """Close reports whose time has run out, and delete what has been kept long enough."""
    expire_reports(now=now)
    expire_alerts(now=now)
    purge_drafts(now=now)
    purge_sessions(now=now)
    purge_heard(now=now)
    remind_expected(now)
    finish_erasures(now)
    keep_retention(now)
    forget_old_changes()
