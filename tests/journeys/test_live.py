"""Reports arrive on the desk without a reload: the whole site in a process of its own, and a browser."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is absent (apt install chromium)"),
]
ROOT = Path(__file__).resolve().parents[2]
# Runs in a process of its own, for the site has another data folder than this one.
PREPARE = """
import django, json, sys
django.setup()
from django.conf import settings
from tests import make
unit = make.fallback()
officer = make.make_user("officer", role="officer", unit=unit)
report = make.make_report(unit=unit, title="First report")
cookie = make.signed_in(officer).cookies[settings.SESSION_COOKIE_NAME].value
print(json.dumps({"cookie": [settings.SESSION_COOKIE_NAME, cookie], "report": report.pk}))
"""
SUBMIT = """
import django, sys
django.setup()
from tests import make
make.make_report(title=sys.argv[1])
"""
ANSWER = """
import django, sys
django.setup()
from commonbeat.foundation import clock
from commonbeat.reports.actions.dialogue import answer_desk
answer_desk(report_id=int(sys.argv[1]), text=sys.argv[2], client_key=sys.argv[2], now=clock.now())
"""


@dataclass
class Site:
    """A serving process, and a way to do something in its data folder."""

    address: str
    environ: dict[str, str]

    def run(self, script: str, *arguments: str) -> str:
        """Run a script as another process of the same site."""
        done = subprocess.run(
            [sys.executable, "-c", script, *arguments],
            env=self.environ, cwd=ROOT, check=True, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        return done.stdout


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Serve a site on a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environ = {key: value for key, value in os.environ.items() if not key.startswith("COMMONBEAT_")}
    environ |= {
        "COMMONBEAT_DATA_DIR": str(tmp_path_factory.mktemp("site")),
        "COMMONBEAT_SECRET_KEY": "a key for tests only, of sufficient length",
        "COMMONBEAT_SITE_URL": f"http://127.0.0.1:{port}",
        "DJANGO_SETTINGS_MODULE": "commonbeat.config.settings",
        "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}",
    }
    start = "from commonbeat.cli.main import main; main()"
    command = [sys.executable, "-c", start, "serve", "--port", str(port)]
    serving = subprocess.Popen(command, env=environ, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    address = f"http://127.0.0.1:{port}"
    try:
        for _n in range(300):
            try:
                urllib.request.urlopen(f"{address}/account/login/", timeout=5).close()
                break
            except (urllib.error.URLError, ConnectionError):
                assert serving.poll() is None, serving.stdout.read().decode() if serving.stdout else ""
                time.sleep(0.1)
        yield Site(address, environ)
    finally:
        serving.terminate()
        serving.wait(20)


@pytest.fixture
def page(desk_window: Page) -> Page:
    """Open the journeys' shared browser at the width of a desk."""
    return desk_window


@pytest.fixture(scope="module")
def prepared(site: Site) -> dict[str, Any]:
    """Make an officer with a report, signed in."""
    found: dict[str, Any] = json.loads(site.run(PREPARE).splitlines()[-1])
    return found


def enter(page: Page, site: Site, prepared: dict[str, Any], path: str) -> None:
    """Open a page of the desk as the officer, and wait until the stream is open."""
    name, value = prepared["cookie"]
    page.context.add_cookies([{"name": name, "value": value, "url": site.address}])
    with page.expect_response(lambda answer: answer.url.endswith("/live/desk")) as opened:
        page.goto(site.address + path)
    assert opened.value.status == 200


def test_new_reports_are_told_and_shown(page: Page, site: Site, prepared: dict[str, Any]) -> None:
    enter(page, site, prepared, "/desk/reports/")
    box = page.locator("input[name=report]").first
    box.check()
    for title in ("Second report", "Third report"):
        site.run(SUBMIT, title)
    page.get_by_text("2 new reports – show").click(timeout=15_000)
    page.get_by_text("Third report").wait_for()
    assert page.locator(".report-title").all_text_contents() == ["Third report", "Second report", "First report"]
    # What was chosen is still chosen, and only that.
    assert page.locator("input[name=report]:checked").get_attribute("value") == str(prepared["report"])
    assert page.locator("#news").inner_text() == ""


def test_an_answer_arrives_in_the_open_page_and_nothing_typed_is_lost(
    page: Page, site: Site, prepared: dict[str, Any]
) -> None:
    enter(page, site, prepared, f"/desk/reports/{prepared['report']}/")
    page.locator('a[href="#do-ask"]').click()
    page.keyboard.type("Half a question")
    site.run(ANSWER, str(prepared["report"]), "The left one")
    page.locator("#part-thread").get_by_text("The left one").wait_for(timeout=15_000)
    page.locator("#part-state").get_by_text("Answer waits").wait_for()
    assert page.get_by_label("Your question").input_value() == "Half a question"
    assert page.evaluate("document.activeElement.id") == "id_ask"
