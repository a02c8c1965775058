"""The browser's own "back", and what it must not bring back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserType, Error, Page, expect

from commonbeat.topics.ready_made import install_ready_made
from tests import make

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WORDS = "Nobody who holds this phone later shall read this."
PLACE = "behind the wild pear"


@pytest.fixture(scope="module", params=["page cache", "page memory"])
def keeping(
    request: pytest.FixtureRequest, browser_type: BrowserType, browser_type_launch_args: dict[str, Any]
) -> Iterator[Browser]:
    """Start a browser that keeps pages as files, and one that keeps them as they stood."""
    ignored = ["--disable-back-forward-cache"] if request.param == "page memory" else []
    browser = browser_type.launch(**browser_type_launch_args, ignore_default_args=ignored)
    yield browser
    browser.close()


@pytest.fixture(params=[True, False], ids=["script", "no script"])
def page(request: pytest.FixtureRequest, keeping: Browser, live_server: object) -> Iterator[Page]:
    """Open a window with or without scripts; where there are scripts, the service worker is at work."""
    install_ready_made(make.NOW)
    make.fallback()
    context = keeping.new_context(java_script_enabled=request.param, locale="en", base_url=str(live_server))
    context.set_default_timeout(6_000)
    window = context.new_page()
    window.goto("/report/")
    if request.param:
        window.evaluate("navigator.serviceWorker.ready.then(() => true)")
        window.wait_for_function("() => caches.match('/report/offline/').then(Boolean)")
        window.wait_for_function("() => navigator.serviceWorker.controller !== null")
    yield window
    context.close()


def step(page: Page) -> str:
    return page.locator("input[name=step]").input_value()


def walk(page: Page) -> list[str]:
    """Fill in the form as far as its last page, and name the steps that were shown."""
    page.goto("/report/other/")
    seen = [step(page)]
    while seen[-1] != "check":
        if seen[-1] == "what":
            page.fill("#id_text", WORDS)
        elif seen[-1] == "where" and "where" not in seen[:-1]:
            page.fill("#id_place_text", PLACE)
        with page.expect_navigation():
            page.click(".actions button[value=next]")
        seen.append(step(page))
    expect(page.locator("dl.summary")).to_contain_text(WORDS)
    return seen


def test_back_and_forward_show_each_step_with_what_was_typed(page: Page) -> None:
    seen = walk(page)
    assert seen.count("where") == 2, "the unknown place was asked about"
    for expected in reversed(seen[1:-1]):
        page.go_back()
        assert step(page) == expected
        if expected == "what":
            expect(page.locator("#id_text")).to_have_value(WORDS)
        else:
            assert page.locator("input[name=text]").input_value() == WORDS
    for expected in seen[2:]:
        page.go_forward()
        assert step(page) == expected
    expect(page.locator("dl.summary")).to_contain_text(PLACE)


def everything_behind(page: Page) -> str:
    """Go back as far as it goes, and give all that was shown."""
    shown = ""
    for _ in range(8):
        with suppress(Error):  # the browser's own page says that the step is gone
            page.go_back(timeout=3_000)
        page.wait_for_timeout(150)  # a page that finds itself forgotten leaves at once
        shown += page.evaluate(
            "() => document.documentElement.outerHTML"
            " + [...document.querySelectorAll('input, textarea')].map((e) => e.value).join()"
        )
    return shown


def test_after_sending_nothing_comes_back(page: Page) -> None:
    walk(page)
    page.click("[data-send]")
    expect(page.locator(".done .reference")).to_be_visible()
    shown = everything_behind(page)
    assert WORDS not in shown and PLACE not in shown


@pytest.fixture
def elsewhere(settings: Any) -> Iterator[str]:
    """Serve the page to which one leaves. Not by intercepting it: a browser that intercepts keeps no pages."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<p>elsewhere</p>")

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/"
        settings.COMMONBEAT = replace(settings.COMMONBEAT, exit_url=address)
        yield address
        server.shutdown()


def test_after_leaving_nothing_comes_back(page: Page, elsewhere: str) -> None:
    walk(page)
    page.click("[data-exit]")
    page.wait_for_url(elsewhere)
    expect(page.locator("body")).to_have_text("elsewhere")
    shown = everything_behind(page)
    assert WORDS not in shown and PLACE not in shown
