"""Read a dialogue: its boxes as they are, for a browser that opens them, or opened for the one page that shows them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from django.conf import settings

from commonbeat.tips import files, receipts, store, texts, tipkeys
from commonbeat.tips.errors import Unopenable
from commonbeat.tips.keys import KeyPair
from commonbeat.tips.models import Direction, FileState, Holder, Member, Tip, TipFile, TipKey, TipText
from commonbeat.tips.queries import find_by_look_up, tip_for


@dataclass(frozen=True, slots=True)
class Dialogue:
    """The boxes of a dialogue, in the order in which they came."""

    tip: Tip
    key_box: bytes
    texts: list[TipText]
    files: list[TipFile]


@dataclass(frozen=True, slots=True)
class Line:
    """One text; None where it cannot be opened."""

    direction: str
    number: int
    day: date
    text: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class FileLine:
    """One file; its name and key are None where they cannot be opened."""

    id: int
    number: int
    day: date
    size: int
    is_whole: bool
    name: str | None = field(repr=False)
    key: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Opened:
    """A dialogue as it reads."""

    tip: Tip
    key: KeyPair
    texts: list[Line]
    files: list[FileLine]


def dialogue_for_source(looked_up: bytes) -> Dialogue | None:
    """Read the boxes of the dialogue of a look-up; None when it is unknown."""
    tip = find_by_look_up(looked_up)
    return None if tip is None else _dialogue(tip, TipKey.objects.filter(tip=tip, holder=Holder.SOURCE).first())


def dialogue_for(member: Member, tip_id: int) -> Dialogue | None:
    """Read the boxes of a dialogue for a member; None without a box of theirs."""
    tip = tip_for(member, tip_id)
    return None if tip is None else _dialogue(tip, TipKey.objects.filter(tip=tip, member_id=member.pk).first())


def opened_for(member: Member, pair: KeyPair, dialogue: Dialogue) -> Opened:
    """Open a dialogue with a member's key; Unopenable with another one's."""
    tip = dialogue.tip
    key = tipkeys.open_as_member(
        dialogue.key_box, tip=bytes(tip.uid), member=bytes(member.uid), own=pair, tip_public=bytes(tip.public)
    )
    return _opened(dialogue, key)


def opened_by_receipt(receipt: str, dialogue: Dialogue) -> Opened:
    """Open a dialogue with the receipt; Unopenable with another one."""
    tip, own = dialogue.tip, receipts.source_pair(receipt)
    key = tipkeys.open_as_source(dialogue.key_box, tip=bytes(tip.uid), own=own, tip_public=bytes(tip.public))
    return _opened(dialogue, key)


def file_blocks(file: TipFile, key: bytes) -> Iterator[bytes]:
    """Give a whole file block by block; Unopenable as soon as something is wrong, which may be at the end."""
    if file.state != FileState.WHOLE:
        raise Unopenable
    try:
        handle = store.path_of(file.token, data_dir=settings.COMMONBEAT.data_dir).open("rb")
    except FileNotFoundError:
        raise Unopenable from None
    with handle:
        yield from files.opened_blocks(handle, key, tip=bytes(file.tip.uid), number=file.number)


def _dialogue(tip: Tip, key: TipKey | None) -> Dialogue | None:
    if key is None:
        return None
    return Dialogue(
        tip,
        bytes(key.box),
        list(TipText.objects.filter(tip=tip).order_by("pk")),
        list(TipFile.objects.select_related("tip").filter(tip=tip).order_by("number")),
    )


def _opened(dialogue: Dialogue, key: KeyPair) -> Opened:
    return Opened(
        dialogue.tip,
        key,
        [_line(dialogue.tip, text, key) for text in dialogue.texts],
        [_file_line(dialogue.tip, file, key) for file in dialogue.files],
    )


def _line(tip: Tip, text: TipText, key: KeyPair) -> Line:
    opens = texts.open_to_desk if text.direction == Direction.TO_DESK else texts.open_to_source
    try:
        plain = opens(bytes(text.box), tip=bytes(tip.uid), number=text.number, tip_key=key)
    except Unopenable:
        # One box that somebody has put there must not close the whole dialogue.
        plain = None
    return Line(text.direction, text.number, text.day, plain)


def _file_line(tip: Tip, file: TipFile, key: KeyPair) -> FileLine:
    file_key: bytes | None
    name: str | None
    try:
        file_key, name = files.open_file_key(bytes(file.key_box), tip=bytes(tip.uid), number=file.number, tip_key=key)
    except Unopenable:
        file_key, name = None, None
    return FileLine(file.pk, file.number, file.day, file.size_class, file.state == FileState.WHOLE, name, file_key)
