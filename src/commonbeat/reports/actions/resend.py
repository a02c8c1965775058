"""Correct a structured report that its reporter sends again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction

from commonbeat.foundation.text import clean_text
from commonbeat.reports import events, rules
from commonbeat.reports.actions.submit import NOWHERE, TEXT_LIMIT, Whereabouts, place_report
from commonbeat.reports.errors import MoveNotPossible
from commonbeat.reports.models import Correction, PlaceSource, Report, State
from commonbeat.topics.models import TopicVersion


def resend_report(
    *,
    report_id: int,
    version: TopicVersion,
    title: str,
    text: str,
    answers: Mapping[str, object],
    categories: Sequence[str],
    client_key: str,
    now: datetime,
    where: Whereabouts = NOWHERE,
) -> tuple[Report, bool]:
    """Let a report say what its reporter says now, and keep what it said; False when nothing changed.

    The same client_key corrects once. The public copy stays as a person released it; the desk is told to look. Raise
    MoveNotPossible when the desk has closed the report since it was looked up.
    """
    title, text = clean_text(title, 200), clean_text(text, TEXT_LIMIT)
    with transaction.atomic():
        report = Report.objects.select_for_update().get(pk=report_id)
        if report.client_key == client_key or Correction.objects.filter(client_key=client_key).exists():
            return report, False
        # Looked at again, for it was chosen before the lock was had.
        if report.state not in rules.OPEN_STATES:
            raise MoveNotPossible
        before = (report.answers, report.categories, report.text)
        if before == (dict(answers), list(categories), text):
            return report, False
        correction = Correction.objects.create(
            report=report,
            client_key=client_key,
            at=now,
            title=report.title,
            text=report.text,
            answers=report.answers,
            categories=report.categories,
            place_name=report.place_name,
        )
        report.topic_version = version
        report.title, report.text = title, text
        report.answers, report.categories = dict(answers), list(categories)
        # Nobody has read it before it is taken up; later, whoever works on it must see that it has changed.
        if report.state != State.NEW or report.claimed_by_id is not None:
            report.answer_waiting = True
        report.changed_at = now
        report.save(
            update_fields=["topic_version", "title", "text", "answers", "categories", "answer_waiting", "changed_at"]
        )
        events.write(events.RESENT, report_id=report.pk, now=now, data={"correction": correction.pk})
        if where.source != PlaceSource.NONE and report.place_source != PlaceSource.DESK and _moves(report, where):
            report = place_report(report_id=report.pk, where=where, actor_id=None, now=now)
    return report, True


def _moves(report: Report, where: Whereabouts) -> bool:
    return (where.latitude, where.longitude, where.name) != (report.latitude, report.longitude, report.place_name)
