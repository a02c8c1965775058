"""Who can open a desk's dialogues, how they come and go, and what they keep."""

from __future__ import annotations

from typing import Any

import pytest

from commonbeat.people.actions import deactivate
from commonbeat.people.models import Role, User
from commonbeat.reactions.run import react_batch
from commonbeat.tips import members, queries
from commonbeat.tips.actions import desks, dialogue, ending, membership
from commonbeat.tips.errors import Misspelt, NotAllowed, NotMember, NotRecoverable, TipError, Unopenable
from commonbeat.tips.keys import new_key_pair
from commonbeat.tips.models import DeskKind, Holder, Member, TipDesk, TipKey
from tests import make
from tests.make import NOW
from tests.tips.desks import CHEAP, PASSPHRASE, TEXT, Seated, desk_with, manager_of, seat, tip_at

pytestmark = pytest.mark.django_db


def can_open(seated: Seated, tip_id: int) -> bool:
    try:
        opened = dialogue.open_tip(
            tip_id=tip_id, member_id=seated.member.pk, user=seated.user, pair=seated.pair, now=NOW
        )
    except (NotMember, Unopenable):
        return False
    return opened.texts[0].text == TEXT


def test_whoever_manages_names_but_cannot_let_in(administrator: User) -> None:
    desk, seats = desk_with(2)
    tip, _receipt = tip_at(desk)
    puppet = seat(desk)
    assert not puppet.member.is_admitted
    tip_at(desk, "Another one.")
    assert not TipKey.objects.filter(member_id=puppet.member.pk).exists()
    assert not can_open(puppet, tip.pk)
    # Nor can it let itself in.
    with pytest.raises(NotMember):
        membership.add_member(
            member_id=puppet.member.pk, by_member_id=puppet.member.pk, user=puppet.user, pair=puppet.pair, now=NOW
        )
    with pytest.raises(NotMember):
        membership.add_member(
            member_id=puppet.member.pk, by_member_id=seats[0].member.pk, user=puppet.user, pair=puppet.pair, now=NOW
        )
    one = seats[0]
    left = membership.add_member(
        member_id=puppet.member.pk, by_member_id=one.member.pk, user=one.user, pair=one.pair, now=NOW
    )
    assert left == 0
    assert can_open(puppet, tip.pk)


def test_only_who_is_named_enrols_and_only_with_a_role_that_fits(
    officer: User, outsider: User, overseer: User, administrator: User, moderator: User
) -> None:
    desk, _seats = desk_with(2)
    complaints, _more = desk_with(2, kind=DeskKind.COMPLAINTS)
    for user in (officer, outsider):
        with pytest.raises(NotMember):
            membership.enrol_member(desk_id=desk.pk, user=user, passphrase=PASSPHRASE, now=NOW, cost=CHEAP)
    for user in (outsider, moderator, administrator, overseer):
        with pytest.raises(TipError):
            membership.name_member(desk_id=desk.pk, user_id=user.pk, actor=administrator, now=NOW)
    for user in (outsider, moderator, administrator, officer):
        with pytest.raises(TipError):
            membership.name_member(desk_id=complaints.pk, user_id=user.pk, actor=overseer, now=NOW)
    with pytest.raises(NotAllowed):
        membership.name_member(desk_id=complaints.pk, user_id=overseer.pk, actor=administrator, now=NOW)
    membership.name_member(desk_id=desk.pk, user_id=officer.pk, actor=administrator, now=NOW)
    with pytest.raises(TipError):
        membership.name_member(desk_id=desk.pk, user_id=officer.pk, actor=administrator, now=NOW)
    with pytest.raises(TipError) as short:
        membership.enrol_member(desk_id=desk.pk, user=officer, passphrase="short", now=NOW, cost=CHEAP)
    assert short.value.field == "passphrase"
    membership.enrol_member(desk_id=desk.pk, user=officer, passphrase=PASSPHRASE, now=NOW, cost=CHEAP)
    with pytest.raises(TipError):
        membership.enrol_member(desk_id=desk.pk, user=officer, passphrase=PASSPHRASE, now=NOW, cost=CHEAP)


def test_a_new_passphrase_and_the_printed_key_open_the_same_key() -> None:
    _desk, (one, other) = desk_with(2)
    own: dict[str, Any] = {"member_id": one.member.pk, "user": one.user}
    with pytest.raises(Unopenable):
        membership.change_passphrase(**own, old="another passphrase", new="quite another phrase", cost=CHEAP)
    membership.change_passphrase(**own, old=PASSPHRASE, new="quite another phrase", cost=CHEAP)
    member = Member.objects.get(pk=one.member.pk)
    assert queries.unlock(member, "quite another phrase").private == one.pair.private
    with pytest.raises(Unopenable):
        queries.unlock(member, PASSPHRASE)
    with pytest.raises(Misspelt):
        membership.recover_member(**own, typed="bado fiku", passphrase=PASSPHRASE, now=NOW, cost=CHEAP)
    with pytest.raises(Unopenable):
        membership.recover_member(**own, typed=other.recovery, passphrase=PASSPHRASE, now=NOW, cost=CHEAP)
    typed = " ".join(members.show_recovery_key(one.recovery)).upper()
    pair = membership.recover_member(**own, typed=typed, passphrase="a third passphrase", now=NOW, cost=CHEAP)
    assert pair.private == one.pair.private
    assert queries.unlock(Member.objects.get(pk=member.pk), "a third passphrase").private == pair.private
    again = membership.renew_recovery(**own, pair=pair)
    with pytest.raises(Unopenable):
        membership.confirm_recovery(**own, typed=one.recovery)
    membership.confirm_recovery(**own, typed=again)
    with pytest.raises(NotMember):
        membership.confirm_recovery(member_id=one.member.pk, user=other.user, typed=again)


def test_who_leaves_loses_the_boxes_and_the_last_one_cannot() -> None:
    desk, (one, other) = desk_with(2)
    tip, _receipt = tip_at(desk)
    assert can_open(other, tip.pk)
    with pytest.raises(NotRecoverable):
        membership.remove_member(member_id=other.member.pk, actor=manager_of(desk.kind), now=NOW)
    membership.confirm_recovery(member_id=one.member.pk, user=one.user, typed=one.recovery)
    with pytest.raises(NotAllowed):
        membership.remove_member(member_id=other.member.pk, actor=one.user, now=NOW)
    membership.remove_member(member_id=other.member.pk, actor=manager_of(desk.kind), now=NOW)
    assert not can_open(other, tip.pk)
    assert not TipKey.objects.filter(member_id=other.member.pk).exists()
    left = Member.objects.get(pk=other.member.pk)
    assert bytes(left.public) == bytes(left.by_passphrase) == bytes(left.by_recovery) == b""
    tip_at(desk, "Afterwards.")
    assert not TipKey.objects.filter(member_id=other.member.pk).exists()
    with pytest.raises(NotRecoverable):
        membership.remove_member(member_id=one.member.pk, actor=one.user, now=NOW)
    with pytest.raises(Unopenable):
        queries.unlock(left, PASSPHRASE)


def test_a_walk_through_many_tips_goes_on_where_it_was_broken_off() -> None:
    desk, (one,) = desk_with(1)
    tips = [tip_at(desk, f"Number {number}")[0] for number in range(5)]
    new = seat(desk)
    Member.objects.filter(pk=new.member.pk).update(admitted_day=NOW.date())
    share: dict[str, Any] = {"by_member_id": one.member.pk, "user": one.user, "pair": one.pair}
    assert membership.share_keys(**share, limit=2) == 3
    assert membership.share_keys(**share, limit=2) == 1
    assert membership.share_keys(**share, limit=2) == 0
    assert {key.tip_id for key in TipKey.objects.filter(member_id=new.member.pk)} == {tip.pk for tip in tips}
    with pytest.raises(Unopenable):
        membership.share_keys(by_member_id=one.member.pk, user=one.user, pair=new_key_pair())


def test_a_closed_account_is_no_member_and_the_last_key_stays(administrator: User) -> None:
    desk, (one, other) = desk_with(2)
    tip_at(desk)
    membership.confirm_recovery(member_id=other.member.pk, user=other.user, typed=other.recovery)
    deactivate(user_id=one.user.pk, actor_id=administrator.pk, now=NOW)
    while react_batch(NOW):
        pass
    assert [member.pk for member in queries.members_in(desk.pk)] == [other.member.pk]
    deactivate(user_id=other.user.pk, actor_id=administrator.pk, now=NOW)
    other.user.refresh_from_db()
    # At once, before the worker comes to it.
    assert queries.member_of(other.user, desk.pk) is None
    assert queries.desks_of(other.user) == []
    while react_batch(NOW):
        pass
    assert TipKey.objects.filter(member_id=other.member.pk).exists()
    assert not TipDesk.objects.get(pk=desk.pk).is_open


def test_the_only_reader_of_a_dialogue_stays_until_another_one_can_open_it(administrator: User) -> None:
    desk, (one, other, third) = desk_with(3)
    tip, _receipt = tip_at(desk)
    # As when the two were admitted while a browser sealed.
    TipKey.objects.filter(tip=tip, member__in=[other.member.pk, third.member.pk]).delete()
    with pytest.raises(NotRecoverable) as alone:
        membership.remove_member(member_id=one.member.pk, actor=one.user, now=NOW)
    assert "this member alone" in alone.value.sentence
    User.objects.filter(pk=one.user.pk).update(is_active=False)
    assert membership.end_memberships(user_id=one.user.pk, now=NOW) == 1
    assert TipKey.objects.filter(tip=tip, member_id=one.member.pk).exists()
    assert not TipDesk.objects.get(pk=desk.pk).is_open
    User.objects.filter(pk=one.user.pk).update(is_active=True)
    assert membership.share_keys(by_member_id=one.member.pk, user=one.user, pair=one.pair) == 0
    membership.remove_member(member_id=one.member.pk, actor=one.user, now=NOW)
    assert can_open(other, tip.pk)


def test_a_dialogue_that_the_escrow_opens_keeps_nobody(overseer: User) -> None:
    desk, (one, other, third) = desk_with(3)
    desks.set_escrow(desk_id=desk.pk, public=new_key_pair().public, actor=overseer, now=NOW)
    tip, _receipt = tip_at(desk)
    TipKey.objects.filter(tip=tip, member__in=[other.member.pk, third.member.pk]).delete()
    membership.remove_member(member_id=one.member.pk, actor=one.user, now=NOW)
    assert TipKey.objects.filter(tip=tip, holder=Holder.ESCROW).exists()


def test_an_escrow_key_that_came_late_stands_in_for_nobody(overseer: User) -> None:
    desk, (one, other) = desk_with(2)
    old, _receipt = tip_at(desk)
    desks.set_escrow(desk_id=desk.pk, public=new_key_pair().public, actor=overseer, now=NOW)
    tip_at(desk, "Afterwards.")
    with pytest.raises(NotRecoverable):
        membership.remove_member(member_id=other.member.pk, actor=other.user, now=NOW)
    # Once what came before is deleted, the key opens all that there is.
    ending.delete_tip(tip_id=old.pk, now=NOW)
    membership.remove_member(member_id=other.member.pk, actor=other.user, now=NOW)
    assert one.member.is_admitted


def test_an_escrow_key_opens_all_that_a_member_can_who_enrolled_under_it(overseer: User) -> None:
    desk, (one, other) = desk_with(2)
    tip_at(desk)
    desks.set_escrow(desk_id=desk.pk, public=new_key_pair().public, actor=overseer, now=NOW)
    new = seat(desk, by=one)
    membership.remove_member(member_id=other.member.pk, actor=other.user, now=NOW)
    membership.remove_member(member_id=one.member.pk, actor=one.user, now=NOW)
    assert Member.objects.admitted().get(desk=desk).pk == new.member.pk


def test_an_overseer_who_becomes_police_is_out_of_the_complaints(administrator: User, unit: object) -> None:
    desk, (one, other, _third) = desk_with(3, kind=DeskKind.COMPLAINTS)
    tip, _receipt = tip_at(desk)
    User.objects.filter(pk=other.user.pk).update(role=Role.OFFICER)
    other.user.refresh_from_db()
    assert not can_open(other, tip.pk)
    assert can_open(one, tip.pk)
    membership.end_memberships(user_id=other.user.pk, now=NOW)
    assert not TipKey.objects.filter(member_id=other.member.pk).exists()


def test_two_seats_of_one_account_do_not_open_each_other() -> None:
    desk, (one, _other) = desk_with(2)
    second, _seats = desk_with(2)
    there = seat(second, user=one.user)
    tip, _receipt = tip_at(desk)
    with pytest.raises(NotMember):
        dialogue.open_tip(tip_id=tip.pk, member_id=there.member.pk, user=one.user, pair=one.pair, now=NOW)
    assert {each.desk.pk: each.waiting for each in queries.desks_of(one.user)} == {desk.pk: 1, second.pk: 0}
    assert queries.desks_of(make.make_user()) == []
    assert desks.holders_of(desk.pk)
