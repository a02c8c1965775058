"""Find other reports with the same picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from commonbeat.people.models import User
from commonbeat.reports.models import Report, ReportPhoto
from commonbeat.reports.queries.duplicates import PHOTO_BITS

# Pictures that are looked through, the newest of the site: their hashes take 20 ms to read.
MOST_LOOKED_THROUGH = 10_000
MOST_SHOWN = 5
_MOST_FOUND = 200
# A picture of one shade has hardly a bit set, or hardly one not set, and would be "the same" as every other such.
_TELLING_BITS = 6


@dataclass(frozen=True, slots=True)
class SeenAgain:
    """How many other reports have the same picture, and the newest of them; only what the viewer may see counts."""

    count: int
    reports: list[Report]


def seen_again(report: Report, photos: Sequence[ReportPhoto], viewer: User) -> dict[int, SeenAgain]:
    """Tell of each picture of a report, by its id, where the viewer may see it again: two queries at most."""
    wanted = {held.photo_id: held.photo.phash for held in photos if _is_telling(held.photo.phash)}
    if not wanted:
        return {}
    newest = ReportPhoto.objects.order_by("-pk").values_list("report_id", "photo__phash")[:MOST_LOOKED_THROUGH]
    rows = np.array(list(newest), dtype=np.int64).reshape(-1, 2)
    rows = rows[rows[:, 0] != report.pk]
    found = {photo_id: _alike(rows, phash) for photo_id, phash in wanted.items()}
    ids = {pk for those in found.values() for pk in those}
    if not ids:
        return {}
    # How often somebody else's desk got the same picture is that desk's own knowledge.
    visible = Report.objects.visible_to(viewer).only("pk", "created_at").in_bulk(ids)
    seen: dict[int, SeenAgain] = {}
    for photo_id, those in found.items():
        reports = [visible[pk] for pk in those if pk in visible]
        if reports:
            seen[photo_id] = SeenAgain(len(reports), reports[:MOST_SHOWN])
    return seen


def _alike(rows: npt.NDArray[np.int64], phash: int) -> list[int]:
    differing = np.bitwise_count((rows[:, 1] ^ np.int64(phash)).view(np.uint64))
    # A report that has it twice counts once.
    return sorted(set(rows[differing <= PHOTO_BITS, 0].tolist()), reverse=True)[:_MOST_FOUND]


def _is_telling(phash: int) -> bool:
    return _TELLING_BITS < (phash & 0xFFFF_FFFF_FFFF_FFFF).bit_count() < 64 - _TELLING_BITS
