"""Slow down whoever tries receipts: by what was tried, never by who tries, of whom nothing is kept."""

from __future__ import annotations

from django.core.cache import cache

from commonbeat.foundation import clock
from commonbeat.tips.errors import TooManyTries
from commonbeat.tips.queries import stored_look_up

# Unknown receipts in a minute for each of 16 buckets. 84 bits need no slowing down; the server does.
MOST_WRONG = 20


def count_wrong(*, looked_up: bytes) -> None:
    """Count a look-up that no tip has; TooManyTries after 20 in a minute of its bucket.

    Call it only when the look-up is unknown: whoever has a right receipt is never kept out by others who guess.
    """
    # The minute stands in the key, for counting again gives a key of Django's cache in the database five minutes more.
    minute = int(clock.now().timestamp() // 60)
    key = f"tips-wrong-{stored_look_up(looked_up)[0] >> 4:x}-{minute}"
    if not cache.add(key, 1, 120) and int(cache.incr(key)) > MOST_WRONG:
        raise TooManyTries
