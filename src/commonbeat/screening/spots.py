"""Exact places: coordinates, and house numbers with or without their street."""

import re
from collections.abc import Iterator

from commonbeat.foundation.coordinates import parse_coordinates
from commonbeat.screening.findings import Finding

_N = r"\d{1,4}\x20?[A-Da-d]?(?:[/-]\d{1,3})?(?![\w:%°]|[.,]\d)"
_CAP = r"[A-ZÀ-ÖØ-ÞĀ-Ž][\w'’.-]{0,30}"
_OF = r"(?:e|i|të|te|së|se|de|du|des|la|le|l'|of|the)"
# "12 Fig Street", "12 fig street"; "5 broken street lights" is none.
_STREET = r"(?:street|str|st|road|rd|avenue|ave|lane|ln|drive|boulevard|blvd|blv|square|terrace|alley|crescent)\b\.?"
_STREET_BEFORE = (
    r"(?:rruga|rrugën|rrugen|rrugës|rruges|rr|bulevardi|bulevardin|bul|sheshi|sheshin|lagjja|lagjen|ulica|ul"
    r"|rue|ruelle|impasse|avenue|ave|av|boulevard|blvd|blv|bd|calle|via)\b\.?"
)
_NOT_THING = r"(?!\s+(?:lights?|lamps?|lighting|signs?|poles?|dogs?|vendors?|children|kids|names?|works?)\b)"
_NUMBER = r"(?:nr|no|num|numri|numër|number|numéro|numero|#|№)"
_ADDRESSES = (
    re.compile(
        rf"(?<![\w.,:/-])#?\d{{1,4}}[A-Da-d]?(?:[/-]\d{{1,3}})?,?[ ](?:{_CAP}[ ]){{1,4}}(?i:{_STREET}){_NOT_THING}"
    ),
    re.compile(rf"(?<![\w.,:/-])\d{{1,4}}[a-d]?[ ][a-z]{{3,20}}[ ]{_STREET}{_NOT_THING}"),
    re.compile(
        rf"(?<![\w.,:/-])#?\d{{1,4}}[A-Da-d]?,?[ ](?i:{_STREET_BEFORE})[ ](?:{_OF}[ ]){{0,3}}{_CAP}(?:[ ]{_CAP}){{0,3}}"
    ),
    re.compile(
        rf"(?<!\w)(?i:{_STREET_BEFORE})[ ](?:(?:{_OF}[ ]){{0,2}}{_CAP},?[ ]){{1,5}}(?i:{_NUMBER}[ .:]{{0,3}})?{_N}"
    ),
    re.compile(rf"(?<!\w)(?:{_CAP}[ ]){{1,4}}(?i:{_STREET})(?:[ ]|,[ ]?(?=#|(?i:n)))(?i:{_NUMBER}[ .:]{{0,3}})?{_N}"),
    re.compile(rf"(?<!\w)(?:{_CAP}[ ]){{1,4}}(?i:{_STREET}),[ ]?{_N}(?=[ ]?(?:[.,;!?)\n]|$))"),
    # House 24, shtëpia 24, nr. 24; a line's, a pole's or a law's number is none.
    re.compile(
        r"(?<!\w)(?:house|hse|home|apartment|apt|flat|shtëpi\w{0,4}|shtepi\w{0,4}|banes\w{1,3}|maison)[ ]"
        rf"(?:{_NUMBER}[ .:]{{0,3}})?{_N}(?:,?[ ](?:in[ ])?(?:\w+[ ]){{1,2}}{_STREET})?",
        re.IGNORECASE,
    ),
    re.compile(
        r"(?<!\w)(?<!line )(?<!linja )(?<!bus )(?<!law )(?<!pole )(?<!ligji )(?<!neni )(?<!shtylla )(?<!room )"
        rf"nr[ .:]{{1,3}}{_N}",
        re.IGNORECASE,
    ),
    re.compile(r"(?<!\w)[وبل]?(?:ال)?(?:منزل|بيت|بناية|عمارة|شقة)[ ]+(?:رقم[ ]+)?\d{1,4}(?!\w)"),
    re.compile(r"(?<!\w)[وبل]?(?:ال)?شارع(?:[ ]+[ء-ي]+){1,4}[ ]*،?[ ]*(?:رقم[ ]*)?\d{1,4}(?![\w:/٫.])"),
)
# Three decimals or more, about 100 m; letters and signs of degree beside them.
_DEGREES = r"[+-]?\d{1,3}[.,٫]\d{3,12}\s?[°º]?\s?[NSEWnsew]?"
_PAIR = re.compile(
    rf"(?<![\w.:/+-])(?:[NSEW]\s?)?{_DEGREES}(?:\s{{0,3}}[,;/|،]\s{{0,3}}|\s{{1,3}})(?:[NSEW]\s?)?{_DEGREES}(?![\w]|[.,]\d)"
)
_ANGLE = (
    r"\d{1,3}\s?[°º˚]\s?(?:\d{1,2}(?:[.,]\d{1,6})?\s?['′’]?\s?(?:\d{1,2}(?:[.,]\d{1,6})?\s?[\"″”]?)?\s?)?[NSEWnsew]?"
)
_ANGLES = re.compile(rf"(?<!\w)(?:[NSEW]\s?)?{_ANGLE}[\s,;/]{{0,3}}(?:[NSEW]\s?)?{_ANGLE}")
_GEO = re.compile(r"\bgeo:\s?[-+\d][\d.,;+?=-]{2,60}", re.IGNORECASE)
_TWO_NUMBERS = re.compile(r"\d\D{1,40}\d")
# What parse_coordinates reads at a time.
_LONGEST, _STEP = 4_000, 3_800


def find_spots(text: str) -> list[Finding]:
    """Find coordinates and house numbers."""
    if not any(character.isdigit() for character in text):
        return []
    found = find_coordinates(text)
    return found + [Finding("place", *match.span()) for form in _ADDRESSES for match in form.finditer(text)]


def find_coordinates(text: str) -> list[Finding]:
    """Find coordinates in any form that people paste."""
    found = [Finding("place", *match.span()) for form in (_PAIR, _ANGLES, _GEO) for match in form.finditer(text)]
    return found + [Finding("place", start, end) for start, end in _lines_with_coordinates(text, found)]


def _lines_with_coordinates(text: str, known: list[Finding]) -> Iterator[tuple[int, int]]:
    """Find what only the reader of coordinates knows; it gives no position, so the whole line is held."""
    start = 0
    for line in text.split("\n"):
        end = start + len(line)
        if _TWO_NUMBERS.search(line) and not any(start <= finding.start < end for finding in known):
            for first in range(0, len(line), _STEP):
                if parse_coordinates(line[first : first + _LONGEST]) is not None:
                    yield start, end
                    break
        start = end + 1
