"""Slowing down without keeping addresses."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.conf import settings
from django.test import RequestFactory

from commonbeat.web import throttle

LIMIT = throttle.Limit("something", 3, 60)


def request(address: str = "203.0.113.5", forwarded: str = "") -> object:
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    return RequestFactory().get("/", REMOTE_ADDR=address, headers=headers)


def used_up(address: str, forwarded: str = "") -> bool:
    return throttle.is_over(request(address, forwarded), LIMIT)  # type: ignore[arg-type]  # RequestFactory's own kind


def test_a_network_shares_its_limit_and_others_do_not() -> None:
    for _ in range(LIMIT.most):
        assert not used_up("203.0.113.5")
        throttle.count(request("203.0.113.5"), LIMIT)  # type: ignore[arg-type]
    assert used_up("203.0.113.200"), "the same /24"
    assert not used_up("203.0.114.5")
    assert not throttle.is_over(request("203.0.113.5"), throttle.Limit("another", 3, 60))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (0, "198.51.100.1", "203.0.113.5"),
        (1, "198.51.100.1", "198.51.100.1"),
        (1, "6.6.6.6, 198.51.100.1", "198.51.100.1"),
        (2, "6.6.6.6, 198.51.100.1, 10.0.0.1", "198.51.100.1"),
        (2, "198.51.100.1", "203.0.113.5"),
        (1, "", "203.0.113.5"),
    ],
)
def test_only_as_many_proxies_are_believed_as_there_are(
    monkeypatch: pytest.MonkeyPatch, proxies: int, forwarded: str, expected: str
) -> None:
    monkeypatch.setattr(settings, "COMMONBEAT", replace(settings.COMMONBEAT, trusted_proxies=proxies))
    assert throttle.client_address(request(forwarded=forwarded)) == expected  # type: ignore[arg-type]


def test_an_address_that_is_none_is_counted_all_the_same() -> None:
    for _ in range(LIMIT.most):
        throttle.count(request("not an address"), LIMIT)  # type: ignore[arg-type]
    assert used_up("")
