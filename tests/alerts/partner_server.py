"""A partner's server on loopback, which answers as it is told and keeps what it got."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from commonbeat.alerts.calling import signature


class PartnerServer:
    """Take posts; `answers` are the next statuses, then 200."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        self.headers: dict[str, str] = {}
        # While it is not set, every call waits.
        self.may_answer = threading.Event()
        self.may_answer.set()
        partner = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                partner.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
                partner.may_answer.wait(10)
                self.send_response(partner.answers.pop(0) if partner.answers else 200)
                for name, value in partner.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}/look-outs?key=1"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def messages(self, secret: str) -> list[dict[str, Any]]:
        """Give what came, each with its signature checked as docs/partners.md says."""
        for headers, body in self.got:
            stamp = headers["x-commonbeat-timestamp"]
            assert headers["x-commonbeat-signature"] == signature(secret, stamp, body)
            assert headers["x-commonbeat-delivery"] == json.loads(body)["identifier"]
        return [json.loads(body) for _, body in self.got]

    def close(self) -> None:
        """End it."""
        self.may_answer.set()
        self.server.shutdown()
        self.server.server_close()


@contextmanager
def serving() -> Iterator[PartnerServer]:
    """Serve for a while."""
    server = PartnerServer()
    try:
        yield server
    finally:
        server.close()
