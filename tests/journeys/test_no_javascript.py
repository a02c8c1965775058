"""The whole way without JavaScript."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from commonbeat.reports.models import Report
from commonbeat.topics.ready_made import install_ready_made
from tests import make

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def plain_page(browser: Browser) -> Iterator[Page]:
    """Open a page in a browser that runs no scripts."""
    context = browser.new_context(java_script_enabled=False, locale="en", viewport={"width": 390, "height": 844})
    yield context.new_page()
    context.close()


def test_report_without_javascript(plain_page: Page, live_server: object) -> None:
    install_ready_made(make.NOW)
    make.fallback()
    page = plain_page
    page.goto(f"{live_server}/")
    page.click("text=Report something")
    page.click("text=Illegal dump")
    page.check("input[name=category] >> nth=0")
    page.click(".actions button[value=next]")
    page.fill("#id_text", "A heap by the river.")
    page.check("input[name=when][value=yesterday]")
    page.click(".actions button[value=next]")
    # A required answer is missing: the page comes back with what was typed.
    page.click(".actions button[value=next]")
    expect(page.locator(".error-summary")).to_be_visible()
    for field in page.locator("fieldset.has-error").all():
        field.locator("input").first.check()
    page.click(".actions button[value=next]")
    page.fill("#id_place_text", "behind the wild pear")
    page.click(".actions button[value=next]")
    expect(page.locator(".notice-warning")).to_contain_text("We do not know a place of this name")
    page.click(".actions button[value=next]")
    page.click(".actions button[value=next]")
    page.click(".actions button[value=next]")
    expect(page.locator("dl.summary")).to_contain_text("behind the wild pear")
    page.click("[data-send]")
    expect(page.locator(".done .reference")).to_be_visible()
    report = Report.objects.get()
    assert page.locator(".done .reference").inner_text().replace("-", "") == report.reference
    page.click("text=See where it stands")
    expect(page.locator(".timeline")).to_contain_text("Your report arrived")


def test_lists_and_filters_without_javascript(plain_page: Page, live_server: object) -> None:
    topic = make.make_topic("light")
    make.make_publication(report=make.make_report(topic=topic), title="A lamp is dark")
    page = plain_page
    page.goto(f"{live_server}/reports/")
    page.select_option("#id_topic", "light")
    page.click(".filters button")
    page.click("text=A lamp is dark")
    expect(page.locator("h1")).to_have_text("A lamp is dark")
    page.click("text=I know something about this")
    expect(page.locator("input[name=topic]").first).to_have_value("light")
