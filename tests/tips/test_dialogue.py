"""Both sides talk; nobody else, and nobody who left, opens anything."""

from __future__ import annotations

from typing import Any

import pytest

from commonbeat.journal.models import Entry
from commonbeat.people.models import User
from commonbeat.tips import dialogue_queries, queries, receipts, sealing
from commonbeat.tips.actions import desks, dialogue, membership, submitting
from commonbeat.tips.errors import DialogueOver, NotMember, TipError, TooMany, Unopenable, WrongNumber
from commonbeat.tips.keys import new_key_pair
from commonbeat.tips.models import Complaint, DeskKind, Direction, Holder, Member, Pending, Tip, TipKey, TipText
from tests.make import NOW
from tests.tips.desks import TEXT, Seated, desk_with, seat, tip_at

pytestmark = pytest.mark.django_db


def opened(one: Seated, tip: Tip) -> dialogue_queries.Opened:
    return dialogue.open_tip(tip_id=tip.pk, member_id=one.member.pk, user=one.user, pair=one.pair, now=NOW)


def ask(one: Seated, tip: Tip, text: str = "Which mill?") -> TipText:
    return dialogue.ask_as_member(tip_id=tip.pk, member_id=one.member.pk, user=one.user, text=text, now=NOW)


def test_questions_and_answers_are_read_on_both_sides() -> None:
    desk, (one, other) = desk_with()
    tip, receipt = tip_at(desk)
    assert queries.waiting(other.member)[0].tip.news_for_desk
    opened(one, tip)
    assert not Tip.objects.get(pk=tip.pk).news_for_desk
    ask(one, tip)
    tip.refresh_from_db()
    assert (tip.state, tip.news_for_source) == ("answered", True)
    assert queries.waiting(other.member) == []
    assert [each.tip.pk for each in queries.waiting(other.member, state="answered")] == [tip.pk]
    read = dialogue.read_as_source(receipt=receipt)
    assert [(line.direction, line.text) for line in read.texts] == [
        (Direction.TO_DESK, TEXT),
        (Direction.TO_SOURCE, "Which mill?"),
    ]
    assert not Tip.objects.get(pk=tip.pk).news_for_source
    dialogue.answer_by_receipt(receipt=receipt, text="The old one.", now=NOW)
    assert [line.text for line in opened(other, tip).texts] == [TEXT, "Which mill?", "The old one."]
    kinds = list(Entry.objects.filter(kind__startswith="tips.", subject_id=tip.pk).values_list("kind", "actor_id"))
    assert ("tips.asked", one.user.pk) in kinds
    assert list(Pending.objects.values_list("kind", "number")) == [
        ("tips.received", tip.pk),
        ("tips.answered", tip.pk),
    ]
    assert Entry.objects.filter(kind="tips.opened", subject_id=tip.pk).count() == 2


def test_a_browser_answers_in_a_box_of_the_next_number() -> None:
    from commonbeat.tips.texts import seal_to_desk

    desk, (one, _other) = desk_with()
    tip, _receipt = tip_at(desk)
    box = seal_to_desk("From the browser", tip=bytes(tip.uid), number=1, tip_public=bytes(tip.public))
    dialogue.answer_as_source(tip_id=tip.pk, box=box, number=1, now=NOW)
    assert opened(one, tip).texts[1].text == "From the browser"
    with pytest.raises(TipError):
        dialogue.answer_as_source(tip_id=tip.pk, box=b"in the clear", number=2, now=NOW)
    # Another one came first: under its number nobody could open this, so nothing is stored.
    with pytest.raises(WrongNumber) as wrong:
        dialogue.answer_as_source(tip_id=tip.pk, box=box, number=1, now=NOW)
    assert wrong.value.expected == 2
    assert [line.text for line in opened(one, tip).texts] == [TEXT, "From the browser"]
    with pytest.raises(ValueError, match="number"):
        dialogue.answer_as_source(tip_id=tip.pk, box=box, now=NOW)


def test_nobody_else_opens_or_writes(officer: User, outsider: User, overseer: User, administrator: User) -> None:
    desk, (one, _other) = desk_with()
    second, (stranger, _more) = desk_with()
    tip, receipt = tip_at(desk)
    for user in (officer, outsider, overseer, administrator, stranger.user):
        assert queries.member_of(user, desk.pk) is None
        for member in (one.member, stranger.member):
            with pytest.raises(NotMember):
                dialogue.open_tip(tip_id=tip.pk, member_id=member.pk, user=user, pair=one.pair, now=NOW)
            with pytest.raises(NotMember):
                dialogue.ask_as_member(tip_id=tip.pk, member_id=member.pk, user=user, text="Hm?", now=NOW)
            with pytest.raises(NotMember):
                dialogue.close_tip(tip_id=tip.pk, member_id=member.pk, user=user, outcome="used", now=NOW)
    assert queries.tip_for(stranger.member, tip.pk) is None
    assert queries.waiting(stranger.member) == []
    assert queries.find_by_receipt(receipts.new_receipt()) is None
    with pytest.raises(Unopenable):
        dialogue.read_as_source(receipt=receipts.new_receipt())
    with pytest.raises(Unopenable):
        dialogue.open_tip(tip_id=tip.pk, member_id=one.member.pk, user=one.user, pair=stranger.pair, now=NOW)
    assert second.pk != desk.pk
    assert receipt


def test_boxes_that_change_places_open_nothing() -> None:
    desk, (one, other) = desk_with()
    first, receipt = tip_at(desk)
    second, _receipt = tip_at(desk, "Another thing.")

    def box_of(tip: Tip, **whose: Any) -> TipKey:
        return TipKey.objects.get(tip=tip, **whose)

    pairs = [
        (box_of(first, member_id=one.member.pk), box_of(first, member_id=other.member.pk)),
        (box_of(first, member_id=one.member.pk), box_of(second, member_id=one.member.pk)),
        (box_of(first, member_id=one.member.pk), box_of(first, holder=Holder.SOURCE)),
    ]
    for here, there in pairs:
        TipKey.objects.filter(pk=here.pk).update(box=bytes(there.box))
        with pytest.raises(Unopenable):
            opened(one, first)
        TipKey.objects.filter(pk=here.pk).update(box=bytes(here.box))
    assert opened(one, first).texts[0].text == TEXT
    theirs, ours = TipText.objects.get(tip=second), TipText.objects.get(tip=first)
    TipText.objects.filter(pk=ours.pk).update(box=bytes(theirs.box))
    assert opened(one, first).texts[0].text is None
    assert dialogue.read_as_source(receipt=receipt).texts[0].text is None


def test_a_closed_dialogue_is_read_and_not_written() -> None:
    desk, (one, _other) = desk_with()
    tip, receipt = tip_at(desk)
    with pytest.raises(TipError) as wrong:
        dialogue.close_tip(tip_id=tip.pk, member_id=one.member.pk, user=one.user, outcome="upheld", now=NOW)
    assert wrong.value.field == "outcome"
    dialogue.close_tip(tip_id=tip.pk, member_id=one.member.pk, user=one.user, outcome="used", now=NOW)
    tip.refresh_from_db()
    assert (tip.state, tip.outcome, tip.news_for_source) == ("closed", "used", True)
    assert tip.deletes_day is not None
    for write in (
        lambda: ask(one, tip),
        lambda: dialogue.answer_as_source(tip_id=tip.pk, text="Wait!", now=NOW),
        lambda: dialogue.close_tip(tip_id=tip.pk, member_id=one.member.pk, user=one.user, outcome="used", now=NOW),
    ):
        with pytest.raises(DialogueOver):
            write()
    assert dialogue.read_as_source(receipt=receipt).texts[0].text == TEXT
    assert queries.is_ending_soon(tip, NOW)


def test_a_dialogue_has_an_end_of_its_length(monkeypatch: pytest.MonkeyPatch) -> None:
    from commonbeat.tips import rules

    monkeypatch.setattr(rules, "MOST_TEXTS", 2)
    desk, _seats = desk_with()
    tip, receipt = tip_at(desk)
    dialogue.answer_by_receipt(receipt=receipt, text="More.", now=NOW)
    with pytest.raises(TooMany):
        dialogue.answer_by_receipt(receipt=receipt, text="Yet more.", now=NOW)
    with pytest.raises(TipError):
        dialogue.answer_as_source(tip_id=tip.pk, text=" ", now=NOW)


def recuse(whom: Seated, *, by: Seated, tip: Tip) -> None:
    dialogue.recuse(tip_id=tip.pk, member_id=whom.member.pk, by_member_id=by.member.pk, user=by.user, now=NOW)


def test_a_complaint_is_taken_from_whom_it_concerns_but_not_from_everybody() -> None:
    desk, (one, other, third) = desk_with(3, kind=DeskKind.COMPLAINTS)
    tip, _receipt = tip_at(desk)
    recuse(other, by=one, tip=tip)
    with pytest.raises(NotMember):
        opened(other, tip)
    # One alone must not be able to shut out all the others, but may step aside.
    with pytest.raises(TipError) as alone:
        recuse(third, by=one, tip=tip)
    assert "you alone" in alone.value.sentence
    recuse(one, by=one, tip=tip)
    with pytest.raises(TipError) as nobody:
        recuse(third, by=third, tip=tip)
    assert "Nobody else" in nobody.value.sentence
    assert opened(third, tip).texts[0].text == TEXT
    assert Entry.objects.filter(kind="complaints.recused", subject_id=tip.pk).count() == 2
    assert not Pending.objects.filter(kind__startswith="tips.", number=tip.pk).exists()


def test_who_counts_as_left_when_a_complaint_is_taken_away(overseer: User) -> None:
    desk, (one, other, third) = desk_with(3, kind=DeskKind.COMPLAINTS)
    desks.set_escrow(desk_id=desk.pk, public=new_key_pair().public, actor=overseer, now=NOW)
    tip, _receipt = tip_at(desk)
    assert TipKey.objects.filter(tip=tip, holder=Holder.ESCROW).exists()
    # A closed account opens nothing, and what the escrow could open nobody reads.
    User.objects.filter(pk=third.user.pk).update(is_active=False)
    with pytest.raises(TipError):
        recuse(other, by=one, tip=tip)
    recuse(other, by=other, tip=tip)
    with pytest.raises(TipError):
        recuse(one, by=one, tip=tip)
    assert opened(one, tip).texts[0].text == TEXT


def test_whom_a_complaint_concerns_is_kept_out_after_coming_back() -> None:
    desk, (one, other, third) = desk_with(3, kind=DeskKind.COMPLAINTS)
    tip, _receipt = tip_at(desk)
    recuse(other, by=one, tip=tip)
    membership.remove_member(member_id=other.member.pk, actor=other.user, now=NOW)
    back = seat(desk, by=one, user=other.user)
    assert back.member.pk != other.member.pk
    assert membership.share_keys(by_member_id=third.member.pk, user=third.user, pair=third.pair) == 0
    assert not TipKey.objects.filter(tip=tip, member_id=back.member.pk).exists()
    with pytest.raises(NotMember):
        opened(back, tip)
    # Nor is the new place another reader, or another one to be taken out.
    TipKey.objects.create(tip=tip, holder=Holder.MEMBER, member=back.member, box=b"")
    with pytest.raises(TipError):
        recuse(third, by=one, tip=tip)
    recuse(back, by=one, tip=tip)
    assert not TipKey.objects.filter(tip=tip, member_id=back.member.pk).exists()
    assert Complaint.objects.get(pk=tip.pk).recused == [other.member.pk]
    # What comes later and names the place that is no more is not for the new one.
    done = submitting.submit_text(desk_id=desk.pk, text="Again.", now=NOW, recused=[other.member.pk])
    assert set(TipKey.objects.filter(tip=done.tip, holder=Holder.MEMBER).values_list("member_id", flat=True)) == {
        one.member.pk,
        third.member.pk,
    }
    assert Member.objects.get(pk=back.member.pk).is_admitted


def test_a_box_that_was_sealed_for_whom_it_concerns_is_not_stored() -> None:
    desk, (one, other, _third) = desk_with(3, kind=DeskKind.COMPLAINTS)
    membership.remove_member(member_id=other.member.pk, actor=other.user, now=NOW)
    back = seat(desk, by=one, user=other.user)
    assert bytes(back.member.uid) not in sealing.prepare(desk_id=desk.pk, recused=[other.member.pk]).for_members
    prepared = sealing.prepare(desk_id=desk.pk)
    assert bytes(back.member.uid) in prepared.for_members
    sealed = sealing.seal_text(prepared, TEXT)
    tip = submitting.submit_sealed(desk_id=desk.pk, sealed=sealed, now=NOW, recused=[other.member.pk])
    assert not TipKey.objects.filter(tip=tip, member_id=back.member.pk).exists()
