"""Call an ASGI application without a server."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, MutableMapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Answer:
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class Call:
    """One request: feed it, read what the application sends, hang up."""

    def __init__(
        self,
        path: str,
        *,
        method: str = "GET",
        query: bytes = b"",
        headers: dict[str, str] | None = None,
        body: Iterable[bytes] = (b"",),
    ) -> None:
        self.scope: dict[str, Any] = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query,
            "headers": [(k.lower().encode(), v.encode("latin-1")) for k, v in (headers or {}).items()],
            "client": ("127.0.0.1", 1),
        }
        self.parts = list(body)
        self.answer = Answer()
        self.arrived = asyncio.Event()
        self.hung_up = asyncio.Event()
        # While it is clear, the reader takes nothing, as one behind a dead line.
        self.reads = asyncio.Event()
        self.reads.set()
        self.is_complete = False

    async def receive(self) -> MutableMapping[str, Any]:
        if self.parts:
            part = self.parts.pop(0)
            return {"type": "http.request", "body": part, "more_body": bool(self.parts)}
        await self.hung_up.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: MutableMapping[str, Any]) -> None:
        await self.reads.wait()
        if message["type"] == "http.response.start":
            self.answer.status = message["status"]
            self.answer.headers = {k.decode(): v.decode() for k, v in message["headers"]}
        else:
            self.answer.body += message.get("body", b"")
            self.is_complete = not message.get("more_body", False)
        self.arrived.set()

    async def until(self, text: bytes, seconds: float = 3.0) -> None:
        """Wait until the answer holds a text."""
        async with asyncio.timeout(seconds):
            while text not in self.answer.body:
                self.arrived.clear()
                await self.arrived.wait()


async def ask(app: Any, path: str, **more: Any) -> Answer:
    """Make one whole request."""
    call = Call(path, **more)
    async with asyncio.timeout(10):
        await app(call.scope, call.receive, call.send)
    return call.answer
