"""Ask for alerts without a script, prove that the address is one's own, change and end it; what no stranger learns."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from commonbeat.alerts.models import Subscription
from commonbeat.intake.world import SiteWorld
from commonbeat.journal.models import Entry
from commonbeat.messaging.actions import contact_for, stop_contact
from commonbeat.messaging.models import Contact, Outbound
from commonbeat.messaging.queries import text_of
from commonbeat.web.public import alert_proof as proof
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
    sent_texts,
    type_code,
    walked,
)
from tests.web.public.walker import Walker

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("moment")]


# ------------------------------------------------------------------ asking


def test_a_number_is_asked_and_the_code_confirms_it() -> None:
    make.make_place("Old bridge")
    walker = Walker(Client(), START, wanted="novalidate")
    press(walker, go="add", place_text="Old bridge", label="home", radius="5000")
    assert "home" in walker.text
    press(walker, go="add", place_text="42.3812345, 20.4312345", radius="1000")
    press(walker)
    press(walker, kind=["water", "road"], least="1")
    press(walker, how="phone", phone=NUMBER)
    press(walker, quiet="own", quiet_from="23:30", quiet_to="06:15", speaks="sq")
    for part in ("home", "5 km", "1 km", "Moderate and worse", "23:30–06:15", NUMBER):
        assert part in walker.text
    send(walker)
    assert Subscription.objects.filter(confirmed_at__isnull=True).count() == 2
    assert "Lumbardh" in sent_texts()[0]
    assert Outbound.objects.get().contact.kind == "phone"
    answer = type_code(walker, code_sent())
    assert answer.redirect_chain[-1][0] == MANAGE
    first, second = Subscription.objects.order_by("pk")
    assert (first.confirmed_at, second.confirmed_at) == (NOW, NOW)
    assert (first.label, first.radius, first.kinds, first.least_severity) == ("home", 5000, ["road", "water"], 1)
    assert (first.quiet_from, first.quiet_to, first.language) == (23 * 60 + 30, 6 * 60 + 15, "sq")
    # No more than 100 metres is kept.
    assert (second.latitude, second.longitude, second.radius) == (42.381, 20.431, 1000)


def test_a_wrong_code_confirms_nothing_and_guessing_ends() -> None:
    walker = send(walked())
    right = code_sent()
    wrong = f"{(int(right) + 1) % 1_000_000:06d}"
    assert "This is not the code" in type_code(walker, wrong).content.decode()
    for _ in range(9):
        type_code(walker, wrong)
    assert "This is not the code" in type_code(walker, right).content.decode()
    assert not Subscription.objects.filter(confirmed_at__isnull=False).exists()


def test_a_code_is_read_however_it_is_typed() -> None:
    walker = send(walked())
    code = code_sent()
    arabic = code.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
    type_code(walker, f" {arabic[:3]} {arabic[3:]} ")
    assert Subscription.objects.get().confirmed_at == NOW


def test_a_code_is_good_for_half_an_hour(moment) -> None:
    walker = send(walked())
    code = code_sent()
    moment[0] = NOW + timedelta(minutes=31)
    assert "begin again" in type_code(walker, code).content.decode()
    assert Subscription.objects.get().confirmed_at is None


def test_a_mailbox_is_asked_by_a_link_that_only_a_button_follows() -> None:
    walker = send(walked(how="email", email=MAIL))
    assert "Look into your mailbox" in walker.text
    link = link_sent()
    # Nothing of the person stands in the address.
    assert "someone" not in link
    assert str(Contact.objects.get().pk) not in re.split(r"\W", link)
    reader = Client()
    assert "Do you want these alerts?" in reader.get(link).content.decode()
    assert Subscription.objects.get().confirmed_at is None
    answer = reader.post(link, follow=True)
    assert "The whole town" in answer.content.decode()
    assert Subscription.objects.get().confirmed_at == NOW


@pytest.mark.parametrize("change", [lambda t: t[:-2] + ("AA" if t[-2:] != "AA" else "BB"), lambda t: "A" * len(t)])
def test_a_link_that_is_not_ours_opens_nothing(change) -> None:
    send(walked(how="email", email=MAIL))
    head, token, _ = link_sent().rsplit("/", 2)
    for method in (Client().get, Client().post):
        answer = method(f"{head}/{change(token)}/")
        assert answer.status_code == 410
    assert Subscription.objects.get().confirmed_at is None


def test_a_browser_needs_no_proof_and_gets_a_first_message() -> None:
    browser, client = Browser(), Client()
    walker = send(walked(client, how="push"), push=browser.subscription())
    assert "Alerts come to this browser now" in walker.text
    row = Subscription.objects.get()
    assert row.confirmed_at == NOW
    assert row.contact.kind == "push"
    message = Outbound.objects.get()
    assert message.channel == "webpush"
    told = json.loads(text_of(message))
    assert told["title"] == "Alerts of Lumbardh come here"
    assert "The whole town" in client.get(MANAGE).content.decode()


@pytest.mark.parametrize("given", ["", "{}", "null", Browser("https://10.0.0.1/x").subscription()])
def test_a_browser_that_gives_no_address_is_told_so(given: str) -> None:
    walker = send(walked(how="push"), push=given)
    assert walker.response.status_code == 422
    assert "This browser gave no address" in walker.text
    assert not Contact.objects.exists()
    assert not Subscription.objects.exists()


def test_the_page_asks_the_browser_only_at_the_end_and_only_if_it_was_chosen() -> None:
    walker = Walker(Client(), START, wanted="novalidate")
    press(walker, go="all")
    press(walker)
    # On the step of the choice the script only looks whether it could.
    assert "data-push-form" not in walker.text
    press(walker, how="push")
    press(walker)
    assert "data-push-form" in walker.text
    assert "data-push-form" not in walked().text


# ------------------------------------------------------------------ each step


def test_where_must_be_said() -> None:
    walker = press(Walker(Client(), START, wanted="novalidate"))
    assert walker.response.status_code == 422
    assert "Choose a place, a beat, or the whole town." in walker.text


def test_a_beat_can_be_chosen_and_a_place_removed_again() -> None:
    beat = make.make_beat(name="Lower quarter")
    walker = Walker(Client(), START, wanted="novalidate")
    press(walker, go="add", beat=str(beat.pk))
    press(walker, go="add", place_text="42.4, 20.5")
    assert walker.text.count('name="place"') == 2
    press(walker, go="drop:1")
    assert "Beat: Lower quarter" in walker.text
    assert walker.text.count('name="place"') == 1
    press(walker)
    press(walker)
    press(walker, how="phone", phone=NUMBER)
    press(walker)
    send(walker)
    assert Subscription.objects.get().beat_id == beat.pk


def test_an_unknown_place_is_not_guessed() -> None:
    walker = press(Walker(Client(), START, wanted="novalidate"), place_text="Atlantis")
    assert "We do not know a place of this name" in walker.text
    assert walker.step == "where"


def test_a_name_that_several_places_have_is_asked_about() -> None:
    make.make_place("Market square", latitude=42.1, longitude=20.1)
    far = make.make_place("Market square north", latitude=42.2, longitude=20.2)
    walker = press(Walker(Client(), START, wanted="novalidate"), place_text="Market squar")
    assert "Which one do you mean?" in walker.text
    press(walker, match=str(far.pk))
    assert walker.step == "what"
    assert "point|42.2|20.2|" in walker.text


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ({"how": "phone", "phone": "12"}, "This is not a phone number"),
        ({"how": "phone", "phone": ""}, "This is not a phone number"),
        ({"how": "email", "email": "nobody"}, "This is not an e-mail address"),
        ({"how": "pigeon"}, "Choose how the alerts come to you."),
    ],
)
def test_an_address_is_checked(answers: dict[str, str], sentence: str) -> None:
    walker = Walker(Client(), START, wanted="novalidate")
    press(walker, go="all")
    press(walker)
    press(walker, **answers)
    assert walker.response.status_code == 422
    assert sentence in walker.text


def test_quiet_hours_are_times() -> None:
    walker = Walker(Client(), START, wanted="novalidate")
    press(walker, go="all")
    press(walker)
    press(walker, how="phone", phone=NUMBER)
    press(walker, quiet="own", quiet_from="late", quiet_to="25:00")
    assert walker.text.count("Write a time such as 22:00.") >= 2
    press(walker, quiet="none")
    assert "None: at any time" in walker.text


def test_without_mail_no_mail_is_offered(settings) -> None:
    settings.COMMONBEAT = replace(settings.COMMONBEAT, mail_address="", mail_smtp_host="")
    walker = Walker(Client(), START, wanted="novalidate")
    press(walker, go="all")
    press(walker)
    assert 'value="email"' not in walker.text
    press(walker, how="email", email=MAIL)
    assert walker.response.status_code == 422


@pytest.mark.parametrize(
    "fields",
    [
        {"step": "check", "place": ["point|nan|nan|2000|x", "beat|99999999|x", "x", "point|1|1|7|x", "all"] * 30},
        {"step": ["x"], "go": "drop:9999999999999999999", "place": "all||"},
        {
            "step": "where",
            "beat": "9" * 30,
            "radius": "-1",
            "latitude": "1e999",
            "longitude": "x",
            "place_source": "map",
        },
        {"step": "what", "kind": ["x"] * 200, "least": "9"},
        {"step": "when", "quiet": "x", "speaks": "xx"},
        {},
    ],
)
def test_odd_fields_are_no_trouble(fields: dict[str, Any]) -> None:
    for address in (START, "/alerts/subscribe/done/", "/alerts/subscribe/code/", MANAGE):
        answer = Client().post(address, fields)
        assert answer.status_code in (200, 422), address
    assert not Subscription.objects.exists()
    assert not Outbound.objects.exists()


def test_a_beat_that_is_gone_is_said_so_and_half_of_it_is_not_stored() -> None:
    walker = walked(how="push")
    form = walker.form
    fields = {name: value for name, value in form.fields if name != "place"}
    answer = Client().post(
        form.action, {**fields, "place": ["all||", "beat|424242|x"], "push": Browser().subscription()}
    )
    assert answer.status_code == 422
    assert not Subscription.objects.exists()


# ------------------------------------------------------------------ what no stranger learns


def test_a_stranger_cannot_tell_whether_a_number_gets_alerts_already() -> None:
    first = send(walked())
    type_code(first, code_sent())
    pages = []
    for number in (NUMBER, "+383 44 999 888"):
        text = send(walked(phone=number)).text
        pages.append(re.sub(r'value="[^"]{30,}"', "", text))
    assert pages[0] == pages[1]
    lengths = {len(dict(send(walked(phone=number)).form.fields)["token"]) for number in (NUMBER, "+383 44 777 666")}
    assert len(lengths) == 1


def test_a_stranger_who_asks_to_change_learns_nothing_and_the_owner_gets_a_code() -> None:
    first = send(walked())
    type_code(first, code_sent())
    before = Outbound.objects.count()
    known, unknown = (Client().post(MANAGE, {"address": number}) for number in (NUMBER, "+383 44 999 888"))
    hidden = [re.sub(r'value="[^"]{30,}"', "", answer.content.decode()) for answer in (known, unknown)]
    assert hidden[0] == hidden[1]
    assert Outbound.objects.count() == before + 1
    assert not Contact.objects.filter(handle="").exists()
    assert Contact.objects.count() == 1


def test_a_stranger_changes_nothing_of_what_is_confirmed(moment) -> None:
    type_code(send(walked()), code_sent())
    send(walked(least="0", kind=["other"]))
    row = Subscription.objects.get(confirmed_at=NOW)
    assert (row.least_severity, row.kinds) == (2, [])


def test_strangers_cannot_use_up_somebodys_places_nor_their_patience() -> None:
    for _ in range(5):
        walker = Walker(Client(), START, wanted="novalidate")
        for at in range(10):
            press(walker, go="add", place_text=f"42.{at}1, 20.5")
        press(walker)
        press(walker)
        press(walker, how="phone", phone=NUMBER)
        press(walker)
        send(walker)
    # Three messages a day, and what no message asks about is not stored. It takes no room of its owner's.
    assert Outbound.objects.count() == 3
    assert Subscription.objects.count() == 30
    assert not SiteWorld(Contact.objects.get(), now=NOW).alerts().is_full


def test_a_network_that_asks_too_often_must_wait() -> None:
    for at in range(proof.SIGN_UPS.most):
        send(walked(phone=f"+38344{at:06d}"))
    walker = send(walked(phone="+38344123123"))
    assert walker.response.status_code == 429
    assert Contact.objects.count() == proof.SIGN_UPS.most


def test_after_stop_nothing_is_sent_and_the_page_is_the_same() -> None:
    contact = contact_for(kind="phone", address=NUMBER, now=NOW)
    stop_contact(contact=contact, now=NOW)
    walker = send(walked())
    assert "Type the code" in walker.text
    assert not Outbound.objects.exists()


def test_no_address_or_journal_entry_holds_a_place_or_a_number() -> None:
    make.make_place("Old bridge")
    walker = Walker(Client(), START, wanted="novalidate")
    press(walker, go="add", place_text="Old bridge")
    assert walker.response.request["QUERY_STRING"] == ""
    type_code(send(walked()), code_sent())
    for entry in Entry.objects.filter(kind__startswith="alerts."):
        assert not entry.data
