"""What a publication counts as on public maps, as plain rows; nothing exact is read here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import BigIntegerField, Case, F, When

from commonbeat.reports.models import Publication
from commonbeat.topics.models import TopicVersion

CHUNK = 50_000

# The first category alone: a report counts once.
_FIRST = {"sqlite": "coalesce(json_extract(categories, '$[0]'), '')", "postgresql": "coalesce(categories->>0, '')"}
_SECONDS = {
    "sqlite": "CAST(strftime('%%s', public_at) AS INTEGER)",
    "postgresql": "CAST(floor(extract(epoch FROM public_at)) AS bigint)",
}

# A topic that turned to counts is counted so at once, before its copies have been hidden one by one.
_SINGLE = "(lists_each AND topic_id NOT IN (SELECT id FROM topics_topic WHERE counts_only))"
# Anybody can leave anybody's number with a report: before it is confirmed, it says nothing of who sent this.
_SENDER = "CASE WHEN contact_confirmed AND contact_id IS NOT NULL THEN contact_id ELSE -reporter_id END"


class Row(NamedTuple):
    """One publication; public_at in seconds from 1970-01-01 UTC, cell 0 without a place, category "" without one.

    sender is a contact, or an account below zero, or None.
    """

    publication_id: int
    topic_id: int
    category: str
    cell: int
    public_at: int
    is_single: bool
    is_public: bool
    sender: int | None
    # The smallest count that was promised when it was made; 0 where it is told singly.
    fewest: int


class Columns(NamedTuple):
    """Many publications, each field of Row in a column of its own."""

    publication_id: Sequence[int]
    topic_id: Sequence[int]
    category: Sequence[str]
    cell: Sequence[int]
    public_at: Sequence[int]
    is_single: Sequence[bool]
    is_public: Sequence[bool]
    sender: Sequence[int | None]
    fewest: Sequence[int]


class SentRow(NamedTuple):
    """How the report of a publication came in."""

    publication_id: int
    channel: str
    # "" for the rows of a file: they say nothing of who reports, nor when.
    language: str
    received_at: int | None
    sender: int | None


def contributions(report_ids: Sequence[int]) -> list[Row]:
    """Read what the publications of some reports count as, public or not; reports without one are left out."""
    return _rows("report_id", report_ids)


def contributions_of(publication_ids: Sequence[int]) -> list[Row]:
    """Read what some publications count as."""
    return _rows("id", publication_ids)


def contributions_of_topic(topic_id: int, chunk: int = CHUNK) -> Iterator[list[Row]]:
    """Read what every publication of a topic counts as, public or not, in chunks."""
    last = 0
    sql = _select() + " WHERE topic_id = %s AND id > %s ORDER BY id LIMIT %s"
    while rows := _read(sql, [topic_id, last, chunk]):
        yield rows
        last = rows[-1][0]


def public_contributions(chunk: int = CHUNK) -> Iterator[Columns]:
    """Read every publication that is public, now or after its delay, in chunks."""
    last = 0
    sql = _select() + " WHERE id > %s AND state = 'public' ORDER BY id LIMIT %s"
    while rows := _fetch(sql, [last, chunk]):
        *columns, versions = zip(*rows, strict=True)
        promised = _smallest_counts(set(versions) - {None})
        fewest = [promised.get(version, 0) for version in versions] if promised else [0] * len(rows)
        yield Columns._make([*columns, fewest])
        if len(rows) < chunk:
            return
        last = rows[-1][0]


def _select() -> str:
    vendor = connection.vendor
    return (
        f"SELECT id, topic_id, {_FIRST[vendor]}, coalesce(cell, 0), {_SECONDS[vendor]},"
        f" {_SINGLE},"
        " CASE WHEN state = 'public' THEN 1 ELSE 0 END,"
        f" coalesce(counted_sender, (SELECT {_SENDER} FROM reports_report WHERE reports_report.id = report_id)),"
        f" CASE WHEN {_SINGLE} THEN NULL ELSE"
        " (SELECT topic_version_id FROM reports_report WHERE reports_report.id = report_id) END"
        " FROM reports_publication"
    )


def sendings(publication_ids: Sequence[int]) -> list[SentRow]:
    """Read how the reports of some publications came in."""
    found: list[SentRow] = []
    for start in range(0, len(publication_ids), 500):
        rows = (
            Publication.objects.filter(pk__in=publication_ids[start : start + 500])
            .order_by()
            .annotate(sender=_sender())
            .values_list("pk", "report__channel", "report__language", "report__created_at", "sender", "is_imported")
        )
        for pk, channel, language, at, sender, is_imported in rows:
            spoken, received = ("", None) if is_imported else (language, int(at.timestamp()))
            found.append(SentRow(pk, channel, spoken, received, sender))
    return found


def _rows(column: str, ids: Sequence[int]) -> list[Row]:
    found: list[Row] = []
    for start in range(0, len(ids), 500):
        part = list(ids[start : start + 500])
        found += _read(f"{_select()} WHERE {column} IN ({', '.join(['%s'] * len(part))})", part)
    return found


def _fetch(sql: str, values: Sequence[int]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


def _read(sql: str, values: Sequence[int]) -> list[Row]:
    rows = _fetch(sql, values)
    fewest = _smallest_counts({row[-1] for row in rows if row[-1] is not None})
    return [
        Row(pk, topic_id, category, cell, at, bool(single), bool(public), sender, fewest.get(version, 0))
        for pk, topic_id, category, cell, at, single, public, sender, version in rows
    ]


def _smallest_counts(version_ids: set[int]) -> dict[int, int]:
    """Read what versions of topics promised; versions never change, but a test may write others by the same number."""
    if not version_ids:
        return {}
    return dict(TopicVersion.objects.filter(pk__in=version_ids).values_list("pk", "data__smallest_count"))


def _sender() -> Case:
    """Name a sender as _SENDER does."""
    gone = When(counted_sender__isnull=False, then=F("counted_sender"))
    confirmed = When(report__contact_confirmed=True, report__contact__isnull=False, then=F("report__contact_id"))
    return Case(gone, confirmed, default=-F("report__reporter_id"), output_field=BigIntegerField())
