"""The oversight body says which unit has one person, and reads on its first page what that person released."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from commonbeat.alerts.actions.release import ask_second, release_alone
from commonbeat.foundation import clock
from commonbeat.journal.models import Entry
from commonbeat.people.actions import set_releases_alone
from commonbeat.people.models import Role, Unit, User
from commonbeat.web.oversight.alone import released_alone
from tests.make import make_user, signed_in
from tests.web.desk.alert_walk import act, address, urgent

pytestmark = pytest.mark.django_db
UNITS, JOURNAL = reverse("oversight:units"), reverse("oversight:journal")
REASON = "The river rises & I am the only one."


@pytest.fixture
def single(unit: Unit, officer: User, overseer: User) -> User:
    """Give the one officer of a unit that is set so."""
    set_releases_alone(unit_id=unit.pk, is_alone=True, actor=overseer, now=clock.now())
    return User.objects.get(pk=officer.pk)


def test_it_is_set_and_taken_back_on_a_page(overseer_client: Client, unit: Unit, officer: User) -> None:
    page = overseer_client.get(UNITS).content.decode()
    assert "Northern quarter" in page
    assert "Two people release" in page
    page = overseer_client.post(UNITS, {"unit": unit.pk, "alone": "yes"}, follow=True).content.decode()
    assert "It is set, and stands in the journal." in page
    assert "One person releases alone" in page
    journal = overseer_client.get(JOURNAL).content.decode()
    assert "Unit allowed to release urgent alerts by one person" in journal
    make_user("second", role=Role.OFFICER, unit=unit)
    assert "without effect: it has 2" in overseer_client.get(UNITS).content.decode()
    overseer_client.post(UNITS, {"unit": unit.pk, "alone": "no"})
    page = overseer_client.get(UNITS).content.decode()
    assert "Not one person" in page
    refused = overseer_client.post(UNITS, {"unit": unit.pk, "alone": "yes"})
    assert refused.status_code == 422
    assert "2 accounts of Northern quarter may release alerts" in refused.content.decode()


@pytest.mark.parametrize("number", ["", "x", "-1", "9" * 30, "4711", "٣"])
def test_a_unit_that_is_none_is_told_so(overseer_client: Client, number: str) -> None:
    answer = overseer_client.post(UNITS, {"unit": number, "alone": "yes"})
    assert (answer.status_code, "There is no such unit." in answer.content.decode()) == (422, True)


@pytest.mark.parametrize("role", [Role.RESIDENT, Role.OFFICER, Role.SUPERVISOR, Role.MODERATOR, Role.ADMINISTRATOR])
def test_nobody_else_sets_it(role: Role, unit: Unit, officer: User) -> None:
    browser = signed_in(make_user("outsider", role=role, second_factor=True))
    for answer in (browser.get(UNITS), browser.post(UNITS, {"unit": unit.pk, "alone": "yes"})):
        assert answer.status_code == 403
        assert "Northern quarter" not in answer.content.decode()
    unit.refresh_from_db()
    assert not unit.releases_alone


def test_strangers_are_asked_to_sign_in(client: Client, unit: Unit) -> None:
    assert client.post(UNITS, {"unit": unit.pk, "alone": "yes"}).status_code == 302
    unit.refresh_from_db()
    assert not unit.releases_alone


def test_the_number_of_queries_does_not_grow(overseer_client: Client, unit: Unit, django_assert_num_queries) -> None:
    overseer_client.get(UNITS)
    with django_assert_num_queries(4):
        overseer_client.get(UNITS)
    Unit.objects.bulk_create(Unit(name=f"Unit {number}") for number in range(20))
    with django_assert_num_queries(4):
        overseer_client.get(UNITS)


def test_what_the_one_person_released_stands_on_the_first_page(single: User, overseer_client: Client) -> None:
    browser, alert = signed_in(single), urgent(single)
    page = browser.get(address("alert", alert)).content.decode()
    assert "Your unit has one person" in page
    assert "Why does it go out now?" in page
    blank = act(browser, alert, "alone", reason="")
    assert blank.status_code == 422
    assert act(browser, alert, "alone", reason=REASON).status_code == 302
    history = browser.get(address("alert", alert)).content.decode()
    assert "Released by the one person of the unit" in history
    first = overseer_client.get(JOURNAL).content.decode()
    box = first.partition("Urgent alerts that one person released, last 30 days")[2].partition("</section>")[0]
    for said in (
        "Water cut in the old town", "Northern quarter", "The unit has one person, and you have set it so.",
        "The river rises &amp; I am the only one.", f'href="/alerts/{alert.pk}/"', f"?actor={single.pk}",
    ):  # fmt: skip
        assert said in box, said
    assert "released by the one person of a unit that is set so" in first
    assert Client().get(f"/alerts/{alert.pk}/").status_code == 200


def test_a_test_alert_of_one_person_asks_and_waits(single: User) -> None:
    browser, alert = signed_in(single), urgent(single, status="Test")
    page = browser.get(address("alert", alert)).content.decode()
    assert "Why does it go out now?" not in page
    act(browser, alert, "ask")
    assert "you can release it alone" in browser.get(address("alert", alert)).content.decode()
    early = browser.post(address("alert_act", alert, verb="alone"), {"reason": REASON})
    assert early.status_code == 422


def test_two_see_no_shortcut(single: User, unit: Unit) -> None:
    alert = urgent(single)
    make_user("second", role=Role.OFFICER, unit=unit)
    page = signed_in(single).get(address("alert", alert)).content.decode()
    assert "Your unit has one person" not in page
    assert "Ask a second person" in page


def test_where_nobody_answered_is_told_apart_and_old_ones_are_left_out(
    officer: User, second_officer: User, overseer_client: Client, django_assert_max_num_queries
) -> None:
    now = clock.now()
    for _ in range(3):
        alert = urgent(officer)
        ask_second(alert_id=alert.pk, actor=officer, now=now - timedelta(minutes=2))
        release_alone(alert_id=alert.pk, reason="Nobody answers.", actor=officer, now=now)
    with django_assert_max_num_queries(3):
        found = released_alone(now)
    assert (found[0].root_id, found[0].reason, found[0].actor_id) == (alert.pk, "Nobody answers.", officer.pk)
    assert {one.why for one in found} == {"A second person was asked, and nobody answered within a minute."}
    assert "Nobody answers." in overseer_client.get(JOURNAL).content.decode()
    Entry.objects.filter(kind="alerts.released_alone").update(at=now - timedelta(days=31))
    assert released_alone(now) == []
