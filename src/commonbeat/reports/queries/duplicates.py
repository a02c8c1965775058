"""Suggest reports that may tell of the same thing."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import BigIntegerField
from django.db.models.expressions import RawSQL

from commonbeat.foundation import cells
from commonbeat.foundation.text import jaccard, shingles
from commonbeat.people.models import User
from commonbeat.reports import rules
from commonbeat.reports.models import Report, ReportPhoto, ReportQuerySet
from commonbeat.reports.rules import Likeness

# Cells of resolution 8 are about 900 m across: ten of them cover NEAR_METRES around any point.
RESOLUTION = 8
# Below the stored resolution 13 lie five digits of three bits, and two unused ones: stored cell >> 21 is the index of
# its ancestor at resolution 8, so that "in this cell, in this time" is one range of the index report_near_in_time.
SHIFT = 21
# Bits in which two perceptual hashes of 64 may differ and still be one picture.
PHOTO_BITS = 6


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A report that may tell of the same thing, and how alike the two are."""

    report: Report
    likeness: Likeness


class _Candidate(NamedTuple):
    # Bare rows: making 200 objects of the model costs more (6 ms) than comparing them.
    pk: int
    topic_id: int
    title: str
    text: str
    created_at: datetime
    latitude: float | None
    longitude: float | None
    incident_id: int | None
    state: str
    changed_at: datetime


def alike(report: Report, viewer: User, *, now: datetime, limit: int = 5) -> list[Suggestion]:
    """Find the reports most like this one that the viewer may see: at most five queries."""
    oldest = now - timedelta(days=rules.CLOSED_DAYS)
    candidates = {
        one.pk: one
        for one in _candidates(report, viewer)
        if one.pk != report.pk and (one.state in rules.OPEN_STATES or one.changed_at >= oldest)
    }
    if report.incident_id is not None:
        candidates = {pk: one for pk, one in candidates.items() if one.incident_id != report.incident_id}
    if not candidates:
        return []
    same_photo = _with_same_photo(report, candidates)
    mine = shingles(f"{report.title} {report.text}")
    likenesses = {one.pk: _likeness(report, one, mine, same_photo=one.pk in same_photo) for one in candidates.values()}
    likely = [pk for pk, likeness in likenesses.items() if likeness.is_worth_a_look]
    likely = sorted(likely, key=lambda pk: (-likenesses[pk].score, -pk))[:limit]
    reports = Report.objects.visible_to(viewer).in_bulk(likely) if likely else {}
    return [Suggestion(reports[pk], likenesses[pk]) for pk in likely if pk in reports]


def near_in_time(report: Report, viewer: User) -> ReportQuerySet:
    """Narrow to reports within about NEAR_METRES of a report with a place, and within NEAR_HOURS."""
    assert report.latitude is not None and report.longitude is not None
    around = cells.near(report.latitude, report.longitude, rules.NEAR_METRES, RESOLUTION)
    prefixes = [cells.children_range(cell)[0] >> SHIFT for cell in around]
    window = timedelta(hours=rules.NEAR_HOURS)
    # A literal and not a bound value: SQLite matches an index on an expression only then.
    prefix = RawSQL(f'("cell" >> {SHIFT})', [], output_field=BigIntegerField())
    # The inner query knows no unit: beside an index of unit and time SQLite would take that one, and read all that the
    # unit got in six days.
    near = (
        Report.objects.alias(_prefix=prefix)
        .filter(_prefix__in=prefixes, created_at__range=(report.created_at - window, report.created_at + window))
        .filter(**_box(report.latitude, report.longitude))
        .order_by("-created_at")
        .values("pk")[: 2 * rules.CANDIDATES]
    )
    return Report.objects.visible_to(viewer).filter(pk__in=near)


def _box(latitude: float, longitude: float) -> dict[str, tuple[float, float]]:
    # The cells reach out to a kilometre; the square inside them leaves a tenth of that to compare.
    north = math.degrees(rules.NEAR_METRES / 6_371_008.8)
    east = north / max(math.cos(math.radians(latitude)), 0.01)
    box = {"latitude__range": (latitude - north, latitude + north)}
    if abs(longitude) + east < 180:
        box["longitude__range"] = (longitude - east, longitude + east)
    return box


def _candidates(report: Report, viewer: User) -> list[_Candidate]:
    if report.has_place:
        return _read(near_in_time(report, viewer)[: rules.CANDIDATES + 1])
    # Without a place only topic, time and words are left. Neighbours by number are neighbours in time, and two
    # bounded steps along the index of the topic cost the same at any size.
    same_topic = Report.objects.visible_to(viewer).filter(topic_id=report.topic_id)
    half = rules.CANDIDATES // 2
    around = [
        *_read(same_topic.filter(pk__lt=report.pk).order_by("-pk")[:half]),
        *_read(same_topic.filter(pk__gt=report.pk).order_by("pk")[:half]),
    ]
    return [one for one in around if _hours(report, one) <= rules.NEAR_HOURS]


def _read(queryset: ReportQuerySet) -> list[_Candidate]:
    return [_Candidate(*row) for row in queryset.values_list(*_Candidate._fields)]


def _likeness(report: Report, other: _Candidate, mine: frozenset[str], *, same_photo: bool) -> Likeness:
    metres = None
    here, there = (report.latitude, report.longitude), (other.latitude, other.longitude)
    if here[0] is not None and here[1] is not None and there[0] is not None and there[1] is not None:
        metres = cells.distance_m(here[0], here[1], there[0], there[1])
    return Likeness(
        metres=metres,
        hours=_hours(report, other),
        text=jaccard(mine, shingles(f"{other.title} {other.text}")),
        same_topic=report.topic_id == other.topic_id,
        same_photo=same_photo,
    )


def _hours(report: Report, other: _Candidate) -> float:
    return abs((report.created_at - other.created_at).total_seconds()) / 3600


def _with_same_photo(report: Report, candidates: Iterable[int]) -> set[int]:
    mine = list(ReportPhoto.objects.filter(report_id=report.pk).values_list("photo__phash", flat=True))
    if not mine:
        return set()
    theirs = ReportPhoto.objects.filter(report_id__in=list(candidates)).values_list("report_id", "photo__phash")
    return {report_id for report_id, phash in theirs if any(_bits(phash, one) <= PHOTO_BITS for one in mine)}


def _bits(one: int, other: int) -> int:
    # Stored as a signed number: the mask brings both to the same 64 bits.
    return ((one ^ other) & 0xFFFF_FFFF_FFFF_FFFF).bit_count()
