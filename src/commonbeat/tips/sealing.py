"""What a new dialogue consists of before it is stored: sealed here, or in a browser."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from commonbeat.tips import envelope, padding, receipts, texts, tipkeys
from commonbeat.tips.errors import TipError
from commonbeat.tips.keys import ID_BYTES, KEY_BYTES
from commonbeat.tips.models import TipDesk
from commonbeat.tips.queries import admitted_keys

_KEY_BOX = envelope.OVERHEAD + KEY_BYTES
TEXT_BOXES = frozenset(envelope.OVERHEAD + size for size in padding.SIZE_CLASSES)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A dialogue that has no text yet; held in memory only."""

    desk_id: int
    receipt: str = field(repr=False)
    tip: bytes
    public: bytes
    source_public: bytes
    for_members: Mapping[bytes, bytes]
    for_source: bytes
    for_escrow: bytes | None


@dataclass(frozen=True, slots=True)
class SealedFile:
    """A file that lies sealed in the data folder and belongs to no row yet."""

    number: int
    token: str
    key_box: bytes
    received: int
    stored: int


@dataclass(frozen=True, slots=True)
class SealedTip:
    """A whole new dialogue, of which nothing can be read; `look_up` is what is derived of the receipt, 32 bytes."""

    uid: bytes
    public: bytes
    source_public: bytes
    look_up: bytes
    # Member's id → box.
    for_members: Mapping[bytes, bytes]
    for_source: bytes
    for_escrow: bytes | None
    # The first text.
    text: bytes


def prepare(*, desk_id: int, recused: Collection[int] = ()) -> Prepared:
    """Draw the receipt and the key of a new dialogue, sealed for the desk; nothing is stored."""
    escrow = bytes(TipDesk.objects.values_list("escrow_public", flat=True).get(pk=desk_id))
    receipt, uid = receipts.new_receipt(), tipkeys.new_tip_id()
    source_public = receipts.source_pair(receipt).public
    _pair, wrapped = tipkeys.new_tip_key(
        uid,
        members=admitted_keys(desk_id, without=recused),
        source_public=source_public,
        escrow_public=escrow or None,
    )
    return Prepared(
        desk_id,
        receipt,
        uid,
        wrapped.public,
        source_public,
        wrapped.for_members,
        wrapped.for_source,
        wrapped.for_escrow,
    )


def seal_text(prepared: Prepared, text: str) -> SealedTip:
    """Seal the first text of a prepared dialogue; TooLong above 524,287 bytes."""
    box = texts.seal_to_desk(text, tip=prepared.tip, number=0, tip_public=prepared.public)
    return SealedTip(
        prepared.tip,
        prepared.public,
        prepared.source_public,
        receipts.look_up(prepared.receipt),
        prepared.for_members,
        prepared.for_source,
        prepared.for_escrow,
        box,
    )


def check(sealed: SealedTip) -> None:
    """Raise TipError unless everything has a length that it can have: what is inside nobody here can tell."""
    keys = [*sealed.for_members.values(), sealed.for_source, *([sealed.for_escrow] if sealed.for_escrow else [])]
    fits = (
        len(sealed.uid) == ID_BYTES
        and all(len(each) == KEY_BYTES for each in (sealed.public, sealed.source_public, sealed.look_up))
        and all(len(box) == _KEY_BOX for box in keys)
    )
    if not fits:
        raise TipError("This was not sealed as it must be.")
    check_text(sealed.text)


def check_text(box: bytes) -> None:
    """Raise TipError unless a box has a length that the box of a text can have."""
    if len(box) not in TEXT_BOXES:
        raise TipError("This was not sealed as it must be.")
