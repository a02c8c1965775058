"""An alert is written on a phone, by hand and by keyboard, and a second person releases it in another browser."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page, expect

from commonbeat.alerts.models import Alert, AlertState
from commonbeat.people.models import Role
from tests import make

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def enter(page: Page, user: Any, origin: str) -> None:
    """Sign somebody in."""
    cookie = make.signed_in(user).cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": origin}])


@pytest.fixture
def officers() -> tuple[Any, Any]:
    unit = make.fallback()
    make.make_beat(name="River beat", unit=unit)
    author, second = (make.make_user(name, role=Role.OFFICER, unit=unit) for name in ("author", "second"))
    return author, second


def draw_around(page: Page) -> None:
    box = page.locator("[data-box]").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x - 60, y - 60)
    page.mouse.down()
    for dx, dy in ((0, -60), (60, -60), (60, 0), (60, 60), (0, 60), (-60, 60), (-60, 0)):
        page.mouse.move(x + dx, y + dy, steps=3)
    page.mouse.up()


def test_from_danger_to_released_by_a_second_person(
    live_server: Any, page: Page, desk_window: Page, officers: tuple[Any, Any]
) -> None:
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    enter(page, officers[0], live_server.url)
    enter(desk_window, officers[1], live_server.url)
    page.goto(f"{live_server.url}/desk/alerts/")
    page.get_by_role("link", name="New alert").click()
    page.get_by_role("link", name="Danger").first.click()

    # Drawn by hand, then a circle by keyboard alone; both stand in the form's own fields.
    page.get_by_role("button", name="Draw around it").click()
    draw_around(page)
    expect(page.locator("[data-lasso-status]")).to_have_text("The area is drawn.")
    assert json.loads(page.locator("#id_shapes").input_value())["type"] == "Polygon"
    page.get_by_role("button", name="Circle").click()
    page.keyboard.press("Enter")
    expect(page.locator("[data-circles] input:checked")).to_have_count(1)
    # The page says at once how large it is.
    expect(page.locator("#look")).to_contain_text("km²")
    page.get_by_role("button", name="Take back").click()
    expect(page.locator("[data-circles] input")).to_have_count(0)
    page.get_by_role("button", name="Set corners").click()
    page.locator("[data-box]").focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowLeft"):
        page.keyboard.press("Enter")
        page.keyboard.press(key)
        expect(page.locator(".leaflet-pan-anim")).to_have_count(0)
    page.get_by_role("button", name="Continue").last.click()
    page.wait_for_url("**/text/")

    alert = Alert.objects.get()
    assert len(alert.area_parts["polygons"][0]["coordinates"]) == 2, "the outline by hand and the corners"
    page.fill("#id_gap_en_what", "Smoke from a burning store")
    page.fill("#id_gap_en_place", "the mill")
    page.fill("#id_area_desc_en", "Mill")
    # Counted while it is typed.
    page.fill("#id_headline_en", "Danger at {place}, keep away")
    expect(page.locator("#measure-en")).to_contain_text("by SMS")
    for language in ("sq", "ar"):
        page.check(f"#id_out_{language}")
    page.get_by_role("button", name="Continue").last.click()
    page.wait_for_url("**/how/")
    page.get_by_role("button", name="Continue").last.click()
    page.get_by_role("button", name="Ask a second person").click()
    expect(page.locator("#standing")).to_contain_text("Nobody has answered yet")

    desk_window.goto(f"{live_server.url}/desk/reports/")
    desk_window.get_by_role("link", name="Alerts (1)").first.click()
    desk_window.get_by_role("link", name="Danger at the mill, keep away").click()
    expect(desk_window.locator(".alert-sms").first).to_contain_text("Smoke from a burning store at the mill.")
    desk_window.get_by_role("button", name="Release it as the second person").click()
    expect(desk_window.get_by_role("heading", name="How far it has gone")).to_be_visible()
    # Who asked hears of it without doing anything.
    expect(page.locator("#standing")).to_contain_text("It is out", timeout=15_000)
    alert.refresh_from_db()
    assert alert.state == AlertState.RELEASED
    assert wrong == []


def test_a_phone_is_never_wider_than_its_screen(live_server: Any, browser: Browser, officers: tuple[Any, Any]) -> None:
    from tests.web.desk.alert_walk import draft, out, step, urgent

    unsent, released = urgent(officers[0]), out(officers[0], kind="look_out")
    draft(officers[0])
    context = browser.new_context(viewport={"width": 320, "height": 640}, locale="en")
    page = context.new_page()
    enter(page, officers[0], live_server.url)
    paths = [
        "/desk/alerts/",
        "/desk/alerts/new/",
        "/desk/alerts/new/?kind=road",
        *(step(unsent, part) for part in ("where", "text", "how")),
    ]
    paths += [f"/desk/alerts/{pk}/" for pk in (unsent.pk, released.pk)]
    paths += [f"/desk/alerts/{released.pk}/follow/{verb}/" for verb in ("update", "extend", "end", "cancel")]
    for path in paths:
        page.goto(live_server.url + path)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 320, f"{path} is {wide} wide"
    context.close()
