"""Take in the rows of a file: each once, each kept or explained."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from commonbeat.people.queries import fallback_unit
from commonbeat.places.beats import beats_held
from commonbeat.places.gazetteer import known_names
from commonbeat.reports import rules
from commonbeat.reports.actions.publish import locked_topic, make_public_copy
from commonbeat.reports.actions.submit import NOWHERE, Whereabouts, submit_report
from commonbeat.reports.actions.work import move_locked
from commonbeat.reports.gate import screen_public
from commonbeat.reports.models import ImportRow, Message, MessageKind, Report, Verification
from commonbeat.topics.models import Topic, TopicVersion


@dataclass(frozen=True, slots=True)
class ImportedReport:
    """One row of a file, read and understood."""

    title: str
    text: str
    said_at: datetime
    categories: Sequence[str] = ()
    where: Whereabouts = NOWHERE
    approved: bool = False
    verified: bool = False
    # What the desk should know of this row, such as a point far from all others.
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a row: "published", "held", "new" or "known" (taken by an earlier run)."""

    outcome: str
    report_id: int


@dataclass(frozen=True, slots=True)
class Batch:
    """What all rows of one transaction need, read once: row by row it took two thirds of the time."""

    topic: Topic
    desk_id: int
    known: dict[str, ImportRow]
    # Folded names that are no person's.
    places: Container[str] = frozenset()


@contextmanager
def row_batch(
    *, source: str, row_keys: Sequence[str], version: TopicVersion, places: frozenset[str] = frozenset()
) -> Iterator[Batch]:
    """Hold what the rows of one transaction need; all of them are stored, or none.

    `places` are folded names which the file itself shows to be places.
    """
    with transaction.atomic(), beats_held():
        known = ImportRow.objects.filter(source=source, row_key__in=row_keys)
        yield Batch(
            locked_topic(version.topic_id),
            fallback_unit().pk,
            {row.row_key: row for row in known},
            places | known_names(),
        )


def take_row(
    *, source: str, row_key: str, row: ImportedReport, version: TopicVersion, language: str, now: datetime, batch: Batch
) -> Taken:
    """Store one row as a report, with its state; a row taken before is left as it is."""
    with transaction.atomic():
        known = batch.known.get(row_key)
        if known is not None and known.report_id is not None:
            return Taken("known", known.report_id)
        report, made = submit_report(
            version=version,
            title=row.title,
            text=row.text,
            language=language,
            channel="import",
            client_key=f"import:{source}:{row_key}"[:80],
            categories=row.categories,
            where=row.where,
            occurred_at=row.said_at,
            said_at=row.said_at,
            acknowledged=True,
            desk_id=batch.desk_id,
            look_first=False,
            now=now,
        )
        if row.remark:
            Message.objects.create(report=report, kind=MessageKind.NOTE, text=row.remark, created_at=now)
        outcome = _set_state(report, row, now, batch=batch, fresh=made)
        known = known or ImportRow(source=source, row_key=row_key)
        known.report, known.problem = report, ""
        known.save()
        batch.known[row_key] = known
    return Taken(outcome, report.pk)


def refuse_row(*, source: str, row_key: str, problem: str, batch: Batch) -> None:
    """Remember why a row was not taken; the next run tries it again."""
    row, _made = ImportRow.objects.update_or_create(source=source, row_key=row_key, defaults={"problem": problem[:200]})
    # A later row of the same batch may bear the same serial.
    batch.known[row_key] = row


def _set_state(report: Report, row: ImportedReport, now: datetime, *, batch: Batch, fresh: bool) -> str:
    if row.verified:
        Verification.objects.create(
            report=report, at=now, evidence="Marked as verified in the imported file.", independent_sources=1
        )
        report.verified_at = now
        report.independent_sources = 1
        report.save(update_fields=["verified_at", "independent_sources"])
    if not row.approved:
        return "new"
    move_locked(report, rules.TRIAGED, now=now, actor_id=None, fresh=fresh)
    # A place may name who lives there; the desk keeps it, the public has the map.
    names_much = screen_public(report.place_name, known_places=batch.places).holds
    place_name = "" if names_much else report.place_name
    publication = make_public_copy(
        report,
        title=report.title or report.text[:120],
        text=report.text,
        place_name=place_name,
        photo_ids=(),
        actor_id=None,
        now=now,
        public_at=row.said_at,
        fresh=fresh,
        topic=batch.topic,
        known_places=batch.places,
    )
    return "published" if publication.state == "public" else "held"
