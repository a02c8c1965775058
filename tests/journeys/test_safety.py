"""The safety scores in a browser: the map draws what the table tells, a place says why, and axe finds nothing."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from commonbeat.topics.models import Topic
from commonbeat.topics.ready_made import install_ready_made
from commonbeat.web.public import safety_sheets
from tests import make
from tests.web.public.test_safety import ADDRESS, around, rate

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


@pytest.fixture
def rated() -> None:
    """Rate some places of a town."""
    install_ready_made(make.NOW)
    topic = Topic.objects.get(code="safety-audit")
    make.make_place("Old Bazaar")
    safety_sheets._kept.clear()
    for number, cell in enumerate(around(7)):
        rate(topic, cell, n=3 + number, mean=number / 2, ratings={"lighting": 0})


def problems_on(page: Page) -> str:
    found = Axe().run(page, options=RULES)
    return str(found.generate_report()) if found.violations_count else ""


@pytest.mark.parametrize(
    ("language", "scheme", "width"), [("en", "light", 360), ("ar", "dark", 1280), ("sq", "dark", 360)]
)
def test_no_violations(
    browser: Browser, live_server: object, rated: None, language: str, scheme: str, width: int
) -> None:
    context = browser.new_context(
        locale=language, color_scheme="dark" if scheme == "dark" else "light", viewport={"width": width, "height": 844}
    )
    page = context.new_page()
    wrong = []
    for path in ("/map/safety/", "/map/safety/?layer=street.lights", ADDRESS):
        page.goto(f"{live_server}{path}")
        page.locator("[data-drawn]").wait_for()
        if text := problems_on(page):
            wrong.append(f"{path}: {text}")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    context.close()
    assert not wrong, "\n".join(wrong)[:6000]


def test_the_map_draws_what_the_table_tells_and_a_place_says_why(
    browser: Browser, live_server: object, rated: None
) -> None:
    context = browser.new_context(locale="en", viewport={"width": 1280, "height": 900})
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(f"{live_server}/map/safety/")
    page.locator("[data-drawn='7']").wait_for()
    assert page.locator("tbody tr").count() == 7
    page.locator(f"tbody a[href='{ADDRESS}']").click()
    # The page of a place begins with the place in the middle of its map.
    page.locator("[data-drawn]").wait_for()
    box = page.locator("[data-safety]").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    popup = page.locator(".leaflet-popup")
    popup.get_by_text("Near Old Bazaar").wait_for()
    popup.get_by_text("3 audits").wait_for()
    popup.get_by_role("link", name="More about this place").click()
    page.wait_for_url(f"**{ADDRESS}")
    page.get_by_role("link", name="All places").click()
    page.get_by_role("link", name="Lighting").first.click()
    page.wait_for_url("**layer=lighting")
    context.close()
    assert faults == []


def test_without_javascript_the_table_stands_alone(browser: Browser, live_server: object, rated: None) -> None:
    context = browser.new_context(locale="en", java_script_enabled=False, viewport={"width": 360, "height": 740})
    page = context.new_page()
    page.goto(f"{live_server}/map/safety/")
    assert page.locator("[data-safety]").is_hidden()
    assert page.locator(".map-frame noscript .map-note").is_visible()
    assert page.locator("tbody tr").count() == 7
    context.close()
