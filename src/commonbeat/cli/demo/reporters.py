"""Demo deployments with expected reporters: an invented town's clinics, or its polling stations on one day."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

from django.utils import timezone

from commonbeat.cli.demo.fill import SEED, Town, people_and_places, town_map_file
from commonbeat.journal.actions import move_cursor
from commonbeat.journal.models import Entry
from commonbeat.messaging.actions import receive, understand_batch
from commonbeat.messaging.channel import Inbound
from commonbeat.reactions.inbound import handle
from commonbeat.reactions.run import CURSOR
from commonbeat.reports.actions.expected import Enrolment, enrol
from commonbeat.reports.actions.publish import publish_report
from commonbeat.reports.actions.work import move_report
from commonbeat.reports.models import Report
from commonbeat.topics.ready_made import install_ready_made

HERE = Path(__file__).parent
# Of ten: who has not reported today, who came late, who sent it again, who wrote something unclear.
MISSING, LATE, AGAIN, UNCLEAR = (3, 7), (5,), 0, 4


def plan_of(deployment: str) -> dict[str, Any]:
    """Read what a deployment consists of."""
    plan: dict[str, Any] = json.loads((HERE / f"{deployment}.json").read_text("utf-8"))
    return plan


def fill_reporters(deployment: str, *, now: datetime) -> Iterator[str]:
    """Make the deployment; yields a sentence per step."""
    plan = plan_of(deployment)
    chance = random.Random(SEED)
    install_ready_made(now=now)
    yield "Topics are in place."
    town = people_and_places(now)
    yield f"Bregova has {len(town.places)} named places and its teams."
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    # Due at half of today so far, so that whenever the demo is made some have reported and some are late.
    due = midnight + (now - midnight) / 2
    due -= timedelta(minutes=due.minute % 5, seconds=due.second, microseconds=due.microsecond)
    _enrol(plan, town, due.timetz().replace(tzinfo=None), now)
    yield f"{len(plan['sites'])} reporters are enrolled."
    said = sorted(_said(plan, chance, midnight, due, now), key=lambda one: one[0])
    for number, (when, phone, text) in enumerate(said):
        message = Inbound(provider_id=f"demo-{number}", sender=phone, text=text)
        receive(channel="demo_sms", message=message, now=when)
        understand_batch(handle, when)
    reports = list(Report.objects.order_by("created_at"))
    yield f"{len(said)} messages came in and made {len(reports)} reports."
    _publish(town, [report for report in reports if report.created_at < midnight or chance.random() < 0.4], now)
    move_cursor(name=CURSOR, to=Entry.objects.latest("id").pk)
    yield "The desk has worked on them."
    town_map_file()


def _enrol(plan: dict[str, Any], town: Town, due_at: time, now: datetime) -> None:
    rows = [
        Enrolment(
            phone=site["phone"],
            site=site["site"],
            language=site["language"],
            due_at=due_at,
            latitude=site["latitude"],
            longitude=site["longitude"],
        )
        for site in plan["sites"]
    ]
    enrol(topic_id=town.topics[plan["topic"]].pk, rows=rows, actor=town.staff["sara"], now=now)


def _said(
    plan: dict[str, Any], chance: random.Random, midnight: datetime, due: datetime, now: datetime
) -> Iterator[tuple[datetime, str, str]]:
    for back in range(plan["days"] - 1, -1, -1):
        for index, site in enumerate(plan["sites"]):
            if back == 0 and index in MISSING:
                continue
            start, end = midnight - timedelta(days=back), due - timedelta(days=back)
            if index in LATE:
                start, end = end, (now if back == 0 else end + timedelta(hours=2))
            texts = plan["texts"][site["language"]]
            for text in chance.sample(texts, k=min(len(texts), 1 + (index + back) % 3)):
                # Nobody counts boxes in the small hours, unless the demo is made then.
                yield _message(text, site, index, start + (end - start) * chance.uniform(0.6, 0.98))
    first, unclear = plan["sites"][AGAIN], plan["sites"][UNCLEAR]
    when = due + (now - due) * 0.3
    for text in (plan["resent"][0].replace("12", "1"), *plan["resent"]):
        yield _message(text, first, AGAIN, when)
        when += (now - due) * 0.1
    yield _message(plan["unclear"][0], unclear, UNCLEAR, when)


def _message(text: str, site: dict[str, Any], index: int, when: datetime) -> tuple[datetime, str, str]:
    at = timezone.localtime(when)
    return when, site["phone"], text.format(n=index + 1, time=f"{at.hour}:{at.minute:02}")


def _publish(town: Town, reports: list[Report], now: datetime) -> None:
    officers = {user.unit_id: user for user in (town.staff["jon"], town.staff["mira"])}
    for report in reports:
        officer = officers[report.unit_id]
        worked = min(now, report.created_at + timedelta(minutes=40))
        move_report(report_id=report.pk, to_state="triaged", actor=officer, now=worked)
        publish_report(
            report_id=report.pk,
            title=report.title or report.topic_version.definition.name["en"],
            text="",
            place_name=report.place_name,
            photo_ids=[],
            actor=officer,
            now=worked,
        )
