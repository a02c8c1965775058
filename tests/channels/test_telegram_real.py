"""Against an emulator of the Bot API that others wrote (npm: telegram-test-api); skipped where it is absent.

It is fetched into a temporary folder; COMMONBEAT_TEST_TELEGRAM_LIBRARY names one that is there.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest

from commonbeat.channels.telegram import Telegram
from commonbeat.messaging.channel import Inbound, Outbound, Request, Sent
from tests.channels.chat import SETTINGS, TELEGRAM_SECRET
from tests.channels.npm import npm_installs
from tests.durability.site import free_port

NODE = shutil.which("node") or ""
NPM = shutil.which("npm") or ""
VERSION = "4.2.1"
TOKEN = "123456:token"
SERVER = """
const TelegramServer = require(process.argv[1]);
const server = new TelegramServer({port: Number(process.argv[2]), host: '127.0.0.1', storage: 'RAM', storeTimeout: 60});
server.start().then(() => console.log('ready'));
"""


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (NODE and NPM), reason="node and npm are absent (Debian: apt install nodejs npm)"),
]


def fetched(folder: Path) -> Path:
    """Fetch the emulator."""
    command = [
        NPM,
        "install",
        "--silent",
        "--no-audit",
        "--no-fund",
        "--ignore-scripts",
        f"telegram-test-api@{VERSION}",
    ]
    if not npm_installs(command, folder):
        pytest.skip(
            f"npm could not fetch telegram-test-api@{VERSION} (set COMMONBEAT_TEST_TELEGRAM_LIBRARY to its folder);"
            " not in CI without npm's registry"
        )
    return folder / "node_modules" / "telegram-test-api"


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run the emulator, and give its address."""
    named = os.environ.get("COMMONBEAT_TEST_TELEGRAM_LIBRARY")
    folder = Path(named) if named else fetched(tmp_path_factory.mktemp("telegram"))
    port = free_port()
    process = subprocess.Popen(
        [NODE, "-e", SERVER, str(folder), str(port)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready"
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def calls() -> Iterator[tuple[str, list[Request]]]:
    """Take webhook calls, and give the address to call."""
    taken: list[Request] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            taken.append(Request("POST", "", {}, {k.lower(): v for k, v in self.headers.items()}, body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook", taken
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()


def bot(settings, emulator: str) -> Telegram:
    site = replace(settings.COMMONBEAT, **{**SETTINGS, "telegram_token": TOKEN, "telegram_api_url": emulator})
    return Telegram(lambda: site)


def test_what_we_send_arrives(settings, emulator: str) -> None:
    outcome = bot(settings, emulator).send(
        Outbound(recipient="telegram:1", text="Your reference is KX7M-4QXP-2R. شكرا 😀", idempotency_key="in:7:0")
    )
    assert isinstance(outcome, Sent)
    assert outcome.provider_id
    got = httpx.post(f"{emulator}/getUpdates", json={"token": TOKEN, "chatId": 1}, trust_env=False).json()["result"]
    (update,) = got
    assert update["message"]["text"] == "Your reference is KX7M-4QXP-2R. شكرا 😀"
    assert str(update["message"]["chat_id"]) == "1"


def test_what_a_person_writes_is_read(settings, emulator: str, calls: tuple[str, list[Request]]) -> None:
    address, taken = calls
    channel = bot(settings, emulator)
    said = channel.call("setWebhook", {"url": address, "secret_token": TELEGRAM_SECRET}).json()
    assert said["ok"] is True
    message = {
        "botToken": TOKEN,
        "from": {"id": 1, "is_bot": False, "first_name": "Someone"},
        "chat": {"id": 1, "type": "private", "first_name": "Someone"},
        "date": 1773489600,
        "text": "light is broken",
    }
    httpx.post(f"{emulator}/sendMessage", json=message, trust_env=False)
    until = time.monotonic() + 5
    while not taken and time.monotonic() < until:
        threading.Event().wait(0.02)
    (call,) = taken
    (inbound,) = channel.parse(call)
    assert isinstance(inbound, Inbound)
    assert (inbound.sender, inbound.text) == ("telegram:1", "light is broken")
    assert json.loads(call.body)["update_id"]
