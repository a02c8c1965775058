"""Fetching from addresses that others choose: bounded, and never from inside our network."""

from __future__ import annotations

import gzip
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from commonbeat.alerts.cap import write
from commonbeat.alerts.cap_reading import read
from commonbeat.alerts.fetching import Fetched, FetchError, fetch
from commonbeat.alerts.polling import MOST_FETCHES, Answer, Seen, ask
from commonbeat.foundation.net import is_public_address
from tests.alerts.cap_messages import SENT, message

Handler = Callable[[httpx.Request], httpx.Response]
PUBLIC = ["93.184.216.34"]
FEED = "https://weather.example/feed"


class Raw(httpx.SyncByteStream):
    """Give bytes as they come over the line."""

    def __init__(self, data: bytes, times: int = 1) -> None:
        self._data, self._times = data, times

    def __iter__(self) -> Iterator[bytes]:
        yield from [self._data] * self._times


def client(handler: Handler) -> httpx.Client:
    return httpx.Client(transport=httpx.MockTransport(handler))


def got(handler: Handler, address: str = FEED, *, found: list[str] | None = None, **more: Any) -> Fetched:
    return fetch(address, client=client(handler), limit=1_000, look_up=lambda *_: found or PUBLIC, **more)


def code_of(handler: Handler, address: str = FEED, **more: Any) -> str:
    with pytest.raises(FetchError) as caught:
        got(handler, address, **more)
    return caught.value.code


def answer(body: bytes | Raw, headers: dict[str, str] | None = None) -> httpx.Response:
    return httpx.Response(200, stream=body if isinstance(body, Raw) else Raw(body), headers=headers)


def fine(request: httpx.Request) -> httpx.Response:
    return answer(b"<a/>")


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("93.184.216.34", True), ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("127.0.0.1", False), ("10.1.2.3", False), ("192.168.1.1", False), ("172.16.0.1", False), ("0.0.0.0", False),
        ("169.254.169.254", False), ("100.64.0.1", False), ("224.0.0.1", False), ("255.255.255.255", False),
        ("::1", False), ("::", False), ("fe80::1%eth0", False), ("fc00::1", False), ("::ffff:127.0.0.1", False),
        ("::ffff:10.0.0.1", False), ("64:ff9b::7f00:1", False), ("2002:7f00:1::", False), ("ff02::1", False),
        ("::7f00:1", False), ("2001:0:7f00:1::", False), ("4000::1", False), ("localhost", False), ("", False),
    ],
)  # fmt: skip
def test_public_addresses_are_told_from_others(address: str, expected: bool) -> None:
    assert is_public_address(address) is expected


def test_what_was_checked_is_what_is_asked() -> None:
    asked: list[httpx.Request] = []

    def note(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return answer(b"<a/>", headers={"etag": '"1"', "last-modified": "x"})

    found = got(note, "https://weather.example:8443/feed?x=1", etag='"0"', modified="y")
    assert asked[0].url.host == PUBLIC[0] and asked[0].url.port == 8443
    assert asked[0].headers["host"] == "weather.example:8443"
    assert asked[0].extensions["sni_hostname"] == "weather.example"
    assert (asked[0].headers["if-none-match"], asked[0].headers["if-modified-since"]) == ('"0"', "y")
    assert (found.data, found.etag, found.modified) == (b"<a/>", '"1"', "x")


def test_private_networks_are_not_asked_unless_the_site_says_so() -> None:
    def never(request: httpx.Request) -> httpx.Response:
        pytest.fail("it was asked")

    for found in (["127.0.0.1"], ["169.254.169.254"], ["::1"], [*PUBLIC, "10.0.0.1"], ["::ffff:10.0.0.1"]):
        assert code_of(never, found=found) == "private address"
    assert got(fine, found=["127.0.0.1"], allow_private=True).data == b"<a/>"


@pytest.mark.parametrize(
    "address",
    ["file:///etc/passwd", "ftp://x.example/", "gopher://x.example/", "https://", "x", "", "https://a:b@x.example/",
     "http://[", "http://x.example:99999/", "javascript:alert(1)"],
)  # fmt: skip
def test_only_web_addresses_are_asked(address: str) -> None:
    assert code_of(fine, address) == "address"


def test_each_step_of_a_redirect_is_checked_anew() -> None:
    def to(target: str) -> Handler:
        return lambda request: httpx.Response(302, headers={"location": target})

    def look_up(host: str, port: int) -> list[str]:
        return ["10.0.0.1"] if host == "inside.example" else PUBLIC

    with pytest.raises(FetchError, match="private address"):
        fetch(FEED, client=client(to("https://inside.example/")), limit=10, look_up=look_up)
    assert code_of(to("file:///etc/passwd")) == "redirect"
    assert code_of(to("http://weather.example/feed")) == "redirect", "not from an encrypted address to an open one"
    assert code_of(to("")) == "redirect"
    assert code_of(to("/again")) == "too many redirects"
    assert code_of(to("ftp://x/"), "http://weather.example/") == "address"


def test_answers_are_bounded_also_when_they_are_compressed() -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    packed = {"content-encoding": "gzip"}
    assert code_of(lambda _: answer(b"x" * 1_001)) == "too large"
    assert code_of(lambda _: answer(Raw(bomb), headers=packed)) == "too large"
    assert code_of(lambda _: answer(Raw(gzip.compress(b"x")[:-4]), headers=packed)) == "cut off"
    assert code_of(lambda _: answer(Raw(b"no gzip"), headers=packed)) == "encoding"
    assert code_of(lambda _: answer(Raw(b"x"), headers={"content-encoding": "br"})) == "encoding"
    found = got(lambda _: answer(Raw(gzip.compress(b"y" * 1_000)), headers=packed))
    assert found.data == b"y" * 1_000


def test_faults_have_codes() -> None:
    def raising(error: Exception) -> Handler:
        def handler(request: httpx.Request) -> httpx.Response:
            raise error

        return handler

    assert code_of(lambda _: httpx.Response(503)) == "status 503"
    assert code_of(raising(httpx.ConnectTimeout("secret"))) == "too slow"
    assert code_of(raising(httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED]"))) == "TLS"
    assert code_of(raising(httpx.ConnectError("refused"))) == "no answer"
    assert code_of(raising(httpx.RemoteProtocolError("x"))) == "no answer"
    with pytest.raises(FetchError, match="no such host"):
        fetch("https://no-such-host.invalid/", client=client(fine), limit=10)


def test_a_server_that_drips_is_left_alone() -> None:
    ticks = iter(range(0, 10_000, 5))
    drip = Raw(b"x", times=500)
    assert code_of(lambda _: answer(drip), clock=lambda: float(next(ticks))) == "too slow"


# ------------------------------------------------------------------ asking a source


def feed_of(count: int) -> bytes:
    entries = "".join(f"<entry><id>https://weather.example/{n}.xml</id></entry>" for n in range(count))
    return f'<feed xmlns="http://www.w3.org/2005/Atom">{entries}</feed>'.encode()


def asked(handler: Handler, **more: Any) -> Answer:
    return ask(address=FEED, client=client(handler), now=SENT, look_up=lambda *_: PUBLIC, **more)


def test_a_feed_is_followed_to_its_messages_each_once() -> None:
    paths: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.path)
        if request.url.path == "/feed":
            return answer(feed_of(MOST_FETCHES + 5), headers={"etag": '"a"'})
        number = request.url.path[1:-4]
        if number == "3":
            return httpx.Response(500)
        return answer(b"<html/>" if number == "4" else write(message(identifier=f"w-{number}")))

    seen = Seen()
    told = asked(handler, seen=seen)
    assert len(told.found) == MOST_FETCHES and told.has_more and told.etag == '"a"'
    codes = {found.address.rpartition("/")[2]: found.code for found in told.found if found.code}
    assert codes == {"3.xml": "status 500", "4.xml": "not a message"}
    for found in told.found:
        if found.entry is not None:
            seen.add(0, found.entry)
    paths.clear()
    again = asked(handler, seen=seen)
    assert paths == ["/feed", "/3.xml", *[f"/{n}.xml" for n in range(MOST_FETCHES, MOST_FETCHES + 5)]]
    assert len(again.found) == 6


def test_a_bare_message_an_unchanged_feed_and_a_broken_one() -> None:
    told = asked(lambda _: answer(write(message())))
    assert told.found[0].message == message()
    assert asked(lambda _: httpx.Response(304), etag='"a"').is_unchanged
    assert asked(lambda _: httpx.Response(404)).code == "status 404"
    assert asked(lambda _: answer(b"<!DOCTYPE a><a/>")).code == "document type"
    refused = asked(lambda _: answer(write(message())), certificate="-----BEGIN CERTIFICATE-----")
    assert refused.found[0].code == "not signed"


# ------------------------------------------------------------------ a real server


@pytest.fixture
def tls_server(tmp_path: Path) -> Iterator[tuple[int, ssl.SSLContext]]:
    """Serve over TLS on loopback, with a certificate for weather.example alone; give the port, and who trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "weather.example")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("weather.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / "server.pem").write_bytes(private + pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")

    class Service(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = gzip.compress(write(message()))
            self.send_response(200)
            self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port, ssl.create_default_context(cadata=pem.decode())
    server.shutdown()
    server.server_close()


def test_the_certificate_is_checked_against_the_name_and_not_the_address(
    tls_server: tuple[int, ssl.SSLContext],
) -> None:
    port, trusting = tls_server

    def ask_for(host: str, verify: ssl.SSLContext | bool) -> Fetched:
        with httpx.Client(verify=verify, trust_env=False) as real:
            return fetch(
                f"https://{host}:{port}/",
                client=real,
                limit=9_000,
                allow_private=True,
                look_up=lambda *_: ["127.0.0.1"],
            )

    assert read(ask_for("weather.example", trusting).data) == message()
    for host, verify in (("elsewhere.example", trusting), ("127.0.0.1", trusting), ("weather.example", True)):
        with pytest.raises(FetchError, match="TLS"):
            ask_for(host, verify)
