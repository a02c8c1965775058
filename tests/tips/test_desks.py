"""Who may make, open and change a desk."""

from __future__ import annotations

import pytest

from commonbeat.journal.models import Entry
from commonbeat.people.models import User
from commonbeat.tips import queries
from commonbeat.tips.actions import desks, membership
from commonbeat.tips.errors import NotAllowed, NotRecoverable, TipError
from commonbeat.tips.keys import new_key_pair
from commonbeat.tips.models import DeskKind
from tests.make import NOW
from tests.tips.desks import desk_with, manager_of, seat, tip_at

pytestmark = pytest.mark.django_db


def test_only_the_oversight_body_makes_desks_for_complaints(
    administrator: User, overseer: User, supervisor: User, outsider: User
) -> None:
    for actor in (supervisor, outsider):
        for kind in DeskKind.values:
            with pytest.raises(NotAllowed):
                desks.make_desk(names={"": "Desk"}, kind=kind, actor=actor, now=NOW)
    for actor, kind in ((administrator, DeskKind.COMPLAINTS), (overseer, DeskKind.TIPS)):
        with pytest.raises(NotAllowed):
            desks.make_desk(names={"": "Desk"}, kind=kind, actor=actor, now=NOW)
    tips = desks.make_desk(names={"": "Desk"}, kind=DeskKind.TIPS, actor=administrator, now=NOW)
    complaints = desks.make_desk(names={"": "Desk"}, kind=DeskKind.COMPLAINTS, actor=overseer, now=NOW)
    assert queries.manageable_desks(administrator) == [tips]
    assert queries.manageable_desks(overseer) == [complaints]
    assert queries.manageable_desks(supervisor) == []
    with pytest.raises(NotAllowed):
        desks.change_desk(desk_id=complaints.pk, actor=administrator, now=NOW, intake_cap=1)
    with pytest.raises(NotAllowed):
        desks.open_desk(desk_id=complaints.pk, actor=administrator, now=NOW)


def test_a_desk_opens_only_when_one_forgotten_passphrase_does_not_close_it() -> None:
    manager = manager_of(DeskKind.TIPS)
    desk = desks.make_desk(names={"": "Desk"}, kind=DeskKind.TIPS, actor=manager, now=NOW)
    assert not desk.is_open
    with pytest.raises(NotRecoverable):
        desks.open_desk(desk_id=desk.pk, actor=manager, now=NOW)
    one = seat(desk)
    with pytest.raises(NotRecoverable):
        desks.open_desk(desk_id=desk.pk, actor=manager, now=NOW)
    membership.confirm_recovery(member_id=one.member.pk, user=one.user, typed=one.recovery)
    desks.open_desk(desk_id=desk.pk, actor=manager, now=NOW)
    assert [each.pk for each in queries.open_desks()] == [desk.pk]


def test_names_numbers_and_languages() -> None:
    manager = manager_of(DeskKind.TIPS)
    with pytest.raises(TipError) as wrong:
        desks.make_desk(names={"": "  "}, kind=DeskKind.TIPS, actor=manager, now=NOW)
    assert wrong.value.field == "names"
    with pytest.raises(TipError) as wrong:
        desks.make_desk(names={"": "Desk"}, kind=DeskKind.TIPS, actor=manager, now=NOW, intake_cap=0)
    assert wrong.value.field == "intake_cap"
    desk = desks.make_desk(names={"": "Desk", "sq": "Tavolina"}, kind=DeskKind.TIPS, actor=manager, now=NOW)
    assert (desk.name_in("sq"), desk.name_in("ar")) == ("Tavolina", "Desk")
    desks.change_desk(desk_id=desk.pk, actor=manager, now=NOW, intake_cap=7)
    desk.refresh_from_db()
    assert (desk.intake_cap, desk.expires_after_days) == (7, 180)


def test_the_emergency_key_is_set_by_the_oversight_body_alone(administrator: User, overseer: User) -> None:
    desk, _seats = desk_with(2)
    public = new_key_pair().public
    with pytest.raises(NotAllowed):
        desks.set_escrow(desk_id=desk.pk, public=public, actor=administrator, now=NOW)
    with pytest.raises(TipError):
        desks.set_escrow(desk_id=desk.pk, public=public[1:], actor=overseer, now=NOW)
    desks.set_escrow(desk_id=desk.pk, public=public, actor=overseer, now=NOW)
    desk.refresh_from_db()
    assert queries.desk_for_sealing(desk)["escrow"] == public.hex()
    assert Entry.objects.filter(kind="tips.escrow_set", subject_id=desk.pk, actor_id=overseer.pk).exists()


def test_another_emergency_key_opens_nothing_of_before_and_does_not_stand_in(overseer: User) -> None:
    manager = manager_of(DeskKind.TIPS)
    desk = desks.make_desk(names={"": "Desk"}, kind=DeskKind.TIPS, actor=manager, now=NOW)
    first, second = new_key_pair().public, new_key_pair().public
    desks.set_escrow(desk_id=desk.pk, public=first, actor=overseer, now=NOW)
    one = seat(desk)
    desks.open_desk(desk_id=desk.pk, actor=manager, now=NOW)
    # Nothing has come yet, so nothing is lost.
    desks.set_escrow(desk_id=desk.pk, public=second, actor=overseer, now=NOW)
    desks.set_escrow(desk_id=desk.pk, public=first, actor=overseer, now=NOW)
    tip_at(desk)
    for public in (second, b""):
        with pytest.raises(NotRecoverable):
            desks.set_escrow(desk_id=desk.pk, public=public, actor=overseer, now=NOW)
    # The same again changes nothing.
    desks.set_escrow(desk_id=desk.pk, public=first, actor=overseer, now=NOW)
    membership.confirm_recovery(member_id=one.member.pk, user=one.user, typed=one.recovery)
    desks.set_escrow(desk_id=desk.pk, public=second, actor=overseer, now=NOW)


def test_a_desk_does_not_open_on_an_emergency_key_that_came_late(overseer: User) -> None:
    desk, (one,) = desk_with(1)
    tip_at(desk)
    manager = manager_of(DeskKind.TIPS)
    desks.set_escrow(desk_id=desk.pk, public=new_key_pair().public, actor=overseer, now=NOW)
    desks.close_desk(desk_id=desk.pk, actor=manager, now=NOW)
    membership.renew_recovery(member_id=one.member.pk, user=one.user, pair=one.pair)
    with pytest.raises(NotRecoverable):
        desks.open_desk(desk_id=desk.pk, actor=manager, now=NOW)
