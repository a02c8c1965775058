"""Talk: the source answers with the receipt, members ask as the desk, one of them closes."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from commonbeat.journal.actions import note_look
from commonbeat.people.models import User
from commonbeat.tips import events, rules, texts
from commonbeat.tips.actions.complaint_counts import count_ended
from commonbeat.tips.actions.membership import own_member
from commonbeat.tips.actions.pending import note_of_source
from commonbeat.tips.actions.traces import leave_trace
from commonbeat.tips.commitment import Fact
from commonbeat.tips.dialogue_queries import Opened, dialogue_for, dialogue_for_source, opened_by_receipt, opened_for
from commonbeat.tips.errors import DialogueOver, NotMember, TipError, TooMany, Unopenable, WrongNumber
from commonbeat.tips.keys import KeyPair
from commonbeat.tips.models import Complaint, DeskKind, Direction, Member, Tip, TipDesk, TipKey, TipState, TipText
from commonbeat.tips.queries import accounts_of, find_by_receipt, may_be_member, tip_for, today
from commonbeat.tips.receipts import look_up
from commonbeat.tips.sealing import check_text


def open_tip(*, tip_id: int, member_id: int, user: User, pair: KeyPair, now: datetime) -> Opened:
    """Open a dialogue as a member and journal it; NotMember without a box, Unopenable with another one's key."""
    member = own_member(member_id, user)
    dialogue = dialogue_for(member, tip_id)
    if dialogue is None:
        raise NotMember
    opened = opened_for(member, pair, dialogue)
    Tip.objects.filter(pk=tip_id, news_for_desk=True).update(news_for_desk=False)
    kind = events.kind_for(events.OPENED, opened.tip.desk.kind)
    note_look(kind=kind, subject_id=tip_id, actor_id=user.pk, now=now)
    return opened


def read_as_source(*, receipt: str) -> Opened:
    """Open a dialogue with its receipt; Unopenable when there is none."""
    dialogue = dialogue_for_source(look_up(receipt))
    if dialogue is None:
        raise Unopenable
    opened = opened_by_receipt(receipt, dialogue)
    source_has_looked(tip_id=dialogue.tip.pk)
    return opened


def source_has_looked(*, tip_id: int) -> None:
    """Note that the source has seen what was new."""
    Tip.objects.filter(pk=tip_id, news_for_source=True).update(news_for_source=False)


def ask_as_member(*, tip_id: int, member_id: int, user: User, text: str, now: datetime) -> TipText:
    """Write to the source as the desk; who wrote stands in the journal alone. DialogueOver, TooLong, TooMany."""
    _check_words(text)
    member = own_member(member_id, user)
    with transaction.atomic():
        tip = _locked(tip_id, member)
        number = tip.texts_to_source
        box = texts.seal_to_source(text, tip=bytes(tip.uid), number=number, tip_public=bytes(tip.public))
        said = _add(tip, Direction.TO_SOURCE, number, box, now)
        tip.state, tip.texts_to_source, tip.news_for_source = TipState.ANSWERED, number + 1, True
        tip.save(update_fields=["state", "texts_to_source", "news_for_source"])
        leave_trace(tip, Fact.ANSWERED, box=box, now=now)
        events.write(events.ASKED, subject_id=tip.pk, now=now, desk_kind=tip.desk.kind, actor_id=user.pk)
    return said


def answer_as_source(
    *, tip_id: int, now: datetime, text: str | None = None, box: bytes | None = None, number: int | None = None
) -> TipText:
    """Write to the desk as the source, in words, or in a box and the number under which it was sealed.

    The caller has found the tip by its receipt. DialogueOver, TooLong, TooMany; TipError for an impossible box,
    WrongNumber where another text came first.
    """
    if (text is None) == (box is None) or (box is None) != (number is None):
        raise ValueError("either words, or a box and its number")
    if box is not None:
        check_text(box)
    if text is not None:
        _check_words(text)
    with transaction.atomic():
        tip = _locked(tip_id)
        if number is not None and number != tip.texts_to_desk:
            raise WrongNumber(tip.texts_to_desk)
        number = tip.texts_to_desk
        if text is not None:
            box = texts.seal_to_desk(text, tip=bytes(tip.uid), number=number, tip_public=bytes(tip.public))
        assert box is not None
        said = _add(tip, Direction.TO_DESK, number, box, now)
        tip.state, tip.texts_to_desk, tip.news_for_desk = TipState.OPEN, number + 1, True
        # It says something of its own now.
        tip.same_as = None
        tip.save(update_fields=["state", "texts_to_desk", "news_for_desk", "same_as"])
        note_of_source(events.ANSWERED, tip_id=tip.pk, now=now, desk_kind=tip.desk.kind)
    return said


def answer_by_receipt(*, receipt: str, text: str, now: datetime) -> TipText:
    """Write to the desk with a receipt, for ways in that have nothing but words; Unopenable when it is unknown."""
    tip = find_by_receipt(receipt)
    if tip is None:
        raise Unopenable
    return answer_as_source(tip_id=tip.pk, text=text, now=now)


def close_tip(*, tip_id: int, member_id: int, user: User, outcome: str, now: datetime) -> Tip:
    """End a dialogue, with a code of how; it is deleted a time later, which both sides are shown."""
    member = own_member(member_id, user)
    with transaction.atomic():
        tip = _locked(tip_id, member)
        if outcome not in rules.OUTCOMES[tip.desk.kind]:
            raise TipError("Choose how it ended.", "outcome")
        tip.state, tip.outcome, tip.news_for_source = TipState.CLOSED, outcome, True
        tip.news_for_desk, tip.is_announced = False, True
        tip.active_day = today(now)
        tip.deletes_day = tip.active_day + timedelta(days=tip.desk.deletes_after_days)
        tip.save()
        count_ended([tip], how=outcome, day=tip.active_day)
        last = TipText.objects.filter(tip=tip).order_by("-pk").first()
        leave_trace(tip, Fact.CLOSED, box=b"" if last is None else bytes(last.box), now=now)
        events.write(events.CLOSED, subject_id=tip.pk, now=now, desk_kind=tip.desk.kind, actor_id=user.pk)
    return tip


def recuse(*, tip_id: int, member_id: int, by_member_id: int, user: User, now: datetime) -> None:
    """Take a complaint away from a member whom it concerns, for good; TipError when too few could open it then.

    After stepping aside oneself, somebody must be left; after taking it from another one, somebody beside who does it.
    """
    by = own_member(by_member_id, user)
    with transaction.atomic():
        # The lock of those who come and go, for each that is counted on must stay.
        TipDesk.objects.select_for_update().get(pk=by.desk_id)
        tip = _locked(tip_id, by, is_over_too=True)
        complaint = Complaint.objects.select_for_update().filter(pk=tip_id).first()
        if complaint is None or tip.desk.kind != DeskKind.COMPLAINTS:
            raise TipError("Only complaints are taken away from single members.")
        whom = Member.objects.filter(pk=member_id, desk_id=tip.desk_id).first()
        if whom is None:
            raise NotMember
        readers = _readers(tip) - {whom.user_id} - accounts_of(complaint.recused)
        if not readers:
            raise TipError("Nobody else could open this. Add another member first.", "member")
        if not readers - {user.pk}:
            raise TipError("Then you alone could open it. Add another member first, or let them step aside.", "member")
        TipKey.objects.filter(tip=tip, member__user_id=whom.user_id).delete()
        if whom.user_id not in accounts_of(complaint.recused):
            complaint.recused = sorted([*complaint.recused, member_id])
            complaint.save(update_fields=["recused"])
            data = {"member": member_id}
            events.write(events.COMPLAINT_RECUSED, subject_id=tip.pk, now=now, actor_id=user.pk, data=data)


def _readers(tip: Tip) -> set[int]:
    """Read the accounts that can open a tip as members today."""
    ids = Member.objects.admitted().filter(keys__tip=tip).values_list("user_id", flat=True)
    return {user.pk for user in User.objects.filter(pk__in=list(ids)) if may_be_member(user, tip.desk)}


def _locked(tip_id: int, member: Member | None = None, *, is_over_too: bool = False) -> Tip:
    tip = Tip.objects.select_for_update(of=("self",)).select_related("desk").filter(pk=tip_id).first()
    if member is not None and (tip is None or tip_for(member, tip_id) is None):
        raise NotMember
    if tip is None:
        raise Unopenable
    if tip.is_over and not is_over_too:
        raise DialogueOver
    return tip


def _add(tip: Tip, direction: Direction, number: int, box: bytes, now: datetime) -> TipText:
    if number >= rules.MOST_TEXTS:
        raise TooMany
    day = today(now)
    days = timedelta(days=tip.desk.expires_after_days)
    Tip.objects.filter(pk=tip.pk).update(active_day=day, expires_day=day + days, is_announced=False)
    return TipText.objects.create(tip=tip, direction=direction, number=number, box=box, day=day)


def _check_words(text: str) -> None:
    if not text.strip():
        raise TipError("Write something.", "text")
