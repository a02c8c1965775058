"""Take a new dialogue in: the server seals it before anything is stored, or stores what a browser has sealed."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from commonbeat.foundation import crypto
from commonbeat.tips import events, rules, sealing
from commonbeat.tips.actions.complaint_counts import count_received
from commonbeat.tips.actions.numbers import locked_desk, next_number
from commonbeat.tips.actions.pending import note_of_source
from commonbeat.tips.actions.traces import leave_trace
from commonbeat.tips.commitment import Fact
from commonbeat.tips.errors import DeskClosed, DeskFull, TipError, TooMany
from commonbeat.tips.models import (
    ByChannel,
    Complaint,
    DeskKind,
    Direction,
    FileState,
    Holder,
    Member,
    SealedWhere,
    Tip,
    TipFile,
    TipKey,
    TipText,
)
from commonbeat.tips.queries import accounts_of, begun_today, stored_look_up, today
from commonbeat.tips.sealing import Prepared, SealedFile, SealedTip

# What a dialogue can be about, beside nothing.
ABOUT = ("alert", "report")
About = tuple[str, int]
NOTHING: About = ("", 0)


@dataclass(frozen=True, slots=True)
class Submitted:
    """A stored dialogue, and the receipt that is shown this once and kept nowhere."""

    tip: Tip
    receipt: str = field(repr=False)


def submit_text(
    *,
    desk_id: int,
    text: str,
    now: datetime,
    prepared: Prepared | None = None,
    files: Sequence[SealedFile] = (),
    about: About = NOTHING,
    by_channel: str = ByChannel.WEB,
    recused: Collection[int] = (),
) -> Submitted:
    """Seal a text and store the dialogue that it begins; DeskClosed, DeskFull, TooLong, or TipError for an empty one.

    What begins with the words of another one of the same day is a dialogue of its own, listed under the first.
    """
    if not text.strip():
        raise TipError("Write something.", "text")
    prepared = prepared or sealing.prepare(desk_id=desk_id, recused=recused)
    if prepared.desk_id != desk_id:
        raise TipError("This was sealed to another desk.")
    tip = _store(
        desk_id=desk_id,
        sealed=sealing.seal_text(prepared, text),
        sealed_where=SealedWhere.SERVER,
        sameness=_sameness(desk_id, text, now),
        files=files,
        about=about,
        by_channel=by_channel,
        recused=recused,
        now=now,
    )
    return Submitted(tip, prepared.receipt)


def submit_sealed(
    *, desk_id: int, sealed: SealedTip, now: datetime, about: About = NOTHING, recused: Collection[int] = ()
) -> Tip:
    """Store a dialogue that a browser has sealed; the same one twice is stored once.

    DeskClosed, DeskFull, or TipError for boxes of impossible lengths, or none for a member of today.
    """
    sealing.check(sealed)
    return _store(
        desk_id=desk_id,
        sealed=sealed,
        sealed_where=SealedWhere.BROWSER,
        sameness=b"",
        files=(),
        about=about,
        by_channel=ByChannel.WEB,
        recused=recused,
        now=now,
    )


def _store(
    *,
    desk_id: int,
    sealed: SealedTip,
    sealed_where: str,
    sameness: bytes,
    files: Sequence[SealedFile],
    about: About,
    by_channel: str,
    recused: Collection[int],
    now: datetime,
) -> Tip:
    if about[0] not in ("", *ABOUT):
        raise TipError("A dialogue is about an alert, a report, or neither.")
    if len(files) > rules.MOST_FILES:
        raise TooMany
    look_up, day = stored_look_up(sealed.look_up), today(now)
    with transaction.atomic():
        # The lock makes the number of the day exact, and numbers the dialogues of a kind one after another.
        desk = locked_desk(desk_id)
        if desk is None or not desk.is_open:
            raise DeskClosed
        there = Tip.objects.filter(uid=sealed.uid).first()
        if there is not None:
            if bytes(there.look_up) != look_up:
                raise TipError("This was not sealed as it must be.")
            return there
        if Tip.objects.filter(look_up=look_up).exists():
            raise TipError("This was not sealed as it must be.")
        first = _first_with(sameness, desk_id, now)
        if rules.is_full(begun_today=begun_today(desk_id, now, copies=first is not None), cap=desk.intake_cap):
            raise DeskFull
        members = _with_boxes(desk_id, sealed, recused)
        tip = Tip.objects.create(
            pk=next_number(desk.kind),
            uid=sealed.uid,
            desk=desk,
            about_kind=about[0],
            about_id=about[1] if about[0] else None,
            look_up=look_up,
            public=sealed.public,
            source_public=sealed.source_public,
            created_day=day,
            active_day=day,
            expires_day=day + timedelta(days=desk.expires_after_days),
            sealed_where=sealed_where,
            by_channel=by_channel,
            texts_to_desk=1,
            files=len(files),
            same_as=first,
            sameness=sameness,
        )
        keys = [TipKey(tip=tip, holder=Holder.MEMBER, member_id=pk, box=box) for pk, box in members.items()]
        keys.append(TipKey(tip=tip, holder=Holder.SOURCE, box=sealed.for_source))
        if sealed.for_escrow and desk.escrow_public:
            keys.append(TipKey(tip=tip, holder=Holder.ESCROW, box=sealed.for_escrow))
        TipKey.objects.bulk_create(keys)
        TipText.objects.create(tip=tip, direction=Direction.TO_DESK, number=0, box=sealed.text, day=day)
        TipFile.objects.bulk_create([_row(tip, number, each) for number, each in enumerate(files)])
        if desk.kind == DeskKind.COMPLAINTS:
            due = day + timedelta(days=desk.answer_within_days)
            Complaint.objects.create(tip=tip, received_day=day, due_day=due, recused=sorted(recused))
            count_received(day=day)
        leave_trace(tip, Fact.RECEIVED, box=sealed.text, now=now)
        note_of_source(events.RECEIVED, tip_id=tip.pk, now=now, desk_kind=desk.kind)
    return tip


def _with_boxes(desk_id: int, sealed: SealedTip, recused: Collection[int]) -> dict[int, bytes]:
    """Match boxes with today's members: who has left since is passed over, who has come gets theirs from another."""
    found, not_theirs = {}, accounts_of(recused)
    for pk, uid, user_id in Member.objects.admitted().filter(desk_id=desk_id).values_list("pk", "uid", "user_id"):
        box = sealed.for_members.get(bytes(uid))
        if box is not None and user_id not in not_theirs:
            found[pk] = box
    if not found:
        raise TipError("Nobody at this desk could open this. Load the page again.")
    return found


def _row(tip: Tip, number: int, file: SealedFile) -> TipFile:
    if file.number != number:
        raise ValueError("files are numbered from 0, without a gap")
    return TipFile(
        tip=tip,
        number=number,
        key_box=file.key_box,
        token=file.token,
        state=FileState.WHOLE,
        sealed_where=SealedWhere.SERVER,
        received=file.received,
        stored=file.stored,
        day=tip.created_day,
    )


def _first_with(sameness: bytes, desk_id: int, now: datetime) -> Tip | None:
    if not sameness:
        return None
    found = Tip.objects.filter(desk_id=desk_id, created_day=today(now), sameness=sameness, same_as=None)
    return found.order_by("pk").first()


def _sameness(desk_id: int, text: str, now: datetime) -> bytes:
    """Hash the words of a text under a key of this desk and day: on the next day nothing can be tried against it."""
    words = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    key = crypto.derive(settings.COMMONBEAT.secret, f"tip sameness {desk_id} {today(now).isoformat()}")
    return crypto.keyed_hash(key, words)
