"""Make the public copy: screened text, clean pictures, public place."""

from __future__ import annotations

import secrets
from collections.abc import Container, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from commonbeat.foundation import cells
from commonbeat.foundation.text import clean_text
from commonbeat.media.models import Photo
from commonbeat.people.models import User
from commonbeat.people.permissions import Permission, may
from commonbeat.places.beats import beat_containing
from commonbeat.places.models import Beat
from commonbeat.reports import events, rules
from commonbeat.reports.actions.work import (
    move_locked,
    refuse_when_claimed,
    refuse_without_consent,
    report_for_work,
)
from commonbeat.reports.errors import MoveNotPossible, NotAllowed, ReportError
from commonbeat.reports.gate import screen_public
from commonbeat.reports.models import Publication, PublicationState, Report
from commonbeat.topics.definition import Publishes
from commonbeat.topics.models import Topic

PUBLIC_TEXT_LIMIT = 5_000


def publish_report(
    *,
    report_id: int,
    title: str,
    text: str,
    actor: User,
    now: datetime,
    place_name: str = "",
    photo_ids: Sequence[int] = (),
) -> Publication:
    """Propose the public copy; it is public at once, or held for a moderator when screening finds something."""
    if not may(actor, Permission.PUBLISH):
        raise NotAllowed
    with transaction.atomic():
        report = report_for_work(report_id=report_id, actor=actor)
        refuse_when_claimed(report, actor, now)
        refuse_without_consent(report)
        if report.state == rules.NEW:
            move_locked(report, rules.TRIAGED, now=now, actor_id=actor.pk)
        if report.state not in {rules.TRIAGED, *rules.PUBLIC_STATES}:
            raise MoveNotPossible
        return make_public_copy(
            report, title=title, text=text, place_name=place_name, photo_ids=photo_ids, actor_id=actor.pk, now=now
        )


def make_public_copy(
    report: Report,
    *,
    title: str,
    text: str,
    place_name: str,
    photo_ids: Sequence[int],
    actor_id: int | None,
    now: datetime,
) -> Publication:
    """Write the public copy of a locked report and move it, unless screening holds it."""
    # Locked, so that a topic which turns stricter meanwhile finds this copy too.
    report.topic = locked_topic(report.topic_id)
    if report.privacy.never_public:
        raise ReportError(_("This topic is for the desk alone: nothing of it is ever published."))
    publication = Publication.objects.filter(report=report).first()
    is_new = publication is None
    publication = publication or new_copy(report)
    # The caller's report, with the topic just read, not a second one from the database.
    publication.report = report
    fill_copy(publication, title=title, text=text, place_name=place_name, actor_id=actor_id, now=now)
    publication.save()
    if photo_ids or not is_new:
        _set_public_photos(publication, report, photo_ids)
    if publication.state == PublicationState.HELD:
        events.write(events.HELD, report_id=report.pk, now=now, actor_id=actor_id)
    else:
        _become_public(report, publication, actor_id=actor_id, now=now)
    return publication


def new_copy(report: Report) -> Publication:
    """Make an empty public copy, not stored."""
    return Publication(report=report, code=secrets.token_hex(5))


def fill_copy(
    publication: Publication,
    *,
    title: str,
    text: str,
    place_name: str,
    actor_id: int | None,
    now: datetime,
    public_at: datetime | None = None,
    known_places: Container[str] | None = None,
) -> None:
    """Write into a copy what may be public of its report, whose topic the caller has locked; store nothing.

    public_at is given for imported reports, which were public long before now; known_places are the gazetteer's names,
    for who has read them already.
    """
    report = publication.report
    title, text = clean_text(title, 200), clean_text(text, PUBLIC_TEXT_LIMIT)
    place_name = clean_text(place_name, 200)
    if not title:
        raise ReportError(_("Give the public copy a title."))
    found = screen_public(title, text, place_name, known_places=known_places)
    privacy = report.privacy
    is_new = publication.pk is None
    was_public = publication.state == PublicationState.PUBLIC
    # What only counted once stays so, though its topic lists each report again; only another topic begins anew.
    only_counted = not is_new and not publication.lists_each and publication.topic_id == report.topic_id
    latitude, longitude, cell = public_place(report)
    publication.topic_id = report.topic_id
    publication.categories = report.categories
    publication.title, publication.text = title, text
    publication.language = report.language
    publication.place_name = place_name
    publication.latitude, publication.longitude, publication.cell = latitude, longitude, cell
    publication.beat = public_beat(latitude, longitude)
    publication.occurred_on = timezone.localtime(report.occurred_at or report.created_at).date()
    publication.public_at = (
        publication.public_at if was_public else public_at or now + timedelta(hours=privacy.delay_hours)
    )
    publication.lists_each = privacy.publishes == Publishes.EACH and not only_counted
    publication.is_verified = report.verified_at is not None
    publication.independent_sources = report.independent_sources
    publication.is_imported = report.channel == "import"
    publication.is_resolved = report.state == rules.RESOLVED
    publication.proposed_by_id = actor_id
    publication.released_by_id = None
    publication.released_at = None
    publication.held_for = sorted(found.kinds)
    publication.state = PublicationState.HELD if found.holds else PublicationState.PUBLIC


def release_publication(
    *, publication_id: int, title: str, text: str, place_name: str, actor: User, now: datetime
) -> Publication:
    """Release a held copy, edited or as it stands; whoever proposed it may not release it."""
    title, text = clean_text(title, 200), clean_text(text, PUBLIC_TEXT_LIMIT)
    if not may(actor, Permission.RELEASE):
        raise NotAllowed
    if not title:
        raise ReportError(_("Give the public copy a title."))
    with transaction.atomic():
        publication = Publication.objects.select_for_update().get(pk=publication_id)
        report = Report.objects.select_for_update().get(pk=publication.report_id)
        if publication.state != PublicationState.HELD:
            raise MoveNotPossible
        if publication.proposed_by_id == actor.pk:
            raise ReportError(_("You proposed this text, so a second person must release it."))
        publication.title, publication.text = title, text
        publication.place_name = clean_text(place_name, 200)
        publication.state = PublicationState.PUBLIC
        publication.released_by = actor
        publication.released_at = now
        report.topic = locked_topic(report.topic_id)
        publication.public_at = now + timedelta(hours=report.privacy.delay_hours)
        # The topic may have turned stricter while the text waited.
        publication.lists_each = publication.lists_each and report.privacy.publishes == Publishes.EACH
        publication.latitude, publication.longitude, publication.cell = public_place(report)
        publication.beat = public_beat(publication.latitude, publication.longitude)
        publication.save()
        publication.settle_photos()
        events.write(events.RELEASED, report_id=report.pk, now=now, actor_id=actor.pk)
        _become_public(report, publication, actor_id=actor.pk, now=now)
    return publication


def return_publication(*, publication_id: int, reason: str, actor: User, now: datetime) -> Publication:
    """Send a held copy back to the desk with a note."""
    if not may(actor, Permission.RELEASE):
        raise NotAllowed
    reason = clean_text(reason, 1_000)
    if not reason:
        raise ReportError(_("Say in a few words what the desk should change."))
    with transaction.atomic():
        publication = Publication.objects.select_for_update().get(pk=publication_id)
        if publication.state != PublicationState.HELD:
            raise MoveNotPossible
        publication.state = PublicationState.WITHDRAWN
        publication.save(update_fields=["state"])
        publication.settle_photos()
        publication.report.messages.create(kind="note", text=reason, author=actor, created_at=now)
        events.write(events.WITHDRAWN, report_id=publication.report_id, now=now, actor_id=actor.pk)
    return publication


def locked_topic(topic_id: int) -> Topic:
    """Lock a topic and read what it says now, so that none of its publications misses a change."""
    return Topic.objects.select_for_update(of=("self",)).select_related("current").get(pk=topic_id)


def public_place(report: Report) -> tuple[float | None, float | None, int | None]:
    """Compute the public place: the centre of the cell at the public resolution (fuzz once).

    The resolution is the coarser of the topic's when the report was made, and now.
    """
    if report.latitude is None or report.longitude is None:
        return None, None, None
    return cells.fuzz(report.latitude, report.longitude, report.privacy.public_resolution)


def public_beat(latitude: float | None, longitude: float | None) -> Beat | None:
    """Find the beat of the public place. The exact point's beat would tell on which side of a border it lies."""
    return None if latitude is None or longitude is None else beat_containing(latitude, longitude)


def _become_public(report: Report, publication: Publication, *, actor_id: int | None, now: datetime) -> None:
    if report.state not in rules.PUBLIC_STATES:
        report.state = rules.PUBLISHED
        report.changed_at = now
        report.save(update_fields=["state", "changed_at"])
    events.write(
        events.PUBLISHED, report_id=report.pk, now=now, actor_id=actor_id, data={"publication": publication.pk}
    )


def _set_public_photos(publication: Publication, report: Report, photo_ids: Sequence[int]) -> None:
    chosen = Photo.objects.filter(pk__in=report.report_photos.filter(photo_id__in=photo_ids).values("photo_id"))
    publication.photos.set(chosen)
    publication.settle_photos()
