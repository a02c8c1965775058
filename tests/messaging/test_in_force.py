"""The settings in force: the machine's, and those stored on pages; one look at memory, whatever the database does."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from django.conf import settings as site
from django.db import OperationalError, connection

from commonbeat.foundation import clock
from commonbeat.messaging import in_force
from commonbeat.messaging.actions.channel_settings import change_channel_settings
from commonbeat.messaging.in_force import Follower, options_in_force, refresh
from commonbeat.messaging.models import ChannelSetting


def store(**texts: str) -> None:
    """Store settings of Kannel."""
    change_channel_settings(channel="kannel_sms", texts=texts, actor_id=1, now=clock.now())


def test_before_anything_is_read_those_of_the_machine_are_in_force(settings) -> None:
    assert options_in_force() is site.COMMONBEAT
    settings.COMMONBEAT = replace(site.COMMONBEAT, kannel_username="other")
    assert options_in_force().kannel_username == "other"


@pytest.mark.django_db
def test_what_is_stored_comes_into_force_and_asking_reads_nothing(django_assert_num_queries) -> None:
    store(kannel_username="gate")
    assert options_in_force().kannel_username == ""
    with django_assert_num_queries(1):
        refresh()
    with django_assert_num_queries(0):
        assert options_in_force().kannel_username == "gate"
        assert options_in_force() is options_in_force()
    store(kannel_username="")
    refresh()
    assert options_in_force().kannel_username == ""
    assert ChannelSetting.objects.get().value_sealed == b""


@pytest.mark.django_db
def test_what_the_machine_sets_wins(settings) -> None:
    store(kannel_username="page", kannel_password="page")
    settings.COMMONBEAT = replace(site.COMMONBEAT, kannel_username="machine")
    refresh()
    assert (options_in_force().kannel_username, options_in_force().kannel_password) == ("machine", "page")
    settings.COMMONBEAT_GIVEN = site.COMMONBEAT_GIVEN | {"kannel_password"}
    in_force.forget()
    refresh()
    assert options_in_force().kannel_password == ""


@pytest.mark.django_db
def test_with_another_key_nothing_is_set_and_that_is_said_by_name(settings, caplog) -> None:
    store(kannel_username="gate", kannel_password="hushhush")
    settings.COMMONBEAT = replace(site.COMMONBEAT, secret_key="the key of another site, restored here")
    refresh()
    assert options_in_force() == site.COMMONBEAT
    assert in_force.faults_in_force() == dict.fromkeys(("kannel_password", "kannel_username"), in_force.UNREADABLE)
    assert "kannel_password" in caplog.text and "hush" not in caplog.text


@pytest.mark.django_db
def test_a_value_opens_under_its_own_name_only() -> None:
    store(kannel_username="gate", kannel_password="hushhush")
    hidden = ChannelSetting.objects.get(name="kannel_password").value_sealed
    ChannelSetting.objects.filter(name="kannel_username").update(value_sealed=hidden)
    refresh()
    assert options_in_force().kannel_username == ""
    assert "kannel_username" in in_force.faults_in_force()


@pytest.mark.django_db
def test_while_the_database_is_away_what_was_known_stays(monkeypatch, caplog) -> None:
    store(kannel_username="gate")
    refresh()

    def away(*_: object) -> None:
        raise OperationalError("could not connect as town with opensesame")

    monkeypatch.setattr(in_force, "close_old_connections", lambda: None)
    monkeypatch.setattr(in_force, "connection", type("Kept", (), {"close": staticmethod(lambda: None)}))
    monkeypatch.setattr(in_force.ChannelSetting.objects, "order_by", away)
    follower = Follower()
    follower.look()
    follower.look()
    assert options_in_force().kannel_username == "gate"
    assert caplog.text.count("cannot be read") == 1 and "opensesame" not in caplog.text


@pytest.mark.django_db(transaction=True)
def test_a_process_follows_what_another_has_stored() -> None:
    follower = Follower(every=0.01)
    try:
        follower.start()
        assert options_in_force().kannel_username == ""
        store(kannel_username="gate")
        seen = threading.Event()
        for _ in range(500):
            if options_in_force().kannel_username == "gate":
                break
            seen.wait(0.01)
        assert options_in_force().kannel_username == "gate"
    finally:
        follower.stop()
        connection.close()
    assert not follower._thread.is_alive()
