"""Lines to providers that are no web address: kept open by the worker whose turn it is to send."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from django.db import close_old_connections, transaction

from commonbeat.foundation import clock
from commonbeat.messaging.actions import receive
from commonbeat.messaging.channel import Inbound, Receipt, StaysConnected, channels


class Lines:
    """Hold the lines of this worker."""

    def __init__(self, *, on_received: Callable[[], None] = lambda: None) -> None:
        self._on_received = on_received
        # Without all that is asked of a channel at every step of a busy loop.
        self._connected = [
            (one, partial(self._receive, code)) for code, one in channels().items() if isinstance(one, StaysConnected)
        ]

    def keep_open(self) -> None:
        """Open what is closed, and say that it is still wanted; does not wait."""
        for channel, receive_here in self._connected:
            channel.keep_open(receive_here)

    def close(self) -> None:
        """Close every line."""
        for channel, _ in self._connected:
            channel.close()

    def _receive(self, code: str, messages: Sequence[Inbound | Receipt]) -> None:
        # Called in the thread of a line; what it returns from is on the disk, and may be acknowledged.
        close_old_connections()
        try:
            with transaction.atomic():
                for message in messages:
                    receive(channel=code, message=message, now=clock.now())
        finally:
            close_old_connections()
        self._on_received()
