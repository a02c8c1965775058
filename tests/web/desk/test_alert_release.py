"""Released by one, by two, or alone: once, what was read, and by whom it may be."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from commonbeat.alerts.actions.drafts import change_draft
from commonbeat.alerts.actions.release import ask_second, release
from commonbeat.alerts.models import Alert, AlertState, FanOut
from commonbeat.foundation import clock
from commonbeat.journal.models import Entry
from tests.alerts.going_out import urgent as urgent_draft
from tests.web.desk.alert_walk import act, address, draft, seen_on, urgent

pytestmark = pytest.mark.django_db
LIST = "/desk/alerts/"


@pytest.fixture
def waiting(officer) -> Alert:
    """Give an alert that waits for a second person."""
    alert = urgent(officer)
    return ask_second(alert_id=alert.pk, actor=officer, now=clock.now())


def test_one_person_releases_what_is_not_pressing(officer, officer_client: Client) -> None:
    alert = draft(officer)
    answer = act(officer_client, alert, "release")
    assert answer["Location"] == address("alert", alert)
    alert.refresh_from_db()
    assert (alert.state, alert.released_by) == (AlertState.RELEASED, officer)


def test_pressed_twice_it_goes_out_once_and_says_so(officer, officer_client: Client) -> None:
    alert = draft(officer)
    seen = seen_on(officer_client.get(address("alert", alert)))
    assert officer_client.post(address("alert_act", alert, verb="release"), {"seen": seen}).status_code == 302
    again = officer_client.post(address("alert_act", alert, verb="release"), {"seen": seen})
    assert again.status_code == 409
    assert "This alert is out already" in again.content.decode()
    assert FanOut.objects.count() == 1
    assert Entry.objects.filter(kind="alerts.released").count() == 1


def test_two_people_release_what_is_pressing(officer, officer_client: Client, second_officer_client: Client) -> None:
    alert = urgent(officer)
    page = officer_client.get(address("alert", alert)).content.decode()
    assert "Ask a second person" in page
    assert "Release it" not in page
    # A form that was made by hand does not help.
    forced = officer_client.post(address("alert_act", alert, verb="release"))
    assert forced.status_code == 422
    assert "a second person has to release it" in forced.content.decode()
    assert act(officer_client, alert, "ask").status_code == 302
    theirs = second_officer_client.get(address("alert", alert)).content.decode()
    # The second person reads the same.
    for said in ("The main pipe broke at noon.", "Who would hear of it", "urn:oasis:names:tc:emergency:cap:1.2"):
        assert said in page
        assert said in theirs
    assert act(second_officer_client, alert, "release").status_code == 302
    alert.refresh_from_db()
    assert alert.released_by is not None
    assert alert.released_by.username == "second-officer"
    history = officer_client.get(address("alert", alert)).content.decode()
    assert "Released by a second person" in history
    assert "second-officer" in history


def test_what_was_changed_after_it_was_read_is_not_released(
    waiting: Alert, officer, second_officer_client: Client
) -> None:
    seen = seen_on(second_officer_client.get(address("alert", waiting)))
    changed = change_draft(alert_id=waiting.pk, draft=urgent_draft(now=clock.now()), actor=officer, now=clock.now())
    ask_second(alert_id=waiting.pk, actor=officer, now=clock.now())
    page = second_officer_client.post(address("alert_act", waiting, verb="release"), {"seen": seen})
    assert page.status_code == 409
    assert "Somebody has changed this draft" in page.content.decode()
    waiting.refresh_from_db()
    assert waiting.state == AlertState.WAITING
    assert changed.pk == waiting.pk
    # The page that said so shows it as it is now, and its button releases that.
    answer = second_officer_client.post(address("alert_act", waiting, verb="release"), {"seen": seen_on(page)})
    assert answer.status_code == 302


def test_the_second_person_sends_it_back_with_a_note(
    waiting: Alert, officer_client: Client, second_officer_client: Client
) -> None:
    empty = act(second_officer_client, waiting, "back", note=" ")
    assert empty.status_code == 422
    assert "Say in a few words what is to be changed" in empty.content.decode()
    assert act(second_officer_client, waiting, "back", note="It is <b>not</b> the old town.").status_code == 302
    waiting.refresh_from_db()
    assert (waiting.state, waiting.asked_at) == (AlertState.DRAFT, None)
    page = officer_client.get(address("alert", waiting)).content.decode()
    assert "It is &lt;b&gt;not&lt;/b&gt; the old town." in page
    assert "Ask a second person" in page
    assert "sent back: It is" in officer_client.get(LIST).content.decode()
    assert Entry.objects.get(kind="alerts.sent_back").data == {}
    # Twice: it waits no more.
    again = second_officer_client.post(address("alert_act", waiting, verb="back"), {"note": "Once more."})
    assert again.status_code == 409
    assert act(officer_client, waiting, "ask").status_code == 302
    assert "not</b>" not in officer_client.get(address("alert", waiting)).content.decode().replace("&lt;/b&gt;", "</b>")


def test_alone_after_a_minute_with_a_reason(waiting: Alert, officer_client: Client) -> None:
    page = officer_client.get(address("alert", waiting)).content.decode()
    assert "you can release it alone" in page
    assert "Why can it not wait?" not in page
    # The page counts without JavaScript, by a link.
    assert f'<a class="button button-secondary" href="{address("alert", waiting)}">Look again</a>' in page
    early = officer_client.post(address("alert_act", waiting, verb="alone"), {"reason": "Nobody is here."})
    assert early.status_code == 422
    assert "give them a minute" in early.content.decode()
    Alert.objects.filter(pk=waiting.pk).update(asked_at=clock.now() - timedelta(seconds=61))
    # What is polled brings the form, and then polls no more: it would take away what is typed.
    assert 'hx-trigger="every 5s"' in page
    part = officer_client.get(address("alert", waiting) + "?part=standing").content.decode()
    assert "Why can it not wait?" in part
    assert "hx-trigger" not in part
    late = officer_client.get(address("alert", waiting)).content.decode()
    assert "Why can it not wait?" in late
    assert 'hx-trigger="every 5s"' not in late
    blank = act(officer_client, waiting, "alone", reason="")
    assert blank.status_code == 422
    assert "why it cannot wait" in blank.content.decode()
    assert act(officer_client, waiting, "alone", reason="Nobody is here.").status_code == 302
    page = officer_client.get(address("alert", waiting)).content.decode()
    assert "Released by one person alone" in page
    assert "The reason: Nobody is here." in page


def test_who_waits_hears_that_it_is_out(waiting: Alert, officer_client: Client, second_officer) -> None:
    part = address("alert", waiting) + "?part=standing"
    assert "Nobody has answered yet" in officer_client.get(part).content.decode()
    release(alert_id=waiting.pk, actor=second_officer, now=clock.now())
    # The address leads on to the page of what is out; the part of it that is asked for says so.
    assert officer_client.get(address("alert", waiting)).status_code == 200
    text = officer_client.get(part).content.decode()
    assert "<html" not in text
    assert "It is out" in text


def test_verbs_that_are_none(waiting: Alert, officer_client: Client) -> None:
    assert officer_client.post(address("alert_act", waiting, verb="explode")).status_code == 404
    assert officer_client.get(address("alert_act", waiting, verb="release")).status_code == 405
    assert officer_client.get(address("alert_follow", waiting, verb="explode")).status_code == 404


def test_forms_need_their_token(waiting: Alert, second_officer) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(second_officer)
    assert client.post(address("alert_act", waiting, verb="release")).status_code == 403
    assert client.post("/desk/alerts/new/?kind=water", {"shapes": "x"}).status_code == 403
    waiting.refresh_from_db()
    assert waiting.state == AlertState.WAITING
