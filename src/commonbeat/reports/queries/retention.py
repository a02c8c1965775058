"""Which reports have been kept long enough, and what belongs to them: plain ids, along the indexes made for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from commonbeat.messaging.models import Contact
from commonbeat.reports import rules
from commonbeat.reports.hold_models import LegalHold
from commonbeat.reports.models import (
    ImportBatch,
    ImportRow,
    Publication,
    PublicationState,
    Report,
    ReportQuerySet,
    State,
)
from commonbeat.topics.models import Topic

# A report that waits for the desk is kept however long that takes; its topic's expiry closes it.
FINAL_STATES = sorted({*State.values} - {rules.NEW, rules.TRIAGED})
# Rows of a file that were not taken.
ROWS_KEPT = timedelta(days=365)


def old_reports(*, now: datetime) -> Iterator[ReportQuerySet]:
    """Narrow the reports of each topic to those past its time, oldest first: one range of an index each."""
    for topic in Topic.objects.select_related("current").order_by("pk"):
        own = topic.current.definition.retention_days if topic.current is not None else 0
        before = now - timedelta(days=own or settings.COMMONBEAT.report_retention_days)
        found = Report.objects.filter(
            topic_id=topic.pk, emptied_at=None, changed_at__lt=before, state__in=FINAL_STATES, hold=None
        )
        yield found.order_by("changed_at")


def due_reports(*, now: datetime, limit: int) -> list[int]:
    """Name reports that are past their time."""
    found: list[int] = []
    for reports in old_reports(now=now):
        found += reports.values_list("pk", flat=True)[: limit - len(found)]
        if len(found) >= limit:
            break
    return found


def belonging(report_ids: Sequence[int]) -> Counter[str]:
    """Count the rows of each table that go with some reports, by the table's name."""
    found: Counter[str] = Counter()
    for relation in Report._meta.related_objects:
        model = relation.related_model
        if isinstance(model, str) or model is Publication or getattr(relation, "on_delete", None) is not models.CASCADE:
            continue
        for start in range(0, len(report_ids), 500):
            rows = model._default_manager.filter(**{f"{relation.field.name}__in": report_ids[start : start + 500]})
            found[model._meta.label] += rows.count()
    return found


def left_empty(*, limit: int) -> list[int]:
    """Name reports of which nothing is left but a public copy that is public no more."""
    public = Publication.objects.filter(report=OuterRef("pk"), state=PublicationState.PUBLIC)
    empty = Report.objects.filter(~Exists(public), emptied_at__isnull=False, hold=None)
    return list(empty.order_by("emptied_at").values_list("pk", flat=True)[:limit])


def missing_reports(report_ids: Sequence[int]) -> list[int]:
    """Name those of some reports that are gone."""
    there = set(Report.objects.filter(pk__in=report_ids).values_list("pk", flat=True))
    return [pk for pk in report_ids if pk not in there]


def old_import_rows(*, now: datetime, limit: int) -> list[int]:
    """Name rows of files that were not taken a year ago."""
    rows = ImportRow.objects.filter(report=None, batch__started_at__lt=now - ROWS_KEPT)
    return list(rows.values_list("pk", flat=True)[:limit])


def bare_imports(*, now: datetime, limit: int) -> list[int]:
    """Name imports that have no report left; a withdrawn one stays as its record."""
    rows = ImportRow.objects.filter(batch=OuterRef("pk"))
    bare = ImportBatch.objects.filter(~Exists(rows), finished_at__lt=now - ROWS_KEPT, withdrawn_at=None)
    return list(bare.values_list("pk", flat=True)[:limit])


def ended_holds(*, now: datetime) -> list[LegalHold]:
    """Read the legal holds whose last day is over."""
    return list(LegalHold.objects.filter(until__lt=timezone.localtime(now).date()).order_by("pk")[:200])


def with_reports(contact_ids: list[int]) -> set[int]:
    """Name those of some contacts whom an open report needs, or one that the law wants kept as it is."""
    mine = Report.objects.filter(contact_id__in=contact_ids)
    needed = mine.filter(emptied_at=None, state__in=rules.OPEN_STATES) | mine.filter(hold__erase_then=False)
    return {pk for pk in needed.values_list("contact_id", flat=True) if pk is not None}


def on_lists(contact_ids: list[int]) -> set[int]:
    """Name those of some contacts who are expected to report, or report for others."""
    listed = Q(expected__isnull=False) | Q(proxy__isnull=False, proxy__ended_at=None)
    return set(Contact.objects.filter(listed, pk__in=contact_ids).values_list("pk", flat=True))
