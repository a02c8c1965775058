"""When an expected report is late: remind whoever was to send it, once in each day or week."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone, translation

from commonbeat.intake import texts
from commonbeat.messaging.actions import enqueue
from commonbeat.messaging.queries import language_for
from commonbeat.messaging.rules import BULK
from commonbeat.reports.actions.expected import note_reminded
from commonbeat.reports.queries.expected import Expected, to_remind
from commonbeat.topics.structured import examples_of, form_of


def remind_expected(now: datetime) -> int:
    """Queue the reminders that are due; one a period and reporter, whatever is repeated. Give their number."""
    return sum(_remind(line, now) for line in to_remind(now=now))


def _remind(line: Expected, now: datetime) -> bool:
    reporter = line.reporter
    period = reporter.schedule.period_at(now, timezone.get_current_timezone())
    day = period.starts.date()
    with transaction.atomic():
        queued = enqueue(
            contact=reporter.contact,
            text=_text(line),
            idempotency_key=f"expected:{reporter.pk}:{day.isoformat()}",
            # It waits through the quiet hours like all that nobody has asked for, and is worth nothing afterwards.
            priority=BULK,
            now=now,
            expires_in=period.ends - now,
        )
        if queued is not None:
            note_reminded(reporter_id=reporter.pk, day=day, now=now)
    return queued is not None


def _text(line: Expected) -> str:
    language = language_for(line.reporter.contact)
    definition = line.reporter.topic.definition
    own = definition.structured.reminder.get(language, "")
    if own:
        return texts.for_phone(own)
    example = next(iter(examples_of(definition, language)), "") or form_of(definition, language)
    with translation.override(language):
        return texts.for_phone(texts.reminder(site=line.reporter.site, example=example))
