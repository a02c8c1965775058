"""Partners, and which alert goes to which of them: once, and its end to whoever has its beginning."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from commonbeat.alerts.actions import partner_calls
from commonbeat.alerts.actions.fanning import start_fan_out
from commonbeat.alerts.actions.follow import cancel_alert, end_alert, extend, update_alert
from commonbeat.alerts.actions.partner_calls import AGAIN, LEASE, claim_calls, note_answer
from commonbeat.alerts.actions.partners import (
    PartnerError,
    add_partner,
    address_and_secret,
    change_partner,
    delete_partner,
    rotate_secret,
)
from commonbeat.alerts.calling import GONE, Answered
from commonbeat.alerts.cap_rows import site_of
from commonbeat.alerts.models import Alert, Partner, PartnerCall
from commonbeat.alerts.partner_message import message_of, trial_message
from commonbeat.alerts.partner_queries import messages_before, partner_lines
from commonbeat.journal.models import Entry
from tests.alerts.going_out import alert_out, draft_of
from tests.make import NOW

pytestmark = pytest.mark.django_db
URL = "https://taxi.example/hook?key=very-private"
SECOND = timedelta(seconds=1)


def partner(name: str = "Taxis", *kinds: str, officer) -> Partner:
    return add_partner(name=name, url=URL, kinds=kinds, actor_id=officer.pk, now=NOW)[0]


def out(officer, **changes) -> Alert:
    return alert_out(officer, draft=draft_of(**{"kind": "look_out", "to_partners": True, **changes}))


def post(*answers: str, now=NOW) -> list[int]:
    """Let what is due be answered, in turn; "" is taken. Give the alerts."""
    calls = claim_calls(busy=(), limit=100, now=now)
    for call, code in zip(calls, answers or [""] * len(calls), strict=True):
        note_answer(call_id=call.pk, answered=Answered(code), now=now)
    return [call.alert_id for call in calls]


def state_of(alert: Alert) -> list[tuple[str, bool, bool, str]]:
    found = PartnerCall.objects.filter(alert=alert).order_by("partner__name").select_related("partner")
    return [(one.partner.name, one.sent_at is not None, one.closed_at is not None, one.error) for one in found]


# ------------------------------------------------------------------ the partners


def test_address_and_secret_are_sealed_and_in_no_journal(officer) -> None:
    added, secret = add_partner(name=" Taxis ", url=URL, kinds=["look_out"], actor_id=officer.pk, now=NOW)
    assert len(secret) == 64 and (added.name, added.kinds) == ("Taxis", ["look_out"])
    assert address_and_secret(added) == (URL, secret)
    with connection.cursor() as cursor:
        cursor.execute("SELECT url_sealed, secret_sealed FROM alerts_partner")
        (row,) = cursor.fetchall()
    assert all(secret.encode() not in bytes(one) and b"taxi" not in bytes(one) for one in row)
    new = rotate_secret(partner_id=added.pk, actor_id=officer.pk, now=NOW)
    added.refresh_from_db()
    assert new != secret and address_and_secret(added) == (URL, new)
    delete_partner(partner_id=added.pk, actor_id=officer.pk, now=NOW)
    assert not Partner.objects.exists()
    entries = Entry.objects.filter(kind__startswith="alerts.partner_").order_by("pk")
    assert [one.kind.removeprefix("alerts.partner_") for one in entries] == ["added", "rotated", "deleted"]
    assert not any("taxi" in json.dumps(one.data).lower() or secret in json.dumps(one.data) for one in entries)


def test_a_change_without_an_address_keeps_the_address(officer) -> None:
    one = partner(officer=officer)
    Partner.objects.update(tested_at=NOW, test_error="no answer")
    who = {"partner_id": one.pk, "actor_id": officer.pk, "now": NOW}
    change_partner(name="Taxi service", url=" ", kinds=["road", "missing_child"], is_enabled=True, **who)
    one.refresh_from_db()
    assert address_and_secret(one)[0] == URL and one.test_error == "no answer"
    # In the order of the list, whatever the form sends.
    assert (one.name, one.kinds) == ("Taxi service", ["missing_child", "road"])
    change_partner(name="Taxi service", url="https://new.example/", kinds=[], is_enabled=True, **who)
    one.refresh_from_db()
    assert address_and_secret(one)[0] == "https://new.example/" and one.tested_at is None


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "taxis"}, "name"),
        ({"url": "http://taxi.example/"}, "url"),
        ({"url": ""}, "url"),
        ({"url": "http://127.0.0.1:80/"}, "url"),
        ({"kinds": ["murder"]}, "kinds"),
    ],
)
def test_what_cannot_be_is_refused(officer, changes, field) -> None:
    partner(officer=officer)
    with pytest.raises(PartnerError) as refused:
        add_partner(**{"name": "School", "url": URL, "kinds": [], "actor_id": officer.pk, "now": NOW, **changes})
    assert refused.value.field == field and Partner.objects.count() == 1


# ------------------------------------------------------------------ what goes to whom


def test_each_enabled_partner_gets_what_it_wants_once(officer) -> None:
    partner("All", officer=officer)
    partner("Roads", "road", officer=officer)
    partner("Things", "look_out", officer=officer)
    off = partner("Off", officer=officer)
    Partner.objects.filter(pk=off.pk).update(is_enabled=False)
    alert = out(officer)
    assert [name for name, *_ in state_of(alert)] == ["All", "Things"]
    start_fan_out(alert_id=alert.pk, now=NOW)
    partner_calls.queue_calls(alert=alert, now=NOW)
    assert PartnerCall.objects.count() == 2
    not_theirs = out(officer, to_partners=False)
    assert state_of(not_theirs) == []


def test_a_release_that_fails_leaves_no_call(officer, monkeypatch) -> None:
    partner(officer=officer)
    monkeypatch.setattr("commonbeat.alerts.actions.release.events.write", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        out(officer)
    assert not PartnerCall.objects.exists()


def test_the_end_reaches_those_who_have_the_beginning_and_nobody_else(officer) -> None:
    partner("Reached", officer=officer)
    partner("Unreached", officer=officer)
    alert = out(officer)
    reached = claim_calls(busy=(), limit=1, now=NOW)[0]
    note_answer(call_id=reached.pk, answered=Answered(), now=NOW)
    partner("Late", officer=officer)
    ended = end_alert(alert_id=alert.pk, outcome="found_safe", actor=officer, now=NOW + SECOND)
    assert state_of(ended) == [("Reached", False, False, "")]
    # What waited goes no more: it would come behind the end.
    assert state_of(alert) == [("Reached", True, False, ""), ("Unreached", False, True, "superseded")]
    assert post(now=NOW + SECOND) == [ended.pk]


def test_who_may_have_it_gets_the_cancel_too(officer) -> None:
    partner(officer=officer)
    alert = out(officer)
    # Under way, or its answer did not come back.
    (call,) = claim_calls(busy=(), limit=9, now=NOW)
    cancelled = cancel_alert(alert_id=alert.pk, actor=officer, now=NOW)
    assert [name for name, *_ in state_of(cancelled)] == ["Taxis"]
    # The answer comes afterwards.
    note_answer(call_id=call.pk, answered=Answered("too slow"), now=NOW)
    assert state_of(alert) == [("Taxis", False, True, "superseded")]
    assert post(now=NOW + LEASE) == [cancelled.pk]


def test_an_update_goes_to_those_and_to_who_is_new(officer) -> None:
    partner("First", officer=officer)
    alert = out(officer)
    post()
    partner("New", officer=officer)
    update = update_alert(alert_id=alert.pk, draft=draft_of(kind="look_out", to_partners=True), actor=officer, now=NOW)
    assert [name for name, *_ in state_of(update)] == ["First", "New"]
    post()
    # Not for partners any more, and yet they have to know.
    second = update_alert(alert_id=alert.pk, draft=draft_of(kind="look_out"), actor=officer, now=NOW + SECOND)
    assert [name for name, *_ in state_of(second)] == ["First", "New"]


def test_a_disabled_partner_hears_no_end(officer) -> None:
    one = partner(officer=officer)
    alert = out(officer)
    post()
    waiting = out(officer)
    change_partner(partner_id=one.pk, name="Taxis", url="", kinds=[], is_enabled=False, actor_id=officer.pk, now=NOW)
    assert state_of(waiting) == [("Taxis", False, True, "disabled")]
    assert state_of(extend(alert_id=alert.pk, expires_at=NOW + timedelta(hours=9), actor=officer, now=NOW)) == []


# ------------------------------------------------------------------ one call


def test_what_fails_is_tried_later_and_later_until_the_alert_is_over(officer) -> None:
    partner(officer=officer)
    alert = out(officer, hours=1)
    now, waits = NOW, []
    while post("status 500", now=now):
        call = PartnerCall.objects.get()
        waits.append(call.due_at - now)
        if call.closed_at is not None:
            break
        assert post(now=call.due_at - SECOND) == []
        now = call.due_at
    assert tuple(waits[: len(AGAIN)]) == AGAIN and set(waits[len(AGAIN) :]) == {AGAIN[-1]}
    assert call.attempts == len(waits) and now < alert.expires_at <= now + AGAIN[-1]
    assert state_of(alert) == [("Taxis", False, True, "status 500")]


def test_a_partner_that_asks_for_time_gets_it(officer) -> None:
    partner(officer=officer)
    out(officer)
    (call,) = claim_calls(busy=(), limit=9, now=NOW)
    note_answer(call_id=call.pk, answered=Answered("status 503", 120.0), now=NOW)
    assert PartnerCall.objects.get().due_at == NOW + timedelta(seconds=120)


def test_what_nobody_could_post_in_time_is_closed(officer) -> None:
    partner(officer=officer)
    alert = out(officer, hours=1)
    assert claim_calls(busy=(), limit=9, now=alert.expires_at) == []
    assert state_of(alert) == [("Taxis", False, True, "over")]


def test_410_ends_the_partner_until_it_is_enabled_again(officer) -> None:
    one, alert = partner(officer=officer), out(officer)
    other = out(officer)
    assert post(GONE) == [alert.pk]
    one.refresh_from_db()
    assert not one.is_enabled and one.gone_at == NOW
    assert state_of(alert) == state_of(other) == [("Taxis", False, True, "gone")]
    assert Entry.objects.filter(kind="alerts.partner_gone", subject_id=one.pk).count() == 1
    assert state_of(out(officer)) == [] and post() == []
    change_partner(partner_id=one.pk, name="Taxis", url="", kinds=[], is_enabled=True, actor_id=officer.pk, now=NOW)
    one.refresh_from_db()
    assert one.is_enabled and one.gone_at is None
    assert state_of(out(officer)) == [("Taxis", False, False, "")]


def test_one_call_at_a_time_for_each_partner_and_none_twice(officer) -> None:
    first, second = partner("A", officer=officer), partner("B", officer=officer)
    alerts = [out(officer), out(officer)]
    taken = claim_calls(busy=(), limit=9, now=NOW)
    assert [(one.partner_id, one.alert_id) for one in taken] == [(first.pk, alerts[0].pk), (second.pk, alerts[0].pk)]
    # Another worker, or the same one while these are under way.
    assert [one.partner_id for one in claim_calls(busy={first.pk}, limit=9, now=NOW)] == [second.pk]
    # Killed in the middle: the next one takes it over.
    again = claim_calls(busy=(), limit=1, now=NOW + LEASE)
    assert again and again[0].attempts == (2 if again[0].alert_id == alerts[0].pk else 1)


def test_queries_do_not_grow_with_the_calls(officer) -> None:
    def number(partners: int, alerts: int) -> int:
        for _ in range(partners):
            partner(f"P{Partner.objects.count()}", officer=officer)
        for _ in range(alerts):
            out(officer)
        with CaptureQueriesContext(connection) as asked:
            partner_lines()
        return len(asked)

    assert number(1, 1) == number(8, 5) == 1
    with CaptureQueriesContext(connection) as few:
        claim_calls(busy=(), limit=1, now=NOW)
    with CaptureQueriesContext(connection) as many:
        claim_calls(busy=(), limit=5, now=NOW)
    # One per call that is taken, for each is taken by itself.
    assert len(many) == len(few) + 4


# ------------------------------------------------------------------ what it says


def test_the_message_says_what_everybody_may_know(officer, settings) -> None:
    alert = out(officer)
    site = site_of(settings.COMMONBEAT)
    said = json.loads(message_of(alert, messages_before(alert), site=site))
    assert said["identifier"] == alert.identifier and (said["msgType"], said["status"]) == ("Alert", "Actual")
    assert said["cap"] == f"{site.address}/alerts/cap/{alert.identifier}.xml"
    assert said["web"] == f"{site.address}/alerts/{alert.pk}/"
    assert said["area"]["type"] in ("Polygon", "MultiPolygon") and said["references"] == []
    assert list(said["texts"]) == ["en", "sq"] and said["texts"]["en"]["headline"] == "Water cut in the old town"
    assert said["kind"] == "look_out" and said["sent"].endswith("+01:00")
    assert officer.username not in json.dumps(said)
    ended = end_alert(alert_id=alert.pk, outcome="found", actor=officer, now=NOW + SECOND)
    said = json.loads(message_of(ended, messages_before(ended), site=site))
    assert (said["msgType"], said["references"], said["outcome"]) == ("Cancel", [alert.identifier], "found")


def test_a_test_is_marked(officer, settings) -> None:
    alert, site = out(officer, status="Test"), site_of(settings.COMMONBEAT)
    said = json.loads(message_of(alert, [], site=site))
    assert said["status"] == "Test"
    assert said["texts"]["en"]["headline"].startswith("TEST: ") and said["texts"]["sq"]["headline"].startswith(
        "PROVË: "
    )
    said = json.loads(trial_message("test-1", site=site, now=NOW))
    assert said["status"] == "Test" and said["texts"]["en"]["headline"].startswith("TEST: ") and said["cap"] == ""


def test_the_page_of_a_cap_message_stands_behind_the_link(officer, client, monkeypatch) -> None:
    # The key that signs it is made at the first time that somebody asks, and is valid from then on.
    monkeypatch.setattr("commonbeat.foundation.clock.now", lambda: NOW)
    alert = out(officer)
    assert client.get(f"/alerts/cap/{alert.identifier}.xml").status_code == 200
