"""Make the screenshots of docs/screens from a fresh demo town: `make screens`."""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import json
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

HERE = Path(__file__).parent
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
FLAGS += ["--disable-component-update", "--disable-sync"]
PHONE, DESKTOP = (390, 844), (1280, 860)


@dataclass(frozen=True)
class Shot:
    """One picture: where, for whom, and how."""

    name: str
    path: str
    words: str
    who: str = ""
    size: tuple[int, int] = PHONE
    dark: bool = False
    language: str = "en"
    # First link whose address matches is followed, so that no number of a report is written here.
    follow: str = ""
    javascript: bool = True


SHOTS = [
    Shot("home-phone", "/", "The first page on a phone"),
    Shot("home-desktop", "/", "The first page", size=DESKTOP),
    Shot("home-dark", "/", "The same at night", dark=True),
    Shot("home-arabic", "/", "In Arabic, right to left", language="ar"),
    Shot("home-albanian", "/", "In Albanian", language="sq"),
    Shot("report-topic", "/report/", "Reporting: what is it about?"),
    Shot("report-form", "/report/illegal-dump/", "Reporting: one thing on each page"),
    Shot("report-form-arabic", "/report/street-light/", "Reporting in Arabic", language="ar", dark=True),
    Shot("report-no-javascript", "/report/other/", "Reporting without JavaScript", javascript=False),
    Shot("list-desktop", "/reports/", "What happened", size=DESKTOP),
    Shot("list-phone", "/reports/", "What happened, on a phone"),
    Shot("map-desktop", "/map/", "The public map, at public places only", size=DESKTOP),
    Shot("map-dark", "/map/", "The map at night", dark=True),
    Shot("report-page", "/reports/?topic=illegal-dump", "One report's public page", follow=r"/reports/[0-9a-f]{8,}/"),
    Shot("officer", "/officer/", "Who is my officer?"),
    Shot("lookup", "/lookup/", "Come back with a reference"),
    Shot("telephone", "/demo/phone/2/", "The demo's telephone: the same by text message"),
    Shot("sign-in", "/account/login/", "Staff sign in"),
    Shot("desk-list", "/desk/reports/", "The desk's work list", who="mira", size=DESKTOP),
    Shot("desk-list-dark", "/desk/reports/", "The work list on a night shift", who="mira", size=DESKTOP, dark=True),
    Shot("desk-list-phone", "/desk/reports/", "The work list on a phone", who="mira"),
    Shot(
        "desk-report",
        "/desk/reports/",
        "One report at the desk",
        who="mira",
        size=DESKTOP,
        follow=r"/desk/reports/\d+/",
    ),
    Shot("alerts", "/desk/alerts/", "Alerts at the desk: one waits for a second person", who="sara", size=DESKTOP),
    Shot("alert-where", "/desk/alerts/new/?kind=danger", "An alert at night: where?", who="mira", dark=True),
    Shot(
        "alert-check",
        "/desk/alerts/",
        "The second person reads what will go out",
        who="sara",
        size=DESKTOP,
        follow=r"/desk/alerts/\d+/",
    ),
    Shot("moderation", "/desk/moderation/", "Held texts wait for a second person", who="sara", size=DESKTOP),
    Shot("topics", "/administration/topics/", "Topics are data", who="admin", size=DESKTOP),
    Shot(
        "topic-edit",
        "/administration/topics/",
        "A topic is made on a page",
        who="admin",
        size=DESKTOP,
        follow=r"/administration/topics/(?!new)[a-z-]+/",
    ),
    Shot("journal", "/oversight/journal/", "The overseer reads the journal", who="vera", size=DESKTOP),
]

# Real data, which are no part of the repository: where they are absent, the pictures stay as they are.
KOSOVO = "/map/?topic=illegal-dump&since=2012-01-01&until=2015-12-31&lat=42.38&lon=20.42"
KOSOVO_SHOTS = [
    Shot("kosovo-desktop", f"{KOSOVO}&zoom=10", "686 real dumps of Kosovo, imported, as a heat map", size=DESKTOP),
    Shot("kosovo-near", f"{KOSOVO}&zoom=13", "The same, nearer: cells of the public resolution", size=DESKTOP),
    Shot("kosovo-dark", f"{KOSOVO}&zoom=10", "The same at night", size=DESKTOP, dark=True),
    Shot("kosovo-arabic", f"{KOSOVO}&zoom=10", "The same in Arabic", size=DESKTOP, language="ar"),
]


def main() -> None:
    """Start a demo site, take every picture, write the page that shows them."""
    with tempfile.TemporaryDirectory() as folder:
        port = _free_port()
        env = os.environ | {"COMMONBEAT_DATA_DIR": folder, "COMMONBEAT_PORT": str(port)}
        command = [str(Path(sys.executable).with_name("commonbeat"))]
        subprocess.run([*command, "demo"], env=env, check=True, stdout=subprocess.DEVNULL)
        site = subprocess.Popen([*command, "serve"], env=env, stdout=subprocess.DEVNULL)
        try:
            base = f"http://127.0.0.1:{port}"
            _wait(base)
            logins = {row["username"]: row for row in json.loads((Path(folder) / "demo.json").read_text("utf-8"))}
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
                states: dict[str, str] = {}
                for shot in SHOTS:
                    _take(browser, base, shot, logins, states, Path(folder))
                if _import_kosovo(command, env, base):
                    for shot in KOSOVO_SHOTS:
                        _take(browser, base, shot, logins, states, Path(folder))
                browser.close()
        finally:
            site.terminate()
            site.wait(timeout=15)
    _write_page()


def _take(
    browser: Browser, base: str, shot: Shot, logins: dict[str, dict[str, str]], states: dict[str, str], folder: Path
) -> None:
    if shot.who and shot.who not in states:
        states[shot.who] = _sign_in(browser, base, logins[shot.who], folder / f"state-{shot.who}.json")
    context = browser.new_context(
        viewport={"width": shot.size[0], "height": shot.size[1]},
        color_scheme="dark" if shot.dark else "light",
        java_script_enabled=shot.javascript,
        storage_state=states.get(shot.who),
        device_scale_factor=1,
    )
    context.add_cookies([{"name": "language", "value": shot.language, "url": base}])
    page = context.new_page()
    page.goto(base + shot.path)
    if shot.follow:
        page.goto(base + _first_link(page, shot.follow))
    if shot.javascript:
        page.wait_for_timeout(900)
    picture = page.screenshot(full_page=False)
    image = Image.open(io.BytesIO(picture)).convert("RGB").quantize(128)
    image.save(HERE / f"{shot.name}.png", optimize=True)
    context.close()


def _import_kosovo(command: list[str], env: dict[str, str], base: str) -> bool:
    """Bring in the dumps of Kosovo, where the file is at hand, and wait until the map counts them."""
    shared = Path(os.environ.get("COMMONBEAT_SHARED_DATA", HERE.parents[1].parent / "shared/data"))
    file = shared / "kosovo-illegal-dumps.js"
    if not file.is_file():
        print(f"{file} is absent: the pictures of Kosovo stay as they are.")
        return False
    mapping = HERE.parent / "mappings/kosovo-illegal-dumps.toml"
    subprocess.run(
        [*command, "import", "file", str(file), "--topic", "illegal-dump", "--mapping", str(mapping)],
        env=env,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    for _attempt in range(600):
        if "686" in urllib.request.urlopen(base + KOSOVO).read().decode():
            return True
        time.sleep(0.1)
    raise SystemExit("The map does not count the 686 dumps.")


def _first_link(page: Page, pattern: str) -> str:
    for link in page.locator("a[href]").all():
        address = link.get_attribute("href") or ""
        if re.search(pattern, address):
            return re.sub(r"^https?://[^/]+", "", address)
    raise SystemExit(f"No link on {page.url} matches {pattern}.")


def _sign_in(browser: Browser, base: str, login: dict[str, str], file: Path) -> str:
    context = browser.new_context()
    page = context.new_page()
    page.goto(base + "/account/login/")
    page.fill("#id_login", login["username"])
    page.fill("#id_password", login["password"])
    page.press("#id_password", "Enter")
    page.wait_for_load_state()
    page.fill("input[name=code]", _code(login["totp_secret"]))
    page.press("input[name=code]", "Enter")
    page.wait_for_load_state()
    context.storage_state(path=file)
    context.close()
    return str(file)


def _code(secret: str) -> str:
    """Compute the present TOTP code (RFC 6238: SHA-1, 30 s, 6 digits)."""
    counter = struct.pack(">Q", int(time.time()) // 30)
    digest = hmac.new(base64.b32decode(secret), counter, hashlib.sha1).digest()
    offset = digest[-1] & 0x0F
    return f"{(struct.unpack('>I', digest[offset : offset + 4])[0] & 0x7FFFFFFF) % 1_000_000:06d}"


def _wait(base: str) -> None:
    for _attempt in range(300):
        try:
            urllib.request.urlopen(base + "/healthz", timeout=1)  # our own address on loopback
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("The demo site did not start.")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _write_page() -> None:
    lines = ["# Screens", "", "Made by `make screens` from the demo town; people and places are invented.", ""]
    for shot in [*SHOTS, *(each for each in KOSOVO_SHOTS if (HERE / f"{each.name}.png").is_file())]:
        lines += [f"## {shot.words}", "", f"![{shot.words}]({shot.name}.png)", ""]
    (HERE / "README.md").write_text("\n".join(lines), "utf-8")


if __name__ == "__main__":
    main()
