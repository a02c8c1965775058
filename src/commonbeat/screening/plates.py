"""Strings that look like a vehicle's registration."""

import re
from functools import lru_cache

from commonbeat.screening.disguise import plain_letters, plain_plate
from commonbeat.screening.findings import Finding

_S = r"[-–\x20\t\xa0.·]?"  # never across a line
# Formats in use; (letters and digits as on the plate). A region without a line gets the generic ones.
_REGIONS: dict[str, tuple[str, ...]] = {
    "XK": (rf"0[1-7]{_S}\d{{3}}{_S}[A-Z]{{2}}", rf"\d{{3}}{_S}KS{_S}\d{{3}}"),
    "AL": (rf"[A-Z]{{2}}{_S}\d{{3}}{_S}[A-Z]{{2}}", rf"[A-Z]{{2}}{_S}\d{{4}}{_S}[A-Z]"),
    "MK": (rf"[A-Z]{{2}}{_S}\d{{4}}{_S}[A-Z]{{2}}",),
    "RS": (rf"[A-ZČĆŽŠĐ]{{2}}{_S}\d{{3,5}}{_S}[A-ZČĆŽŠĐ]{{2}}",),
    "ME": (rf"[A-Z]{{2}}{_S}[A-Z]{{2}}{_S}\d{{3}}",),
    "DE": (rf"[A-ZÄÖÜ]{{1,3}}[-\s][A-Z]{{1,2}}{_S}\d{{1,4}}[EH]?",),
    "GB": (rf"[A-Z]{{2}}\d{{2}}{_S}[A-Z]{{3}}",),
    "FR": (rf"[A-Z]{{2}}{_S}\d{{3}}{_S}[A-Z]{{2}}",),
    "IT": (rf"[A-Z]{{2}}{_S}\d{{3}}{_S}[A-Z]{{2}}",),
    "TR": (rf"(?:0[1-9]|[1-7]\d|8[01]){_S}[A-Z]{{1,3}}{_S}\d{{2,4}}",),
}
_GENERIC = (
    rf"[A-Z]{{1,3}}{_S}\d{{2,5}}{_S}[A-Z]{{1,3}}",
    rf"\d{{2,3}}{_S}\d{{3}}{_S}[A-Z]{{2}}",
    rf"\d{{1,4}}{_S}[A-Z]{{2,3}}{_S}\d{{2,4}}",
    r"[A-Z]{2,3}[-–]?\d{3,5}",
    r"[A-Z]{2,3}[-–\s]\d{4,5}",
    rf"\d{{4}}{_S}[BCDFGHJKLMNPRSTVWXYZ]{{3}}",
)
# Arabic plates: two or three single letters and up to four digits, in either order.
_ARABIC = (r"(?:[ء-ي][ ]+){1,2}[ء-ي][ ]*\d{2,5}", r"\d{2,5}[ ]*(?:[ء-ي][ ]+){1,2}[ء-ي]")

# After one of these words any short mix with digits is a plate, however it is written.
_NAMED = re.compile(
    r"""(?:\b(?:number\s*plates?|licen[cs]e\s*plates?|plates?|registration|reg(?:\.|\s)\s?no|targ[aëue]\w{0,4}|tabel[aëue]\w{0,4})
          |لوح[ةه]|رقم\s+السيارة|نمرة)
        [\s:.,\-–]*(?:(?:number|no|nr|is|was|me|numri|eshte|është|ishte|e|رقم|رقمها|هي)[\s:.,\-–]+){0,3}
        ((?:[A-Z]{1,3}|[ء-ي])?[-–\s.]{0,2}\d{2,5}(?:[-–\s.]{0,2}\d{2,4})?(?:[-–\s.]{0,2}(?:[A-Z]{1,3}|[ء-ي](?:\s[ء-ي]){0,2})(?!\w))?)
        (?!\w)""",
    re.IGNORECASE | re.VERBOSE,
)

# Units, months, money, roads, ranks: what stands beside a number without being a plate.
_EVERYDAY_WORDS = """
    AM PM H HRS MIN MINS SEC S MS KM M MT CM MM DM KG G GR MG MCG ML L LT CL KW KV KVA V W A HP MHZ GHZ HZ GB MB KB TB
    C F EUR USD ALL LEK CHF GBP EURO RSD MKD SAR EGP AED JAN FEB MAR APR MAY JUN JUL AUG SEP SEPT OCT NOV DEC PRI MAJ
    QER KOR GUS SHT TET NEN DHJ MON TUE WED THU FRI SAT SUN ST ND RD TH NR NO BR APT FLAT KAT HYR RR RRUGA ROAD BUS
    LINE ROOM UNIT GATE PAGE FIG ART NENI LIGJI LAW ISO EN DIN IP USB PDF SMS GSM LTE FM AC DC LED UV PVC HIV COVID
    TV PC CV ID VAT TVSH PIN ZIP CET CEST UTC GMT BC AD TO AT IN ON OF BY IS OR AND THE FOR IT WE MY ME TE NE NGA DERI
    ORA ORE DITE VIT VJEC MUAJ JAVE COPE X XX NO OUT OFF UP SO AS AN BE DO GO HE IF US E DHE PER SE PO JO KA U I
"""
_EVERYDAY = frozenset(_EVERYDAY_WORDS.split())
_LETTERS = re.compile(r"[^\W\d_]+")


def find_plates(text: str, region: str) -> list[Finding]:
    """Find registrations in the region's formats, in the usual European and Arabic ones, or named as plates."""
    if not any(character.isdigit() for character in text):
        return []
    spans: set[tuple[int, int]] = {match.span(1) for match in _NAMED.finditer(text)}
    own, general = _patterns(region.upper())
    text = plain_letters(text)
    # The region's own formats also where a letter stands for a digit.
    spans |= {match.span() for pattern in own for match in pattern.finditer(plain_plate(text))}
    spans |= {match.span() for pattern in own for match in pattern.finditer(text)}
    for pattern in general:
        spans |= {match.span() for match in pattern.finditer(text) if not _is_everyday(match.group())}
    kept: list[tuple[int, int]] = []
    for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
        if not kept or start >= kept[-1][1]:
            kept.append((start, end))
    return [Finding("plate", start, end) for start, end in kept]


def _is_everyday(words: str) -> bool:
    letters = [word.upper() for word in _LETTERS.findall(words)]
    # Two groups of letters around digits without a space are no measure, whatever the letters.
    if len(letters) > 1 and not re.search(r"\s", words):
        return False
    return any(word in _EVERYDAY for word in letters)


@lru_cache(maxsize=64)
def _patterns(region: str) -> tuple[tuple[re.Pattern[str], ...], tuple[re.Pattern[str], ...]]:
    before, after = r"(?<![\w/.,:+-])", r"(?![\w/:]|[.,-]\d)"
    general = (
        re.compile(before + "(?:" + "|".join(_GENERIC) + ")" + after),
        re.compile(r"(?<!\w)(?:" + "|".join(_ARABIC) + r")(?!\w)"),
    )
    formats = _REGIONS.get(region)
    if formats is None:
        return (), general
    # In lower case only without spaces: "in 100 kw" is no plate.
    loose = "|".join(formats)
    tight = loose.replace(_S, r"[-–.·]?").replace(r"[-\s]", "-")
    own = (
        re.compile(before + "(?:" + loose + ")" + after),
        re.compile(before + "(?:" + tight + ")" + after, re.IGNORECASE),
    )
    return own, general
