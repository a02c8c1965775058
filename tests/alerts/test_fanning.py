"""An alert is queued for everybody whom it is for: once, in time, and no more than they asked for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.test.utils import CaptureQueriesContext

from commonbeat.alerts.actions import fanning
from commonbeat.alerts.actions.fanning import fan_out_batch, next_fan_out, plan_fan_out
from commonbeat.alerts.actions.follow import cancel_alert, end_alert, extend, update_alert
from commonbeat.alerts.actions.subscribing import Where, end_all
from commonbeat.alerts.models import FanOut, Subscription
from commonbeat.alerts.rules import FOLLOW_UP, ORDINARY, URGENT
from commonbeat.journal.models import Entry
from commonbeat.messaging.actions import lease_batch, record_outcomes, stop_contact
from commonbeat.messaging.channel import Failed, Sent
from commonbeat.messaging.models import Broadcast, Contact, Outbound, OutboundState
from commonbeat.messaging.queries import text_of
from tests.alerts.going_out import (
    HOME,
    alert_out,
    draft_of,
    fan_out,
    many_subscribers,
    rows_of,
    subscriber,
    urgent,
)
from tests.make import LATITUDE, LONGITUDE, NOW, make_beat, make_contact

pytestmark = pytest.mark.django_db
# 23:30 in the site's time zone.
NIGHT = datetime(2026, 3, 14, 22, 30, tzinfo=UTC)
MORNING = datetime(2026, 3, 15, 7, 0, tzinfo=UTC)
FAR = Where(latitude=LATITUDE + 1, longitude=LONGITUDE, radius=1_000)


def send(number: int, *, now: datetime = NOW, fail: bool = False) -> list[int]:
    """Let a gateway take some messages; give the contacts."""
    leased = lease_batch(channel="demo_sms", limit=number, now=now)
    outcome = Failed("http 503", permanent=False) if fail else None
    record_outcomes([(one.id, outcome or Sent(f"g{one.id}")) for one in leased], now=now)
    return [one.contact_id for one in leased]


def test_everybody_near_hears_of_it_in_their_language(officer) -> None:
    near, albanian = subscriber(), subscriber(language="sq")
    subscriber(where=FAR)
    whole = subscriber(where=Where())
    alert = alert_out(officer)
    account = fan_out(alert)
    assert (account.matched, account.queued) == (3, 3)
    rows = rows_of(alert)
    assert [row.contact_id for row in rows] == [near.pk, albanian.pk, whole.pk]
    assert all(row.priority == ORDINARY and not row.is_vital and row.due_at == NOW for row in rows)
    assert "Water cut in the old town" in text_of(rows[0])
    assert "Nuk ka uje" in text_of(rows[1])
    # Two texts are sealed, however many get them.
    assert Broadcast.objects.count() == 2
    assert not any(bytes(row.body_sealed) for row in rows)
    assert rows[0].broadcast is not None and rows[0].segments == rows[0].broadcast.segments
    assert rows[0].expires_at == alert.expires_at


def test_a_language_that_the_alert_has_not_gets_the_main_one(officer) -> None:
    subscriber(language="ar")
    alert = alert_out(officer)
    fan_out(alert)
    assert "Water cut" in text_of(rows_of(alert)[0])


def test_who_did_not_confirm_hears_nothing(officer) -> None:
    contact = subscriber()
    Subscription.objects.filter(contact=contact).update(confirmed_at=None)
    alert = alert_out(officer)
    assert fan_out(alert).matched == 0


def test_a_beat_that_only_touches_the_area_counts(officer, unit) -> None:
    beat = make_beat(unit=unit, longitude=LONGITUDE + 0.07, half=0.05)
    far = make_beat(unit=unit, longitude=LONGITUDE + 0.5, half=0.05)
    near = subscriber(where=Where(beat_id=beat.pk))
    subscriber(where=Where(beat_id=far.pk))
    alert = alert_out(officer)
    fan_out(alert)
    assert [row.contact_id for row in rows_of(alert)] == [near.pk]


def test_kinds_and_severity_are_as_they_said(officer) -> None:
    wanted = subscriber(kinds=["water", "road"])
    subscriber(kinds=["road"])
    subscriber(least_severity=2)
    alert = alert_out(officer)
    fan_out(alert)
    assert [row.contact_id for row in rows_of(alert)] == [wanted.pk]


def test_several_places_are_one_message(officer) -> None:
    contact = subscriber()
    subscriber(contact=contact, where=Where())
    alert = alert_out(officer)
    assert fan_out(alert).queued == 1


def test_stop_is_stop(officer) -> None:
    stopped, blocked, gone = subscriber(), subscriber(), subscriber()
    stop_contact(contact=stopped, now=NOW)
    Contact.objects.filter(pk=blocked.pk).update(blocked_at=NOW)
    alert = alert_out(officer)
    plan = plan_fan_out(fan_out_id=alert.fan_out.pk, now=NOW)
    # Erased between the making of the list and their turn.
    Contact.objects.filter(pk=gone.pk).delete()
    fan_out_batch(plan=plan, now=NOW)
    account = FanOut.objects.get()
    assert (account.matched, account.silent, account.queued) == (3, 3, 0)
    assert rows_of(alert) == []


def test_stop_after_it_was_queued_is_stop_too(officer) -> None:
    contact = subscriber()
    fan_out(alert_out(officer))
    stop_contact(contact=contact, now=NOW)
    assert send(10) == []


def test_at_night_it_waits_for_each_persons_own_morning(officer) -> None:
    of_site = subscriber()
    early = subscriber(quiet_from=22 * 60, quiet_to=6 * 60)
    never = subscriber(quiet_from=0, quiet_to=0)
    alert = alert_out(officer, now=NIGHT)
    fan_out(alert, now=NIGHT)
    due = {row.contact_id: row.due_at for row in rows_of(alert)}
    assert due == {of_site.pk: MORNING, early.pk: MORNING - timedelta(hours=2), never.pk: NIGHT}
    # Whoever wants no quiet hours is not kept waiting by the site's.
    assert send(10, now=NIGHT) == [never.pk]


def test_a_person_is_told_when_the_first_of_their_places_allows(officer) -> None:
    contact = subscriber()
    subscriber(contact=contact, where=Where(), quiet_from=0, quiet_to=0)
    alert = alert_out(officer, now=NIGHT)
    fan_out(alert, now=NIGHT)
    assert rows_of(alert)[0].due_at == NIGHT


def test_what_is_over_by_the_morning_wakes_nobody(officer) -> None:
    subscriber()
    alert = alert_out(officer, draft=draft_of(now=NIGHT, hours=3), now=NIGHT)
    account = fan_out(alert, now=NIGHT)
    assert (account.asleep, account.queued) == (1, 0)


def test_urgent_breaks_the_night_and_the_cap(officer, second_officer, settings) -> None:
    settings.COMMONBEAT = replace(settings.COMMONBEAT, alerts_per_day=1)
    contact = subscriber(quiet_from=20 * 60, quiet_to=10 * 60)
    fan_out(alert_out(officer, draft=draft_of(now=NIGHT, hours=30), now=NIGHT), now=NIGHT)
    alert = alert_out(officer, draft=urgent(now=NIGHT), second=second_officer, now=NIGHT)
    fan_out(alert, now=NIGHT)
    row = rows_of(alert)[0]
    assert row.broadcast is not None
    assert (row.due_at, row.priority, row.is_vital, row.broadcast.is_urgent) == (NIGHT, URGENT, True, True)
    assert send(10, now=NIGHT) == [contact.pk]


def test_an_urgent_test_breaks_nothing(officer, second_officer) -> None:
    subscriber()
    draft = urgent(now=NIGHT, status="Test")
    alert = alert_out(officer, draft=draft, second=second_officer, now=NIGHT)
    fan_out(alert, now=NIGHT)
    row = rows_of(alert)[0]
    assert (row.due_at, row.priority, row.is_vital) == (MORNING, ORDINARY, False)
    assert text_of(row).startswith("TEST: ")


def test_a_person_gets_no_more_a_day_than_the_site_says(officer, settings) -> None:
    settings.COMMONBEAT = replace(settings.COMMONBEAT, alerts_per_day=2)
    subscriber()
    for _ in range(2):
        assert fan_out(alert_out(officer)).queued == 1
    account = fan_out(alert_out(officer))
    assert (account.capped, account.queued) == (1, 0)
    # A new day, of the site's time zone.
    assert fan_out(alert_out(officer, now=NOW + timedelta(hours=20)), now=NOW + timedelta(hours=20)).queued == 1


def test_what_waits_for_tomorrow_counts_tomorrow(officer, settings) -> None:
    settings.COMMONBEAT = replace(settings.COMMONBEAT, alerts_per_day=1)
    subscriber()
    assert fan_out(alert_out(officer)).queued == 1
    assert fan_out(alert_out(officer, now=NIGHT), now=NIGHT).queued == 1
    assert fan_out(alert_out(officer, now=NIGHT), now=NIGHT).capped == 1
    assert fan_out(alert_out(officer, now=MORNING), now=MORNING).capped == 1


def test_batches_hold_everybody_once(officer) -> None:
    ids = many_subscribers(25)
    alert = alert_out(officer)
    account = fan_out(alert, limit=4)
    assert (account.matched, account.queued, account.cursor) == (25, 25, ids[-1])
    assert [row.contact_id for row in rows_of(alert)] == ids
    entry = Entry.objects.get(kind="alerts.fanned_out")
    assert entry.data["queued"] == 25


@pytest.mark.parametrize(("number", "told"), [(0, 0), (1, 0), (7, 5)])
def test_the_journal_tells_no_more_than_the_desk(officer, number: int, told: int) -> None:
    many_subscribers(number)
    account = fan_out(alert_out(officer))
    assert (account.matched, account.queued) == (number, number)
    entry = Entry.objects.get(kind="alerts.fanned_out")
    assert entry.data == {"matched": told, "queued": told, "capped": 0, "asleep": 0, "silent": 0}


def test_who_takes_over_goes_on_behind_the_cursor(officer) -> None:
    ids = many_subscribers(10)
    alert = alert_out(officer)
    first = plan_fan_out(fan_out_id=alert.fan_out.pk, now=NOW)
    fan_out_batch(plan=first, limit=3, now=NOW)
    # Somebody asks for alerts meanwhile, and the list is made anew.
    late = subscriber()
    second = plan_fan_out(fan_out_id=alert.fan_out.pk, now=NOW)
    fan_out_batch(plan=second, limit=3, now=NOW)
    # The one that was thought dead wakes up.
    fan_out_batch(plan=first, limit=3, now=NOW)
    account = fan_out(alert)
    assert [row.contact_id for row in rows_of(alert)] == [*ids, late.pk]
    assert (account.matched, account.queued) == (11, 11)


def test_a_batch_that_fails_leaves_nothing(officer, monkeypatch) -> None:
    many_subscribers(5)
    alert = alert_out(officer)
    plan = plan_fan_out(fan_out_id=alert.fan_out.pk, now=NOW)
    with monkeypatch.context() as patch:
        patch.setattr(fanning, "enqueue_many", lambda *given, **more: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            fan_out_batch(plan=plan, now=NOW)
    assert FanOut.objects.get().passed == 0
    assert rows_of(alert) == []
    assert fan_out(alert).queued == 5


def test_urgent_overtakes_what_is_going_out(officer, second_officer) -> None:
    subscriber()
    ordinary = alert_out(officer)
    assert next_fan_out() == ordinary.fan_out.pk
    alert = alert_out(officer, draft=urgent(), second=second_officer)
    assert next_fan_out() == alert.fan_out.pk


def test_queries_of_a_batch_do_not_grow(officer) -> None:
    from django.db import connection

    counts = []
    # One of the same day, for else there is nothing to count.
    fan_out(alert_out(officer))
    for number in (3, 40):
        many_subscribers(number)
        alert = alert_out(officer, now=NOW)
        plan = plan_fan_out(fan_out_id=alert.fan_out.pk, now=NOW)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            fan_out_batch(plan=plan, now=NOW)
        counts.append(len([one for one in queries if not one["sql"].startswith("INSERT INTO messaging_outbound")]))
    assert counts[0] == counts[1]


# ------------------------------------------------------------------ what follows


def test_a_cancel_reaches_those_who_were_reached_and_takes_back_the_rest(officer) -> None:
    ids = many_subscribers(10)
    alert = alert_out(officer)
    plan = plan_fan_out(fan_out_id=alert.fan_out.pk, now=NOW)
    fan_out_batch(plan=plan, limit=6, now=NOW)
    sent = send(2)
    failed = send(1, fail=True)
    leased = [one.contact_id for one in lease_batch(channel="demo_sms", limit=1, now=NOW)]
    later = NOW + timedelta(minutes=1)

    cancel = cancel_alert(alert_id=alert.pk, actor=officer, now=later)
    # At once nothing more of it goes, before anything has been counted.
    assert lease_batch(channel="demo_sms", limit=10, now=later) == []
    assert fan_out_batch(plan=plan, now=later) == 0
    account = fan_out(cancel, now=later)

    assert sent + failed + leased == ids[:4]
    told = [row.contact_id for row in rows_of(cancel)]
    # What a gateway may have is taken to be there: its 503 says that it has not.
    assert told == [*ids[:2], ids[3]]
    assert (account.matched, account.queued, account.recalled) == (6, 3, 3)
    assert FanOut.objects.get(alert=alert).stopped_at == later
    states = {row.contact_id: (row.state, row.error) for row in rows_of(alert)}
    assert {states[pk] for pk in (ids[2], *ids[4:6])} == {(OutboundState.EXPIRED, "cancelled")}
    # The one under way fails: it does not come again.
    record_outcomes([(rows_of(alert)[3].pk, Failed("ReadTimeout", permanent=False))], now=later)
    much_later = later + timedelta(minutes=5)
    assert set(send(10, now=much_later)) == set(told)
    assert all(row.priority == FOLLOW_UP for row in rows_of(cancel))
    assert "Taken back" in text_of(rows_of(cancel)[0])


def test_an_end_goes_by_the_channel_of_the_first_and_in_its_language(officer) -> None:
    contact = subscriber(language="sq")
    alert = alert_out(officer)
    fan_out(alert)
    send(1)
    end_all(contact=contact, now=NOW)
    Contact.objects.filter(pk=contact.pk).update(channel="smsgate_sms")
    end = end_alert(alert_id=alert.pk, outcome="solved", actor=officer, now=NOW)
    fan_out(end)
    (row,) = rows_of(end)
    assert row.channel == "demo_sms"
    assert "U zgjidh" in text_of(row)
    assert row.broadcast is not None and row.broadcast.topic == f"alert-{alert.pk}"


def test_a_correction_reaches_the_first_and_those_who_are_new_in_its_area(officer, settings) -> None:
    settings.COMMONBEAT = replace(settings.COMMONBEAT, alerts_per_day=1)
    reached, waiting = subscriber(), subscriber()
    newly = subscriber(where=FAR)
    alert = alert_out(officer)
    fan_out(alert)
    assert send(1) == [reached.pk]
    wider = draft_of(drawn=replace(draft_of().drawn, circles=[(LATITUDE + 1, LONGITUDE, 2_000)]))
    update = update_alert(alert_id=alert.pk, draft=wider, actor=officer, now=NOW)
    account = fan_out(update)
    assert [row.contact_id for row in rows_of(update)] == [reached.pk, waiting.pk, newly.pk]
    # A correction is no alert more; and what waited is not sent twice.
    assert (account.capped, account.recalled) == (0, 0)
    assert set(send(10)) == {reached.pk, waiting.pk, newly.pk}
    assert Outbound.objects.filter(state=OutboundState.EXPIRED, error="cancelled").count() == 1


def test_who_is_outside_the_corrected_area_is_told_if_they_had_the_first(officer) -> None:
    reached, waiting = subscriber(), subscriber()
    alert = alert_out(officer)
    fan_out(alert)
    send(1)
    moved = draft_of(drawn=replace(draft_of().drawn, polygons=(), circles=[(LATITUDE + 1, LONGITUDE, 2_000)]))
    update = update_alert(alert_id=alert.pk, draft=moved, actor=officer, now=NOW)
    account = fan_out(update)
    assert [row.contact_id for row in rows_of(update)] == [reached.pk]
    assert (account.queued, account.recalled) == (1, 1)
    assert waiting.pk not in send(10)


def test_a_chain_of_three_tells_everybody_once_each_time(officer) -> None:
    contact = subscriber()
    alert = alert_out(officer)
    fan_out(alert)
    send(1)
    longer = extend(alert_id=alert.pk, expires_at=NOW + timedelta(hours=48), actor=officer, now=NOW)
    fan_out(longer)
    send(1)
    end = end_alert(alert_id=longer.pk, outcome="over", actor=officer, now=NOW)
    account = fan_out(end)
    assert (account.matched, account.queued) == (1, 1)
    assert [row.contact_id for row in rows_of(end)] == [contact.pk]


def test_the_end_of_something_urgent_comes_at_night_unless_it_is_good_news(officer, second_officer) -> None:
    subscriber()
    ends = {}
    for outcome in ("over", "found_safe"):
        alert = alert_out(officer, draft=urgent(now=NIGHT), second=second_officer, now=NIGHT)
        fan_out(alert, now=NIGHT)
        send(5, now=NIGHT)
        end = end_alert(alert_id=alert.pk, outcome=outcome, actor=officer, now=NIGHT)
        fan_out(end, now=NIGHT)
        ends[outcome] = rows_of(end)[0]
    assert ends["over"].due_at == NIGHT
    assert ends["found_safe"].due_at == MORNING
    # Whom it cost money to alarm, it may cost money to calm.
    assert all(row.is_vital for row in ends.values())


def test_whoever_said_stop_after_the_first_hears_no_end(officer) -> None:
    contact = subscriber()
    alert = alert_out(officer)
    fan_out(alert)
    send(1)
    stop_contact(contact=contact, now=NOW)
    end = end_alert(alert_id=alert.pk, outcome="over", actor=officer, now=NOW)
    account = fan_out(end)
    assert (account.silent, account.queued) == (1, 0)


def test_a_contact_of_a_channel_that_is_gone_is_written_to_by_the_sites(officer) -> None:
    contact = make_contact(channel="no_such_sms")
    subscriber(contact=contact, where=HOME)
    alert = alert_out(officer)
    fan_out(alert)
    assert rows_of(alert)[0].channel == "demo_sms"
