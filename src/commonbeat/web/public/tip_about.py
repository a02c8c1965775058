"""What a tip is about: an alert or a public report, named by what is public of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from commonbeat.alerts import public_queries
from commonbeat.reports.queries import public
from commonbeat.tips.actions.submitting import About
from commonbeat.web.public.alerts import answered

_ALERT = re.compile(r"alert:([0-9]{1,15})")
_REPORT = re.compile(r"report:([A-Za-z0-9_-]{1,40})")


@dataclass(frozen=True, slots=True)
class Subject:
    """Something public, as the form shows it and as the tip stores it."""

    field: str
    title: str
    language: str
    stored: About


def subject_of(field: str, now: datetime) -> Subject | None:
    """Find what "alert:12" or "report:k3x9" names; None when nothing public has this name."""
    if match := _ALERT.fullmatch(field):
        chain = public_queries.chain_of(int(match[1]))
        shown = answered(int(match[1]), now=now)
        if chain is None or shown is None:
            return None
        return Subject(f"alert:{chain.root.pk}", shown.headline, shown.text_language, ("alert", chain.root.pk))
    if match := _REPORT.fullmatch(field):
        publication = public.publication_by_code(match[1], now=now)
        if publication is None:
            return None
        stored = ("report", publication.report_id)
        return Subject(f"report:{publication.code}", publication.title, publication.language, stored)
    return None
