"""A new colleague is invited, chooses a password and sets up the second step, without JavaScript."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client

from commonbeat.people.models import Unit, User
from commonbeat.web.demo_codes import current_code
from tests.make import signed_in

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
WORD = "seven green bottles"


def let_in(context: BrowserContext, address: str, browser: Client) -> None:
    """Carry a signed-in session over into a real browser."""
    name = settings.SESSION_COOKIE_NAME
    context.add_cookies([{"name": name, "value": browser.cookies[name].value, "url": address}])


def assert_sound(page: Page) -> None:
    """Check the page by axe, and that it does not scroll sideways."""
    # axe is a script; it runs beside the page's own, which stay off.
    found = Axe().run(page, options=RULES)
    assert not found.violations_count, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page scrolls sideways"


@pytest.mark.slow
@pytest.mark.parametrize("width", [390, 1280])
def test_these_pages_are_sound(
    browser: Browser, live_server: Any, administrator: User, overseer: User, unit: Unit, width: int
) -> None:
    context = browser.new_context(locale="en", viewport={"width": width, "height": 844})
    page = context.new_page()
    let_in(context, live_server.url, signed_in(administrator))
    page.goto(f"{live_server.url}/administration/people/{administrator.pk}/")
    assert_sound(page)
    page.goto(f"{live_server.url}/administration/people/new/")
    assert_sound(page)
    page.fill("[name=username]", "lena")
    page.check("[name=role][value=supervisor]")
    page.select_option("[name=unit]", str(unit.pk))
    page.click("button[value=create]")
    link = page.locator("#id_link").input_value()
    assert_sound(page)
    page.click("main .actions a.button")
    page.wait_for_load_state()
    assert_sound(page)
    context.clear_cookies()
    page.goto(live_server.url + link[link.index("/account/") :])
    assert_sound(page)
    page.fill("[name=password]", "short")
    page.fill("[name=again]", "short")
    page.click("main button")
    page.wait_for_selector(".error-summary")
    assert_sound(page)
    page.goto(f"{live_server.url}/account/invitation/unknown/")
    assert_sound(page)
    let_in(context, live_server.url, signed_in(overseer))
    page.goto(f"{live_server.url}/oversight/journal/")
    assert page.locator("#access").is_visible()
    assert_sound(page)
    context.close()


def test_the_whole_way_without_javascript(browser: Browser, live_server: Any, administrator: User, unit: Unit) -> None:
    desk = browser.new_context(locale="en", java_script_enabled=False)
    let_in(desk, live_server.url, signed_in(administrator))
    page = desk.new_page()
    page.goto(f"{live_server.url}/administration/people/new/")
    page.fill("[name=username]", "lena")
    page.check("[name=role][value=officer]")
    page.select_option("[name=unit]", str(unit.pk))
    page.click("button[value=create]")
    link = page.locator("#id_link").input_value()
    desk.close()

    phone = browser.new_context(locale="en", java_script_enabled=False, viewport={"width": 390, "height": 844})
    page = phone.new_page()
    page.goto(live_server.url + link[link.index("/account/") :])
    page.fill("[name=password]", WORD)
    page.fill("[name=again]", WORD)
    page.click("main button")
    assert "Your password is set" in page.locator("main").inner_text()
    page.fill("[name=login]", "lena")
    page.fill("[name=password]", WORD)
    page.click("main form button >> nth=0")
    page.click("text=Set up an app")
    page.fill("[name=password]", WORD)
    page.click("main form button")
    secret = page.locator("main code").inner_text()
    page.fill("[name=code]", current_code(secret))
    page.click("main form button")
    page.goto(f"{live_server.url}/desk/reports/")
    assert page.locator("h1").is_visible() and "/desk/" in page.url
    phone.close()
