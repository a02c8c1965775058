"""Which reports in a part of the desk's map probably tell of the same thing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from commonbeat.foundation import cells
from commonbeat.foundation.text import excerpt, jaccard, shingles
from commonbeat.reports import rules
from commonbeat.reports.models import ReportPhoto
from commonbeat.reports.queries.desk_map import HEAD, Found, View, fetch, in_view
from commonbeat.reports.queries.duplicates import PHOTO_BITS
from commonbeat.reports.rules import Likeness

# Open reports in view that are compared each with each; beyond it the map asks to come closer.
MOST_COMPARED = 1_000
# Pairs whose words are compared, the nearest in place and time first: 20,000 take 60 ms.
MOST_PAIRS = 20_000
MOST_GROUPS = 20
COLUMNS = ("pk", "topic_id", "title", "text", "created_at", "latitude", "longitude", "incident_id")


class Compared(NamedTuple):
    """A report that was compared with others."""

    id: int
    topic_id: int
    title: str
    text: str
    created_at: datetime
    latitude: float
    longitude: float
    incident_id: int | None

    @property
    def said(self) -> str:
        """Give its title, or the beginning of its text."""
        return self.title or excerpt(self.text, HEAD)


@dataclass(frozen=True, slots=True)
class AlikeGroup:
    """Reports that each are like each other, newest first, and how far apart they are at most."""

    reports: list[Compared]
    metres: float
    hours: float


@dataclass(frozen=True, slots=True)
class Alike:
    """The groups found; `complete` is False where there was more to compare, or to tell, than is here."""

    groups: list[AlikeGroup]
    complete: bool


def alike_in_view(found: Found, view: View) -> Alike:
    """Group the open reports of a view that suggestions would name for each other, the likest first: three queries."""
    opened = in_view(found.reports, view).filter(state__in=sorted(rules.OPEN_STATES)).order_by()
    ids = fetch(opened.values_list("pk")[: MOST_COMPARED + 1], by_place=found.by_place)
    if len(ids) > MOST_COMPARED:
        return Alike([], complete=False)
    if len(ids) < 2:
        return Alike([], complete=True)
    rows = [Compared(*row) for row in found.reports.filter(pk__in=[pk for (pk,) in ids]).values_list(*COLUMNS)]
    rows.sort(key=lambda row: -row.id)
    pairs, complete = _near_pairs(rows)
    photos = _photos(rows)
    good: dict[tuple[int, int], Likeness] = {}
    for a, b in pairs:
        likeness = _likeness(rows[a], rows[b], photos)
        if likeness.is_worth_a_look:
            good[a, b] = likeness
    cliques = sorted(_cliques(good), key=lambda members: -_weakest(good, members))
    groups = [_group([rows[index] for index in members]) for members in cliques[:MOST_GROUPS]]
    return Alike(groups, complete=complete and len(cliques) <= MOST_GROUPS)


def _near_pairs(rows: Sequence[Compared]) -> tuple[list[tuple[int, int]], bool]:
    latitude = np.radians([row.latitude for row in rows])
    longitude = np.radians([row.longitude for row in rows])
    hours = np.array([row.created_at.timestamp() for row in rows]) / 3600
    a, b = np.triu_indices(len(rows), k=1)
    east = np.abs(longitude[a] - longitude[b])
    east = np.minimum(east, 2 * math.pi - east) * np.cos((latitude[a] + latitude[b]) / 2)
    # Flat is exact enough for half a kilometre; the pairs that stay are measured on the globe.
    metres = 6_371_008.8 * np.hypot(latitude[a] - latitude[b], east)
    apart = np.abs(hours[a] - hours[b])
    incident = np.array([row.incident_id or -n for n, row in enumerate(rows, start=1)])
    near = (metres <= rules.NEAR_METRES) & (apart <= rules.NEAR_HOURS) & (incident[a] != incident[b])
    a, b = a[near], b[near]
    closeness: npt.NDArray[np.float64] = metres[near] / rules.NEAR_METRES + apart[near] / rules.NEAR_HOURS
    order = np.argsort(closeness, kind="stable")[:MOST_PAIRS]
    return list(zip(a[order].tolist(), b[order].tolist(), strict=True)), len(a) <= MOST_PAIRS


def _photos(rows: Sequence[Compared]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    held = ReportPhoto.objects.filter(report_id__in=[row.id for row in rows])
    for report_id, phash in held.values_list("report_id", "photo__phash"):
        found.setdefault(report_id, []).append(phash & 0xFFFF_FFFF_FFFF_FFFF)
    return found


def _likeness(one: Compared, other: Compared, photos: dict[int, list[int]]) -> Likeness:
    return Likeness(
        metres=cells.distance_m(one.latitude, one.longitude, other.latitude, other.longitude),
        hours=abs((one.created_at - other.created_at).total_seconds()) / 3600,
        text=jaccard(shingles(f"{one.title} {one.text}"), shingles(f"{other.title} {other.text}")),
        same_topic=one.topic_id == other.topic_id,
        same_photo=any(
            (a ^ b).bit_count() <= PHOTO_BITS for a in photos.get(one.id, ()) for b in photos.get(other.id, ())
        ),
    )


def _cliques(good: dict[tuple[int, int], Likeness]) -> list[list[int]]:
    # The likest pairs first, and into a group only who is like all in it: a chain of neighbours would join half a town.
    group_of: dict[int, list[int]] = {}
    for a, b in sorted(good, key=lambda pair: (-good[pair].score, pair)):
        first, second = group_of.get(a, [a]), group_of.get(b, [b])
        if first is second:
            continue
        if all((min(x, y), max(x, y)) in good for x in first for y in second):
            together = sorted([*first, *second])
            group_of.update(dict.fromkeys(together, together))
    return list({id(members): members for members in group_of.values()}.values())


def _weakest(good: dict[tuple[int, int], Likeness], members: Sequence[int]) -> float:
    return min(good[a, b].score for a in members for b in members if a < b)


def _group(reports: list[Compared]) -> AlikeGroup:
    times = [report.created_at for report in reports]
    metres = max(
        cells.distance_m(one.latitude, one.longitude, other.latitude, other.longitude)
        for number, one in enumerate(reports)
        for other in reports[number + 1 :]
    )
    return AlikeGroup(reports, metres, (max(times) - min(times)).total_seconds() / 3600)
