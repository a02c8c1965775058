"""Nobody may draw area after area until the home of a subscriber is found."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from commonbeat.alerts import events
from commonbeat.journal.models import Entry
from commonbeat.people.models import User
from commonbeat.web.desk import alert_looks
from tests import make
from tests.web.desk.alert_walk import SQUARE, address, draft

pytestmark = pytest.mark.django_db
NEW = "/desk/alerts/new/?kind=danger"


def look(client: Client, half: float) -> str:
    """Ask how many an area would reach."""
    shapes = json.dumps(make.square(half=half))
    return client.post(NEW, {"shapes": shapes, "go": "look"}).content.decode()


def test_after_many_areas_no_number_is_told(
    officer_client: Client, officer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alert_looks, "LOOKS", alert_looks.LOOKS._replace(most=3))
    for step in range(3):
        assert "It would reach" in look(officer_client, 0.01 + step / 1_000)
    refused = look(officer_client, 0.02)
    assert "It would reach" not in refused and alert_looks.TOO_MANY in refused
    # What was seen already tells nothing new.
    assert "It would reach" in look(officer_client, 0.01)
    looks = Entry.objects.filter(kind=events.LOOKED)
    assert looks.count() == 3 and {entry.actor_id for entry in looks} == {officer.pk}


def test_the_last_page_of_a_draft_counts_too_and_the_alert_can_go_out(
    officer_client: Client, officer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alert_looks, "LOOKS", alert_looks.LOOKS._replace(most=0))
    alert = draft(officer)
    page = officer_client.get(address("alert", alert)).content.decode()
    assert alert_looks.TOO_MANY in page
    assert "Now it would reach" not in page and "subscribers" not in page
    assert officer_client.post(NEW, {"shapes": SQUARE, "go": "next"}).status_code == 302
