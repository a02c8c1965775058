"""The map of what happened, drawn from sums over public cells."""

from __future__ import annotations

import threading
import time
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from commonbeat.foundation import clock
from commonbeat.reports.queries import public
from commonbeat.reports.queries.filters import FilterError, address_part, read_filters
from commonbeat.topics.definition import text_in
from commonbeat.topics.queries import all_topics
from commonbeat.web.jinja import local_number
from commonbeat.web.public.ground import town_pmtiles
from commonbeat.web.public.reports import filter_context, filter_refused, lines_of
from commonbeat.web.public.steps import spot_metres

BESIDE = 8
# Summing a million rows takes most of a second; a map that is half a minute old misleads nobody.
FRESH_SECONDS = 30.0
MOST_KEPT = 64

_kept: dict[public.Filters, tuple[float, public.Spots]] = {}
_summing = threading.Lock()


def map_page(request: HttpRequest) -> HttpResponse:
    """Show the map, with a list of the same beside it."""
    params = request.GET.dict()
    params.pop("bbox", None)
    try:
        filters = read_filters(params, all_topics())
    except FilterError as error:
        return filter_refused(request, error)
    topic = next((each for each in all_topics() if each.pk == filters.topic_id), None)
    page = public.list_page(filters, now=clock.now(), size=BESIDE)
    return render(
        request,
        "public/map.html",
        {
            "lines": lines_of(page.rows),
            "source": reverse("public:map_data") + address_part(params),
            "query": address_part(params),
            "town_pmtiles": town_pmtiles(),
            **filter_context(params, topic),
        },
    )


def map_data(request: HttpRequest) -> HttpResponse:
    """Give what the map draws as GeoJSON: at most 500 marks, and a note on what is not drawn."""
    try:
        filters = read_filters(request.GET.dict(), all_topics())
    except FilterError as error:
        return JsonResponse({"error": str(error)}, status=400)
    found = _spots(filters)
    language = translation.get_language() or settings.LANGUAGE_CODE
    topics = public.definitions_of(spot.topic_id for spot in found.spots if spot.topic_id is not None)
    base = reverse("public:report", kwargs={"code": "0"})[:-2]
    titles = public.titles_of([spot.code for spot in found.spots if spot.code], now=clock.now())
    features: list[dict[str, Any]] = []
    for spot in found.spots:
        if spot.code and spot.code not in titles:
            continue
        definition = topics[spot.topic_id] if spot.topic_id is not None else None
        name = text_in(definition.name, language) if definition else _("Several topics")
        title = titles.get(spot.code, "") or ngettext(
            "%(number)s report here", "%(number)s reports here", spot.count
        ) % {"number": local_number(spot.count)}
        properties: dict[str, Any] = {
            "count": spot.count,
            "topic": name,
            "title": title,
            "colour": definition.colour if definition else "teal",
        }
        if spot.code:
            properties["url"] = f"{base}{spot.code}/"
        point = {"type": "Point", "coordinates": [round(spot.longitude, 5), round(spot.latitude, 5)]}
        features.append({"type": "Feature", "geometry": point, "properties": properties})
    body: dict[str, Any] = {"type": "FeatureCollection", "features": features, "note": note_on(found)}
    if features:
        body["bbox"] = bounds_of(found.spots)
    return JsonResponse(body, content_type="application/geo+json")


def bounds_of(spots: list[public.Spot]) -> list[float]:
    """Give west, south, east and north of what is drawn, in degrees, as GeoJSON orders them."""
    longitudes, latitudes = [spot.longitude for spot in spots], [spot.latitude for spot in spots]
    box = (min(longitudes), min(latitudes), max(longitudes), max(latitudes))
    return [round(degrees, 5) for degrees in box]


def note_on(found: public.Spots) -> str:
    """Say how many reports are drawn, and how many are not."""
    if found.without_place:
        total = found.drawn + found.without_place
        # The sum is what the list counts, so that nobody has to guess where the rest is.
        sentence = ngettext(
            "%(number)s report: %(drawn)s on the map + %(rest)s without a place.",
            "%(number)s reports: %(drawn)s on the map + %(rest)s without a place.",
            total,
        )
        numbers = {"number": total, "drawn": found.drawn, "rest": found.without_place}
        parts = [sentence % {name: local_number(number) for name, number in numbers.items()}]
    else:
        sentence = ngettext("%(number)s report on this map.", "%(number)s reports on this map.", found.drawn)
        parts = [sentence % {"number": local_number(found.drawn)}]
    if not found.exact:
        parts.append(_("Neighbouring places are drawn as one; move closer to part them."))
    finest = max((t.definition.public_resolution for t in all_topics() if t.definition.publishes == "each"), default=10)
    parts.append(
        _("Each mark is the middle of a spot at least %(metres)s metres across, never the exact place.")
        % {"metres": local_number(spot_metres(finest))}
    )
    return " ".join(parts)


def _spots(filters: public.Filters) -> public.Spots:
    kept = _kept.get(filters)
    if kept is not None and time.monotonic() - kept[0] < FRESH_SECONDS:
        return kept[1]
    # One thread sums at a time: a crowd that opens the map waits for the first one's answer.
    with _summing:
        kept = _kept.get(filters)
        if kept is not None and time.monotonic() - kept[0] < FRESH_SECONDS:
            return kept[1]
        return _sum(filters)


def _sum(filters: public.Filters) -> public.Spots:
    found = public.spots(filters, now=clock.now())
    # Small answers are quick to make again, and readers expect to see what was published just now.
    if found.drawn + found.without_place > 5_000:
        if len(_kept) >= MOST_KEPT:
            _kept.clear()
        _kept[filters] = (time.monotonic(), found)
    return found
