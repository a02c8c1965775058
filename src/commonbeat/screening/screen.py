"""The gate for text."""

import re
from collections.abc import Container, Iterable, Sequence

from commonbeat.foundation.coordinates import parse_coordinates, without_coordinates
from commonbeat.screening import contacts, names, plates, spots
from commonbeat.screening.disguise import as_seen
from commonbeat.screening.findings import Finding, Screening
from commonbeat.screening.lexicon import find_accusations

MARK = "[removed]"
_LONGEST = 100_000
# "LIGHT lamp out": capitals before words that are not; "NO WATER" stays whole.
_KEYWORD = re.compile(r"^\s*[A-ZÇË]{3,20}[:,.]?\s+(?=[^\W\d_]*[a-zçë])")


def screen(
    text: str, *, region: str, languages: Sequence[str], known_places: Container[str] = frozenset()
) -> Screening:
    """Find what may not be public unseen; region is a country code ("XK"), languages pick the lexicons.

    Capitalised words are no personal name where known_places, folded, holds them.

    ValueError above 100,000 characters: a text that was not looked at may not pass.
    """
    if len(text) > _LONGEST:
        raise ValueError("too long to screen")
    seen = as_seen(text)
    plain = seen.text
    found: list[Finding] = []
    found += contacts.find_emails(plain)
    found += contacts.find_links(plain, found)
    found += plates.find_plates(plain, region)
    found += contacts.find_phones(plain, region, found)
    found += find_accusations(plain, tuple(languages))
    found += spots.find_spots(plain)
    found += names.find_names(plain, known_places)
    found = [seen.original(finding) for finding in found]
    return Screening(tuple(sorted(found, key=lambda finding: (finding.start, finding.end, finding.kind))))


def draft(text: str) -> str:
    """Propose a public text: a reporter's own without the keyword of an SMS and without coordinates."""
    text = _KEYWORD.sub("", text)
    point = parse_coordinates(text)
    if point is not None:
        # Knows where a link to a map ends.
        text = without_coordinates(text, point)
    seen = as_seen(text)
    pieces: list[str] = []
    position = 0
    for finding in sorted(map(seen.original, spots.find_coordinates(seen.text)), key=lambda finding: finding.start):
        if finding.end > position:
            pieces.append(text[position : max(position, finding.start)].rstrip(" ,;:@("))
            position = finding.end
    rest = "".join([*pieces, text[position:]]) if pieces else text
    return rest.strip(" ,;:")


def redact(text: str, findings: Iterable[Finding]) -> str:
    """Return a text with every finding replaced by a neutral mark: a suggestion for the moderator."""
    pieces: list[str] = []
    position = 0
    for finding in sorted(findings, key=lambda finding: finding.start):
        if finding.end <= position:
            continue
        if finding.start >= position:
            pieces += [text[position : finding.start], MARK]
        position = finding.end
    return "".join([*pieces, text[position:]])
