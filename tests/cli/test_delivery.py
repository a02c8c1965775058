"""The doctor says which gateway is down and what of the settings cannot work."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.conf import settings as site

from commonbeat.cli.doctor import check_delivery
from commonbeat.config.sending_options import sending_problems
from commonbeat.foundation import clock
from commonbeat.messaging.models import Health


@pytest.mark.django_db
def test_what_is_wrong_with_delivery_is_told(settings, monkeypatch) -> None:
    options = replace(
        site.COMMONBEAT,
        database_url="postgresql://somewhere",
        send_fallbacks=("kannel_sms=email", "smsgate_sms=kannel_sms"),
        daily_limit=5.0,
        sms_channel="kannel_sms",
    )
    settings.COMMONBEAT = options
    monkeypatch.setattr("commonbeat.cli.doctor.load_django", lambda: None)
    monkeypatch.setattr("commonbeat.cli.doctor.unapplied_migrations", lambda: (0, True))
    Health.objects.create(channel="kannel_sms", failures=9, failing_since=clock.now())
    told = list(check_delivery(options))
    assert len(told) == 3
    assert told[0].startswith("email cannot take over from kannel_sms")
    assert "no price of kannel_sms" in told[1]
    assert told[2].startswith("kannel_sms has not answered since")
    Health.objects.all().delete()
    assert list(check_delivery(replace(options, send_fallbacks=(), daily_limit=0.0))) == [
        "✓ No gateway is known to be out of order."
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"send_rates": ("kannel_sms=fast",)},
        {"send_rates": ("kannel_sms=0",)},
        {"send_prices": ("0.05",)},
        {"send_fallbacks": ("kannel_sms=kannel_sms",)},
        {"currency": "euro"},
        {"daily_limit": -1.0},
        {"monthly_limit": float("nan")},
        {"quiet_hours": "21-8"},
        {"quiet_hours": "21:00-24:00"},
    ],
)
def test_settings_that_cannot_be_used_get_a_sentence(change: dict[str, object]) -> None:
    (told,) = sending_problems(replace(site.COMMONBEAT, **change))  # type: ignore[arg-type]
    name = next(iter(change)).upper()
    assert told.startswith(f"COMMONBEAT_{name}")
    assert sending_problems(site.COMMONBEAT) == []
