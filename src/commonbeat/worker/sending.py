"""Send what the outbox holds: replies first, each channel at its own pace."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed

from commonbeat.foundation import clock
from commonbeat.messaging.actions import Leased, lease_batch, record_failed, record_sent
from commonbeat.messaging.channel import Channel, Failed, Sent, channels
from commonbeat.messaging.rules import Bucket

logger = logging.getLogger(__name__)

# Gateways answer in tens to hundreds of milliseconds; a few at a time keeps replies within the second.
_AT_ONCE = 4
_BATCH = 16


class Sending:
    """Hold the pace of each channel and a few threads that talk to gateways."""

    def __init__(self) -> None:
        self._buckets = {code: Bucket(channel.limits.per_second) for code, channel in channels().items()}
        self._pool = ThreadPoolExecutor(max_workers=_AT_ONCE, thread_name_prefix="send")

    def send_batch(self) -> int:
        """Send what is due on every channel, as far as its pace allows; give the number of attempts."""
        return sum(self._send_on(channel) for channel in channels().values())

    def close(self) -> None:
        """End the threads; what is under way keeps its lease and is sent again under the same key if need be."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _send_on(self, channel: Channel) -> int:
        bucket = self._buckets[channel.code]
        limit = min(_BATCH, bucket.available(time.monotonic()))
        if limit < 1:
            return 0
        batch = lease_batch(channel=channel.code, limit=limit, now=clock.now())
        if not batch:
            return 0
        bucket.take(len(batch))
        by_contact: dict[int, list[Leased]] = {}
        for one in batch:
            by_contact.setdefault(one.contact_id, []).append(one)
        # One person's messages one after the other, so that they arrive in order.
        chains = [self._pool.submit(_send_chain, channel, chain) for chain in by_contact.values()]
        for chain in as_completed(chains):
            for one, outcome in chain.result():
                _record(one, outcome)
        return len(batch)


def _send_chain(channel: Channel, chain: Sequence[Leased]) -> list[tuple[Leased, Sent | Failed]]:
    outcomes: list[tuple[Leased, Sent | Failed]] = []
    for one in chain:
        try:
            outcomes.append((one, channel.send(one.message)))
        except Exception as error:  # a provider's code met what it did not expect
            # The type only: its text may hold the number.
            logger.error("Channel %s could not send: %s.", channel.code, type(error).__name__)
            outcomes.append((one, Failed(type(error).__name__, permanent=False)))
    return outcomes


def _record(one: Leased, outcome: Sent | Failed) -> None:
    now = clock.now()
    if isinstance(outcome, Sent):
        record_sent(outbound_id=one.id, provider_id=outcome.provider_id, now=now)
    else:
        record_failed(outbound_id=one.id, code=outcome.code, permanent=outcome.permanent, now=now)
