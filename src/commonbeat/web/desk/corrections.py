"""What a structured report said before it was sent again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from commonbeat.reports.models import Report
from commonbeat.topics.answers import describe_answers, describe_categories


@dataclass(frozen=True, slots=True)
class Earlier:
    """An earlier wording, and when it was replaced."""

    until: datetime
    title: str
    text: str
    rows: list[tuple[str, str]]
    # Its name as it was given then; empty where there was none.
    place: str


def earlier_wordings(report: Report, language: str) -> list[Earlier]:
    """Read what a report said before, newest first: one query, and none for plain reports."""
    if not report.is_structured:
        return []
    definition = report.topic_version.definition
    return [
        Earlier(
            one.at,
            one.title,
            one.text,
            [
                *describe_answers(definition, one.answers, language),
                *(("", kind) for kind in describe_categories(definition, one.categories, language)),
            ],
            one.place_name,
        )
        for one in report.corrections.order_by("-pk")
    ]
