"""Desks with members whose keys are open, made through the actions."""

from __future__ import annotations

from dataclasses import dataclass

from commonbeat.people.models import Role, User
from commonbeat.tips import queries
from commonbeat.tips.actions import desks, membership, submitting
from commonbeat.tips.keys import KeyPair
from commonbeat.tips.members import Cost
from commonbeat.tips.models import DeskKind, Member, Tip, TipDesk
from tests import make
from tests.make import NOW

CHEAP = Cost(passes=1, lanes=1, memory_kib=64)
PASSPHRASE = "four rather short words"
TEXT = "Every Thursday night a lorry without plates unloads behind the mill."


@dataclass(frozen=True)
class Seated:
    """A member with an open key."""

    user: User
    member: Member
    pair: KeyPair
    recovery: str


def manager_of(kind: str) -> User:
    """Give who may manage desks of a kind."""
    return make.make_user(role=Role.ADMINISTRATOR if kind == DeskKind.TIPS else Role.OVERSEER)


def seat(desk: TipDesk, *, by: Seated | None = None, user: User | None = None) -> Seated:
    """Name and enrol somebody, and let `by` admit them."""
    role = Role.OFFICER if desk.kind == DeskKind.TIPS else Role.OVERSEER
    user = user or make.make_user(role=role)
    membership.name_member(desk_id=desk.pk, user_id=user.pk, actor=manager_of(desk.kind), now=NOW)
    done = membership.enrol_member(desk_id=desk.pk, user=user, passphrase=PASSPHRASE, now=NOW, cost=CHEAP)
    pair = queries.unlock(done.member, PASSPHRASE)
    if by is not None:
        membership.add_member(member_id=done.member.pk, by_member_id=by.member.pk, user=by.user, pair=by.pair, now=NOW)
    return Seated(user, Member.objects.select_related("desk").get(pk=done.member.pk), pair, done.recovery)


def desk_with(number: int = 2, *, kind: str = DeskKind.TIPS, **more: int) -> tuple[TipDesk, list[Seated]]:
    """Make an open desk with so many members."""
    manager = manager_of(kind)
    desk = desks.make_desk(names={"": "The desk"}, kind=kind, actor=manager, now=NOW, **more)
    seats = [seat(desk)]
    seats += [seat(desk, by=seats[0]) for _ in range(number - 1)]
    if number == 1:
        one = seats[0]
        membership.confirm_recovery(member_id=one.member.pk, user=one.user, typed=one.recovery)
    desks.open_desk(desk_id=desk.pk, actor=manager, now=NOW)
    desk.refresh_from_db()
    return desk, seats


def tip_at(desk: TipDesk, text: str = TEXT) -> tuple[Tip, str]:
    """Give a new tip and its receipt."""
    done = submitting.submit_text(desk_id=desk.pk, text=text, now=NOW)
    return done.tip, done.receipt
