"""Storing settings of channels: all or nothing, sealed, journalled by name, and never a way to read a secret."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.conf import settings as site

from commonbeat.config.option_words import SECRETS
from commonbeat.config.options import Options
from commonbeat.config.page_options import OF_CHANNELS
from commonbeat.foundation import clock
from commonbeat.journal.models import Entry
from commonbeat.messaging.actions import enqueue
from commonbeat.messaging.actions.channel_settings import ChannelSettingsError, change_channel_settings, settable
from commonbeat.messaging.channel import channels, setup_of
from commonbeat.messaging.in_force import options_in_force, refresh
from commonbeat.messaging.models import ChannelSetting, Health, Outbound
from tests.make import make_contact

pytestmark = pytest.mark.django_db
KANNEL = {
    "kannel_send_url": "http://127.0.0.1:13013/cgi-bin/sendsms",
    "kannel_username": "gate",
    "kannel_password": "hushhush",
    "kannel_hook_secret": "the-end-of-the-address",
}


def store(channel: str = "kannel_sms", **texts: str) -> tuple[str, ...]:
    return change_channel_settings(channel=channel, texts=texts, actor_id=7, now=clock.now())


def problems(channel: str = "kannel_sms", **texts: str) -> dict[str, str]:
    with pytest.raises(ChannelSettingsError) as refused:
        store(channel, **texts)
    assert "hush" not in str(refused.value) + repr(refused.value)
    return refused.value.problems


def test_values_are_sealed_and_the_journal_knows_names_alone() -> None:
    assert set(store(**KANNEL)) == set(KANNEL)
    entry = Entry.objects.get()
    assert (entry.kind, entry.actor_id) == ("messaging.channel_changed", 7)
    assert ChannelSetting.objects.filter(pk=entry.subject_id).exists()
    assert entry.data == {"channel": "kannel_sms", "settings": ", ".join(KANNEL)}
    kept = b"".join(bytes(row.value_sealed) + row.name.encode() for row in ChannelSetting.objects.all())
    for value in KANNEL.values():
        assert value not in str(list(Entry.objects.values())) and value.encode() not in kept
    # The same again is no change.
    assert store(**KANNEL) == () and Entry.objects.count() == 1


def test_all_or_nothing() -> None:
    found = problems("smpp_sms", smpp_host="centre.example", smpp_port="99999")
    assert set(found) == {"smpp_port"}
    assert not ChannelSetting.objects.exists() and not Entry.objects.exists()


@pytest.mark.parametrize("name", ["demo", "secret_key", "smpp_host", "push_loopback", "nothing"])
def test_only_what_the_channel_names_can_be_set(name: str) -> None:
    assert set(problems(**{name: "yes"})) == {""}
    assert not ChannelSetting.objects.exists()


def test_what_the_machine_sets_cannot_be_set(settings) -> None:
    settings.COMMONBEAT = replace(site.COMMONBEAT, kannel_username="machine")
    assert set(problems(kannel_username="page", kannel_password="hushhush")) == {"kannel_username"}


def test_a_secret_goes_to_no_new_address_unless_it_is_written_again() -> None:
    store(**KANNEL)
    found = problems(kannel_send_url="https://elsewhere.example/")
    assert set(found) == {"kannel_password", "kannel_hook_secret"}
    store(kannel_send_url="https://elsewhere.example/", kannel_password="hush again", kannel_hook_secret="")
    refresh()
    assert options_in_force().kannel_password == "hush again"
    # The address that is so anyway counts as one, too.
    store("telegram", telegram_token="1:hush")
    assert set(problems("telegram", telegram_api_url="https://elsewhere.example")) == {"telegram_token"}
    assert store("telegram", telegram_api_url="https://api.telegram.org") == ("telegram_api_url",)


def test_a_secret_of_the_machine_goes_where_the_machine_says(settings) -> None:
    settings.COMMONBEAT = replace(site.COMMONBEAT, twilio_token="hush of the machine")
    assert set(problems("twilio_sms", twilio_url="https://elsewhere.example")) == {"twilio_url"}
    assert store("twilio_sms", twilio_account="AC1", twilio_from="+38349000000")


def test_each_way_out_that_takes_a_secret_along_is_tied_to_it() -> None:
    for channel in channels().values():
        setup = setup_of(channel)
        for name in settable(setup):
            if name.endswith(("_url", "_host", "_port", "_security")) and name not in SECRETS:
                assert name in setup.goes_to, name
        assert set(setup.goes_to) <= set(settable(setup))


def test_each_channel_names_only_known_settings() -> None:
    known = set(Options.__dataclass_fields__)
    for channel in channels().values():
        setup = setup_of(channel)
        assert set(setup.names) <= known, channel.code
        assert set(setup.optional) <= OF_CHANNELS, channel.code
        assert set(setup.names) - OF_CHANNELS <= {"secret_key", "demo"}, channel.code
    offered = [name for channel in channels().values() for name in settable(setup_of(channel))]
    # One page for each, and none that no page sets.
    assert sorted(offered) == sorted(OF_CHANNELS)


def test_what_waits_for_a_gateway_is_tried_at_once() -> None:
    now = clock.now()
    Health.objects.create(channel="kannel_sms", failures=9, failing_since=now, ask_again_at=now + timedelta(seconds=60))
    enqueue(contact=make_contact(channel="kannel_sms"), text="t", idempotency_key="k", now=now)
    Outbound.objects.update(attempts=1, due_at=now + timedelta(seconds=60))
    store(kannel_password="hush, and right")
    assert Health.objects.get().ask_again_at <= clock.now()  # type: ignore[operator]  # set above
    assert Outbound.objects.get().due_at <= clock.now()
