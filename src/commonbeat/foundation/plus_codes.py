"""Plus codes (Open Location Codes): a square of about 14 metres in ten signs, or in fewer near a known place."""

from __future__ import annotations

import re
from typing import NamedTuple

_DIGITS = "23456789CFGHJMPQRVWX"
_BASE = 20
_BEFORE_PLUS = 8
# Signs that are read; those behind them tell less than the width of a hair.
_MOST_DIGITS, _PAIRED_DIGITS = 15, 10
_GRID_ROWS, _GRID_COLUMNS = 5, 4
# In eights of a degree's smallest part: 1 degree = 8000 · 5^5 rows, 8000 · 4^5 columns.
_ROWS_PER_DEGREE, _COLUMNS_PER_DEGREE = 8_000 * _GRID_ROWS**5, 8_000 * _GRID_COLUMNS**5
_SIGN = "[2-9CFGHJMPQRVWX]"
# Nothing else looks like eight of these signs with a plus; shorter ones need a letter, for numbers are added, too.
FULL = re.compile(rf"(?<![\w+])({_SIGN}{{8}}\+(?:{_SIGN}{{2,7}})?)(?![\w+])", re.IGNORECASE)
_SHORT = re.compile(
    rf"(?<![\w+])(?=[\d+]*[CFGHJMPQRVWX])({_SIGN}{{4}}(?:{_SIGN}{{2}})?\+{_SIGN}{{2,7}})(?![\w+])", re.IGNORECASE
)


class Square(NamedTuple):
    """What a code stands for, in degrees."""

    south: float
    west: float
    north: float
    east: float

    @property
    def middle(self) -> tuple[float, float]:
        """Give the latitude and longitude of the middle."""
        return round((self.south + self.north) / 2, 7), round((self.west + self.east) / 2, 7)


def full_code(text: str) -> str:
    """Find a full plus code of at least eight signs in a text; empty when there is none."""
    for match in FULL.finditer(text):
        code = match[1].upper()
        if _is_on_globe(code):
            return code
    return ""


def short_code(text: str) -> tuple[str, str]:
    """Find a short plus code such as 8QJ5+3Q in a text; give it and the text around it."""
    match = _SHORT.search(text)
    if match is None:
        return "", text
    return match[1].upper(), f"{text[: match.start()]} {text[match.end() :]}".strip(" ,;:-")


def decode(code: str) -> Square:
    """Give the square of a full code; ValueError when it is none."""
    plain = code.upper().replace("+", "").rstrip("0")
    if code.find("+") != _BEFORE_PLUS or len(plain) < 2 or any(sign not in _DIGITS for sign in plain):
        raise ValueError("this is no full plus code")
    row, column = -90 * _ROWS_PER_DEGREE, -180 * _COLUMNS_PER_DEGREE
    height, width = _BASE * _BASE * _ROWS_PER_DEGREE, _BASE * _BASE * _COLUMNS_PER_DEGREE
    signs = plain[:_MOST_DIGITS]
    for at in range(0, min(len(signs), _PAIRED_DIGITS), 2):
        height, width = height // _BASE, width // _BASE
        row += _DIGITS.index(signs[at]) * height
        column += _DIGITS.index(signs[at + 1]) * width
    for sign in signs[_PAIRED_DIGITS:]:
        height, width = height // _GRID_ROWS, width // _GRID_COLUMNS
        down, across = divmod(_DIGITS.index(sign), _GRID_COLUMNS)
        row += down * height
        column += across * width
    return Square(
        row / _ROWS_PER_DEGREE,
        column / _COLUMNS_PER_DEGREE,
        (row + height) / _ROWS_PER_DEGREE,
        (column + width) / _COLUMNS_PER_DEGREE,
    )


def encode(latitude: float, longitude: float) -> str:
    """Give the full code of ten signs for a point."""
    row = min(max(round((latitude + 90) * _ROWS_PER_DEGREE), 0), 180 * _ROWS_PER_DEGREE - 1)
    column = round((longitude + 180) * _COLUMNS_PER_DEGREE) % (360 * _COLUMNS_PER_DEGREE)
    height, width = _BASE * _BASE * _ROWS_PER_DEGREE, _BASE * _BASE * _COLUMNS_PER_DEGREE
    signs = ""
    for _pair in range(_PAIRED_DIGITS // 2):
        height, width = height // _BASE, width // _BASE
        signs += _DIGITS[row // height] + _DIGITS[column // width]
        row, column = row % height, column % width
    return f"{signs[:_BEFORE_PLUS]}+{signs[_BEFORE_PLUS:]}"


def complete(short: str, latitude: float, longitude: float) -> Square:
    """Give the square of a short code that lies nearest to a point; ValueError when it is none."""
    missing = _BEFORE_PLUS - short.find("+")
    if missing not in (2, 4, 6, 8) or "+" not in short:
        raise ValueError("this is no short plus code")
    step = _BASE ** (2 - missing // 2)
    found = decode(encode(latitude, longitude)[:missing] + short.upper())
    north = _nearer(found.middle[0], latitude, step, -90, 90)
    east = _nearer(found.middle[1], longitude, step, -360, 360)
    return Square(found.south + north, found.west + east, found.north + north, found.east + east)


def _nearer(middle: float, wanted: float, step: float, least: float, most: float) -> float:
    if wanted + step / 2 < middle and middle - step >= least:
        return -step
    if wanted - step / 2 > middle and middle + step <= most:
        return step
    return 0


def _is_on_globe(code: str) -> bool:
    # 180 and 360 degrees are 9 and 18 steps of 20.
    return _DIGITS.index(code[0]) < 9 and _DIGITS.index(code[1]) < 18
