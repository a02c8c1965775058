"""A member of a sealed desk on a phone: from the first passphrase to the source's second answer."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from commonbeat.foundation import clock
from commonbeat.people.models import Role, User
from commonbeat.tips.actions import dialogue, membership
from commonbeat.tips.models import Member, TipDesk
from commonbeat.web.desk import tips_keyring
from tests import make
from tests.make import NOW
from tests.tips.desks import TEXT, Seated, desk_with, manager_of, tip_at

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSPHRASE = "a wall of quiet plums"


def enter(page: Page, user: User, origin: str) -> None:
    """Sign somebody in."""
    cookie = make.signed_in(user).cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": origin}])


def unlock(page: Page) -> None:
    page.get_by_label("Passphrase").fill(PASSPHRASE)
    page.get_by_role("button", name="Unlock").click()


@pytest.fixture
def desk() -> tuple[TipDesk, Seated]:
    """Give an open desk and one of its two members."""
    made, (one, _other) = desk_with(2)
    return made, one


def test_from_named_to_the_answer_of_the_source(live_server: Any, page: Page, desk: tuple[TipDesk, Seated]) -> None:
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    made, one = desk
    tip, receipt = tip_at(made)
    user = make.make_user("drita", role=Role.OFFICER, display_name="Drita")
    membership.name_member(desk_id=made.pk, user_id=user.pk, actor=manager_of(made.kind), now=NOW)
    enter(page, user, live_server.url)

    # Make a key, print it, type it back.
    page.goto(f"{live_server.url}/desk/tips/")
    page.get_by_label("Passphrase").fill(PASSPHRASE)
    page.get_by_label("The same once more").fill(PASSPHRASE)
    page.get_by_role("button", name="Make my key").click()
    words = re.sub(r"\s+", " ", page.locator(".reference").inner_text()).strip()
    assert len(words.split()) == 12
    page.emulate_media(media="print")
    expect(page.get_by_label("Type it back from the paper")).to_be_hidden()
    expect(page.locator(".reference")).to_be_visible()
    page.emulate_media(media="screen")
    page.get_by_label("Type it back from the paper").fill(words)
    page.get_by_role("button", name="It is on paper").click()
    expect(page.get_by_text("The recovery key is right.")).to_be_visible()
    page.goto(f"{live_server.url}/desk/tips/")
    expect(page.get_by_text("You are not let in yet")).to_be_visible()

    # Another member lets them in; the list, the passphrase, the tip.
    member = Member.objects.get(user_id=user.pk)
    membership.add_member(member_id=member.pk, by_member_id=one.member.pk, user=one.user, pair=one.pair, now=NOW)
    page.reload()
    page.get_by_role("link", name=f"Tip {tip.pk}").click()
    expect(page.get_by_text(TEXT)).to_have_count(0)
    unlock(page)
    expect(page.get_by_text(TEXT)).to_be_visible()
    cookies = {cookie["name"]: cookie for cookie in page.context.cookies(page.url)}
    assert cookies[tips_keyring.COOKIE]["httpOnly"] is True
    assert cookies[tips_keyring.COOKIE]["sameSite"] == "Strict"
    page.get_by_label("To the source").fill("Which way does it leave?")
    page.get_by_role("button", name="Seal and send").click()
    expect(page.locator(".message-desk")).to_contain_text("Which way does it leave?")

    # The source comes back with the receipt, and the member reads on.
    assert dialogue.read_as_source(receipt=receipt).texts[-1].text == "Which way does it leave?"
    dialogue.answer_by_receipt(receipt=receipt, text="Over the bridge.", now=clock.now())
    page.goto(f"{live_server.url}/desk/tips/{made.pk}/")
    expect(page.locator(".report-row .badge-new").first).to_be_visible()
    page.get_by_role("link", name=f"Tip {tip.pk}").click()
    expect(page.get_by_text("Over the bridge.")).to_be_visible()
    page.get_by_role("button", name="Lock now").click()
    page.goto(f"{live_server.url}/desk/tips/{made.pk}/{tip.pk}/")
    expect(page.get_by_text("Over the bridge.")).to_have_count(0)
    assert not wrong


def test_a_page_that_is_left_warns_closes_and_keeps_what_was_typed(
    live_server: Any, page: Page, desk: tuple[TipDesk, Seated]
) -> None:
    made, one = desk
    tip, _receipt = tip_at(made)
    membership.change_passphrase(member_id=one.member.pk, user=one.user, old="four rather short words", new=PASSPHRASE)
    enter(page, one.user, live_server.url)
    page.clock.install()
    page.goto(f"{live_server.url}/desk/tips/{made.pk}/{tip.pk}/")
    unlock(page)
    page.get_by_label("To the source").fill("Half a sentence")
    soon, over = page.get_by_text("In two minutes your key locks."), page.get_by_text("what was open is closed")
    page.clock.fast_forward("12:50")
    expect(soon).to_be_hidden()
    page.clock.fast_forward("00:20")
    expect(soon).to_be_visible()
    page.get_by_role("button", name="Stay unlocked").click()
    expect(soon).to_be_hidden()
    page.clock.fast_forward("14:00")
    expect(soon).to_be_visible()
    expect(page.get_by_text(TEXT)).to_be_visible()
    page.clock.fast_forward("01:10")
    expect(over).to_be_visible()
    expect(page.get_by_text(TEXT)).to_have_count(0)
    # The server's fifteen minutes are over as well.
    tips_keyring.forget_member(one.member.pk)
    page.get_by_role("button", name="Seal and send").click()
    expect(page.get_by_text("What you typed is kept")).to_be_visible()
    unlock(page)
    expect(page.get_by_label("To the source")).to_have_value("Half a sentence")
    page.get_by_role("button", name="Seal and send").click()
    expect(page.locator(".message-desk")).to_contain_text("Half a sentence")
