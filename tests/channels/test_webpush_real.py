"""Against a push service that others wrote and that decrypts (npm: web-push-testing); skipped where it is absent.

It is fetched into a temporary folder; COMMONBEAT_TEST_PUSH_LIBRARY names one that is there.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from commonbeat.channels.webpush import TEXT_BYTES, WebPush
from commonbeat.foundation import clock
from commonbeat.messaging.channel import OPTED_OUT, Failed, Outbound, Sent
from commonbeat.messaging.push import application_server_key, normal_push_address
from tests.channels.npm import npm_installs
from tests.durability.site import free_port

NODE = shutil.which("node") or ""
NPM = shutil.which("npm") or ""
VERSION = "1.2.2"
SERVER = """
const {PushApiModel} = require(process.argv[1] + '/src/PushApiModel');
const Server = require(process.argv[1] + '/src/server');
new Server(new PushApiModel(), Number(process.argv[2])).startServer();
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (NODE and NPM), reason="node and npm are absent (Debian: apt install nodejs npm)"),
]


@dataclass(frozen=True)
class PushService:
    """The service on loopback."""

    address: str

    def ask(self, path: str, **body: Any) -> Any:
        """Ask what its own clients ask."""
        answer = httpx.post(f"{self.address}/{path}", json=body, trust_env=False)
        answer.raise_for_status()
        return answer.json()["data"] if answer.headers["content-type"].startswith("application/json") else None

    def subscribe(self, key: str) -> tuple[str, str]:
        """Subscribe a browser; give its number and its address in our form."""
        given = self.ask("subscribe", userVisibleOnly="true", applicationServerKey=key)
        # It calls itself "localhost", where it listens on IPv6 alone on some computers.
        endpoint = given["endpoint"].replace("localhost", "127.0.0.1")
        text = json.dumps({"endpoint": endpoint, "keys": given["keys"]})
        return given["clientHash"], normal_push_address(text, may_be_near=True)

    def messages(self, browser: str) -> list[str]:
        """Give what a browser read."""
        return list(self.ask("get-notifications", clientHash=browser)["messages"])


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PushService]:
    """Run the service, and give its address."""
    named = os.environ.get("COMMONBEAT_TEST_PUSH_LIBRARY")
    folder = Path(named) if named else fetched(tmp_path_factory.mktemp("push"))
    port = free_port()
    process = subprocess.Popen(
        [NODE, "-e", SERVER, str(folder), str(port)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout is not None
        assert "running" in process.stdout.readline()
        found = PushService(f"http://127.0.0.1:{port}")
        until = time.monotonic() + 5
        while time.monotonic() < until:
            try:
                httpx.post(f"{found.address}/status", trust_env=False)
                break
            except httpx.ConnectError:
                continue
        yield found
    finally:
        process.terminate()
        process.wait(10)


def fetched(folder: Path) -> Path:
    """Fetch the service."""
    options = ["--silent", "--no-audit", "--no-fund", "--ignore-scripts"]
    if not npm_installs([NPM, "install", *options, f"web-push-testing@{VERSION}"], folder):
        pytest.skip(
            f"npm could not fetch web-push-testing@{VERSION} (set COMMONBEAT_TEST_PUSH_LIBRARY to its folder);"
            " not in CI without npm's registry"
        )
    return folder / "node_modules" / "web-push-testing"


@pytest.fixture
def channel(settings) -> WebPush:
    site = replace(settings.COMMONBEAT, push_loopback=True, mail_address="report@example.org")
    return WebPush(lambda: site)


def message_to(address: str, text: str) -> Outbound:
    return Outbound(
        recipient=address,
        text=text,
        idempotency_key="alert:1:2",
        expires_at=clock.now() + timedelta(hours=1),
        topic="alert-1",
        is_urgent=True,
    )


def test_what_we_send_is_decrypted_and_our_signature_holds(service: PushService, channel: WebPush, settings) -> None:
    browser, address = service.subscribe(application_server_key(settings.COMMONBEAT.secret))
    longest = "ë" * (TEXT_BYTES // 2)
    texts = ['{"title":"Water at the old bridge is not safe"}', "ماء غير صالح للشرب 🚱", longest]
    for text in texts:
        assert isinstance(channel.send(message_to(address, text)), Sent)
    assert service.messages(browser) == texts


def test_a_subscription_with_another_sites_key_is_refused_by_the_service(
    service: PushService, channel: WebPush
) -> None:
    browser, address = service.subscribe(application_server_key(b"another site, and its secret"))
    assert channel.send(message_to(address, "{}")) == Failed("http 400", permanent=True)
    assert service.messages(browser) == []


def test_an_expired_subscription_ends(service: PushService, channel: WebPush, settings) -> None:
    browser, address = service.subscribe(application_server_key(settings.COMMONBEAT.secret))
    assert isinstance(channel.send(message_to(address, "{}")), Sent)
    service.ask(f"expire-subscription/{browser}")
    assert channel.send(message_to(address, "{}")) == Failed(OPTED_OUT, permanent=True)
    assert len(service.messages(browser)) == 1


def test_without_the_setting_a_service_on_this_computer_is_not_even_connected_to(
    service: PushService, settings
) -> None:
    browser, address = service.subscribe(application_server_key(settings.COMMONBEAT.secret))
    outcome = WebPush(lambda: settings.COMMONBEAT).send(message_to(address, "{}"))
    assert outcome == Failed("ConnectError", permanent=False, is_elsewhere=True)
    assert service.messages(browser) == []
