"""What the holder of a reference may read: the steps so far and the desk's questions, never the report's own text."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from commonbeat.journal.models import Entry
from commonbeat.reports import events, rules
from commonbeat.reports.models import Message, MessageKind, Report


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened: a state of rules, or "verified"."""

    what: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a report stands, for the person who made it."""

    report: Report
    steps: list[Step]
    messages: list[Message]


def report_by_reference(reference: str) -> Report | None:
    """Find a report by its parsed reference."""
    return Report.objects.select_related("topic", "topic_version").filter(reference=reference).first()


def history_of(report: Report) -> list[Entry]:
    """Read what happened to a report, oldest first; entries about a unit or a topic may bear the same number."""
    of_it = Entry.objects.filter(kind__in=events.OF_ONE_REPORT, subject_id=report.pk)
    return list(of_it.order_by("id")[:500])


def standing_of(report: Report) -> Standing:
    """Read the steps and the thread of a report: two queries."""
    steps = [Step(rules.NEW, report.created_at)]
    for entry in history_of(report):
        if entry.kind == events.MOVED:
            to_state = str(entry.data.get("to", ""))
            if to_state in rules.TOLD_STATES:
                steps.append(Step(to_state, entry.at))
        elif entry.kind == events.PUBLISHED:
            if steps[-1].what not in rules.PUBLIC_STATES:
                steps.append(Step(rules.PUBLISHED, entry.at))
        elif entry.kind == events.VERIFIED:
            steps.append(Step("verified", entry.at))
    shown = [MessageKind.QUESTION, MessageKind.ANSWER, MessageKind.UPDATE]
    messages = list(report.messages.filter(kind__in=shown).order_by("id")[:200])
    return Standing(report, steps, messages)
