"""The exact map of a desk, and the place of one report."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from commonbeat.foundation import cells, clock
from commonbeat.people.permissions import Permission
from commonbeat.reports.actions.publish import public_place
from commonbeat.reports.actions.work import note_look, note_map_look
from commonbeat.reports.models import State
from commonbeat.reports.queries import desk
from commonbeat.topics.queries import all_topics
from commonbeat.web.accounts import needs, signed_in
from commonbeat.web.desk.pages import draw, report_address, town_map
from commonbeat.web.desk.reports import visible_report

MOST_FEATURES = 500
FINEST, COARSEST = 11, 2
# Lines in the list beside the map.
BESIDE = 30


@require_GET
@needs(Permission.SEE_DESK)
def desk_map(request: HttpRequest) -> HttpResponseBase:
    """Show the open reports of the desk at their exact places, with the list beside the map."""
    viewer = signed_in(request)
    newest = [row[0] for row in desk.open_places(viewer, box=None, limit=BESIDE)]
    context = {
        "rows": desk.rows_of(viewer, newest, now=clock.now()),
        "topic_map": {topic.pk: topic for topic in all_topics()},
        "states": dict(State.choices),
        "town_pmtiles": town_map(),
        "without_place": desk.open_without_place(viewer),
    }
    return draw(request, "desk/map.html", context)


@require_GET
@needs(Permission.SEE_DESK)
def map_data(request: HttpRequest) -> HttpResponseBase:
    """Answer the open reports of the desk as GeoJSON: points, or counts by cell when they are over 500."""
    viewer = signed_in(request)
    note_map_look(actor=viewer, now=clock.now())
    rows = desk.open_places(viewer, box=_box(request.GET.get("bbox", "")))
    language = translation.get_language()
    topics = {topic.pk: topic for topic in all_topics()}
    note = ngettext("%(count)s open report in this view", "%(count)s open reports in this view", len(rows))
    if len(rows) > MOST_FEATURES:
        features = _counted(rows)
    else:
        features = [
            _point(
                (latitude, longitude),
                id=pk,
                url=report_address(pk),
                title=title or topics[topic_id].name_in(language),
                topic=topics[topic_id].name_in(language) if title else "",
                colour=topics[topic_id].definition.colour,
            )
            for pk, topic_id, latitude, longitude, _cell, title in rows
        ]
    answer = {"type": "FeatureCollection", "features": features, "note": note % {"count": len(rows)}}
    return JsonResponse(answer, content_type="application/geo+json")


@require_GET
@needs(Permission.SEE_DESK)
def report_place(request: HttpRequest, report_id: int) -> HttpResponseBase:
    """Answer the exact place of a report, and the area that the public would see instead."""
    viewer = signed_in(request)
    report = visible_report(viewer, report_id)
    features: list[dict[str, Any]] = []
    if report.latitude is not None and report.longitude is not None:
        note_look(report_id=report.pk, actor=viewer, now=clock.now())
        _latitude, _longitude, cell = public_place(report)
        if cell is not None:
            ring = [[lon, lat] for lat, lon in cells.boundary(cell)]
            features.append(
                {
                    "type": "Feature",
                    "geometry": {"type": "Polygon", "coordinates": [[*ring, ring[0]]]},
                    "properties": {"title": _("The public place: somewhere in this area"), "colour": "teal"},
                }
            )
        features.append(_point((report.latitude, report.longitude), title=_("The exact place"), colour="orange"))
    return JsonResponse({"type": "FeatureCollection", "features": features}, content_type="application/geo+json")


def _point(place: tuple[float, float], **properties: Any) -> dict[str, Any]:
    geometry = {"type": "Point", "coordinates": [round(place[1], 6), round(place[0], 6)]}
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def _counted(rows: list[tuple[int, int, float, float, int, str]]) -> list[dict[str, Any]]:
    exact = np.array([row[4] for row in rows], dtype=np.int64)
    for resolution in range(FINEST, COARSEST - 1, -1):
        counts = Counter(cells.parents(exact, resolution).tolist())
        if len(counts) <= MOST_FEATURES or resolution == COARSEST:
            break
    return [_point(cells.centre(cell), count=count) for cell, count in counts.most_common(MOST_FEATURES)]


def _box(text: str) -> tuple[float, float, float, float] | None:
    try:
        west, south, east, north = (float(part) for part in text[:80].split(","))
    except ValueError:
        return None
    inside = all(-720 <= part <= 720 for part in (west, east)) and -90 <= south <= north <= 90
    return (west, south, east, north) if inside else None
