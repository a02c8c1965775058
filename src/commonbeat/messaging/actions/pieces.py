"""Long texts that arrive in pieces: kept until they are whole."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec
from django.conf import settings

from commonbeat.foundation.crypto import SealError
from commonbeat.messaging import channel as contract
from commonbeat.messaging import sealing
from commonbeat.messaging.models import Contact, Inbound, InboundState

# Pieces follow each other within seconds; a network that lost one gives up within minutes.
WAIT = timedelta(minutes=5)
_GAP = " […] "
# A text has 255 pieces at most; what one person has waiting beyond two such texts is not looked at.
_MOST = 510


def gather(row: Inbound, message: contract.Inbound, contact: Contact, now: datetime) -> contract.Inbound | None:
    """Give the whole text once its pieces are there, or once waiting is over with what there is; else None.

    The row then waits, under its contact. The other pieces of a text that is whole are understood with it.
    """
    piece = message.piece
    if piece is None:
        return message
    found: dict[int, tuple[Inbound, contract.Inbound]] = {piece.number: (row, message)}
    waiting = Inbound.objects.filter(state=InboundState.NEW, contact=contact, channel=row.channel).exclude(pk=row.pk)
    for other in waiting.order_by("id")[:_MOST]:
        opened = _opened(other)
        if opened is not None and opened.piece is not None and _is_of(opened.piece, piece):
            found.setdefault(opened.piece.number, (other, opened))
    is_over = min(one.received_at for one, _ in found.values()) + WAIT <= now
    if len(found) < piece.total and not is_over:
        row.contact = contact
        row.due_at = row.received_at + WAIT
        row.save(update_fields=["contact", "due_at"])
        return None
    others = [one.pk for one, _ in found.values() if one.pk != row.pk]
    Inbound.objects.filter(pk__in=others).update(state=InboundState.UNDERSTOOD, due_at=None)
    texts = {number: one.text for number, (_, one) in found.items()}
    return msgspec.structs.replace(message, text=_joined(texts, piece.total), piece=None)


def _joined(texts: Mapping[int, str], total: int) -> str:
    joined, is_gap = "", False
    for number in range(1, total + 1):
        if number in texts:
            joined += (_GAP if is_gap else "") + texts[number]
        is_gap = number not in texts
    return joined + (_GAP.rstrip() if is_gap else "")


def _is_of(one: contract.Piece, other: contract.Piece) -> bool:
    return (one.reference, one.total) == (other.reference, other.total) and 1 <= one.number <= one.total


def _opened(row: Inbound) -> contract.Inbound | None:
    try:
        message = sealing.open_inbound(settings.COMMONBEAT.secret, row.body_sealed)
    except (SealError, msgspec.DecodeError):
        return None
    return message if isinstance(message, contract.Inbound) else None
