"""Read what stands in a cell: dates, numbers, points."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import shapely
from shapely.errors import ShapelyError
from shapely.geometry import shape

from commonbeat.foundation.coordinates import parse_coordinates
from commonbeat.foundation.text import ascii_digits

# Names of forms that strptime does not know.
ISO, EXCEL, UNIX, MILLISECONDS = "iso", "excel", "unix", "milliseconds"
USUAL_DATES = (
    ISO,
    "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y",
    "%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y",
    "%d-%m-%Y %H:%M", "%d-%m-%Y",
    "%Y/%m/%d %H:%M", "%Y/%m/%d",
)  # fmt: skip
# Day 0 of Excel's dates after its invented 29 February 1900.
_EXCEL_BEGIN = datetime(1899, 12, 30)
_EARLIEST, _LATEST = 1900, 2100
_NUMBER = re.compile(r"[+-]?\d{1,15}(?:\.\d{1,20})?(?:[eE][+-]?\d{1,2})?")
_SPACES = re.compile(r"[\s  ]+")
_MOST_POINTS = 100_000


class PointError(ValueError):
    """No point can be made of what the row gives; carries the rest of a sentence that begins with “it”."""


def read_date(text: str, formats: Sequence[str], zone: ZoneInfo) -> datetime | None:
    """Read a moment in the first of some forms that fits; what names no zone is in the given one."""
    plain = " ".join(ascii_digits(text).split())
    for form in formats or USUAL_DATES:
        moment = _in_form(plain, form, zone)
        if moment is not None and _EARLIEST <= moment.year <= _LATEST:
            return moment
    return None


def read_number(text: str, decimal: str = ".") -> float | None:
    """Read a number as people write it; with decimal="," a point parts thousands."""
    plain = _SPACES.sub("", ascii_digits(text)).replace("−", "-").replace("٫", ".")
    if decimal == ",":
        plain = plain.replace(".", "").replace(",", ".")
    else:
        plain = plain.replace(",", "")
    return float(plain) if _NUMBER.fullmatch(plain) else None


def read_pair(latitude: str, longitude: str) -> tuple[float, float] | None:
    """Read two cells as degrees, with point or comma; None when both are empty or 0, as where no place is known."""
    if not latitude.strip() and not longitude.strip():
        return None
    pair = _degrees(latitude), _degrees(longitude)
    if pair[0] is None or pair[1] is None:
        raise PointError(f"has the point “{latitude[:30].strip()}, {longitude[:30].strip()}”, which is none")
    return in_world(pair[0], pair[1])


def read_point(text: str, *, swap: bool = False) -> tuple[float, float] | None:
    """Read one cell that holds both: any usual form, a map link, or WKT."""
    plain = text.strip()
    if not plain:
        return None
    if plain.startswith("{") or re.match(r"(?:SRID=4326;)?[A-Za-z ]{5,20}\(", plain):
        return _from_text(plain, swap)
    found = parse_coordinates(plain)
    if found is not None:
        return in_world(found[1], found[0]) if swap else found
    parts = re.fullmatch(r"\(?\s*([+-]?[\d.,]+?)\s*[,;\s]\s*([+-]?[\d.,]+?)\s*\)?", plain)
    if parts is None:
        raise PointError(f"has the point “{plain[:60]}”, which is none")
    # A first number beyond 90 is no latitude: perhaps the two are swapped.
    return read_pair(parts[2], parts[1]) if swap else read_pair(parts[1], parts[2])


def read_geometry(geometry: Mapping[str, Any], *, swap: bool = False) -> tuple[float, float] | None:
    """Give the latitude and longitude that stand for a GeoJSON geometry: of an area or line, a point on it."""
    try:
        found = shape(dict(geometry))
        if found.is_empty:
            return None
        if shapely.get_num_coordinates(found) > _MOST_POINTS:
            raise PointError(f"has a geometry of more than {_MOST_POINTS:,} points")
        middle = found.representative_point()
        longitude, latitude = float(middle.x), float(middle.y)
    except PointError:
        raise
    except (ShapelyError, ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError):
        raise PointError("has a geometry that is none") from None
    return in_world(longitude, latitude) if swap else in_world(latitude, longitude)


def in_world(latitude: float, longitude: float) -> tuple[float, float] | None:
    """Give a point that is on Earth; None for 0, 0; PointError for others."""
    if not (math.isfinite(latitude) and math.isfinite(longitude)):
        raise PointError("has a point that is none")
    if (latitude, longitude) == (0.0, 0.0):
        return None
    if abs(latitude) <= 90 and abs(longitude) <= 180:
        return latitude, longitude
    where = f"has the latitude {latitude:g} and the longitude {longitude:g}, which is nowhere on Earth"
    if abs(longitude) <= 90 and abs(latitude) <= 180:
        raise PointError(f"{where}; the two may be swapped (swap = true in [place])")
    raise PointError(f"{where}; are they degrees of WGS 84?")


def _from_text(text: str, swap: bool) -> tuple[float, float] | None:
    try:
        found = (
            shapely.from_geojson(text) if text.startswith("{") else shapely.from_wkt(text.removeprefix("SRID=4326;"))
        )
        return read_geometry(found.__geo_interface__, swap=swap)
    except PointError:
        raise
    except (ShapelyError, ValueError, TypeError, AttributeError):
        raise PointError("has a geometry that is none") from None


def _degrees(text: str) -> float | None:
    plain = _SPACES.sub("", ascii_digits(text)).replace("−", "-").strip("°").replace(",", ".")
    return float(plain) if _NUMBER.fullmatch(plain) else None


def _in_form(plain: str, form: str, zone: ZoneInfo) -> datetime | None:
    try:
        if form == ISO:
            moment = datetime.fromisoformat(plain)
        elif form == EXCEL:
            number = read_number(plain)
            if number is None or number < 1:
                return None
            # A second is 1/86,400 of a day; what is below it is rounding.
            moment = _EXCEL_BEGIN + timedelta(seconds=round(number * 86_400))
        elif form in (UNIX, MILLISECONDS):
            number = read_number(plain)
            if number is None:
                return None
            return datetime.fromtimestamp(number / (1000 if form == MILLISECONDS else 1), UTC)
        else:
            moment = _strptime(plain, form)
        return moment if moment.tzinfo else moment.replace(tzinfo=zone)
    except (ValueError, OverflowError, OSError, re.error):
        return None


@lru_cache(maxsize=1000)
def _strptime(plain: str, form: str) -> datetime:
    return datetime.strptime(plain, form)
