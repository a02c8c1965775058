"""Clock, phone, crypto and net."""

import socket
import subprocess
import sys
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonbeat.foundation import clock, crypto, net, phone
from commonbeat.foundation.crypto import SealError


def test_now_is_aware_and_utc() -> None:
    assert clock.now().utcoffset() == timedelta(0)


def test_foundation_needs_no_django() -> None:
    code = (
        "import sys, importlib\n"
        "for name in 'clock ids cells coordinates phone crypto text net'.split():\n"
        "    importlib.import_module('commonbeat.foundation.' + name)\n"
        "sys.exit(any(m.split('.')[0] == 'django' for m in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("text", "region", "expected"),
    [
        ("044 123 456", "XK", "+38344123456"),
        ("+383 44 123 456", "XK", "+38344123456"),
        ("00383 44 123-456", "XK", "+38344123456"),
        ("38344123456", "XK", "+38344123456"),
        ("٠٤٤ ١٢٣ ٤٥٦", "XK", "+38344123456"),
        ("067 212 3456", "AL", "+355672123456"),
        ("+355672123456", "XK", "+355672123456"),
        ("hello", "XK", None),
        ("", "XK", None),
        ("1234", "XK", None),
        ("INFO", "XK", None),
        ("+38344123456 ext. 5", "XK", None),
        ("9" * 400, "XK", None),
    ],
)
def test_normalise_phone(text: str, region: str, expected: str | None) -> None:
    assert phone.normalise_phone(text, region) == expected


def test_mask_shows_country_and_two_digits() -> None:
    assert phone.mask("+38344123456") == "+383 ••••• 56"
    assert "123" not in phone.mask("+38344123456")
    assert phone.mask("rubbish") == "••••••"


@given(st.text(max_size=60))
def test_any_text_gives_a_number_or_none(text: str) -> None:
    number = phone.normalise_phone(text, "XK")
    assert number is None or (number.startswith("+") and phone.normalise_phone(number, "AL") == number)


def test_keys_differ_by_purpose_and_secret() -> None:
    secret = b"s" * 32
    assert crypto.derive(secret, "a") == crypto.derive(secret, "a")
    assert len({crypto.derive(secret, "a"), crypto.derive(secret, "b"), crypto.derive(b"t" * 32, "a")}) == 3
    with pytest.raises(ValueError, match="16 bytes"):
        crypto.derive(b"short", "a")


@given(st.binary(max_size=500))
def test_sealed_bytes_come_back(plain: bytes) -> None:
    key = crypto.derive(b"s" * 32, "test")
    sealed = crypto.seal(key, plain)
    assert len(sealed) == len(plain) + 41
    assert crypto.unseal(key, sealed) == plain
    assert crypto.seal(key, plain) != sealed


@given(st.data())
def test_changed_or_foreign_bytes_do_not_open(data: st.DataObject) -> None:
    key = b"k" * 32
    sealed = bytearray(crypto.seal(key, b"plain text"))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(SealError):
        crypto.unseal(key, bytes(sealed))
    with pytest.raises(SealError):
        crypto.unseal(key, data.draw(st.binary(max_size=100)))
    with pytest.raises(SealError):
        crypto.unseal(b"o" * 32, crypto.seal(key, b"plain text"))


def test_keyed_hash_depends_on_both() -> None:
    assert len(crypto.keyed_hash(b"k" * 32, "x")) == 32
    assert crypto.keyed_hash(b"k" * 32, "x") != crypto.keyed_hash(b"l" * 32, "x")
    with pytest.raises(ValueError, match="empty"):
        crypto.keyed_hash(b"", "x")


PRIVATE, PUBLIC = crypto.new_outbox_keypair()


@given(st.binary(max_size=2000))
def test_outbox_envelope_opens(plain: bytes) -> None:
    blob = crypto.seal_for_outbox(PUBLIC, plain)
    assert (len(PUBLIC), PUBLIC[0], blob[0], blob[1]) == (65, 4, 1, 4)
    assert len(blob) == 1 + 65 + 12 + len(plain) + 16
    assert crypto.open_outbox(PRIVATE, blob) == plain
    assert crypto.outbox_public(PRIVATE) == PUBLIC


@given(st.data())
def test_damaged_outbox_envelope_is_refused(data: st.DataObject) -> None:
    blob = bytearray(crypto.seal_for_outbox(PUBLIC, b"report"))
    blob[data.draw(st.integers(0, len(blob) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(SealError):
        crypto.open_outbox(PRIVATE, bytes(blob))
    with pytest.raises(SealError):
        crypto.open_outbox(PRIVATE, bytes(blob[: data.draw(st.integers(0, len(blob) - 1))]))
    with pytest.raises(SealError):
        crypto.open_outbox(PRIVATE, data.draw(st.binary(max_size=300)))


def test_outbox_for_another_site_does_not_open() -> None:
    other, _ = crypto.new_outbox_keypair()
    with pytest.raises(SealError):
        crypto.open_outbox(other, crypto.seal_for_outbox(PUBLIC, b"report"))


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("[::1]", True),
        ("::ffff:127.0.0.1", True),
        ("0.0.0.0", False),
        ("192.0.2.1", False),
        ("example.org", False),
        ("", False),
    ],
)
def test_is_loopback(host: str, expected: bool) -> None:
    assert net.is_loopback(host) is expected


@pytest.mark.parametrize("reuse", [False, True])
def test_port_is_free(reuse: bool) -> None:
    with socket.socket() as server:
        if reuse:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        assert not net.port_is_free("127.0.0.1", port)
    assert net.port_is_free("127.0.0.1", port)


@pytest.mark.parametrize(
    ("ip", "network"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2::5", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/48"),
        ("", "unknown"),
        ("x", "unknown"),
    ],
)
def test_client_network(ip: str, network: str) -> None:
    assert net.client_network(ip) == network
