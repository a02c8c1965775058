"""The public map in a browser: filters, time, link and picture, keyboard, Arabic, no script, and no rule broken."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.journeys.test_axe_public import RULES
from tests.journeys.test_live import Site, site

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

__all__ = ["site"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]
# Forty heaps in five weeks around the middle of the map, one far away, four without a place, and a topic that is only
# counted, with one drawn month.
FILL = """
import django
django.setup()
from datetime import timedelta
from commonbeat.foundation import cells, clock
from commonbeat.maps import rules
from commonbeat.maps.actions.buckets import Amount, add_to_buckets, lock_revision
from commonbeat.reactions.counting import count_batch
from commonbeat.reports.actions.publish import publish_report
from django.db import transaction
from tests import make
from django.conf import settings
unit = make.fallback()
officer = make.make_user("officer", role="supervisor", unit=unit)
dumps = make.make_topic("dumps", public_resolution=10)
quiet = make.make_topic("quiet", publishes="counts", smallest_count=5, public_resolution=8)
now = clock.now()
for n in range(45):
    place = (42.38 + n % 5 / 500, 20.43 + n % 3 / 500) if n < 40 else (44.8, 20.4) if n == 40 else (None, None)
    report = make.make_report(topic=dumps, categories=["first"], latitude=place[0], longitude=place[1])
    publish_report(report_id=report.pk, title=f"Heap {n}", text="", actor=officer, now=now - timedelta(days=n))
while count_batch(now):
    pass
with transaction.atomic():
    month = rules.day_number(now.date().replace(day=1)) - 31
    month = rules.period_start(month, "month")
    cell = cells.cell_of(42.38, 20.43, 8)
    drawn = {(quiet.pk, "first", cell, month): Amount(7, 7), (quiet.pk, "*", 0, month): Amount(5, 5)}
    add_to_buckets(drawn, is_drawn=True, revision=lock_revision())
"""


@pytest.fixture(scope="module")
def town(site: Site) -> str:
    """Serve a town in which something has happened."""
    site.run(FILL)
    return site.address


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Open a phone in which an error of a script, or of the policy, fails the test."""
    context = browser.new_context(locale="en", viewport={"width": 390, "height": 844}, service_workers="block")
    window = context.new_page()
    wrong: list[str] = []
    window.on("pageerror", lambda error: wrong.append(str(error)))
    # The browser's own page around a picture has styles that our policy forbids.
    window.on(
        "console",
        lambda said: wrong.append(said.text) if said.type == "error" and "picture.png" not in window.url else None,
    )
    yield window
    context.close()
    assert not wrong


def enter(page: Page, address: str) -> None:
    """Open a map, and wait until its hexagons are drawn and its view is told."""
    page.goto(address)
    page.wait_for_selector("[data-tiles][data-shown]", state="attached")
    expect(page.locator("[data-map-note]")).not_to_be_empty()


def painted(page: Page) -> int:
    """Count the pixels that the hexagons cover."""
    return int(
        page.evaluate(
            "() => { const c = document.querySelector('.map-cells');"
            " const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
            " let n = 0; for (let i = 3; i < d.length; i += 4) n += d[i] > 0; return n; }"
        )
    )


def test_filters_narrow_the_map_and_the_sum_is_told(page: Page, town: str) -> None:
    enter(page, f"{town}/map/")
    expect(page.locator("#map-sum")).to_have_text(
        "57 reports: 48 on the map + 4 without a place + 5 too few to tell where."
    )
    expect(page.locator("[data-map-note]")).to_have_text("In view: 47. Elsewhere on the map: 1.")
    assert painted(page) > 1000
    page.select_option("#id_topic", "quiet")
    page.click(".filters button")
    page.wait_for_selector("[data-tiles][data-shown]", state="attached")
    expect(page.locator("[data-map-note]")).to_have_text("In view: 7. Elsewhere on the map: 0.")
    expect(page.locator("main")).to_contain_text("Of this topic only numbers are public")
    page.select_option("#id_measure", "contacts")
    page.click(".filters button")
    page.wait_for_selector("[data-tiles][data-shown]", state="attached")
    expect(page.locator(".map-here button").first).to_contain_text("7")


def test_time_is_played_and_each_step_adds_up(page: Page, town: str) -> None:
    enter(page, f"{town}/map/?topic=dumps")
    bars = page.locator(".bars a")
    assert bars.count() > 20
    slider = page.locator("#play-at")
    slider.focus()
    page.keyboard.press("Home")
    expect(bars.first).to_have_attribute("aria-current", "true")
    expect(page.locator("[data-play-said]")).to_have_text(re.compile(r".+: 1"))
    expect(page.locator("[data-map-note]")).to_have_text("In view: 0. Elsewhere on the map: 0.")
    page.select_option("[data-play-speed]", "600")
    with page.expect_request(lambda request: "/tiles/dumps/" in request.url and "since=" in request.url) as asked:
        page.click("[data-play]")
    query = parse_qs(urlsplit(asked.value.url).query)
    assert query["since"] == query["until"]
    expect(page.locator("[data-play]")).to_have_text("Pause")
    expect(bars.nth(5)).to_have_attribute("aria-current", "true")
    page.click("[data-play]")
    expect(page.locator("[data-play]")).to_have_text("Play")
    slider.focus()
    page.keyboard.press("End")
    expect(page.locator("[data-map-note]")).to_have_text("In view: 1. Elsewhere on the map: 0.")
    page.click("[data-play-all]")
    expect(page.locator("[data-map-note]")).to_have_text("In view: 40. Elsewhere on the map: 1.")
    bars.first.click()
    expect(slider).to_have_value("0")
    assert page.url.endswith("/map/?topic=dumps")


def test_a_bar_and_the_numbers_of_the_view_never_contradict_each_other(page: Page, town: str) -> None:
    enter(page, f"{town}/map/?topic=dumps")
    # In less time than a view rests: each frame's bar has one report, which lies in view or elsewhere.
    told = page.evaluate(
        """async () => {
        const note = document.querySelector("[data-map-note]"), found = [];
        for (const bar of [...document.querySelectorAll(".bars a")].slice(-12)) {
            bar.click();
            const hidden = note.classList.contains("is-waiting");
            const began = performance.now();
            while (note.classList.contains("is-waiting")) await new Promise((go) => setTimeout(go, 10));
            const numbers = note.textContent.match(/\\d+/g).map(Number);
            found.push([hidden, numbers[0] + numbers[1] === Number(bar.dataset.placed), performance.now() - began]);
        }
        return found; }"""
    )
    assert all(hidden and adds for hidden, adds, _ in told)
    assert sorted(took for _, _, took in told)[len(told) // 2] < 500


@pytest.mark.parametrize(("language", "width"), [("en", 1280), ("en", 390), ("ar", 390)])
def test_the_marked_bar_and_the_newest_one_are_seen(browser: Browser, town: str, language: str, width: int) -> None:
    context = browser.new_context(locale=language, viewport={"width": width, "height": 844})
    page = context.new_page()
    page.goto(f"{town}/map/?topic=dumps")
    page.wait_for_selector("[data-tiles][data-shown]", state="attached")
    is_seen = (
        "(bar) => { const [a, b] = [bar, bar.closest('.bars-scroll')].map((one) => one.getBoundingClientRect());"
        " return a.left >= b.left - 1 && a.right <= b.right + 1; }"
    )
    bars = page.locator(".bars a")
    assert bars.last.evaluate(is_seen)
    # On a desk all of them, each day under its bar.
    assert bars.first.evaluate(is_seen) is (width == 1280)
    for n in (0, 20, bars.count() - 1):
        page.locator("#play-at").fill(str(n))
        expect(bars.nth(n)).to_have_attribute("aria-current", "true")
        assert bars.nth(n).evaluate(is_seen)
    context.close()


def test_a_hexagon_larger_than_the_view_is_in_it(page: Page, town: str) -> None:
    # Beside the middle of the hexagon, which is out of the view.
    enter(page, f"{town}/map/?topic=quiet&lat=42.38&lon=20.43&zoom=19")
    expect(page.locator("[data-map-note]")).to_have_text("In view: 7. Elsewhere on the map: 0.")
    expect(page.locator("[data-map-size]")).to_contain_text("about 900 metres")
    enter(page, f"{town}/map/?topic=quiet&lat=42.42&lon=20.43&zoom=19")
    expect(page.locator("[data-map-note]")).to_have_text("In view: 0. Elsewhere on the map: 7.")
    enter(page, f"{town}/map/?lat=42.382&lon=20.43&zoom=16")
    expect(page.locator("[data-map-size]")).to_contain_text("from 130 to 900 metres")
    enter(page, f"{town}/map/?lat=42.382&lon=20.43&zoom=6")
    expect(page.locator("[data-map-size]")).to_have_text("")


def test_the_list_of_the_view_tells_how_much_it_leaves_out(page: Page, town: str) -> None:
    enter(page, f"{town}/map/?topic=dumps&lat=42.384&lon=20.432&zoom=15")
    rows, more = page.locator(".map-here button"), page.locator("[data-here-more]")
    expect(page.locator("[data-here-count]")).to_have_text(re.compile(r"The 8 largest of \d\d\."))
    expect(rows).to_have_count(8)
    expect(rows.first).to_have_text(re.compile(r"\d+ reports?, "))
    more.click()
    expect(more).to_be_hidden()
    assert rows.count() > 8
    expect(rows.nth(8)).to_be_focused()
    expect(page.locator("[data-here-count]")).to_be_empty()


def test_the_keyboard_reaches_what_lies_in_the_middle(page: Page, town: str) -> None:
    enter(page, f"{town}/map/?topic=dumps")
    page.focus("[data-tiles]")
    page.keyboard.press("+")
    page.keyboard.press("Enter")
    popup = page.locator(".leaflet-popup-content")
    expect(popup).to_contain_text("Reports here:")
    expect(popup.locator("button")).to_be_focused()
    page.keyboard.press("Escape")
    expect(popup).to_have_count(0)
    expect(page.locator("[data-tiles]")).to_be_focused()
    row = page.locator(".map-here button").first
    row.click()
    expect(popup).to_be_visible()
    popup.locator("a").click()
    page.wait_for_url("**/reports/?**")
    expect(page.locator(".report-row").first).to_be_visible()
    assert "bbox=" in page.url and "topic=dumps" in page.url


def test_a_single_report_is_a_pin_with_a_link(page: Page, town: str) -> None:
    enter(page, f"{town}/map/?topic=dumps&lat=42.38&lon=20.43&zoom=16")
    pin = page.locator(".map-pin").first
    pin.focus()
    page.keyboard.press("Enter")
    link = page.locator(".leaflet-popup-content a").first
    expect(link).to_have_text(re.compile(r"Heap \d+"))
    expect(link).to_be_focused()
    link.click()
    expect(page.locator("h1")).to_have_text(re.compile(r"Heap \d+"))


def test_everything_is_brought_into_one_view(page: Page, town: str) -> None:
    enter(page, f"{town}/map/?topic=dumps")
    page.click("[data-map-all]")
    expect(page.locator("[data-map-note]")).to_have_text("In view: 41. Elsewhere on the map: 0.")
    expect(page.locator("[data-map-all]")).to_be_hidden()


def test_a_link_and_a_picture_of_the_view(page: Page, town: str) -> None:
    enter(page, f"{town}/map/?topic=dumps")
    page.focus("[data-tiles]")
    page.keyboard.press("+")
    expect(page.locator("[data-map-size]")).to_contain_text("350 metres")
    page.click("[data-map-share]")
    link = page.locator("#map-link").input_value()
    assert parse_qs(urlsplit(link).query)["zoom"] == ["14"] and "topic=dumps" in link
    # Where somebody looks is not told to the server, unless they ask for it.
    assert "lat" not in page.url
    with page.expect_download() as kept:
        page.click("[data-map-picture]")
    assert kept.value.suggested_filename.endswith("map-dumps.png")
    assert kept.value.path().read_bytes().startswith(b"\x89PNG")
    assert parse_qs(urlsplit(kept.value.url).query)["zoom"] == ["14"]
    enter(page, link)
    expect(page.locator("[data-map-size]")).to_contain_text("350 metres")


def test_without_a_script_there_is_a_picture_with_its_tables(browser: Browser, town: str) -> None:
    context = browser.new_context(java_script_enabled=False, locale="en", viewport={"width": 360, "height": 740})
    page = context.new_page()
    page.goto(f"{town}/map/?topic=dumps")
    picture = page.locator(".map-picture")
    expect(picture).to_be_visible()
    answer = page.request.get(town + str(picture.get_attribute("src")))
    assert answer.status == 200 and answer.headers["content-type"] == "image/png"
    page.click(".map-moves >> text=Closer")
    assert parse_qs(urlsplit(page.url).query)["zoom"] == ["14"]
    page.click(".bars a >> nth=2")
    expect(page.locator("#map-sum")).to_contain_text("1 report:")
    assert "zoom=14" in page.url
    page.click("text=Periods as a table")
    expect(page.locator("tfoot").first).to_contain_text("1")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()


@pytest.mark.parametrize(
    ("language", "scheme", "width"), [("en", "light", 360), ("ar", "dark", 360), ("sq", "light", 1280)]
)
def test_no_rule_is_broken(browser: Browser, town: str, language: str, scheme: str, width: int) -> None:
    context = browser.new_context(
        locale=language,
        color_scheme="dark" if scheme == "dark" else "light",
        viewport={"width": width, "height": 844},
        reduced_motion="reduce",
    )
    page = context.new_page()
    wrong = []
    for query in ("", "?topic=dumps&lat=42.38&lon=20.43&zoom=16", "?topic=quiet&measure=monthly", "?as=picture"):
        page.goto(f"{town}/map/{query}")
        if "picture" not in query:
            page.wait_for_selector("[data-tiles][data-shown]", state="attached")
            page.wait_for_load_state("networkidle")
            for button in page.locator(".map-here button").all()[:1]:
                button.click()
            page.click("[data-map-share]")
        found = Axe().run(page, options=RULES)
        if found.violations_count:
            wrong.append(f"{query}: {found.generate_report()}")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), query
    context.close()
    assert not wrong, "\n".join(wrong)[:6000]
