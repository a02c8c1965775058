"""Invented towns, and the tiles and filters that are asked for there, always the same."""

from __future__ import annotations

import random
from functools import cache
from typing import Any

SEED = 20_260_314
TOWNS = 60
DAYS = 1_500
CATEGORIES = ("bags", "rubble", "tyres", "burnt", "river", "other")
ZOOMS = {"town": (11, 15), "country": (5, 9), "world": (0, 4)}
FIRST_DAY = 19_000


def dates() -> list[Any]:
    """Give the days on which reports were published."""
    from commonbeat.maps.rules import day_of

    return [day_of(FIRST_DAY + day) for day in range(DAYS)]


@cache
def towns_of() -> list[tuple[float, float, float]]:
    """Give invented towns as latitude, longitude, spread in degrees; the first are the largest."""
    chance = random.Random(SEED)
    near = [(chance.uniform(41.9, 43.2), chance.uniform(20.0, 21.8), chance.uniform(0.01, 0.05)) for _ in range(40)]
    far = [(chance.uniform(-45, 60), chance.uniform(-120, 150), chance.uniform(0.02, 0.1)) for _ in range(TOWNS - 40)]
    return near + far


def filters_of(chance: random.Random) -> list[tuple[str, int | None, int | None]]:
    """Give 24 filters: a third none, the others a category, a span or both."""
    found: list[tuple[str, int | None, int | None]] = []
    for number in range(24):
        category = chance.choice(CATEGORIES) if number % 3 == 1 else ""
        span: tuple[int | None, int | None] = (None, None)
        if number % 3 and number % 2:
            since = FIRST_DAY + chance.randrange(DAYS - 90)
            span = (since, since + chance.choice((30, 90, 365)))
        found.append((category, *span))
    return found


def asked_for(chance: random.Random, kind: str, filters: list[tuple[str, int | None, int | None]]) -> Any:
    """Choose a tile of some kind where there is something to see."""
    from commonbeat.live.tiles import Asked
    from commonbeat.maps import tiling

    zoom = chance.randint(*ZOOMS[kind])
    latitude, longitude, spread = chance.choice(towns_of())
    latitude, longitude = chance.gauss(latitude, spread), chance.gauss(longitude, spread)
    size = 1 << zoom
    x, y = int(tiling.mercator_x(longitude) * size), int(tiling.mercator_y(latitude) * size)
    picture = chance.random() < 0.33
    return Asked("dumps", zoom, x, y, "png" if picture else "mvt", *chance.choice(filters))


def views_of(count: int) -> list[Any]:
    """Give so many tiles of each kind for the peers, with the same filters as ours."""
    from bench.load.peers.points import View

    chance = random.Random(SEED)
    filters = filters_of(chance)
    found = []
    for kind in ZOOMS:
        for _ in range(count):
            asked = asked_for(chance, kind, filters)
            category = CATEGORIES.index(asked.category) if asked.category else -1
            found.append(View(kind, asked.zoom, asked.x, asked.y, category, asked.since, asked.until))
    return found
