"""A gateway that fails by a seeded plan, in every way that gateways do, and remembers what really happened."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from commonbeat.messaging.channel import Failed, Limits, Outbound, Price, Receipt, Sent

# What a call ends in, and how often.
PLAN = {
    "ok": 30, "priced": 6, "in parts": 6, "receipt first": 8, "500": 4, "500 after taking": 4, "503": 6, "429": 3,
    "time-out after taking": 6, "reset after taking": 6, "cannot connect": 4, "refused": 3, "opted out": 1,
    "garbage": 3, "dies before": 2, "dies after taking": 3,
}  # fmt: skip


class Killed(BaseException):
    """The process that sends is no more."""


@dataclass(frozen=True, slots=True)
class Word:
    """A receipt that is on its way."""

    receipt: Receipt


@dataclass
class FaultyGateway:
    """Take messages, or not, and answer, or not; deliver receipts when asked to."""

    seed: int
    code: str = "kannel_sms"
    # Whether it knows a key again, as the better providers do.
    knows_keys: bool = True
    limits: Limits = field(default_factory=lambda: Limits(address_kind="phone", per_second=10_000.0))
    # What hands a receipt to the site, and says whether it knows the message; called in the middle of a send, too.
    tell: Callable[[Receipt], bool] = lambda receipt: False
    # Everything works from now on.
    is_well: bool = False

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.calls: Counter[str] = Counter()
        # How often a telephone got it.
        self.went_out: Counter[str] = Counter()
        # Calls after which the site cannot know whether the message was taken.
        self.unclear: Counter[str] = Counter()
        self.told_sent: Counter[str] = Counter()
        self.waiting: list[Word] = []
        self.ids: dict[str, str] = {}
        self.price = Price(30_000, "EUR")

    def send(self, message: Outbound) -> Sent | Failed:
        """Do what the plan says."""
        key = message.idempotency_key
        self.calls[key] += 1
        what = "ok" if self.is_well else self.chance.choices(list(PLAN), list(PLAN.values()))[0]
        if self.knows_keys and self.went_out[key] and what in ("refused", "opted out"):
            what = "ok"
        match what:
            case "ok" | "priced" | "in parts":
                return self.sent(key, what)
            case "receipt first":
                self.take(key)
                if self.waiting and not self.tell(self.waiting[-1].receipt):
                    # By a number that the site does not know yet: it keeps the receipt and looks again (inbox.py).
                    return self.sent(key, "taken")
                self.waiting = self.waiting[:-1]
                return self.sent(key, "taken")
            case "500":
                return self.unknown(key, Failed("http 500", permanent=False))
            case "500 after taking" | "time-out after taking" | "reset after taking":
                self.take(key)
                code = {"5": "http 500", "t": "ReadTimeout", "r": "RemoteProtocolError"}[what[0]]
                return self.unknown(key, Failed(code, permanent=False))
            case "503" | "429":
                return Failed(f"http {what}", permanent=False)
            case "cannot connect":
                return Failed("ConnectError", permanent=False)
            case "refused":
                return Failed("http 400", permanent=True)
            case "opted out":
                return Failed("opted_out", permanent=True)
            case "garbage":
                self.unclear[key] += 1
                raise ValueError("<html>Bad gateway</html>")
            case "dies before":
                self.unclear[key] += 1
                raise Killed
            case _:
                self.take(key)
                self.unclear[key] += 1
                raise Killed

    def sent(self, key: str, what: str) -> Sent:
        """Say that a message is taken, and take it unless it is already."""
        if what != "taken":
            self.take(key)
        self.told_sent[key] += 1
        price = self.price if what == "priced" else None
        parts = (self.ids[key], f"{self.ids[key]}-2") if what == "in parts" else ()
        if parts:
            # It tells of each part by itself from now on.
            self.waiting = [word for word in self.waiting if word.receipt.about not in (key, self.ids[key])]
            for at, about in enumerate(parts):
                self.waiting.append(Word(Receipt(f"rp{key}{at}", about, "delivered")))
        return Sent(self.ids[key], part_ids=parts, price=price)

    def unknown(self, key: str, failed: Failed) -> Failed:
        """Leave the site without knowing."""
        self.unclear[key] += 1
        return failed

    def take(self, key: str) -> None:
        """Send it to the telephone, and put its receipt on the way."""
        if self.went_out[key] and self.knows_keys:
            return
        self.went_out[key] += 1
        self.ids.setdefault(key, f"id{self.chance.randrange(16**12):012x}")
        outcome = "failed" if self.chance.random() < 0.15 else "delivered"
        about = key if self.chance.random() < 0.5 else self.ids[key]
        if self.unclear[key] or not self.knows_keys:
            # Its own number is known to the site only once it has heard an answer.
            about = key
        price = self.price if self.chance.random() < 0.1 else None
        self.waiting.append(Word(Receipt(f"r{key}{self.went_out[key]}", about, outcome, price=price)))

    def deliver_receipts(self, *, everything: bool = False) -> None:
        """Hand over some of the receipts that wait: in any order, some twice, some about what nobody sent."""
        self.chance.shuffle(self.waiting)
        number = len(self.waiting) if everything else self.chance.randint(0, len(self.waiting))
        now, self.waiting = self.waiting[:number], self.waiting[number:]
        for word in now:
            known = [self.tell(word.receipt) for _ in range(self.chance.choice((1, 1, 1, 2, 5)))]
            if not all(known):
                self.waiting.append(word)
            if self.chance.random() < 0.2:
                self.tell(Receipt(f"x{self.chance.random()}", f"unknown{self.chance.random()}", "failed"))


class AtOnce:
    """Stand in for a pool of threads: do it here and now, so that a plan always ends the same."""

    def __init__(self, **_: object) -> None:
        """Take what a pool is given."""

    def submit(self, do: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Do it."""
        done: Future[Any] = Future()
        done.set_result(do(*arguments))
        return done

    def shutdown(self, **_: object) -> None:
        """End nothing."""
