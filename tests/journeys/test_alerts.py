"""Alerts in a browser: a notification with no page open, permission, and pages on a phone."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, expect

from commonbeat.alerts.models import Subscription
from commonbeat.foundation import clock
from commonbeat.web.public import alert_proof as proof
from tests import make
from tests.alerts.rows import alert_row, follow_up
from tests.channels.browsers import Browser as Subscriber
from tests.journeys.test_axe_public import problems_on

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
DAY = timedelta(days=1)
NEAR_JS = "/static/commonbeat/js/near_geometry.js"


# ------------------------------------------------------------------ the service worker


class Worker:
    """A service worker that is pushed to as a push service would, with no page of the site open."""

    def __init__(self, page: Page, origin: str) -> None:
        self.page = page
        self.origin = origin
        self.cdp: CDPSession = page.context.new_cdp_session(page)
        self.registrations: list[str] = []
        self.last = ""
        self.cdp.on("ServiceWorker.workerRegistrationUpdated", self._registered)
        self.cdp.send("ServiceWorker.enable")

    def push(self, told: dict[str, Any] | str) -> None:
        """Deliver a message."""
        self.last = told if isinstance(told, str) else json.dumps(told)
        registration = self.registrations[-1]
        self.cdp.send(
            "ServiceWorker.deliverPushMessage",
            {"origin": self.origin, "registrationId": registration, "data": self.last},
        )

    def shown(self, number: int = 1) -> list[dict[str, Any]]:
        """Give the notifications that are shown, once there are so many."""
        found: list[dict[str, Any]] = []
        for _ in range(5):
            found = self._looked(number)
            if found:
                break
            # What the debugging protocol delivers to a worker that is just starting is lost now and then.
            self.push(self.last)
        return found

    def _looked(self, number: int) -> list[dict[str, Any]]:
        script = """async (number) => {
          const registration = await navigator.serviceWorker.getRegistration('/');
          for (let tries = 0; tries < 100; tries += 1) {
            const found = await registration.getNotifications();
            if (found.length >= number) return found.map((n) => ({title: n.title, body: n.body, tag: n.tag,
              lang: n.lang, dir: n.dir, data: n.data, stays: n.requireInteraction, icon: n.icon}));
            await new Promise((resolve) => setTimeout(resolve, 50));
          }
          return [];
        }"""
        found: list[dict[str, Any]] = self.page.evaluate(script, number)
        return found

    def _registered(self, event: dict[str, Any]) -> None:
        self.registrations += [one["registrationId"] for one in event["registrations"] if not one["isDeleted"]]


@pytest.fixture
def worker(page: Page, live_server: Any) -> Worker:
    origin = f"http://localhost:{urlsplit(live_server.url).port}"
    page.context.grant_permissions(["notifications"], origin=origin)
    page.goto(f"{origin}/alerts/")
    page.evaluate(
        "navigator.serviceWorker.register('/sw.js').then(() => navigator.serviceWorker.ready).then(() => true)"
    )
    made = Worker(page, f"{origin}/")
    page.wait_for_function(
        "() => navigator.serviceWorker.getRegistration('/').then((r) => r.active?.state === 'activated')"
    )
    for _ in range(100):
        if made.registrations:
            break
        page.wait_for_timeout(50)
    assert made.registrations
    return made


def test_a_push_is_shown_and_an_update_takes_its_place(worker: Worker) -> None:
    first = {
        "id": 7,
        "title": "Water is not safe",
        "body": "Boil it.",
        "lang": "en",
        "topic": "alert-7",
        "urgent": True,
    }
    worker.push(first)
    (shown,) = worker.shown()
    assert (shown["title"], shown["body"], shown["tag"], shown["lang"]) == (
        "Water is not safe",
        "Boil it.",
        "alert-7",
        "en",
    )
    assert shown["stays"] and shown["data"] == {"id": 7}
    assert "mark-192" in shown["icon"]
    worker.push({"id": 9, "title": "Another", "topic": "alert-9"})
    worker.shown(2)
    worker.push({"id": 7, "title": "Water is safe again", "lang": "ar", "dir": "rtl", "topic": "alert-7", "over": True})
    worker.page.wait_for_function(
        """() => navigator.serviceWorker.getRegistration('/').then((r) => r.getNotifications())
          .then((found) => found.some((n) => n.title === 'Water is safe again'))"""
    )
    found = {one["tag"]: one for one in worker.shown(2)}
    assert set(found) == {"alert-7", "alert-9"}
    over = found["alert-7"]
    assert (over["title"], over["dir"], over["lang"], over["stays"]) == ("Water is safe again", "rtl", "ar", False)


@pytest.mark.parametrize("data", ["", "not json", "null", "[]", '{"title": 5}'])
def test_what_cannot_be_read_is_shown_under_the_sites_name_rather_than_not(worker: Worker, data: str) -> None:
    # A browser that is pushed to and shows nothing takes the permission away.
    worker.push(data)
    shown = worker.shown()[0]
    assert shown["title"] in ("Commonbeat", "5")


def test_a_tap_on_the_notification_opens_the_alert(worker: Worker, live_server: Any) -> None:
    alert = alert_row(now=clock.now())
    worker.push({"id": alert.pk, "title": "Water", "topic": "alert-1"})
    worker.shown()
    # What the browser does on a tap: the event, with the notification that it shows.
    service = next(one for one in worker.page.context.service_workers if one.url.endswith("/sw.js"))
    service.evaluate(
        """async () => {
          const [notification] = await registration.getNotifications();
          const event = new ExtendableEvent('notificationclick');
          Object.defineProperty(event, 'notification', {value: notification});
          dispatchEvent(event);
        }"""
    )
    expect(worker.page.locator("h1")).to_have_text("Do not drink the water")
    assert worker.page.url.endswith(f"/alerts/{alert.pk}/")


# ------------------------------------------------------------------ asking for it


def test_permission_is_asked_for_after_the_button_and_never_before(page: Page, live_server: Any) -> None:
    origin = f"http://localhost:{urlsplit(live_server.url).port}"
    # No push service can be reached here: the browser's answer to the site is put in its place.
    subscription = Subscriber().subscription()
    page.add_init_script(
        f"""
        window.asked = [];
        Notification.requestPermission = () => {{ asked.push(location.pathname); return Promise.resolve('granted'); }};
        PushManager.prototype.getSubscription = () => Promise.resolve(null);
        PushManager.prototype.subscribe = (options) => {{
          window.key = options.applicationServerKey.length;
          return Promise.resolve({{toJSON: () => ({subscription})}});
        }};
        """
    )
    page.goto(f"{origin}/alerts/subscribe/")
    page.click("text=The whole town")
    page.click(".actions button[value=next]")
    page.check("input[name=how][value=push]")
    page.click(".actions button[value=next]")
    page.click(".actions button[value=next]")
    expect(page.locator("h1")).to_have_text("Check what you asked for")
    assert page.evaluate("asked.length") == 0
    page.click("text=Get these alerts")
    expect(page.locator("h1")).to_have_text("Alerts come to this browser now.")
    row = Subscription.objects.select_related("contact").get()
    assert row.confirmed_at is not None and row.contact.kind == "push"


def test_where_the_person_says_no_nothing_is_stored_and_other_ways_are_named(page: Page, live_server: Any) -> None:
    origin = f"http://localhost:{urlsplit(live_server.url).port}"
    page.add_init_script("Notification.requestPermission = () => Promise.resolve('denied');")
    page.goto(f"{origin}/alerts/subscribe/")
    page.click("text=The whole town")
    page.click(".actions button[value=next]")
    page.check("input[name=how][value=push]")
    page.click(".actions button[value=next]")
    page.click(".actions button[value=next]")
    page.click("text=Get these alerts")
    expect(page.locator("[data-push-status]")).to_contain_text("does not allow notifications")
    assert not Subscription.objects.exists()


# ------------------------------------------------------------------ pages


@pytest.fixture
def listened(page: Page) -> list[str]:
    """Collect everything that the browser sends: addresses, headers and bodies."""
    sent: list[str] = []
    page.on("request", lambda r: sent.append(f"{r.method} {r.url} {json.dumps(r.headers)} {r.post_data or ''}"))
    return sent


@pytest.mark.parametrize("language", ["en", "ar"])
def test_pages_fit_a_small_phone_and_need_no_script(browser: Browser, live_server: Any, language: str) -> None:
    alert = alert_row(now=clock.now(), kind="missing_child", severity="Extreme", texts=None)
    alert_row(now=clock.now(), ended_at=clock.now(), outcome="found_safe")
    context: BrowserContext = browser.new_context(
        viewport={"width": 320, "height": 640}, locale=language, java_script_enabled=False
    )
    try:
        page = context.new_page()
        for path in (
            "/alerts/",
            f"/alerts/{alert.pk}/",
            "/alerts/near/",
            "/alerts/subscribe/",
            "/alerts/subscribe/manage/",
        ):
            page.goto(f"{live_server.url}{path}")
            assert page.locator("html").get_attribute("dir") == ("rtl" if language == "ar" else "ltr")
            box = page.locator("main").bounding_box()
            assert box is not None and box["width"] <= 320
        page.goto(f"{live_server.url}/alerts/subscribe/")
        page.click(".actions button[value=all]")
        assert page.locator("input[name=step]").first.get_attribute("value") == "what"
    finally:
        context.close()


def test_the_map_of_an_alert_asks_nobody_else(page: Page, live_server: Any, listened: list[str]) -> None:
    alert = alert_row(now=clock.now())
    page.goto(f"{live_server.url}/alerts/{alert.pk}/")
    page.wait_for_function("() => document.querySelector('.leaflet-container')")
    page.wait_for_load_state("networkidle")
    hosts = {
        urlsplit(sent.split(" ")[1]).netloc
        for sent in listened
        if not sent.split(" ")[1].startswith(("data:", "blob:"))
    }
    assert hosts == {urlsplit(live_server.url).netloc}
    assert any(f"/alerts/{alert.pk}/area.geojson" in sent for sent in listened)


@pytest.mark.parametrize("language", ["en", "ar"])
def test_no_screen_breaks_a_rule_that_axe_knows(browser: Browser, live_server: Any, language: str) -> None:
    now = clock.now()
    standing, ended = alert_row(now=now, kind="missing_child", status="Test", severity="Extreme"), alert_row(now=now)
    follow_up(ended, now=now, msg_type="Cancel")
    make.make_beat(name="Old town")
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale=language)
    page, wrong = context.new_page(), []
    for path in ("/alerts/", f"/alerts/{standing.pk}/", f"/alerts/{ended.pk}/", "/alerts/subscribe/"):
        page.goto(f"{live_server.url}{path}")
        wrong.append(problems_on(page))
    for button in ("next", "all", "next"):
        page.click(f".actions button[value={button}]")
        page.wait_for_load_state()
        wrong.append(problems_on(page))
    page.check("input[name=how][value=phone]")
    page.click(".actions button[value=next]")
    page.wait_for_load_state()
    wrong.append(problems_on(page))
    page.fill("#id_phone", "+383 44 555 666")
    for _ in range(2):
        page.click(".actions button[value=next]")
        page.wait_for_load_state()
        wrong.append(problems_on(page))
    page.click("[data-push-send]")
    page.wait_for_load_state()
    assert page.locator("#id_code").count() == 1
    wrong.append(problems_on(page))
    ask = proof.new_ask(Subscription.objects.get().contact_id, signs_up=True, lasts=DAY, now=now)
    Subscription.objects.update(asked_key=ask.nonce)
    page.goto(proof_link(live_server.url, ask))
    wrong.append(problems_on(page))
    page.click("main button[type=submit]")
    page.wait_for_load_state()
    wrong.append(problems_on(page))
    page.goto(f"{live_server.url}/alerts/subscribe/manage/{Subscription.objects.get().pk}/")
    assert page.locator("input[name=kind]").count() > 5
    wrong.append(problems_on(page))
    context.close()
    assert [one for one in wrong if one] == []


def proof_link(address: str, ask: proof.Ask) -> str:
    """Give the address of a mail's link."""
    return f"{address}/alerts/subscribe/link/{proof.token_of(ask)}/"
