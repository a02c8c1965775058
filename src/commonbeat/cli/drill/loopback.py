"""A gateway that is built in and leads nowhere: it takes time, fails now and then, and tells of deliveries."""

from __future__ import annotations

import random
import re
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import replace

from commonbeat.messaging.channel import Failed, Inbound, Limits, Outbound, Receipt, Refused, Request, Sent, Setup

# Addresses of nobody, and never of anybody: +999 is given to no country, and .invalid to no host (RFC 2606).
RESERVED = {
    "phone": re.compile(r"\+999\d{9}"),
    "email": re.compile(r"person-\d+@drill\.invalid"),
    "push": re.compile(r"https://drill\.invalid/\d+"),
}
# Of one call, in seconds, and until a telephone has got it.
_CALL = (0.01, 0.06)
_UNTIL_DELIVERED = (0.3, 3.0)


def address_of(kind: str, number: int) -> str:
    """Give the address of one of the drill's people."""
    if kind == "phone":
        return f"+999{number:09}"
    return f"person-{number}@drill.invalid" if kind == "email" else f"https://drill.invalid/{number}"


class Loopback:
    """Take messages for the drill's people and for nobody else."""

    def __init__(self, code: str, kind: str) -> None:
        self.code = code
        self.limits = Limits(address_kind=kind, per_second=1_000.0, in_parts=kind == "phone", connections=8)
        self.setup = Setup(title=code)
        # Addresses of others that it was asked to write to: how many, for they are named nowhere.
        self.strayed = 0
        self._failing = self._stumbling = 0.0
        self._seed = 0
        self._stumbled: set[str] = set()
        self._receipts: deque[tuple[float, str]] = deque()
        self._lock = threading.Lock()

    def begin(self, *, rate: float, failing: float, stumbling: float, seed: int) -> None:
        """Say its pace, and how it fails: the same people each time, whatever the order of the messages."""
        self.limits = replace(self.limits, per_second=rate)
        self._failing, self._stumbling, self._seed = failing, stumbling, seed

    def send(self, message: Outbound) -> Sent | Failed:
        """Take a message, or fail."""
        if not RESERVED[self.limits.address_kind].fullmatch(message.recipient):
            self.strayed += 1
            return Failed("not of the drill", permanent=True)
        chance = random.Random(f"{self._seed} {message.recipient}")  # noqa: S311  # not for secrets
        time.sleep(chance.uniform(*_CALL))
        kind, until_delivered = chance.random(), chance.uniform(*_UNTIL_DELIVERED)
        if kind < self._failing:
            return Failed("http 400", permanent=True)
        with self._lock:
            if kind < self._failing + self._stumbling and message.recipient not in self._stumbled:
                self._stumbled.add(message.recipient)
                return Failed("http 503", permanent=False)
            if self.limits.address_kind == "phone":
                self._receipts.append((time.monotonic() + until_delivered, message.idempotency_key))
        return Sent(provider_id=message.idempotency_key)

    def receipts(self) -> list[Receipt]:
        """Give what telephones have got since the last call."""
        moment = time.monotonic()
        with self._lock:
            due = [key for at, key in self._receipts if at <= moment]
            self._receipts = deque(one for one in self._receipts if one[0] > moment)
        return [Receipt(provider_id=f"got {key}", about=key, outcome="delivered") for key in due]

    def verify(self, request: Request) -> None:
        """Refuse: nobody calls."""
        raise Refused(403, "Nobody calls here.")

    def parse(self, request: Request) -> Sequence[Inbound | Receipt]:
        """Read nothing."""
        return []

    def answer(self, request: Request) -> tuple[str, bytes]:
        """Give an empty answer."""
        return ("text/plain", b"")
