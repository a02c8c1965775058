"""A report by web form, in a browser, with everything that JavaScript adds."""

from __future__ import annotations

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from commonbeat.reports.models import PlaceSource, Report
from commonbeat.topics.ready_made import install_ready_made
from tests import make

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WORDS = "Three lamps are dark by the old bridge."


@pytest.fixture
def address(live_server: object) -> str:
    """Serve a site with the ready-made topics."""
    install_ready_made(make.NOW)
    make.fallback()
    make.make_place("Stone bridge", latitude=42.385, longitude=20.435)
    return str(live_server)


def go_on(page: Page) -> None:
    page.click(".actions button[value=next]")
    page.wait_for_load_state()


def walk_to(page: Page, address: str, step: str) -> None:
    page.goto(f"{address}/report/street-light/")
    for _ in range(8):
        now = page.locator("input[name=step]").input_value()
        if now == step:
            return
        if now == "what":
            page.fill("#id_text", WORDS)
        elif now == "questions":
            page.check("input[name=q_wires] >> nth=1")
        elif now == "where":
            page.fill("#id_place_text", "Stone bridge")
        go_on(page)
    raise AssertionError(page.content())


def test_report_and_come_back_with_the_reference(page: Page, address: str) -> None:
    page.goto(address)
    page.click("text=Report something")
    page.click("text=Street light")
    walk_to(page, address, "check")
    expect(page.locator("dl.summary")).to_contain_text(WORDS)
    page.click("[data-send]")
    reference = page.locator(".done .reference").inner_text()
    report = Report.objects.get()
    assert reference.replace("-", "") == report.reference
    assert (report.place_source, report.latitude) == (PlaceSource.NAMED, 42.385)
    assert report.reference not in page.url
    page.goto(f"{address}/lookup/")
    page.fill("#id_reference", reference.lower())
    page.click("text=See where it stands")
    expect(page.locator(".timeline")).to_contain_text("Your report arrived")
    assert WORDS not in page.content() and report.reference not in page.url


def test_a_pin_on_the_map(page: Page, address: str) -> None:
    walk_to(page, address, "where")
    page.locator(".map.leaflet-container").click(position={"x": 120, "y": 120})
    expect(page.locator("[data-place-source]")).to_have_value("map")
    go_on(page)
    assert page.locator("input[name=step]").input_value() == "photos"
    page.click("button[value=back]")
    expect(page.locator("[data-place-source]")).to_have_value("map")


def test_the_position_of_the_device(page: Page, address: str) -> None:
    page.context.grant_permissions(["geolocation"])
    page.context.set_geolocation({"latitude": 42.3777, "longitude": 20.4222})
    walk_to(page, address, "where")
    page.click("[data-map-locate]")
    expect(page.locator("[data-place-source]")).to_have_value("device")
    walk = page.locator("#id_latitude")
    expect(walk).to_have_value("42.377700")


def test_what_was_typed_is_given_back_after_a_reload_and_forgotten_on_exit(page: Page, address: str) -> None:
    page.goto(f"{address}/report/other/")
    if page.locator("input[name=step]").input_value() == "category":
        go_on(page)
    page.fill("#id_text", WORDS)
    page.goto(f"{address}/report/other/")
    go_on(page)
    expect(page.locator("#id_text")).to_have_value(WORDS)
    page.route("https://www.wikipedia.org/**", lambda route: route.fulfill(body="elsewhere"))
    page.click("[data-exit]")
    page.wait_for_url(f"{settings.COMMONBEAT.exit_url}**")
    page.goto(f"{address}/report/other/")
    go_on(page)
    expect(page.locator("#id_text")).to_have_value("")


def test_sending_clears_what_the_tab_remembered(page: Page, address: str) -> None:
    walk_to(page, address, "check")
    page.click("[data-send]")
    expect(page.locator(".done")).to_be_visible()
    assert page.evaluate("sessionStorage.length") == 0


def test_the_page_breaks_no_rule_of_its_own(page: Page, address: str) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    walk_to(page, address, "check")
    # The map asks for tiles, which this server does not have: see test_map.py.
    for path in ("/", "/reports/", "/officer/", "/lookup/", "/report/offline/"):
        page.goto(address + path)
        page.wait_for_load_state("networkidle")
    assert said == []
