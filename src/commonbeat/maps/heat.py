"""Tiles as pictures: cells in heat colours, for pages without JavaScript, for print and for old phones."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from functools import cache
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from commonbeat.maps.shapes import Shapes

SIZE = 256
# The least n of each class, and its colour: pale to dark, so that it also reads in grey and by colour-blind eyes.
CLASSES = (1, 3, 10, 30, 100, 300, 1_000, 3_000)
COLOURS = ("#ffe9b3", "#ffd07c", "#fcac58", "#f28046", "#db5340", "#b52c4a", "#841852", "#4e0b48")
# The same for numbers of a month, which may be small parts: the first class is “less than one in ten months”.
MONTHLY_CLASSES = (0.0, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
_ALPHA = 200


def class_of(n: int) -> int:
    """Tell in which class, 0 to 7, a count is drawn."""
    return int(np.searchsorted(CLASSES, n, side="right")) - 1


def picture(shapes: Shapes, values: npt.NDArray[Any] | None = None, classes_from: Sequence[float] = CLASSES) -> bytes:
    """Draw a tile as a PNG of 256 × 256 pixels, transparent where there is nothing; values stand for n if given."""
    if not len(shapes.n):
        return empty_picture()
    image = Image.new("P", (SIZE, SIZE), 0)
    draw = ImageDraw.Draw(image)
    classes = np.searchsorted(classes_from, shapes.n if values is None else values, side="right")
    polygons = [(int(classes[which]), ring) for which, ring in zip(shapes.which.tolist(), _rings(shapes), strict=True)]
    polygons += [(int(classes[index]), [v * SIZE for p in ring for v in p]) for index, ring in shapes.odd]
    # The coarse first: what was merged lies under what was not.
    fine = shapes.resolutions
    if fine.min() != fine.max():
        order = [*fine[shapes.which].tolist(), *(int(fine[index]) for index, _ in shapes.odd)]
        polygons = [polygons[at] for at in np.argsort(order, kind="stable").tolist()]
    for colour, ring in polygons:
        draw.polygon(ring, fill=colour)
    return _png(image)


@cache
def empty_picture() -> bytes:
    """Give the tile on which nothing is."""
    return _png(Image.new("P", (SIZE, SIZE), 0))


def _rings(shapes: Shapes) -> list[list[float]]:
    flat = np.stack([shapes.x, shapes.y], axis=2).reshape(len(shapes.x), 12) * SIZE
    rings: list[list[float]] = flat.tolist()
    return rings


def _png(image: Image.Image) -> bytes:
    palette = [0, 0, 0]
    for colour in COLOURS:
        palette += [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    image.putpalette(palette)
    out = BytesIO()
    transparency = bytes([0] + [_ALPHA] * len(COLOURS))
    image.save(out, "PNG", transparency=transparency, compress_level=zlib.Z_BEST_SPEED, bits=4)
    return out.getvalue()
