"""Cells on a picture: outlines in pixels, and the colours of heat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from commonbeat.foundation import cells as h3cells
from commonbeat.maps import heat
from commonbeat.maps.arrays import Sums
from commonbeat.maps.outlines import Outlines, box_of
from commonbeat.maps.picture_view import View

# The streets beneath must stay readable.
_OPACITY, _EDGE_OPACITY = 190, 190
# Around each cell, for the palest is as pale as paper.
EDGE = "#9c5a34"
_STRIP = 256


class Area(NamedTuple):
    """One cell as it is drawn: its outline in pixels of the view, how fine it is, and what is in it."""

    ring: list[float]
    resolution: int
    n: float


class Laid(NamedTuple):
    """Every cell that touches a view, the coarse ones first, and what they come to; each counts once."""

    areas: list[Area]
    total: float
    cells: int
    most: float


def lay(sums: Sums, view: View, outlines: Outlines) -> Laid:
    """Lay cells on a view, and leave out those beside it."""
    hexagons, odd = outlines.of(sums.cells)
    resolutions = h3cells.resolutions(sums.cells)
    areas: list[Area] = []
    drawn: list[npt.NDArray[np.int64]] = [np.empty(0, np.int64)]
    # A cell across the date line reaches beyond either end of the square.
    shifts = range(view.shifts[0] - 1, view.shifts[-1] + 2)
    across, down = hexagons.corners()
    ys = (down - view.north) * view.world
    for shift in shifts:
        xs = (across + shift - view.west) * view.world
        some = np.flatnonzero(_touches(xs, ys, view))
        which = hexagons.which[some]
        rings = np.stack([xs[some], ys[some]], axis=2).reshape(len(some), 12).tolist()
        areas += map(Area, rings, resolutions[which].tolist(), sums.n[which].tolist())
        drawn.append(which)
    for index, ring in odd:
        for shift in shifts:
            laid = [((x + shift - view.west) * view.world, (y - view.north) * view.world) for x, y in ring]
            west, north, east, south = box_of(laid)
            if east > 0 and west < view.width and south > max(north, 0) and north < view.height:
                flat = [value for point in laid for value in point]
                areas.append(Area(flat, int(resolutions[index]), sums.n[index].item()))
                drawn.append(np.array([index], np.int64))
    shown = sums.n[np.unique(np.concatenate(drawn))]
    areas.sort(key=lambda area: area.resolution)
    return Laid(areas, shown.sum().item(), len(shown), shown.max(initial=0).item())


def glow(image: Image.Image, laid: Laid, scale: int, top: int, classes: Sequence[float]) -> None:
    """Paint cells, half transparent, from `top` on downwards, onto an image that is `scale` times as large."""
    if not laid.areas:
        return
    found = np.searchsorted(classes, [area.n for area in laid.areas], side="right").tolist()
    index = Image.new("L", image.size)
    draw = ImageDraw.Draw(index)
    start, edge = 0, len(heat.COLOURS) + 1
    for end in range(1, len(laid.areas) + 1):
        if end < len(laid.areas) and laid.areas[end].resolution == laid.areas[start].resolution:
            continue
        rings = [_scaled(area.ring, scale, top) for area in laid.areas[start:end]]
        for ring, colour in zip(rings, found[start:end], strict=True):
            draw.polygon(ring, fill=colour)
        for ring in rings:
            draw.line([*ring, *ring[:2]], fill=edge, width=1)
        start = end
    _paste(image, index)


def _scaled(ring: list[float], scale: int, top: int) -> list[float]:
    return [(value - top if odd % 2 else value) * scale for odd, value in enumerate(ring)]


def _touches(xs: npt.NDArray[np.float64], ys: npt.NDArray[np.float64], view: View) -> npt.NDArray[Any]:
    found: npt.NDArray[Any] = (
        (xs.max(axis=1) > 0) & (xs.min(axis=1) < view.width) & (ys.max(axis=1) > 0) & (ys.min(axis=1) < view.height)
    )
    return found


def _paste(image: Image.Image, index: Image.Image) -> None:
    palette = [0, 0, 0, *(int(colour[at : at + 2], 16) for colour in (*heat.COLOURS, EDGE) for at in (1, 3, 5))]
    opacity = [0] + [_OPACITY] * len(heat.COLOURS) + [_EDGE_OPACITY] * (255 - len(heat.COLOURS))
    # In strips: the colours of a whole poster would take 30 MB more.
    for top in range(0, image.height, _STRIP):
        box = (0, top, image.width, min(top + _STRIP, image.height))
        strip = index.crop(box)
        if strip.getbbox() is None:
            continue
        mask = strip.point(opacity)
        strip.putpalette(palette)
        image.paste(strip.convert("RGB"), box, mask)
