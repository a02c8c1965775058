"""Write on a picture: fonts, how wide a text is, and whether a font has the letters for it."""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

from commonbeat.maps.picture_script import has_right_to_left, laid_out

# What no font has a letter for: its box is what is drawn in place of a missing one.
_MISSING = "\uffff"
_PROBE = 20
# Letters are drawn larger and then reduced: else each is moved to a whole pixel, and words look uneven.
_FINE = 4
# How far a halo reaches, in parts of the size.
_HALO = 0.16


class Face(NamedTuple):
    """The files of a font: regular and bold."""

    regular: Path
    bold: Path

    def font(self, size: int, *, bold: bool = False) -> ImageFont.FreeTypeFont:
        """Give the font in a size, in pixels."""
        return _font(self.bold if bold else self.regular, size)

    def width(self, text: str, size: int, *, bold: bool = False) -> float:
        """Tell how wide a text is."""
        return self.font(size * _FINE, bold=bold).getlength(_line(text)) / _FINE

    def has(self, text: str) -> bool:
        """Tell whether the font has every letter of a text."""
        return all(_has(self.regular, letter) for letter in _line(text) if not letter.isspace())

    def fitted(self, text: str, size: int, room: float, *, bold: bool = False) -> str:
        """Cut a text so that it fits, with an ellipsis in place of what is gone."""
        if self.width(text, size, bold=bold) <= room:
            return text
        low, high = 0, len(text)
        while low < high:
            middle = (low + high + 1) // 2
            if self.width(f"{text[:middle].rstrip()}…", size, bold=bold) <= room:
                low = middle
            else:
                high = middle - 1
        return f"{text[:low].rstrip()}…"

    def wrapped(self, text: str, size: int, room: float, most: int, *, bold: bool = False) -> list[str]:
        """Break a text between words into at most so many lines."""
        lines: list[str] = []
        for word in text.split():
            longer = f"{lines[-1]} {word}" if lines else word
            if lines and (len(lines) == most or self.width(longer, size, bold=bold) <= room):
                lines[-1] = longer
            else:
                lines.append(word)
        return [self.fitted(line, size, room, bold=bold) for line in lines]

    def write(
        self,
        image: Image.Image,
        place: tuple[float, float],
        text: str,
        size: int,
        colour: str,
        *,
        bold: bool = False,
        anchor: str = "la",
        halo: str = "",
        right_to_left: bool | None = None,
    ) -> None:
        """Write a line; without a direction it runs as its first letter does."""
        line = _line(text, right_to_left)
        font = self.font(size * _FINE, bold=bold)
        x, y = place[0] * _FINE, place[1] * _FINE
        stroke = round(_HALO * size * _FINE) if halo else 0
        left, top, right, bottom = font.getbbox(line, anchor=anchor, stroke_width=stroke)
        corner = math.floor((x + left) / _FINE), math.floor((y + top) / _FINE)
        wide = math.ceil((x + right) / _FINE) - corner[0] + 1, math.ceil((y + bottom) / _FINE) - corner[1] + 1
        origin = x - corner[0] * _FINE, y - corner[1] * _FINE
        for paint, thick in ((halo, stroke), (colour, 0)):
            if paint:
                mask = Image.new("L", (wide[0] * _FINE, wide[1] * _FINE))
                pen = ImageDraw.Draw(mask)
                pen.text(origin, line, fill=255, font=font, anchor=anchor, stroke_width=thick)
                image.paste(paint, (*corner, corner[0] + wide[0], corner[1] + wide[1]), mask.reduce(_FINE))


def _line(text: str, right_to_left: bool | None = None) -> str:
    turned = has_right_to_left(text) if right_to_left is None else right_to_left
    return laid_out(" ".join(text.split()), right_to_left=turned)


@lru_cache(maxsize=64)
def _font(path: Path, size: int) -> ImageFont.FreeTypeFont:
    # Letters come in their order and joined already; the other engine is not on every machine.
    return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=4_096)
def _has(path: Path, letter: str) -> bool:
    font = _font(path, _PROBE)
    found, missing = font.getmask(letter), font.getmask(_MISSING)
    return found.size != missing.size or bytes(found) != bytes(missing)
