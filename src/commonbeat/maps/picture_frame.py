"""What stands around and on the map of a picture: heading, legend, and whose map it is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from PIL import Image, ImageDraw

from commonbeat.maps import heat
from commonbeat.maps.picture_heat import EDGE
from commonbeat.maps.picture_text import Face

# The site's own colours (commonbeat.css).
PAPER, _SURFACE, _INK, _MUTED, _LINE, _BRAND = "#faf6ee", "#fffdf9", "#26211b", "#5e5549", "#e0d6c5", "#14564b"
_GOLD, _ACCENT, _WALL = "#d79a2b", "#a4471d", "#f6e7cf"
_BAND = 8
# From this width on there is room for larger letters, and for a foot of one line.
_ROOMY, _LARGE = 560, 1_100
_GAP = 10


class Heading(NamedTuple):
    """What is written around a map: its title, what it is narrowed to, the site and the day."""

    title: str
    subtitle: str
    site: str
    day: str
    right_to_left: bool = False


class Legend(NamedTuple):
    """What is written on a map: what the colours count, the number at which each begins, and notes."""

    title: str
    classes: tuple[str, ...]
    counted: str
    notes: tuple[str, ...] = ()
    right_to_left: bool = False


class Frame(NamedTuple):
    """A picture's size, and the part of it that is map."""

    width: int
    height: int
    top: int
    bottom: int

    @property
    def map_height(self) -> int:
        """Tell how high the map is."""
        return self.bottom - self.top

    def sized(self, pixels: float) -> int:
        """Give a measure of letters and gaps on this picture: a poster is read from further away."""
        return round(pixels * (1.4 if self.width >= _LARGE else 1))


class Box(NamedTuple):
    """A part of a picture, in pixels."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Box) -> bool:
        """Tell whether two boxes have something in common."""
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )


def frame_of(width: int, height: int, heading: Heading | None, face: Face) -> Frame:
    """Leave room for what is written around a map; without a heading all is map."""
    if heading is None:
        return Frame(width, height, 0, height)
    title, subtitle = _sizes(width)
    lines = len(_title(heading, width, face))
    top = _BAND + _pad(width) + round(lines * title * 1.3 + (subtitle * 1.5 if heading.subtitle else 0)) + 8
    frame = Frame(width, height, top, height)
    return frame._replace(bottom=height - (frame.sized(30) if width >= _ROOMY else 46))


def draw_heading(image: Image.Image, frame: Frame, heading: Heading, face: Face) -> None:
    """Write the head of a picture, under the woven band."""
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, frame.width, frame.top), fill=_SURFACE)
    image.paste(_woven(frame.width), (0, 0))
    title, subtitle = _sizes(frame.width)
    pen = _Pen(image, face, _pad(frame.width), frame.width - _pad(frame.width), heading.right_to_left)
    y = _BAND + _pad(frame.width) * 0.7
    for line in _title(heading, frame.width, face):
        pen.start(y, line, title, _BRAND, bold=True)
        y += title * 1.3
    if heading.subtitle:
        pen.start(y, heading.subtitle, subtitle, _MUTED)
    draw.line((0, frame.top - 1, frame.width, frame.top - 1), fill=_LINE)


def draw_foot(image: Image.Image, frame: Frame, heading: Heading, sources: Sequence[str], face: Face) -> None:
    """Write the foot of a picture: the site and the day, and whose map it is."""
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, frame.bottom, frame.width, frame.height), fill=_SURFACE)
    draw.line((0, frame.bottom, frame.width, frame.bottom), fill=_LINE)
    pen = _Pen(image, face, _pad(frame.width), frame.width - _pad(frame.width), heading.right_to_left)
    ours, theirs = f"{heading.site} · {heading.day}", " · ".join(sources)
    if frame.width >= _ROOMY:
        small, smaller = frame.sized(13), frame.sized(12)
        theirs = face.fitted(theirs, smaller, pen.room * 0.6)
        ours = face.fitted(ours, small, pen.room - face.width(theirs, smaller) - 16, bold=True)
        pen.start(frame.bottom + frame.sized(7), ours, small, _INK, bold=True)
        pen.end(frame.bottom + frame.sized(8), theirs, smaller, _MUTED)
    else:
        pen.start(frame.bottom + 5, ours, 13, _INK, bold=True)
        pen.start(frame.bottom + 25, theirs, 11, _MUTED)


def draw_sources(image: Image.Image, sources: Sequence[str], face: Face) -> None:
    """Write in a corner whose map it is, where nothing stands around it."""
    text = face.fitted(" · ".join(sources), 11, image.width - 16)
    if not text:
        return
    draw = ImageDraw.Draw(image)
    left = image.width - face.width(text, 11) - 12
    draw.rounded_rectangle((left, image.height - 20, image.width + 6, image.height + 6), 6, fill=_SURFACE)
    face.write(image, (image.width - 6, image.height - 18), text, 11, _MUTED, anchor="ra")


def fitting(frame: Frame, legend: Legend | None, face: Face) -> Legend | None:
    """Leave out notes of a legend, and at last the legend, where the map has no room for them."""
    while legend is not None and legend_box(frame, legend, face).top < frame.top + _GAP:
        legend = legend._replace(notes=legend.notes[:-1]) if legend.notes else None
    return legend


def legend_box(frame: Frame, legend: Legend, face: Face) -> Box:
    """Tell where the legend stands: in the lower corner at which a line begins."""
    size = _card(frame, legend, face).size
    margin = _pad(frame.width) * 0.6
    left = frame.width - margin - size[0] if legend.right_to_left else margin
    return Box(left, frame.bottom - margin - size[1], left + size[0], frame.bottom - margin)


def draw_legend(image: Image.Image, frame: Frame, legend: Legend, face: Face) -> None:
    """Draw the legend."""
    card, box = _card(frame, legend, face), legend_box(frame, legend, face)
    image.paste(_rounded(card.size), (round(box.left), round(box.top)), _rounded_mask(card.size))
    draw = ImageDraw.Draw(image)
    sized, gap = frame.sized, frame.sized(_GAP)
    pen = _Pen(image, face, box.left + gap, box.right - gap, legend.right_to_left)
    y = box.top + gap - 2
    for line in card.titles:
        pen.start(y, line, sized(13), _INK, bold=True)
        y += sized(19)
    for row in card.rows:
        x = 0.0
        for colour, label, width in row:
            left = box.right - gap - x - width if legend.right_to_left else box.left + gap + x
            draw.rectangle((left, y + 2, left + width - 2, y + sized(13)), fill=colour, outline=EDGE)
            middle = left + width / 2 - 1, y + sized(15)
            face.write(image, middle, label, sized(12), _INK, anchor="ma", right_to_left=False)
            x += width
        y += sized(35)
    for line in card.notes:
        pen.start(y, line, sized(12), _MUTED)
        y += sized(17)


class _Card(NamedTuple):
    titles: list[str]
    rows: list[list[tuple[str, str, float]]]
    notes: list[str]
    size: tuple[int, int]


def _card(frame: Frame, legend: Legend, face: Face) -> _Card:
    sized, gap = frame.sized, frame.sized(_GAP)
    most = min(frame.width - _pad(frame.width) * 1.2, sized(480)) - 2 * gap
    rows: list[list[tuple[str, str, float]]] = []
    room = 0.0
    for colour, label in zip(heat.COLOURS, legend.classes, strict=False):
        width = max(float(sized(34)), face.width(label, sized(12)) + sized(10))
        if not rows or room + width > most:
            rows.append([])
            room = 0.0
        rows[-1].append((colour, label, width))
        room += width
    wide = max([sum(entry[2] for entry in row) for row in rows], default=0.0)
    longest = max(face.width(text, sized(13), bold=True) for text in (legend.title, legend.counted))
    wide = max(wide, min(most, longest))
    titles = face.wrapped(legend.title, sized(13), wide, 2, bold=True)
    # Notes may be long: they make the card higher rather than wider.
    notes = [line for text in (legend.counted, *legend.notes) for line in face.wrapped(text, sized(12), wide, 4)]
    height = 2 * gap - 2 + sized(19) * len(titles) + sized(35) * len(rows) + sized(17) * len(notes)
    return _Card(titles, rows, notes, (math.ceil(wide) + 2 * gap + 1, height))


class _Pen:
    """Write at the begin or the end of lines, as the language runs."""

    def __init__(self, image: Image.Image, face: Face, left: float, right: float, turned: bool) -> None:
        self._image, self._face, self._left, self._right, self._turned = image, face, left, right, turned

    @property
    def room(self) -> float:
        """Tell how wide a line may be."""
        return self._right - self._left

    def start(self, y: float, text: str, size: int, colour: str, *, bold: bool = False) -> None:
        """Write from the begin of a line."""
        self._write(y, text, size, colour, bold, is_right=self._turned)

    def end(self, y: float, text: str, size: int, colour: str, *, bold: bool = False) -> None:
        """Write up to the end of a line."""
        self._write(y, text, size, colour, bold, is_right=not self._turned)

    def _write(self, y: float, text: str, size: int, colour: str, bold: bool, *, is_right: bool) -> None:
        fitted = self._face.fitted(text, size, self.room, bold=bold)
        x, anchor = (self._right, "ra") if is_right else (self._left, "la")
        self._face.write(
            self._image, (x, y), fitted, size, colour, bold=bold, anchor=anchor, right_to_left=self._turned
        )


def _title(heading: Heading, width: int, face: Face) -> list[str]:
    return face.wrapped(heading.title, _sizes(width)[0], width - 2 * _pad(width), 2, bold=True)


def _sizes(width: int) -> tuple[int, int]:
    return (18, 13) if width < _ROOMY else (24, 16) if width < _LARGE else (34, 22)


def _pad(width: int) -> int:
    return 12 if width < _ROOMY else 18 if width < _LARGE else 24


def _woven(width: int) -> Image.Image:
    """Draw the band that every page of the site has at its head."""
    scale = 4
    tile = Image.new("RGB", (32 * scale, _BAND * scale), _BRAND)
    draw = ImageDraw.Draw(tile)
    shapes = (
        (_GOLD, (0, 8, 8, 0, 16, 8)),
        (_ACCENT, (4, 8, 8, 4, 12, 8)),
        (_WALL, (16, 0, 24, 8, 32, 0, 28, 0, 24, 4, 20, 0)),
    )
    for colour, shape in shapes:
        draw.polygon([value * scale for value in shape], fill=colour)
    small = tile.reduce(scale)
    band = Image.new("RGB", (width, _BAND))
    for left in range(0, width, 32):
        band.paste(small, (left, 0))
    return band


def _rounded(size: tuple[int, int]) -> Image.Image:
    card = Image.new("RGB", size, _SURFACE)
    ImageDraw.Draw(card).rounded_rectangle((0, 0, size[0] - 1, size[1] - 1), 8, outline=_LINE)
    return card


def _rounded_mask(size: tuple[int, int]) -> Image.Image:
    scale = 4
    mask = Image.new("L", (size[0] * scale, size[1] * scale))
    box = (0, 0, size[0] * scale - 1, size[1] * scale - 1)
    # A trace of the map shows through, so that the card belongs to it.
    ImageDraw.Draw(mask).rounded_rectangle(box, 8 * scale, fill=242)
    return mask.reduce(scale)
