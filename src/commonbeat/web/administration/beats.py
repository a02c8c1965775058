"""The beats of a site: list, and the page on which one is drawn or pasted."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from commonbeat.foundation import clock
from commonbeat.people.models import Role, User
from commonbeat.people.permissions import Permission
from commonbeat.people.queries import units
from commonbeat.places.actions import PlacesError, change_beat, create_beat
from commonbeat.places.areas import LONGEST_TEXT, AreaError, outline_path, read_area, square_kilometres
from commonbeat.places.beats import all_beats
from commonbeat.places.models import Beat
from commonbeat.web.accounts import needs, signed_in
from commonbeat.web.administration.numbers import whole_number
from commonbeat.web.public.ground import town_pmtiles

COLOURS = ("teal", "orange", "indigo", "green", "purple", "red", "blue", "amber")


@require_safe
@needs(Permission.ADMINISTER)
def listing(request: HttpRequest) -> HttpResponseBase:
    """Show the beats with their units, officers and outlines."""
    rows = [(beat, *_drawn(beat.area)) for beat in all_beats()]
    fallback = next((unit for unit in units() if unit.is_fallback), None)
    context = {"rows": rows, "fallback": fallback, "town_pmtiles": town_pmtiles()}
    return render(request, "administration/beats.html", context)


@require_safe
@needs(Permission.ADMINISTER)
def geojson(request: HttpRequest) -> HttpResponseBase:
    """Give the outlines of all beats for the maps of administration."""
    features = [
        {
            "type": "Feature",
            "geometry": beat.area,
            "properties": {
                "id": beat.pk,
                "title": beat.name,
                "topic": beat.unit.name,
                "url": reverse("administration:beat_edit", kwargs={"pk": beat.pk}),
                "colour": COLOURS[index % len(COLOURS)],
            },
        }
        for index, beat in enumerate(all_beats())
    ]
    collection = {"type": "FeatureCollection", "features": features}
    return JsonResponse(collection, content_type="application/geo+json")


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Permission.ADMINISTER)
def new(request: HttpRequest) -> HttpResponseBase:
    """Make a beat."""
    return _form(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Permission.ADMINISTER)
def edit(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Change a beat."""
    beat = Beat.objects.filter(pk=pk).first()
    if beat is None:
        raise Http404
    return _form(request, beat)


def _form(request: HttpRequest, beat: Beat | None) -> HttpResponseBase:
    values: dict[str, Any] = {"name": "", "unit": "", "area": "", "officers": []}
    errors: dict[str, str] = {}
    if request.method == "POST":
        values = {
            "name": request.POST.get("name", ""),
            "unit": request.POST.get("unit", ""),
            "area": request.POST.get("area", ""),
            "officers": request.POST.getlist("officers"),
        }
        try:
            values["area"] = _uploaded(request) or values["area"]
            if request.POST.get("do") == "save":
                _save(request, beat, values)
                messages.success(request, _("The beat is saved. New reports go by it."))
                return redirect("administration:beats")
        except PlacesError as error:
            errors = {error.field: str(error)}
    elif beat is not None:
        values = {
            "name": beat.name,
            "unit": str(beat.unit_id),
            "area": json.dumps(beat.area, separators=(",", ":")),
            "officers": [str(pk) for pk in beat.officers.values_list("pk", flat=True)],
        }
    drawing = None
    try:
        drawing = _drawn(read_area(values["area"])) if values["area"] else None
    except AreaError as error:
        errors.setdefault("area", str(error))
    context = {
        "beat": beat,
        "values": values,
        "errors": errors,
        "all_errors": list(errors.items()),
        "units": units(),
        "officers": User.objects.filter(is_active=True, role__in=(Role.OFFICER, Role.SUPERVISOR))
        .select_related("unit")
        .order_by("unit__name", "username"),
        "drawing": drawing,
        "town_pmtiles": town_pmtiles(),
    }
    return render(request, "administration/beat.html", context, status=422 if errors else 200)


def _save(request: HttpRequest, beat: Beat | None, values: dict[str, Any]) -> None:
    given = {
        "name": values["name"],
        "unit_id": whole_number(values["unit"]) or 0,
        "area": values["area"],
        "officer_ids": [pk for text in values["officers"] if (pk := whole_number(text)) is not None],
        "actor_id": signed_in(request).pk,
        "now": clock.now(),
    }
    if beat is None:
        create_beat(**given)
    else:
        change_beat(beat_id=beat.pk, **given)


def _uploaded(request: HttpRequest) -> str:
    file = request.FILES.get("file")
    if file is None:
        return ""
    if (file.size or 0) > LONGEST_TEXT:
        raise PlacesError("area", _("This is too large. Simplify the outline first."))
    try:
        return bytes(file.read()).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise PlacesError("area", _("This is not GeoJSON. It begins with { and names a “type”.")) from None


def _drawn(area: dict[str, Any]) -> tuple[str, int, int, float]:
    path, width, height = outline_path(area)
    return path, width, height, round(square_kilometres(area), 1)
