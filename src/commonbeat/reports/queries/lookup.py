"""What the holder of a reference may read: the steps so far and what the desk wrote to the reporter.

A reference is handed on, found and photographed: whoever has it is not therefore the reporter (see Message.sender). So
it shows how the report stands, the desk's questions and news, why it was not taken up in the words that the desk wrote
for the reporter, and what was added with the reference alone. It shows neither the report's own text, nor what somebody
wrote from a telephone or mailbox of their own, nor what is noted for the house: that a person for whom the report was
made did not agree, and why and until when the law wants it kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from commonbeat.journal.models import Entry
from commonbeat.reports import events, rules
from commonbeat.reports.models import Message, MessageKind, Report
from commonbeat.reports.proxy_models import NO_CONSENT


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
    # Why it was not taken up, in the desk's words for the reporter.
    reason: str = ""


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
    return Standing(report, steps, messages, _reason(report))


def is_for_all_holders(message: Message) -> bool:
    """Tell whether every holder of the reference may read the words: not those that surely came from one person."""
    return message.kind != MessageKind.ANSWER or message.sender_id is None


def _reason(report: Report) -> str:
    # The one reason that no officer wrote to the reporter: it tells of somebody else, and what they want.
    is_told = report.state == rules.REJECTED and report.state_reason != NO_CONSENT
    return report.state_reason if is_told else ""
