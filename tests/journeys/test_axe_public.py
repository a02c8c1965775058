"""No public screen breaks a rule that axe knows, in either direction and by day and night."""

from __future__ import annotations

from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from commonbeat.foundation import clock
from commonbeat.topics.ready_made import install_ready_made
from tests import make

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SCREENS = [
    "/", "/report/", "/report/offline/", "/reports/", "/reports/?topic=street-light", "/reports/shown1/", "/map/",
    "/data/", "/officer/", "/lookup/", "/about/anonymous/", "/sms/", "/privacy/", "/nothing-here/",
    "/alerts/", "/alerts/near/", "/alerts/subscribe/", "/alerts/subscribe/manage/",
]  # fmt: skip
STEPS = ["category", "what", "questions", "where", "photos", "contact", "check"]
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


def problems_on(page: Page) -> str:
    found = Axe().run(page, options=RULES)
    return found.generate_report() if found.violations_count else ""


def fill(officer: object) -> None:
    install_ready_made(make.NOW)
    from commonbeat.topics.models import Topic

    topic = Topic.objects.get(code="street-light")
    make.make_beat(name="Old town")
    report = make.make_report(topic=topic)
    make.make_publication(
        report=report, code="shown1", is_verified=True, independent_sources=2, now=clock.now() - timedelta(hours=1)
    )


def walk(page: Page, address: str) -> list[str]:
    """Walk through the form and gather what is wrong on each step, and on the pages with errors."""
    wrong = []
    page.goto(f"{address}/report/street-light/")
    for step in STEPS:
        assert page.locator("input[name=step]").input_value() == step
        wrong.append(problems_on(page))
        if step == "questions":
            page.click(".actions button[value=next]")
            page.wait_for_load_state()
            wrong.append(problems_on(page))
            page.check("input[name=q_wires] >> nth=1")
        if step == "where":
            page.fill("#id_place_text", "behind the wild pear")
            page.click(".actions button[value=next]")
            page.wait_for_load_state()
            wrong.append(problems_on(page))
        if step == "check":
            page.click("[data-send]")
            page.wait_for_selector(".done")
            wrong.append(problems_on(page))
            page.click(".actions form button")
            page.wait_for_selector(".timeline")
            wrong.append(problems_on(page))
        else:
            page.click(".actions button[value=next]")
            page.wait_for_load_state()
    return [text for text in wrong if text]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("language", "scheme", "width"), [("en", "light", 390), ("ar", "dark", 1280), ("sq", "dark", 390)]
)
def test_no_violations(
    browser: Browser, live_server: object, officer: object, language: str, scheme: str, width: int
) -> None:
    fill(officer)
    context = browser.new_context(
        locale=language, color_scheme="dark" if scheme == "dark" else "light", viewport={"width": width, "height": 844}
    )
    page = context.new_page()
    wrong = []
    for path in SCREENS:
        page.goto(f"{live_server}{path}")
        text = problems_on(page)
        if text:
            wrong.append(f"{path}: {text}")
    wrong += walk(page, str(live_server))
    context.close()
    assert not wrong, "\n".join(wrong)[:6000]
