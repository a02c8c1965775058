"""The map underneath a picture: land, water, streets and names from map files, painted without a browser."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from commonbeat.maps import tiling
from commonbeat.maps.basemap_file import MapFile, open_map
from commonbeat.maps.basemap_style import LAND, LAYERS, RULES, SEA, WRITINGS, Rule, Writing, kind_of, width_at
from commonbeat.maps.picture_view import Placed, View
from commonbeat.maps.varint_read import Damaged
from commonbeat.maps.vector_read import POINT, POLYGON, Feature, Layer, read_tile

logger = logging.getLogger(__name__)

_CACHE_BYTES = 12_000_000
_MOST_TILES = 64
# What Python holds for a shape beside its points.
_SHAPE_BYTES = 400
# Below it a bend in a line needs no rounding.
_ROUNDED_FROM = 4

Tile = dict[str, Layer]


class Label(NamedTuple):
    """A name on the map: where, in pixels, how it is written, and which goes first."""

    x: float
    y: float
    text: str
    size: int
    colour: str
    order: tuple[float, ...]


class _Shown(NamedTuple):
    file: MapFile
    tiles: list[tuple[Placed, Tile]]


class Ground:
    """Map files, the coarsest first; the tiles that were read lately are kept."""

    def __init__(self) -> None:
        self._tiles: OrderedDict[tuple[MapFile, int, int, int], tuple[int, Tile]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def shown(self, paths: Sequence[Path], view: View) -> list[_Shown]:
        """Read what a view shows of map files; one that cannot be read is left out."""
        found = []
        for at, path in enumerate(paths):
            try:
                file = open_map(path)
            except (OSError, Damaged) as error:
                logger.warning("The map file %s cannot be read: %s.", path.name, type(error).__name__)
                continue
            # From the second on, a file is one of a town, and is drawn once it has more to tell.
            if at and view.zoom < file.nearest + 1:
                continue
            tiles = list(self._placed(file, view))
            if tiles:
                found.append(_Shown(file, tiles))
        return found

    def _placed(self, file: MapFile, view: View) -> Iterator[tuple[Placed, Tile]]:
        # A tile of a map file is drawn 512 pixels wide, as in the browser.
        zoom = min(max(round(view.zoom) - 1, file.nearest), file.farthest)
        if view.world / (1 << zoom) < 128:
            return
        west, south, east, north = file.box
        box = tiling.mercator_x(west), tiling.mercator_y(north), tiling.mercator_x(east), tiling.mercator_y(south)
        count = 1 << zoom
        for number, placed in enumerate(view.tiles(zoom)):
            inside = placed.x + 1 >= box[0] * count and placed.x <= box[2] * count
            if number < _MOST_TILES and inside and placed.y + 1 >= box[1] * count and placed.y <= box[3] * count:
                tile = self._tile(file, placed)
                if tile:
                    yield placed, tile

    def _tile(self, file: MapFile, placed: Placed) -> Tile:
        key = (file, placed.zoom, placed.x, placed.y)
        with self._lock:
            known = self._tiles.get(key)
            if known is not None:
                self._tiles.move_to_end(key)
                return known[1]
        try:
            tile = read_tile(file.tile(placed.zoom, placed.x, placed.y), LAYERS)
        except (OSError, Damaged) as error:
            logger.warning("A tile of the map file %s cannot be read: %s.", file.path.name, type(error).__name__)
            tile = {}
        size = 200 + sum(layer.points.nbytes + _SHAPE_BYTES * len(layer.features) for layer in tile.values())
        with self._lock:
            if key not in self._tiles:
                self._tiles[key] = size, tile
                self._bytes += size
            while self._bytes > _CACHE_BYTES and len(self._tiles) > 1:
                _, (gone, _) = self._tiles.popitem(last=False)
                self._bytes -= gone
        return tile


def paint(image: Image.Image, shown: Sequence[_Shown], view: View, scale: int, top: int) -> None:
    """Paint a view from `top` on downwards, onto an image that is `scale` times as large."""
    image.paste(SEA, (0, 0, *image.size))
    ways = [rule for rule in RULES if view.zoom >= rule.nearest]
    for _, tiles in shown:
        laid = [(placed.moved(0, -top).scaled(scale), tile) for placed, tile in tiles]
        laid = [(placed, tile) for placed, tile in laid if -placed.size < placed.top < image.height]
        for placed, tile in laid:
            _paint_land(image, tile, placed)
        for rule in ways:
            for placed, tile in laid:
                layer = tile.get(rule.layer)
                if layer is not None:
                    _paint_layer(image, layer, rule, placed, width_at(rule.width, view.zoom) * scale)


def _paint_land(image: Image.Image, tile: Tile, placed: Placed) -> None:
    """Paint what covers the ground, within the borders of the tile.

    Beyond them shapes are cut off, and Pillow draws the cuts, which run along each other, as lines.
    """
    edges = (placed.left, placed.top, placed.left + placed.size, placed.top + placed.size)
    left, top, right, bottom = (max(0, round(edge)) for edge in edges)
    box = (left, top, min(right, image.width), min(bottom, image.height))
    layers = [(tile[rule.layer], rule) for rule in LAND if rule.layer in tile]
    if not layers or box[2] <= left or box[3] <= top:
        return
    part = image.crop(box)
    for layer, rule in layers:
        _paint_layer(part, layer, rule, placed.moved(-left, -top), 0)
    image.paste(part, box)


def labels(shown: Sequence[_Shown], view: View, language: str) -> list[Label]:
    """Give the names that stand in a view, in a language where the map has it, the most important first."""
    found: dict[tuple[str, int, int], Label] = {}
    for file, tiles in shown:
        for placed, tile in tiles:
            layer = tile.get("places")
            for feature in layer.features if layer is not None else ():
                writing = _writing_of(feature, view.zoom)
                if writing is None or layer is None:
                    continue
                x, y = (float(value) for value in layer.points[feature.parts[0][0]])
                # What lies in the margin of a tile is another tile's.
                if not (0 <= x < 1 and 0 <= y < 1):
                    continue
                left, top = placed.left + x * placed.size, placed.top + y * placed.size
                text = str(feature.properties.get(f"name:{language}") or feature.properties.get("name") or "")
                text = " ".join(text.split())
                rank = feature.properties.get("rank", 0)
                order = (writing.first, rank if isinstance(rank, int | float) else 0, -file.farthest)
                if text and 0 <= left < view.width and 0 <= top < view.height:
                    label = Label(left, top, text[:60], writing.size, writing.colour, order)
                    found.setdefault((text, round(left / 40), round(top / 40)), label)
    return sorted(found.values(), key=lambda label: label.order)


def attributions(shown: Sequence[_Shown]) -> list[str]:
    """Name whose maps a view shows."""
    found = []
    for at, (file, _) in enumerate(shown):
        # A town's file that names nobody was most likely cut out of OpenStreetMap, which must be named.
        text = file.attribution() or ("© OpenStreetMap contributors" if at or file.farthest > 8 else "")
        if text and text not in found:
            found.append(text)
    return found


def _writing_of(feature: Feature, zoom: float) -> Writing | None:
    if feature.kind != POINT:
        return None
    kind = kind_of(feature)
    return next((w for w in WRITINGS if kind in w.kinds and w.nearest <= zoom < w.farthest), None)


def _paint_layer(image: Image.Image, layer: Layer, rule: Rule, placed: Placed, wide: float) -> None:
    chosen = [(feature, colour) for feature in layer.features if (colour := rule.colour_of(feature))]
    if not chosen:
        return
    draw = ImageDraw.Draw(image)
    points = layer.points * np.float64(placed.size) + np.array([placed.left, placed.top])
    # Pillow walks along thinner lines pixel by pixel, also far outside of the image.
    width = max(2, round(wide))
    parts = [part for feature, _ in chosen for part in feature.parts]
    seen = _seen(points, parts, (image.width + width, image.height + width), -width)
    flat: list[float] = points.ravel().tolist()
    at = 0
    for feature, colour in chosen:
        visible = seen[at : at + len(feature.parts)]
        at += len(feature.parts)
        if not any(visible):
            continue
        rings = [flat[2 * first : 2 * last] for first, last in feature.parts]
        if feature.kind == POLYGON:
            _area(image, draw, rings, visible, colour)
        else:
            for ring, is_visible in zip(rings, visible, strict=True):
                if is_visible and len(ring) >= 4:
                    _line(image, draw, ring, colour, width)


def _seen(
    points: npt.NDArray[np.float64], parts: list[tuple[int, int]], most: tuple[int, int], least: int
) -> list[Any]:
    edges = np.array(parts, np.int64).ravel()
    # reduceat takes the slices between neighbouring numbers; every second one is between two parts.
    padded = np.concatenate([points, points[-1:]])
    low = np.minimum.reduceat(padded, edges, axis=0)[::2]
    high = np.maximum.reduceat(padded, edges, axis=0)[::2]
    found: list[Any] = np.logical_and.reduce((high > least) & (low < np.array(most)), axis=1).tolist()
    return found


def _area(
    image: Image.Image, draw: ImageDraw.ImageDraw, rings: list[list[float]], visible: list[Any], colour: str
) -> None:
    """Fill outer rings, and leave their holes free."""
    if len(rings) == 1:
        if len(rings[0]) >= 6:
            draw.polygon(rings[0], fill=colour)
        return
    groups: list[list[list[float]]] = []
    for ring, is_visible in zip(rings, visible, strict=True):
        if len(ring) < 6:
            continue
        if not groups or _turn(ring) > 0:
            groups.append([ring] if is_visible else [])
        elif is_visible and groups[-1]:
            groups[-1].append(ring)
    for group in groups:
        if len(group) == 1:
            draw.polygon(group[0], fill=colour)
        elif group:
            _with_holes(image, group, colour)


def _with_holes(image: Image.Image, rings: list[list[float]], colour: str) -> None:
    outer = rings[0]
    left, top = max(0, int(min(outer[::2])) - 1), max(0, int(min(outer[1::2])) - 1)
    right, bottom = min(image.width, int(max(outer[::2])) + 2), min(image.height, int(max(outer[1::2])) + 2)
    if right <= left or bottom <= top:
        return
    mask = Image.new("1", (right - left, bottom - top))
    draw = ImageDraw.Draw(mask)
    for at, ring in enumerate(rings):
        moved = [value - (top if odd % 2 else left) for odd, value in enumerate(ring)]
        draw.polygon(moved, fill=0 if at else 1)
    image.paste(colour, (left, top, right, bottom), mask)


def _turn(ring: list[float]) -> float:
    """Give twice the area of a ring: above zero for an outer one."""
    xs, ys = np.array(ring[::2]), np.array(ring[1::2])
    return float(np.dot(xs, np.roll(ys, -1)) - np.dot(ys, np.roll(xs, -1)))


def _line(image: Image.Image, draw: ImageDraw.ImageDraw, line: list[float], colour: str, width: int) -> None:
    draw.line(line, fill=colour, width=width)
    if width < _ROUNDED_FROM:
        return
    half = (width - 1) / 2
    for x, y in zip(line[::2], line[1::2], strict=True):
        if -width < x < image.width + width and -width < y < image.height + width:
            draw.ellipse((x - half, y - half, x + half, y + half), fill=colour)
