"""Read the CSV export of an Ushahidi deployment (versions 1 to 2.7): messy, and every row accounted for."""

from __future__ import annotations

import csv
import hashlib
import io
import re
import statistics
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from commonbeat.foundation.cells import distance_m
from commonbeat.foundation.text import clean_text, fold, html_unescape_twice
from commonbeat.reports.actions.imports import ImportedReport
from commonbeat.reports.actions.submit import NOWHERE, Whereabouts
from commonbeat.reports.models import PlaceSource
from commonbeat.topics.definition import Option

NEEDED = ("INCIDENT TITLE", "INCIDENT DATE", "DESCRIPTION")
KNOWN = ("SERIAL", *NEEDED, "LOCATION", "CATEGORY", "LATITUDE", "LONGITUDE", "APPROVED", "VERIFIED")
DATE_FORMS = ("%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%d/%m/%Y", "%Y-%m-%d")
# Reports of one deployment lie within a country; farther than this from the middle one, a point is a slip (the Haiti
# file has three, in Belgium, Hong Kong and Italy, where its widest true distance is 440 km).
FAR_METRES = 1_000_000
# Ushahidi's longest description in the Haiti file has 4,423 characters; a row of 200 kB is a lost quote.
ROW_LIMIT = 200_000
# Rows that show a name to be a place: in the Haiti file 70 names come this often, and none is a person's.
RECURRING = 5


class FileNotReadable(ValueError):
    """The file as a whole cannot be taken; carries a sentence."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: a report, or the reason why it is none."""

    number: int
    key: str
    report: ImportedReport | None
    categories: tuple[Option, ...]
    problem: str = ""


def read_ushahidi(path: Path, *, time_zone: ZoneInfo) -> Iterator[Row]:
    """Read each row of the export; FileNotReadable when it is not one."""
    text = _decode(path)
    records = csv.reader(io.StringIO(text, newline=""), strict=False)
    try:
        csv.field_size_limit(ROW_LIMIT)
        header = [cell.strip().upper() for cell in next(records, [])]
        missing = [name for name in NEEDED if name not in header]
        if missing:
            raise FileNotReadable(
                f"The file has no column {', '.join(missing)}. An Ushahidi export begins with: {', '.join(KNOWN)}."
            )
        table = list(_numbered(records))
    except csv.Error as error:
        raise FileNotReadable(f"The file is not readable as CSV: {error}.") from None
    middle = _middle([_pair(dict(zip(header, cells, strict=False))) for _n, cells in table])
    for number, cells in table:
        yield _read_row(number, cells, header, middle, time_zone)


def _decode(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise FileNotReadable(f"The file cannot be opened: {error.strerror}.") from None
    # A stray NUL is dropped with other control characters; a file with many is none of text.
    if raw[:4096].count(0) * 100 > len(raw[:4096]) and not raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise FileNotReadable("The file is not text. Export it as CSV.")
    for encoding in ("utf-16",) if raw.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-8-sig", "cp1252", "latin-1"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise FileNotReadable("The file is neither UTF-8 nor Windows text.")


def _numbered(records: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    for number, cells in enumerate(records, start=2):
        if any(cell.strip() for cell in cells):
            yield number, cells


def _read_row(
    number: int, cells: list[str], header: list[str], middle: tuple[float, float] | None, zone: ZoneInfo
) -> Row:
    record = dict(zip(header, cells, strict=False))
    serial = record.get("SERIAL", "").strip() or record.get("#", "").strip()
    whole = hashlib.sha256("\x1f".join(cells).encode()).hexdigest()[:24]
    key = serial[:40] or whole
    if len(cells) != len(header):
        # The serial of a broken row cannot be trusted, so the row's own content names it.
        problem = f"has {len(cells)} cells where the header has {len(header)}; a quote may be missing"
        return Row(number, whole, None, (), problem)
    said_at = _date(record["INCIDENT DATE"], zone)
    if said_at is None:
        return Row(number, key, None, (), f"has the date “{clean_text(record['INCIDENT DATE'], 30)}”, which is none")
    title, text = _text(record["INCIDENT TITLE"], 200), _text(record["DESCRIPTION"], 10_000)
    if not title and not text:
        return Row(number, key, None, (), "has neither title nor description")
    categories = tuple(split_categories(record.get("CATEGORY", "")))
    where, remark = _where(record, middle)
    report = ImportedReport(
        title=title,
        text=text,
        said_at=said_at,
        categories=[c.code for c in categories],
        where=where,
        approved=_yes(record.get("APPROVED", "")),
        verified=_yes(record.get("VERIFIED", "")),
        remark=remark,
    )
    return Row(number, key, report, categories)


def split_categories(cell: str) -> Iterator[Option]:
    """Split a category cell such as "2a. Penurie d'eau | Water shortage, 8. Other, " into options.

    Of two languages in one name, the second is English by Ushahidi's habit.
    """
    for part in html_unescape_twice(cell).split(","):
        name = clean_text(part, 120)
        if not name:
            continue
        number, _dot, rest = name.partition(". ") if re.match(r"\d+[a-z]?\. ", name) else ("", "", name)
        first, _bar, second = (piece.strip() for piece in rest.partition("|"))
        label = {"fr": first, "en": second} if second else {"en": first}
        spoken = label["en"]
        slug = re.sub(r"[^a-z0-9]+", "-", f"{number} {spoken}".lower()).strip("-")[:40].strip("-")
        yield Option(code=slug or hashlib.sha256(name.encode()).hexdigest()[:12], label=label)


def recurring_places(rows: Iterable[Row]) -> frozenset[str]:
    """Give the folded parts of the file's places that come in five rows or more: a town recurs, a victim's home not."""
    counts = Counter(
        part
        for row in rows
        if row.report is not None
        for part in {fold(piece) for piece in row.report.where.name.split(",")}
        if part and not any(character.isdigit() for character in part)
    )
    return frozenset(part for part, count in counts.items() if count >= RECURRING)


def _where(record: dict[str, str], middle: tuple[float, float] | None) -> tuple[Whereabouts, str]:
    name = _text(record.get("LOCATION", ""), 200)
    pair = _pair(record)
    nowhere = Whereabouts(name=name) if name else NOWHERE
    if pair is None:
        given = f"{record.get('LATITUDE', '').strip()} {record.get('LONGITUDE', '').strip()}".strip()
        return nowhere, f"The file gave the point “{given[:60]}”, which is none." if given else ""
    if middle is not None and distance_m(*pair, *middle) > FAR_METRES:
        return nowhere, (
            f"The file gave the point {pair[0]}, {pair[1]}, more than {FAR_METRES // 1000} km from the other "
            "reports; it was not put on the map."
        )
    return Whereabouts(source=PlaceSource.FILE, name=name, latitude=pair[0], longitude=pair[1]), ""


def _pair(record: dict[str, str]) -> tuple[float, float] | None:
    try:
        latitude, longitude = float(record.get("LATITUDE", "")), float(record.get("LONGITUDE", ""))
    except ValueError:
        return None
    # Ushahidi writes 0, 0 where no place was given.
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180) or (latitude, longitude) == (0.0, 0.0):
        return None
    return latitude, longitude


def _middle(pairs: list[tuple[float, float] | None]) -> tuple[float, float] | None:
    known = [pair for pair in pairs if pair is not None]
    # Of fewer than ten points none can be told to be the odd one.
    if len(known) < 10:
        return None
    return statistics.median(p[0] for p in known), statistics.median(p[1] for p in known)


def _date(text: str, zone: ZoneInfo) -> datetime | None:
    for form in DATE_FORMS:
        try:
            moment = datetime.strptime(text.strip(), form).replace(tzinfo=zone)
        except ValueError:
            continue
        return moment if 1900 <= moment.year <= 2100 else None
    return None


def _text(raw: str, limit: int) -> str:
    return clean_text(html_unescape_twice(raw), limit)


def _yes(cell: str) -> bool:
    return cell.strip().upper() in {"YES", "1", "TRUE"}
