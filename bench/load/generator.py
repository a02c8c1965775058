"""Load from a process of its own: keep-alive connections on a bare protocol, everything prepared beforehand.

    python -m bench.load.generator post --port 8000 --seconds 5 --key KEY
    python -m bench.load.generator get --port 8000 --seconds 5 --path / --rate 250

Prints one JSON object. A client that costs as much as the server would measure itself.
"""

from __future__ import annotations

import argparse
import asyncio
import hmac
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import cast

import uvloop

PATH = "/hooks/smsgate_sms"


def body_of(number: int) -> bytes:
    """Make the event of one message, as SMSGate sends it."""
    return (
        b'{"deviceId":"ffffffffceb0b1db0000018e937c815b","event":"sms:received","id":"Ey6ECgOkVVFjz3CL48B8C",'
        b'"payload":{"message":"Someone has dumped building waste beside the old bridge again, load %d",'
        b'"messageId":"%08x","phoneNumber":"+383441%05d","receivedAt":"2026-03-14T12:00:00.000+01:00","simNumber":1},'
        b'"webhookId":"LreFUt-Z3sSq0JufY9uWB"}' % (number, number, number % 100_000)
    )


def post_requests(first: int, count: int, key: bytes) -> list[bytes]:
    """Prepare signed calls."""
    stamp = str(int(time.time())).encode()
    made = []
    for number in range(first, first + count):
        body = body_of(number)
        made.append(
            b"POST %b HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nUser-Agent: loadgen\r\n"
            b"X-Timestamp: %b\r\nX-Signature: %b\r\nContent-Length: %d\r\n\r\n%b"
            % (PATH.encode(), stamp, hmac.digest(key, body + stamp, "sha256").hex().encode(), len(body), body)
        )
    return made


class Tally:
    """What all connections did."""

    def __init__(self) -> None:
        self.waits: list[float] = []
        self.acknowledged: list[int] = []
        self.failures = 0


class Connection(asyncio.Protocol):
    """Ask, wait for the whole answer, ask again."""

    def __init__(self, next_request: Callable[[], tuple[int, bytes] | None], tally: Tally) -> None:
        self._next = next_request
        self._tally = tally
        self._buffer = b""
        self._missing = 0
        self._number = 0
        self._asked_at = 0.0
        self._is_ok = False
        self._transport: asyncio.Transport | None = None
        self.over = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports do not inherit asyncio's.
        self._transport = cast(asyncio.Transport, transport)
        self._ask()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.over.done():
            self.over.set_result(None)

    def data_received(self, data: bytes) -> None:
        if self._missing:
            self._missing -= len(data)
        else:
            self._buffer += data
            head, found, rest = self._buffer.partition(b"\r\n\r\n")
            if not found:
                return
            self._buffer = b""
            self._is_ok = head[9:12] == b"200"
            lower = head.lower()
            at = lower.find(b"content-length:")
            length = int(lower[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            self._missing = length - len(rest)
        if self._missing <= 0:
            self._missing = 0
            self._answered()

    def _answered(self) -> None:
        if self._is_ok:
            self._tally.waits.append(time.perf_counter() - self._asked_at)
            self._tally.acknowledged.append(self._number)
        else:
            self._tally.failures += 1
        self._ask()

    def _ask(self) -> None:
        assert self._transport is not None
        following = self._next()
        if following is None:
            self._transport.close()
            return
        self._number, request = following
        if self._number < 0:
            # The pace: come again in so many thousandths of a second.
            asyncio.get_running_loop().call_later(-self._number / 1000, self._ask)
            return
        self._asked_at = time.perf_counter()
        self._transport.write(request)


async def load(port: int, connections: int, next_request: Callable[[], tuple[int, bytes] | None]) -> Tally:
    """Keep so many connections busy until next_request gives None or the server is gone."""
    loop = asyncio.get_running_loop()
    tally = Tally()
    made = []
    for _ in range(connections):
        _, protocol = await loop.create_connection(lambda: Connection(next_request, tally), "127.0.0.1", port)
        made.append(protocol.over)
    await asyncio.wait(made)
    return tally


def posts(first: int, seconds: float, key: bytes) -> Callable[[], tuple[int, bytes] | None]:
    """Give the next prepared call, until the time is over."""
    prepared = post_requests(first, int(seconds * 13_000), key)
    at = iter(range(len(prepared)))
    ends: list[float] = []

    def following() -> tuple[int, bytes] | None:
        if not ends:
            ends.append(time.perf_counter() + seconds)
        index = next(at, None)
        if index is None or time.perf_counter() > ends[0]:
            return None
        return first + index, prepared[index]

    return following


def gets(path: str, seconds: float, rate: float, header: str = "") -> Callable[[], tuple[int, bytes] | None]:
    """Give the same request at a steady pace; rate 0 is as fast as it goes."""
    more = f"{header}\r\n".encode() if header else b""
    request = b"GET %b HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: loadgen\r\n%b\r\n" % (path.encode(), more)
    begun: list[float] = []
    asked = [0]

    def following() -> tuple[int, bytes] | None:
        now = time.perf_counter()
        if not begun:
            begun.append(now)
        passed = now - begun[0]
        if passed > seconds:
            return None
        ahead = asked[0] / rate - passed if rate else 0.0
        if ahead > 0.001:
            return -max(1, int(ahead * 1000)), b""
        asked[0] += 1
        return asked[0], request

    return following


def main() -> None:
    """Run from the command line."""
    uvloop.install()
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=["post", "get"])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--key", default="")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--path", default="/")
    parser.add_argument("--rate", type=float, default=0.0)
    parser.add_argument("--header", default="", help="one more header of each request, such as Accept-Encoding: gzip")
    parser.add_argument("--acknowledged", type=Path, help="file for the numbers of what was acknowledged")
    given = parser.parse_args()
    if given.kind == "post":
        following = posts(given.first, given.seconds, given.key.encode())
    else:
        following = gets(given.path, given.seconds, given.rate, given.header)
    begun = time.perf_counter()
    tally = asyncio.run(load(given.port, given.connections, following))
    passed = time.perf_counter() - begun
    if given.acknowledged:
        given.acknowledged.write_text("\n".join(map(str, tally.acknowledged)))
    waits = sorted(tally.waits) or [0.0]
    print(
        json.dumps(
            {
                "per_s": len(tally.waits) / passed,
                "p50_ms": waits[len(waits) // 2] * 1000,
                "p99_ms": waits[int(len(waits) * 0.99)] * 1000,
                "answered": len(tally.waits),
                "failures": tally.failures,
            }
        )
    )


if __name__ == "__main__":
    main()
