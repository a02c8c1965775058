"""The attack: recover an exact place through what is public. Two towns that differ only in exact points, each pair of
points within one public cell, must answer every question alike."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

import pytest
from django.db import transaction
from django.test import Client

from commonbeat.foundation import cells
from commonbeat.people.models import Unit, User
from commonbeat.reports.actions.publish import publish_report
from commonbeat.reports.actions.submit import Whereabouts, place_report
from commonbeat.reports.models import PlaceSource, Publication, Report
from commonbeat.topics.models import Topic
from tests import make

pytestmark = pytest.mark.django_db

RESOLUTION = 9
ADDRESSES = ("/reports/", "/reports.rss", "/reports.geojson")


def points_of_one_cell(seed: int, count: int = 2) -> list[tuple[float, float]]:
    """Pick points that share a public cell, as far apart as chance brings them in sixty tries."""
    chance = random.Random(seed)
    cell = cells.cell_of(42.38 + chance.uniform(-0.01, 0.01), 20.43 + chance.uniform(-0.01, 0.01), RESOLUTION)
    lat, lon = cells.centre(cell)
    found: list[tuple[float, float]] = []
    while len(found) < 60:
        point = lat + chance.uniform(-0.002, 0.002), lon + chance.uniform(-0.003, 0.003)
        if cells.cell_of(*point, RESOLUTION) == cell:
            found.append(point)
    first = found[0]
    found.sort(key=lambda point: -cells.distance_m(*first, *point))
    return [first, *found[: count - 1]]


def town(points: list[tuple[float, float]], topic: Topic, officer: User, unit: Unit) -> None:
    """Publish one report per exact point, by the actions that a desk uses."""
    for number, (latitude, longitude) in enumerate(points):
        report = make.make_report(
            topic=topic, unit=unit, latitude=latitude, longitude=longitude, categories=["first"], text="A lamp."
        )
        Report.objects.filter(pk=report.pk).update(unit=unit)
        publication = publish_report(
            report_id=report.pk, title=f"Lamp {number}", text="Dark.", actor=officer, now=make.NOW
        )
        Publication.objects.filter(pk=publication.pk).update(code=f"code{number}")


def questions(points: list[tuple[float, float]]) -> Iterator[str]:
    """Ask as an attacker does: halve boxes around each exact point down to a metre, and use every filter."""
    for latitude, longitude in points:
        south, north, west, east = latitude - 0.02, latitude + 0.02, longitude - 0.02, longitude + 0.02
        while north - south > 0.00001:
            yield f"bbox={west:.7f},{south:.7f},{east:.7f},{north:.7f}"
            middle_lat, middle_lon = (south + north) / 2, (west + east) / 2
            south, north = (middle_lat, north) if latitude >= middle_lat else (south, middle_lat)
            west, east = (middle_lon, east) if longitude >= middle_lon else (west, middle_lon)
    yield from ("", "topic=lamps", "topic=lamps&category=first", "before=code1", "after=code1", "since=2026-03-01")


def answers(asked: list[str], beats: list[int]) -> dict[str, str]:
    """Give the answer to every question at every public address."""
    client = Client()
    told = {}
    for query in [*asked, *(f"beat={pk}" for pk in beats)]:
        for address in ADDRESSES:
            response = client.get(f"{address}?{query}")
            text = re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", response.content.decode())
            told[f"{address}?{query}"] = f"{response.status_code} {text}"
    for number in range(3):
        response = client.get(f"/reports/code{number}/")
        text = re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", response.content.decode())
        told[f"page {number}"] = f"{response.status_code} {text}"
    return told


class Undo(Exception):
    """Take back a town."""


@pytest.mark.parametrize("seed", [1, 2])
def test_exact_places_within_a_public_cell_cannot_be_told_apart(unit: Unit, officer: User, seed: int) -> None:
    topic = make.make_topic("lamps", public_resolution=RESOLUTION)
    pairs = [points_of_one_cell(seed * 10 + number) for number in range(3)]
    # A border runs between the two points of the first pair: the beat must not tell on which side the report lies.
    middle = (pairs[0][0][1] + pairs[0][1][1]) / 2
    beats = [
        make.make_beat(unit=unit, name="West", latitude=42.38, longitude=middle - 0.05, half=0.05).pk,
        make.make_beat(unit=unit, name="East", latitude=42.38, longitude=middle + 0.05, half=0.05).pk,
    ]
    asked = list(questions([point for pair in pairs for point in pair]))
    told = []
    for side in (0, 1):
        try:
            with transaction.atomic():
                town([pair[side] for pair in pairs], topic, officer, unit)
                told.append(answers(asked, beats))
                raise Undo
        except Undo:
            pass
    assert told[0].keys() == told[1].keys() and len(asked) > 30
    for question, answer in told[0].items():
        assert answer == told[1][question], question


def test_a_corrected_place_does_not_tell_either(unit: Unit, officer: User) -> None:
    topic = make.make_topic("lamps", public_resolution=RESOLUTION)
    first, second = points_of_one_cell(99)
    town([first], topic, officer, unit)
    before = Publication.objects.values("latitude", "longitude", "cell", "beat").get()
    place_report(
        report_id=Report.objects.get().pk,
        where=Whereabouts(source=PlaceSource.DESK, latitude=second[0], longitude=second[1]),
        actor_id=officer.pk,
        now=make.NOW,
    )
    assert Publication.objects.values("latitude", "longitude", "cell", "beat").get() == before


def test_public_queries_read_the_public_copy_only() -> None:
    """The list, map and feeds never join the report that holds the exact place."""
    from datetime import UTC, datetime

    from commonbeat.reports.queries.public import Box, Filters, public_publications

    filters = Filters(
        topic_id=1,
        category="first",
        beat_id=1,
        since=datetime(2026, 1, 1, tzinfo=UTC),
        until=datetime(2026, 2, 1, tzinfo=UTC),
        box=Box(20.0, 42.0, 21.0, 43.0),
    )
    sql = str(public_publications(filters, now=make.NOW).query)
    assert "JOIN" not in sql and "reports_report" not in sql.replace("reports_publication", "")
