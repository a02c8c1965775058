"""Ten thousand pushes through the real outbox and its worker, to a push service on loopback.

    python -m bench.load.push service --port 8000     take and count, until SIGTERM; prints one JSON object
    python -m bench.load.push fill 10000 http://127.0.0.1:8000     in a begun site's environment

measure() does the whole, and opens every hundredth message to see that it is one.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import uvloop

from bench.load.serving import COMMAND, REPOSITORY, copied, environment, free_port

PUSHES = 10_000
ANSWER = b"HTTP/1.1 201 Created\r\nLocation: /m/1\r\nContent-Length: 0\r\n\r\n"
TEXT = {
    "id": 1, "title": "Do not drink the water from the tap", "lang": "en", "topic": "alert-1", "urgent": True,
    "body": "It smells of oil. Boil it first, or fetch water at the school. We tell you when it is over. " * 3,
}  # fmt: skip
_EACH = 100


def measure(begun: Path, *, pushes: int = PUSHES, patience: float = 120.0) -> dict[str, float]:
    """Send so many pushes; give the seconds from queueing to the first and to the last, and what went wrong.

    The service and the worker share the computer: on two cores each has about one.
    """
    with copied(begun) as folder:
        port = free_port()
        env = environment(folder, COMMONBEAT_PUSH_LOOPBACK="yes", COMMONBEAT_QUIET_HOURS="")
        command = [sys.executable, "-m", "bench.load.push", "service", "--port", str(port), "--stop", str(pushes)]
        service = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE)
        log = subprocess.DEVNULL
        worker = subprocess.Popen([*COMMAND, "work"], env=env, cwd=REPOSITORY, stdout=log, stderr=log)
        try:
            # It runs and waits, as on a real site.
            time.sleep(3.0)
            fill_command = [sys.executable, "-m", "bench.load.push", "fill", str(pushes), f"http://127.0.0.1:{port}"]
            done = subprocess.run(fill_command, env=env, cwd=REPOSITORY, check=True, stdout=subprocess.PIPE)
            released = float(done.stdout.decode().splitlines()[-1])
            try:
                out, _ = service.communicate(timeout=patience)
            except subprocess.TimeoutExpired:
                service.send_signal(signal.SIGTERM)
                out, _ = service.communicate(timeout=10)
        finally:
            for process in (worker, service):
                if process.poll() is None:
                    process.terminate()
            worker.wait(15)
        told = json.loads(out)
        return {
            "push_first_s": told["first"] - released,
            "push_10k_s": told["last"] - released,
            "push_taken": told["taken"],
            "push_twice": told["twice"],
            "push_wrong": told["wrong"],
        }


class Tally:
    """What came."""

    def __init__(self, stop: int, over: asyncio.Event) -> None:
        self.first = self.last = 0.0
        self.seen: set[bytes] = set()
        self.twice = self.wrong = 0
        self.stop, self.over = stop, over

    def take(self, head: bytes, body: bytes) -> None:
        """Count one message, and look at its headers."""
        # CLOCK_MONOTONIC is the same in every process of a computer.
        self.last = time.monotonic()
        self.first = self.first or self.last
        path = head.split(b" ", 2)[1]
        self.twice += path in self.seen
        self.seen.add(path)
        lower = head.lower()
        fits = b"\r\nttl: " in lower and b"urgency: high" in lower and b"content-encoding: aes128gcm" in lower
        self.wrong += not (fits and b"authorization: vapid t=" in lower)
        if int(path.rsplit(b"/", 1)[1]) % _EACH == 0:
            self.wrong += _opened(int(path.rsplit(b"/", 1)[1]), body) != text()
        if len(self.seen) >= self.stop:
            self.over.set()


class Service(asyncio.Protocol):
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
            head, found, rest = self._buffer.partition(b"\r\n\r\n")
            if not found:
                return
            lower = head.lower()
            length = int(lower[lower.index(b"content-length:") + 15 :].split(b"\r\n", 1)[0])
            if len(rest) < length:
                return
            self._tally.take(head, rest[:length])
            self._buffer = rest[length:]
            self._transport.write(ANSWER)


def text() -> str:
    """Write the message."""
    return json.dumps(TEXT, separators=(",", ":"))


def browser(number: int) -> tuple[Any, bytes]:
    """Give the key and the secret of a browser, made of its number; a few keys serve for all."""
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.derive_private_key(1_000 + number % 50, ec.SECP256R1()), number.to_bytes(16, "big")


def fill(pushes: int, address: str) -> None:
    """Make so many browsers, and queue one broadcast for all; print the moment at which it was committed."""
    from cryptography.hazmat.primitives import serialization
    from django.conf import settings
    from django.db import transaction

    from commonbeat.foundation import clock
    from commonbeat.messaging import sealing
    from commonbeat.messaging.models import Broadcast, Contact, Outbound
    from commonbeat.messaging.push import base64url

    now, secret = clock.now(), settings.COMMONBEAT.secret
    raw = (serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    contacts = []
    for number in range(pushes):
        key, auth = browser(number)
        told = {
            "endpoint": f"{address}/send/{number}",
            "p256dh": base64url(key.public_key().public_bytes(*raw)),
            "auth": base64url(auth),
        }
        plain = json.dumps(told, separators=(",", ":"))
        contacts.append(
            Contact(
                kind="push",
                address_sealed=sealing.seal_address(secret, plain),
                address_hash=sealing.address_hash(secret, "push", plain),
                handle=f"Load {number}",
                created_at=now,
                last_seen_at=now,
            )
        )
    Contact.objects.bulk_create(contacts, batch_size=1_000)
    ids = Contact.objects.filter(kind="push").order_by("id").values_list("pk", flat=True)
    until = now + timedelta(hours=1)
    with transaction.atomic():
        cast = Broadcast.objects.create(
            key="alert:1:webpush:en",
            body_sealed=sealing.seal_outbound(secret, text()),
            topic="alert-1",
            is_urgent=True,
            created_at=now,
            expires_at=until,
        )
        Outbound.objects.bulk_create(
            (
                Outbound(
                    idempotency_key=f"alert:1:{pk}",
                    contact_id=pk,
                    channel="webpush",
                    body_sealed=b"",
                    broadcast=cast,
                    priority=10,
                    due_at=now,
                    expires_at=until,
                    is_vital=True,
                    created_at=now,
                )
                for pk in ids
            ),
            batch_size=1_000,
        )
    print(time.monotonic())


async def run(port: int, stop: int) -> Tally:
    """Serve until so many have come, or SIGTERM."""
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    tally = Tally(stop, over)
    loop.add_signal_handler(signal.SIGTERM, over.set)
    server = await loop.create_server(lambda: Service(tally), "127.0.0.1", port)
    await over.wait()
    server.close()
    return tally


def _opened(number: int, body: bytes) -> str:
    import http_ece  # type: ignore[import-untyped]

    key, auth = browser(number)
    plain: bytes = http_ece.decrypt(body, private_key=key, auth_secret=auth, version="aes128gcm")
    return plain.decode()


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["service", "fill"])
    parser.add_argument("rest", nargs="*")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--stop", type=int, default=1 << 30)
    given = parser.parse_args()
    if given.what == "service":
        tally = uvloop.run(run(given.port, given.stop))
        figures = {"first": tally.first, "last": tally.last, "taken": len(tally.seen)}
        print(json.dumps({**figures, "twice": tally.twice, "wrong": tally.wrong}))
        return
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "commonbeat.config.settings")
    import django

    django.setup()
    fill(int(given.rest[0]), given.rest[1])


if __name__ == "__main__":
    main()
