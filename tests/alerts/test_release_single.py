"""The one person of a unit that the oversight body has set so releases alone; nobody else does."""

from __future__ import annotations

from datetime import timedelta

import pytest

from commonbeat.alerts.actions.drafts import change_draft, compose_draft
from commonbeat.alerts.actions.follow import update_alert
from commonbeat.alerts.actions.release import ask_second, release, release_alone
from commonbeat.alerts.errors import AlertError, Edited, NeedsSecond, NotAllowed
from commonbeat.alerts.models import AlertState, FanOut
from commonbeat.journal.models import Entry
from commonbeat.people.actions import deactivate, set_releases_alone
from commonbeat.people.models import Role, Unit, User
from tests.alerts.going_out import alert_out, draft_of, urgent
from tests.make import NOW, make_user

pytestmark = pytest.mark.django_db
SOON, LATER = NOW + timedelta(seconds=30), NOW + timedelta(minutes=1)
REASON = "The river rises and I am the only one."


@pytest.fixture
def single(unit: Unit, officer: User, overseer: User) -> User:
    """Give the one officer of a unit that is set so."""
    set_releases_alone(unit_id=unit.pk, is_alone=True, actor=overseer, now=NOW)
    officer.refresh_from_db()
    return officer


def test_the_one_person_releases_at_once_with_a_reason(single: User) -> None:
    alert = compose_draft(draft=urgent(), actor=single, now=NOW)
    with pytest.raises(NeedsSecond):
        release(alert_id=alert.pk, actor=single, now=NOW)
    with pytest.raises(AlertError, match="why"):
        release_alone(alert_id=alert.pk, reason=" ", actor=single, now=NOW)
    done = release_alone(alert_id=alert.pk, reason=REASON, actor=single, now=NOW)
    assert (done.state, done.alone_reason, done.released_by) == (AlertState.RELEASED, REASON, single)
    assert FanOut.objects.get().alert == alert
    assert Entry.objects.get(kind="alerts.released").data["by"] == "single"
    told = Entry.objects.get(kind="alerts.released_alone")
    assert (told.actor_id, told.data) == (single.pk, {"by": "single", "unit": single.unit_id})
    # Their own words stand in no journal.
    assert all("river" not in str(entry.data) for entry in Entry.objects.all())


@pytest.mark.parametrize("status", ["Test", "Exercise"])
def test_where_no_life_depends_on_it_it_waits_and_can_be_taken_back(single: User, status: str) -> None:
    alert = compose_draft(draft=urgent(status=status), actor=single, now=NOW)
    for moment in (NOW, LATER):
        with pytest.raises(AlertError, match="Ask for a second person first"):
            release_alone(alert_id=alert.pk, reason=REASON, actor=single, now=moment)
    asked = ask_second(alert_id=alert.pk, actor=single, now=NOW)
    with pytest.raises(AlertError, match="a minute"):
        release_alone(alert_id=alert.pk, reason=REASON, actor=single, now=SOON)
    # Changed while it waits, it is a draft again.
    change_draft(alert_id=alert.pk, draft=urgent(status=status), actor=single, now=SOON)
    with pytest.raises(AlertError, match="first"):
        release_alone(alert_id=alert.pk, reason=REASON, actor=single, now=LATER)
    ask_second(alert_id=asked.pk, actor=single, now=LATER)
    done = release_alone(alert_id=alert.pk, reason=REASON, actor=single, now=LATER + timedelta(minutes=1))
    assert done.state == AlertState.RELEASED


def test_what_was_changed_since_it_was_read_does_not_go_out(single: User) -> None:
    alert = compose_draft(draft=urgent(), actor=single, now=NOW)
    with pytest.raises(Edited):
        release_alone(alert_id=alert.pk, reason=REASON, actor=single, now=SOON, seen=SOON)


def test_a_correction_goes_out_the_same_way(single: User) -> None:
    first = alert_out(single)
    worse = update_alert(alert_id=first.pk, draft=urgent(kind="water"), actor=single, now=SOON)
    assert worse.state == AlertState.WAITING
    assert release_alone(alert_id=worse.pk, reason=REASON, actor=single, now=SOON).state == AlertState.RELEASED


def test_a_second_person_ends_it_until_they_are_gone(single: User, unit: Unit, administrator: User) -> None:
    alert = compose_draft(draft=urgent(), actor=single, now=NOW)
    second = make_user("new-officer", role=Role.OFFICER, unit=unit)
    with pytest.raises(AlertError, match="Ask for a second person first"):
        release_alone(alert_id=alert.pk, reason=REASON, actor=single, now=NOW)
    deactivate(user_id=second.pk, actor_id=administrator.pk, now=NOW)
    assert release_alone(alert_id=alert.pk, reason=REASON, actor=single, now=NOW).state == AlertState.RELEASED


def test_others_do_not_use_it(
    single: User, far_officer: User, far_unit: Unit, administrator: User, overseer: User
) -> None:
    alert = compose_draft(draft=urgent(), actor=single, now=NOW)
    for nobody in (far_officer, administrator, overseer):
        with pytest.raises(NotAllowed):
            release_alone(alert_id=alert.pk, reason=REASON, actor=nobody, now=NOW)
    # A supervisor elsewhere may be the second person, and is not the only one.
    other = make_user("other-supervisor", role=Role.SUPERVISOR, unit=far_unit)
    change_draft(alert_id=alert.pk, draft=urgent(certainty="Likely"), actor=other, now=NOW)
    with pytest.raises(AlertError, match="Ask for a second person first"):
        release_alone(alert_id=alert.pk, reason=REASON, actor=other, now=NOW)
    assert not FanOut.objects.exists()


def test_where_it_is_not_set_one_waits(officer: User, far_officer: User, far_unit: Unit, overseer: User) -> None:
    set_releases_alone(unit_id=far_unit.pk, is_alone=True, actor=overseer, now=NOW)
    alert = compose_draft(draft=urgent(), actor=officer, now=NOW)
    with pytest.raises(AlertError, match="Ask for a second person first"):
        release_alone(alert_id=alert.pk, reason=REASON, actor=officer, now=NOW)


def test_what_one_person_may_needs_no_reason(single: User) -> None:
    alert = compose_draft(draft=draft_of(), actor=single, now=NOW)
    with pytest.raises(AlertError, match="needs no second person"):
        release_alone(alert_id=alert.pk, reason=REASON, actor=single, now=NOW)
