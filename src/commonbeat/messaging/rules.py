"""When to try again, how fast a channel may send, what may have been taken, what a price buys."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

# Between one attempt to send and the next. A gateway that is restarted is back within seconds, one that lost its
# line within minutes; after the last one hourly, until the message expires.
SEND_AGAIN = (
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(hours=1),
)
# Between one attempt to understand and the next; a receipt that overtook its message is found by the first ones.
UNDERSTAND_AGAIN = (timedelta(seconds=1), timedelta(seconds=5), timedelta(seconds=30), timedelta(minutes=5))
UNDERSTAND_ATTEMPTS = len(UNDERSTAND_AGAIN) + 1

# From this priority on a message is one of many: it goes by connections of its own, so that replies need not wait for
# it, and it is paid of bulk's share.
MANY = 4
# From this priority on a message is bulk, which waits for the site's morning, too. Between the two are alerts, which
# keep each person's own quiet hours (alerts/rules.py).
BULK = 10
# Those that are in use: looked for one by one, for then what is due is found along the index, however much of another
# priority waits for later.
LEVELS_OF_MANY = (4, 5, 7, BULK)

# Whoever has had no message for so long gets an answer although the money is spent.
VITAL_AFTER = timedelta(days=1)
# Shares of a spending limit: a warning to many must not use up what answers to people need.
BULK_SHARE, REPLIES_SHARE, VITAL_SHARE = 0.8, 1.0, 2.0

# A gateway is taken to be down after so many failures in a row, or once it has answered nothing well for so long.
DOWN_AFTER = 5
DOWN_FOR = timedelta(minutes=2)
# Then few messages ask whether it is back, and the others keep their attempts: at first after 5 s, later every minute.
ASK_SOONEST, ASK_LATEST = timedelta(seconds=5), timedelta(minutes=1)
ASKING_AT_ONCE = 2
# A telephone that comes for its messages does so each minute; one that left a reply waiting so long is missed.
MISSED_AFTER = timedelta(minutes=5)

# Answers after which the gateway has surely not taken the message. A time-out or a 500 says no such thing.
_NOT_TAKEN = frozenset(
    {"not configured", "authorization", "ConnectError", "ConnectTimeout", "PoolTimeout", "UnsupportedProtocol"}
    | {f"http {status}" for status in (400, 401, 402, 403, 404, 405, 409, 410, 413, 415, 421, 422, 429, 503)}
)

# Two machines that answer each other must come to an end.
REPLIES_LIMIT = 40
REPLIES_WINDOW = timedelta(minutes=10)


def send_again_in(attempts: int) -> timedelta:
    """Give the wait after a number of attempts that failed, from 1 on."""
    return SEND_AGAIN[min(max(attempts, 1), len(SEND_AGAIN)) - 1]


def understand_again_in(attempts: int) -> timedelta | None:
    """Give the wait after a number of attempts that failed, from 1 on; None when it is enough."""
    return UNDERSTAND_AGAIN[attempts - 1] if attempts < UNDERSTAND_ATTEMPTS else None


def ask_again_in(failing_for: timedelta) -> timedelta:
    """Give the wait before a gateway that is down is asked again, after it has failed for so long."""
    return min(max(failing_for / 2, ASK_SOONEST), ASK_LATEST)


def may_ask(again_at: datetime | None, now: datetime) -> bool:
    """Tell whether a gateway that is down is due to be asked; a clock that was set back must not put it off."""
    return again_at is None or not now < again_at <= now + ASK_LATEST


def is_down(failures: int, failing_since: datetime | None, now: datetime) -> bool:
    """Tell whether a gateway is to be spared, and another to take over."""
    return failures >= DOWN_AFTER or (failing_since is not None and now - failing_since >= DOWN_FOR)


def is_known_not_taken(code: str) -> bool:
    """Tell whether a failure says that the gateway does not have the message."""
    return code in _NOT_TAKEN


def is_quiet(hours: str, local: time) -> bool:
    """Tell whether a time of the site's zone lies in hours such as 21:00-08:00; empty hours are never."""
    start, dash, end = hours.partition("-")
    if not dash:
        return False
    begins, ends = time.fromisoformat(start), time.fromisoformat(end)
    if begins <= ends:
        return begins <= local < ends
    return local >= begins or local < ends


def pairs(settings: tuple[str, ...]) -> dict[str, str]:
    """Read a setting of pairs, such as kannel_sms=50."""
    split = (pair.partition("=") for pair in settings)
    return {code.strip(): value.strip() for code, _, value in split}


@dataclass(slots=True)
class Bucket:
    """Hold the tokens of one channel: as many as it may send in a second, refilled steadily."""

    per_second: float
    tokens: float = field(default=-1.0)
    filled_at: float = field(default=-1.0)

    def available(self, moment: float) -> int:
        """Tell how many messages may be sent now; moment is in seconds of a clock that never goes back."""
        room = max(1.0, self.per_second)
        if self.filled_at < 0:
            self.tokens = room
        else:
            self.tokens = min(room, self.tokens + (moment - self.filled_at) * self.per_second)
        self.filled_at = moment
        return int(self.tokens)

    def take(self, number: int) -> None:
        """Use up tokens."""
        self.tokens -= number
