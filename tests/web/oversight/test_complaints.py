"""The deadlines of complaints, for the oversight body alone, and no word of what is written."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from commonbeat.foundation import clock
from commonbeat.tips.actions.submitting import submit_text
from commonbeat.tips.models import DeskKind
from tests import make
from tests.tips.desks import desk_with

pytestmark = pytest.mark.django_db

URL = "/oversight/deadlines/"


def test_the_overseer_sees_numbers(overseer_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    desk, _seats = desk_with(kind=DeskKind.COMPLAINTS, answer_within_days=30)
    for word in ("Whispered", "Shouted"):
        submit_text(desk_id=desk.pk, text=f"{word} words.", now=make.NOW)
    monkeypatch.setattr(clock, "now", lambda: make.NOW + timedelta(days=31))
    page = overseer_client.get(URL).content.decode()
    assert 'data-label="Open">2<' in page
    assert 'data-label="Due within 7 days">0<' in page
    assert 'data-label="Overdue">2 ' in page
    assert "Whispered" not in page


def test_without_a_desk_it_says_where_to_make_one(overseer_client: Client) -> None:
    assert "No desk for complaints" in overseer_client.get(URL).content.decode()


@pytest.mark.parametrize("who", ["officer", "supervisor", "moderator", "administrator", "outsider"])
def test_nobody_else_sees_it(who: str, request: pytest.FixtureRequest) -> None:
    desk_with(kind=DeskKind.COMPLAINTS)
    assert request.getfixturevalue(f"{who}_client").get(URL).status_code == 403
