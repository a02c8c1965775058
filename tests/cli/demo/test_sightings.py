"""The demo town looks out: sightings by several channels for an alert that stands and one that ended, and partners."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings

from commonbeat.alerts import public_queries
from commonbeat.alerts.actions.partner_calls import claim_calls
from commonbeat.alerts.actions.partners import address_and_secret
from commonbeat.alerts.models import Partner
from commonbeat.alerts.partner_queries import partner_lines
from commonbeat.alerts.queries import sightings
from commonbeat.cli.demo.fill import fill_demo
from commonbeat.cli.demo.sightings import CHILD, VAN
from commonbeat.messaging.models import Outbound
from commonbeat.people.models import User
from commonbeat.reactions.alerting import helped
from commonbeat.reports.models import Report
from tests.make import NOW

pytestmark = pytest.mark.django_db


def test_people_helped_and_partners_heard() -> None:
    try:
        said = list(fill_demo(now=NOW))
    finally:
        for made in ("demo.json", "maps/town.pmtiles"):
            (Path(settings.COMMONBEAT.data_dir) / made).unlink(missing_ok=True)
    assert "16 people told what they saw, and two partners hear of alerts." in said
    listed = public_queries.listed(now=NOW)
    van = next(chain.root for chain in listed.active if chain.root.kind == "look_out")
    child = next(chain.root for chain in listed.ended if chain.root.kind == "missing_child")
    assert child.outcome == "found_safe"
    for alert, told in ((van, VAN), (child, CHILD)):
        reports = Report.objects.filter(pk__in=[one.report_id for one in sightings(alert)])
        assert len(reports) == len(told)
        assert {report.channel for report in reports} == {"web", "demo_sms", "email"}
        # Over time, as the map plays it, and none before it happened or after now.
        assert len({report.created_at for report in reports}) == len(told)
        assert all(alert.released_at < report.created_at < NOW for report in reports if alert.released_at)
        # More than the fewest that are told as a number.
        assert helped([alert.pk]) >= 5
    mira = User.objects.get(username="mira")
    assert Report.objects.visible_to(mira).filter(topic__code="sighting").exists()
    # Nobody is written to, and nobody is called: their hosts do not exist, and nothing of it waits.
    assert not Outbound.objects.filter(contact__kind="email").exists()
    assert all(
        (urlsplit(address_and_secret(one)[0]).hostname or "").endswith(".invalid") for one in Partner.objects.all()
    )
    assert claim_calls(busy=(), limit=10, now=NOW) == []
    lines = {line.partner.name: line for line in partner_lines()}
    assert [lines[name].taken for name in ("Linden School", "Bregova Taxi")] == [2, 3]
    assert [lines[name].partner.is_enabled for name in ("Linden School", "Bregova Taxi")] == [True, False]
    assert all(line.waiting == 0 and not line.problem for line in lines.values())
