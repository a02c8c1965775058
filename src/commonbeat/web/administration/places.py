"""The gazetteer: which places this site knows, what people call them, and what it has learned of them."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from commonbeat.foundation import clock
from commonbeat.people.permissions import Permission
from commonbeat.places import queries
from commonbeat.places.actions import (
    PlacesError,
    add_name,
    add_place,
    change_place,
    judge_spelling,
    remove_name,
    remove_place,
)
from commonbeat.places.actions.spellings import LEARN_AFTER
from commonbeat.places.models import NameSource, Place
from commonbeat.places.points import point_in
from commonbeat.web.accounts import needs, signed_in
from commonbeat.web.administration.numbers import whole_number
from commonbeat.web.public.ground import town_pmtiles

LONGEST_SEARCH = 200
# Those of which the gazetteer knows how wide they are, and what people orient themselves by.
KINDS = (
    "street", "square", "neighbourhood", "village", "town", "bridge", "school", "clinic", "market", "shop", "park",
    "river", "stop", "worship", "office",
)  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Permission.ADMINISTER)
def listing(request: HttpRequest) -> HttpResponseBase:
    """Find places, and judge what was learned."""
    if request.method == "POST":
        _judge(request, whole_number(request.POST.get("place", "")) or 0)
        return redirect("administration:places")
    query = request.GET.get("q", "").strip()[:LONGEST_SEARCH]
    before = whole_number(request.GET.get("before", ""))
    places = queries.places_like(query, settings.LANGUAGE_CODE) if query else queries.newest_places(before=before)
    more = ""
    if not query and len(places) > queries.PAGE:
        places = places[: queries.PAGE]
        more = f"{reverse('administration:places')}?before={places[-1].pk}"
    context = {
        "query": query,
        "places": places,
        "more": more,
        "counts": queries.counts(),
        "to_judge": queries.to_judge() if not query and not before else [],
        "learn_after": LEARN_AFTER,
        "main_language": settings.LANGUAGE_CODE,
    }
    return render(request, "administration/places.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Permission.ADMINISTER)
def new(request: HttpRequest) -> HttpResponseBase:
    """Add a place."""
    if request.method != "POST":
        given: dict[str, Any] = {
            "names": {settings.LANGUAGE_CODE: request.GET.get("name", "")[:120]},
            "kind": "",
            "typed": "",
        }
        return _page(request, None, given, {})
    given = _given(request)
    try:
        place = add_place(
            names=given["names"],
            kind=given["kind"],
            point=given["point"],
            actor_id=signed_in(request).pk,
            now=clock.now(),
        )
    except PlacesError as error:
        return _page(request, None, given, {error.field: str(error)})
    messages.success(request, _("The place is known now. Add the other names that people use for it."))
    return redirect("administration:place_edit", pk=place.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Permission.ADMINISTER)
def edit(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Change a place and its names."""
    place = Place.objects.filter(pk=pk).first()
    if place is None:
        raise Http404
    if request.method != "POST":
        return _page(request, place, _stored(place), {})
    verb = request.POST.get("do", "").partition(":")[0]
    try:
        said = _change(request, place, verb)
    except PlacesError as error:
        given = _given(request) if verb == "save" else _stored(place)
        return _page(request, place, given, {error.field: str(error)})
    messages.success(request, said)
    return redirect("administration:places") if verb == "remove" else redirect("administration:place_edit", pk=pk)


def _change(request: HttpRequest, place: Place, verb: str) -> str:
    number = whole_number(request.POST.get("do", "").partition(":")[2]) or 0
    who: dict[str, Any] = {"place_id": place.pk, "actor_id": signed_in(request).pk, "now": clock.now()}
    if verb == "save":
        given = _given(request)
        change_place(names=given["names"], kind=given["kind"], point=given["point"], **who)
        return _("The place is saved.")
    if verb == "add":
        add_name(name=request.POST.get("name", ""), **who)
        return _("The name is understood from now on.")
    if verb == "drop":
        remove_name(name_id=number, **who)
        return _("The name is removed. An import does not bring it back.")
    if verb in ("right", "wrong"):
        return _judge(request, place.pk)
    if verb == "remove":
        if request.POST.get("sure") != "on":
            raise PlacesError("sure", _("Tick the box if you want to remove the place."))
        remove_place(**who)
        return _("The place is removed. Reports stay where they are.")
    raise PlacesError("", _("This page cannot do that."))


def _judge(request: HttpRequest, place_id: int) -> str:
    verb, _colon, number = request.POST.get("do", "").partition(":")
    is_right = verb == "right"
    if verb in ("right", "wrong"):
        judge_spelling(
            place_id=place_id,
            name_id=whole_number(number) or 0,
            is_right=is_right,
            actor_id=signed_in(request).pk,
            now=clock.now(),
        )
    if is_right:
        return _("The spelling is a name of the place.")
    return _("The spelling is dropped and not learned again.")


def _given(request: HttpRequest) -> dict[str, Any]:
    typed = request.POST.get("typed", "")[:LONGEST_SEARCH].strip()
    pinned = f"{request.POST.get('latitude', '')[:30]}, {request.POST.get('longitude', '')[:30]}"
    # What was typed anew counts more than the pin, which may stand where it stood.
    by_text = typed != request.POST.get("typed_before", "") or not pinned.strip(", ")
    return {
        "names": _names(request),
        "kind": request.POST.get("kind", ""),
        "typed": typed,
        "point": point_in(typed if by_text else pinned, settings.LANGUAGE_CODE),
    }


def _names(request: HttpRequest) -> dict[str, str]:
    fields = [key for key in request.POST if key.startswith("name_") and key[5:].isascii() and len(key) <= 15]
    return {key[5:]: str(request.POST[key])[:400] for key in fields[:40]}


def _stored(place: Place) -> dict[str, Any]:
    return {
        "names": place.names,
        "kind": place.kind,
        "typed": f"{place.latitude:.6f}, {place.longitude:.6f}",
        "point": (place.latitude, place.longitude),
    }


def _page(request: HttpRequest, place: Place | None, given: dict[str, Any], errors: dict[str, str]) -> HttpResponseBase:
    codes = list(settings.COMMONBEAT.languages)
    own_names = dict(settings.LANGUAGES)
    anchors = {"names": f"name_{codes[0]}", "point": "typed"}
    # Names in a language that the site no longer speaks are kept, and shown.
    others = [code for code in given["names"] if code not in codes] if place else []
    names = queries.names_of(place) if place else []
    kinds = list(KINDS) + ([given["kind"]] if given["kind"] and given["kind"] not in KINDS else [])
    context = {
        "place": place,
        "given": given,
        "languages": [(code, str(own_names.get(code, code))) for code in (*codes, *others)],
        "kinds": [(kind, kind.replace("_", " ").capitalize()) for kind in kinds],
        "names": [name for name in names if name.source != NameSource.LEARNED],
        "learned": [name for name in names if name.source == NameSource.LEARNED],
        "errors": errors,
        "all_errors": [(anchors.get(field, field) or None, text) for field, text in errors.items()],
        "town_pmtiles": town_pmtiles(),
    }
    return render(request, "administration/place.html", context, status=422 if errors else 200)
