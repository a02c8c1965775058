"""An alert from its first word to its end: two officers, Kannel, a push service, a partner, a page for everybody."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from commonbeat.messaging.push import application_server_key
from tests.alerts.partner_server import PartnerServer
from tests.alerts.partner_server import serving as serving_partner
from tests.channels.test_kannel_real import MISSING
from tests.channels.test_webpush_real import NODE, NPM, PushService
from tests.channels.test_webpush_real import service as service  # a fixture
from tests.durability.site import free_port
from tests.journeys.alert_site import (
    KEY,
    PREPARE,
    Site,
    Telephone,
    free_ports,
    kannel,
    kannel_settings,
    serving,
    wait_until,
)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.kannel,
    pytest.mark.slow,
    pytest.mark.skipif(
        bool(MISSING), reason=f"{', '.join(MISSING)} of Kannel is absent (Debian: apt install kannel kannel-extras)"
    ),
    pytest.mark.skipif(not (NODE and NPM), reason="node and npm are absent (Debian: apt install nodejs npm)"),
]
HEADLINE = "A boy of six is missing near the old bridge"


@pytest.fixture
def partner() -> Iterator[PartnerServer]:
    with serving_partner() as found:
        yield found


@pytest.fixture
def ports() -> dict[str, int]:
    return free_ports()


@pytest.fixture
def site(tmp_path: Path, ports: dict[str, int]) -> Iterator[Site]:
    folder = tmp_path / "site"
    folder.mkdir()
    near = {"COMMONBEAT_PUSH_LOOPBACK": "yes", "COMMONBEAT_PARTNERS_LOOPBACK": "yes"}
    with serving(folder, free_port(), kannel_settings(ports) | near) as found:
        yield found


@pytest.fixture
def telephone(tmp_path: Path, site: Site, ports: dict[str, int]) -> Iterator[Telephone]:
    with kannel(tmp_path, int(site.address.rpartition(":")[2]), ports) as found:
        yield found


def window(browser: Browser, site: Site, cookie: tuple[str, str] | None = None) -> Page:
    """Open a window as a member of staff, or as anybody."""
    context = browser.new_context(locale="en", viewport={"width": 1280, "height": 900})
    if cookie is not None:
        context.add_cookies([{"name": cookie[0], "value": cookie[1], "url": site.address}])
    return context.new_page()


def compose(page: Page, site: Site) -> str:
    """Write the alert through the pages, up to the question to a colleague; give its address."""
    page.goto(f"{site.address}/desk/alerts/new/")
    page.get_by_role("link", name="Missing child").click()
    page.get_by_label("Old town").check()
    page.get_by_role("button", name="Continue").last.click()
    page.locator("#id_headline_en").fill(HEADLINE)
    page.locator("#id_description_en").fill("Six years old, green coat, on foot. Last seen at the old bridge at noon.")
    page.locator("#id_instruction_en").fill("Look in yards and cars. Stay near and call.")
    page.locator("#id_area_desc_en").fill("Old town")
    page.get_by_role("button", name="Continue").last.click()
    expect(page.get_by_label("Schools, taxis and shops")).to_be_checked()
    page.get_by_role("button", name="Continue").last.click()
    expect(page.get_by_text("Two people release this alert")).to_be_visible()
    # Two people asked, and an officer learns no more than that.
    expect(page.get_by_text("fewer than 5").first).to_be_visible()
    page.get_by_role("button", name="Ask a second person").click()
    expect(page.get_by_text("Your colleagues are asked.")).to_be_visible()
    return page.url.partition("?")[0]


def test_from_the_first_word_to_found_safe(
    browser: Browser, site: Site, telephone: Telephone, service: PushService, partner: PartnerServer
) -> None:
    clients, address = service.subscribe(application_server_key(KEY.encode()))
    made = site.run(PREPARE, address, partner.address)
    author, second = ((made["cookie"], value) for value in made["officers"])

    # A telephone asks for alerts by a message.
    telephone.write("ALERTS ALL")
    wait_until(lambda: "You get all alerts" in telephone.got())
    assert site.asked()["subscriptions"] == ["phone", "push"]

    # One officer writes, and has nothing sent yet.
    desk = window(browser, site, author)
    alert = compose(desk, site)
    assert site.asked()["messages"] == [] and not partner.got
    anybody = window(browser, site)
    anybody.goto(f"{site.address}/alerts/")
    assert HEADLINE not in anybody.content()

    # Another one reads it, and releases it.
    colleague = window(browser, site, second)
    colleague.goto(alert)
    expect(colleague.get_by_text(HEADLINE).first).to_be_visible()
    colleague.get_by_role("button", name="Release it as the second person").click()
    expect(colleague.get_by_text("It is going out now.")).to_be_visible()

    # It comes by text message, by push, to the partner, and onto the page.
    wait_until(lambda: HEADLINE in telephone.got())
    assert "SAW" in telephone.got()
    (pushed,) = (json.loads(one) for one in wait_until(lambda: service.messages(clients)))
    assert pushed["title"] == HEADLINE and pushed["urgent"] and "test" not in pushed
    wait_until(lambda: len(partner.got) == 1)
    anybody.reload()
    anybody.get_by_role("link", name=HEADLINE).first.click()
    expect(anybody.get_by_role("heading", name=HEADLINE)).to_be_visible()
    assert site.asked()["queued"] == [2]

    # Somebody has seen the child, and says so by text message; the desk reads it on the alert's page.
    telephone.write("SAW a boy with a green coat at the bakery")
    wait_until(lambda: site.asked()["sightings"] == 1)
    desk.goto(alert)
    expect(desk.get_by_text("green coat at the bakery")).to_be_visible()

    # It is over: everybody who heard of it hears that, by the same way.
    desk.get_by_role("link", name="Say how it ended").click()
    desk.get_by_role("link", name="Found safe").click()
    desk.get_by_role("button", name="Send it to everybody who has the alert").click()
    expect(desk.get_by_text("ended").first).to_be_visible()
    wait_until(lambda: len(service.messages(clients)) == 2)
    over = json.loads(service.messages(clients)[1])
    assert over["over"] is True and over["topic"] == pushed["topic"]
    wait_until(lambda: len(partner.got) == 2)
    first, last = partner.messages(made["secret"])
    assert (first["msgType"], last["msgType"], last["outcome"]) == ("Alert", "Cancel", "found_safe")
    assert last["references"] == [first["identifier"]]
    ending = last["texts"]["en"]["headline"]
    wait_until(lambda: ending in telephone.got())
    anybody.reload()
    expect(anybody.get_by_text("Found safe").first).to_be_visible()

    # Each had each message once.
    asked = site.asked()
    assert asked["queued"] == [2, 2]
    assert sorted(channel for channel, *_ in asked["messages"]) == ["kannel_sms", "kannel_sms", "webpush", "webpush"]
    assert {state for _, state, _ in asked["messages"]} <= {"sent", "delivered"}
    assert telephone.got().count(HEADLINE) == 1 + ending.count(HEADLINE)
    assert len(service.messages(clients)) == 2 and len(partner.got) == 2
