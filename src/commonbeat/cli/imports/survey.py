"""What only the whole file shows: how many rows, where its middle is, which names are places."""

from __future__ import annotations

import dataclasses
import statistics
from collections import Counter
from collections.abc import Iterable

from commonbeat.foundation.cells import distance_m
from commonbeat.foundation.text import fold
from commonbeat.reports.actions.imports import ImportedRow
from commonbeat.reports.actions.submit import NOWHERE, Whereabouts
from commonbeat.topics.definition import Option

# Reports of one deployment lie within a country; farther than this from the middle one, a point is a slip (the Haiti
# file has three, in Belgium, Hong Kong and Italy, where its widest true distance is 440 km).
FAR_METRES = 1_000_000.0
# Of fewer points none can be told to be the odd one.
FEWEST_POINTS = 10
# Rows that show a name to be a place: in the Haiti file 70 names come this often, and none is a person's.
RECURRING = 5
# Beyond these, more tell nothing new: memory stays the same however long the file is.
MOST_POINTS, MOST_NAMES, MOST_OPTIONS = 20_000, 100_000, 500
# So near the town's map with its coordinates swapped, and so far without, a file has them the other way round.
_NEAR_SITE, _FAR_FROM_SITE = 300_000.0, 600_000.0


class Survey:
    """Looks at each row once, and keeps little."""

    def __init__(self) -> None:
        self.total = 0
        self.options: dict[str, Option] = {}
        self._points: list[tuple[float, float]] = []
        self._stride = 1
        self._seen = 0
        self._names: Counter[str] = Counter()

    def look(self, row: ImportedRow) -> None:
        """Take one row into account."""
        self.total += 1
        if row.report is None:
            return
        for option in row.categories:
            if len(self.options) < MOST_OPTIONS:
                self.options.setdefault(option.code, option)
        where = row.report.where
        if where.latitude is not None and where.longitude is not None:
            self._point(where.latitude, where.longitude)
        for part in {fold(piece) for piece in where.name.split(",")}:
            known = part in self._names or len(self._names) < MOST_NAMES
            if part and known and not any(character.isdigit() for character in part):
                self._names[part] += 1

    def middle(self) -> tuple[float, float] | None:
        """Give the middle of all points, or None of too few."""
        if len(self._points) < FEWEST_POINTS:
            return None
        return statistics.median(p[0] for p in self._points), statistics.median(p[1] for p in self._points)

    def places(self) -> frozenset[str]:
        """Give the folded names that come in five rows or more: a town recurs, a victim's home does not."""
        return frozenset(part for part, count in self._names.items() if count >= RECURRING)

    def looks_swapped(self, site: tuple[float, float]) -> bool:
        """Tell whether the file lies far from the site's map as it is, and near it the other way round."""
        middle = self.middle()
        return (
            middle is not None
            and abs(middle[1]) <= 90
            and distance_m(*middle, *site) > _FAR_FROM_SITE
            and distance_m(middle[1], middle[0], *site) < _NEAR_SITE
        )

    def _point(self, latitude: float, longitude: float) -> None:
        self._seen += 1
        if self._seen % self._stride == 0:
            self._points.append((latitude, longitude))
            if len(self._points) >= MOST_POINTS:
                del self._points[::2]
                self._stride *= 2


def survey(rows: Iterable[ImportedRow]) -> Survey:
    """Look at every row."""
    found = Survey()
    for row in rows:
        found.look(row)
    return found


def near_others(row: ImportedRow, middle: tuple[float, float] | None, metres: float = FAR_METRES) -> ImportedRow:
    """Give the row without its place, with a remark, where that lies far from the middle of all others."""
    report = row.report
    if report is None or middle is None or report.where.latitude is None or report.where.longitude is None:
        return row
    latitude, longitude = report.where.latitude, report.where.longitude
    if distance_m(latitude, longitude, *middle) <= metres:
        return row
    remark = (
        f"The file gave the point {latitude}, {longitude}, more than {metres / 1000:g} km from the other reports; "
        "it was not put on the map."
    )
    where = Whereabouts(name=report.where.name) if report.where.name else NOWHERE
    return dataclasses.replace(row, report=dataclasses.replace(report, where=where, remark=remark))
