"""Alerts that one person released alone: which units may, and where it happened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from commonbeat.alerts import events
from commonbeat.alerts.models import Alert
from commonbeat.foundation import clock
from commonbeat.journal.models import Entry
from commonbeat.people.actions import PeopleError, set_releases_alone
from commonbeat.people.permissions import Permission
from commonbeat.people.queries import units_that_release
from commonbeat.web.accounts import needs, signed_in
from commonbeat.web.administration.numbers import whole_number

ALONE_DAYS = 30
ALONE_SHOWN = 50
WHY = {
    "single": "The unit has one person, and you have set it so.",
    "alone": "A second person was asked, and nobody answered within a minute.",
}


@dataclass(frozen=True, slots=True)
class Alone:
    """One alert that took two people and that one person released."""

    at: datetime
    # Of the first message of its chain, by which its public page is found.
    root_id: int
    headline: str
    language: str
    unit: str
    actor_id: int | None
    why: str
    # The person's own words.
    reason: str


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Permission.SET_ALONE)
def units(request: HttpRequest) -> HttpResponseBase:
    """Show which units may release urgent alerts by one person, and let it be set."""
    problem = ""
    if request.method == "POST":
        unit_id, is_alone = whole_number(request.POST.get("unit", "")) or 0, request.POST.get("alone") == "yes"
        try:
            set_releases_alone(unit_id=unit_id, is_alone=is_alone, actor=signed_in(request), now=clock.now())
            messages.success(request, "It is set, and stands in the journal.")
            return redirect("oversight:units")
        except PeopleError as error:
            problem = str(error)
    context = {"units": units_that_release(), "problem": problem}
    return render(request, "oversight/units.html", context, status=422 if problem else 200)


def released_alone(now: datetime) -> list[Alone]:
    """Read which alerts one person released alone lately, newest first; at most ALONE_SHOWN, three queries."""
    entries = Entry.objects.filter(kind=events.RELEASED_ALONE, at__gte=now - timedelta(days=ALONE_DAYS))
    shown = list(entries.order_by("-id")[:ALONE_SHOWN])
    if not shown:
        return []
    ids = [entry.subject_id for entry in shown]
    alerts = Alert.objects.filter(pk__in=ids).select_related("unit").prefetch_related("texts").in_bulk()
    return [_alone(entry, alerts[entry.subject_id]) for entry in shown if entry.subject_id in alerts]


def _alone(entry: Entry, alert: Alert) -> Alone:
    texts = {text.language: text for text in alert.texts.all()}
    text = next((texts[code] for code in settings.COMMONBEAT.languages if code in texts), None)
    return Alone(
        at=entry.at,
        root_id=alert.root_id_or_own,
        headline=text.headline if text else f"Alert {alert.pk}",
        language=text.language if text else "en",
        unit=alert.unit.name if alert.unit else "",
        actor_id=entry.actor_id,
        why=WHY.get(str(entry.data.get("by")), WHY["alone"]),
        reason=alert.alone_reason,
    )
