"""The Channel contract: what a provider's folder must offer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import import_module
from typing import Protocol

import msgspec
from django.conf import settings


class Inbound(msgspec.Struct, frozen=True, tag="message"):
    """A message from a person, as a gateway delivered it."""

    provider_id: str
    sender: str
    text: str
    sent_at: datetime | None = None


class Receipt(msgspec.Struct, frozen=True, tag="receipt"):
    """What a gateway says became of one of our messages."""

    # Unique per receipt, so that a repeated one is recognised.
    provider_id: str
    # The id of the message that it is about: our idempotency key or the provider's id.
    about: str
    # "delivered" or "failed"; anything else is left out by parse().
    outcome: str
    error: str = ""


@dataclass(frozen=True, slots=True)
class Outbound:
    """A message to send."""

    recipient: str
    text: str
    idempotency_key: str


@dataclass(frozen=True, slots=True)
class Sent:
    """The gateway took the message."""

    provider_id: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The gateway did not take it; permanent means that trying again is of no use."""

    code: str
    permanent: bool


@dataclass(frozen=True, slots=True)
class Request:
    """A webhook call, as bytes."""

    method: str
    # What follows /hooks/<code>/ in the path.
    tail: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Limits:
    """What a channel can carry."""

    # "phone" or "email"
    address_kind: str
    per_second: float
    body_bytes: int = 65_536


class Refused(Exception):
    """The webhook call is not authentic or not readable; status is the HTTP status to answer."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


class Channel(Protocol):
    """Offer a provider to the house; a module with these names fulfils it."""

    code: str
    limits: Limits

    def verify(self, request: Request) -> None:
        """Raise Refused unless the provider made this call."""

    def parse(self, request: Request) -> Sequence[Inbound | Receipt]:
        """Read the messages and receipts of one call; raise Refused when it cannot be read."""

    def answer(self, request: Request) -> tuple[str, bytes]:
        """Give the content type and body of a successful answer."""

    def send(self, message: Outbound) -> Sent | Failed:
        """Hand one message to the gateway; network errors are Failed(permanent=False)."""


@cache
def channels() -> Mapping[str, Channel]:
    """Load the channels of this site, by code."""
    loaded: dict[str, Channel] = {}
    for path in settings.CHANNELS:
        channel: Channel = import_module(path).channel
        loaded[channel.code] = channel
    return loaded
