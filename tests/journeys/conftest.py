"""A browser for the journeys: the system's chromium, never a download."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from django.db import connections

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()

# The server of a journey writes from a second thread. In SQLite's shared memory that fails at once ("table is locked"),
# whatever the time-out; in a file the second writer waits, as on a real site.
if connections["default"].vendor == "sqlite":
    connections["default"].settings_dict["TEST"]["NAME"] = str(settings.COMMONBEAT.data_dir / "journeys.sqlite3")


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    """Start the system's chromium; skip where there is none."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed (Debian: apt install chromium), so no page was opened in a browser")
    return {"executable_path": CHROMIUM, "args": FLAGS}


@pytest.fixture(scope="session")
def browser_context_args() -> dict[str, Any]:
    """Browse on a phone, in English."""
    return {"viewport": {"width": 390, "height": 844}, "locale": "en"}


@pytest.fixture
def desk_window(browser: Browser) -> Iterator[Page]:
    """Give a fresh window as wide as a desk's screen, in which an error of a script fails the test."""
    context = browser.new_context(locale="en", viewport={"width": 1280, "height": 900})
    window = context.new_page()
    wrong: list[str] = []
    window.on("pageerror", lambda error: wrong.append(str(error)))
    yield window
    context.close()
    assert not wrong
