"""Who was to report, who has, and what a structured message may correct."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from commonbeat.people.models import User
from commonbeat.reports import rules
from commonbeat.reports.expected_models import ExpectedReporter, Rhythm
from commonbeat.reports.models import Report
from commonbeat.reports.schedule import Standing
from commonbeat.topics.definition import Definition
from commonbeat.topics.structured import is_same

# Lines of the board; a whole country is looked at topic by topic, and by unit.
MOST = 2_000
# Messages of one reporter among which the one is looked for that a later message corrects.
_MOST_EARLIER = 50


@dataclass(frozen=True, slots=True)
class Expected:
    """One line of the board; `report` is the newest one, where the viewer may read it."""

    reporter: ExpectedReporter
    standing: Standing
    reported_at: datetime | None
    due: datetime
    report: Report | None = None
    # How many more came in this day or week.
    more: int = 0


def enrolled_sites(*, contact_id: int) -> dict[int, list[ExpectedReporter]]:
    """Read for which topics and places somebody is enrolled, by topic: one query."""
    found: dict[int, list[ExpectedReporter]] = {}
    for reporter in ExpectedReporter.objects.filter(contact_id=contact_id).order_by("pk"):
        found.setdefault(reporter.topic_id, []).append(reporter)
    return found


def is_enrolled(report: Report) -> bool:
    """Tell whether a report is a structured one of somebody on its topic's list; no query for a plain one."""
    if not report.is_structured or report.contact_id is None:
        return False
    return ExpectedReporter.objects.filter(topic_id=report.topic_id, contact_id=report.contact_id).exists()


def enrolled_ones() -> Q:
    """Give the condition that is_enrolled tells of one report, for many."""
    listed = ExpectedReporter.objects.filter(topic_id=OuterRef("topic_id"), contact_id=OuterRef("contact_id"))
    return Q(Exists(listed), is_structured=True)


def topics_expected(viewer: User) -> dict[int, int]:
    """Count the reporters that the viewer may see, by topic."""
    visible = ExpectedReporter.objects.visible_to(viewer).order_by()
    return dict(Counter(visible.values_list("topic_id", flat=True)))


def board(viewer: User, *, topic_id: int, now: datetime) -> list[Expected]:
    """Read how each expected report of a topic stands: three queries, however many there are."""
    found = ExpectedReporter.objects.visible_to(viewer).filter(topic_id=topic_id)
    reporters = list(found.select_related("contact", "unit", "topic__current").order_by("site", "pk")[:MOST])
    lines = _lines(reporters, now)
    ids = [line.report.pk for line in lines if line.report is not None]
    readable = set(Report.objects.visible_to(viewer).filter(pk__in=ids).values_list("pk", flat=True))
    return [
        line
        if line.report is None or line.report.pk in readable
        else Expected(line.reporter, line.standing, line.reported_at, line.due)
        for line in lines
    ]


def to_remind(*, now: datetime) -> list[Expected]:
    """Read who is late and has not been reminded in this period: two queries."""
    zone = timezone.get_current_timezone()
    reporters = [
        reporter
        for reporter in ExpectedReporter.objects.exclude(rhythm=Rhythm.NONE)
        .filter(topic__enabled=True, contact__stopped_at=None)
        .select_related("contact", "topic__current")
        .order_by("pk")
        if reporter.schedule.is_reminder_due(now, zone)
        and reporter.reminded_for != reporter.schedule.period_at(now, zone).starts.date()
    ]
    return [line for line in _lines(reporters, now) if line.standing is Standing.MISSING]


def corrected_by(
    definition: Definition,
    *,
    contact_id: int,
    topic_id: int,
    answers: Mapping[str, Any],
    anyhow: bool,
    now: datetime,
) -> Report | None:
    """Find the structured report of today that a message corrects: about the same, or (anyhow) the last one."""
    hours = definition.structured.correct_hours
    today = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    earlier = Report.objects.filter(
        contact_id=contact_id,
        contact_confirmed=True,
        topic_id=topic_id,
        is_structured=True,
        state__in=rules.OPEN_STATES,
        # Yesterday's stock is no slip of today's.
        created_at__gte=max(now - timedelta(hours=hours), today),
    ).order_by("-pk")[:_MOST_EARLIER]
    return next((one for one in earlier if anyhow or is_same(definition, one.answers, answers)), None)


def _lines(reporters: Sequence[ExpectedReporter], now: datetime) -> list[Expected]:
    if not reporters:
        return []
    zone = timezone.get_current_timezone()
    periods = {reporter.pk: reporter.schedule.period_at(now, zone) for reporter in reporters}
    said: dict[tuple[int, int], list[Report]] = {}
    since = min(period.starts for period in periods.values())
    contacts = {reporter.contact_id for reporter in reporters}
    topics = {reporter.topic_id for reporter in reporters}
    for report in (
        Report.objects.filter(topic_id__in=topics, created_at__gte=since, contact_id__isnull=False)
        .select_related("topic_version")
        .order_by("created_at", "pk")
    ):
        if report.contact_id in contacts and report.contact_confirmed:
            said.setdefault((report.topic_id, report.contact_id), []).append(report)
    sites = Counter((reporter.topic_id, reporter.contact_id) for reporter in reporters)
    lines = []
    for reporter in reporters:
        key = (reporter.topic_id, reporter.contact_id)
        period = periods[reporter.pk]
        asked = reporter.topic.definition.structured.site
        own = [
            report
            for report in said.get(key, ())
            if period.starts <= report.created_at <= now
            # Whoever reports for one place need not name it.
            and (sites[key] == 1 or report.answers.get(asked) == reporter.site)
        ]
        first_at = own[0].created_at if own else None
        standing = reporter.schedule.standing(now, zone, reported_at=first_at)
        newest = own[-1] if own else None
        lines.append(Expected(reporter, standing, first_at, period.due, newest, max(len(own) - 1, 0)))
    return lines
