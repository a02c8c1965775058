"""Draw a map as a picture: ground, heat, names, legend. For posters, for posts, and for pages without JavaScript."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from commonbeat.maps import basemap, heat
from commonbeat.maps.basemap import Ground, Label
from commonbeat.maps.basemap_style import HALO
from commonbeat.maps.picture_frame import (
    PAPER,
    Box,
    Frame,
    Heading,
    Legend,
    draw_foot,
    draw_heading,
    draw_legend,
    draw_sources,
    fitting,
    legend_box,
)
from commonbeat.maps.picture_heat import Laid, glow
from commonbeat.maps.picture_text import Face
from commonbeat.maps.picture_view import View

# Twice as large and then reduced: so edges are smooth, which Pillow's own are not.
_SCALE = 2
# A poster is painted in bands, for at twice its size it would take 31 MB, and as much again while it is being painted.
_BAND_PIXELS = 650_000
_COLOURS = 256


class Scene(NamedTuple):
    """What is drawn, of which the frame's map is the view."""

    frame: Frame
    view: View
    laid: Laid
    language: str
    heading: Heading | None = None
    legend: Legend | None = None
    # The least n of each class.
    classes: Sequence[float] = heat.CLASSES


def draw(scene: Scene, ground: Ground, files: Sequence[Path], face: Face) -> bytes:
    """Draw a scene as a PNG, on the map files, the coarsest first."""
    frame, view = scene.frame, scene.view
    shown = ground.shown(files, view)
    image = Image.new("RGB", (frame.width, frame.height), PAPER)
    rows = max(1, _BAND_PIXELS // view.width)
    for top in range(0, view.height, rows):
        large = Image.new("RGB", (view.width * _SCALE, min(rows, view.height - top) * _SCALE))
        basemap.paint(large, shown, view, _SCALE, top)
        glow(large, scene.laid, _SCALE, top, scene.classes)
        image.paste(large.reduce(_SCALE), (0, frame.top + top))
    legend = fitting(frame, scene.legend, face)
    taken = [legend_box(frame, legend, face)] if legend is not None else []
    _write_names(image, frame, basemap.labels(shown, view, scene.language), taken, face)
    sources = basemap.attributions(shown)
    if legend is not None:
        draw_legend(image, frame, legend, face)
    if scene.heading is None:
        draw_sources(image, sources, face)
    else:
        draw_heading(image, frame, scene.heading, face)
        draw_foot(image, frame, scene.heading, sources, face)
    out = BytesIO()
    # A map has few colours, and a third of the bytes matters on a slow line.
    image.quantize(_COLOURS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(out, "PNG")
    return out.getvalue()


def _write_names(image: Image.Image, frame: Frame, names: Sequence[Label], taken: list[Box], face: Face) -> None:
    """Write the names that have room; what has no letters in the font is left out."""
    for name in names:
        if not face.has(name.text):
            continue
        size = frame.sized(name.size)
        room = max(size * 9.0, *(face.width(word, size, bold=True) + 1 for word in name.text.split()))
        lines = face.wrapped(name.text, size, room, 3, bold=True)
        height = size * 1.3
        wide = max(face.width(line, size, bold=True) for line in lines) / 2 + 3
        top = frame.top + name.y - height * len(lines) / 2
        box = Box(name.x - wide, top, name.x + wide, top + height * len(lines))
        inside = box.left >= 0 and box.right <= frame.width and box.top >= frame.top and box.bottom <= frame.bottom
        if not inside or any(box.meets(other) for other in taken):
            continue
        taken.append(box)
        for at, line in enumerate(lines):
            place = (name.x, top + height * (at + 0.5))
            face.write(image, place, line, size, name.colour, bold=True, anchor="mm", halo=HALO)
