"""GET /tiles/<topic or all>/<z>/<x>/<y>.mvt or .png, and /tiles/<topic or all>.json: the public map, from buckets only.

?category= one of the topic's; ?since= and ?until= days, both included: periods that begin on one of them count.
?measure= reports (what it is without one), monthly or contacts: see maps/measures.py.
"""

from __future__ import annotations

import asyncio
import logging
import re
import threading
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from commonbeat.config.options import Options
from commonbeat.foundation import cells, clock
from commonbeat.live.asked import NotAsked, read_days, read_query
from commonbeat.live.bucket_store import TopicRow
from commonbeat.live.bucket_watch import Atlas, BucketWatch
from commonbeat.live.database import database_errors
from commonbeat.live.http import Scope, Send, headers_of, is_had, refuse, respond
from commonbeat.maps import heat, measures, mvt, rules, tiling
from commonbeat.maps.arrays import Filter, Sums, TopicBuckets, together, values_at
from commonbeat.maps.days import day_numbers
from commonbeat.maps.measures import CONTACTS, MEASURES, MONTHLY, REPORTS
from commonbeat.maps.outlines import Outlines
from commonbeat.maps.shapes import Shapes, shapes_on
from commonbeat.topics.definition import Publishes, text_in

logger = logging.getLogger(__name__)

_TILE = re.compile(r"([a-z0-9-]{1,40})/([0-9]{1,2})/([0-9]{1,8})/([0-9]{1,8})\.(mvt|png)")
_JSON = re.compile(r"([a-z0-9-]{1,40})\.json")
EVERY_TOPIC = "all"
PIN_ZOOM = 15
_MOST_PINS = 500
_MOST_PIN_PLACES = 300
_CACHE_BYTES = 32_000_000
# Two threads make 600 to 1,000 tiles a second; who would wait longer than a few tenths had better ask again.
_THREADS = 2
_MOST_WAITING = 300
_KINDS = {"mvt": b"application/vnd.mapbox-vector-tile", "png": b"image/png"}
# Short, for a report is to be seen within a second of its publishing: the page adds its own number to the address.
_KEEP = b"public, max-age=10, stale-while-revalidate=60"


class Asked(NamedTuple):
    """One tile that was asked for."""

    topic: str
    zoom: int
    x: int
    y: int
    kind: str
    category: str = ""
    since: int | None = None
    until: int | None = None
    # Empty for reports.
    measure: str = ""


class Tile(NamedTuple):
    """One answer, and the state of the counts that it shows."""

    mark: tuple[int, int, int]
    tag: bytes
    body: bytes


class Tiles:
    """Make tiles, and keep those that were asked for lately."""

    def __init__(self, site: Options, watch: BucketWatch) -> None:
        self._site = site
        self._watch = watch
        self._zone = ZoneInfo(site.time_zone)
        self._outlines = Outlines()
        self._made: OrderedDict[Asked, Tile] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()
        # Of their own: a crowd that looks at maps must not hold up the desks' streams.
        self.executor = ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix="tiles")
        self.waiting = 0

    def stop(self) -> None:
        """End the threads."""
        self.executor.shutdown(wait=False, cancel_futures=True)

    def kept(self, asked: Asked) -> Tile | None:
        """Give a tile that was made before and still holds."""
        atlas = self._watch.current
        tile = self._made.get(asked)
        if atlas is None or tile is None or tile.mark != self._mark(atlas, asked):
            return None
        with self._lock:
            if asked in self._made:
                self._made.move_to_end(asked)
        return tile

    def tile(self, asked: Asked) -> Tile:
        """Make a tile, and keep it; NotAsked for topics and categories that there are not. Blocks."""
        atlas = self._watch.atlas()
        found = self.kept(asked)
        if found is not None:
            return found
        rows = _topics(atlas, asked.topic)
        filters = [self._filter(atlas, row, asked) for row in rows]
        held = [(atlas.buckets[row.id], one) for row, one in zip(rows, filters, strict=True) if row.id in atlas.buckets]
        sums = [self._sums(buckets, asked, wanted) for buckets, wanted in held]
        shapes = shapes_on(together(sums), asked.zoom, asked.x, asked.y, self._outlines)
        measured = self._measured(held, sums, shapes, asked)
        if asked.kind == "png":
            body = heat.picture(shapes, measured and measured.values, MEASURES[asked.measure or REPORTS.code].classes)
        else:
            body = mvt.cells_layer(shapes, measured) + mvt.pins_layer(self._pins(atlas, rows, asked))
        tile = Tile(self._mark(atlas, asked), _tag(body), body)
        self._keep(asked, tile)
        return tile

    def description(self, topic: str) -> bytes:
        """Describe the tiles of a topic as TileJSON 3.0.0. Blocks."""
        atlas = self._watch.atlas()
        _topics(atlas, topic)
        row = atlas.topics.get(topic)
        address = f"{self._site.site_url.rstrip('/')}/tiles/{topic}/{{z}}/{{x}}/{{y}}"
        single = row is None or row.definition.publishes is Publishes.EACH
        layers = [{"id": "cells", "fields": dict.fromkeys(("n", "resolution", "monthly", "contacts"), "Number")}]
        if single:
            fields = {"code": "String", "topic": "String", "category": "String"}
            layers.append({"id": "pins", "fields": fields})
        about = {
            "tilejson": "3.0.0",
            "name": text_in(row.definition.name, "en") if row else "All topics",
            "attribution": self._site.site_name,
            "scheme": "xyz",
            "tiles": [address + ".mvt"],
            "pictures": [address + ".png"],
            "minzoom": 0,
            "maxzoom": tiling.FARTHEST_ZOOM,
            "bounds": [-180, -tiling.EDGE_LATITUDE, 180, tiling.EDGE_LATITUDE],
            "vector_layers": layers,
            "classes": _classes(REPORTS),
            # Asked for by ?measure=; vector tiles then have the property beside n.
            "measures": [
                {"code": each.code, "property": each.name, "classes": _classes(each)} for each in MEASURES.values()
            ],
        }
        if row is not None:
            about["period"] = rules.period_kind(row.definition, is_single=single)
            about["smallest_count"] = 1 if single else rules.fewest_of(row.definition)
            about["categories"] = [option.code for option in row.definition.categories]
        return msgspec.json.encode(about)

    def _filter(self, atlas: Atlas, row: TopicRow, asked: Asked) -> Filter:
        wanted = _filter(atlas, row, asked)
        held = atlas.buckets.get(row.id)
        if asked.measure != MONTHLY.code or held is None:
            return wanted
        return measures.complete(row.definition, wanted, held.first, self._today())

    def _sums(self, held: TopicBuckets, asked: Asked, wanted: Filter, *, of_sources: bool = False) -> Sums:
        return held.sums(asked.zoom, asked.x, asked.y, wanted, self._watch.kept, of_sources=of_sources)

    def _measured(
        self, held: list[tuple[TopicBuckets, Filter]], sums: list[Sums], shapes: Shapes, asked: Asked
    ) -> mvt.Measured | None:
        if asked.measure == CONTACTS.code:
            senders = together([self._sums(buckets, asked, wanted, of_sources=True) for buckets, wanted in held])
            return mvt.Measured(CONTACTS.name, values_at(senders, shapes.cells))
        if asked.measure == MONTHLY.code:
            # Each topic by its own months: one that began last year is not thinned out by one that is ten years old.
            parts = [
                Sums(one.cells, one.n / measures.months_of(wanted)) for one, (_, wanted) in zip(sums, held, strict=True)
            ]
            return mvt.Measured(MONTHLY.name, np.round(values_at(together(parts), shapes.cells).astype(float), 1))
        return None

    def _today(self) -> int:
        return rules.day_number(clock.now().astimezone(self._zone).date())

    def _mark(self, atlas: Atlas, asked: Asked) -> tuple[int, int, int]:
        # A new day may end a period.
        today = self._today() if asked.measure == MONTHLY.code else 0
        row = atlas.topics.get(asked.topic)
        if row is None:
            return atlas.number, today, max((each.version for each in atlas.topics.values()), default=0)
        # Only what changes this topic makes its tiles new; a topic that turned to counts shows no pin from then on.
        known = atlas.buckets.get(row.id)
        return (known.number if known is not None else 0), today, row.version

    def _keep(self, asked: Asked, tile: Tile) -> None:
        with self._lock:
            old = self._made.pop(asked, None)
            self._bytes += len(tile.body) + 400 - (len(old.body) + 400 if old else 0)
            self._made[asked] = tile
            while self._bytes > _CACHE_BYTES:
                _, gone = self._made.popitem(last=False)
                self._bytes -= len(gone.body) + 400

    def _pins(self, atlas: Atlas, rows: list[TopicRow], asked: Asked) -> list[mvt.Pin]:
        """Give the published reports on a tile: all of them, or none where they are too many for a phone."""
        if asked.zoom < PIN_ZOOM:
            return []
        wanted = {row.id: (row, _filter(atlas, row, asked)) for row in rows}
        found = [
            atlas.buckets[pk].places(asked.zoom, asked.x, asked.y, narrowed)
            for pk, (_, narrowed) in wanted.items()
            if pk in atlas.buckets
        ]
        places = {cell for part in found for cell in part.tolist()}
        on_tile = _those_on(asked, [cells.centre(cell) for cell in places])
        if not on_tile or len(on_tile) > _MOST_PIN_PLACES:
            return []
        store = self._watch.open_store()
        try:
            pins = store.pins(on_tile, clock.now(), _MOST_PINS + 1)
        finally:
            store.close()
        if len(pins) > _MOST_PINS:
            return []
        days = day_numbers(np.array([pin.public_at for pin in pins], np.int64), self._zone).tolist()
        made = []
        for pin, day in zip(pins, days, strict=True):
            row, narrowed = wanted.get(pin.topic_id, (None, None))
            if row is None or narrowed is None or (narrowed.category and pin.category != narrowed.category):
                continue
            period = rules.period_start(day, rules.period_kind(row.definition, is_single=True))
            if (narrowed.since is None or period >= narrowed.since) and (
                narrowed.until is None or period < narrowed.until
            ):
                x, y = _on_tile(asked, (pin.latitude, pin.longitude))
                made.append(mvt.Pin(x, y, pin.code, row.code, pin.category))
        return made


async def serve_tiles(tiles: Tiles, path: str, scope: Scope, send: Send) -> None:
    """Answer one request; path is what follows /tiles/."""
    if scope["method"] not in ("GET", "HEAD"):
        await refuse(send, 405, "Ask for a map with GET.", ((b"allow", b"GET, HEAD"),))
        return
    loop = asyncio.get_running_loop()
    try:
        described = _JSON.fullmatch(path)
        if described is not None:
            body = await loop.run_in_executor(tiles.executor, tiles.description, described[1])
            tag = _tag(body)
            kind = b"application/json"
        else:
            asked = read_address(path, scope["query_string"])
            tile = tiles.kept(asked)
            if tile is None:
                tile = await _made(tiles, asked)
            body, tag, kind = tile.body, tile.tag, _KINDS[asked.kind]
    except NotAsked as problem:
        await refuse(send, problem.status, problem.sentence)
        return
    except database_errors() as error:
        logger.warning("A map could not be made: %s.", type(error).__name__)
        await refuse(send, 503, "Please try again soon.", ((b"retry-after", b"5"),))
        return
    headers = [(b"etag", tag), (b"cache-control", _KEEP), (b"access-control-allow-origin", b"*")]
    if is_had(headers_of(scope), tag.decode()):
        await respond(send, 304, b"", kind, headers)
    else:
        await respond(send, 200, body if scope["method"] == "GET" else b"", kind, headers)


async def _made(tiles: Tiles, asked: Asked) -> Tile:
    if tiles.waiting >= _MOST_WAITING:
        raise NotAsked(503, "Too many maps are asked for at once. Please try again.")
    tiles.waiting += 1
    try:
        return await asyncio.get_running_loop().run_in_executor(tiles.executor, tiles.tile, asked)
    finally:
        tiles.waiting -= 1


def read_address(path: str, query: bytes) -> Asked:
    """Read what is asked for; NotAsked when it is no tile, or the filter is none."""
    match = _TILE.fullmatch(path)
    if match is None:
        raise NotAsked(404, "There is no such map. Ask for /tiles/<topic>/<zoom>/<x>/<y>.mvt or .png.")
    zoom, x, y = int(match[2]), int(match[3]), int(match[4])
    if not tiling.is_tile(zoom, x, y):
        raise NotAsked(404, f"There is no such tile: zooms are 0 to {tiling.FARTHEST_ZOOM}, x and y below 2^zoom.")
    if not query:
        return Asked(match[1], zoom, x, y, match[5])
    given = read_query(query)
    category = given.get("category", "")
    if category and match[1] == EVERY_TOPIC:
        raise NotAsked(400, "Choose a topic first: each has categories of its own.")
    since, until = read_days(given)
    measure = given.get("measure", "")
    if measure and measure not in MEASURES:
        raise NotAsked(400, "A map shows reports, monthly or contacts.")
    return Asked(match[1], zoom, x, y, match[5], category, since, until, "" if measure == REPORTS.code else measure)


def _topics(atlas: Atlas, code: str) -> list[TopicRow]:
    if code == EVERY_TOPIC:
        return list(atlas.topics.values())
    if code not in atlas.topics:
        raise NotAsked(404, "There is no such topic.")
    return [atlas.topics[code]]


def _filter(atlas: Atlas, row: TopicRow, asked: Asked) -> Filter:
    """Fit what was asked for to a topic; NotAsked when it has no such category."""
    if asked.category:
        held = atlas.buckets.get(row.id)
        known = {option.code for option in row.definition.categories}.union(held.categories if held else ())
        if asked.category not in known - {rules.SEVERAL}:
            raise NotAsked(400, "This topic has no such category.")
    return Filter(asked.category, *rules.span_of(row.definition, asked.since, asked.until))


def _classes(measure: measures.Measure) -> list[dict[str, float | str]]:
    return [{"from": n, "colour": c} for n, c in zip(measure.classes, heat.COLOURS, strict=True)]


def _on_tile(asked: Asked, point: tuple[float, float]) -> tuple[float, float]:
    size = 1 << asked.zoom
    return tiling.mercator_x(point[1]) * size - asked.x, tiling.mercator_y(point[0]) * size - asked.y


def _those_on(asked: Asked, points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Keep the points that lie on a tile."""
    size = 1 << asked.zoom
    west, east = (x / size * 360.0 - 180.0 for x in (asked.x, asked.x + 1))
    # A little more than the tile, by comparing degrees; only of these is the place on the square worked out.
    north, south = tiling.latitude_of((asked.y - 0.01) / size), tiling.latitude_of((asked.y + 1.01) / size)
    near = [point for point in points if south <= point[0] <= north and west <= point[1] <= east]
    return [point for point in near if all(0 <= v < 1 for v in _on_tile(asked, point))]


def _tag(body: bytes) -> bytes:
    return b'"' + blake2b(body, digest_size=9).hexdigest().encode() + b'"'
