"""Addresses of browsers, and whom they may lead to: strangers name them."""

from __future__ import annotations

import base64
import json
import socket
from dataclasses import replace
from datetime import UTC, datetime

import httpcore
import pytest
from cryptography.hazmat.primitives import serialization

from commonbeat.channels.webpush import WebPush
from commonbeat.channels.webpush.guarded import GuardedBackend
from commonbeat.foundation.net import is_public_address
from commonbeat.messaging.actions import contact_for
from commonbeat.messaging.actions.contacts import AddressError
from commonbeat.messaging.channel import Failed, Outbound
from commonbeat.messaging.models import ContactKind
from commonbeat.messaging.push import (
    PushAddressError,
    application_server_key,
    normal_push_address,
    push_address_of,
    site_push_key,
)
from tests.channels.browsers import Browser

NOW = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)


def test_a_subscription_has_one_form_however_a_browser_writes_it() -> None:
    browser = Browser("https://PUSH.example.com:443/send/Abc?x=1")
    stored = normal_push_address(browser.subscription())
    address = push_address_of(stored)
    assert address.endpoint == "https://push.example.com/send/Abc?x=1"
    assert normal_push_address(stored) == stored
    padded = {"p256dh": base64.b64encode(browser.point).decode(), "auth": base64.b64encode(browser.auth).decode()}
    assert normal_push_address(json.dumps({"endpoint": browser.endpoint, "keys": padded})) == stored
    assert " " not in stored


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://push.example.com/",
        "https://localhost/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://10.0.0.1/",
        "https://192.168.1.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::ffff:10.0.0.1]/",
        "https://[64:ff9b::a00:1]/",
        "https://[fe80::1]/",
        "https://100.64.0.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://127.1/",
        "https://printer/",
        "https://router.local/",
        "https://db.internal/",
        "https://push.example.com:8443/",
        "https://user@push.example.com/",
        "https://user:word@push.example.com/",
        "https://push.example.com\\@10.0.0.1/",
        "https://push.example.com/#x",
        "https:///x",
        "ftp://push.example.com/",
        "//push.example.com/",
        "https://push.example.com/\r\nX: y",
        "https://pu sh.example.com/",
        "https://münchen.example.com/",
        "https://push.example.com:99999/",
        "https://[::1/",
        "https://push.example.com/" + "x" * 1_000,
        "",
    ],
)
def test_an_address_that_does_not_lead_into_the_open_net_is_refused(endpoint: str) -> None:
    with pytest.raises(PushAddressError) as refused:
        normal_push_address(Browser(endpoint).subscription())
    assert "example" not in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        '{"endpoint": 5}',
        "{" * 5_000,
        "x" * 5_000,
        "\ud800",
        Browser().subscription(keys={}),
        Browser().subscription(keys={"p256dh": "AAAA", "auth": "AAAA"}),
        Browser().subscription(keys={"p256dh": "!" * 87, "auth": "!" * 22}),
        Browser().subscription(keys={"p256dh": "B" + "A" * 86, "auth": "A" * 22}),
        Browser().subscription(keys={"p256dh": "ë" * 87, "auth": "A" * 22}),
    ],
)
def test_what_is_no_subscription_is_refused(text: str) -> None:
    with pytest.raises(PushAddressError):
        normal_push_address(text)


@pytest.mark.django_db
def test_a_contact_is_found_again_and_a_near_service_needs_the_setting(settings) -> None:
    browser, near = Browser(), Browser("http://127.0.0.1:9/x")
    first = contact_for(kind=ContactKind.PUSH, address=browser.subscription(), now=NOW)
    assert contact_for(kind=ContactKind.PUSH, address=browser.subscription(), now=NOW).pk == first.pk
    assert "example" not in first.handle
    with pytest.raises(AddressError):
        contact_for(kind=ContactKind.PUSH, address=near.subscription(), now=NOW)
    settings.COMMONBEAT = replace(settings.COMMONBEAT, push_loopback=True)
    assert contact_for(kind=ContactKind.PUSH, address=near.subscription(), now=NOW).pk != first.pk
    with pytest.raises(AddressError):
        contact_for(kind=ContactKind.PUSH, address=Browser("https://10.0.0.1/").subscription(), now=NOW)


@pytest.mark.parametrize("found", ["10.0.0.5", "127.0.0.1", "169.254.169.254", "::1", "fd00::1", "::ffff:127.0.0.1"])
def test_a_public_name_that_leads_into_the_house_is_not_connected_to(monkeypatch, settings, found: str) -> None:
    looked_up: list[str] = []

    def lookup(host, port, **_more):
        looked_up.append(host)
        family = socket.AF_INET6 if ":" in found else socket.AF_INET
        return [(family, socket.SOCK_STREAM, 6, "", (found, port))]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    monkeypatch.setattr(socket, "create_connection", lambda *_a, **_k: pytest.fail("it was connected to"))
    channel = WebPush(lambda: settings.COMMONBEAT)
    outcome = channel.send(Outbound(normal_push_address(Browser().subscription()), "{}", "alert:1:2"))
    assert outcome == Failed("ConnectError", permanent=False, is_elsewhere=True)
    assert looked_up == ["push.example.com"]


def test_what_was_looked_at_is_what_is_connected_to(monkeypatch) -> None:
    near = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.5", 443))
    public = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.215.14", 443))
    asked: list[str] = []

    def connect(address, *_a, **_k):
        asked.append(address[0])
        raise OSError("closed")

    monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_k: [near, public])
    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(httpcore.ConnectError):
        GuardedBackend(lambda: False).connect_tcp("push.example.com", 443)
    assert asked == ["93.184.215.14"]


@pytest.mark.parametrize(
    ("address", "is_public"),
    [("93.184.215.14", True), ("2606:4700::1111", True), ("224.0.0.1", False), ("0.0.0.0", False), ("x", False)],
)
def test_public_addresses_are_told_from_others(address: str, is_public: bool) -> None:
    assert is_public_address(address) is is_public


def test_the_key_is_made_of_the_sites_secret_and_of_nothing_else() -> None:
    one, same, other = (site_push_key(secret) for secret in (b"a" * 16, b"a" * 16, b"b" * 16))
    numbers = [key.private_numbers().private_value for key in (one, same, other)]
    assert numbers[0] == numbers[1] != numbers[2]
    point = one.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    assert base64.urlsafe_b64decode(application_server_key(b"a" * 16) + "=") == point
