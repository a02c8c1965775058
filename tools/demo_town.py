"""Invent the valley town of the demonstration: streets, river, houses, names, beats. No real place is copied.

Everything is drawn on a square lattice in metres and then bent, so that streets run roughly parallel and still look
grown. The same seed gives the same town.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from typing import Any

from tools.demo_town_names import ALLEYS, DISTRICTS, LANDMARKS, RIVER, STREETS, TOWN, VILLAGES, Names, Point

LAT, LON, SEED = 42.3800, 20.4300, 4238
STEP = 155.0  # metres between two lattice streets
HALF = 9  # streets to each side of the centre: 19 × 155 m = 2.9 km
EDGE = 4500.0  # the beats tile a square of 9 km, so that the villages belong to one too
BRIDGES = (-6, 0, 4)  # rows that cross the river


def bend(u: float, v: float) -> Point:
    """Move a lattice place (in steps) to metres east and north of the centre."""
    x, y = u * STEP, v * STEP
    r = math.hypot(x, y)
    turn = 0.24 * math.exp(-((r / 900) ** 2)) - 0.10
    x, y = x * math.cos(turn) - y * math.sin(turn), x * math.sin(turn) + y * math.cos(turn)
    return (
        x + 46 * math.sin(y / 410 + 0.6) + 17 * math.sin(x / 170 + y / 230),
        y + 40 * math.sin(x / 470 + 1.1) + 15 * math.sin(y / 190 - x / 260),
    )


def degrees(p: Point) -> list[float]:
    """Turn metres east and north of the centre into [longitude, latitude]."""
    return [round(LON + p[0] / (111320 * math.cos(math.radians(LAT))), 6), round(LAT + p[1] / 110574, 6)]


def river_at(v: float) -> float:
    """Tell where the river runs, in steps east, at row v."""
    return 3.45 + 0.75 * math.sin(v / 3.1 + math.pi) + 0.25 * math.sin(v / 1.3)


def _line(points: list[Point]) -> list[list[float]]:
    return [degrees(bend(u, v)) for u, v in points]


def _named(names: Names) -> dict[str, str]:
    return {"name": names[1], "name:en": names[0], "name:sq": names[1], "name:ar": names[2]}


def _feature(geometry: str, coordinates: Any, zoom: int, /, **properties: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "tippecanoe": {"minzoom": zoom},
        "properties": properties,
        "geometry": {"type": geometry, "coordinates": coordinates},
    }


def _runs(keep: list[bool]) -> Iterator[tuple[int, int]]:
    start = None
    for i, kept in enumerate([*keep, False]):
        if kept and start is None:
            start = i
        elif not kept and start is not None:
            yield start, i
            start = None


def _street(points: list[Point], keep: list[bool], kind: str, zoom: int, names: Names) -> Iterator[dict[str, Any]]:
    for a, b in _runs(keep):
        fine = [
            (
                points[i][0] + (points[i + 1][0] - points[i][0]) * t / 3,
                points[i][1] + (points[i + 1][1] - points[i][1]) * t / 3,
            )
            for i in range(a, b)
            for t in range(3)
        ]
        yield _feature("LineString", _line([*fine, points[b]]), zoom, kind=kind, **_named(names))


def roads() -> Iterator[dict[str, Any]]:
    """Yield every street as lines with names in three languages."""
    rng = random.Random(SEED)
    grid = range(-HALF, HALF + 1)
    for index, i in enumerate(grid):
        names = STREETS[_order(i)]
        column = [(float(i), float(j)) for j in grid]
        main = i in (0, -5, 6)
        keep = [
            main
            or (
                rng.random() > 0.05 + max(0.0, math.hypot(i, j + 0.5) - 6) * 0.16
                and not _in_ground(i, j + 0.5)
                and abs(river_at(j + 0.5) - i) > 0.35
            )
            for j in grid[:-1]
        ]
        yield from _street(column, keep, "major_road" if main else "minor_road", 10 if main else 13, names)
        names = STREETS[19 + _order(i)]
        row = [(float(k), float(i)) for k in grid]
        main = i in (0, -6, 5)
        keep = []
        for k in grid[:-1]:
            wet = k <= river_at(i) + 0.3 and k + 1 >= river_at(i) - 0.3
            open_ = rng.random() > 0.05 + max(0.0, math.hypot(i, k + 0.5) - 6) * 0.16 and not _in_ground(k + 0.5, i)
            keep.append(i in BRIDGES if wet else (main or open_))
        yield from _street(row, keep, "major_road" if main else "minor_road", 10 if main else 13, names)
        del index
    for n, (points) in enumerate(
        ([(-2.0, 0.5), (0.0, 0.5)], [(-0.5, -1.0), (-0.5, 2.0)], [(-1.5, -1.0), (-1.5, 2.0)], [(-2.0, 1.5), (0.0, 1.5)])
    ):
        yield from _street(points, [True], "path", 14, ALLEYS[n])
    for target, start in (
        ((-2600.0, 2500.0), (-5.0, 9.0)),
        ((2700.0, 2300.0), (6.0, 9.0)),
        ((2900.0, -1900.0), (9.0, -6.0)),
        ((-2900.0, -1500.0), (-9.0, -6.0)),
        ((300.0, 2900.0), (0.0, 9.0)),
        ((800.0, -3000.0), (0.0, -9.0)),
    ):
        x, y = bend(*start)
        middle = ((x + target[0]) / 2 + (target[1] - y) * 0.08, (y + target[1]) / 2 - (target[0] - x) * 0.08)
        away = (target[0] * 1.9, target[1] * 1.9)
        yield _feature(
            "LineString", [degrees((x, y)), degrees(middle), degrees(target), degrees(away)], 10, kind="major_road"
        )
    rail = [(-8.3 + 0.6 * math.sin(v / 6), float(v)) for v in range(-26, 27)]
    yield _feature("LineString", _line(rail), 11, kind="rail")


def _order(i: int) -> int:
    return 0 if i == 0 else 2 * abs(i) - (1 if i > 0 else 0)


def _in_ground(u: float, v: float) -> bool:
    for _, _, (cu, cv), _, _, (w, h) in LANDMARKS:
        if w * h > 1 and abs(u - cu - (w - 1) / 2) < w / 2 - 0.01 and abs(v - cv - (h - 1) / 2) < h / 2 - 0.01:
            return True
    return False


def _covered(u: float, v: float) -> bool:
    for _, _, (cu, cv), _, _, (w, h) in LANDMARKS:
        if w and abs(u - cu - (w - 1) / 2) < w / 2 and abs(v - cv - (h - 1) / 2) < h / 2:
            return True
    return False


def grounds() -> Iterator[dict[str, Any]]:
    """Yield parks, school yards and the like as polygons."""
    for names, _, (u, v), _, kind, (w, h) in LANDMARKS:
        if w:
            a, b, c, d = u - 0.42, v - 0.42, u + w - 0.58, v + h - 0.58
            ring = [
                (a, b),
                ((a + c) / 2, b),
                (c, b),
                (c, (b + d) / 2),
                (c, d),
                ((a + c) / 2, d),
                (a, d),
                (a, (b + d) / 2),
                (a, b),
            ]
            yield _feature("Polygon", [_line(ring)], 12, kind=kind, **_named(names))
    rng = random.Random(SEED + 3)
    for _ in range(26):
        angle, reach = rng.uniform(0, 2 * math.pi), rng.uniform(1900, 4200)
        cx, cy, size = reach * math.cos(angle), reach * math.sin(angle), rng.uniform(160, 420)
        blob = [
            degrees((cx + size * (0.75 + 0.35 * math.sin(3 * t + cx)) * math.cos(t), cy + size * 0.7 * math.sin(t)))
            for t in (2 * math.pi * k / 18 for k in range(18))
        ]
        yield _feature("Polygon", [[*blob, blob[0]]], 11, kind=rng.choice(["forest", "forest", "meadow", "farmland"]))
    outline = [
        degrees((1750 * (1 + 0.06 * math.sin(5 * t)) * math.cos(t), 1700 * (1 + 0.05 * math.cos(4 * t)) * math.sin(t)))
        for t in (2 * math.pi * k / 48 for k in range(48))
    ]
    yield _feature("Polygon", [[*outline, outline[0]]], 10, kind="residential")


def water() -> Iterator[dict[str, Any]]:
    """Yield the river and the pond."""
    steps = [v / 2 for v in range(-58, 59)]
    width = [0.17 + 0.05 * math.sin(v / 2.3) for v in steps]
    west = [(river_at(v) - w, v) for v, w in zip(steps, width, strict=True)]
    east = [(river_at(v) + w, v) for v, w in zip(steps, width, strict=True)]
    ring = _line([*west, *reversed(east), west[0]])
    yield _feature("Polygon", [ring], 10, kind="river", **_named(RIVER))
    yield _feature("LineString", _line([(river_at(v), v) for v in steps]), 12, kind="river", **_named(RIVER))
    pond = [(2.05 + 0.22 * math.cos(t), 4.1 + 0.16 * math.sin(t)) for t in (2 * math.pi * k / 16 for k in range(16))]
    yield _feature("Polygon", [_line([*pond, pond[0]])], 13, kind="lake")


def buildings() -> Iterator[dict[str, Any]]:
    """Yield about 3,000 houses along the streets, fewer and smaller toward the edge."""
    rng = random.Random(SEED + 1)
    for i in range(-HALF, HALF):
        for j in range(-HALF, HALF):
            u, v = i + 0.5, j + 0.5
            far = math.hypot(u, v)
            wet = min(abs(river_at(v + d) - u) for d in (-0.5, 0, 0.5))
            if _covered(u, v) or rng.random() < max(0.0, far - 6.5) * 0.3:
                continue
            slots = 6 if far < 3 else 5 if far < 6 else 4
            for side in range(4):
                for slot in range(slots):
                    if rng.random() < 0.10 + far * 0.025:
                        continue
                    along = -0.36 + 0.72 * (slot + 0.5) / slots + rng.uniform(-0.02, 0.02)
                    depth, width = rng.uniform(0.10, 0.16), rng.uniform(0.10, 0.62 / slots + 0.02)
                    back = 0.30 + rng.uniform(-0.02, 0.05)
                    a, b = along - width / 2, along + width / 2
                    box = [(a, back - depth), (b, back - depth), (b, back + 0.04), (a, back + 0.04)]
                    cs, sn = [(1, 0), (0, 1), (-1, 0), (0, -1)][side]
                    ring = [(u + p * cs - q * sn, v + p * sn + q * cs) for p, q in box]
                    if wet < 0.95 and any(abs(river_at(q) - p) < 0.33 for p, q in ring):
                        continue
                    yield _feature("Polygon", [_line([*ring, ring[0]])], 14, kind="building")
    for names, _, (u, v), _, kind, _ in LANDMARKS:
        if kind in ("school", "hospital", "station", "townhall", "library", "police", "bus", "castle"):
            ring = [
                (u - 0.22, v - 0.1),
                (u + 0.22, v - 0.1),
                (u + 0.22, v + 0.16),
                (u + 0.08, v + 0.16),
                (u + 0.08, v + 0.02),
                (u - 0.22, v + 0.02),
            ]
            yield _feature("Polygon", [_line([*ring, ring[0]])], 14, kind="public", **_named(names))
    rng = random.Random(SEED + 2)
    for _, _, (x, y) in VILLAGES:
        for _ in range(34):
            px, py = x + rng.gauss(0, 130), y + rng.gauss(0, 110)
            w, h = rng.uniform(9, 16), rng.uniform(8, 12)
            house = [(px, py), (px + w, py + 2), (px + w - 2, py + h), (px - 2, py + h - 2), (px, py)]
            yield _feature("Polygon", [[degrees(p) for p in house]], 14, kind="building")


def pois() -> Iterator[dict[str, Any]]:
    """Yield the named points: landmarks, quarters, villages, the town."""
    for names, _, (u, v), _, kind, (w, h) in LANDMARKS:
        spot = degrees(bend(u + max(0, w - 1) / 2, v + max(0, h - 1) / 2))
        yield _feature("Point", spot, 14, kind=kind, **_named(names))


def places() -> Iterator[dict[str, Any]]:
    """Yield the labels of quarters, villages and the town."""
    yield _feature("Point", [LON, LAT], 8, kind="town", **_named(TOWN))
    for names, _, (u, v) in DISTRICTS:
        yield _feature("Point", degrees(bend(u, v)), 13, kind="district", **_named(names))
    for names, _, metres in VILLAGES:
        yield _feature("Point", degrees(metres), 11, kind="village", **_named(names))


def gazetteer() -> list[dict[str, Any]]:
    """List every named place with its names, other spellings, latitude, longitude and kind."""

    def entry(names: Names, aliases: list[str], spot: list[float], kind: str) -> dict[str, Any]:
        return {
            "names": dict(zip(("en", "sq", "ar"), names, strict=True)),
            "aliases": aliases,
            "lat": spot[1],
            "lon": spot[0],
            "kind": kind,
        }

    found = []
    for n, names in enumerate(STREETS):
        i = next(i for i in range(-HALF, HALF + 1) if _order(i) == n % 19)
        # A point beside the middle of the street, away from the crossing that two streets would share.
        spot = bend(i, 1.35 if abs(i) < 4 else 0.65) if n < 19 else bend(-1.35 if abs(i) < 4 else -0.65, i)
        aliases = [names[1].replace("Rruga e", "Rr."), names[0].replace("Street", "St")]
        found.append(entry(names, aliases, degrees(spot), "street"))
    for names, spot in zip(ALLEYS, ((-1.0, 0.5), (-0.5, 0.8), (-1.5, 0.2), (-1.0, 1.5)), strict=True):
        found.append(entry(names, [names[1].split(" e ")[1]], degrees(bend(*spot)), "street"))
    for names, aliases, (u, v), kind, _, (w, h) in LANDMARKS:
        found.append(entry(names, aliases, degrees(bend(u + max(0, w - 1) / 2, v + max(0, h - 1) / 2)), kind))
    found += [entry(names, aliases, degrees(bend(u, v)), "district") for names, aliases, (u, v) in DISTRICTS]
    found += [entry(names, aliases, degrees(metres), "village") for names, aliases, metres in VILLAGES]
    return found


def beats() -> list[dict[str, Any]]:
    """Cut a square of 9 km into four beats along the river and the main street, without gap or overlap."""
    down = [bend(river_at(v / 2), v / 2) for v in range(0, -21, -1)]
    up = [bend(river_at(v / 2), v / 2) for v in range(21)]
    cross = river_at(0)
    west = [bend(cross - k / 2, 0) for k in range(27)]
    east = [bend(cross + k / 2, 0) for k in range(16)]
    up.append((up[-1][0], EDGE))
    down.append((down[-1][0], -EDGE))
    west.append((-EDGE, west[-1][1]))
    east.append((EDGE, east[-1][1]))
    shapes = [
        ("Bazaar and castle", [*west, (-EDGE, EDGE), *reversed(up)]),
        ("Station and meadow", [*down, (-EDGE, -EDGE), *reversed(west)]),
        ("Mill and stadium", [*up, (EDGE, EDGE), *reversed(east)]),
        ("Orchards and waste yard", [*east, (EDGE, -EDGE), *reversed(down)]),
    ]
    return [{"name": name, "polygon": {"type": "Polygon", "coordinates": [_ring(points)]}} for name, points in shapes]


def _ring(points: list[Point]) -> list[list[float]]:
    ring = [degrees(p) for p in points]
    area = sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, [*ring[1:], ring[0]], strict=True))
    ring = ring if area > 0 else ring[::-1]
    if ring[0] != ring[-1]:
        ring.append(ring[0])
    return ring


LAYERS = {"landuse": grounds, "water": water, "roads": roads, "buildings": buildings, "pois": pois, "places": places}
