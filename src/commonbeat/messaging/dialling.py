"""The contract of a USSD provider: people dial, and are answered within the call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from commonbeat.messaging.channel import Limits, Request


@dataclass(frozen=True, slots=True)
class Dialled:
    """One step of a USSD session, as the provider tells it."""

    # The provider's id of the session.
    session: str
    sender: str
    # All that was entered since the person dialled, entries parted by "*"; empty at first.
    entered: str


@runtime_checkable
class UssdChannel(Protocol):
    """Offer a USSD provider to the house, beside what every channel offers."""

    code: str
    limits: Limits

    def verify(self, request: Request) -> None:
        """Raise Refused unless the provider made this call."""

    def dialled(self, request: Request) -> Dialled:
        """Read one step; raise Refused when it cannot be read."""

    def screen(self, text: str, *, goes_on: bool) -> tuple[str, bytes]:
        """Give the content type and body that show a text and, if the session goes on, wait for an entry."""
