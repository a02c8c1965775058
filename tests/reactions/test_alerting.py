"""Alerts by letter and by dialling, and how many have helped."""

from __future__ import annotations

import itertools

import pytest

from commonbeat.alerts.actions.subscribing import Where
from commonbeat.alerts.models import Sighting, Subscription
from commonbeat.intake import alert_texts, texts
from commonbeat.messaging.actions import contact_for
from commonbeat.messaging.channel import Inbound
from commonbeat.messaging.models import Contact, ContactKind
from commonbeat.people.models import User
from commonbeat.reactions.alerting import helped
from commonbeat.reactions.inbound import handle
from commonbeat.reports.models import Report
from commonbeat.topics.queries import SIGHTING
from tests import make
from tests.alerts.going_out import HOME, alert_out, draft_of, fan_out, subscriber
from tests.alerts.rows import alert_row
from tests.reactions.handset import Handset, make_town

pytestmark = pytest.mark.django_db
NOW = make.NOW
_ids = itertools.count(1)


@pytest.fixture(autouse=True)
def _town(unit: object) -> None:
    make_town()


def mailbox() -> Contact:
    return contact_for(kind=ContactKind.EMAIL, address="a@example.org", channel="email", language="en", now=NOW)


def write(contact: Contact, text: str, *, proven: bool) -> list[str]:
    message = Inbound(provider_id=f"mail-{next(_ids)}", sender="a@example.org", text=text, is_proven=proven)
    return list(handle(contact, message, NOW))


# ------------------------------------------------------------------ letters


@pytest.mark.parametrize(
    "text", ["ALERTS", "ALERTS Old Bridge", "ALERTS school", "ALERTS ALL", "STOP ALERTS", "STOP 1"]
)
def test_a_forged_letter_changes_no_alerts_and_is_told_none(text: str) -> None:
    contact = subscriber(contact=mailbox())
    before = Subscription.objects.get()
    assert write(contact, text, proven=False) == [texts.prove_sender()]
    assert [row.pk for row in Subscription.objects.all()] == [before.pk]
    # Nor does it change what the owner is asked next.
    assert not Report.objects.exists()


def test_an_area_that_was_drawn_is_listed_and_ended_by_its_number() -> None:
    contact = subscriber(contact=mailbox())
    subscriber(contact=contact, where=Where(area=make.square(half=0.01)))
    (listed,) = write(contact, "ALERTS", proven=True)
    assert "2 an area that you drew" in listed
    (ended,) = write(contact, "STOP 2", proven=True)
    assert "No more alerts for an area that you drew." in ended
    assert Subscription.objects.get().shape == "point"


def test_an_answer_to_our_letter_is_proof() -> None:
    contact = mailbox()
    (said,) = write(contact, "ALERTS Old Bridge", proven=True)
    assert said == alert_texts.alerts_here(place="Old Bridge")
    assert Subscription.objects.get().confirmed_at == NOW


def test_a_forged_letter_may_say_what_was_seen_and_is_not_told_who_was_asked(officer: User) -> None:
    owner = subscriber(contact=mailbox(), where=HOME)
    had = alert_out(officer, draft=draft_of(kind="look_out"))
    fan_out(had)
    other = alert_row(kind="missing_child")
    (said,) = write(owner, "SAW white van, no plates", proven=False)
    # Who had the first alone would not be asked which.
    assert "Which alert?" in said
    assert not Sighting.objects.exists()
    (said,) = write(owner, "2", proven=True)
    assert Sighting.objects.get().alert_id in (had.pk, other.pk)
    assert "Which" not in said


def test_a_forged_letter_for_the_only_alert_is_tied(officer: User) -> None:
    alert = alert_row(kind="missing_child")
    write(mailbox(), "SAW a child in a red coat", proven=False)
    assert Sighting.objects.get().alert_id == alert.pk
    assert Report.objects.get().contact_confirmed is False


# ------------------------------------------------------------------ dialling


def test_alerts_are_asked_for_listed_and_ended_by_dialling() -> None:
    handset = Handset()
    handset.dial()
    text, goes_on = handset.whole(handset.enter("4"))
    assert text.split() == texts.for_phone(alert_texts.alerts_none()).split() and goes_on
    text, goes_on = handset.whole(handset.enter("Old Bridge"))
    assert text.split() == texts.for_phone(alert_texts.alerts_here(place="Old Bridge")).split() and not goes_on
    assert Subscription.objects.get().confirmed_at == NOW
    handset.dial()
    text, _goes_on = handset.whole(handset.enter("4"))
    assert "1 Old Bridge" in text
    text, _goes_on = handset.whole(handset.enter("STOP ALERTS"))
    assert text.split() == texts.for_phone(alert_texts.alerts_ended()).split()
    assert not Subscription.objects.exists()


def test_a_dropped_session_is_resumed_at_the_alert_that_was_asked_for() -> None:
    first, second = alert_row(kind="missing_child"), alert_row(kind="look_out")
    handset = Handset()
    handset.dial()
    handset.whole(handset.enter("SAW white van, no plates"))
    text, goes_on = handset.whole(handset.dial())
    assert "Which alert?" in text and goes_on
    handset.enter("1")
    assert Sighting.objects.get().alert_id == second.pk != first.pk


# ------------------------------------------------------------------ how many helped


def test_whom_the_desk_rejected_has_not_helped_and_who_answered_twice_counts_once(django_assert_num_queries) -> None:
    alert = alert_row(kind="missing_child")
    one, two = make.make_contact(), make.make_contact()
    for number, (contact, state) in enumerate(
        [(one, "new"), (one, "triaged"), (two, "duplicate"), (None, "new"), (None, "new"), (None, "rejected")]
    ):
        report = make.make_report(contact=contact, client_key=f"saw-{number}")
        Report.objects.filter(pk=report.pk).update(state=state)
        Sighting.objects.create(alert=alert, report_id=report.pk, created_at=NOW)
    other = make.make_report(client_key="other")
    assert other.topic.code != SIGHTING
    with django_assert_num_queries(1):
        assert helped([alert.pk]) == 4
    assert helped([]) == 0
