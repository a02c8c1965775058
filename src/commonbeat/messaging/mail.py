"""What the worker needs of a channel that takes e-mail: the letter box beside the Channel contract."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from commonbeat.messaging.channel import Inbound, Receipt, channels


@dataclass(frozen=True, slots=True)
class Mail:
    """One e-mail as it was read."""

    message: Inbound | Receipt
    # The beginning of the address hash of the contact whose token the mail was sent to; empty without a valid token.
    conversation: bytes = b""
    # A token was there and none of ours made it.
    has_wrong_token: bool = False
    # What claims to be pictures, as attached.
    pictures: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Correspondent:
    """What of a person an e-mail to them needs: their language, and the message that it answers."""

    language: str = ""
    thread: str = ""


@runtime_checkable
class MailBox(Protocol):
    """Take e-mail in; the channel of that name fulfils it."""

    code: str
    # Asked with an address before a mail goes there; the worker puts it in, for channels read no tables.
    correspondent: Callable[[str], Correspondent]

    def is_ours(self, address: str) -> bool:
        """Tell whether an address is one that we take mail for."""

    def read(self, data: bytes, recipients: Sequence[str], envelope_sender: str | None = None) -> Mail:
        """Read one mail; whatever is wrong with it, something is read."""


def mail_box() -> MailBox | None:
    """Give the site's letter box, if it has one."""
    found = channels().get("email")
    # The contract of channels says nothing of mail; this one module knows that the channel “email” offers both.
    return found if isinstance(found, MailBox) else None
