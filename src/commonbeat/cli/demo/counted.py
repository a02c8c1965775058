"""Reports of the demo town of which only numbers are public: two months that are over, so that the map tells some."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from commonbeat.foundation import cells
from commonbeat.people.models import User
from commonbeat.reports.actions.publish import publish_report
from commonbeat.reports.actions.submit import Whereabouts, submit_report
from commonbeat.reports.models import PlaceSource
from commonbeat.topics.models import Topic

# Months ago, kind, place, number of people. Five and more in one place are told there; fewer near by, for both
# together; many kinds of few each, as a sum alone; and three of a month, nowhere.
TOLD = (
    (2, "verbal", "Bazaar Street", 6),
    (2, "transport", "Bus station", 5),
    (2, "stalking", "Old Bazaar", 3),
    (2, "stalking", "Station quarter", 2),
    (2, "touching", "Bazaar Street", 2),
    (2, "photos", "Mill", 2),
    (2, "exposure", "Bus station", 2),
    (1, "verbal", "Bazaar Street", 8),
    (1, "stalking", "School Street", 5),
    (1, "touching", "Mill", 3),
)
TEXTS = (
    "Somebody called after me again and would not stop.",
    "It happens at the same corner, mostly after eight in the evening.",
    "I would like somebody of the police to walk there now and then.",
)


def tell_of_harassment(
    chance: random.Random, places: list[dict[str, Any]], topic: Topic, actor: User, now: datetime
) -> int:
    """Let people report harassment in the two months before this one; returns how many reports there are."""
    by_name = {place["names"]["en"]: place for place in places}
    count = 0
    for months_ago, kind, name, people in TOLD:
        first = _first_of(now, months_ago)
        for _person in range(people):
            count += 1
            # Early enough in the month for what is told two days later.
            when = first + timedelta(days=chance.randint(1, 22), hours=chance.randint(8, 20))
            _tell(chance, count, kind, by_name[name], topic, actor, when)
    return count


def _first_of(now: datetime, months_ago: int) -> datetime:
    day = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    for _month in range(months_ago):
        day = day.replace(day=1) - timedelta(days=1)
    return day.replace(day=1)


def _tell(
    chance: random.Random, number: int, kind: str, place: dict[str, Any], topic: Topic, actor: User, when: datetime
) -> None:
    assert topic.current is not None
    # The middle of a public hexagon, so that what happened in one place falls into one.
    spot = cells.centre(cells.cell_of(place["lat"], place["lon"], topic.definition.public_resolution))
    report, _made = submit_report(
        version=topic.current,
        text=chance.choice(TEXTS),
        language="en",
        channel="web",
        client_key=f"demo:counted:{number}",
        categories=[kind],
        answers={"who": chance.choice(("me", "saw")), "daytime": chance.choice(("afternoon", "evening", "night"))},
        where=Whereabouts(
            source=PlaceSource.MAP,
            name=place["names"]["en"],
            latitude=spot[0] + chance.uniform(-0.001, 0.001),
            longitude=spot[1] + chance.uniform(-0.001, 0.001),
        ),
        acknowledged=True,
        now=when,
    )
    publish_report(
        report_id=report.pk,
        title=topic.definition.name["en"],
        text="",
        actor=actor,
        now=when + timedelta(hours=3),
    )
