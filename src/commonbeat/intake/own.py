"""What is a person's own: the beat around them, with its officers, and the reports that they may have erased."""

from __future__ import annotations

from collections.abc import Sequence

from commonbeat.alerts.models import Subscription
from commonbeat.foundation.ids import format_reference
from commonbeat.intake.contact_intents import Erasable, Home, LocalBeat, LocalOfficer
from commonbeat.messaging.models import Contact
from commonbeat.places.beats import beat_containing, officers_of
from commonbeat.places.models import Beat
from commonbeat.reports import rules
from commonbeat.reports.models import Report

MOST_ERASABLE = 50


def beat_at(latitude: float, longitude: float) -> LocalBeat | None:
    """Find the beat that holds a point, with those of its officers who show themselves, as the public page does."""
    beat = beat_containing(latitude, longitude)
    return _local(beat) if beat is not None else None


def beat_by_id(beat_id: int) -> LocalBeat | None:
    """Look a beat up by its id."""
    beat = Beat.objects.select_related("unit").filter(pk=beat_id).first()
    return _local(beat) if beat is not None else None


def home_of(contact: Contact) -> Home | None:
    """Give the first place that a contact named for its alerts and that lies in a beat."""
    places = Subscription.objects.filter(contact=contact, confirmed_at__isnull=False).exclude(label="").order_by("pk")
    for place in places:
        beat_id = place.beat_id
        if beat_id is None and place.latitude is not None and place.longitude is not None:
            beat = beat_containing(place.latitude, place.longitude)
            beat_id = beat.pk if beat is not None else None
        if beat_id is not None:
            return Home(place.label, beat_id)
    return None


def erasable_of(contact: Contact, *, reference: str, report_id: int) -> Sequence[Erasable]:
    """List what a contact is known to have sent and of which something is left, newest first: all, or one of it."""
    mine = Report.objects.filter(contact=contact, contact_confirmed=True, emptied_at=None).select_related("hold")
    if reference:
        mine = mine.filter(reference=reference)
    if report_id:
        mine = mine.filter(pk=report_id)
    return [_erasable(report) for report in mine.order_by("-pk")[:MOST_ERASABLE]]


def _local(beat: Beat) -> LocalBeat:
    officers = tuple(
        LocalOfficer(officer.shown_name, officer.public_hours.strip(), officer.public_phone.strip())
        for officer in officers_of(beat)
    )
    return LocalBeat(beat.pk, beat.name, beat.unit.name, officers)


def _erasable(report: Report) -> Erasable:
    is_open = report.state in (rules.NEW, rules.TRIAGED)
    return Erasable(report.pk, format_reference(report.reference), is_open, is_kept=hasattr(report, "hold"))
