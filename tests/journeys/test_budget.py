"""What a first visit costs on a slow line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.journeys.test_live import Site, site

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = ["site"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]
BUDGET = {
    "/": 50_000, "/reports/": 50_000, "/officer/": 50_000, "/report/": 50_000, "/data/": 50_000, "/map/": 160_000,
    "/alerts/": 50_000, "/alerts/near/": 50_000, "/alerts/subscribe/": 160_000,
}  # fmt: skip
FILL = """
import django
django.setup()
from commonbeat.topics.ready_made import install_ready_made
from tests import make
install_ready_made(make.NOW)
unit = make.fallback()
for n in range(60):
    report = make.make_report(unit=unit, title=f"A heap of waste lies at the corner, number {n}")
    make.make_publication(report=report, title=report.title, text="It has been there for days. " * 5)
"""


@pytest.fixture(scope="module")
def filled(site: Site) -> Site:
    """Serve a site with a full page of public reports."""
    site.run(FILL)
    return site


@pytest.mark.parametrize("path", BUDGET)
def test_a_first_visit_stays_within_its_budget(browser: Browser, filled: Site, path: str) -> None:
    context = browser.new_context(locale="en", viewport={"width": 390, "height": 844}, service_workers="block")
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    sizes: dict[str, float] = {}
    names: dict[str, str] = {}
    session.on("Network.requestWillBeSent", lambda e: names.update({e["requestId"]: e["request"]["url"]}))
    session.on("Network.loadingFinished", lambda e: sizes.update({e["requestId"]: e["encodedDataLength"]}))
    page.goto(filled.address + path, wait_until="networkidle")
    context.close()
    spent = sorted(((size, names.get(key, "")) for key, size in sizes.items()), reverse=True)
    assert sum(size for size, _name in spent) <= BUDGET[path], spent
    assert len(spent) >= 3
