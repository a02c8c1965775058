"""Follow an alert up at the desk: correct, extend, end, take back; once each, and said to all who have it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from commonbeat.alerts.actions.follow import cancel_alert
from commonbeat.alerts.models import Alert, AlertState, MsgType
from commonbeat.foundation import clock
from commonbeat.messaging.models import Outbound, OutboundState
from tests.alerts.going_out import fan_out, many_subscribers
from tests.web.desk.alert_walk import SQUARE, WORD_FIELDS, act, address, out

pytestmark = pytest.mark.django_db


def follow(alert: Alert, verb: str) -> str:
    return address("alert_follow", alert, verb=verb)


def values(**changes: str) -> dict[str, str]:
    until = timezone.localtime(clock.now() + timedelta(hours=8))
    return {**WORD_FIELDS, "until": f"{until:%Y-%m-%dT%H:%M}", "lasts": "", "go": "send", **changes}


@pytest.mark.parametrize("verb", ["end?outcome=over", "update"])
def test_few_who_have_it_are_not_told_apart_before_the_end(officer, officer_client: Client, verb: str) -> None:
    alert = out(officer)

    def said() -> str:
        page = officer_client.get(follow(alert, verb.partition("?")[0]) + "?outcome=over").content.decode()
        return page[page.index("Who gets it") : page.index("It cannot be undone")]

    nobody = said()
    many_subscribers(1, now=clock.now())
    fan_out(alert, now=clock.now())
    Outbound.objects.update(state=OutboundState.DELIVERED)
    assert Outbound.objects.exists()
    assert said() == nobody
    assert "fewer than 5 people" in nobody


def test_how_it_ended_is_chosen_then_read_then_sent(officer, officer_client: Client) -> None:
    many_subscribers(12, now=clock.now())
    alert = out(officer)
    fan_out(alert, now=clock.now())
    Outbound.objects.update(state=OutboundState.DELIVERED)
    page = officer_client.get(follow(alert, "end")).content.decode()
    assert f'href="{follow(alert, "end")}?outcome=solved"' in page
    assert "found_safe" not in page
    page = officer_client.get(f"{follow(alert, 'end')}?outcome=solved").content.decode()
    assert "10 by" in page
    assert "It cannot be undone" in page
    assert 'value="Put right: Water cut in the old town"' in page
    assert "U zgjidh: Nuk ka ujë" in page
    assert "تم الحل" in page
    # Read, changed, read again: nothing has gone out.
    data = {**WORD_FIELDS, "outcome": "solved", "headline_en": "The water is back", "latest": str(alert.pk)}
    look = officer_client.post(follow(alert, "end"), {**data, "go": "look"})
    assert look.status_code == 200
    assert "The water is back" in look.content.decode()
    assert Alert.objects.count() == 1
    sent = officer_client.post(follow(alert, "end"), {**data, "go": "send"})
    assert sent["Location"] == address("alert", alert)
    alert.refresh_from_db()
    assert alert.outcome == "solved"
    end = alert.chain.get()
    assert (end.msg_type, end.texts.get(language="en").headline) == (MsgType.CANCEL, "The water is back")
    page = officer_client.get(address("alert", alert)).content.decode()
    assert "Ended: Put right" in page
    assert "Take it back as a mistake" not in page


def test_an_end_twice_is_one(officer, officer_client: Client) -> None:
    alert = out(officer)
    data = {**WORD_FIELDS, "outcome": "over", "go": "send"}
    assert officer_client.post(follow(alert, "end"), data).status_code == 302
    again = officer_client.post(follow(alert, "end"), data)
    assert again.status_code == 409
    assert "has ended already" in again.content.decode()
    assert alert.chain.count() == 1
    assert officer_client.get(follow(alert, "update")).status_code == 409


def test_an_outcome_that_is_none(officer, officer_client: Client) -> None:
    alert = out(officer)
    page = officer_client.post(follow(alert, "end"), {"outcome": "eaten", "go": "send"})
    assert page.status_code == 422
    assert "Choose how it ended" in page.content.decode()
    assert officer_client.get(f"{follow(alert, 'end')}?outcome=expired").status_code == 422


def test_a_mistake_is_taken_back(officer, officer_client: Client) -> None:
    alert = out(officer)
    page = officer_client.get(follow(alert, "cancel")).content.decode()
    assert "This alert was a mistake" in page
    assert officer_client.post(follow(alert, "cancel"), {**WORD_FIELDS, "go": "send"}).status_code == 302
    alert.refresh_from_db()
    assert alert.outcome == "mistake"


def test_a_correction_goes_out_with_new_words_end_and_area(officer, officer_client: Client) -> None:
    alert = out(officer)
    page = officer_client.get(follow(alert, "update")).content.decode()
    assert 'value="Water cut in the old town"' in page
    assert "And those who have asked for such alerts since" in page
    data = values(latest=str(alert.pk), headline_en="Water cut in two quarters")
    area = {"has_area": "yes", "shapes": SQUARE, "circle": "42.6,20.6,900"}
    assert officer_client.post(follow(alert, "update"), {**data, **area}).status_code == 302
    update = alert.chain.get()
    assert (update.msg_type, update.state) == (MsgType.UPDATE, AlertState.RELEASED)
    assert update.texts.get(language="en").headline == "Water cut in two quarters"
    assert update.area_parts["circles"] == [[42.6, 20.6, 900.0]]
    assert timedelta(hours=7) < update.expires_at - clock.now() < timedelta(hours=9)


def test_a_correction_sent_twice_is_one(officer, officer_client: Client) -> None:
    alert = out(officer)
    data = values(latest=str(alert.pk), headline_en="Water cut in two quarters")
    assert officer_client.post(follow(alert, "update"), data).status_code == 302
    again = officer_client.post(follow(alert, "update"), data)
    assert again.status_code == 409
    assert "was followed up already" in again.content.decode()
    assert alert.chain.count() == 1


def test_a_pressing_correction_waits_for_a_second_person(
    officer, second_officer, officer_client: Client, second_officer_client: Client
) -> None:
    alert = out(officer, second=second_officer)
    data = values(latest=str(alert.pk), headline_en="Danger at the mill, too")
    answer = officer_client.post(follow(alert, "update"), data)
    waiting = alert.chain.get()
    assert answer["Location"] == address("alert", waiting)
    assert waiting.state == AlertState.WAITING
    again = officer_client.post(follow(alert, "update"), data)
    assert again.status_code == 409
    assert "waits to be released already" in again.content.decode()
    assert "A correction waits to be released" in officer_client.get(address("alert", alert)).content.decode()
    assert act(second_officer_client, waiting, "release").status_code == 302
    waiting.refresh_from_db()
    assert waiting.state == AlertState.RELEASED
    # Its page is that of the first one.
    assert officer_client.get(address("alert", waiting))["Location"] == address("alert", alert)
    text = officer_client.get(address("alert", alert)).content.decode()
    assert "Danger at the mill, too" in text
    assert "Corrected or extended" in text


def test_more_time(officer, officer_client: Client) -> None:
    alert = out(officer)
    page = officer_client.get(follow(alert, "extend")).content.decode()
    assert 'name="until"' in page
    assert 'name="headline_en"' not in page
    data = {"lasts": "48", "until": "", "latest": str(alert.pk), "go": "send"}
    assert officer_client.post(follow(alert, "extend"), data).status_code == 302
    assert alert.chain.get().expires_at > clock.now() + timedelta(hours=47)
    assert officer_client.post(follow(alert, "extend"), data).status_code == 409
    assert alert.chain.count() == 1


@pytest.mark.parametrize(
    ("verb", "changes", "said"),
    [
        ("extend", {"until": "2001-01-01T00:00"}, "The end lies in the past"),
        ("extend", {"until": "never"}, "Write the end as a day"),
        ("update", {"headline_en": ""}, "is empty"),
        ("update", {"headline_en": "x" * 100_000}, "longer than"),
        ("update", {"description_sq": "{what}"}, "still has the gap"),
        ("update", {"severity": "Awful"}, "Choose one of the list"),
        ("update", {"has_area": "yes", "shapes": "{"}, "not GeoJSON"),
        ("update", {"has_area": "yes", "shapes": ""}, "Draw an area"),
        ("update", {"has_area": "yes", "circle": "1,2,3,4"}, "A circle has"),
        ("cancel", {"headline_en": ""}, "is empty"),
        ("end", {"description_en": "", "outcome": "over"}, "is empty"),
    ],
)
def test_bad_follow_ups_send_nothing(verb: str, changes: dict[str, str], said: str, officer, officer_client) -> None:
    alert = out(officer)
    page = officer_client.post(follow(alert, verb), values(latest=str(alert.pk), **changes))
    assert page.status_code == 422
    assert said in page.content.decode()
    assert Alert.objects.count() == 1


def test_a_colleague_was_faster(officer, second_officer, officer_client: Client) -> None:
    alert = out(officer)
    officer_client.get(follow(alert, "update"))
    cancel_alert(alert_id=alert.pk, actor=second_officer, now=clock.now())
    page = officer_client.post(follow(alert, "update"), values(latest=str(alert.pk)))
    assert page.status_code == 409
    assert "Nothing was done" in page.content.decode()
    assert alert.chain.count() == 1


def test_a_draft_is_followed_by_nothing(officer, officer_client: Client) -> None:
    from tests.web.desk.alert_walk import draft

    alert = draft(officer)
    assert officer_client.get(follow(alert, "end"))["Location"] == address("alert", alert)
