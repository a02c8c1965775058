"""Alerts by message: what the dialogue decided of one's own alerts, and what somebody saw."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db.models import Count, Q

from commonbeat.alerts.actions.sightings import tie_sighting
from commonbeat.alerts.actions.subscribing import Where, end_all, end_kind, end_subscription, subscribe
from commonbeat.alerts.models import Sighting
from commonbeat.intake.alert_intents import ALERT_RADIUS, AlertIntent, AnswersAlert, EndAlertKind, EndAlerts, GetAlerts
from commonbeat.intake.state import THIS_REPORT
from commonbeat.messaging.models import Contact
from commonbeat.reports import rules
from commonbeat.reports.models import Report
from commonbeat.topics.models import Topic
from commonbeat.topics.queries import SIGHTING
from commonbeat.topics.ready_made import ensure_ready_made


def carry_out(intent: AlertIntent, contact: Contact, *, about: Report | None, now: datetime) -> None:
    """Carry out what the dialogue decided; `about` is the report that this very message has made.

    SubscribeError where the last free place was taken at the same moment: heard again, the dialogue knows of it.
    """
    match intent:
        case GetAlerts():
            has_place = intent.latitude is not None
            where = Where(intent.latitude, intent.longitude, ALERT_RADIUS if has_place else None)
            # Whoever writes from the very telephone, or answers our mail, has proven to be its owner.
            subscribe(
                contact=contact, where=where, language=intent.language, label=intent.label, is_confirmed=True, now=now
            )
        case EndAlerts(0):
            end_all(contact=contact, now=now)
        case EndAlerts(subscription_id):
            end_subscription(contact=contact, subscription_id=subscription_id, now=now)
        case EndAlertKind(kind):
            end_kind(contact=contact, kind=kind, now=now)
        case AnswersAlert(report_id, alert_id):
            report = about if report_id == THIS_REPORT else Report.objects.filter(pk=report_id, contact=contact).first()
            if report is not None:
                tie_sighting(alert_id=alert_id, report_id=report.pk, now=now)


def sighting_topic(now: datetime) -> Topic:
    """Give the topic of what people saw, also where it is not offered: who saw something is heard."""
    return ensure_ready_made(SIGHTING, now)


def helped(message_ids: Collection[int]) -> int:
    """Count the people who answered an alert, by the ids of its messages.

    What the desk rejected counts for nothing, and who answered five times once. Who left no number counts each time.
    """
    answers = Sighting.objects.filter(alert_id__in=message_ids).values("report_id")
    kept = Report.objects.filter(pk__in=answers).exclude(state=rules.REJECTED)
    counted = kept.aggregate(known=Count("contact", distinct=True), unknown=Count("pk", filter=Q(contact=None)))
    return int(counted["known"] + counted["unknown"])
