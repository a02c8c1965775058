"""The whole path on a served site: by web and by SMS to the desk, from there to the map and back to the telephone."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.durability.site import Gateway, Site, sender_of

pytestmark = [pytest.mark.browser, pytest.mark.slow]
ROOT = Path(__file__).resolve().parents[2]
# Runs in a process of its own, for the site has another data folder than this one.
PREPARE = """
import django, json
django.setup()
from django.conf import settings
from commonbeat.people.queries import fallback_unit
from tests import make
unit = fallback_unit()
make.make_beat(unit=unit, name="River")
make.make_place("Stone bridge", latitude=42.385, longitude=20.435)
officer = make.make_user("officer", role="officer", unit=unit)
cookie = make.signed_in(officer).cookies[settings.SESSION_COOKIE_NAME].value
print(json.dumps([settings.SESSION_COOKIE_NAME, cookie]))
"""


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    """Give a telephone network that remembers what it was handed."""
    taken = Gateway()
    yield taken
    taken.close()


@pytest.fixture
def site(tmp_path: Path, gateway: Gateway) -> Iterator[Site]:
    """Serve a new site that sends through the network."""
    served = Site(
        tmp_path / "data",
        gateway,
        COMMONBEAT_SMS_CHANNEL="smsgate_sms",
        COMMONBEAT_SECRET_KEY="a key for tests only, of sufficient length",
    )
    served.begin()
    served.start()
    yield served
    served.stop()


@pytest.fixture
def desk(desk_window: Page, site: Site) -> Page:
    """Open a window in which the officer is signed in."""
    environ = dict(site.environment) | {
        "DJANGO_SETTINGS_MODULE": "commonbeat.config.settings",
        "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}",
    }
    done = subprocess.run(
        [sys.executable, "-c", PREPARE], env=environ, cwd=ROOT, check=True, capture_output=True, text=True, timeout=60
    )
    name, value = json.loads(done.stdout.splitlines()[-1])
    desk_window.context.add_cookies([{"name": name, "value": value, "url": address_of(site)}])
    return desk_window


def address_of(site: Site) -> str:
    return f"http://127.0.0.1:{site.port}"


def open_verb(page: Page, verb: str) -> Any:
    """Unfold a form of the report page, and give it."""
    form = page.locator(f"form[action*='/{verb}/']").first
    form.evaluate("element => { const box = element.closest('details'); if (box) box.open = true }")
    return form


def texts_to(gateway: Gateway, number: int) -> list[str]:
    return [text for calls in gateway.taken.values() for _at, to, text in calls if to == sender_of(number)]


def wait_for_texts(gateway: Gateway, number: int, count: int) -> list[str]:
    """Wait until the telephone has so many texts."""
    until = time.monotonic() + 10
    while len(found := texts_to(gateway, number)) < count and time.monotonic() < until:
        time.sleep(0.02)
    assert len(found) >= count, found
    return found


def test_a_web_report_becomes_a_pin_on_the_map(page: Page, desk: Page, site: Site) -> None:
    address = address_of(site)
    desk.goto(f"{address}/desk/reports/")
    page.goto(f"{address}/report/street-light/")
    for _step in range(8):
        step = page.locator("input[name=step]").input_value()
        if step == "check":
            break
        if step == "what":
            page.fill("#id_text", "Three lamps are dark since Monday.")
        elif step == "questions":
            page.check("input[name=q_wires] >> nth=1")
        elif step == "where":
            page.fill("#id_place_text", "Stone bridge")
        page.click(".actions button[value=next]")
        page.wait_for_load_state()
    page.click("[data-send]")
    expect(page.locator(".done .reference")).to_be_visible()

    # It arrives while the desk looks on.
    expect(desk.locator("[data-live-show], .live-hint").first).to_be_visible()
    desk.goto(f"{address}/desk/reports/")
    desk.click("text=Three lamps are dark since Monday. >> nth=0")
    verify = open_verb(desk, "verify")
    verify.locator("[name=evidence]").fill("Seen on patrol.")
    verify.locator("[name=sources], [name=independent_sources]").first.fill("2")
    verify.locator("button[type=submit]").first.click()
    desk.wait_for_load_state()
    publish = open_verb(desk, "publish")
    publish.locator("[name=title]").fill("Dark lamps at the bridge")
    publish.locator("button:has-text('Publish')").click()
    desk.wait_for_load_state()

    page.goto(f"{address}/reports/")
    expect(page.locator(".report-list")).to_contain_text("Dark lamps at the bridge")
    answer = page.request.get(f"{address}/reports.geojson")
    (feature,) = answer.json()["features"]
    longitude, latitude = feature["geometry"]["coordinates"]
    # At its public place: near the bridge, and not on it.
    assert (latitude, longitude) != (42.385, 20.435)
    assert abs(latitude - 42.385) < 0.001 and abs(longitude - 20.435) < 0.001
    page.goto(f"{address}/map/")
    expect(page.locator(".leaflet-container")).to_be_visible()
    expect(page.locator("main")).to_contain_text("Dark lamps at the bridge")


def test_an_sms_report_is_asked_back_and_its_sender_hears_of_each_step(
    desk: Page, site: Site, gateway: Gateway
) -> None:
    address = address_of(site)
    sent = time.monotonic()
    # An even number comes by the signed gateway, which is also the one that answers.
    assert site.call(2, "Big heap of rubbish at the stone bridge, the road is blocked")
    (first,) = wait_for_texts(gateway, 2, 1)
    assert time.monotonic() - sent < 5
    desk.goto(f"{address}/desk/reports/")
    desk.click("text=Big heap of rubbish >> nth=0")
    number = desk.url.split("/desk/reports/")[1].split("/")[0]
    body = desk.content()
    # The desk sees a handle and never the number.
    assert sender_of(2) not in body
    assert sender_of(2)[4:] not in body

    ask = open_verb(desk, "ask")
    ask.locator("textarea").fill("Is it on the path or on the road?")
    ask.locator("button[type=submit]").click()
    desk.wait_for_load_state()
    texts = wait_for_texts(gateway, 2, 2)
    assert "Is it on the path or on the road?" in texts[1]
    assert site.call(2, "On the road, cars drive around it")
    wait_for_texts(gateway, 2, 3)
    desk.goto(f"{address}/desk/reports/{number}/")
    expect(desk.locator("main")).to_contain_text("On the road, cars drive around it")

    open_verb(desk, "publish").locator("[name=title]").fill("Rubbish on the road")
    open_verb(desk, "publish").locator("button:has-text('Publish')").click()
    desk.wait_for_load_state()
    move = desk.locator("form[action*='/move/']:has(button:has-text('Resolved'))").first
    move.locator("button:has-text('Resolved')").click()
    desk.wait_for_load_state()
    until = time.monotonic() + 10
    while not any("dealt with" in text for text in texts_to(gateway, 2)) and time.monotonic() < until:
        time.sleep(0.02)
    told = texts_to(gateway, 2)
    assert "dealt with" in told[-1], told
    reference = re.search(r"[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{2}", first)
    assert reference is not None and reference[0] in told[-1]
