"""Two browsers at the same moment: an alert goes out once, and nothing follows its end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from commonbeat.alerts.actions.follow import update_alert
from commonbeat.alerts.actions.release import ask_second
from commonbeat.alerts.models import Alert, AlertState, FanOut, MsgType
from commonbeat.foundation import clock
from commonbeat.journal.models import Entry
from commonbeat.people.models import Role, User
from tests import make
from tests.alerts.going_out import urgent as urgent_draft
from tests.reports.test_translations_together import in_threads, on_disk  # noqa: F401  # on_disk is a fixture
from tests.web.desk.alert_walk import WORD_FIELDS, address, out, urgent

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def team(on_disk: Callable[[], Any]) -> list[User]:  # noqa: F811  # the fixture
    """Give an author and four colleagues."""
    unit = make.make_unit(name="Northern quarter", is_fallback=True)
    return [make.make_user(f"officer-{n}", role=Role.OFFICER, unit=unit) for n in range(5)]


def test_four_second_people_release_one_alert(team: list[User], on_disk: Callable[[], Any]) -> None:  # noqa: F811  # the fixture
    alert = urgent(team[0])
    ask_second(alert_id=alert.pk, actor=team[0], now=clock.now())
    answers: Counter[int] = Counter()

    def press(who: User) -> None:
        page = make.signed_in(who).post(address("alert_act", alert, verb="release"))
        answers[page.status_code] += 1
        if page.status_code == 409:
            assert "This alert is out already" in page.content.decode()

    in_threads(press, team[1:], on_disk)
    assert answers == {302: 1, 409: 3}
    assert FanOut.objects.count() == 1
    assert Entry.objects.filter(kind="alerts.released").count() == 1


def test_a_correction_is_released_while_the_alert_is_taken_back(team: list[User], on_disk: Callable[[], Any]) -> None:  # noqa: F811  # the fixture
    alert = out(team[0], second=team[1])
    correction = update_alert(alert_id=alert.pk, draft=urgent_draft(now=clock.now()), actor=team[0], now=clock.now())
    answers: dict[str, int] = {}

    def press(who: User) -> None:
        client = make.signed_in(who)
        if who == team[1]:
            page = client.post(address("alert_act", correction, verb="release"))
            answers["release"] = page.status_code
        else:
            page = client.post(address("alert_follow", alert, verb="cancel"), {**WORD_FIELDS, "go": "send"})
            answers["cancel"] = page.status_code

    in_threads(press, team[1:3], on_disk)
    assert answers["cancel"] == 302
    assert answers["release"] in (302, 409)
    chain = list(Alert.objects.filter(state=AlertState.RELEASED).order_by("released_at", "pk"))
    # Whoever was first, the end is the last word: the other was refused, or came before.
    assert (answers["release"] == 302) is (len(chain) == 3)
    assert [one.msg_type for one in chain].count(MsgType.CANCEL) == 1
    alert.refresh_from_db()
    assert alert.outcome == "mistake"
    cancel = next(one for one in chain if one.msg_type == MsgType.CANCEL)
    fan_outs = {one.alert_id: one for one in FanOut.objects.all()}
    assert all(fan_outs[one.pk].stopped_at is not None for one in chain if one.pk != cancel.pk)
    assert fan_outs[cancel.pk].stopped_at is None
