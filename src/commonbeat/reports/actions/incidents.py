"""Hang several reports on one incident, and take them off again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from commonbeat.foundation.text import excerpt
from commonbeat.journal.models import Entry
from commonbeat.people.models import User
from commonbeat.reports import events, rules
from commonbeat.reports.actions.work import move_locked, refuse_when_claimed, report_for_work
from commonbeat.reports.errors import ReportError
from commonbeat.reports.models import Incident, Report


def merge_reports(*, report_id: int, other_ids: Sequence[int], actor: User, now: datetime) -> Incident:
    """Hang other reports on the incident of one report; undone by unmerge_report.

    The others become duplicates when they were still open and unpublished; their threads stay their own.
    """
    with transaction.atomic():
        # Locked in the order of their ids, so that two people who merge the same reports never wait for each other.
        wanted = sorted({report_id, *other_ids})
        reports = {pk: report_for_work(report_id=pk, actor=actor) for pk in wanted}
        for each in reports.values():
            refuse_when_claimed(each, actor, now)
        report = reports.pop(report_id)
        others = [
            each for each in reports.values() if each.incident_id is None or each.incident_id != report.incident_id
        ]
        if not others:
            raise ReportError(_("Choose at least one other report."))
        incident = report.incident or next((o.incident for o in others if o.incident), None)
        if incident is None:
            incident = Incident.objects.create(
                title=incident_title(report), topic_id=report.topic_id, created_at=now, created_by_id=actor.pk
            )
        left = {each.incident_id for each in [report, *others]} - {incident.pk, None}
        for each in [report, *others]:
            if each.incident_id != incident.pk:
                each.incident = incident
                each.save(update_fields=["incident"])
        for other in others:
            before = other.state
            if rules.may_move(other.state, rules.DUPLICATE):
                move_locked(other, rules.DUPLICATE, now=now, actor_id=actor.pk)
            events.write(
                events.MERGED,
                report_id=other.pk,
                now=now,
                actor_id=actor.pk,
                data={"incident": incident.pk, "with": report.pk, "was": before},
            )
        for emptied in Incident.objects.filter(pk__in=left):
            _dissolve(emptied, actor=actor, now=now)
    return incident


def incident_title(report: Report) -> str:
    """Give the title of an incident that begins with a report."""
    return report.title or excerpt(report.text, 120) or report.topic.code


def unmerge_report(*, report_id: int, actor: User, now: datetime) -> Report:
    """Take a report off its incident and give it back the state that it had before."""
    with transaction.atomic():
        report = report_for_work(report_id=report_id, actor=actor)
        refuse_when_claimed(report, actor, now)
        if report.incident is None:
            raise ReportError(_("This report hangs on no incident."))
        incident = report.incident
        _take_off(report, incident, actor=actor, now=now)
        _dissolve(incident, actor=actor, now=now)
    return report


def _take_off(report: Report, incident: Incident, *, actor: User, now: datetime) -> None:
    report.incident = None
    report.save(update_fields=["incident"])
    if report.state == rules.DUPLICATE:
        # The last merge that changed its state; a report that moved between incidents has been a duplicate since.
        merges = Entry.objects.filter(kind=events.MERGED, subject_id=report.pk).order_by("-id")[:20]
        was = next((entry.data["was"] for entry in merges if entry.data.get("was") != rules.DUPLICATE), rules.NEW)
        move_locked(report, rules.NEW, now=now, actor_id=actor.pk)
        if was == rules.TRIAGED:
            move_locked(report, rules.TRIAGED, now=now, actor_id=actor.pk)
    events.write(events.UNMERGED, report_id=report.pk, now=now, actor_id=actor.pk, data={"incident": incident.pk})


def _dissolve(incident: Incident, *, actor: User, now: datetime) -> None:
    # An incident of one report tells nothing; a lone duplicate would be a duplicate of nothing and never answered.
    left = list(incident.reports.select_for_update().order_by("pk")[:2])
    if len(left) > 1:
        return
    if left and not Report.objects.visible_to(actor).filter(pk=left[0].pk).exists():
        # Another unit's report stays as it is, alone on its incident, until its own desk takes it off.
        return
    for last in left:
        _take_off(last, incident, actor=actor, now=now)
    incident.delete()
