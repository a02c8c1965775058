"""Connections that lead into the open net only: subscribers name the addresses, and names can be made to point here."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from typing import Any

import httpcore
import httpx

from commonbeat.foundation.net import is_loopback, is_public_address


class GuardedBackend(httpcore.SyncBackend):
    """Look a name up, and connect to what was looked at: a second look-up could be answered differently."""

    def __init__(self, may_be_near: Callable[[], bool]) -> None:
        self._may_be_near = may_be_near

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first public address of a name; ConnectError when it has none."""
        last = httpcore.ConnectError("no public address")
        for address in self._addresses(host, port):
            try:
                return super().connect_tcp(address, port, timeout, local_address, socket_options)
            except httpcore.ConnectError as error:
                last = error
        raise last

    def _addresses(self, host: str, port: int) -> list[str]:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError("the name is not known") from error
        near = self._may_be_near()
        # IPv4 first: many hosts have an IPv6 address and no way there.
        found.sort(key=lambda one: one[0] != socket.AF_INET)
        addresses = dict.fromkeys(str(one[4][0]) for one in found)
        return [one for one in addresses if is_public_address(one) or (near and is_loopback(one))][:3]


class GuardedTransport(httpx.HTTPTransport):
    """Keep connections alive, each made by the guarded backend."""

    def __init__(self, backend: httpcore.NetworkBackend, *, connections: int) -> None:
        super().__init__(trust_env=False)
        self._pool.close()
        self._pool = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(trust_env=False),
            max_connections=connections,
            max_keepalive_connections=connections,
            keepalive_expiry=30.0,
            network_backend=backend,
        )
