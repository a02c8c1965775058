"""A serving process that can be killed, a gateway that remembers, and people who write until they are heard."""

from __future__ import annotations

import hmac
import http.client
import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

SIGNING_KEY = "a signing key for tests only"
HOOK_SECRET = "an-end-of-the-address-for-tests"
COMMAND = [sys.executable, "-c", "from commonbeat.cli.main import main; main()"]
START_SECONDS = 30.0


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Gateway:
    """Take what the site sends, as Kannel and as SMSGate, and keep which of its processes sent it."""

    def __init__(self, *, slowest: float = 0.03) -> None:
        # key → (number of the process, recipient, text) for each time that it came
        self.taken: dict[str, list[tuple[int, str, str]]] = {}
        self._lock = threading.Lock()
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
                key = parse_qs(urlsplit(query["dlr-url"]).query)["key"][0]
                self._take(key, query["to"], query["text"], b"0: Accepted for delivery")

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                text = body["textMessage"]["text"]
                self._take(body["id"], body["phoneNumbers"][0], text, b'{"state":"Pending"}')

            def _take(self, key: str, recipient: str, text: str, answer: bytes) -> None:
                # By the address, for a busy machine may read late what was sent before a kill.
                life = int(self.path.split("/")[1])
                with gateway._lock:
                    gateway.taken.setdefault(key, []).append((life, recipient, text))
                # So that a kill also finds messages that are on their way.
                time.sleep(random.uniform(0, slowest))
                self.send_response(202)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()


class Site:
    """A site on disk and the process that serves it."""

    def __init__(self, folder: Path, gateway: Gateway, **more: str) -> None:
        self.port = free_port()
        self.database = folder / "commonbeat.sqlite3"
        self.log = folder.parent / "serve.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.lives = 0
        self._gateway = f"http://127.0.0.1:{gateway.port}"
        self.environment: Mapping[str, str] = {
            **{name: value for name, value in os.environ.items() if not name.startswith("COMMONBEAT_")},
            "COMMONBEAT_DATA_DIR": str(folder),
            "COMMONBEAT_PORT": str(self.port),
            "COMMONBEAT_SITE_URL": f"http://127.0.0.1:{self.port}",
            "COMMONBEAT_THREADS": "2",
            "COMMONBEAT_SMSGATE_SIGNING_KEY": SIGNING_KEY,
            "COMMONBEAT_KANNEL_HOOK_SECRET": HOOK_SECRET,
            **more,
        }

    def begin(self) -> None:
        """Make the database, the topics and the fallback desk."""
        subprocess.run([*COMMAND, "begin"], env=self.environment, check=True, capture_output=True, timeout=120)

    def start(self) -> float:
        """Serve, and return once it answers; gives the seconds it took."""
        begun = time.monotonic()
        self.lives += 1
        # Each process sends under a number of its own.
        addresses = {
            "COMMONBEAT_SMSGATE_URL": f"{self._gateway}/{self.lives}",
            "COMMONBEAT_KANNEL_SEND_URL": f"{self._gateway}/{self.lives}/cgi-bin/sendsms",
        }
        environment = {**self.environment, **addresses}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen([*COMMAND, "serve"], env=environment, stdout=log, stderr=log)
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() - begun > START_SECONDS:
                raise AssertionError(f"The site did not start:\n{self.log.read_text('utf-8')[-2000:]}")
            time.sleep(0.01)
        return time.monotonic() - begun

    def kill(self) -> None:
        """End the process as a failing machine does."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self, seconds: float = 10.0) -> float:
        """End the process as an operator does; gives the seconds it took."""
        assert self.process is not None
        begun = time.monotonic()
        self.process.terminate()
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        return time.monotonic() - begun

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        """Read the database from outside."""
        connection = sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=10)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()

    def count(self, sql: str) -> int:
        """Read one number."""
        value = self.rows(sql)[0][0]
        assert isinstance(value, int)
        return value

    def call(self, number: int, text: str) -> bool:
        """Let one person's message arrive by either gateway; True when it was acknowledged."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request(*_call(number, text))
            response = connection.getresponse()
            response.read()
            return response.status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=1)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def sender_of(number: int) -> str:
    """Give each message a person of its own."""
    return f"+38344{100_000 + number:06d}"


def _call(number: int, text: str) -> tuple[str, str, bytes | None, dict[str, str]]:
    if number % 2:
        query = {"from": sender_of(number), "to": "1550", "text": text, "ts": "1773489600", "id": f"c{number}"}
        return "GET", f"/hooks/kannel_sms/{HOOK_SECRET}?{urlencode(query)}", None, {}
    payload = {
        "messageId": f"{number:08x}",
        "message": text,
        "sender": sender_of(number),
        "receivedAt": "2026-03-14T12:00:00.000+01:00",
    }
    body = json.dumps({"id": f"e{number}", "event": "sms:received", "payload": payload}).encode()
    stamp = str(int(time.time()))
    signature = hmac.new(SIGNING_KEY.encode(), body + stamp.encode(), "sha256").hexdigest()
    return "POST", "/hooks/smsgate_sms", body, {"X-Timestamp": stamp, "X-Signature": signature}


class People:
    """Write messages one after the other, each until it is acknowledged, as gateways do."""

    def __init__(self, site: Site, *, writers: int = 3, pause: float = 0.02) -> None:
        self.acknowledged: set[int] = set()
        self._site = site
        self._pause = pause
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._write, args=(n, writers), daemon=True) for n in range(writers)]
        for thread in self._threads:
            thread.start()

    def finish(self) -> None:
        """Stop once each has had an acknowledgement for the message at hand."""
        self._over.set()
        for thread in self._threads:
            thread.join(30)
            assert not thread.is_alive()

    def _write(self, first: int, step: int) -> None:
        number = first
        while not self._over.is_set():
            while not self._site.call(number, f"Garbage was dumped beside the road, load {number}"):
                time.sleep(0.02)
            self.acknowledged.add(number)
            number += step
            time.sleep(random.uniform(0, self._pause * step))
