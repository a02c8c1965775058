"""The demo deployments with expected reporters: whole, and the same whatever the hour."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings

from commonbeat.cli.demo.command import DEPLOYMENTS
from commonbeat.cli.demo.reporters import fill_reporters, plan_of
from commonbeat.messaging.models import Inbound
from commonbeat.people.models import User
from commonbeat.reports.models import Correction, ExpectedReporter, Publication, Report
from commonbeat.reports.queries.expected import board
from commonbeat.reports.schedule import Standing

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("deployment", [name for name in DEPLOYMENTS if name != "town"])
@pytest.mark.parametrize("hour", [1, 22])
def test_a_deployment_begins_with_reports_and_with_people_who_are_late(deployment: str, hour: int) -> None:
    now = datetime(2026, 3, 14, hour, 40, tzinfo=ZoneInfo(settings.TIME_ZONE))
    plan = plan_of(deployment)
    try:
        assert len(list(fill_reporters(deployment, now=now))) == 5
    finally:
        for made in ("demo.json", "maps/town.pmtiles"):
            (Path(settings.COMMONBEAT.data_dir) / made).unlink(missing_ok=True)
    assert not Inbound.objects.exclude(state="understood").exists()
    assert not Report.objects.filter(is_structured=False).exists()
    assert not Report.objects.filter(latitude=None).exists()
    assert Correction.objects.exists() and Publication.objects.exists()
    # What has no error is answered in full.
    named = Report.objects.exclude(answers={})
    assert named.count() == Report.objects.count()
    viewer = User.objects.get(username="sara")
    topic_id = ExpectedReporter.objects.values_list("topic_id", flat=True).first()
    assert topic_id is not None
    standings = [line.standing for line in board(viewer, topic_id=topic_id, now=now)]
    assert len(standings) == len(plan["sites"]) == 10
    assert set(standings) == {Standing.MISSING, Standing.LATE, Standing.REPORTED}
