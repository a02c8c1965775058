"""Coordinates in the forms that people paste."""

import re
import unicodedata
from urllib.parse import unquote_plus

from commonbeat.foundation.text import ascii_digits

# Whole-text forms are read generously; inside a sentence only what cannot be anything else.
_LONGEST = 4000

_NUMBER = r"[+-]?\d{1,3}\.\d+"
_WHOLE = r"[+-]?\d{1,3}(?:\.\d+)?"
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
_MAP_LINK = re.compile(
    r"(?:https?://|\b)(?:[\w-]+\.)*(?:google\.[a-z.]{2,6}|goo\.gl|openstreetmap\.org|osm\.org|apple\.com|waze\.com"
    r"|bing\.com|here\.com|osmand\.net|organicmaps\.app|omaps\.app|yandex\.[a-z.]{2,6}|2gis\.[a-z]+)[/?#]\S*"
    r"(?:[ ](?=[+-]?\d)\S+)?",
    re.IGNORECASE,
)
# The pin before the view: a shared place carries both, and the view's centre is where the map was dragged to.
_LINK_FORMS = (
    re.compile(rf"!3d({_WHOLE})!4d({_WHOLE})"),
    re.compile(rf"[?&#]mlat=({_WHOLE})&mlon=({_WHOLE})"),
    re.compile(
        rf"[?&](?:q|query|ll|sll|coordinate|destination|daddr|pin|cp|lat_lng|viewpoint)=(?:loc:)?\s*({_WHOLE})[,~]\s*({_WHOLE})"
    ),
    re.compile(rf"[?&#]lat=({_WHOLE})&(?:lon|lng|long)=({_WHOLE})"),
    re.compile(rf"/(?:place|search|dir|l)/(?:[^/\s]*/)?({_NUMBER}),\s*({_NUMBER})"),
    re.compile(rf"@({_NUMBER}),({_NUMBER})"),
    re.compile(rf"[#&?]map=\d{{1,2}}(?:\.\d+)?/({_WHOLE})/({_WHOLE})"),
    re.compile(rf"[?&]center=({_WHOLE}),\s*({_WHOLE})"),
)

_HEMISPHERES = [
    (re.compile(rf"(?<![^\W\d_])(?:{words})(?![^\W\d_])", re.IGNORECASE), letter)
    for words, letter in (
        ("north|veri|nord|شمالا|شمال|ش", "N"),
        ("south|jug|جنوبا|جنوب|ج", "S"),
        ("east|lindje|ost|شرقا|شرق|ق", "E"),
        ("west|perëndim|perendim|غربا|غرب|غ", "W"),
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
    labels, geo: URIs and map links. Refuses what is out of range, and 0,0: it is what devices send without a fix.
    """
    plain = _plain(text[:_LONGEST])
    for read in (_from_uri, _from_link, _from_labels, _from_degrees, _from_decimals):
        found = read(plain)
        if found is not None:
            return found
    return None


def without_coordinates(text: str, point: tuple[float, float]) -> str:
    """Take out of a text what parse_coordinates reads as this point; links, labels and degrees included."""
    # Position for position, unlike _plain: what stays is the person's own writing.
    plain = ascii_digits(text[:_LONGEST]).translate(_MINUS).translate(_ARABIC_PUNCTUATION).replace("\u00a0", " ")
    forms = (_MAP_LINK, _GEO, _LABELLED, _LABELLED_LON_FIRST, _WKT, *_MARKED_FORMS, *_BARE_FORMS, _EMBEDDED, _PAIR)
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
    kept = "".join(c for c in ascii_digits(text) if unicodedata.category(c) != "Cf")
    return kept.translate(_MINUS).translate(_ARABIC_PUNCTUATION).replace("\u00a0", " ").strip()


def _from_uri(text: str) -> tuple[float, float] | None:
    match = _GEO.search(unquote_plus(text) if "geo:" in text.lower() else text)
    if match is None:
        return None
    query = _GEO_QUERY.search(match[3])
    return (query and _in_range(query[1], query[2])) or _in_range(match[1], match[2])


def _from_link(text: str) -> tuple[float, float] | None:
    for link in _MAP_LINK.finditer(text):
        target = unquote_plus(link.group().replace("+", "%20"))
        for form in _LINK_FORMS:
            match = form.search(target)
            found = match and _in_range(match[1], match[2])
            if found:
                return found
    return None


def _from_labels(text: str) -> tuple[float, float] | None:
    match = _LABELLED.search(text)
    if match:
        return _in_range(match[1], match[2])
    match = _LABELLED_LON_FIRST.search(text) or _WKT.search(text)
    return _in_range(match[2], match[1]) if match else None


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
        return _in_range(match[1], match[2])
    match = _COMMA_PAIR.fullmatch(bare) or _COMMA_RUN.fullmatch(bare)
    if match and not _has_leading_zero(match[1], match[2]):
        return _in_range(match[1], match[2])
    for match in _EMBEDDED.finditer(text):
        found = _in_range(match[1], match[2])
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
        return _in_range(a, b)
    if first in "EW" and second in "NS":
        return _in_range(b, a)
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


def _in_range(lat: str | float, lon: str | float) -> tuple[float, float] | None:
    north = float(lat.replace(",", ".")) if isinstance(lat, str) else lat
    east = float(lon.replace(",", ".")) if isinstance(lon, str) else lon
    if not (-90 <= north <= 90 and -180 <= east <= 180) or (north == 0 and east == 0):
        return None
    return round(north, 7), round(east, 7)
