"""One queue of one channel: what is on its way to the gateway, and the few connections that carry it."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from commonbeat.messaging.actions import Leased
from commonbeat.messaging.channel import Channel, Failed, SendsMany, Sent

logger = logging.getLogger(__name__)

# Well before the lease of 60 seconds runs out, and with time for one slow call: later, another may send it.
FRESH_SECONDS = 40.0
# What waits in memory behind the calls under way: enough that they never wait for the database, and little enough that
# most of it is sent before it would have to be handed back.
_WINDOW = 16
_MANY_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Tried:
    """A message and what became of it; None is that it was not tried."""

    leased: Leased
    outcome: Sent | Failed | None


class Lane:
    """Hold the calls of one queue of one channel."""

    def __init__(self, channel: Channel, *, bulk: bool) -> None:
        self.channel = channel
        self.bulk = bulk
        # Until then nothing is due here; asked again soon, for looking costs a query.
        self.empty_until = 0.0
        self._many = isinstance(channel, SendsMany)
        connections = channel.limits.connections
        self._window = connections * (_MANY_AT_ONCE if self._many else _WINDOW)
        name = f"send-{channel.code}-{'bulk' if bulk else 'replies'}"
        self._pool = ThreadPoolExecutor(max_workers=connections, thread_name_prefix=name)
        self._calls: dict[Future[list[Tried]], list[Leased]] = {}

    @property
    def free(self) -> int:
        """Tell how many more messages may be taken on."""
        return self._window - sum(len(batch) for batch in self._calls.values())

    @property
    def on_its_way(self) -> Iterator[Leased]:
        """Give the messages whose outcome is not known yet."""
        for batch in self._calls.values():
            yield from batch

    @property
    def calls(self) -> list[Future[list[Tried]]]:
        """Give what can be waited for."""
        return list(self._calls)

    def begin(self, batch: Sequence[Leased]) -> None:
        """Send a batch: each person's messages one after the other, so that they arrive in order."""
        until = time.monotonic() + FRESH_SECONDS
        if self._many:
            chains = [list(batch[at : at + _MANY_AT_ONCE]) for at in range(0, len(batch), _MANY_AT_ONCE)]
        else:
            by_contact: dict[int, list[Leased]] = {}
            for one in batch:
                by_contact.setdefault(one.contact_id, []).append(one)
            chains = list(by_contact.values())
        for chain in chains:
            self._calls[self._pool.submit(self._send, chain, until)] = chain

    def finished(self) -> list[Tried]:
        """Take out what has been answered."""
        tried: list[Tried] = []
        for call in [call for call in self._calls if call.done()]:
            batch = self._calls.pop(call)
            tried += [Tried(one, None) for one in batch] if call.cancelled() else call.result()
        return tried

    def close(self) -> None:
        """Begin no further call."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _send(self, chain: list[Leased], until: float) -> list[Tried]:
        if self._many:
            return self._send_many(chain) if time.monotonic() < until else [Tried(one, None) for one in chain]
        return [Tried(one, self._send_one(one) if time.monotonic() < until else None) for one in chain]

    def _send_one(self, one: Leased) -> Sent | Failed:
        try:
            return self.channel.send(one.message)
        except Exception as error:  # a provider's code met what it did not expect
            return self._surprise(error)

    def _send_many(self, chain: list[Leased]) -> list[Tried]:
        channel = self.channel
        assert isinstance(channel, SendsMany)
        try:
            outcomes = channel.send_many([one.message for one in chain])
            if len(outcomes) != len(chain):
                raise ValueError("another number of outcomes than of messages")
        except Exception as error:
            outcomes = [self._surprise(error)] * len(chain)
        return [Tried(one, outcome) for one, outcome in zip(chain, outcomes, strict=True)]

    def _surprise(self, error: Exception) -> Failed:
        # The type only: its text may hold the number.
        logger.error("Channel %s could not send: %s.", self.channel.code, type(error).__name__)
        return Failed(type(error).__name__, permanent=False)
