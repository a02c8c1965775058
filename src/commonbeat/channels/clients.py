"""Connections to gateways over HTTP."""

from __future__ import annotations

import threading
from functools import cache
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    import ssl


class Clients:
    """Give each thread a client of its own: at a shared pool they wait for one another with each call."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._own = threading.local()

    def get(self, address: str, **fields: Any) -> httpx.Response:
        """Ask; raise httpx.HTTPError where no answer comes in time."""
        return self._client().get(address, **fields)

    def post(self, address: str, **fields: Any) -> httpx.Response:
        """Hand over; raise httpx.HTTPError where no answer comes in time."""
        return self._client().post(address, **fields)

    def _client(self) -> httpx.Client:
        client: httpx.Client | None = getattr(self._own, "client", None)
        if client is None:
            client = self._own.client = httpx.Client(verify=_trusted(), timeout=self._seconds, trust_env=False)
        return client


@cache
def _trusted() -> ssl.SSLContext:
    # Reading the certificates takes longer than a call, so all clients share them.
    return httpx.create_ssl_context(trust_env=False)
