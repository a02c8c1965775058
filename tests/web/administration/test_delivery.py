"""The operator sees which gateway answers, what waits and what it cost; nobody's number."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.urls import reverse

from commonbeat.foundation import clock
from commonbeat.messaging.actions import enqueue
from commonbeat.messaging.models import Health, Outbound, Spending
from commonbeat.messaging.policy import day_of
from commonbeat.people.models import Role
from tests.make import make_contact, make_user, signed_in

pytestmark = pytest.mark.django_db


def shown() -> str:
    """Draw the page for an administrator."""
    administrator = make_user(role=Role.ADMINISTRATOR, second_factor=True)
    return signed_in(administrator).get(reverse("administration:delivery")).content.decode()


def test_a_gateway_that_is_down_is_told_with_what_waits_and_who_takes_over(settings) -> None:
    settings.COMMONBEAT = replace(
        settings.COMMONBEAT, send_fallbacks=("kannel_sms=smsgate_sms",), monthly_limit=10.0, quiet_hours=""
    )
    now = clock.now()
    contact = make_contact("+38344123456", channel="kannel_sms")
    for number in range(3):
        enqueue(contact=contact, text="Hello", idempotency_key=f"k{number}", now=now, priority=10 * (number > 0))
    Health.objects.create(
        channel="kannel_sms", failures=7, failing_since=now - timedelta(hours=1), last_error="ConnectError"
    )
    Spending.objects.create(day=day_of(now), channel="kannel_sms", currency="EUR", parts=40, cost_micros=2_500_000)
    page = shown()
    for words in ("Kannel has not answered since", "The gateway could not be reached.",
                  "SMSGate (an Android telephone) takes over",
                  "does not answer", "2.5 EUR", "10 EUR", "(25 %)"):  # fmt: skip
        assert words in page
    assert "44123456" not in page


def test_the_page_asks_the_same_number_of_times_for_many(django_assert_max_num_queries) -> None:
    contact = make_contact("+38344123456", channel="kannel_sms")
    with django_assert_max_num_queries(40) as few:
        shown()
    for number in range(20):
        enqueue(contact=contact, text="Hello", idempotency_key=f"k{number}", now=clock.now())
    with django_assert_max_num_queries(40) as many:
        shown()
    assert len(many) <= len(few)


def test_what_may_have_come_twice_is_counted() -> None:
    assert "May have come twice" not in shown()
    contact = make_contact("+38344123456", channel="twilio_sms")
    for number in range(3):
        enqueue(
            contact=contact, text="Hello", idempotency_key=f"k{number}", now=clock.now() - timedelta(days=number * 4)
        )
    Outbound.objects.update(state="delivered", maybe_taken=True, provider_id="SM")
    page = shown()
    assert 'May have come twice in the last seven days: Twilio <strong class="number">2</strong>' in page
