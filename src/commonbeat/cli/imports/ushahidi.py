"""Read the CSV export of an Ushahidi deployment (versions 1 to 2.7): messy, and every row accounted for."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

from commonbeat.cli.imports.records import Cell, FileNotReadable, Record, content_key, fingerprint, shown
from commonbeat.cli.imports.survey import near_others, survey
from commonbeat.cli.imports.tables import open_table
from commonbeat.cli.imports.values import read_date
from commonbeat.foundation.text import clean_text, html_unescape_twice
from commonbeat.reports.actions.imports import NEW, PUBLISH, ImportedReport, ImportedRow
from commonbeat.reports.actions.submit import NOWHERE, Whereabouts
from commonbeat.reports.models import PlaceSource
from commonbeat.topics.definition import Option

NEEDED = ("INCIDENT TITLE", "INCIDENT DATE", "DESCRIPTION")
KNOWN = ("SERIAL", *NEEDED, "LOCATION", "CATEGORY", "LATITUDE", "LONGITUDE", "APPROVED", "VERIFIED")
DATE_FORMS = ("%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%d/%m/%Y", "%Y-%m-%d")


def read_ushahidi(path: Path, *, time_zone: ZoneInfo) -> Iterator[ImportedRow]:
    """Read each row of the export; FileNotReadable when it is not one."""
    table = open_table(path, delimiter=",")
    header = [column.upper() for column in table.columns]
    missing = [name for name in NEEDED if name not in header]
    if missing:
        raise FileNotReadable(
            f"The file has no column {', '.join(missing)}. An Ushahidi export begins with: {', '.join(KNOWN)}."
        )
    rows = [_read_row(record, time_zone) for record in table.records()]
    middle = survey(rows).middle()
    for row in rows:
        yield near_others(row, middle)


def _read_row(record: Record, zone: ZoneInfo) -> ImportedRow:
    values = {column.upper(): cell for column, cell in record.values.items()}
    whole, mark = content_key(record.raw), fingerprint(record.raw)
    key = (_cell(values, "SERIAL") or _cell(values, "#"))[:40] or whole

    def refused(problem: str) -> ImportedRow:
        # The serial of a broken row cannot be trusted, so the row's own content names it.
        name = whole if record.problem else key
        return ImportedRow(record.number, name, None, problem=problem, fingerprint=mark)

    if record.problem:
        return refused(record.problem)
    given = _cell(values, "INCIDENT DATE")
    said_at = read_date(given, DATE_FORMS, zone)
    if said_at is None:
        return refused(f"has the date “{shown(given, 30)}”, which is none")
    title, text = _text(_cell(values, "INCIDENT TITLE"), 200), _text(_cell(values, "DESCRIPTION"), 10_000)
    if not title and not text:
        return refused("has neither title nor description")
    categories = tuple(split_categories(_cell(values, "CATEGORY")))
    where, remark = _where(values)
    report = ImportedReport(
        title=title,
        text=text,
        said_at=said_at,
        categories=[c.code for c in categories],
        where=where,
        state=PUBLISH if _yes(_cell(values, "APPROVED")) else NEW,
        verified=_yes(_cell(values, "VERIFIED")),
        remark=remark,
    )
    return ImportedRow(record.number, key, report, categories, fingerprint=mark)


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


def _where(values: Mapping[str, Cell]) -> tuple[Whereabouts, str]:
    name = _text(_cell(values, "LOCATION"), 200)
    pair = _pair(values)
    if pair is None:
        given = f"{_cell(values, 'LATITUDE')} {_cell(values, 'LONGITUDE')}".strip()
        nowhere = Whereabouts(name=name) if name else NOWHERE
        return nowhere, f"The file gave the point “{shown(given)}”, which is none." if given else ""
    return Whereabouts(source=PlaceSource.FILE, name=name, latitude=pair[0], longitude=pair[1]), ""


def _pair(values: Mapping[str, Cell]) -> tuple[float, float] | None:
    try:
        latitude, longitude = float(_cell(values, "LATITUDE")), float(_cell(values, "LONGITUDE"))
    except ValueError:
        return None
    # Ushahidi writes 0, 0 where no place was given.
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180) or (latitude, longitude) == (0.0, 0.0):
        return None
    return latitude, longitude


def _cell(values: Mapping[str, Cell], column: str) -> str:
    cell = values.get(column, "")
    return cell.strip() if isinstance(cell, str) else ""


def _text(raw: str, limit: int) -> str:
    return clean_text(html_unescape_twice(raw), limit)


def _yes(cell: str) -> bool:
    return cell.upper() in {"YES", "1", "TRUE"}
