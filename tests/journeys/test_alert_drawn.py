"""A resident draws an area on the map, by hand and by keyboard, and asks for its alerts."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from commonbeat.alerts.actions.subscribing import Where, subscribe
from commonbeat.alerts.models import Subscription
from commonbeat.foundation import clock
from commonbeat.messaging.actions import contact_for
from tests import make
from tests.channels.browsers import Browser as Subscriber
from tests.journeys.test_alert_desk import draw_around
from tests.journeys.test_axe_public import problems_on

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
START = "/alerts/subscribe/"
SHAPE = ((0, 0), (0.02, 0), (0.01, 0.02))


def draw_rough_circle(page: Page) -> None:
    """Draw with a hand that leaves some 300 corners."""
    box = page.locator("[data-box]").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    for step in range(301):
        turn, far = 2 * math.pi * step / 301, 90 + 6 * (step % 3)
        page.mouse.move(x + far * math.cos(turn), y + far * math.sin(turn))
        if not step:
            page.mouse.down()
    page.mouse.up()


def drawn_on(page: Page) -> list[list[float]]:
    given: list[list[float]] = json.loads(page.locator("[data-shapes]").input_value())["coordinates"][0]
    return given


def test_drawn_by_hand_then_by_keyboard_and_asked_for(live_server: Any, page: Page) -> None:
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(live_server.url + START)
    page.get_by_role("button", name="Or draw an area on a map").click()

    page.get_by_role("button", name="Draw around it").click()
    draw_around(page)
    expect(page.locator("[data-lasso-status]")).to_have_text("The area is drawn.")
    first = drawn_on(page)
    # A second one takes its place, and a hand that shakes leaves no more corners than there may be.
    page.get_by_role("button", name="Draw around it").click()
    draw_rough_circle(page)
    second = drawn_on(page)
    assert second != first
    assert 10 < len(second) <= 61
    page.get_by_role("button", name="Take back").click()
    assert page.locator("[data-shapes]").input_value() == ""
    page.get_by_role("button", name="Set corners").click()
    page.locator("[data-box]").focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowLeft"):
        page.keyboard.press("Enter")
        page.keyboard.press(key)
        expect(page.locator(".leaflet-pan-anim")).to_have_count(0)
    page.fill("#id_label", "park")
    page.get_by_role("button", name="Use this area").click()

    expect(page.get_by_text("park: An area that you drew").first).to_be_visible()
    page.get_by_role("button", name="Continue").last.click()
    page.get_by_role("button", name="Continue").last.click()
    page.locator("input[name=how][value=phone]").check()
    page.fill("#id_phone", "+38344555666")
    page.get_by_role("button", name="Continue").last.click()
    page.get_by_role("button", name="Continue").last.click()
    expect(page.get_by_text("park: An area that you drew").first).to_be_visible()
    page.locator("#subscribe-form button.button:visible").last.click()
    expect(page.locator("#id_code")).to_be_visible()
    row = Subscription.objects.get()
    assert (row.shape, row.label, row.confirmed_at) == ("area", "park", None)
    assert row.area is not None
    assert len(row.area["coordinates"][0]) == 4
    assert wrong == []


@pytest.mark.parametrize("language", ["en", "ar"])
def test_the_page_fits_a_small_phone_and_is_read_aloud(live_server: Any, browser: Browser, language: str) -> None:
    context = browser.new_context(viewport={"width": 320, "height": 640}, locale=language)
    page = context.new_page()
    page.goto(live_server.url + START)
    page.locator("button[value=draw]").click()
    expect(page.locator("[data-box].leaflet-container")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert problems_on(page) == ""
    context.close()


def test_its_owner_sees_it_on_a_map(live_server: Any, page: Page) -> None:
    area = {"type": "Polygon", "coordinates": [[[make.LONGITUDE + x, make.LATITUDE + y] for x, y in SHAPE]]}
    subscriber = Subscriber()
    now = clock.now()
    contact = contact_for(kind="push", address=subscriber.subscription(), language="en", now=now)
    row = subscribe(contact=contact, where=Where(area=area), language="en", is_confirmed=True, now=now)
    page.goto(live_server.url + "/alerts/subscribe/manage/")
    # As the page does for a browser that gets alerts.
    page.evaluate(
        "(address) => { const own = document.querySelector('#id_push'); own.value = address; own.form.submit(); }",
        subscriber.subscription(),
    )
    expect(page.locator(".alert-outline")).to_be_visible()
    page.goto(f"{live_server.url}/alerts/subscribe/manage/{row.pk}/")
    expect(page.locator("[data-drawn].leaflet-container")).to_be_visible()
    assert problems_on(page) == ""
