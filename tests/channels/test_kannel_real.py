"""A real Kannel with its fake message centre, on loopback: both directions, and a delivery report."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from commonbeat.messaging.channel import Failed, Inbound, Outbound, Receipt, Request, Sent, channels
from tests.durability.site import free_port

SECRET = "the-end-of-the-address"
FAKESMSC = "/usr/lib/kannel/test/fakesmsc"
PROGRAMS = {
    "bearerbox": shutil.which("bearerbox") or "/usr/sbin/bearerbox",
    "smsbox": shutil.which("smsbox") or "/usr/sbin/smsbox",
    "fakesmsc": shutil.which("fakesmsc") or FAKESMSC,
}
MISSING = [name for name, path in PROGRAMS.items() if not Path(path).exists()]

pytestmark = [
    pytest.mark.kannel,
    pytest.mark.skipif(
        bool(MISSING), reason=f"{', '.join(MISSING)} of Kannel is absent (Debian: apt install kannel kannel-extras)"
    ),
]

CONFIGURATION = """
group = core
admin-port = {admin}
admin-password = word
admin-interface = 127.0.0.1
admin-allow-ip = 127.0.0.1
smsbox-port = {boxes}
box-allow-ip = 127.0.0.1
log-file = {folder}/bearerbox.log

group = smsc
smsc = fake
smsc-id = fake
host = 127.0.0.1
port = {centre}
connect-allow-ip = 127.0.0.1

group = smsbox
bearerbox-host = 127.0.0.1
bearerbox-port = {boxes}
sendsms-port = {sendsms}
sendsms-interface = 127.0.0.1
log-file = {folder}/smsbox.log

group = sms-service
keyword = default
catch-all = true
max-messages = 0
omit-empty = true
get-url = "http://127.0.0.1:{hooks}/hooks/kannel_sms/{secret}?from=%p&to=%P&text=%b&ts=%T&id=%I&coding=%c&charset=%C"

group = sendsms-user
username = user
password = word
max-messages = 8
concatenation = true
omit-empty = true
"""


def wait_for(what, seconds: float = 10.0):
    until = time.monotonic() + seconds
    while True:
        found = what()
        if found:
            return found
        assert time.monotonic() < until, "Kannel did not do it in time"
        time.sleep(0.02)


class Hooks:
    """Take Kannel's calls and hand them to the channel, as live/ does."""

    def __init__(self) -> None:
        self.parsed: list[Inbound | Receipt] = []
        hooks = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                url = urlsplit(self.path)
                query = dict(parse_qsl(url.query, keep_blank_values=True, errors="surrogateescape"))
                tail = url.path.removeprefix("/hooks/kannel_sms/")
                request = Request("GET", tail, query, {}, b"")
                channel = channels()["kannel_sms"]
                channel.verify(request)
                hooks.parsed += channel.parse(request)
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = int(self.server.server_address[1])
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def messages(self) -> list[Inbound]:
        return [one for one in self.parsed if isinstance(one, Inbound)]

    def receipts(self) -> list[Receipt]:
        return [one for one in self.parsed if isinstance(one, Receipt)]


@dataclasses.dataclass
class Kannel:
    hooks: Hooks
    centre: int
    folder: Path
    running: list[subprocess.Popen[bytes]]

    def phone(self, *messages: str) -> Path:
        """Connect a telephone to the message centre, let it send, and give the file of what it gets."""
        log = self.folder / f"phone-{len(self.running)}.log"
        with log.open("wb") as out:
            command = [PROGRAMS["fakesmsc"], "-H", "127.0.0.1", "-r", str(self.centre), "-i", "0.01"]
            command += ["-m", str(len(messages)), *messages]
            self.running.append(subprocess.Popen(command, stdout=out, stderr=out))
        return log


@pytest.fixture
def kannel(tmp_path: Path, settings) -> Iterator[Kannel]:
    hooks = Hooks()
    ports = {name: free_port() for name in ("admin", "boxes", "centre", "sendsms")}
    file = tmp_path / "kannel.conf"
    file.write_text(CONFIGURATION.format(folder=tmp_path, hooks=hooks.port, secret=SECRET, **ports), "utf-8")
    settings.COMMONBEAT = dataclasses.replace(
        settings.COMMONBEAT,
        site_url=f"http://127.0.0.1:{hooks.port}",
        sms_number="1550",
        kannel_send_url=f"http://127.0.0.1:{ports['sendsms']}/cgi-bin/sendsms",
        kannel_username="user",
        kannel_password="word",
        kannel_hook_secret=SECRET,
    )
    running: list[subprocess.Popen[bytes]] = []
    for name, port in (("bearerbox", ports["boxes"]), ("smsbox", ports["sendsms"])):
        with (tmp_path / f"{name}.out").open("wb") as out:
            running.append(subprocess.Popen([PROGRAMS[name], "-v", "4", str(file)], stdout=out, stderr=out))
        wait_for(lambda port=port: _listens(port))
    wait_for(lambda: _listens(ports["centre"]))
    yield Kannel(hooks, ports["centre"], tmp_path, running)
    for process in reversed(running):
        process.terminate()
    for process in running:
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    hooks.server.shutdown()
    hooks.server.server_close()


def _listens(port: int) -> bool:
    import socket

    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_text_comes_in(kannel: Kannel) -> None:
    kannel.phone("+38344123456 1550 text Zjarr te ura, është urgjente & 100% e vërtetë")
    (message,) = wait_for(kannel.hooks.messages)
    assert message.sender == "+38344123456"
    assert message.text == "Zjarr te ura, është urgjente & 100% e vërtetë"
    assert message.sent_at is not None
    assert abs(message.sent_at.timestamp() - time.time()) < 3600


def test_texts_go_out_in_either_alphabet_and_their_delivery_is_reported(kannel: Kannel) -> None:
    log = kannel.phone("+38344999888 1550 text hello")
    wait_for(kannel.hooks.messages)
    channel = channels()["kannel_sms"]
    latin = Outbound(recipient="+38344123456", text="Your reference is KX7M-4QXP-2R. @ {x} €", idempotency_key="in:1:0")
    arabic = Outbound(recipient="+38344123456", text="رقم البلاغ", idempotency_key="in:2:0")
    assert channel.send(latin) == Sent(provider_id="in:1:0")
    assert channel.send(arabic) == Sent(provider_id="in:2:0")

    def arrived() -> bytes:
        text = log.read_bytes()
        return text if text.count(b"Got message") >= 2 else b""

    text = wait_for(arrived).decode("utf-8", "replace")
    assert "KX7M-4QXP-2R" in text
    assert "1550 +38344123456 ucs-2 " in text
    receipts = wait_for(lambda: kannel.hooks.receipts() if len(kannel.hooks.receipts()) >= 2 else [])
    assert {(one.about, one.outcome) for one in receipts} == {("in:1:0", "delivered"), ("in:2:0", "delivered")}


def test_a_wrong_password_is_not_for_good(kannel: Kannel, settings) -> None:
    settings.COMMONBEAT = dataclasses.replace(settings.COMMONBEAT, kannel_password="wrong")
    message = Outbound(recipient="+38344123456", text="x", idempotency_key="k")
    assert channels()["kannel_sms"].send(message) == Failed("authorization", permanent=False)
