"""What the page of sources shows; a bounded number of SQL queries."""

from __future__ import annotations

from typing import NamedTuple

from django.db.models import Count

from commonbeat.alerts.models import Source


class SourceLine(NamedTuple):
    """One source, and how many of its messages we have."""

    source: Source
    messages: int


def source_lines() -> list[SourceLine]:
    """Give all sources by name, each with the number of its messages."""
    found = Source.objects.annotate(messages_count=Count("alerts")).order_by("name", "pk")
    return [SourceLine(source, source.messages_count) for source in found]
