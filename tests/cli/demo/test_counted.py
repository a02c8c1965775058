"""The demo town tells some harassment in numbers: never of fewer than five, and not all of it by place."""

from __future__ import annotations

import json
import random
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from commonbeat.cli.demo.counted import TOLD, tell_of_harassment
from commonbeat.cli.demo.fill import HERE
from commonbeat.foundation import cells
from commonbeat.maps.models import Bucket, Term
from commonbeat.people.models import User
from commonbeat.reactions.counting import rebuild
from commonbeat.topics.models import Topic
from commonbeat.topics.ready_made import install_ready_made
from tests import make

pytestmark = pytest.mark.django_db
PLACES: list[dict[str, Any]] = json.loads((HERE / "places.json").read_text("utf-8"))


@pytest.mark.parametrize("today", ["2026-11-24 13:00", "2026-01-01 00:30", "2026-03-31 23:59"])
def test_two_months_are_drawn_and_the_few_are_withheld(unit: object, officer: User, today: str) -> None:
    install_ready_made(make.NOW)
    topic = Topic.objects.select_related("current").get(code="harassment")
    now = datetime.fromisoformat(today).replace(tzinfo=ZoneInfo("Europe/Berlin"))
    assert tell_of_harassment(random.Random(1), PLACES, topic, officer, now) == sum(people for *_, people in TOLD)
    rebuild(now, redraw=True)
    found = list(Bucket.objects.filter(topic_id=topic.pk).order_by("category", "period"))
    assert all(bucket.n >= 5 and bucket.sources >= 5 for bucket in found)
    told = [(one.category, cells.resolution_of(one.cell) if one.cell else 0, one.n) for one in found]
    assert told == [
        ("*", 0, 6), ("stalking", 7, 5), ("stalking", 8, 5), ("transport", 8, 5), ("verbal", 8, 6), ("verbal", 8, 8)
    ]  # fmt: skip
    assert len({bucket.period for bucket in found}) == 2
    assert sorted(Term.objects.values_list("untold", flat=True)) == [0, 3]
