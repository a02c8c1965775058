"""Safety audits of the demo town: several people at each of some places, so that the scores have something to say."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

from commonbeat.foundation import cells
from commonbeat.people.models import User
from commonbeat.reports.actions.publish import publish_report
from commonbeat.reports.actions.submit import Whereabouts, submit_report
from commonbeat.reports.models import PlaceSource
from commonbeat.topics.models import Topic
from commonbeat.topics.scoring import rated_fields

# How many people rate each place, and how well, from 0 to 3: two have too few people, as it is in a real town.
RATED = ((7, 0.9), (6, 2.3), (5, 1.2), (5, 2.6), (4, 0.6), (4, 1.9), (3, 2.4), (3, 1.1), (2, 1.5), (1, 2.0))
NOTES = (
    "After nine nobody is left in the street, and half of the lamps are out.",
    "Shops are open until late, people sit outside. I like to walk here.",
    "The pavement ends at the corner, one has to step onto the road.",
    "Good light and many windows. The bus stop is around the corner.",
    "Bushes on both sides, I could not see who was ahead.",
)


def audit_places(chance: random.Random, places: list[dict[str, Any]], topic: Topic, actor: User, now: datetime) -> int:
    """Let people audit some places of the town; returns how many audits there are."""
    count = 0
    for place, (people, mood) in zip(chance.sample(places, len(RATED)), RATED, strict=True):
        # The middle of a cell with a score, so that the audits of one place fall into one cell.
        cell = cells.cell_of(place["lat"], place["lon"], topic.definition.scores.resolution)
        spot = cells.centre(cell)
        typical = {field.code: chance.gauss(mood, 0.6) for field in rated_fields(topic.definition)}
        for _person in range(people):
            count += 1
            _audit(chance, count, place, spot, typical, topic, actor, now - timedelta(days=chance.randint(2, 300)))
    return count


def _audit(
    chance: random.Random,
    number: int,
    place: dict[str, Any],
    spot: tuple[float, float],
    typical: dict[str, float],
    topic: Topic,
    actor: User,
    when: datetime,
) -> None:
    assert topic.current is not None
    # Some people rate everything better than others do.
    person = chance.gauss(0, 0.5)
    answers: dict[str, object] = {
        code: min(3, max(0, round(chance.gauss(mean + person, 0.7)))) for code, mean in typical.items()
    }
    answers["daytime"] = chance.choice(["day", "dusk", "night"])
    report, _made = submit_report(
        version=topic.current,
        text=chance.choice(NOTES),
        language="en",
        channel="web",
        client_key=f"demo:audit:{number}",
        answers=answers,
        where=Whereabouts(
            source=PlaceSource.MAP,
            name=place["names"]["en"],
            latitude=spot[0] + chance.uniform(-0.0002, 0.0002),
            longitude=spot[1] + chance.uniform(-0.0003, 0.0003),
        ),
        acknowledged=True,
        now=when,
    )
    publish_report(
        report_id=report.pk,
        title=topic.definition.name["en"],
        text=report.text,
        place_name=report.place_name,
        actor=actor,
        now=when + timedelta(hours=3),
    )
