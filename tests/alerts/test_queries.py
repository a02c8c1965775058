"""What pages are told: what is going on, and who would hear of it; numbers only."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from commonbeat.alerts.actions.drafts import Drawn, compose_draft
from commonbeat.alerts.actions.follow import cancel_alert, extend, update_alert
from commonbeat.alerts.actions.sightings import tie_sighting
from commonbeat.alerts.actions.subscribing import Where
from commonbeat.alerts.desk_queries import accounts_of
from commonbeat.alerts.queries import (
    active_alerts,
    chain,
    drafts_for,
    people_for,
    preview,
    sightings,
    told,
)
from commonbeat.messaging.actions import stop_contact
from commonbeat.messaging.models import Outbound
from tests.alerts.going_out import alert_out, draft_of, fan_out, many_subscribers, subscriber, urgent
from tests.make import NOW, make_contact, square

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=5)


def test_of_each_chain_the_newest_is_active_until_it_ends(officer, second_officer) -> None:
    water = alert_out(officer)
    danger = alert_out(officer, draft=urgent(), second=second_officer)
    update = update_alert(alert_id=water.pk, draft=draft_of(), actor=officer, now=LATER)
    # A correction that waits for a second person changes nothing yet.
    update_alert(alert_id=water.pk, draft=urgent(kind="water"), actor=officer, now=LATER)
    compose_draft(draft=draft_of(), actor=officer, now=NOW)
    assert active_alerts(now=LATER) == [danger, update]
    assert active_alerts(now=NOW + timedelta(hours=25)) == []
    cancel_alert(alert_id=danger.pk, actor=officer, now=LATER)
    assert active_alerts(now=LATER) == [update]
    assert chain(update) == chain(water) == [water, update]


def test_queries_do_not_grow(officer, django_assert_num_queries) -> None:
    for _ in range(5):
        extend(alert_id=alert_out(officer).pk, expires_at=NOW + timedelta(hours=30), actor=officer, now=NOW)
    with django_assert_num_queries(2):
        assert len([text.headline for alert in active_alerts(now=NOW) for text in alert.texts.all()]) == 10
    drafts = [compose_draft(draft=draft_of(), actor=officer, now=NOW) for _ in range(5)]
    with django_assert_num_queries(2):
        assert [alert.author and alert.author.username for alert in drafts_for(officer)] == ["officer"] * len(drafts)


def test_drafts_are_their_units(officer, second_officer, far_officer, supervisor, outsider) -> None:
    draft = compose_draft(draft=draft_of(), actor=officer, now=NOW)
    assert drafts_for(second_officer) == drafts_for(supervisor) == [draft]
    assert drafts_for(far_officer) == drafts_for(outsider) == []


def test_few_people_are_not_told_of(officer) -> None:
    many_subscribers(4)
    assert people_for(area=square(), kind="water", severity="Minor") == (0, True)
    many_subscribers(3)
    assert people_for(area=square(), kind="water", severity="Minor") == (5, False)
    assert people_for(area=square(44), kind="water", severity="Minor") == (0, True)


@pytest.mark.parametrize(
    ("number", "expected"),
    [(0, (0, True)), (4, (0, True)), (5, (5, False)), (99, (95, False)), (104, (100, False)), (1_234, (1_200, False))],
)
def test_numbers_are_told_in_steps(number, expected) -> None:
    assert told(number) == expected


def test_a_preview_tells_channels_texts_and_cost(officer, settings) -> None:
    settings.COMMONBEAT = replace(settings.COMMONBEAT, send_prices=("demo_sms=0.05",))
    many_subscribers(12)
    for _ in range(5):
        subscriber(contact=make_contact(channel="smsgate_sms"), language="sq")
    subscriber(language="sq")
    stop_contact(contact=subscriber(), now=NOW)
    draft = compose_draft(draft=draft_of(), actor=officer, now=NOW)
    found = preview(draft, now=NOW)
    lines = {(line.channel, line.language): line for line in found.lines}
    assert (found.people, found.is_few) == (15, False)
    assert lines.keys() == {("demo_sms", "en"), ("demo_sms", "sq"), ("smsgate_sms", "sq")}
    english = lines["demo_sms", "en"]
    assert (english.people, english.parts, english.encoding) == (10, 1, "GSM-7")
    assert english.cost_micros == 10 * 50_000
    assert english.text.startswith("Water cut in the old town.")
    # One person: neither the number nor what it costs.
    assert (lines["demo_sms", "sq"].is_few, lines["demo_sms", "sq"].people) == (True, 0)
    assert lines["demo_sms", "sq"].cost_micros is None
    # Nobody has said what that provider takes.
    assert lines["smsgate_sms", "sq"].cost_micros is None
    assert found.cost_micros == english.cost_micros


def test_a_preview_of_one_house_tells_nothing_of_who_lives_there(officer) -> None:
    subscriber(language="sq")
    subscriber(contact=make_contact(channel="smsgate_sms"))
    many_subscribers(6)

    def shown(where: dict[str, Any]) -> list[tuple[str, str, int, bool, int | None]]:
        draft = compose_draft(draft=draft_of(drawn=Drawn(polygons=[where])), actor=officer, now=NOW)
        found = preview(draft, now=NOW)
        assert (found.people, found.is_few, found.cost_micros) == (0, True, None)
        return [(line.channel, line.language, line.people, line.is_few, line.cost_micros) for line in found.lines]

    nobody, house = square(44), square(10.0, 10.0)
    empty = shown(house)
    subscriber(where=Where(10.0, 10.0, 1_000), language="sq")
    assert shown(house) == empty == shown(nobody)
    assert {line[:2] for line in empty} == {("demo_sms", "en"), ("demo_sms", "sq"), ("smsgate_sms", "en")}


def test_a_preview_is_what_then_goes_out(officer) -> None:
    subscriber()
    draft = compose_draft(draft=draft_of(), actor=officer, now=NOW)
    shown = preview(draft, now=NOW).lines[0]
    from commonbeat.alerts.actions.release import release
    from commonbeat.messaging.queries import text_of

    fan_out(release(alert_id=draft.pk, actor=officer, now=NOW))
    assert text_of(Outbound.objects.get()) == shown.text


def test_progress_counts_by_channel_and_state(officer, django_assert_num_queries) -> None:
    many_subscribers(3)
    subscriber(language="sq")
    alert = alert_out(officer)
    fan_out(alert)
    Outbound.objects.filter(pk=Outbound.objects.earliest("pk").pk).update(state="sent")
    with django_assert_num_queries(3):
        found = accounts_of([alert.pk], now=NOW)[alert.pk]
    assert found.channels == {"demo_sms": {"queued": 3, "sent": 1}}
    assert (found.people, found.sent, found.is_under_way) == (4, 1, False)


def test_sightings_of_a_chain_are_together(officer) -> None:
    alert = alert_out(officer)
    update = update_alert(alert_id=alert.pk, draft=draft_of(), actor=officer, now=LATER)
    tie_sighting(alert_id=alert.pk, report_id=1, now=NOW)
    tie_sighting(alert_id=update.pk, report_id=2, now=LATER)
    assert [one.report_id for one in sightings(update)] == [2, 1]
