"""Who is my officer: the beats, and the beat around a place that somebody names."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from commonbeat.foundation.coordinates import parse_coordinates
from commonbeat.foundation.text import clean_text
from commonbeat.people.models import User
from commonbeat.places.beats import all_beats, beat_containing, officers_of
from commonbeat.reports.queries.prepared import Prepared
from commonbeat.web import throttle
from commonbeat.web.public.limits import too_often
from commonbeat.web.public.where import Choice, choices_for


@dataclass(slots=True)
class ShownBeat:
    """A beat with those of its officers who show themselves."""

    pk: int
    name: str
    unit: str
    officers_shown: list[User] = field(default_factory=list)


@require_http_methods(["GET", "HEAD", "POST"])
def officer(request: HttpRequest) -> HttpResponse:
    """List the beats; a place is posted, for an address would keep where somebody lives."""
    beats = shown_beats()
    text = clean_text(request.POST.get("place", ""), 200)
    found: ShownBeat | None = None
    choices: list[Choice] = []
    problem = ""
    if request.method == "POST":
        if throttle.is_over(request, throttle.PLACES):
            return too_often(request)
        throttle.count(request, throttle.PLACES)
        point, choices = _look(text)
        if point is not None:
            beat = beat_containing(*point)
            found = next((each for each in beats if beat is not None and each.pk == beat.pk), None)
            if found is None:
                problem = _("This place lies in none of our beats. Your report still reaches a desk.")
        elif not choices:
            problem = _("We do not know this place. Write a street or a place near by, or choose your beat below.")
    return render(
        request,
        "public/officer.html",
        {"beats": beats, "found": found, "choices": choices, "problem": problem, "text": text},
        status=422 if problem and not text else 200,
    )


def shown_beats() -> list[ShownBeat]:
    """Read the beats with the officers who show themselves: a fixed number of queries."""
    return [ShownBeat(beat.pk, beat.name, beat.unit.name, officers_of(beat)) for beat in all_beats()]


class ShownOfficer(NamedTuple):
    """An officer who shows themselves, in one of their beats."""

    beat: str
    name: str
    intro: str


def some_officers() -> list[ShownOfficer]:
    """Read the first four officers who show themselves: one query."""
    return [
        ShownOfficer(beat, display_name or username, intro)
        for beat, display_name, username, intro in _some_officers_query().rows()
    ]


@lru_cache(maxsize=1)
def _some_officers_query() -> Prepared:
    found = User.objects.filter(is_active=True, beats__isnull=False).exclude(public_intro="")
    return Prepared(
        found.order_by("beats__name", "pk").values_list("beats__name", "display_name", "username", "public_intro")[:4]
    )


def _look(text: str) -> tuple[tuple[float, float] | None, list[Choice]]:
    if not text:
        return None, []
    point = parse_coordinates(text)
    if point is not None:
        return point, []
    choices = choices_for(text, translation.get_language() or settings.LANGUAGE_CODE)
    exact = [choice for choice in choices if choice.exact]
    if len(exact) == 1 or len(choices) == 1:
        best = exact[0] if exact else choices[0]
        return (best.latitude, best.longitude), []
    return None, choices
