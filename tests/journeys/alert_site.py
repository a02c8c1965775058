"""A whole site for the journey of an alert: serving, with Kannel's calls, a push service and a partner around it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

from tests.channels.test_kannel_real import CONFIGURATION, PROGRAMS, SECRET
from tests.channels.test_kannel_real import _listens as listens
from tests.durability.site import free_port

# How fakesmsc tells of what it got: a text, or the part of a long one, behind the header that numbers it.
_GOT = re.compile(r"Got message \d+: <\S+ \S+ (?:text (.*)|udh (?:%\w\w){5}%(\w\w) data (\S*))>")
ROOT = Path(__file__).resolve().parents[2]
KEY = "a key for tests only, of sufficient length"
# Each runs in a process of its own, for the site has another data folder than this one.
PREPARE = """
import django, json, sys
django.setup()
from django.conf import settings
from commonbeat.alerts.actions.partners import add_partner
from commonbeat.alerts.actions.subscribing import Where, subscribe
from commonbeat.foundation import clock
from commonbeat.messaging.actions import contact_for
from tests import make
now = clock.now()
unit = make.fallback()
make.make_beat(unit=unit, name="Old town")
people = [make.make_user(name, role="officer", unit=unit) for name in ("officer", "second-officer")]
browser = contact_for(kind="push", address=sys.argv[1], channel="webpush", language="en", now=now)
home = Where(latitude=make.LATITUDE, longitude=make.LONGITUDE, radius=1_000)
subscribe(contact=browser, where=home, language="en", is_confirmed=True, now=now)
_, secret = add_partner(name="Taxis", url=sys.argv[2], kinds=[], actor_id=people[0].pk, now=now)
name = settings.SESSION_COOKIE_NAME
cookies = [make.signed_in(person).cookies[name].value for person in people]
print(json.dumps({"cookie": name, "officers": cookies, "secret": secret}))
"""
ASK = """
import django, json
django.setup()
from commonbeat.alerts.models import FanOut, Sighting, Subscription
from commonbeat.messaging.models import Outbound
rows = Outbound.objects.filter(broadcast__isnull=False).order_by("pk")
asking = Subscription.objects.filter(confirmed_at__isnull=False)
print(json.dumps({
    "subscriptions": sorted(asking.values_list("contact__kind", flat=True)),
    "messages": [list(row) for row in rows.values_list("channel", "state", "broadcast__key")],
    "sightings": Sighting.objects.count(),
    "queued": list(FanOut.objects.order_by("pk").values_list("queued", flat=True)),
}))
"""


@dataclass
class Site:
    """A serving process, and a way to do something in its data folder."""

    address: str
    environment: dict[str, str]

    def run(self, script: str, *arguments: str) -> Any:
        """Run a script as another process of the same site; give what it printed."""
        done = subprocess.run(
            [sys.executable, "-c", script, *arguments],
            env=self.environment, cwd=ROOT, check=True, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        return json.loads(done.stdout.splitlines()[-1])

    def asked(self) -> Any:
        """Tell how things stand."""
        return self.run(ASK)


@contextmanager
def serving(folder: Path, port: int, settings: Mapping[str, str]) -> Iterator[Site]:
    """Serve a site at a port."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COMMONBEAT_")}
    environment = kept | {
        "COMMONBEAT_DATA_DIR": str(folder),
        "COMMONBEAT_SECRET_KEY": KEY,
        "COMMONBEAT_SITE_URL": f"http://127.0.0.1:{port}",
        "COMMONBEAT_LANGUAGES": "en",
        # News of an end wait for the morning, and this may run by night.
        "COMMONBEAT_QUIET_HOURS": "",
        "DJANGO_SETTINGS_MODULE": "commonbeat.config.settings",
        "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}",
        **settings,
    }
    start = "from commonbeat.cli.main import main; main()"
    log = (folder.parent / "serving.log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-c", start, "serve", "--port", str(port)],
        env=environment, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT,
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + 120
        while True:
            try:
                urllib.request.urlopen(f"{address}/account/login/", timeout=5).close()
                break
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                assert process.poll() is None and time.monotonic() < until, (folder.parent / "serving.log").read_text()
                time.sleep(0.1)
        yield Site(address, environment)
    finally:
        process.terminate()
        process.wait(30)
        log.close()


class Telephone:
    """One telephone at Kannel's fake message centre, which takes one connection at a time."""

    def __init__(self, folder: Path, centre: int, number: str) -> None:
        self._folder, self._centre, self._number = folder, centre, number
        self._process: subprocess.Popen[bytes] | None = None
        self._times = 0

    def write(self, text: str) -> None:
        """Send a message, and stay connected for what comes."""
        self.hang_up()
        self._times += 1
        with (self._folder / f"telephone-{self._times}.log").open("wb") as out:
            command = [PROGRAMS["fakesmsc"], "-H", "127.0.0.1", "-r", str(self._centre), "-i", "0.01", "-m", "1"]
            command.append(f"{self._number} 1550 text {text}")
            self._process = subprocess.Popen(command, stdout=out, stderr=out)

    def got(self) -> str:
        """Give all that has come to it, a message a line; long ones are put together from their parts."""
        logs = sorted(self._folder.glob("telephone-*.log"))
        found = ""
        for plain, part, data in _GOT.findall("\n".join(one.read_text("utf-8", "replace") for one in logs)):
            found += unquote_plus(data) if part and part != "01" else "\n" + (unquote_plus(data) if part else plain)
        return found

    def hang_up(self) -> None:
        """End the connection."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None


@contextmanager
def kannel(folder: Path, hooks: int, ports: Mapping[str, int]) -> Iterator[Telephone]:
    """Run Kannel between a telephone and a site whose hooks are at a port."""
    file = folder / "kannel.conf"
    file.write_text(CONFIGURATION.format(folder=folder, hooks=hooks, secret=SECRET, **ports), "utf-8")
    running: list[subprocess.Popen[bytes]] = []
    telephone = Telephone(folder, ports["centre"], "+38344123456")
    try:
        for name, port in (("bearerbox", ports["boxes"]), ("smsbox", ports["sendsms"])):
            with (folder / f"{name}.out").open("wb") as out:
                running.append(subprocess.Popen([PROGRAMS[name], "-v", "4", str(file)], stdout=out, stderr=out))
            wait_until(lambda port=port: listens(port))
        wait_until(lambda: listens(ports["centre"]))
        yield telephone
    finally:
        telephone.hang_up()
        for process in reversed(running):
            process.terminate()
        for process in running:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def kannel_settings(ports: Mapping[str, int]) -> dict[str, str]:
    """Give a site's settings for such a Kannel."""
    return {
        "COMMONBEAT_SMS_CHANNEL": "kannel_sms",
        "COMMONBEAT_SMS_NUMBER": "1550",
        "COMMONBEAT_KANNEL_SEND_URL": f"http://127.0.0.1:{ports['sendsms']}/cgi-bin/sendsms",
        "COMMONBEAT_KANNEL_USERNAME": "user",
        "COMMONBEAT_KANNEL_PASSWORD": "word",
        "COMMONBEAT_KANNEL_HOOK_SECRET": SECRET,
    }


def free_ports() -> dict[str, int]:
    """Find the ports that Kannel needs."""
    return {name: free_port() for name in ("admin", "boxes", "centre", "sendsms")}


def wait_until(what: Any, seconds: float = 30.0) -> Any:
    """Wait until something is so, and give it."""
    until = time.monotonic() + seconds
    while True:
        found = what()
        if found:
            return found
        assert time.monotonic() < until, "it did not come in time"
        time.sleep(0.05)
