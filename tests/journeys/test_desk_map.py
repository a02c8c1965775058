"""The desk's map in a browser: what arrives is shown, an area is drawn around it, and what is alike is named."""

from __future__ import annotations

import json
import math
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from tests.journeys.test_live import Site, enter, site  # noqa: F401  # the serving process, a fixture

if TYPE_CHECKING:
    from playwright.sync_api import Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is absent (apt install chromium)"),
]
PREPARE = """
import django, json
django.setup()
from django.conf import settings
from tests import make
unit = make.fallback()
officer = make.make_user("map-officer", role="officer", unit=unit)
topic = make.make_topic("street-light")
for n in range(6):
    make.make_report(topic=topic, unit=unit, title=f"Lamp {n}", text=f"Number {n} alone", latitude=42.38 + n * 0.004)
make.make_report(topic=topic, unit=unit, title="Nowhere", latitude=None)
cookie = make.signed_in(officer).cookies[settings.SESSION_COOKIE_NAME].value
print(json.dumps({"cookie": [settings.SESSION_COOKIE_NAME, cookie]}))
"""
SUBMIT = """
import django, sys
django.setup()
from tests import make
for north in (0.0, 0.0004):
    make.make_report(title=sys.argv[1], text="Four people are fighting before the station", latitude=42.372 + north)
"""


@pytest.fixture(scope="module")
def prepared(site: Site) -> dict[str, Any]:  # noqa: F811  # the fixture
    """Make an officer with reports in town, signed in."""
    found: dict[str, Any] = json.loads(site.run(PREPARE).splitlines()[-1])
    return found


def draw(page: Page, radius: int) -> None:
    """Draw a circle around the middle of the map with the mouse."""
    box = page.locator("[data-box]").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x + radius, y)
    page.mouse.down()
    for angle in range(0, 360, 12):
        page.mouse.move(x + radius * math.cos(math.radians(angle)), y + radius * math.sin(math.radians(angle)))
    page.mouse.up()


def test_arrival_lasso_and_what_is_the_same(desk_window: Page, site: Site, prepared: dict[str, Any]) -> None:  # noqa: F811
    page = desk_window
    enter(page, site, prepared, "/desk/map/")
    page.get_by_text("7 reports in this list: 6 with a place, 1 without one.").wait_for()
    page.get_by_text("6 reports in this view").wait_for()
    assert 1 < int(page.locator("[data-box]").get_attribute("data-marks") or 0) <= 6

    # Escape puts the pen down, and nothing is chosen.
    pen = page.get_by_role("button", name="Draw an area")
    pen.click()
    assert pen.get_attribute("aria-pressed") == "true"
    page.keyboard.press("Escape")
    assert pen.get_attribute("aria-pressed") == "false"
    page.get_by_text("Nothing was chosen.").wait_for()

    site.run(SUBMIT, "Fight at the station")
    page.get_by_text("2 new reports on the map").wait_for(timeout=15_000)
    page.get_by_text("8 reports in this view").wait_for()
    page.get_by_text("9 reports in this list").wait_for()
    alike = page.get_by_role("region", name="Probably the same")
    assert alike.get_by_role("link", name="Fight at the station").count() == 2
    assert "/alike/" in (alike.get_by_role("link", name="Compare").get_attribute("href") or "")
    page.get_by_role("button", name="Seen").click()
    page.get_by_text("new reports on the map").wait_for(state="hidden")

    alike.get_by_role("button", name="Show on the map").click()
    page.get_by_text("2 reports in this view").wait_for()
    pen.click()
    draw(page, 150)
    chosen = page.get_by_role("region", name="Chosen on the map")
    chosen.get_by_role("heading", name="2 reports in the area").wait_for()
    chosen.get_by_text("2 chosen").wait_for()
    assert "area" not in page.url
    chosen.get_by_role("button", name="Put together").click()
    page.get_by_role("heading", name="2 reports were changed.").wait_for()
    page.get_by_role("button", name="Undo").click()
    page.get_by_text("taken back").first.wait_for()
    page.get_by_role("link", name="Back to the map").first.click()
    page.wait_for_url("**/desk/map/**")


def test_all_in_view_by_keyboard_and_without_violations(
    desk_window: Page,
    site: Site,  # noqa: F811
    prepared: dict[str, Any],
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = desk_window
    enter(page, site, prepared, "/desk/map/?tab=all")
    page.locator("[data-marks]").wait_for()
    page.get_by_role("button", name="Choose all in view").focus()
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="reports in the area").wait_for()
    assert page.evaluate("document.activeElement.matches('[data-selection]')")
    boxes = page.locator("[data-selection] input[name=report]")
    assert boxes.count() == page.locator("[data-selection] input[name=report]:checked").count() > 5
    for width in (1280, 360):
        page.set_viewport_size({"width": width, "height": 800})
        found = Axe().run(page)
        wrong = [f"{one['id']}: {one['nodes'][0]['html'][:160]}" for one in found.response["violations"]]
        assert not wrong, (width, wrong)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
    page.locator("[data-selection]").get_by_role("button", name="Close").click()
    assert page.locator("[data-selection]").is_hidden()
    assert page.evaluate("document.activeElement.matches('[data-lasso]')")


def test_a_finger_draws_and_does_not_move_the_map(browser: Any, site: Site, prepared: dict[str, Any]) -> None:  # noqa: F811
    context = browser.new_context(locale="en", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    try:
        enter(page, site, prepared, "/desk/map/?tab=all")
        page.locator("[data-marks]").wait_for()
        page.get_by_role("button", name="Draw an area").tap()
        box = page.locator("[data-box]")
        box.scroll_into_view_if_needed()
        told = page.locator("[data-note]").inner_text()
        frame = box.bounding_box()
        x, y = frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2
        session = context.new_cdp_session(page)
        corners = [(x - 140, y - 120), (x + 140, y - 120), (x + 140, y + 120), (x - 140, y + 120), (x - 130, y - 110)]
        for number, (at_x, at_y) in enumerate(corners):
            kind = "touchMove" if number else "touchStart"
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": at_x, "y": at_y}]})
        session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        page.get_by_role("heading", name="in the area").wait_for()
        assert page.locator("[data-note]").inner_text() == told
    finally:
        context.close()


def test_without_javascript_the_tables_tell_it(browser: Any, site: Site, prepared: dict[str, Any]) -> None:  # noqa: F811
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    try:
        name, value = prepared["cookie"]
        context.add_cookies([{"name": name, "value": value, "url": site.address}])
        page.goto(f"{site.address}/desk/map/?tab=all")
        assert "The map needs JavaScript. The tables show the same." in page.locator("noscript").first.inner_text()
        assert page.get_by_role("heading", name="By beat").is_visible()
        for control in ("Draw an area", "Choose all in view", "Show all", "Seen"):
            assert page.get_by_role("button", name=control).count() == 0
    finally:
        context.close()
