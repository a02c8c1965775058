"""Pure decisions about who can open a desk's tips: no ORM, no clock."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Holder:
    """A member with a key, and whether a recovery key was printed and confirmed."""

    member: bytes
    has_recovery: bool


def is_recoverable(holders: Collection[Holder], *, has_escrow: bool) -> bool:
    """Tell whether a desk's tips stay readable when any one of its members forgets the passphrase.

    Two members help each other; one alone needs a recovery key, or an escrow key that opens everything there is. A
    desk without members reads nothing.
    """
    if len(holders) == 1:
        return has_escrow or next(iter(holders)).has_recovery
    return bool(holders)


def may_remove(member: bytes, holders: Collection[Holder], *, has_escrow: bool) -> bool:
    """Tell whether a member may go: the desk must stay recoverable without them."""
    return is_recoverable([holder for holder in holders if holder.member != member], has_escrow=has_escrow)


# How a dialogue may end, by the kind of its desk; "elsewhere" is for what another body must deal with.
OUTCOMES: dict[str, tuple[str, ...]] = {
    "tips": ("used", "not_used", "elsewhere", "spam"),
    "complaints": ("praise", "upheld", "partly_upheld", "not_upheld", "withdrawn", "elsewhere"),
}
# What is counted of the complaints of a year beside how they ended: those that came, after how many days they ended,
# and those that ended by time, without an outcome.
COUNTED_RECEIVED, COUNTED_DAYS, COUNTED_EXPIRED = "received", "days", "expired"
# Each side of one dialogue, in all; a receipt is no licence to fill the disk.
MOST_TEXTS = 500
MOST_FILES = 10
MOST_FILE_BYTES = 2_000_000_000
# One piece of an upload: a minute and a half on 400 kbit/s.
MOST_PIECE_BYTES = 4 * 1024 * 1024
# Both sides are shown for so long that a dialogue ends.
ANNOUNCED_DAYS = 14


def day_second(day: date) -> int:
    """Give the Unix second at which a day begins in UTC: as exact as the time of a source's act is ever kept."""
    return (day - date(1970, 1, 1)).days * 86_400


def is_full(*, begun_today: int, cap: int) -> bool:
    """Tell whether a desk that began so many dialogues today takes no more."""
    return begun_today >= cap


def is_ending_soon(ends: date, today: date) -> bool:
    """Tell whether a dialogue ends so soon that both sides are shown it."""
    return (ends - today).days <= ANNOUNCED_DAYS
