"""Points in the links that map services make when somebody shares a place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote_plus

NUMBER = r"[+-]?\d{1,3}\.\d+"
WHOLE = r"[+-]?\d{1,3}(?:\.\d+)?"
MAP_LINK = re.compile(
    r"(?:https?://|\b)(?:[\w-]{1,40}\.){0,4}(?:google\.[a-z.]{2,6}|goo\.gl|openstreetmap\.org|osm\.org|apple\.com|waze\.com"
    r"|bing\.com|here\.com|osmand\.net|organicmaps\.app|omaps\.app|yandex\.[a-z.]{2,6}|2gis\.[a-z]+|plus\.codes)[/?#]\S*"
    r"(?:[ ](?=[+-]?\d)\S+)?",
    re.IGNORECASE,
)
# A comma in place of the point makes four numbers of two; which belong together is a guess.
_END = r"(?!\d|,\d+,\d)"
# The pin before the view: a shared place carries both, and the view's centre is where the map was dragged to.
_FORMS = (
    re.compile(rf"!3d({WHOLE})!4d({WHOLE})"),
    re.compile(rf"[?&#]mlat=({WHOLE})&mlon=({WHOLE})"),
    re.compile(
        r"[?&](?:q|query|ll|sll|coordinate|destination|daddr|pin|cp|lat_lng|latlng|viewpoint|marker|to)="
        rf"(?:loc:|ll\.)?\s*({WHOLE})[,~]\s*({WHOLE}){_END}"
    ),
    re.compile(rf"[?&#]lat=({WHOLE})&(?:lon|lng|long)=({WHOLE})"),
    re.compile(rf"/(?:place|search|dir|l)/(?:[^/\s]*/)?({NUMBER}),\s*({NUMBER})"),
    re.compile(rf"@({NUMBER}),({NUMBER})"),
    re.compile(rf"[#&?]map=\d{{1,2}}(?:\.\d+)?/({WHOLE})/({WHOLE})"),
    re.compile(rf"[?&]center=({WHOLE}),\s*({WHOLE})"),
)
# "/maps/place/42°22'48.0"N+20°25'48.0"E/@…": the pin is written out, the view follows.
_WRITTEN_PIN = re.compile(r"/(?:place|search)/([^/]*°[^/]*)", re.IGNORECASE)
_LONGITUDE_FIRST = re.compile(r"(?:yandex|2gis)\.", re.IGNORECASE)
_OSM_SHORT = re.compile(r"(?:osm|openstreetmap)\.org/go/([\w~@]{6,12})", re.IGNORECASE)
_OSM_SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_~"
_WAZE_HASH = re.compile(r"waze\.com/ul/h([0-9bcdefghjkmnpqrstuvwxyz]{8,12})\b", re.IGNORECASE)
_HASH_SIGNS = "0123456789bcdefghjkmnpqrstuvwxyz"

# What only the service itself could look up. Its path is an arbitrary key.
_SHORTENED = re.compile(
    r"\b(?:maps\.app\.goo\.gl|goo\.gl/maps|g\.co/(?:kgs|maps)|maps\.apple/p|bit\.ly|tinyurl\.com|t\.co)/\S",
    re.IGNORECASE,
)
_THREE_WORDS = re.compile(
    r"(?:\b(?:what3words\.com|w3w\.co)/|/{3}\s*)[^\W\d_]{3,}[.。][^\W\d_]{3,}[.。][^\W\d_]{3,}", re.IGNORECASE
)


def on_globe(lat: str | float, lon: str | float) -> tuple[float, float] | None:
    """Give two numbers as a point; None off the globe, and for 0,0: it is what devices send without a fix."""
    north = float(lat.replace(",", ".")) if isinstance(lat, str) else lat
    east = float(lon.replace(",", ".")) if isinstance(lon, str) else lon
    if not (-90 <= north <= 90 and -180 <= east <= 180) or (north == 0 and east == 0):
        return None
    return round(north, 7), round(east, 7)


def written_pins(text: str) -> Iterator[str]:
    """Give what stands as degrees in the path of links."""
    for link in MAP_LINK.finditer(text):
        for pin in _WRITTEN_PIN.finditer(unquote_plus(link.group())):
            yield pin[1]


def point_in_links(text: str) -> tuple[float, float] | None:
    """Give the point of the first link that has one."""
    for link in MAP_LINK.finditer(text):
        target = unquote_plus(link.group().replace("+", "%20"))
        for form in _FORMS:
            match = form.search(target)
            pair = (match[1], match[2]) if match else None
            if pair and _LONGITUDE_FIRST.search(target.split("/maps")[0]):
                pair = pair[1], pair[0]
            found = pair and on_globe(*pair)
            if found:
                return found
        found = _from_osm_short(link.group()) or _from_waze_hash(link.group())
        if found:
            return found
    return None


def unreadable_place(text: str) -> str:
    """Tell what in a text names a point that cannot be read here: "short link", "three words", or ""."""
    if _SHORTENED.search(text):
        return "short link"
    return "three words" if _THREE_WORDS.search(text) else ""


def _from_osm_short(link: str) -> tuple[float, float] | None:
    match = _OSM_SHORT.search(link)
    if match is None:
        return None
    # Each sign holds three bits of the longitude and three of the latitude, in turn.
    bits = [value >> shift & 1 for sign in match[1].replace("@", "~") if (value := _OSM_SIGNS.index(sign)) >= 0
            for shift in range(5, -1, -1)]  # fmt: skip
    return _halved(bits[1::2], bits[::2])


def _from_waze_hash(link: str) -> tuple[float, float] | None:
    match = _WAZE_HASH.search(link)
    if match is None:
        return None
    bits = [_HASH_SIGNS.index(sign) >> shift & 1 for sign in match[1].lower() for shift in range(4, -1, -1)]
    return _halved(bits[1::2], bits[::2])


def _halved(north: list[int], east: list[int]) -> tuple[float, float] | None:
    return on_globe(_within(north, 90.0), _within(east, 180.0))


def _within(bits: list[int], most: float) -> float:
    low, high = -most, most
    for bit in bits:
        middle = (low + high) / 2
        low, high = (middle, high) if bit else (low, middle)
    return (low + high) / 2
