"""What became of each message stands on the report's page, and what failed can be sent again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.urls import reverse

from commonbeat.foundation import clock
from commonbeat.journal.models import Entry
from commonbeat.messaging.actions import enqueue
from commonbeat.messaging.channel import channels
from commonbeat.messaging.models import Health, Outbound, OutboundState, Part, Spending
from commonbeat.people.models import Unit, User
from commonbeat.reports.actions.work import claim_report
from commonbeat.reports.models import Report
from commonbeat.web.desk.delivery import channel_name, delivery_of, failure_in_words
from commonbeat.web.desk.names import channel_names
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def report(unit: Unit) -> Report:
    """Give a report of somebody who can be written to."""
    return make.make_report(
        unit=unit, title="Dark lamp", contact=make.make_contact("+38344123456", channel="kannel_sms")
    )


def sent(report: Report, key: str = "a", **changes: object) -> Outbound:
    """Queue a message about a report, and let things happen to it."""
    now = clock.now()
    assert report.contact is not None
    row = enqueue(contact=report.contact, text=f"text {key}", idempotency_key=key, about_id=report.pk, now=now)
    assert row is not None
    Outbound.objects.filter(pk=row.pk).update(**changes)
    row.refresh_from_db()
    return row


def page(client: Client, report: Report) -> str:
    """Draw the report's page."""
    return client.get(reverse("desk:report", kwargs={"report_id": report.pk})).content.decode()


def again(client: Client, report: Report, row: Outbound) -> int:
    """Press the button; give the status."""
    address = reverse("desk:send_again", kwargs={"report_id": report.pk, "outbound_id": row.pk})
    return client.post(address).status_code


def test_the_page_says_where_a_message_is_why_and_what_it_cost(officer_client: Client, report: Report) -> None:
    row = sent(report, state="failed", error="http 500", segments=2, cost_micros=90_000, currency="EUR", attempts=3,
               moved_from="smsgate_sms")  # fmt: skip
    for number, state in ((1, "delivered"), (2, "failed")):
        Part.objects.create(outbound=row, number=number, state=state, changed_at=clock.now())
    shown = page(officer_client, report)
    for words in ("not delivered", "The gateway is out of order", "2 parts", "0.09 EUR", "3 attempts", "Kannel",
                  "because SMS (SMSGate) did not answer", "Part 1: delivered", "Part 2: not delivered",
                  "Send it again"):  # fmt: skip
        assert words in shown
    assert "44123456" not in shown


def test_a_failed_message_is_sent_again_and_journalled(officer_client: Client, report: Report, officer: User) -> None:
    row = sent(report, state="failed", error="undelivered")
    assert again(officer_client, report, row) == 302
    row.refresh_from_db()
    assert (row.state, row.round) == (OutboundState.QUEUED, 1)
    assert Entry.objects.get(kind="messaging.retried").actor_id == officer.pk
    assert again(officer_client, report, row) == 409
    assert "Send it again" not in page(officer_client, report)


def test_only_messages_of_this_report_and_only_who_may(
    officer_client: Client, client: Client, report: Report, unit: Unit, far_officer: User, outsider: User
) -> None:
    row = sent(report, state="failed")
    other = make.make_report(unit=unit)
    assert again(officer_client, other, row) == 404
    assert again(make.signed_in(far_officer), report, row) == 404
    assert again(make.signed_in(outsider), report, row) in (403, 404)
    assert again(client, report, row) == 302
    row.refresh_from_db()
    assert row.state == OutboundState.FAILED


def test_a_report_that_a_colleague_works_on_is_left_to_them(
    officer_client: Client, report: Report, second_officer: User
) -> None:
    row = sent(report, state="failed")
    claim_report(report_id=report.pk, actor=second_officer, now=clock.now())
    assert "Send it again" not in page(officer_client, report)
    assert again(officer_client, report, row) == 409


def test_after_stop_nothing_can_be_sent_again(officer_client: Client, report: Report) -> None:
    row = sent(report, state="failed", error="opted_out")
    assert report.contact is not None
    report.contact.stopped_at = clock.now()
    report.contact.save()
    shown = page(officer_client, report)
    assert "told the network to stop" in shown
    assert "Send it again" not in shown
    assert again(officer_client, report, row) == 409


def test_what_waits_says_what_for(report: Report, settings) -> None:
    now = clock.now()
    row = sent(report)

    def why() -> str:
        row.refresh_from_db()
        (line,) = delivery_of([row], stopped=False, now=now)
        return line.why

    assert why() == ""
    Outbound.objects.update(error="http 503", due_at=now + timedelta(minutes=2))
    assert why().startswith("The gateway is out of order (http 503). The next attempt is at")
    hour = now.astimezone(ZoneInfo(settings.COMMONBEAT.time_zone)).hour
    quiet = f"{hour:02}:00-{(hour + 2) % 24:02}:00"
    settings.COMMONBEAT = replace(settings.COMMONBEAT, quiet_hours=quiet)
    Outbound.objects.update(priority=10)
    assert "quiet hours" in why()
    settings.COMMONBEAT = replace(settings.COMMONBEAT, daily_limit=1.0)
    today = now.astimezone(clock.now().tzinfo).date()
    for day in (today, today + timedelta(days=1)):
        Spending.objects.create(day=day, channel="x", currency="EUR", cost_micros=900_000)
    assert "spending limit" in why()
    Health.objects.create(channel="kannel_sms", failures=9, failing_since=now)
    assert "has not answered since" in why()


def test_codes_become_sentences() -> None:
    said = {
        failure_in_words(code) for code in ("ReadTimeout", "ConnectError", "http 429", "http 400", "dlr 2", "x" * 60)
    }
    assert len(said) == 6
    assert all(sentence.endswith(".") for sentence in said)
    assert [channel_name(code) for code in ("kannel_sms", "email", "telegram")] == [
        "SMS (Kannel)",
        "E-mail",
        "Telegram",
    ]


def test_the_page_asks_the_same_number_of_times_for_many(
    officer_client: Client, report: Report, django_assert_max_num_queries
) -> None:
    with django_assert_max_num_queries(100) as few:
        sent(report, "k0", state="failed")
        page(officer_client, report)
    for number in range(1, 15):
        sent(report, f"k{number}")
    with django_assert_max_num_queries(100) as many:
        page(officer_client, report)
    # Queueing asks twice; what waits asks once more, for the gateways' health.
    assert len(many) <= len(few) + 1


def test_every_way_in_has_a_name_for_people() -> None:
    assert set(channels()) <= set(channel_names())
    assert all(channel_name(code) != code for code in channels())


def test_what_may_have_come_twice_is_said(officer_client: Client, report: Report) -> None:
    unclear = {"state": "sent", "maybe_taken": True, "attempts": 1}
    sent(report, "again", **unclear, provider_id="SM1", channel="twilio_sms")
    assert "It may have come twice" in page(officer_client, report)
    for changes in (
        # Recognised by its key; settled by a receipt without a second attempt; sent once.
        {**unclear, "provider_id": "x", "channel": "smsgate_sms"},
        {**unclear, "provider_id": ""},
        {**unclear, "provider_id": "x", "maybe_taken": False},
        {**unclear, "provider_id": "x", "state": "queued"},
    ):
        Outbound.objects.all().delete()
        sent(report, "once", **changes)
        assert "It may have come twice" not in page(officer_client, report)
