"""Cells as GeoJSON geometries (RFC 7946): counterclockwise, and cut where they cross the date line."""

from __future__ import annotations

from shapely import MultiPolygon, Polygon, box, union_all
from shapely.affinity import translate
from shapely.geometry.polygon import orient

from commonbeat.foundation import cells

Ring = list[tuple[float, float]]
# A millionth of a degree is a tenth of a metre.
_GRID = 1e-6


def geometry(cell: int) -> str:
    """Give the area of a cell as JSON."""
    corners = cells.boundary(cell)
    longitudes = [longitude for _, longitude in corners]
    if max(longitudes) - min(longitudes) <= 180:
        # H3 goes round counterclockwise, as GeoJSON wants it.
        return f'{{"type":"Polygon","coordinates":[{_ring([(x, y) for y, x in corners])}]}}'
    parts = _cut(_unwrapped(corners))
    if len(parts) == 1:
        return f'{{"type":"Polygon","coordinates":[{_ring(parts[0])}]}}'
    return f'{{"type":"MultiPolygon","coordinates":[{",".join(f"[{_ring(part)}]" for part in parts)}]}}'


def _unwrapped(corners: list[tuple[float, float]]) -> Ring:
    """Follow the outline past 180°; one around a pole is led over it."""
    ring: Ring = []
    x = corners[0][1]
    for latitude, longitude in [*corners, corners[0]]:
        x += (longitude - x + 180.0) % 360.0 - 180.0
        ring.append((x, latitude))
    if abs(ring[-1][0] - ring[0][0]) > 180:
        pole = 90.0 if ring[0][1] > 0 else -90.0
        ring += [(ring[-1][0], pole), (ring[0][0], pole)]
    return ring


def _cut(ring: Ring) -> list[Ring]:
    whole = Polygon(ring)
    turned = [
        translate(whole.intersection(box(-180.0 + turn, -90.0, 180.0 + turn, 90.0)), -turn)
        for turn in (-360.0, 0.0, 360.0)
    ]
    # Around a pole the parts touch each other, and are one.
    united = union_all([part for part in turned if part.area > 0], grid_size=_GRID)
    parts = united.geoms if isinstance(united, MultiPolygon) else [united]
    return [[(x, y) for x, y in orient(part).exterior.coords][:-1] for part in parts if isinstance(part, Polygon)]


def _ring(corners: Ring) -> str:
    return "[" + ",".join(f"[{x:.6f},{y:.6f}]" for x, y in [*corners, corners[0]]) + "]"
