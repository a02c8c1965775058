"""When to try again, and how fast a channel may send."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

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

# Two machines that answer each other must come to an end.
REPLIES_LIMIT = 40
REPLIES_WINDOW = timedelta(minutes=10)


def send_again_in(attempts: int) -> timedelta:
    """Give the wait after a number of attempts that failed, from 1 on."""
    return SEND_AGAIN[min(max(attempts, 1), len(SEND_AGAIN)) - 1]


def understand_again_in(attempts: int) -> timedelta | None:
    """Give the wait after a number of attempts that failed, from 1 on; None when it is enough."""
    return UNDERSTAND_AGAIN[attempts - 1] if attempts < UNDERSTAND_ATTEMPTS else None


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
