"""The bridge of deploy/gammu/ with folders of its own, and the site that it talks to."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TypeVar

from commonbeat.messaging.channel import Inbound, Receipt, Refused, Request, channels

REPOSITORY = Path(__file__).resolve().parents[2]
BRIDGE = REPOSITORY / "deploy/gammu/commonbeat-gammu"
KEY = "a-key-that-both-have"
FOLDERS = ("inbox", "outbox", "sent", "error")
T = TypeVar("T")

SMSDRC = """
[gammu]
port = {folder}/phone
connection = none
model = dummy

[smsd]
service = files
inboxpath = {folder}/inbox/
outboxpath = {folder}/outbox/
sentsmspath = {folder}/sent/
errorsmspath = {folder}/error/
TransmitFormat = {transmit}
debuglevel = 0
CommTimeout = 1
ReceiveFrequency = 1
StatusFrequency = 0
MultipartTimeout = 5
CheckSecurity = 0
CheckBattery = 0
CheckSignal = 0
CheckNetwork = 0
RunOnReceive = {command} received
RunOnSent = {command} sent
RunOnFailure = {command} failed
"""


def wait_for(what: Callable[[], T], seconds: float = 15.0) -> T:
    """Ask again until the answer is something."""
    until = time.monotonic() + seconds
    while True:
        found = what()
        if found:
            return found
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.02)


class Site:
    """Take the bridge's calls and hand them to the channel, as live/ does; answers can be told to fail first."""

    def __init__(self) -> None:
        self.parsed: list[Inbound | Receipt] = []
        self.failing: list[int] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                status = 200
                try:
                    assert self.path == "/hooks/webhook_sms"
                    request = Request("POST", "", {}, headers, body)
                    channels()["webhook_sms"].verify(request)
                    found = channels()["webhook_sms"].parse(request)
                    if site.failing:
                        status = site.failing.pop(0)
                    else:
                        site.parsed += found
                except Refused as refused:
                    status = refused.status
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = int(self.server.server_address[1])
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop answering."""
        self.server.shutdown()
        self.server.server_close()


@dataclasses.dataclass
class Bridge:
    """The bridge's settings, folders and process."""

    folder: Path
    port: int
    process: subprocess.Popen[str] | None = None

    @property
    def config(self) -> Path:
        """Name the file of its settings."""
        return self.folder / "bridge.ini"

    def prepare(self, site_port: int, transmit: str = "auto") -> None:
        """Make its folders and settings."""
        for name in (*FOLDERS, *(f"phone/sms/{number}" for number in range(1, 6))):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        (self.folder / "key").write_text(KEY + "\n")
        command = f"{sys.executable} {BRIDGE} --config {self.config}"
        (self.folder / "smsdrc").write_text(SMSDRC.format(folder=self.folder, command=command, transmit=transmit))
        self.config.write_text(
            f"[bridge]\nsite = http://127.0.0.1:{site_port}\nkey_file = {self.folder}/key\n"
            f"listen = 127.0.0.1:{self.port}\nstate = {self.folder}/state\nsmsdrc = {self.folder}/smsdrc\n"
        )

    def start(self) -> None:
        """Start it and wait until it listens."""
        command = [sys.executable, str(BRIDGE), "--config", str(self.config), "serve"]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert self.process.stderr is not None
        assert "Listening" in self.process.stderr.readline()

    def stop(self) -> str:
        """End it; give what it said since it listens."""
        process, self.process = self.process, None
        if process is None:
            return ""
        process.terminate()
        return process.communicate(timeout=10)[1]

    def event(self, what: str, *files: str, **said: str) -> subprocess.CompletedProcess[str]:
        """Run it as gammu-smsd does on an event."""
        command = [sys.executable, str(BRIDGE), "--config", str(self.config), what, *files]
        env = {"PATH": os.environ["PATH"], **said}
        return subprocess.run(command, env=env, capture_output=True, text=True, timeout=20, check=False)

    def names(self, folder: str) -> list[str]:
        """List one of its folders."""
        return sorted(each.name for each in (self.folder / folder).glob("*"))
