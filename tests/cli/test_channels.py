"""commonbeat channels: connect, or say in a sentence why not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from click.testing import CliRunner
from django.conf import settings as site

from commonbeat.channels.telegram import channel
from commonbeat.cli import doctor
from commonbeat.cli.channels import channels_group
from commonbeat.cli.main import COMMANDS
from commonbeat.foundation import clock
from commonbeat.messaging.actions.channel_settings import change_channel_settings

pytestmark = pytest.mark.django_db


def test_connecting_says_what_came_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel, "connect", lambda: "Telegram now calls https://example.org/hooks/telegram.")
    answer = CliRunner().invoke(channels_group, ["telegram", "connect"])
    assert (answer.exit_code, answer.output.strip()) == (0, "Telegram now calls https://example.org/hooks/telegram.")


def test_what_is_missing_is_one_sentence(settings) -> None:
    answer = CliRunner().invoke(channels_group, ["telegram", "connect"])
    assert answer.exit_code == 1
    assert "COMMONBEAT_TELEGRAM_TOKEN is not set." in answer.output
    assert "Traceback" not in answer.output


def test_the_command_is_listed() -> None:
    assert COMMANDS["channels"].path == "commonbeat.cli.channels:channels_group"


def test_it_tells_who_has_set_what_and_no_value(settings) -> None:
    settings.COMMONBEAT = replace(settings.COMMONBEAT, twilio_account="AC-hush", twilio_token="hushhush")
    change_channel_settings(channel="twilio_sms", texts={"twilio_from": "+38349000000"}, actor_id=1, now=clock.now())
    said = CliRunner().invoke(channels_group, []).output
    assert "twilio_sms  Twilio: receives and sends" in said
    assert "COMMONBEAT_TWILIO_TOKEN: set by the environment" in said
    assert "COMMONBEAT_TWILIO_FROM: set on the page" in said
    assert "COMMONBEAT_VONAGE_KEY: not set" in said and "COMMONBEAT_TWILIO_URL" not in said
    assert "hush" not in said and "3834900" not in said


def test_with_another_key_it_and_the_doctor_say_so(settings, monkeypatch) -> None:
    change_channel_settings(channel="twilio_sms", texts={"twilio_token": "hushhush"}, actor_id=1, now=clock.now())
    monkeypatch.setattr(doctor, "_has_tables", lambda options: True)
    options = doctor._with_stored(site.COMMONBEAT)
    assert options.twilio_token == "hushhush"
    assert list(doctor.check_stored_settings(options)) == ["✓ Set on the pages of channels: COMMONBEAT_TWILIO_TOKEN."]
    settings.COMMONBEAT = replace(site.COMMONBEAT, secret_key="the key of another site, restored here")
    said = CliRunner().invoke(channels_group, []).output
    assert "COMMONBEAT_TWILIO_TOKEN: set on the page and not used." in said and "hush" not in said
    (told,) = doctor.check_stored_settings(options)
    assert told.startswith("COMMONBEAT_TWILIO_TOKEN, set on the page of its channel, is not used.")


def test_the_doctor_knows_every_gateway_and_what_it_needs() -> None:
    (told,) = doctor.check_channels(replace(site.COMMONBEAT, sms_channel="twilio_sms"))
    assert "twilio_sms cannot send and receive: set COMMONBEAT_TWILIO_ACCOUNT, COMMONBEAT_TWILIO_TOKEN" in told
    (told,) = doctor.check_channels(replace(site.COMMONBEAT, sms_channel="telegram"))
    assert "write one of kannel_sms, smsgate_sms" in told and "telegram," not in told
