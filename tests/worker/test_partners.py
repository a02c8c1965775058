"""The worker posts to partners' servers, and no slow one holds up another."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from commonbeat.alerts.actions.follow import end_alert
from commonbeat.alerts.actions.partners import add_partner
from commonbeat.alerts.models import Alert, Partner, PartnerCall
from commonbeat.foundation import clock
from commonbeat.worker.partners import PartnerCalls
from tests.alerts.going_out import alert_out, draft_of
from tests.alerts.partner_server import PartnerServer, serving

pytestmark = pytest.mark.django_db


@pytest.fixture
def worker(settings) -> Iterator[PartnerCalls]:
    settings.COMMONBEAT = replace(settings.COMMONBEAT, partners_loopback=True)
    made = PartnerCalls()
    yield made
    made.close()


@pytest.fixture
def server() -> Iterator[PartnerServer]:
    with serving() as found:
        yield found


def add(officer, server: PartnerServer, name: str = "Taxis") -> str:
    return add_partner(name=name, url=server.address, kinds=[], actor_id=officer.pk, now=clock.now())[1]


def out(officer) -> Alert:
    return alert_out(officer, draft=draft_of(now=clock.now(), kind="look_out", to_partners=True), now=clock.now())


def run(worker: PartnerCalls, until: Callable[[], bool] | None = None) -> None:
    for _ in range(400):
        begun = worker.step()
        if until() if until is not None else not begun:
            return
    pytest.fail("it did not come to an end")


def test_alert_and_end_arrive_signed(officer, worker, server) -> None:
    secret = add(officer, server)
    alert = out(officer)
    run(worker)
    end_alert(alert_id=alert.pk, outcome="found_safe", actor=officer, now=clock.now())
    run(worker)
    first, last = server.messages(secret)
    assert (first["msgType"], last["msgType"]) == ("Alert", "Cancel")
    assert last["references"] == [first["identifier"]] and last["outcome"] == "found_safe"
    assert PartnerCall.objects.filter(sent_at=None).count() == 0
    # Nothing is left to do.
    assert worker.step() == 0 and len(server.got) == 2


def test_a_repeat_has_the_same_id_and_a_new_time(officer, worker, server, monkeypatch) -> None:
    add(officer, server)
    out(officer)
    server.answers = [500]
    run(worker)
    later = clock.now() + timedelta(seconds=6)
    monkeypatch.setattr("commonbeat.foundation.clock.now", lambda: later)
    run(worker)
    (first, body), (second, again) = server.got
    assert body == again and first["x-commonbeat-delivery"] == second["x-commonbeat-delivery"]
    assert first["x-commonbeat-timestamp"] < second["x-commonbeat-timestamp"]
    call = PartnerCall.objects.get()
    assert call.sent_at is not None and (call.attempts, call.error) == (2, "")


def test_a_slow_partner_holds_up_nobody(officer, worker, server) -> None:
    with serving() as slow:
        slow.may_answer.clear()
        add(officer, slow, "A slow one")
        add(officer, server, "Quick")
        out(officer)
        out(officer)
        run(worker, lambda: len(server.got) == 2 and PartnerCall.objects.filter(sent_at__isnull=False).count() == 2)
        # It has one call at a time, and the step came back all the while.
        assert len(slow.got) == 1
        slow.may_answer.set()
        run(worker, lambda: not PartnerCall.objects.filter(sent_at=None).exists())
        assert len(slow.got) == 2


def test_without_the_setting_this_computer_is_not_called(officer, server, worker, settings) -> None:
    add(officer, server)
    out(officer)
    settings.COMMONBEAT = replace(settings.COMMONBEAT, partners_loopback=False)
    run(worker)
    assert not server.got
    assert PartnerCall.objects.get().error == "address"


def test_what_cannot_be_opened_is_said_and_stops_nobody_else(officer, worker, server) -> None:
    add(officer, server, "Broken")
    Partner.objects.update(secret_sealed=b"nonsense")
    add(officer, server, "Whole")
    out(officer)
    run(worker)
    errors = dict(PartnerCall.objects.values_list("partner__name", "error"))
    assert errors == {"Broken": "unreadable", "Whole": ""} and len(server.got) == 1


def test_an_address_is_not_in_the_log(officer, worker, server, monkeypatch, caplog) -> None:
    add(officer, server)
    out(officer)

    def surprise(address: str, **_: object) -> None:
        raise RuntimeError(address)

    monkeypatch.setattr("commonbeat.worker.partners.post", surprise)
    run(worker)
    assert "RuntimeError" in caplog.text and "127.0.0.1" not in caplog.text
    assert PartnerCall.objects.get().error == "failed"


def test_410_is_the_end(officer, worker, server) -> None:
    add(officer, server)
    out(officer)
    out(officer)
    server.answers = [410]
    run(worker)
    assert len(server.got) == 1
    assert Partner.objects.get().gone_at is not None


def test_the_pool_is_never_more_than_its_threads(officer, worker, server) -> None:
    assert not [one for one in threading.enumerate() if one.name.startswith("partner")]
    add(officer, server)
    out(officer)
    run(worker)
    assert len([one for one in threading.enumerate() if one.name.startswith("partner")]) == 1
