"""A complaint about police, in a browser without JavaScript on a narrow telephone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from commonbeat.tips.actions.dialogue import open_tip
from commonbeat.tips.models import DeskKind, Tip
from commonbeat.web.public import tip_form
from tests.journeys.test_tip_public import RULES
from tests.make import NOW
from tests.tips.complaint_years import count
from tests.tips.desks import desk_with

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def narrow(browser: Browser) -> Iterator[Page]:
    """Open a page in a browser that runs no scripts, on a narrow telephone."""
    context = browser.new_context(java_script_enabled=False, locale="en", viewport={"width": 320, "height": 640})
    yield context.new_page()
    assert context.cookies() == []
    context.close()


def fits(page: Page) -> None:
    """Check that nothing is wider than the screen."""
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 320, page.url


def test_a_complaint_is_written_page_by_page(
    narrow: Page, live_server: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tip_form, "LEAST_SECONDS", 0)
    _desk, seats = desk_with(kind=DeskKind.COMPLAINTS)
    narrow.goto(f"{live_server.url}/complaint/")
    fits(narrow)
    onward = narrow.locator("form#complaint-form .actions button")
    narrow.get_by_label("A complaint").check()
    onward.click()
    narrow.get_by_label("A traffic control").check()
    onward.click()
    narrow.get_by_label("At about what time?").fill("At night")
    onward.click()
    narrow.get_by_label("Where was it?").fill("The bridge")
    # Enter goes on, although "back" is the first button that one sees.
    narrow.get_by_label("Where was it?").press("Enter")
    narrow.get_by_label("What happened?").fill("He took my papers.")
    onward.click()
    onward.click()
    narrow.get_by_label("An apology").check()
    onward.click()
    expect(narrow.locator("dl.summary")).to_contain_text("He took my papers.")
    fits(narrow)
    narrow.locator('button[value="where"]').click()
    narrow.get_by_label("Where was it?").fill("The old bridge")
    onward.click()
    narrow.get_by_role("button", name="Send").click()
    expect(narrow.get_by_role("heading", level=1)).to_have_text("Your complaint has arrived")
    fits(narrow)
    one = seats[0]
    tip = Tip.objects.get()
    opened = open_tip(tip_id=tip.pk, member_id=one.member.pk, user=one.user, pair=one.pair, now=NOW)
    assert "The old bridge" in str(opened.texts[0].text)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "ar"])
def test_the_pages_are_accessible(browser: Browser, live_server: object, language: str, scheme: str) -> None:
    desk_with(kind=DeskKind.COMPLAINTS)
    count(2024, received=3)
    count(2025, received=37, praise=7, upheld=12, not_upheld=2, withdrawn=3)
    dark = scheme == "dark"
    context = browser.new_context(
        locale=language, viewport={"width": 320, "height": 640}, color_scheme="dark" if dark else "light"
    )
    page = context.new_page()
    for address in ("/complaint/", "/complaints/"):
        page.goto(f"{live_server.url}{address}")
        fits(page)
        found = Axe().run(page, options=RULES)
        assert found.violations_count == 0, found.generate_report()
    context.close()
