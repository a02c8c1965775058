"""The reports in an area that was drawn on the desk's map."""

from __future__ import annotations

import json
import math
from typing import Any

import shapely
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST
from shapely.geometry import LinearRing, MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from commonbeat.foundation import clock
from commonbeat.people.permissions import Permission, may
from commonbeat.reports.actions.work import note_map_look
from commonbeat.reports.models import State
from commonbeat.reports.queries import desk, desk_map
from commonbeat.topics.queries import all_topics
from commonbeat.web.accounts import needs, signed_in
from commonbeat.web.desk.acts import BULK_LIMIT
from commonbeat.web.desk.filters import query_of, read_filters
from commonbeat.web.desk.map import found_for
from commonbeat.web.desk.pages import draw_block

# A finger that wanders over a whole screen leaves some 400 corners.
MOST_CORNERS = 2_000
# Of a line that crosses itself: finding all crossings of 300 takes seconds.
MOST_CROSSING_CORNERS = 150
LONGEST_TEXT = 200_000
# Lines shown at once; the others of a selection are one step away.
FIRST_LINES = 50


class LassoError(ValueError):
    """Carry the sentence that says what is wrong with a drawn area."""


@require_POST
@needs(Permission.SEE_DESK)
def select(request: HttpRequest) -> HttpResponseBase:
    """Show the reports in a drawn area, with what can be done to them; the area is in the form, not in the address."""
    viewer = signed_in(request)
    query = query_of(request.GET, read_filters(request.GET))
    try:
        area = read_ring(request.POST.get("area", ""))
    except LassoError as error:
        return draw_block(request, "desk/map.html", "selection", {"problem": str(error)}, status=400)
    note_map_look(actor=viewer, now=clock.now())
    found = desk_map.inside(found_for(request, viewer), area)
    if not found.looked_at_all:
        many = {"count": desk_map.MOST_LOOKED_AT}
        said = _("There are more than %(count)s reports around this area. Draw a smaller one, or set a filter.") % many
        return draw_block(request, "desk/map.html", "selection", {"problem": said}, status=422)
    rows = desk.rows_of(viewer, found.ids[:BULK_LIMIT], now=clock.now())
    count = len(found.ids)
    context: dict[str, Any] = {
        "title": ngettext("%(count)s report in the area", "%(count)s reports in the area", count) % {"count": count},
        "first": rows[:FIRST_LINES],
        "others": rows[FIRST_LINES:],
        "left_out": count - len(rows),
        "most": BULK_LIMIT,
        "query": query,
        "topic_map": {topic.pk: topic for topic in all_topics()},
        "states": dict(State.choices),
        "may_work": may(viewer, Permission.WORK_REPORTS),
    }
    return draw_block(request, "desk/map.html", "selection", context)


def read_ring(text: str) -> Polygon | MultiPolygon:
    """Read [[longitude, latitude], …]; longitudes may go on beyond 180°. LassoError says what is wrong.

    A line that crosses itself encloses all that lies in any of its loops.
    """
    if len(text) > LONGEST_TEXT:
        raise LassoError(_("This area has too many corners. Draw it again, with fewer turns."))
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, list):
        raise LassoError(_("No area was drawn."))
    if len(given) > MOST_CORNERS:
        raise LassoError(_("This area has too many corners. Draw it again, with fewer turns."))
    corners = [_corner(point) for point in given]
    if len(set(corners)) < 3:
        raise LassoError(_("An area has at least three corners. Draw around the reports."))
    if max(corner[0] for corner in corners) - min(corner[0] for corner in corners) > 360:
        raise LassoError(_("This area goes around the whole globe. Draw a smaller one."))
    drawn: BaseGeometry = Polygon(corners)
    if not drawn.is_valid:
        # Every face of the line, and not shapely's own mending: that leaves out what a hand went around twice.
        faces = shapely.polygonize([shapely.union_all([_simplified(LinearRing(corners))])])
        drawn = shapely.union_all(shapely.get_parts(faces))
    if not isinstance(drawn, Polygon | MultiPolygon) or not drawn.area:
        raise LassoError(_("The line encloses nothing. Draw around the reports."))
    return drawn


def _simplified(line: LinearRing) -> BaseGeometry:
    """Leave out corners of a line that crosses itself: a line of n corners has up to n² / 2 crossings."""
    west, south, east, north = line.bounds
    found: BaseGeometry = line
    for part in (1_000, 300, 100):
        if shapely.get_num_coordinates(found) <= MOST_CROSSING_CORNERS:
            break
        found = line.simplify(max(east - west, north - south) / part, preserve_topology=False)
    if shapely.get_num_coordinates(found) > MOST_CROSSING_CORNERS:
        raise LassoError(_("This area has too many corners. Draw it again, with fewer turns."))
    return found


def _corner(point: object) -> tuple[float, float]:
    if (
        not isinstance(point, list)
        or len(point) != 2
        or any(isinstance(part, bool) or not isinstance(part, int | float) for part in point)
    ):
        raise LassoError(_("Each corner of an area is [longitude, latitude]."))
    longitude, latitude = point
    # Written so that NaN, which is not smaller and not larger, is refused too; and before a huge number is a float.
    if not (-360 <= longitude <= 360 and -90 <= latitude <= 90) or not math.isfinite(longitude):
        raise LassoError(_("A corner of this area does not lie on the globe."))
    return float(longitude), float(latitude)
