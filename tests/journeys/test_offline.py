"""Reports that survive the loss of the network: sealed on the phone, sent once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from commonbeat.reports.models import PlaceSource, Report
from commonbeat.topics.ready_made import install_ready_made
from tests import make

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WORDS = "Nobody shall read this on the phone."


@pytest.fixture
def ready(page: Page, live_server: object) -> Iterator[str]:
    """Open the form once, so that the phone keeps what it needs."""
    install_ready_made(make.NOW)
    make.fallback()
    page.goto(f"{live_server}/report/")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.wait_for_function("() => caches.match('/report/offline/').then(Boolean)")
    page.wait_for_function("() => import('/static/commonbeat/js/queue.js').then((q) => q.kept('point')).then(Boolean)")
    yield str(live_server)
    page.context.set_offline(False)


def waiting(page: Page) -> int:
    return int(page.evaluate("import('/static/commonbeat/js/queue.js').then((q) => q.waiting()).then((r) => r.length)"))


def everything_stored(page: Page) -> str:
    """Read all that the phone keeps, as whoever holds it later could."""
    return str(
        page.evaluate(
            """async () => {
              const queue = await import('/static/commonbeat/js/queue.js');
              const text = (bytes) => Array.from(bytes, (b) => String.fromCharCode(b)).join('');
              const rows = (await queue.waiting()).map((row) => text(row.envelope));
              return JSON.stringify({rows, session: {...sessionStorage}, local: {...localStorage}});
            }"""
        )
    )


def test_without_network_the_form_comes_from_the_phone(page: Page, context: BrowserContext, ready: str) -> None:
    context.set_offline(True)
    page.goto(f"{ready}/report/")
    expect(page.locator("h1")).to_have_text("Report without a connection")
    page.check("input[name=topic][value=street-light]")
    page.fill("#id_text", WORDS)
    page.fill("#id_place_text", "42.38, 20.43")
    page.click("text=Keep it locked and send it later")
    expect(page.locator("[data-outbox-status]")).to_contain_text("1 report is stored sealed on this phone")
    assert waiting(page) == 1 and WORDS not in everything_stored(page)
    assert not Report.objects.exists()

    context.set_offline(False)
    expect(page.locator("[data-outbox-status] .reference")).to_be_visible(timeout=10_000)
    report = Report.objects.get()
    assert page.locator("[data-outbox-status] .reference").inner_text().replace("-", "") == report.reference
    assert report.text == WORDS and report.place_source == PlaceSource.COORDINATES
    assert waiting(page) == 0
    page.click("text=I have it, forget it on this phone")
    expect(page.locator("[data-outbox-status]")).to_be_hidden()


def test_the_last_step_survives_a_lost_connection(page: Page, context: BrowserContext, ready: str) -> None:
    page.goto(f"{ready}/report/other/")
    while page.locator("input[name=step]").input_value() != "check":
        step = page.locator("input[name=step]").input_value()
        if step == "what":
            page.fill("#id_text", WORDS)
        page.click(".actions button[value=nowhere]" if step == "where" else ".actions button[value=next]")
        page.wait_for_load_state()
    context.set_offline(True)
    page.click("[data-send]")
    expect(page.locator("text=Your report is safe on this phone")).to_be_visible()
    assert WORDS not in everything_stored(page)
    context.set_offline(False)
    expect(page.locator("[data-outbox-status] .reference")).to_be_visible(timeout=10_000)
    assert Report.objects.get().text == WORDS


def test_an_answer_that_got_lost_does_not_make_two_reports(page: Page, context: BrowserContext, ready: str) -> None:
    page.goto(f"{ready}/report/other/")
    while page.locator("input[name=step]").input_value() != "check":
        step = page.locator("input[name=step]").input_value()
        if step == "what":
            page.fill("#id_text", WORDS)
        page.click(".actions button[value=nowhere]" if step == "where" else ".actions button[value=next]")
        page.wait_for_load_state()

    def swallow(route: Route) -> None:
        # The server takes the report in, and the phone never hears of it.
        route.fetch()
        route.abort()

    page.route("**/report/done/", swallow)
    page.click("[data-send]")
    expect(page.locator("text=Your report is safe on this phone")).to_be_visible()
    page.unroute("**/report/done/")
    page.evaluate("import('/static/commonbeat/js/outbox.js').then((o) => o.sendWaiting())")
    expect(page.locator("[data-outbox-status] .reference")).to_be_visible(timeout=10_000)
    assert Report.objects.count() == 1


def test_what_waits_is_sent_when_any_page_of_the_form_is_opened(
    page: Page, context: BrowserContext, ready: str
) -> None:
    context.set_offline(True)
    page.goto(f"{ready}/report/")
    page.check("input[name=topic][value=other]")
    page.fill("#id_text", WORDS)
    page.click("text=Keep it locked and send it later")
    expect(page.locator("[data-outbox-status]")).to_contain_text("sealed on this phone")
    page.goto("about:blank")
    context.set_offline(False)
    page.goto(f"{ready}/")
    expect(page.locator("[data-outbox-status] .reference")).to_be_visible(timeout=10_000)
    assert Report.objects.count() == 1
