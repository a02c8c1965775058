"""Correct what a report says of itself: its place, its topic."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from commonbeat.people.models import User
from commonbeat.reports import events
from commonbeat.reports.actions.submit import Whereabouts, place_report
from commonbeat.reports.actions.work import refuse_when_claimed, report_for_work
from commonbeat.reports.errors import ReportError
from commonbeat.reports.models import Publication, PublicationState, Report
from commonbeat.topics.models import Topic


def correct_place(*, report_id: int, where: Whereabouts, actor: User, now: datetime) -> Report:
    """Set the exact place from the desk; a new report then goes to the desk of the beat that contains it."""
    if where.latitude is None or where.longitude is None:
        raise ReportError(_("Choose a place from the list, or write coordinates such as 42.3801, 20.4312."))
    with transaction.atomic():
        refuse_when_claimed(report_for_work(report_id=report_id, actor=actor), actor, now)
        return place_report(report_id=report_id, where=where, actor_id=actor.pk, now=now)


def correct_topic(*, report_id: int, topic_id: int, actor: User, now: datetime) -> Report:
    """Put a report under another topic, whose rules of publishing then hold; its answers stay as they were given."""
    with transaction.atomic():
        report = report_for_work(report_id=report_id, actor=actor)
        refuse_when_claimed(report, actor, now)
        topic = Topic.objects.select_related("current").filter(pk=topic_id, current__isnull=False).first()
        if topic is None:
            raise ReportError(_("Choose a topic from the list."))
        if topic.pk == report.topic_id:
            return report
        if report.privacy.never_public:
            # Under another topic it could become public, which its writer was told it never does.
            raise ReportError(_("This topic is for the desk alone, so its messages keep it."))
        # The public place and whether it may be shown singly follow from the topic: decided anew, never carried over.
        if Publication.objects.filter(report=report).exclude(state=PublicationState.WITHDRAWN).exists():
            raise ReportError(_("Take the report off the public pages first. Then its topic can be changed."))
        before = report.topic_id
        report.topic = topic
        report.topic_version = topic.current  # type: ignore[assignment]  # the filter keeps topics with a version
        known = {option.code for option in topic.definition.categories}
        report.categories = [code for code in report.categories if code in known]
        report.changed_at = now
        report.save(update_fields=["topic", "topic_version", "categories", "changed_at"])
        events.write(
            events.SORTED,
            report_id=report.pk,
            now=now,
            actor_id=actor.pk,
            data={"from": before, "to": topic.pk},
        )
    return report
