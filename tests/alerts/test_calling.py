"""Posting to a stranger's address: never into our own network, over in time, and nothing is raised."""

from __future__ import annotations

import hashlib
import hmac
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from commonbeat.alerts import calling
from commonbeat.alerts.calling import GONE, Answered, is_fit_address, post, signature
from commonbeat.alerts.fetching import FetchError
from tests.alerts.partner_server import PartnerServer, serving
from tests.architecture.source import REPOSITORY


@pytest.fixture
def server() -> Iterator[PartnerServer]:
    with serving() as found:
        yield found


def call(address: str, *, near: bool = True, **more) -> Answered:
    return post(address, body=b'{"a":1}', headers={"X-One": "1"}, near=near, **more)


def test_a_body_is_posted_as_it_is(server: PartnerServer) -> None:
    assert call(server.address) == Answered()
    ((headers, body),) = server.got
    assert body == b'{"a":1}' and headers["x-one"] == "1"
    assert headers["host"] == server.address.split("/")[2]


def test_a_signature_is_what_the_page_for_partners_says() -> None:
    assert signature("secret", "17", b"body") == hmac.new(b"secret", b"17.body", hashlib.sha256).hexdigest()


@pytest.mark.parametrize(
    ("status", "headers", "answered"),
    [
        (204, {}, Answered()),
        (410, {}, Answered(GONE)),
        (404, {}, Answered("status 404")),
        (500, {"Retry-After": "60"}, Answered("status 500")),
        (503, {"Retry-After": "60"}, Answered("status 503", 60.0)),
        (429, {"Retry-After": "99999999"}, Answered("status 429", calling.LONGEST_PAUSE)),
        (503, {"Retry-After": "Sat, 14 Mar 2026 12:00:00 GMT"}, Answered("status 503")),
    ],
)
def test_answers_are_judged(server: PartnerServer, status: int, headers: dict[str, str], answered: Answered) -> None:
    server.answers, server.headers = [status], headers
    assert call(server.address) == answered


def test_redirects_are_not_followed(server: PartnerServer) -> None:
    with serving() as other:
        server.answers, server.headers = [307], {"Location": other.address}
        assert call(server.address) == Answered("redirect")
        assert not other.got


@pytest.mark.parametrize(
    ("address", "near", "is_fit"),
    [
        ("https://taxi.example/hook?key=1", False, True),
        ("https://taxi.example:8443/", False, True),
        ("https://[2001:db8::1]/", False, True),
        ("http://taxi.example/", False, False),
        ("http://taxi.example/", True, False),
        ("http://127.0.0.1:81/", False, False),
        ("http://127.0.0.1:81/", True, True),
        ("https://user:word@taxi.example/", False, False),
        ("https://taxi.example:0/", False, False),
        ("https://taxi.example:99999/", False, False),
        ("https://taxi.example/a b", False, False),
        ("https://taxi.example/ë", False, False),
        ("https://taxi.example\\@10.0.0.1/", False, False),
        ("https:///x", False, False),
        ("ftp://taxi.example/", False, False),
        ("https://taxi.example/" + "a" * 500, False, False),
        ("https://taxi.example/\r\nX: 1", False, False),
    ],
)
def test_an_address_has_to_look_like_one(address: str, near: bool, is_fit: bool) -> None:
    assert is_fit_address(address, near=near) is is_fit


@pytest.mark.parametrize(
    "found",
    [
        ["127.0.0.1"],
        ["10.1.2.3"],
        ["169.254.169.254"],
        ["192.168.0.1"],
        ["::1"],
        ["fd00::1"],
        ["::ffff:10.0.0.1"],
        ["64:ff9b::7f00:1"],
        ["0.0.0.0"],
        ["224.0.0.1"],
        # One of them is enough.
        ["93.184.216.34", "10.0.0.1"],
        [],
    ],
)
def test_a_name_that_leads_into_a_network_of_ours_is_not_connected_to(
    monkeypatch: pytest.MonkeyPatch, found: list[str]
) -> None:
    monkeypatch.setattr(socket, "create_connection", lambda *_, **__: pytest.fail("it connected"))
    answered = call("https://taxi.example/", near=False, look_up=lambda host, port: found)
    assert answered == Answered("private address")


def test_near_is_this_computer_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "create_connection", lambda *_, **__: pytest.fail("it connected"))
    assert call("https://taxi.example/", look_up=lambda host, port: ["10.0.0.1"]) == Answered("private address")


def test_it_connects_to_the_address_that_it_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    looked, connected = [], []

    def look_up(host: str, port: int) -> list[str]:
        looked.append((host, port))
        # A second look-up would lead elsewhere.
        return ["2606:2800:220:1::1", "93.184.216.34"] if len(looked) == 1 else ["127.0.0.1"]

    def connect(address, *_: object, **__: object) -> socket.socket:
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", connect)
    assert call("https://taxi.example/", near=False, look_up=look_up) == Answered("no answer")
    assert looked == [("taxi.example", 443)]
    assert connected == [("93.184.216.34", 443), ("2606:2800:220:1::1", 443)]


def test_a_host_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def look_up(host: str, port: int) -> list[str]:
        raise FetchError("no such host")

    assert call("https://taxi.example/", look_up=look_up) == Answered("no such host")


class Dripper:
    """Send a byte now and then, for ever: in the headers, or in the body."""

    def __init__(self, first: bytes, drip: bytes) -> None:
        self._first, self._drip = first, drip
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}/"
        self.is_over = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        with connection:
            try:
                connection.recv(65_536)
                connection.sendall(self._first)
                while not self.is_over.wait(0.01):
                    connection.sendall(self._drip)
            except OSError:
                pass

    def close(self) -> None:
        self.is_over.set()
        self._listener.close()


@pytest.mark.parametrize(
    ("first", "drip"),
    [
        (b"HTTP/1.1 200 OK\r\n", b"X: 1\r\n"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
        (b"", b""),
    ],
)
def test_whoever_drips_is_left_in_time(monkeypatch: pytest.MonkeyPatch, first: bytes, drip: bytes) -> None:
    monkeypatch.setattr(calling, "SECONDS", 0.3)
    dripper = Dripper(first, drip)
    try:
        assert call(dripper.address) == Answered("too slow")
    finally:
        dripper.close()


def test_an_endless_answer_is_not_read_to_its_end() -> None:
    dripper = Dripper(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"4000\r\n" + b"a" * 0x4000 + b"\r\n")
    try:
        assert call(dripper.address) == Answered()
    finally:
        dripper.close()


def test_nonsense_and_a_wrong_certificate_are_no_answer(server: PartnerServer) -> None:
    dripper = Dripper(b"HELLO\r\n\r\n", b"")
    try:
        assert call(dripper.address) == Answered("no answer")
    finally:
        dripper.close()
    # It speaks no TLS.
    assert call(server.address.replace("http://", "https://")).code in ("TLS", "no answer")


def test_what_the_page_for_partners_says_of_the_signature_works() -> None:
    page = (REPOSITORY / "docs" / "partners.md").read_text("utf-8")
    code = page.partition("```python\n")[2].partition("```")[0]
    assert 0 < code.count("\n") <= 10
    told: dict[str, Any] = {}
    exec(code, told)  # our own page
    now = datetime.now(UTC)
    headers = calling.signed_headers("secret", b"{}", identifier="cb-1", now=now)
    assert told["is_ours"]("secret", headers, b"{}")
    assert not told["is_ours"]("other", headers, b"{}")
    assert not told["is_ours"]("secret", headers, b"{ }")
    assert not told["is_ours"]("secret", {}, b"{}")
    old = calling.signed_headers("secret", b"{}", identifier="cb-1", now=now - timedelta(minutes=6))
    assert not told["is_ours"]("secret", old, b"{}")
