"""Take in the rows of a file: each once, each kept or explained."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from commonbeat.journal.actions import append, append_all
from commonbeat.people.queries import fallback_unit
from commonbeat.places.beats import beats_held
from commonbeat.places.gazetteer import known_names
from commonbeat.reports import events, rules
from commonbeat.reports.actions.publish import fill_copy, locked_topic, new_copy
from commonbeat.reports.actions.submit import NOWHERE, Whereabouts, new_report
from commonbeat.reports.gate import screen_public
from commonbeat.reports.models import (
    ImportBatch,
    ImportRow,
    Message,
    MessageKind,
    Publication,
    PublicationState,
    Report,
    Verification,
)
from commonbeat.topics.definition import Option
from commonbeat.topics.models import Topic, TopicVersion

PUBLISH, NEW, REJECT = "publish", "new", "reject"
# Reports withdrawn in one transaction.
UNDO_CHUNK = 200
UNDONE = "Withdrawn together with the import that it came by."


@dataclass(frozen=True, slots=True)
class ImportedReport:
    """What one row of a file says, read and understood."""

    title: str
    text: str
    said_at: datetime
    categories: Sequence[str] = ()
    answers: Mapping[str, object] = field(default_factory=dict)
    where: Whereabouts = NOWHERE
    # PUBLISH, NEW or REJECT.
    state: str = NEW
    verified: bool = False
    # False when said_at only stands for a date that the file does not tell.
    is_dated: bool = True
    # "" for the language of the whole import.
    language: str = ""
    # What the desk should know of this row, such as a point far from all others.
    remark: str = ""


@dataclass(frozen=True, slots=True)
class ImportedRow:
    """One row: a report, or the reason why it is none."""

    number: int
    key: str
    report: ImportedReport | None
    # Categories that the topic may not have yet.
    categories: tuple[Option, ...] = ()
    problem: str = ""
    # Of what the row says.
    fingerprint: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a row: "published", "held", "new", "rejected", "known" (taken before) or "refused"."""

    kind: str
    problem: str = ""


@dataclass(slots=True)
class _Fresh:
    """What the rows of one transaction make, stored together: row by row it took four times as long."""

    reports: list[Report] = field(default_factory=list)
    copies: list[Publication] = field(default_factory=list)
    notes: list[Message] = field(default_factory=list)
    verifications: list[Verification] = field(default_factory=list)
    rows: list[ImportRow] = field(default_factory=list)
    # Rows that an earlier run could not take.
    mended: list[ImportRow] = field(default_factory=list)


def open_batch(*, source: str, topic_id: int, credit: str, licence: str, now: datetime) -> ImportBatch:
    """Begin an import, or go on with one of the same source that was interrupted."""
    batch, made = ImportBatch.objects.get_or_create(
        source=source,
        finished_at=None,
        withdrawn_at=None,
        defaults={"topic_id": topic_id, "credit": credit, "licence": licence, "started_at": now},
    )
    if not made and (batch.credit, batch.licence) != (credit, licence):
        batch.credit, batch.licence = credit, licence
        batch.save(update_fields=["credit", "licence"])
    return batch


def close_batch(*, batch_id: int, now: datetime) -> int:
    """End an import and journal it; give the number of its reports. One that brought nothing leaves no trace."""
    with transaction.atomic():
        batch = ImportBatch.objects.select_for_update().get(pk=batch_id)
        count = batch.rows.exclude(report=None).count()
        if not batch.rows.exists():
            batch.delete()
            return 0
        batch.finished_at = now
        batch.save(update_fields=["finished_at"])
        append(kind=events.IMPORTED, subject_id=batch.pk, now=now, data={"reports": count})
    return count


def take_rows(
    *,
    batch: ImportBatch,
    rows: Sequence[ImportedRow],
    version: TopicVersion,
    language: str,
    now: datetime,
    places: frozenset[str] = frozenset(),
) -> list[Outcome]:
    """Store the reports of some rows, all in one transaction, and tell what became of each; again changes nothing.

    `places` are folded names which the file itself shows to be places.
    """
    try:
        return _take_rows(batch, rows, version, language, now, places)
    except IntegrityError:
        # Another run of the same file was faster, or a reference (1 in 10^13) exists: now it is known.
        return _take_rows(batch, rows, version, language, now, places)


def undo_batch(*, batch_id: int, now: datetime) -> Iterator[int]:
    """Withdraw all that came in by an import, in steps that may be repeated; yield how many each step closed.

    The reports stay for the desk, as not taken up. The rows are free again: a later import may bring them anew.
    """
    last = 0
    while True:
        with transaction.atomic():
            ids = list(
                ImportRow.objects.filter(batch_id=batch_id, report_id__gt=last)
                .order_by("report_id")
                .values_list("report_id", flat=True)[:UNDO_CHUNK]
            )
            if not ids:
                break
            closed = _close_reports(ids, now)
            last = ids[-1] or 0
        yield closed
    with transaction.atomic():
        if ImportBatch.objects.filter(pk=batch_id, withdrawn_at=None).update(withdrawn_at=now):
            append(kind=events.IMPORT_UNDONE, subject_id=batch_id, now=now)


def _take_rows(
    batch: ImportBatch,
    rows: Sequence[ImportedRow],
    version: TopicVersion,
    language: str,
    now: datetime,
    places: frozenset[str],
) -> list[Outcome]:
    with transaction.atomic(), beats_held():
        topic = locked_topic(version.topic_id)
        desk_id = fallback_unit().pk
        known_places = places | known_names()
        live = list(ImportBatch.objects.filter(source=batch.source, withdrawn_at=None).values_list("pk", flat=True))
        keys = {row.key for row in rows}
        known = {row.row_key: row for row in ImportRow.objects.filter(batch_id__in=live, row_key__in=keys)}
        taken = {key: row.fingerprint for key, row in known.items() if row.report_id is not None}
        fresh, outcomes = _Fresh(), []
        for row in rows:
            if row.key in taken:
                outcomes.append(_known(row, taken[row.key]))
                continue
            before = known.get(row.key)
            record = known[row.key] = before or ImportRow(row_key=row.key)
            if before is None:
                fresh.rows.append(record)
            elif before.pk is not None:
                fresh.mended.append(record)
            record.fingerprint, record.problem = row.fingerprint, row.problem[:200]
            if before is None or row.report is not None:
                # A row that cannot be taken again stays with the import that first told so.
                record.batch = batch
            if row.report is None:
                outcomes.append(Outcome("refused", row.problem))
                continue
            record.report = _report(batch, row.key, row.report, version, topic, language, desk_id, now)
            taken[row.key] = row.fingerprint
            outcomes.append(_fill(fresh, batch, record.report, row.report, known_places, now))
        _store(fresh, now)
    return outcomes


def _known(row: ImportedRow, fingerprint: int) -> Outcome:
    if row.report is None:
        return Outcome("refused", row.problem)
    if fingerprint == row.fingerprint:
        return Outcome("known")
    return Outcome(
        "refused", f"has the id “{row.key}” of another report and says something else; that report was left as it is"
    )


def _report(
    batch: ImportBatch,
    key: str,
    row: ImportedReport,
    version: TopicVersion,
    topic: Topic,
    language: str,
    desk_id: int,
    now: datetime,
) -> Report:
    report = new_report(
        version=version,
        title=row.title,
        text=row.text,
        language=row.language or language,
        channel="import",
        client_key=f"import:{batch.pk}:{key}"[:80],
        categories=row.categories,
        answers=row.answers,
        where=row.where,
        occurred_at=row.said_at if row.is_dated else None,
        said_at=row.said_at,
        desk_id=desk_id,
        now=now,
    )
    report.topic = topic
    if row.verified:
        report.verified_at, report.independent_sources = now, 1
    return report


def _fill(
    fresh: _Fresh, batch: ImportBatch, report: Report, row: ImportedReport, places: Container[str], now: datetime
) -> Outcome:
    fresh.reports.append(report)
    if row.remark:
        fresh.notes.append(Message(report=report, kind=MessageKind.NOTE, text=row.remark, created_at=now))
    if row.verified:
        evidence = "Marked as verified in the imported file."
        fresh.verifications.append(Verification(report=report, at=now, evidence=evidence, independent_sources=1))
    if row.state == REJECT:
        report.state, report.state_reason = rules.REJECTED, "Not taken up in the imported file either."
        return Outcome("rejected")
    if row.state != PUBLISH or report.privacy.never_public:
        return Outcome("new")
    copy = new_copy(report)
    copy.import_batch = batch
    # A place may name who lives there; the desk keeps it, the public has the map.
    names_much = bool(report.place_name) and screen_public(report.place_name, known_places=places).holds
    fill_copy(
        copy,
        title=report.title or report.text[:120],
        text=report.text,
        place_name="" if names_much else report.place_name,
        actor_id=None,
        now=now,
        public_at=_public_at(report, row.said_at, now),
        known_places=places,
    )
    if not row.is_dated:
        copy.occurred_on = None
    fresh.copies.append(copy)
    held = copy.state == PublicationState.HELD
    report.state = rules.TRIAGED if held else rules.PUBLISHED
    return Outcome("held" if held else "published")


def _public_at(report: Report, said_at: datetime, now: datetime) -> datetime:
    # What is older than the topic's delay was public long ago; what is newer waits like any other report.
    delay = timedelta(hours=report.privacy.delay_hours)
    return said_at if said_at + delay <= now else said_at + delay


def _store(fresh: _Fresh, now: datetime) -> None:
    Report.objects.bulk_create(fresh.reports)
    Publication.objects.bulk_create(fresh.copies)
    Message.objects.bulk_create(fresh.notes)
    Verification.objects.bulk_create(fresh.verifications)
    ImportRow.objects.bulk_create(fresh.rows)
    ImportRow.objects.bulk_update(fresh.mended, ["batch", "report", "fingerprint", "problem"])
    append_all(entries=_entries(fresh), now=now)


def _entries(fresh: _Fresh) -> Iterator[tuple[str, int, Mapping[str, int | str | bool | None]]]:
    copies = {copy.report_id: copy for copy in fresh.copies}
    for report in fresh.reports:
        yield events.SUBMITTED, report.pk, {"acknowledged": True, "channel": "import"}
        copy = copies.get(report.pk)
        if report.state != rules.NEW:
            to = rules.REJECTED if copy is None else rules.TRIAGED
            yield events.MOVED, report.pk, {"from": rules.NEW, "to": to}
        if copy is not None and copy.state == PublicationState.HELD:
            yield events.HELD, report.pk, {}
        elif copy is not None:
            yield events.PUBLISHED, report.pk, {"publication": copy.pk}


def _close_reports(ids: Sequence[int | None], now: datetime) -> int:
    shown = Publication.objects.filter(report_id__in=ids).exclude(state=PublicationState.WITHDRAWN)
    written: list[tuple[str, int, Mapping[str, int | str | bool | None]]] = []
    for copy in shown.select_related("report"):
        copy.state = PublicationState.WITHDRAWN
        copy.save(update_fields=["state"])
        copy.settle_photos()
        written.append((events.WITHDRAWN, copy.report_id, {}))
    closed = 0
    # Past the table of moves, which is for a person at the desk: what is resolved is closed again, too.
    open_ones = Report.objects.select_for_update().filter(pk__in=ids, state__in=rules.OPEN_STATES | rules.PUBLIC_STATES)
    for report in open_ones:
        written.append((events.MOVED, report.pk, {"from": report.state, "to": rules.REJECTED}))
        report.state, report.state_reason, report.changed_at = rules.REJECTED, UNDONE, now
        report.claimed_by, report.claimed_until = None, None
        report.save(update_fields=["state", "state_reason", "changed_at", "claimed_by", "claimed_until"])
        closed += 1
    append_all(entries=written, now=now)
    return closed
