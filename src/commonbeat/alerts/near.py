"""What a device needs to find out by itself which alerts are near it; pure.

No server is told where anybody is: the device fetches all that is active, or the parts of the map around it, each some
40 km across, and measures itself (web/static/commonbeat/js/near.js).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import shapely
from shapely.geometry import mapping

from commonbeat.alerts.geometry import Geometry, geometry_of
from commonbeat.foundation import cells

# An H3 cell of this resolution is 1,770 km² large. Whoever asks for some of them says no more than "in this district".
RESOLUTION = 4
# As many corners as a circle has; what has more is drawn around with fewer.
MOST_CORNERS = 64
# What covers more cells than this (a country) stands in every answer.
_MOST_CELLS = 300
_DECIMALS = 5
_MARGIN_METRES = 500.0


class NearRow(NamedTuple):
    """An alert that is active, as a device is told of it."""

    # Of the first message of its chain, by which its page is found.
    root_id: int
    kind: str
    status: str
    severity: str
    # Seconds from 1970-01-01 UTC.
    expires: int
    area: Mapping[str, Any]
    # language → headline, name of the area
    texts: Mapping[str, tuple[str, str]]


class NearEntry(NamedTuple):
    """One alert, written; cells is None for what is told everywhere."""

    cells: frozenset[int] | None
    body: bytes


def entry_of(row: NearRow) -> NearEntry:
    """Write an alert for devices, and find the cells that it touches."""
    geometry = outward(geometry_of(row.area))
    body = msgspec.json.encode(
        {
            "id": row.root_id,
            "url": f"/alerts/{row.root_id}/",
            "kind": row.kind,
            "status": row.status,
            "severity": row.severity,
            "expires": row.expires,
            "headline": {language: headline for language, (headline, _) in row.texts.items()},
            "place": {language: place for language, (_, place) in row.texts.items()},
            "area": _polygons(geometry),
        }
    )
    return NearEntry(touched_cells(geometry), body)


def outward(geometry: Geometry) -> Geometry:
    """Draw an area with few corners such that all of it lies within: nobody who is meant may be told "not here"."""
    found = geometry
    corners = int(shapely.get_num_coordinates(geometry))
    west, south, east, north = geometry.bounds
    tolerance = max(east - west, north - south) / 1_000
    while corners > MOST_CORNERS and tolerance < 90:
        # Simplifying moves the outline by less than the tolerance, and it was moved out by more than that before.
        wider = shapely.simplify(shapely.buffer(geometry, 1.05 * tolerance, quad_segs=4), tolerance)
        if not wider.is_empty and wider.is_valid and wider.covers(geometry):
            found, corners = wider, int(shapely.get_num_coordinates(wider))
        tolerance *= 2
    if corners > MOST_CORNERS:
        found = shapely.envelope(geometry)
    if found is not geometry:
        # Beyond the edges of the globe there is nothing; the rest of the outline goes on there.
        found = shapely.clip_by_rect(found, -180.0, -90.0, 180.0, 90.0)
    return found


def touched_cells(geometry: Geometry) -> frozenset[int] | None:
    """Give cells that together hold every point of an area, and some around it; None when they are too many."""
    found: set[int] = set()
    for part in shapely.get_parts(geometry):
        west, south, east, north = part.bounds
        middle = ((south + north) / 2, (west + east) / 2)
        corners = [(south, west), (south, east), (north, west), (north, east), (middle[0], west), (middle[0], east)]
        farthest = max(cells.distance_m(*middle, *corner) for corner in corners)
        if farthest > 300_000:
            return None
        found.update(cells.near(*middle, farthest + _MARGIN_METRES, RESOLUTION))
        if len(found) > _MOST_CELLS:
            return None
    return frozenset(found)


def listing(entries: Sequence[bytes], *, places: Sequence[int] | None) -> bytes:
    """Put an answer together: alerts, and the cells to ask for where they are not all of them (None: they are)."""
    asked = b"null"
    if places is not None:
        centres = ((cell, *cells.centre(cell)) for cell in places)
        asked = msgspec.json.encode([[f"{cell:x}", round(lat, 2), round(lon, 2)] for cell, lat, lon in centres])
    return b'{"alerts":[' + b",".join(entries) + b'],"cells":' + asked + b"}"


def _polygons(geometry: Geometry) -> list[Any]:
    """Give the coordinates of a MultiPolygon: longitude, latitude, five decimals (about 1 m)."""
    polygons = [part for part in shapely.get_parts(geometry) if part.geom_type == "Polygon"]
    return [
        [[[round(x, _DECIMALS), round(y, _DECIMALS)] for x, y in ring] for ring in mapping(one)["coordinates"]]
        for one in polygons
    ]
