"""A gateway on loopback that takes every message as Kannel's sendsms does, and tells when which came.

    python -m bench.load.gateway --port 8000

Ends with SIGTERM and prints one JSON object: messages, seconds, and the moments of those whose key begins with "reply".
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import signal
import time
from typing import cast

import uvloop

ANSWER = b"HTTP/1.1 202 Accepted\r\nContent-Type: text/plain\r\nContent-Length: 24\r\n\r\n0: Accepted for delivery"
# The key stands in dlr-url, which is escaped within the address, so its own signs are escaped twice.
REPLY = re.compile(rb"key%3D(reply[0-9-]+)")


class Tally:
    """What came, and when."""

    def __init__(self) -> None:
        self.moments: list[float] = []
        self.replies: dict[str, float] = {}
        self.repeated = 0


class Gateway(asyncio.Protocol):
    """Answer each call at once."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        self._buffer += data
        while True:
            head, end, rest = self._buffer.partition(b"\r\n\r\n")
            if not end:
                return
            self._buffer = rest
            now = time.monotonic()
            if head.startswith(b"GET /healthz"):
                self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                continue
            self._tally.moments.append(now)
            found = REPLY.search(head)
            if found:
                key = found[1].decode()
                self._tally.repeated += key in self._tally.replies
                self._tally.replies.setdefault(key, now)
            self._transport.write(ANSWER)


async def run(port: int) -> Tally:
    """Serve until SIGTERM."""
    loop, tally, over = asyncio.get_running_loop(), Tally(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, over.set)
    server = await loop.create_server(lambda: Gateway(tally), "127.0.0.1", port)
    await over.wait()
    server.close()
    return tally


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    tally = uvloop.run(run(parser.parse_args().port))
    print(json.dumps({"moments": tally.moments, "replies": tally.replies, "repeated": tally.repeated}))


if __name__ == "__main__":
    main()
