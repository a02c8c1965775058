"""Clients who send or take as little as they can: nobody else may notice them. Real sockets, on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from commonbeat.config.assets import Assets
from commonbeat.config.bridge import Bridge, Limits
from commonbeat.config.protocol import ImpatientProtocol

THREADS = 2
LARGE = b"x" * 128_000
POST = b"POST / HTTP/1.1\r\nHost: here.test\r\nContent-Length: 1000\r\n\r\nx"


def pages(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    body = environ["wsgi.input"].read()
    start("200 OK", [("Content-Type", "text/plain")])
    if environ["PATH_INFO"] == "/large":
        return [LARGE]
    if environ["PATH_INFO"] == "/from":
        return [environ.get("HTTP_X_FORWARDED_FOR", "nobody").encode()]
    return [b"a page", body]


class Impatient(ImpatientProtocol):
    head_seconds = 0.4
    silent_seconds = 0.6
    stuck_seconds = 0.4


class Site:
    """A server in a thread, with the bridge, the static files and the protocol of a real one."""

    def __init__(self, folder: Path) -> None:
        (folder / "large.js").write_bytes(LARGE)
        self.bridge = Bridge(pages, threads=THREADS, folder=folder, limits=Limits(patience_seconds=0.4))
        assets = Assets(folder, url="/static/", hosts=["here.test", "127.0.0.1"], security_headers={})

        async def application(scope: Any, receive: Any, send: Any) -> None:
            await (assets if assets.has(scope["path"]) else self.bridge)(scope, receive, send)

        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.listener.getsockname()[1])
        config = uvicorn.Config(
            application, http=Impatient, loop="uvloop", ws="none", lifespan="off", access_log=False, log_level="error"
        )
        self.server = uvicorn.Server(config)
        self._thread = threading.Thread(target=lambda: asyncio.run(self.server.serve(sockets=[self.listener])))
        self._thread.start()
        until(lambda: self.server.started)

    def stop(self) -> None:
        self.server.should_exit = True
        self._thread.join(10)
        self.listener.close()

    def open(self, data: bytes = b"", *, takes: int | None = None) -> socket.socket:
        """Connect and send; takes is the size of the receive buffer."""
        client = socket.socket()
        if takes is not None:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, takes)
        client.settimeout(5)
        client.connect(("127.0.0.1", self.port))
        client.sendall(data)
        return client

    def answers(self, **headers: str) -> str:
        """Fetch a page as anybody else would."""
        answer = httpx.get(f"http://127.0.0.1:{self.port}/", headers=headers, timeout=2)
        assert answer.status_code == 200
        return answer.text

    @property
    def connections(self) -> int:
        return len(self.server.server_state.connections)


def until(is_so: Callable[[], bool], seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    served = Site(tmp_path)
    try:
        yield served
    finally:
        served.stop()


@contextlib.contextmanager
def held(clients: list[socket.socket]) -> Iterator[list[socket.socket]]:
    try:
        yield clients
    finally:
        for client in clients:
            client.close()


def test_bodies_that_never_come_hold_nobody_up(site: Site) -> None:
    with held([site.open(POST) for _ in range(THREADS * 4)]) as clients:
        assert site.answers() == "a page"
        # And they are told, and their connections end.
        for client in clients:
            assert b" 408 " in client.recv(1000)
        until(lambda: site.connections == 0)
    assert site.bridge._held == 0


@pytest.mark.parametrize("path", [b"/static/large.js", b"/large"])
def test_readers_who_take_nothing_hold_nobody_up(site: Site, path: bytes) -> None:
    asked = b"GET %b HTTP/1.1\r\nHost: here.test\r\n\r\n" % path * 40
    with held([site.open(asked, takes=2048) for _ in range(THREADS * 4)]):
        assert site.answers() == "a page"
        # Cut off, whether they close or not.
        until(lambda: site.connections == 0)
    assert site.answers() == "a page"
    assert site.bridge._busy == 0


def test_readers_who_leave_in_the_middle_hold_nobody_up(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    asked = b"GET /large HTTP/1.1\r\nHost: here.test\r\n\r\n" * 40
    for _ in range(THREADS * 4):
        client = site.open(asked, takes=2048)
        client.recv(100)
        # A reset, not a farewell.
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
    until(lambda: site.connections == 0)
    assert site.answers() == "a page"
    assert site.bridge._busy == 0
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("data", [b"", b"GET / HTTP/1.1\r\nHost: ", b"GET / HTTP/1.1\r\nX: " + b"x" * 200_000])
def test_heads_that_never_end_are_cut_off(site: Site, data: bytes) -> None:
    client = site.open()
    with held([client]):
        with contextlib.suppress(OSError):
            client.sendall(data)
        until(lambda: site.connections == 0)
    assert site.answers() == "a page"


def test_a_patient_client_is_served_to_the_end(site: Site) -> None:
    # Slower than each of the limits, but never silent for long.
    with held([site.open(b"POST / HTTP/1.1\r\nHost: here.test\r\nContent-Length: 2000\r\n\r\n")]) as (client,):
        for _ in range(10):
            client.sendall(b"x" * 200)
            time.sleep(0.06)
        answer = client.recv(100)
        assert b" 200 " in answer
        # The connection is kept.
        client.sendall(b"GET / HTTP/1.1\r\nHost: here.test\r\n\r\n")
        until(lambda: b" 200 " in client.recv(3000) or True)


def test_an_address_cannot_be_slipped_in_beside_the_proxys(site: Site) -> None:
    address = f"http://127.0.0.1:{site.port}/from"
    assert httpx.get(address, headers={"X_Forwarded_For": "9.9.9.9"}).text == "nobody"
    both = {"X_Forwarded_For": "9.9.9.9", "X-Forwarded-For": "1.1.1.1"}
    assert httpx.get(address, headers=both).text == "1.1.1.1"
