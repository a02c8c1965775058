"""How publications rate their places, as plain rows. Of a place only the public one is read, never the exact one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from django.db.models import QuerySet

from commonbeat.reports.models import Publication, PublicationState
from commonbeat.topics.definition import Definition
from commonbeat.topics.queries import all_topics
from commonbeat.topics.scoring import lighting_in, rated_fields, ratings_in, tells_of_lighting

CHUNK = 5_000
_COLUMNS = (
    "id", "topic_id", "cell", "public_at", "state", "lists_each", "is_resolved", "categories", "report__answers",
    "counted_sender", "report__contact_id", "report__contact_confirmed", "report__reporter_id",
    "report__topic_version__data__smallest_count",
)  # fmt: skip


class Row(NamedTuple):
    """One publication; public_at in seconds from 1970-01-01 UTC, cell 0 without a place, ratings {} without any."""

    publication_id: int
    topic_id: int
    cell: int
    public_at: int
    ratings: Mapping[str, int]
    is_single: bool
    # A contact, or an account below zero, as counting names them.
    sender: int | None
    # The smallest count that was promised when it was made.
    fewest: int


def ratings_of_reports(report_ids: Sequence[int]) -> list[Row]:
    """Read what the publications of some reports say of their places; only those of topics that rate places."""
    found = Publication.objects.filter(topic_id__in=_rating_topics())
    return [row for some in _parts(report_ids) for row in _rows(found.filter(report_id__in=some))]


def publications_that_rate_nothing(report_ids: Sequence[int]) -> list[int]:
    """Name the publications of some reports whose topic rates no place, though another one before may have done so."""
    found = Publication.objects.exclude(topic_id__in=_rating_topics()).order_by().values_list("pk", flat=True)
    return [pk for some in _parts(report_ids) for pk in found.filter(report_id__in=some)]


def ratings_of(publication_ids: Sequence[int]) -> list[Row]:
    """Read what some publications say of their places."""
    return _rows(Publication.objects.filter(pk__in=publication_ids))


def ratings_of_topics(topic_ids: Sequence[int] | None = None, chunk: int = CHUNK) -> Iterator[list[Row]]:
    """Read what every publication of some topics says of its place, by default of all that rate; in chunks."""
    if topic_ids is None:
        topic_ids = _rating_topics()
    last = 0
    while rows := _rows(Publication.objects.filter(topic_id__in=topic_ids, pk__gt=last).order_by("pk")[:chunk]):
        yield rows
        last = rows[-1].publication_id


def _rating_topics() -> list[int]:
    return [topic.pk for topic in all_topics() if _rates(topic.definition)]


def _parts(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    return (ids[start : start + 500] for start in range(0, len(ids), 500))


def _rates(definition: Definition) -> bool:
    return bool(rated_fields(definition)) or tells_of_lighting(definition)


def _rows(found: QuerySet[Publication]) -> list[Row]:
    definitions = {topic.pk: topic.definition for topic in all_topics() if _rates(topic.definition)}
    return [_row(values, definitions.get(values[1])) for values in found.values_list(*_COLUMNS)]


def _row(values: tuple[Any, ...], definition: Definition | None) -> Row:
    pk, topic_id, cell, public_at, state, lists_each, is_resolved, categories, answers, *sender, fewest = values
    ratings: Mapping[str, int] = {}
    is_single = False
    if definition is not None and state == PublicationState.PUBLIC and lists_each:
        if rated_fields(definition):
            # The report's page shows no answers: they are told only among those of others.
            ratings = ratings_in(definition, answers)
        elif not is_resolved:
            ratings, is_single = lighting_in(definition, categories), True
    return Row(pk, topic_id, cell or 0, int(public_at.timestamp()), ratings, is_single, _sender(*sender), fewest or 0)


def _sender(counted: int | None, contact: int | None, is_confirmed: bool, reporter: int | None) -> int | None:
    if counted is not None:
        return counted
    # Anybody can leave anybody's number with a report: before it is confirmed, it says nothing of who sent this.
    if contact is not None and is_confirmed:
        return contact
    return None if reporter is None else -reporter
