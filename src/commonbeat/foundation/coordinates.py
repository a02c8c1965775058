"""Coordinates in the forms that people paste."""

import re
import unicodedata
from urllib.parse import unquote, unquote_plus

from commonbeat.foundation.map_links import MAP_LINK, on_globe, point_in_links, written_pins
from commonbeat.foundation.map_links import WHOLE as _WHOLE
from commonbeat.foundation.plus_codes import FULL as FULL_PLUS_CODE
from commonbeat.foundation.plus_codes import decode, full_code
from commonbeat.foundation.text import ascii_digits

# Whole-text forms are read generously; inside a sentence only what cannot be anything else.
_LONGEST = 4000

_PAIR = re.compile(rf"({_WHOLE})(?:\s*[,;/|]\s*|\s+)({_WHOLE})")
_COMMA_PAIR = re.compile(r"([+-]?\d{1,3},\d+)(?:\s*[;/|]\s*|,\s+|\s+)([+-]?\d{1,3},\d+)")
_COMMA_RUN = re.compile(r"([+-]?\d{1,3},\d{4,}),([+-]?\d{1,3},\d{4,})")
# Three decimals or more (about 100 m): no time, price, date or version has them on both sides.
_EMBEDDED = re.compile(
    r"(?<![\w.,+:/-])([+-]?\d{1,2}\.\d{3,})(?:\s*[,;/]\s*|\s+)([+-]?\d{1,3}\.\d{3,})(?![\w:/-]|[.,]\d)"
)

_DEGREE = "[°º˚]"
_MINUTE = "(?:'(?!')|[′’‘ʹ´])"
_SECOND = "(?:\"|''|[″”“ʺ]|′′|’’)"
_MARKED = rf"""
    (?P<{{0}}deg>[+-]?\d{{{{1,3}}}}(?:[.,]\d+)?)\s*{_DEGREE}\s*
    (?:(?P<{{0}}min>\d{{{{1,2}}}}(?:[.,]\d+)?)\s*{_MINUTE}?\s*
    (?:(?P<{{0}}sec>\d{{{{1,2}}}}(?:[.,]\d+)?)\s*{_SECOND}?\s*)?)?
"""
_BARE = r"""
    (?P<{0}deg>[+-]?\d{{1,3}}(?:[.,]\d+)?)\s*
    (?:[\s:](?P<{0}min>\d{{1,2}}(?:[.,]\d+)?)\s*
    (?:[\s:](?P<{0}sec>\d{{1,2}}(?:[.,]\d+)?)\s*)?)?
"""
_GAP = r"[\s,;/|]*"


def _sexagesimal(component: str, *, prefix: bool, suffix: bool) -> re.Pattern[str]:
    sides = []
    for side in "ab":
        before = rf"(?P<{side}hemi>[NSEW])\s*:?\s*" if prefix else ""
        after = rf"(?P<{side}hemi>[NSEW])" if suffix else ""
        sides.append(before + component.format(side) + after)
    return re.compile(rf"(?<![\w.,]){sides[0]}{_GAP}{sides[1]}(?![\w]|[.,]\d)", re.VERBOSE)


_MARKED_FORMS = (
    _sexagesimal(_MARKED, prefix=False, suffix=True),
    _sexagesimal(_MARKED, prefix=True, suffix=False),
)
_MARKED_SIGNED = _sexagesimal(_MARKED, prefix=False, suffix=False)
_BARE_FORMS = (
    _sexagesimal(_BARE, prefix=False, suffix=True),
    _sexagesimal(_BARE, prefix=True, suffix=False),
)

_LAT_WORD = r"(?:latitude|latitud|lat|gjerësia|gjeresia|خط العرض|عرض)"
_LON_WORD = r"(?:longitude|longitud|long|lon|lng|gjatësia|gjatesia|خط الطول|طول)"
_VALUE = r"[\"']?\s*[:=]?\s*[\"']?([+-]?\d{1,3}(?:[.,]\d+)?)[\"']?"
_LABELLED = re.compile(rf"\b{_LAT_WORD}{_VALUE}[\s,;&|\"']*{_LON_WORD}{_VALUE}(?!\d|[.,]\d)", re.IGNORECASE)
_LABELLED_LON_FIRST = re.compile(rf"\b{_LON_WORD}{_VALUE}[\s,;&|\"']*{_LAT_WORD}{_VALUE}(?!\d|[.,]\d)", re.IGNORECASE)
_WKT = re.compile(rf"\bPOINT\s*\(\s*({_WHOLE})\s+({_WHOLE})\s*\)", re.IGNORECASE)

_GEO = re.compile(rf"\bgeo:\s*({_WHOLE}),\s*({_WHOLE})(?![\d.])(\S*)", re.IGNORECASE)
_GEO_QUERY = re.compile(rf"[?&]q=({_WHOLE}),\s*({_WHOLE})(?![\d.])")

_HEMISPHERES = [
    (re.compile(rf"(?<![^\W\d_])(?:{words})(?![^\W\d_])", re.IGNORECASE), letter)
    for words, letter in (
        ("north|(?:gjerësi |gjeresi )?veriore|veri|v|nord|شمالا|شمالي|شمال|ش", "N"),
        ("south|(?:gjerësi |gjeresi )?jugore|jug|j|جنوبا|جنوبي|جنوب|ج", "S"),
        ("east|(?:gjatësi |gjatesi )?lindore|lindje|l|ost|شرقا|شرقي|شرق|ق", "E"),
        ("west|(?:gjatësi |gjatesi )?perëndimore|perëndim|perendim|p|غربا|غربي|غرب|غ", "W"),
    )
]
_MINUS = str.maketrans("−‐‑‒–﹣－", "-------")
_ARABIC_PUNCTUATION = str.maketrans({"٫": ".", "،": ",", "؛": ";"})
# About 100 m: the same place once more, as a link and as numbers.
_SAME_DEGREES = 0.001
_WRAPPING = " \t\n()[]{}<>.;,\"'"


def parse_coordinates(text: str) -> tuple[float, float] | None:
    """Return the (latitude, longitude) in a text, in degrees, or None.

    Reads decimal pairs with point or comma, degrees with minutes and seconds, hemispheres before or after,
    labels, geo: URIs, map links and full plus codes. Refuses what is out of range, and 0,0: it is what devices send
    without a fix.
    """
    plain = _plain(text[:_LONGEST])
    links = (_from_uri, _from_written_pin, point_in_links, _from_plus_code)
    for read in (*links, _from_labels, _from_degrees, _from_decimals):
        found = read(plain)
        if found is not None:
            return found
    return None


def without_coordinates(text: str, point: tuple[float, float]) -> str:
    """Take out of a text what parse_coordinates reads as this point; links, labels and degrees included."""
    # Position for position, unlike _plain: what stays is the person's own writing.
    plain = ascii_digits(text[:_LONGEST]).translate(_MINUS).translate(_ARABIC_PUNCTUATION).replace("\u00a0", " ")
    links = (MAP_LINK, _GEO, FULL_PLUS_CODE)
    forms = (*links, _LABELLED, _LABELLED_LON_FIRST, _WKT, *_MARKED_FORMS, *_BARE_FORMS, _EMBEDDED, _PAIR)
    kept, cut = list(text), False
    for form in forms:
        for match in form.finditer(plain):
            found = parse_coordinates(match.group())
            if found is not None and max(abs(found[0] - point[0]), abs(found[1] - point[1])) < _SAME_DEGREES:
                kept[match.start() : match.end()] = [""] * (match.end() - match.start())
                cut = True
    if not cut:
        return text
    return re.sub(r"[^\S\n]{2,}", " ", "".join(kept)).strip(" \n,;:-@(").strip()


def _plain(text: str) -> str:
    # Direction marks, and Arabic vowel signs ("شمالاً"), say nothing here.
    kept = "".join(c for c in ascii_digits(text) if unicodedata.category(c) != "Cf" and not "\u064b" <= c <= "\u0652")
    return kept.translate(_MINUS).translate(_ARABIC_PUNCTUATION).replace("\u00a0", " ").strip()


def _from_uri(text: str) -> tuple[float, float] | None:
    match = _GEO.search(unquote_plus(text) if "geo:" in text.lower() else text)
    if match is None:
        return None
    query = _GEO_QUERY.search(match[3])
    return (query and on_globe(query[1], query[2])) or on_globe(match[1], match[2])


def _from_written_pin(text: str) -> tuple[float, float] | None:
    return next((found for pin in written_pins(text) if (found := _from_degrees(pin))), None)


def _from_plus_code(text: str) -> tuple[float, float] | None:
    code = full_code(unquote(text) if "%2B" in text.upper() else text)
    return on_globe(*decode(code).middle) if code else None


def _from_labels(text: str) -> tuple[float, float] | None:
    match = _LABELLED.search(text)
    if match:
        return on_globe(match[1], match[2])
    match = _LABELLED_LON_FIRST.search(text) or _WKT.search(text)
    return on_globe(match[2], match[1]) if match else None


def _from_degrees(text: str) -> tuple[float, float] | None:
    for pattern, letter in _HEMISPHERES:
        text = pattern.sub(letter, text)
    text = text.strip(_WRAPPING.replace("'", "").replace('"', "")).upper()
    for form in _MARKED_FORMS:
        match = form.search(text)
        found = match and _degrees(match, match["ahemi"], match["bhemi"])
        if found:
            return found
    match = _MARKED_SIGNED.fullmatch(text)
    if match:
        return _degrees(match, "N", "E", signed=True)
    for form in _BARE_FORMS:
        match = form.fullmatch(text)
        found = match and _degrees(match, match["ahemi"], match["bhemi"])
        if found:
            return found
    return None


def _from_decimals(text: str) -> tuple[float, float] | None:
    bare = text.strip(_WRAPPING)
    match = _PAIR.fullmatch(bare)
    if match and ("." in match[1] or "." in match[2]) and not _has_leading_zero(match[1], match[2]):
        return on_globe(match[1], match[2])
    match = _COMMA_PAIR.fullmatch(bare) or _COMMA_RUN.fullmatch(bare)
    if match and not _has_leading_zero(match[1], match[2]):
        return on_globe(match[1], match[2])
    for match in _EMBEDDED.finditer(text):
        found = on_globe(match[1], match[2])
        if found and not _has_leading_zero(match[1], match[2]):
            return found
    return None


def _has_leading_zero(*numbers: str) -> bool:
    # 044.123 is a dialling code, not a latitude.
    return any(re.match(r"[+-]?0\d", number) for number in numbers)


def _degrees(match: re.Match[str], first: str, second: str, *, signed: bool = False) -> tuple[float, float] | None:
    a, b = _angle(match, "a", signed=signed), _angle(match, "b", signed=signed)
    if a is None or b is None:
        return None
    if first in "SW":
        a = -a
    if second in "SW":
        b = -b
    if first in "NS" and second in "EW":
        return on_globe(a, b)
    if first in "EW" and second in "NS":
        return on_globe(b, a)
    return None


def _angle(match: re.Match[str], side: str, *, signed: bool) -> float | None:
    whole, minutes, seconds = (match[f"{side}{part}"] for part in ("deg", "min", "sec"))
    if whole.startswith(("-", "+")) and not signed:
        return None
    degrees, arc_minutes, arc_seconds = (
        float(part.replace(",", ".")) if part else 0.0 for part in (whole, minutes, seconds)
    )
    if arc_minutes >= 60 or arc_seconds >= 60:
        return None
    if (minutes and degrees % 1) or (seconds and arc_minutes % 1):
        return None
    size = abs(degrees) + arc_minutes / 60 + arc_seconds / 3600
    return -size if whole.startswith("-") else size
