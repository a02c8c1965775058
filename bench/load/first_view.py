"""The first view of the public map on a slow phone: how much is sent, and how long until its hexagons stand there.

400 kbit/s, 400 ms to the server and back, a processor six times as slow: a cheap phone at the edge of a town.
"""

from __future__ import annotations

import shutil
import sys
import time
from typing import Any

from playwright.sync_api import ViewportSize, sync_playwright

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
KBIT_S, WAIT_MS, SLOWER = 400, 400, 6
PHONE: ViewportSize = {"width": 360, "height": 740}
PATIENCE_MS = 60_000


def first_view(base_url: str, path: str = "/map/") -> dict[str, float]:
    """Open the map with nothing kept, and wait until hexagons and ground are drawn; kB of 1,000 bytes, seconds."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        try:
            # A service worker would fetch its shell beside the page: that is not what a reader waits for.
            context = browser.new_context(viewport=PHONE, service_workers="block", locale="en")
            page = context.new_page()
            session = context.new_cdp_session(page)
            sent: dict[str, float] = {}
            session.on("Network.loadingFinished", lambda event: sent.update({event["requestId"]: _size(event)}))
            session.send("Network.enable")
            speed = KBIT_S * 1_000 / 8
            session.send(
                "Network.emulateNetworkConditions",
                {"offline": False, "latency": WAIT_MS, "downloadThroughput": speed, "uploadThroughput": speed},
            )
            session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
            begun = time.perf_counter()
            page.goto(base_url.rstrip("/") + path, wait_until="commit", timeout=PATIENCE_MS)
            page.wait_for_selector("[data-tiles][data-shown]", state="attached", timeout=PATIENCE_MS)
            drawn, drawn_kb = time.perf_counter() - begun, sum(sent.values()) / 1_000
            page.wait_for_load_state("networkidle", timeout=PATIENCE_MS)
            # The browser calls it idle after half a second of rest.
            whole = time.perf_counter() - begun - 0.5
            return {
                "first_view_kb": sum(sent.values()) / 1_000,
                "first_view_s": drawn,
                "first_view_cells_kb": drawn_kb,
                "first_view_whole_s": whole,
            }
        finally:
            browser.close()


def _size(event: dict[str, Any]) -> float:
    return float(event["encodedDataLength"])


if __name__ == "__main__":
    for name, value in first_view(sys.argv[1]).items():
        print(f"{name:24s} {value:8.2f}")
