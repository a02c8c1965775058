"""Take in a report: the one door for web form, SMS dialogue, sealed outbox and importer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from commonbeat.foundation import cells
from commonbeat.foundation.ids import new_reference
from commonbeat.foundation.text import clean_text
from commonbeat.media.models import Photo
from commonbeat.people.queries import fallback_unit
from commonbeat.places.beats import beat_containing
from commonbeat.places.models import Beat
from commonbeat.reports import events
from commonbeat.reports.models import PlaceSource, Report, ReportPhoto, State
from commonbeat.topics.models import TopicVersion

TEXT_LIMIT = 10_000
PHOTO_LIMIT = 3


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where it happened, as exactly as the person said."""

    source: str = PlaceSource.NONE
    name: str = ""
    latitude: float | None = None
    longitude: float | None = None


NOWHERE = Whereabouts()


def submit_report(
    *,
    version: TopicVersion,
    text: str,
    language: str,
    channel: str,
    client_key: str,
    now: datetime,
    title: str = "",
    categories: Sequence[str] = (),
    answers: Mapping[str, object] | None = None,
    where: Whereabouts = NOWHERE,
    beat_id: int | None = None,
    occurred_at: datetime | None = None,
    contact_id: int | None = None,
    contact_confirmed: bool = False,
    reporter_id: int | None = None,
    photo_ids: Sequence[int] = (),
    acknowledged: bool = False,
    is_structured: bool = False,
) -> tuple[Report, bool]:
    """Store a report and its journal entry; the same client_key gives the first report and False.

    contact_confirmed=True says that the contact itself sent this: it is written to only then, or once it has said YES.
    beat_id names the beat where the person told no place.
    acknowledged=True says that the caller answers the sender itself (the SMS dialogue does).
    """
    existing = Report.objects.filter(client_key=client_key).first()
    if existing is not None:
        return existing, False
    report = new_report(
        version=version,
        text=text,
        language=language,
        channel=channel,
        client_key=client_key,
        now=now,
        title=title,
        categories=categories,
        answers=answers,
        where=where,
        beat_id=beat_id,
        occurred_at=occurred_at,
        contact_id=contact_id,
        contact_confirmed=contact_confirmed,
        reporter_id=reporter_id,
        is_structured=is_structured,
    )
    try:
        with transaction.atomic():
            report.save(force_insert=True)
            if photo_ids:
                _attach(report, photo_ids)
            events.write(
                events.SUBMITTED, report_id=report.pk, now=now, data={"acknowledged": acknowledged, "channel": channel}
            )
    except IntegrityError:
        # A second copy of the same sending won the race; a clash of references (1 in 10^13) is raised.
        existing = Report.objects.filter(client_key=client_key).first()
        if existing is None:
            raise
        return existing, False
    return report, True


def new_report(
    *,
    version: TopicVersion,
    text: str,
    language: str,
    channel: str,
    client_key: str,
    now: datetime,
    title: str = "",
    categories: Sequence[str] = (),
    answers: Mapping[str, object] | None = None,
    where: Whereabouts = NOWHERE,
    beat_id: int | None = None,
    occurred_at: datetime | None = None,
    contact_id: int | None = None,
    contact_confirmed: bool = False,
    reporter_id: int | None = None,
    said_at: datetime | None = None,
    desk_id: int | None = None,
    is_structured: bool = False,
) -> Report:
    """Make a report, with its reference, cell and desk, and store nothing.

    said_at is when the person said it, where that is long before now (imported files); desk_id is the fallback unit,
    for who has read it already.
    """
    beat = None
    cell = None
    if where.latitude is not None and where.longitude is not None:
        cell = cells.cell_of(where.latitude, where.longitude, cells.STORED_RESOLUTION)
        beat = beat_containing(where.latitude, where.longitude)
    elif beat_id is not None:
        beat = Beat.objects.select_related("unit").filter(pk=beat_id).first()
    unit_id = beat.unit_id if beat else desk_id or fallback_unit().pk
    expiry = version.definition.expiry_days
    return Report(
        reference=new_reference(),
        client_key=client_key,
        topic_id=version.topic_id,
        topic_version=version,
        categories=list(categories),
        answers=dict(answers or {}),
        title=clean_text(title, 200),
        text=clean_text(text, TEXT_LIMIT),
        language=language,
        channel=channel,
        contact_id=contact_id,
        contact_confirmed=contact_confirmed,
        is_structured=is_structured,
        reporter_id=reporter_id,
        occurred_at=occurred_at,
        created_at=said_at or now,
        changed_at=now,
        place_source=where.source,
        place_name=clean_text(where.name, 200),
        latitude=where.latitude,
        longitude=where.longitude,
        cell=cell,
        unit_id=unit_id,
        beat=beat,
        expires_at=now + timedelta(days=expiry) if expiry else None,
    )


def _attach(report: Report, photo_ids: Sequence[int]) -> None:
    taken = ReportPhoto.objects.filter(photo_id__in=photo_ids).values("photo_id")
    for photo in Photo.objects.filter(pk__in=list(photo_ids)[:PHOTO_LIMIT]).exclude(pk__in=taken):
        ReportPhoto.objects.create(report=report, photo=photo)
        photo.draft_key = ""
        photo.save(update_fields=["draft_key"])


def place_report(*, report_id: int, where: Whereabouts, actor_id: int | None, now: datetime) -> Report:
    """Set or correct the exact place; the desk of the beat that contains it takes over a new report."""
    with transaction.atomic():
        report = Report.objects.select_for_update().get(pk=report_id)
        report.place_source = where.source
        report.place_name = clean_text(where.name, 200) or report.place_name
        report.latitude, report.longitude = where.latitude, where.longitude
        report.cell = None
        if where.latitude is not None and where.longitude is not None:
            report.cell = cells.cell_of(where.latitude, where.longitude, cells.STORED_RESOLUTION)
            beat = beat_containing(where.latitude, where.longitude)
            report.beat = beat
            if report.state == State.NEW and report.claimed_by_id is None:
                report.unit_id = beat.unit_id if beat else fallback_unit().pk
        report.changed_at = now
        report.save()
        # The public place is fuzzed once from the exact one; a corrected report gets a new one.
        publication = getattr(report, "publication", None)
        if publication is not None:
            from commonbeat.reports.actions.publish import public_beat, public_place

            publication.latitude, publication.longitude, publication.cell = public_place(report)
            publication.beat = public_beat(publication.latitude, publication.longitude)
            publication.save()
        events.write(events.PLACED, report_id=report.pk, now=now, actor_id=actor_id)
    return report
