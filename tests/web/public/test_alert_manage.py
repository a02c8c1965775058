"""Change and end the alerts that one gets, behind the proof that the address is one's own."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.test import Client

from commonbeat.alerts.models import Subscription
from commonbeat.messaging.actions import stop_contact
from commonbeat.messaging.models import Contact, Outbound
from commonbeat.reactions.run import react_batch
from tests import make
from tests.channels.browsers import Browser
from tests.web.public.signups import (
    MAIL,
    MANAGE,
    NOW,
    NUMBER,
    START,
    code_sent,
    link_sent,
    press,
    send,
    type_code,
    walked,
)
from tests.web.public.walker import Walker

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("moment")]


@pytest.fixture
def owner() -> Client:
    """Give the window of somebody who has proven a number and gets two places."""
    make.make_place("Old bridge")
    client = Client()
    walker = Walker(client, START, wanted="novalidate")
    press(walker, go="add", place_text="Old bridge", label="home")
    press(walker, go="add", place_text="42.5, 20.6", label="mother")
    press(walker)
    press(walker)
    press(walker, how="phone", phone=NUMBER)
    press(walker)
    send(walker)
    type_code(walker, code_sent())
    return client


def test_one_place_is_changed(owner: Client) -> None:
    first = Subscription.objects.order_by("pk").first()
    assert first is not None
    address = f"{MANAGE}{first.pk}/"
    assert 'value="home"' in owner.get(address).content.decode()
    answer = owner.post(
        address, {"kind": ["water"], "least": "3", "radius": "10000", "label": "", "speaks": "ar", "quiet": "none"}
    )
    assert answer.headers["Location"] == MANAGE
    first.refresh_from_db()
    assert (first.kinds, first.least_severity, first.radius, first.label) == (["water"], 3, 10_000, "home")
    assert (first.quiet_from, first.quiet_to, first.language) == (0, 0, "ar")
    assert owner.post(address, {"quiet": "own", "quiet_from": "x"}).status_code == 422


def test_one_is_ended_and_then_all(owner: Client) -> None:
    first = Subscription.objects.order_by("pk").first()
    assert first is not None
    owner.post(MANAGE, {"go": f"end:{first.pk}"})
    assert not Subscription.objects.filter(pk=first.pk).exists()
    answer = owner.post(MANAGE, {"go": "end_all"})
    assert "No more alerts come to you." in answer.content.decode()
    assert not Subscription.objects.exists()
    assert "Mobile number" in owner.get(MANAGE).content.decode()


def test_a_place_is_added_without_proving_it_again(owner: Client) -> None:
    before = Outbound.objects.count()
    walker = walked(owner)
    assert "How do the alerts come" not in walker.text
    send(walker)
    assert walker.response.headers["Location"] == MANAGE
    assert Subscription.objects.filter(confirmed_at=NOW).count() == 3
    assert Outbound.objects.count() == before


def test_too_many_places_are_refused_to_their_owner(owner: Client) -> None:
    walker = Walker(owner, START, wanted="novalidate")
    for at in range(9):
        press(walker, go="add", place_text=f"42.{at}1, 20.5")
    press(walker)
    press(walker)
    press(walker)
    send(walker)
    assert walker.response.status_code == 422
    assert Subscription.objects.count() == 2


def test_the_page_closes_after_half_an_hour_and_by_its_button(owner: Client, moment) -> None:
    assert "home" in owner.get(MANAGE).content.decode()
    moment[0] = NOW + timedelta(minutes=31)
    assert "home" not in owner.get(MANAGE).content.decode()
    moment[0] = NOW
    owner.post(MANAGE, {"go": "leave"})
    assert "home" not in owner.get(MANAGE).content.decode()


def test_nobody_reaches_anothers_places(owner: Client, outsider_client: Client, officer_client: Client) -> None:
    first = Subscription.objects.order_by("pk").first()
    assert first is not None
    other = Client()
    type_code(send(walked(other, phone="+383 44 111 222")), code_sent())
    for client in (Client(), other, outsider_client, officer_client):
        assert client.get(f"{MANAGE}{first.pk}/").status_code == 302
        assert client.post(f"{MANAGE}{first.pk}/", {"least": "3"}).status_code == 302
        client.post(MANAGE, {"go": f"end:{first.pk}"})
        assert "home" not in client.get(MANAGE).content.decode()
    first.refresh_from_db()
    assert first.least_severity == 0


def test_a_mail_link_opens_the_page_of_what_there_is() -> None:
    send(walked(how="email", email=MAIL))
    Client().post(link_sent())
    client = Client()
    client.post(MANAGE, {"address": MAIL.upper()})
    assert "The whole town" in client.post(link_sent(), follow=True).content.decode()


def test_a_browser_knows_itself() -> None:
    browser = Browser()
    send(walked(how="push"), push=browser.subscription())
    client = Client()
    assert "The whole town" in client.post(MANAGE, {"push": browser.subscription()}, follow=True).content.decode()
    before = Outbound.objects.count()
    assert "A test is on its way" in client.post(MANAGE, {"go": "trial"}).content.decode()
    assert Outbound.objects.count() == before + 1
    for other in (Browser().subscription(), "x", ""):
        answer = Client().post(MANAGE, {"push": other})
        assert (answer.status_code, "This browser gets no alerts." in answer.content.decode()) == (422, True)


def test_a_browser_that_moved_stays_the_same() -> None:
    old, fresh = Browser(), Browser("https://push.example.com/send/new")
    send(walked(how="push"), push=old.subscription())
    body = json.dumps({"old": json.loads(old.subscription()), "fresh": json.loads(fresh.subscription())})
    answer = Client().post("/alerts/subscribe/moved", body, content_type="application/json")
    assert answer.json() == {}
    assert "The whole town" in Client().post(MANAGE, {"push": fresh.subscription()}, follow=True).content.decode()
    assert Client().post(MANAGE, {"push": old.subscription()}).status_code == 422
    assert Contact.objects.count() == 1


def test_only_the_secret_of_the_old_address_moves_a_browser() -> None:
    old, thief = Browser(), Browser("https://push.example.com/send/thief")
    send(walked(how="push"), push=old.subscription())
    guessed = Browser(old.endpoint)
    body = json.dumps({"old": json.loads(guessed.subscription()), "fresh": json.loads(thief.subscription())})
    # The answer is the same, and nothing has changed.
    assert Client().post("/alerts/subscribe/moved", body, content_type="application/json").json() == {}
    assert Client().post(MANAGE, {"push": thief.subscription()}).status_code == 422
    for broken in ("", "[]", "{}", '{"old": 1, "fresh": 2}', "[" * 3000):
        answer = Client().post("/alerts/subscribe/moved", broken, content_type="application/json")
        assert answer.status_code == 400


def test_a_dead_browser_loses_its_places_and_a_telephone_that_said_stop_keeps_them(owner: Client) -> None:
    send(walked(how="push"), push=Browser().subscription())
    for contact in Contact.objects.all():
        stop_contact(contact=contact, now=NOW)
    while react_batch(NOW):
        pass
    assert set(Subscription.objects.values_list("contact__kind", flat=True)) == {"phone"}
    # When the same browser asks again, it is written to again.
    assert Contact.objects.filter(kind="push", stopped_at__isnull=False).count() == 1


def test_a_browser_that_asks_again_is_written_to_again() -> None:
    browser = Browser()
    send(walked(how="push"), push=browser.subscription())
    stop_contact(contact=Contact.objects.get(), now=NOW)
    send(walked(how="push"), push=browser.subscription())
    assert Contact.objects.get().stopped_at is None
