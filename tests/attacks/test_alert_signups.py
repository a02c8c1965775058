"""A stranger who types somebody's number into the sign-up for alerts replaces nothing, learns nothing, costs little."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from commonbeat.alerts.models import Subscription
from commonbeat.intake.world import SiteWorld
from commonbeat.messaging.channel import Inbound
from commonbeat.messaging.models import Contact, Outbound
from commonbeat.messaging.queries import text_of
from commonbeat.reactions.inbound import handle
from commonbeat.web.public import alert_proof as proof
from tests import make
from tests.web.public.conftest import moment
from tests.web.public.signups import MAIL, NOW, NUMBER, START, code_sent, link_sent, press, send, type_code, walked
from tests.web.public.walker import Walker

__all__ = ["moment"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("moment")]
OTHER = "+383 44 999 888"


def bare(page: str) -> str:
    """Give a page without what is different on every page: sealed tokens."""
    return re.sub(r'value="[^"]{30,}"', "", page)


def confirmed() -> list[tuple[int, list[str]]]:
    rows = Subscription.objects.filter(confirmed_at__isnull=False).order_by("pk")
    return [(row.least_severity, row.kinds) for row in rows]


def sign_up_for(number: str, places: int) -> Any:
    """Ask for several places."""
    walker = Walker(Client(), START, wanted="novalidate")
    for at in range(places):
        press(walker, go="add", place_text=f"42.{at}1, 20.5")
    press(walker)
    press(walker)
    press(walker, how="phone", phone=number)
    press(walker)
    return send(walker)


@pytest.mark.parametrize("how", [{"how": "phone", "phone": NUMBER}, {"how": "email", "email": MAIL}])
@pytest.mark.parametrize("comes", ["before", "after"])
def test_what_waits_is_what_its_owner_asked_for(how: dict[str, Any], comes: str) -> None:
    forged = {**how, "least": "0", "kind": ["other"]}
    if comes == "before":
        send(walked(**forged))
    walker = send(walked(**how, least="3", kind=["water"]))
    secret = code_sent() if how["how"] == "phone" else link_sent()
    if comes == "after":
        send(walked(**forged))
    if how["how"] == "phone":
        type_code(walker, secret)
    else:
        Client().post(secret)
    # The same place, and nevertheless neither the other's wish nor both.
    assert confirmed() == [(3, ["water"])]


def test_a_strangers_page_is_not_opened_by_the_owners_code() -> None:
    owners = send(walked(least="3"))
    code = code_sent()
    strangers = send(walked(least="0"))
    # It has a code of its own, which only the telephone is told.
    assert "This is not the code" in type_code(strangers, code).content.decode()
    assert confirmed() == []
    type_code(owners, code)
    assert confirmed() == [(3, [])]


def test_yes_confirms_nothing_of_a_strangers() -> None:
    make.fallback()
    send(walked(least="3"))
    send(walked(least="0"))
    contact = Contact.objects.get()
    message = Inbound(provider_id="m-1", sender="+38344555666", text="YES", is_proven=True)
    (reply,) = handle(contact, message, NOW)
    assert "More than one request" in reply
    assert confirmed() == []


def test_ten_places_of_a_stranger_take_no_room_of_the_owners() -> None:
    for _ in range(3):
        sign_up_for(NUMBER, 10)
    contact = Contact.objects.get()
    assert not SiteWorld(contact, now=NOW).alerts().is_full
    assert SiteWorld(contact, now=NOW).alerts().places == ()
    # From the telephone itself, which needs no code.
    make.fallback()
    make.make_place("Old Bridge")
    message = Inbound(provider_id="m-1", sender="+38344555666", text="ALERTS Old Bridge", is_proven=True)
    (reply,) = handle(contact, message, NOW)
    assert "You get alerts near Old Bridge" in reply
    assert len(confirmed()) == 1


def test_nobody_learns_that_something_waits_for_a_number() -> None:
    send(walked())
    pages, tokens = [], set()
    for number in (NUMBER, OTHER):
        walker = send(walked(phone=number))
        pages.append(bare(walker.text))
        tokens.add(len(dict(walker.form.fields)["token"]))
    assert pages[0] == pages[1]
    assert len(tokens) == 1
    # Nor by asking to change what there is.
    known, unknown = (Client().post("/alerts/subscribe/manage/", {"address": one}) for one in (NUMBER, OTHER))
    assert bare(known.content.decode()) == bare(unknown.content.decode())


def test_a_wish_that_cannot_be_tells_nothing_of_a_number_either() -> None:
    for _ in range(proof.ASKED.most):
        send(walked())
    answers = []
    for number in (NUMBER, OTHER):
        form = walked(phone=number).form
        fields = {name: value for name, value in form.fields if name != "place"}
        answer = Client().post(form.action, {**fields, "place": "beat|424242|x"})
        answers.append((answer.status_code, "Choose an area of the list." in answer.content.decode()))
    # Whether or not one more message would have gone there.
    assert answers == [(422, True), (422, True)]


def test_a_stranger_costs_three_messages_a_day_and_no_more_is_kept_than_is_asked_about() -> None:
    for _ in range(6):
        send(walked())
    assert Outbound.objects.count() == proof.ASKED.most == 3
    assert Subscription.objects.count() == 3
    assert all(NUMBER not in text_of(row) for row in Outbound.objects.all())
    # The pages of all six were the same, and none of them opens what none asks about.
    assert confirmed() == []
