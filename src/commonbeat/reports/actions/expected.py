"""Enrol trained reporters, and remember whom we reminded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time

from django.db import transaction
from django.utils.translation import gettext as _

from commonbeat.foundation.text import clean_text
from commonbeat.journal.actions import append
from commonbeat.messaging.actions import AddressError, contact_for, set_language
from commonbeat.messaging.models import Contact, ContactKind
from commonbeat.people.models import User
from commonbeat.people.permissions import Permission, may
from commonbeat.people.queries import fallback_unit
from commonbeat.places.beats import beat_containing, beats_held
from commonbeat.places.gazetteer import place_called
from commonbeat.reports import events
from commonbeat.reports.errors import NotAllowed, ReportError
from commonbeat.reports.expected_models import ExpectedReporter, Rhythm

MOST_AT_ONCE = 5_000
SITE_LIMIT = 120


@dataclass(frozen=True, slots=True)
class Enrolment:
    """One reporter as a form or a file names it."""

    phone: str
    site: str
    language: str = ""
    rhythm: str = Rhythm.DAILY
    weekday: int = 0
    due_at: time = time(12, 0)
    latitude: float | None = None
    longitude: float | None = None


def enrol(*, topic_id: int, rows: Iterable[Enrolment], actor: User | None, now: datetime) -> tuple[int, dict[int, str]]:
    """Put reporters on a topic's list, or change them; give how many, and per row (from 0) what is wrong.

    Without an actor (the demo) nobody's permission is asked for.
    """
    if actor is not None and not may(actor, Permission.ENROL):
        raise NotAllowed
    count, problems = 0, {}
    with transaction.atomic(), beats_held():
        desk_id = fallback_unit().pk
        for number, row in enumerate(rows):
            if number >= MOST_AT_ONCE:
                problems[number] = _("Enrol at most %(count)d at once.") % {"count": MOST_AT_ONCE}
                break
            try:
                _enrol_one(topic_id, row, desk_id, actor, now)
                count += 1
            except ReportError as error:
                problems[number] = error.sentence
    return count, problems


def unenrol(*, reporter_id: int, actor: User, now: datetime) -> None:
    """Take somebody off the list; what was reported stays."""
    if not may(actor, Permission.ENROL):
        raise NotAllowed
    with transaction.atomic():
        reporter = ExpectedReporter.objects.visible_to(actor).filter(pk=reporter_id).first()
        if reporter is None:
            return
        append(
            kind=events.UNENROLLED,
            subject_id=reporter.pk,
            now=now,
            actor_id=actor.pk,
            data={"contact": reporter.contact_id, "topic": reporter.topic_id},
        )
        reporter.delete()


def note_reminded(*, reporter_id: int, day: date, now: datetime) -> None:
    """Remember for which day or week a reminder was queued."""
    with transaction.atomic():
        if ExpectedReporter.objects.filter(pk=reporter_id).update(reminded_for=day, reminded_at=now):
            append(kind=events.REMINDED, subject_id=reporter_id, now=now)


def _enrol_one(topic_id: int, row: Enrolment, desk_id: int, actor: User | None, now: datetime) -> None:
    site = clean_text(row.site, SITE_LIMIT)
    if not site:
        raise ReportError(_("Name the place that the person reports from."))
    if row.rhythm not in Rhythm.values or not 0 <= row.weekday <= 6:
        raise ReportError(_("Say how often a report is expected: daily, weekly or none."))
    contact = _contact(row, now)
    enrolled = ExpectedReporter.objects.select_related("unit").filter(topic_id=topic_id, contact=contact, site=site)
    told = {
        **_whereabouts(row, site, desk_id, enrolled.first(), actor),
        "rhythm": row.rhythm,
        "weekday": row.weekday,
        "due_at": row.due_at,
    }
    reporter, is_new = ExpectedReporter.objects.update_or_create(
        topic_id=topic_id, contact=contact, site=site, defaults=told, create_defaults={**told, "created_at": now}
    )
    append(
        kind=events.ENROLLED,
        subject_id=reporter.pk,
        now=now,
        actor_id=actor.pk if actor else None,
        data={"contact": contact.pk, "topic": topic_id, "new": is_new},
    )


def _whereabouts(
    row: Enrolment, site: str, desk_id: int, enrolled: ExpectedReporter | None, actor: User | None
) -> dict[str, float | int | None]:
    """Give the place and its unit; a line that names no coordinates leaves both to whoever is enrolled already."""
    if enrolled is not None and row.latitude is None:
        return {}
    latitude, longitude = _place(row, site)
    beat = beat_containing(latitude, longitude) if latitude is not None and longitude is not None else None
    unit_id = beat.unit_id if beat else desk_id
    is_anothers = enrolled is not None and actor is not None and enrolled.unit_id != actor.unit_id
    if enrolled is not None and is_anothers and unit_id != enrolled.unit_id:
        # Who sees every desk may change the times of any; off a list it is taken by that unit's own supervisor.
        raise ReportError(
            _("This reporter is on the list of %(unit)s, and that place is not. Only its own supervisor can move them.")
            % {"unit": enrolled.unit.name}
        )
    return {"latitude": latitude, "longitude": longitude, "unit_id": unit_id}


def _contact(row: Enrolment, now: datetime) -> Contact:
    try:
        contact = contact_for(kind=ContactKind.PHONE, address=row.phone, now=now)
    except AddressError:
        raise ReportError(_("This is no telephone number.")) from None
    # What somebody has chosen by text stays.
    if row.language and not contact.language:
        set_language(contact=contact, language=row.language)
    return contact


def _place(row: Enrolment, site: str) -> tuple[float | None, float | None]:
    if row.latitude is not None and row.longitude is not None:
        return row.latitude, row.longitude
    found = place_called(site, language="")
    return (found.latitude, found.longitude) if found is not None else (None, None)
