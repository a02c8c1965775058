"""The exact map of a desk, and the place of one report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, JsonResponse, QueryDict
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods

from commonbeat.foundation import cells, clock
from commonbeat.people.models import User
from commonbeat.people.permissions import Permission, may
from commonbeat.reports.actions.publish import public_place
from commonbeat.reports.actions.work import note_look, note_map_look
from commonbeat.reports.models import State
from commonbeat.reports.queries import desk, desk_map
from commonbeat.reports.queries.desk_alike import Alike, AlikeGroup, Compared, alike_in_view
from commonbeat.reports.queries.desk_marks import Mark
from commonbeat.topics.models import Topic
from commonbeat.topics.queries import all_topics
from commonbeat.web.accounts import needs, signed_in
from commonbeat.web.desk.filters import number, query_of, read_filters, tabs_of
from commonbeat.web.desk.names import channel_names
from commonbeat.web.desk.pages import draw, draw_block, report_address, town_map
from commonbeat.web.desk.reports import visible_report
from commonbeat.web.jinja import time_ago

# Lines in the list beside the map.
BESIDE = 12
# Topics that the words of a mark name; the others are "others".
NAMED_TOPICS = 4
# From this zoom on the map says what is probably the same: before, half a town would be compared with itself.
ALIKE_ZOOM = 11


class ViewError(ValueError):
    """Carry the sentence that says why a part of the map cannot be read."""


@require_GET
@needs(Permission.SEE_DESK)
def map_page(request: HttpRequest) -> HttpResponseBase:
    """Show the reports of the desk at their exact places; without a map, how many lie on which beat."""
    viewer = signed_in(request)
    filters = read_filters(request.GET)
    now = clock.now()
    beat_ids = [beat.pk for beat in desk.own_beats(viewer)]
    beats = desk.beats_of_desk(viewer)
    counts = desk_map.by_beat(desk_map.narrowed(viewer, filters, now=now, beat_ids=beat_ids))
    query = query_of(request.GET, filters)
    names = {beat.pk: beat.name for beat in beats}
    context: dict[str, Any] = {
        "filters": filters,
        "query": query,
        "topic_map": {topic.pk: topic for topic in all_topics()},
        "states": dict(State.choices),
        "beats": beats,
        "rows": desk.report_list(viewer, filters, now=now, beat_ids=beat_ids, size=BESIDE).rows,
        "by_beat": [
            (names.get(row.beat_id or 0), row, query_of(request.GET, filters, beat=row.beat_id)) for row in counts
        ],
        "placed": sum(row.placed for row in counts),
        "count": sum(row.n for row in counts),
        "is_cut": bool(filters.text) and sum(row.n for row in counts) >= desk_map.MOST_FOUND,
    }
    if request.headers.get("HX-Request"):
        return draw_block(request, "desk/map.html", "beside", context)
    context |= {
        "tabs": tabs_of(request.GET, filters, reverse("desk:map")),
        "channels": channel_names(),
        "is_filtered": query != f"tab={filters.tab}" or bool(filters.text),
        "may_work": may(viewer, Permission.WORK_REPORTS),
        "town_pmtiles": town_map(),
    }
    return draw(request, "desk/map.html", context)


# A search comes as a form: what somebody looks for may be a name, and addresses end up in logs.
@require_http_methods(["GET", "POST"])
@needs(Permission.SEE_DESK)
def map_points(request: HttpRequest) -> HttpResponseBase:
    """Answer what lies in a view (bbox=west,south,east,north&zoom=n): at most 600 marks, each report in one of them.

    With since=id it says only how many with a place came after that report.
    """
    viewer = signed_in(request)
    try:
        view, zoom = read_view(request.GET)
    except ViewError as error:
        return JsonResponse({"problem": str(error)}, status=400)
    note_map_look(actor=viewer, now=clock.now())
    found = found_for(request, viewer)
    since = number(request.GET.get("since"))
    if since is not None:
        count, newest = desk_map.placed_since(found, since)
        return JsonResponse({"count": count, "newest": newest})
    newest = desk_map.newest_of(viewer)
    made = desk_map.marks(found, view, zoom=zoom)
    topics = {topic.pk: topic for topic in all_topics()}
    count = sum(mark.count for mark in made)
    note = ngettext("%(count)s report in this view", "%(count)s reports in this view", count) % {"count": count}
    answer = {"marks": [_written(mark, topics) for mark in made], "count": count, "note": note, "newest": newest}
    return JsonResponse(answer | _alike(found, view, zoom))


def found_for(request: HttpRequest, viewer: User) -> desk_map.Found:
    """Narrow the viewer's reports to the filters of an address and the search of a form."""
    data = request.GET.copy()
    if request.method == "POST" and request.POST.get("q"):
        data["q"] = request.POST["q"]
    beat_ids = [beat.pk for beat in desk.own_beats(viewer)]
    return desk_map.narrowed(viewer, read_filters(data), now=clock.now(), beat_ids=beat_ids)


def read_view(data: QueryDict) -> tuple[desk_map.View, int]:
    """Read bbox and zoom; without them it is the whole world from far away; ViewError when they cannot be read."""
    zoom, box = data.get("zoom", ""), data.get("bbox", "")
    if zoom and not (zoom.isascii() and zoom.isdigit() and len(zoom) < 3):
        raise ViewError(_("A zoom is a whole number."))
    if not box:
        return desk_map.WORLD, int(zoom or 2)
    try:
        west, south, east, north = (float(part) for part in box[:120].split(","))
    except ValueError:
        raise ViewError(_("A view is four numbers: west, south, east, north.")) from None
    if not (-3600 <= west <= east <= 3600 and -90 <= south <= north <= 90):
        raise ViewError(_("This view does not lie on the globe."))
    return desk_map.view_of(west, south, east, north), int(zoom or 2)


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


def _written(mark: Mark, topics: dict[int, Topic]) -> dict[str, Any]:
    language = translation.get_language()
    written: dict[str, Any] = {
        "at": [round(mark.latitude, 6), round(mark.longitude, 6)],
        "count": mark.count,
        "newest": mark.newest,
        "colours": [[topics[pk].definition.colour, n] for pk, n in mark.topics.most_common()],
        "states": _in_words(Counter({str(State(state).label): n for state, n in mark.states.items()})),
        "topics": _in_words(Counter({topics[pk].name_in(language): n for pk, n in mark.topics.items()})),
    }
    if mark.box is not None:
        written["box"] = [round(part, 6) for part in mark.box]
    if mark.single is not None:
        (topic_id,) = mark.topics
        written |= {
            "url": report_address(mark.newest),
            "title": mark.single.title or topics[topic_id].name_in(language),
            "place": mark.single.place_name,
            "when": time_ago(mark.single.created_at),
        }
    return written


def _in_words(counts: Counter[str]) -> str:
    named = counts.most_common(NAMED_TOPICS) if len(counts) > NAMED_TOPICS + 1 else counts.most_common()
    parts = [f"{name} {n}" if counts.total() > 1 else name for name, n in named]
    rest = counts.total() - sum(n for _name, n in named)
    return ", ".join([*parts, _("others %(count)s") % {"count": rest}] if rest else parts)


def _alike(found: desk_map.Found, view: desk_map.View, zoom: int) -> dict[str, Any]:
    alike = alike_in_view(found, view) if zoom >= ALIKE_ZOOM else Alike([], complete=False)
    note = "" if alike.complete else _("Come closer to see more of what is probably the same.")
    return {"alike": [_written_group(group) for group in alike.groups], "alike_note": note}


def _written_group(group: AlikeGroup) -> dict[str, Any]:
    newest = group.reports[0]
    metres, hours = round(group.metres), round(group.hours)
    near = ngettext("within %(count)s metre", "within %(count)s metres", metres) % {"count": metres}
    soon = ngettext("%(count)s hour apart", "%(count)s hours apart", hours) % {"count": hours}
    return {
        "said": f"{near}, {soon if hours else _('within the hour')}",
        "compare": reverse("desk:alike", kwargs={"report_id": newest.id}),
        "reports": _lines(group.reports),
    }


def _lines(reports: Sequence[Compared]) -> list[dict[str, Any]]:
    return [
        {
            "at": [round(one.latitude, 6), round(one.longitude, 6)],
            "title": one.said or _("Report %(number)s") % {"number": one.id},
            "url": report_address(one.id),
            "when": time_ago(one.created_at),
        }
        for one in reports
    ]
