"""How safe places are: scores from audits, on a map, in a table, and place by place."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any, NamedTuple

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from commonbeat.foundation import cells, clock
from commonbeat.foundation.text import ascii_digits
from commonbeat.maps import safety
from commonbeat.maps.rules import day_of, fewest_of
from commonbeat.maps.safety_sheet import LIGHTS, Place, Sheet
from commonbeat.places.near import nearest_names
from commonbeat.reports.queries.filters import FilterError, read_box
from commonbeat.reports.queries.public import Box
from commonbeat.topics.definition import text_in
from commonbeat.topics.models import Topic
from commonbeat.topics.scoring import LIGHTING, rated_fields
from commonbeat.web.errors import error_page
from commonbeat.web.jinja import local_number
from commonbeat.web.public import safety_words as words
from commonbeat.web.public.ground import town_pmtiles
from commonbeat.web.public.safety_sheets import rating_topics, sheet_of

PAGE_SIZE = 50
# More cells than this make a map slow on an old phone, and unreadable on any.
MOST_FEATURES = 2_000
# From unsafe to safe, dark to light: it also reads in grey and by colour-blind eyes (viridis, van der Walt and Smith).
COLOURS = ("#440154", "#3b528b", "#21918c", "#5ec962", "#fde725")


class Line(NamedTuple):
    """One place, ready to be written."""

    url: str
    name: str
    # "62 ± 9", and the same as a class of colour; "" where nothing is known.
    score: str
    level: int | None
    is_sure: bool
    audits: int
    waiting: int
    lamps: int
    newest: date | None
    helps: str


class Layer(NamedTuple):
    """One thing that the map can show."""

    code: str
    label: str
    # Where its page is.
    url: str
    is_shown: bool


def safety_page(request: HttpRequest) -> HttpResponse:
    """Show the scores of all places, the lowest first."""
    topics = rating_topics()
    if not topics:
        return render(request, "public/safety/safety.html", {"topic": None})
    try:
        topic, layer = _topic_in(request, topics), request.GET.get("layer", "")
        layers = _layers(topic, layer, request)
        number = _page_in(request)
    except FilterError as error:
        return error_page(request, status=400, title=_("This filter cannot be used"), sentence=str(error))
    sheet = sheet_of(topic, now=clock.now())
    shown = sorted(_shown(sheet, layer), key=lambda place: _order(place, layer))
    some = shown[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]
    audits = sum(place.audits for place in sheet.places.values())
    places = sum(place.audits > 0 for place in sheet.places.values())
    waiting = sum(place.waiting for place in sheet.places.values())
    fewest = fewest_of(topic.definition)
    here = reverse("public:safety")
    return render(
        request,
        "public/safety/safety.html",
        {
            "topic": topic,
            "topic_options": [(each.code, each.name_in(_language())) for each in topics],
            "layer": layer,
            "layers": layers,
            "is_lights": layer == LIGHTS,
            "label": next(each.label for each in layers if each.is_shown),
            "lines": _lines(some, topic, layer),
            "sum_sentence": words.summary(
                sheet.means.get(layer), audits=audits, places=places, waiting=waiting, fewest=fewest
            ),
            "waiting": waiting,
            "waiting_sentence": words.waiting_text(waiting, fewest),
            "fewest": fewest,
            "pull_sentence": words.pull_text(sheet.strength),
            "source": reverse("public:safety_data") + _query(topic, layer),
            "classes": classes(),
            "unsure": local_number(int(safety.UNSURE)),
            "newer": here + _query(topic, layer, number - 1) if number > 1 else "",
            "older": here + _query(topic, layer, number + 1) if len(shown) > number * PAGE_SIZE else "",
            "town_pmtiles": town_pmtiles(),
        },
    )


def safety_place(request: HttpRequest, cell: str) -> HttpResponse:
    """Show one place: its score, each rating, and what costs it most."""
    try:
        topic = _topic_in(request, rating_topics())
        place = sheet_of(topic, now=clock.now()).places.get(int(cell, 16))
    except (FilterError, ValueError):
        raise Http404 from None
    if place is None:
        raise Http404
    definition, language = topic.definition, _language()
    labels = {field.code: text_in(field.label, language) for field in rated_fields(definition)}
    weights = {field.code: field.weight or 0.0 for field in rated_fields(definition)}
    latitude, longitude = cells.centre(place.cell)
    bars = [
        (labels[code], round(found.score), words.score_text(found), weights[code] == 0)
        for code, found in place.parameters.items()
        if place.audits
    ]
    return render(
        request,
        "public/safety/place.html",
        {
            "topic": topic,
            "line": _lines([place], topic, "")[0],
            "place": place,
            "rests_sentence": words.rests_text(place.audits, _day(place.oldest), _day(place.newest)),
            "waiting_sentence": words.waiting_text(place.waiting, fewest_of(definition)),
            "lamps_sentence": words.lamps_text(place.lamps),
            "overall": place.overall,
            "range": words.range_of(place.overall) if place.overall else (),
            "bars": bars,
            "losses": [
                (labels[code], words.points_text(points)) for code, points in place.losses.items() if points >= 0.5
            ],
            "lights": words.score_text(place.lights),
            "cell_name": f"{place.cell:x}",
            "unsure": local_number(int(safety.UNSURE)),
            "box": ",".join(f"{degrees:.4f}" for degrees in _bounds(place.cell)),
            "latitude": latitude,
            "longitude": longitude,
            "source": reverse("public:safety_data") + _query(topic, ""),
            "classes": classes(),
            "town_pmtiles": town_pmtiles(),
        },
    )


def safety_data(request: HttpRequest) -> HttpResponse:
    """Give the cells in view as GeoJSON: at most 2,000, each with its score, margin, audits and newest day."""
    topics = rating_topics()
    if not topics:
        return _collection([], _("Nobody can rate places here yet."))
    try:
        topic, layer = _topic_in(request, topics), request.GET.get("layer", "")
        _layers(topic, layer, request)
        given = request.GET.get("bbox", "")
        box = read_box(given) if given else None
    except FilterError as error:
        return JsonResponse({"error": str(error)}, status=400)
    found = _shown(sheet_of(topic, now=clock.now()), layer)
    # A cell is in view when its middle is: the same cells for boxes that differ by less than a cell.
    inside = [place for place in found if box is None or _is_in(box, *cells.centre(place.cell))]
    inside.sort(key=lambda place: (-(place.audits + place.lamps), place.cell))
    some = inside[:MOST_FEATURES]
    features = [_feature(place, line, layer) for place, line in zip(some, _lines(some, topic, layer), strict=True)]
    return _collection(features, words.drawn_text(len(some), len(inside), len(found)))


def classes() -> list[tuple[str, int, int]]:
    """Give the classes of colour: (colour, from, to) in points."""
    ends = [*safety.CLASSES[1:], int(safety.POINTS)]
    return list(zip(COLOURS, safety.CLASSES, ends, strict=True))


def _collection(features: list[dict[str, Any]], note: str) -> JsonResponse:
    body = {"type": "FeatureCollection", "features": features, "note": note}
    return JsonResponse(body, content_type="application/geo+json")


def _feature(place: Place, line: Line, layer: str) -> dict[str, Any]:
    ring = [[round(longitude, 5), round(latitude, 5)] for latitude, longitude in cells.boundary(place.cell)]
    found = place.of_layer(layer)
    return {
        "type": "Feature",
        "id": f"{place.cell:x}",
        "geometry": {"type": "Polygon", "coordinates": [[*ring, ring[0]]]},
        "properties": {
            "name": line.name,
            "url": line.url,
            "score": None if found is None else round(found.score),
            "margin": None if found is None else round(found.margin),
            "text": line.score,
            "class": line.level,
            "sure": line.is_sure,
            "audits": place.audits,
            "waiting": place.waiting,
            "lamps": place.lamps,
            "newest": line.newest.isoformat() if line.newest else None,
            "helps": line.helps,
            "told": words.told(line.audits, line.newest, line.lamps),
        },
    }


def _shown(sheet: Sheet, layer: str) -> list[Place]:
    """Give the places that a layer is about."""
    return [p for p in sheet.places.values() if p.audits or (p.lamps if layer == LIGHTS else p.waiting)]


def _order(place: Place, layer: str) -> tuple[bool, float, int]:
    found = place.of_layer(layer)
    # What is only guessed from the area comes last.
    guessed = found is None or not (place.audits or (layer == LIGHTS and place.lamps))
    return guessed, found.score if found is not None else 0.0, place.cell


def _lines(places: list[Place], topic: Topic, layer: str) -> list[Line]:
    """Make places ready to be written. One query, for their names."""
    language = _language()
    labels = {field.code: text_in(field.label, language) for field in rated_fields(topic.definition)}
    spots = [cells.centre(place.cell) for place in places]
    names = nearest_names(spots, language)
    several = len(rating_topics()) > 1
    lines = []
    for place, spot, name in zip(places, spots, names, strict=True):
        found = place.of_layer(layer)
        url = reverse("public:safety_place", kwargs={"cell": f"{place.cell:x}"})
        lines.append(
            Line(
                url=url + (f"?topic={topic.code}" if several else ""),
                name=_("Near %(place)s") % {"place": name} if name else f"{spot[0]:.4f}, {spot[1]:.4f}",
                score=words.score_text(found),
                level=None if found is None else safety.class_of(found.score),
                is_sure=found is not None and found.is_sure and bool(place.audits or (layer == LIGHTS and place.lamps)),
                audits=place.audits,
                waiting=place.waiting,
                lamps=place.lamps,
                newest=_day(place.newest),
                helps=labels.get(place.costliest, ""),
            )
        )
    return lines


def _layers(topic: Topic, chosen: str, request: HttpRequest) -> list[Layer]:
    """List what the map can show; FilterError when something else is asked for."""
    language = _language()
    fields = rated_fields(topic.definition)
    known = [("", _("All together"))]
    if any(field.code == LIGHTING for field in fields):
        known.append((LIGHTS, _("Street lights")))
    known += [(field.code, text_in(field.label, language)) for field in fields]
    if chosen not in dict(known):
        raise FilterError(_("There is no such rating here."))
    here = reverse("public:safety")
    return [Layer(code, label, here + _query(topic, code), code == chosen) for code, label in known]


def _topic_in(request: HttpRequest, topics: Iterable[Topic]) -> Topic:
    code = request.GET.get("topic", "")
    found = next((topic for topic in topics if code in ("", topic.code)), None)
    if found is None:
        raise FilterError(_("There is no such topic here."))
    return found


def _page_in(request: HttpRequest) -> int:
    text = ascii_digits(request.GET.get("page", "") or "1")
    if not (text.isascii() and text.isdigit() and len(text) < 7 and int(text)):
        raise FilterError(_("There is no such page here."))
    return int(text)


def _query(topic: Topic, layer: str, page: int = 1) -> str:
    parts = []
    if len(rating_topics()) > 1:
        parts.append(f"topic={topic.code}")
    if layer:
        parts.append(f"layer={layer}")
    if page > 1:
        parts.append(f"page={page}")
    return "?" + "&".join(parts) if parts else ""


def _is_in(box: Box, latitude: float, longitude: float) -> bool:
    if not box.south <= latitude <= box.north:
        return False
    if box.west <= box.east:
        return box.west <= longitude <= box.east
    # Across the date line.
    return longitude >= box.west or longitude <= box.east


def _bounds(cell: int) -> tuple[float, float, float, float]:
    corners = cells.boundary(cell)
    latitudes, longitudes = [corner[0] for corner in corners], [corner[1] for corner in corners]
    return min(longitudes), min(latitudes), max(longitudes), max(latitudes)


def _day(number: int | None) -> date | None:
    return None if number is None else day_of(number)


def _language() -> str:
    return translation.get_language() or settings.LANGUAGE_CODE
