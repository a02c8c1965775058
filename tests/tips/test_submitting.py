"""A new dialogue is stored sealed, or not at all."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

import pytest

from commonbeat.journal.models import Entry
from commonbeat.people.models import User
from commonbeat.tips import commitment, receipts, rules, sealing
from commonbeat.tips.actions import desks, dialogue, membership, submitting
from commonbeat.tips.actions.pending import journal_sources
from commonbeat.tips.commitment import Fact
from commonbeat.tips.errors import DeskClosed, DeskFull, NotMember, TipError, TooLong
from commonbeat.tips.keys import new_key_pair
from commonbeat.tips.models import Complaint, DeskKind, Holder, Pending, Tip, TipKey, TipText, Trace
from commonbeat.tips.queries import copies_of, waiting
from commonbeat.tips.sealing import SealedTip
from commonbeat.tips.tipkeys import open_as_escrow
from tests.make import NOW
from tests.tips.desks import TEXT, desk_with, manager_of, seat, tip_at

pytestmark = pytest.mark.django_db


def sealed_for(desk_id: int, text: str = TEXT) -> tuple[SealedTip, str]:
    """Seal as a browser would."""
    prepared = sealing.prepare(desk_id=desk_id)
    return sealing.seal_text(prepared, text), prepared.receipt


def test_what_is_stored_is_boxes_days_and_a_number_in_the_journal() -> None:
    desk, seats = desk_with(3)
    tip, receipt = tip_at(desk)
    assert len(receipts.read_receipt(receipts.show_receipt(receipt))) == 32
    assert TipKey.objects.filter(tip=tip, holder=Holder.MEMBER).count() == 3
    assert TipKey.objects.filter(tip=tip, holder=Holder.SOURCE).count() == 1
    assert not Entry.objects.filter(kind="tips.received").exists()
    journal_sources(now=NOW + timedelta(days=1))
    entry = Entry.objects.get(kind="tips.received")
    assert (entry.subject_id, entry.actor_id, entry.data) == (tip.pk, None, {})
    assert (entry.at.hour, entry.at.minute, entry.at.second, entry.at.microsecond) == (0, 0, 0, 0)
    assert tip.created_day == NOW.date()
    opened = dialogue.read_as_source(receipt=receipt)
    assert [line.text for line in opened.texts] == [TEXT]
    assert seats


def test_the_trace_can_be_proved_while_the_tip_is_kept() -> None:
    desk, _seats = desk_with()
    tip, _receipt = tip_at(desk)
    trace = Trace.objects.get(tip_number=tip.pk, fact=Fact.RECEIVED)
    box = bytes(TipText.objects.get(tip=tip).box)
    assert trace.salt is not None
    proof: dict[str, Any] = {"tip": bytes(tip.uid), "second": rules.day_second(trace.day), "salt": bytes(trace.salt)}
    assert commitment.holds(bytes(trace.commitment), Fact.RECEIVED, box=box, **proof)
    assert not commitment.holds(bytes(trace.commitment), Fact.RECEIVED, box=box + b"0", **proof)


def test_what_a_browser_sealed_is_stored_once() -> None:
    desk, (one, _other) = desk_with()
    sealed, receipt = sealed_for(desk.pk)
    tip = submitting.submit_sealed(desk_id=desk.pk, sealed=sealed, now=NOW, about=("alert", 7))
    again = submitting.submit_sealed(desk_id=desk.pk, sealed=sealed, now=NOW, about=("alert", 7))
    assert again.pk == tip.pk
    assert Tip.objects.count() == Pending.objects.filter(kind="tips.received").count() == 1
    assert (tip.sealed_where, tip.about_kind, tip.about_id) == ("browser", "alert", 7)
    opened = dialogue.open_tip(tip_id=tip.pk, member_id=one.member.pk, user=one.user, pair=one.pair, now=NOW)
    assert opened.texts[0].text == TEXT
    # Another dialogue under the same id or look-up is none.
    other, _receipt = sealed_for(desk.pk)
    changes: list[dict[str, Any]] = [{"uid": sealed.uid}, {"look_up": sealed.look_up}]
    for change in changes:
        with pytest.raises(TipError):
            submitting.submit_sealed(desk_id=desk.pk, sealed=dataclasses.replace(other, **change), now=NOW)
    assert receipt


@pytest.mark.parametrize(
    "change",
    [
        {"text": b"in the clear"},
        {"for_source": b""},
        {"public": b"1"},
        {"uid": b"1"},
        {"look_up": b"1"},
        {"for_members": {}},
        {"for_members": {bytes(16): bytes(123)}},
        {"for_escrow": b"1"},
    ],
)
def test_impossible_boxes_are_refused_and_nothing_is_stored(change: dict[str, Any]) -> None:
    desk, _seats = desk_with()
    sealed, _receipt = sealed_for(desk.pk)
    with pytest.raises(TipError):
        submitting.submit_sealed(desk_id=desk.pk, sealed=dataclasses.replace(sealed, **change), now=NOW)
    assert not Tip.objects.exists()


def test_a_member_who_came_while_a_browser_sealed_gets_the_box_from_another() -> None:
    desk, (one, other) = desk_with()
    sealed, _receipt = sealed_for(desk.pk)
    new = seat(desk, by=one)
    membership.remove_member(member_id=other.member.pk, actor=other.user, now=NOW)
    tip = submitting.submit_sealed(desk_id=desk.pk, sealed=sealed, now=NOW)
    assert list(TipKey.objects.filter(tip=tip, holder=Holder.MEMBER).values_list("member_id", flat=True)) == [
        one.member.pk
    ]
    assert membership.share_keys(by_member_id=one.member.pk, user=one.user, pair=one.pair) == 0
    opened = dialogue.open_tip(tip_id=tip.pk, member_id=new.member.pk, user=new.user, pair=new.pair, now=NOW)
    assert opened.texts[0].text == TEXT


def test_a_closed_desk_and_a_full_one_say_so_and_store_nothing() -> None:
    desk, _seats = desk_with(intake_cap=2)
    for number in range(2):
        tip_at(desk, f"Number {number}")
    with pytest.raises(DeskFull):
        tip_at(desk, "One too many")
    sealed, _receipt = sealed_for(desk.pk)
    with pytest.raises(DeskFull):
        submitting.submit_sealed(desk_id=desk.pk, sealed=sealed, now=NOW)
    submitting.submit_text(desk_id=desk.pk, text="Tomorrow", now=NOW + timedelta(days=1))
    desks.close_desk(desk_id=desk.pk, actor=manager_of(desk.kind), now=NOW)
    with pytest.raises(DeskClosed):
        submitting.submit_text(desk_id=desk.pk, text="Later", now=NOW + timedelta(days=2))
    assert Tip.objects.count() == 3
    with pytest.raises(TooLong):
        tip_at(desk, "x" * 600_000)
    with pytest.raises(TipError):
        tip_at(desk, "  \n")


def test_a_flood_of_the_same_words_is_one_line_and_keeps_nobody_out() -> None:
    desk, (one, _other) = desk_with(intake_cap=3)
    tips = [tip_at(desk, "The  same\nwords" if number else "the SAME words")[0] for number in range(3)]
    tip_at(desk, "Something else")
    listed = waiting(one.member)
    assert [(each.tip.pk, each.copies) for each in listed][1:] == [(tips[0].pk, 2)]
    assert [tip.pk for tip in copies_of(one.member, tips[0].pk)] == [tips[2].pk, tips[1].pk]
    tip_at(desk, "the same words")
    with pytest.raises(DeskFull):
        tip_at(desk, "the same words")
    # What fills is the copies; others still come in.
    tip_at(desk, "A third thing")
    # A copy whose source writes more is a dialogue of its own.
    dialogue.answer_as_source(tip_id=tips[1].pk, text="And more.", now=NOW)
    assert tips[1].pk in [each.tip.pk for each in waiting(one.member)]


def test_the_escrow_key_opens_what_came_after_it_was_set(overseer: User) -> None:
    desk, _seats = desk_with()
    before, _receipt = tip_at(desk)
    pair = new_key_pair()
    desks.set_escrow(desk_id=desk.pk, public=pair.public, actor=overseer, now=NOW)
    tip, _receipt = tip_at(desk, "Afterwards")
    assert not TipKey.objects.filter(tip=before, holder=Holder.ESCROW).exists()
    box = bytes(TipKey.objects.get(tip=tip, holder=Holder.ESCROW).box)
    assert open_as_escrow(box, tip=bytes(tip.uid), own=pair, tip_public=bytes(tip.public)).public == bytes(tip.public)


def test_a_complaint_has_its_clock_and_no_box_for_whom_it_concerns() -> None:
    desk, (one, other) = desk_with(kind=DeskKind.COMPLAINTS, answer_within_days=30)
    done = submitting.submit_text(desk_id=desk.pk, text=TEXT, now=NOW, recused=[other.member.pk])
    complaint = Complaint.objects.get(pk=done.tip.pk)
    assert complaint.due_day == NOW.date() + timedelta(days=30)
    assert membership.share_keys(by_member_id=one.member.pk, user=one.user, pair=one.pair) == 0
    assert waiting(other.member) == []
    with pytest.raises(NotMember):
        dialogue.open_tip(tip_id=done.tip.pk, member_id=other.member.pk, user=other.user, pair=other.pair, now=NOW)
    assert waiting(one.member)[0].due_day == complaint.due_day
    assert set(Pending.objects.filter(number=done.tip.pk).values_list("kind", flat=True)) == {"complaints.received"}
    with pytest.raises(TipError):
        submitting.submit_text(desk_id=desk.pk, text=TEXT, now=NOW, recused=[one.member.pk, other.member.pk])
