"""The Channel contract: what a provider's folder must offer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from importlib import import_module
from typing import Protocol, runtime_checkable

import msgspec
from django.conf import settings

# The code of a failure, of a sending or a receipt, by which a provider says that the person has told it to stop.
OPTED_OUT = "opted_out"


class Piece(msgspec.Struct, frozen=True):
    """Which piece of a long SMS a message is, where the provider does not put them together; from 1 on."""

    reference: str
    number: int
    total: int


class Inbound(msgspec.Struct, frozen=True, tag="message"):
    """A message from a person, as a gateway delivered it."""

    provider_id: str
    sender: str
    text: str
    sent_at: datetime | None = None
    # What came with it that the channel does not carry further: "photo", "video", "voice", "file".
    attachments: tuple[str, ...] = ()
    # The channel that it came by, where that is none that can be answered on later (USSD).
    heard_on: str = ""
    piece: Piece | None = None
    # False where the sender's address is only a claim, as the From line of an e-mail is.
    is_proven: bool = True
    # True for what a machine sent (an out-of-office notice, a list): kept, neither understood nor answered.
    is_automatic: bool = False
    # Draft keys of the pictures that came along and that media/ keeps.
    photos: tuple[str, ...] = ()
    # By what the sender's program puts our answer behind this message; for e-mail its Message-ID.
    thread: str = ""
    # The message of ours that it answers, as the provider's id of it, where the sender's program says so.
    answers: str = ""


class Price(msgspec.Struct, frozen=True):
    """What a provider took for a message: millionths of a currency, and its three letters."""

    micros: int
    currency: str


class Receipt(msgspec.Struct, frozen=True, tag="receipt"):
    """What a gateway says became of one of our messages."""

    # Unique per receipt, so that a repeated one is recognised.
    provider_id: str
    # The id of the message that it is about: our idempotency key or the provider's id.
    about: str
    # "delivered" or "failed"; anything else is left out by parse().
    outcome: str
    # A code, OPTED_OUT or the provider's own; never its sentence, which may hold the number.
    error: str = ""
    # Which part it is about, from 1 on, where the provider says so; 0 is the whole message.
    part: int = 0
    price: Price | None = None
    # Other ways to write the id in `about`, where a provider answers in one and reports in another.
    spellings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outbound:
    """A message to send."""

    recipient: str
    text: str
    idempotency_key: str
    # The language that is known of the recipient; empty when none is.
    language: str = ""
    # When the recipient last wrote on this channel; None when never. Only where limits.asks_when_heard.
    heard_at: datetime | None = None
    # After this the message is of no use to anybody; a provider that keeps messages is told so.
    expires_at: datetime | None = None
    # What has the same topic takes the place of what was shown before, where a channel can do so.
    topic: str = ""
    is_urgent: bool = False


@dataclass(frozen=True, slots=True)
class Sent:
    """The gateway took the message."""

    provider_id: str
    # The provider's id of each part, where it gives one each; the first may be provider_id itself.
    part_ids: tuple[str, ...] = ()
    # What the provider says that the whole message costs.
    price: Price | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The gateway did not take it; permanent means that trying again is of no use.

    The code OPTED_OUT stops the contact. messaging.rules.is_known_not_taken tells from the code whether the gateway
    may have taken the message all the same: "ConnectError", "http 503" and "authorization" say no.
    """

    code: str
    permanent: bool
    # The trouble is of whoever carries this one recipient's messages, and says nothing of the channel.
    is_elsewhere: bool = False


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

    # "phone", "email", "chat" or "push"
    address_kind: str
    per_second: float
    body_bytes: int = 65_536
    # Whether texts travel as SMS, in parts of GSM-7 or UCS-2; a chat that goes by telephone number does not.
    in_parts: bool = True
    # Calls to the gateway at the same time, for bulk; replies have a quarter as many of their own.
    connections: int = 8
    # False where a person is answered within the call and at no other time: news go to the site's channel for texts.
    writes_first: bool = True
    # True where it matters how long ago the recipient wrote (Outbound.heard_at).
    asks_when_heard: bool = False
    # Whether the provider recognises a message that comes again under its key; else a lost answer may double it.
    knows_keys: bool = False


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


@runtime_checkable
class SendsMany(Protocol):
    """Offer one call for several messages, where the provider has one."""

    def send_many(self, messages: Sequence[Outbound]) -> Sequence[Sent | Failed]:
        """Hand messages to the gateway at once; give one outcome for each, in their order."""


@runtime_checkable
class StaysConnected(Protocol):
    """Offer a provider that is no web address but a line, which the worker that sends keeps open."""

    def keep_open(self, receive: Callable[[Sequence[Inbound | Receipt]], None]) -> None:
        """Connect unless connected, and do not wait; receive() stores, or raises when it could not.

        The worker calls it at least once in ten seconds; a line that it has not asked for in a minute is closed.
        """

    def close(self) -> None:
        """Close the line."""


@runtime_checkable
class IsAsked(Protocol):
    """Offer a provider that cannot be called and comes for its messages instead; the worker sends nothing on it."""

    def asked(self, request: Request) -> Asked | None:
        """Tell what a verified call asks for besides bringing messages; None when nothing."""

    def answer_asked(self, asked: Asked, found: Sequence[Outbound | str]) -> tuple[str, bytes]:
        """Give the content type and body for what was found: messages to send, or keys."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a provider that comes by itself wants: messages, to confirm by their keys those that it took, or to know
    of which messages it is to tell.
    """

    # How many messages at most.
    most: int = 0
    # Whether what is handed out counts as sent only once it is confirmed.
    will_confirm: bool = False
    confirmed: tuple[str, ...] = ()
    # How many keys of messages at most, whose outcome is not known.
    open: int = 0


@dataclass(frozen=True, slots=True)
class Setup:
    """What a channel needs in the settings, by name, and where its provider calls; for the administrator's page."""

    title: str
    # Settings without which nothing is received, and without which nothing is sent.
    to_receive: tuple[str, ...] = ()
    to_send: tuple[str, ...] = ()
    # What the provider calls, and the address after /hooks/<code>; {name} stands for a secret setting.
    hooks: tuple[tuple[str, str], ...] = ()
    # Settings that the provider can do without.
    optional: tuple[str, ...] = ()
    # Those of the settings that say where messages go, and with them the channel's secrets or what is signed with them.
    goes_to: tuple[str, ...] = ()
    # What the channel is for, in a sentence, and its page in docs/channels.
    purpose: str = ""
    manual: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """List the settings, each once, those that are needed first."""
        return tuple(dict.fromkeys((*self.to_send, *self.to_receive, *self.optional)))


def setup_of(channel: Channel) -> Setup:
    """Give what a channel says of its settings, or its name alone."""
    setup = getattr(channel, "setup", None)
    return setup if isinstance(setup, Setup) else Setup(title=channel.code)


def price_of(amount: str, currency: str) -> Price | None:
    """Read a price as providers write it ("-0.00750", "0.0333"); None when it is none."""
    try:
        micros = int((abs(Decimal(amount)) * 1_000_000).to_integral_value())
    except (ArithmeticError, ValueError):
        return None
    code = currency.strip().upper()
    return Price(micros, code) if len(code) == 3 and code.isascii() and code.isalpha() and micros < 10**12 else None


@cache
def channels() -> Mapping[str, Channel]:
    """Load the channels of this site, by code."""
    loaded: dict[str, Channel] = {}
    for path in settings.CHANNELS:
        channel: Channel = import_module(path).channel
        loaded[channel.code] = channel
    return loaded
