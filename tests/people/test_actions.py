"""Accounts and units change, and every change is journalled without a name."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from commonbeat.journal.models import Entry
from commonbeat.people.actions import (
    InvitationError,
    PeopleError,
    accept_invitation,
    change_role,
    choose_fallback,
    create_staff,
    create_unit,
    deactivate,
    invite_staff,
    reactivate,
    reset_second_factor,
)
from commonbeat.people.models import Invitation, Role, Unit, User
from commonbeat.people.permissions import PERMISSIONS, Permission, may
from commonbeat.people.queries import fallback_unit, open_invitation, staff
from tests.make import NOW, make_user, signed_in

GOOD: dict[str, Any] = {"username": "new-officer", "password": "seven green bottles", "actor_id": None, "now": NOW}


def test_staff_are_made_and_the_journal_names_nobody(unit: Unit, administrator: User) -> None:
    user = create_staff(**{**GOOD, "actor_id": administrator.pk}, role=Role.OFFICER, unit_id=unit.pk)
    assert user.check_password("seven green bottles") and may(user, Permission.SEE_DESK)
    entry = Entry.objects.get(kind="people.staff_created")
    assert (entry.subject_id, entry.actor_id, entry.data) == (user.pk, administrator.pk, {"role": "officer"})


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("username", {"username": ""}),
        ("username", {"username": "OFFICER"}),
        ("username", {"username": "a b"}),
        ("password", {"password": "short"}),
        ("password", {"password": "password1234"}),
        ("password", {"password": "new-officer"}),
        ("unit", {"unit_id": None}),
        ("unit", {"unit_id": 999_999}),
        ("role", {"role": Role.RESIDENT}),
    ],
)
def test_what_cannot_be_used_is_told(officer: User, unit: Unit, field: str, change: dict[str, Any]) -> None:
    with pytest.raises(PeopleError) as caught:
        create_staff(**{**GOOD, "role": Role.OFFICER, "unit_id": unit.pk, **change})
    assert caught.value.field == field
    assert not Entry.objects.exists()


def test_a_role_without_a_desk_has_no_unit(officer: User) -> None:
    change_role(user_id=officer.pk, role=Role.MODERATOR, unit_id=officer.unit_id, actor_id=None, now=NOW)
    officer.refresh_from_db()
    assert (officer.role, officer.unit_id) == (Role.MODERATOR, None)
    assert Entry.objects.get().data == {"from": "officer", "to": "moderator", "unit": None}


def test_the_last_administrator_stays(administrator: User) -> None:
    for act in (
        lambda: deactivate(user_id=administrator.pk, actor_id=None, now=NOW),
        lambda: change_role(user_id=administrator.pk, role=Role.OVERSEER, unit_id=None, actor_id=None, now=NOW),
    ):
        with pytest.raises(PeopleError):
            act()
    make_user("second", role=Role.ADMINISTRATOR)
    deactivate(user_id=administrator.pk, actor_id=None, now=NOW)
    assert not User.objects.get(pk=administrator.pk).is_active


def test_closing_an_account_ends_its_access_at_once(officer: User, administrator_client: Client) -> None:
    browser = signed_in(officer)
    deactivate(user_id=officer.pk, actor_id=None, now=NOW)
    assert "_auth_user_id" not in browser.session and administrator_client.session["_auth_user_id"]
    assert not may(User.objects.get(pk=officer.pk), Permission.SEE_DESK)
    assert browser.get("/administration/settings/").status_code == 302
    reactivate(user_id=officer.pk, actor_id=None, now=NOW)
    assert may(User.objects.get(pk=officer.pk), Permission.SEE_DESK)
    assert list(Entry.objects.order_by("id").values_list("kind", flat=True)) == [
        "people.deactivated",
        "people.reactivated",
    ]


def test_beginning_anew_forgets_the_password_and_ends_the_sessions_too(officer: User, administrator: User) -> None:
    theirs, other = signed_in(officer), signed_in(administrator)
    token = reset_second_factor(user_id=officer.pk, actor_id=administrator.pk, now=NOW)
    officer.refresh_from_db()
    assert not officer.has_usable_password() and open_invitation(token, now=NOW)
    assert not Authenticator.objects.filter(user=officer).exists()
    assert "_auth_user_id" not in theirs.session
    assert other.get("/administration/settings/").status_code == 200


def test_nobody_changes_the_own_account(administrator: User) -> None:
    make_user("second", role=Role.ADMINISTRATOR)
    own: dict[str, Any] = {"user_id": administrator.pk, "actor_id": administrator.pk, "now": NOW}
    for act in (
        lambda: change_role(role=Role.MODERATOR, unit_id=None, **own),
        lambda: deactivate(**own),
        lambda: reset_second_factor(**own),
    ):
        with pytest.raises(PeopleError):
            act()
    administrator.refresh_from_db()
    assert (administrator.role, administrator.is_active) == (Role.ADMINISTRATOR, True)
    assert administrator.has_usable_password() and not Entry.objects.exists()


def test_a_link_sets_a_password_once(administrator: User) -> None:
    user, token = invite_staff(username="lena", role=Role.MODERATOR, unit_id=None, actor_id=administrator.pk, now=NOW)
    assert not user.has_usable_password()
    assert token not in repr([bytes(row.token_hash) for row in Invitation.objects.all()])
    with pytest.raises(PeopleError):
        accept_invitation(token=token, password="short", now=NOW)
    assert accept_invitation(token=token, password=GOOD["password"], now=NOW) == user
    with pytest.raises(InvitationError):
        accept_invitation(token=token, password="another long enough word", now=NOW)
    user.refresh_from_db()
    assert user.check_password(GOOD["password"])
    assert list(Entry.objects.order_by("id").values_list("kind", "subject_id", "actor_id")) == [
        ("people.staff_created", user.pk, administrator.pk),
        ("people.invited", user.pk, administrator.pk),
        ("people.invitation_accepted", user.pk, user.pk),
    ]


def test_a_link_ends_by_time_by_another_link_and_with_the_account(administrator: User) -> None:
    by: dict[str, Any] = {"actor_id": administrator.pk, "now": NOW}
    user, first = invite_staff(username="lena", role=Role.MODERATOR, unit_id=None, **by)
    assert open_invitation(first, now=NOW + timedelta(days=3) - timedelta(seconds=1))
    assert not open_invitation(first, now=NOW + timedelta(days=3))
    second = reset_second_factor(user_id=user.pk, **by)
    assert not open_invitation(first, now=NOW) and open_invitation(second, now=NOW)
    assert not Entry.objects.filter(kind="people.factor_reset").exists(), "there was nothing to forget yet"
    deactivate(user_id=user.pk, **by)
    reactivate(user_id=user.pk, **by)
    assert not open_invitation(second, now=NOW)


def test_the_first_unit_is_the_fallback_and_there_is_one_only(db: None) -> None:
    with pytest.raises(Unit.DoesNotExist):
        fallback_unit()
    first = create_unit(name="North", actor_id=None, now=NOW)
    second = create_unit(name="South", actor_id=None, now=NOW)
    assert fallback_unit() == first
    choose_fallback(unit_id=second.pk, actor_id=None, now=NOW)
    assert fallback_unit() == second and Unit.objects.filter(is_fallback=True).count() == 1
    with pytest.raises(PeopleError):
        create_unit(name="north", actor_id=None, now=NOW)


def test_the_list_of_staff_leaves_residents_out_and_tells_who_lacks_a_second_step(
    resident: User, officer: User
) -> None:
    bare = make_user("bare", role=Role.OVERSEER, second_factor=False)
    assert {u.username: u.has_second_factor for u in staff()} == {"officer": True, bare.username: False}


def test_every_role_stands_in_the_table() -> None:
    assert set(PERMISSIONS) == set(Role)
    assert not PERMISSIONS[Role.RESIDENT]
    assert PERMISSIONS[Role.ADMINISTRATOR] == {Permission.ADMINISTER, Permission.MANAGE_TIP_DESKS}
    assert PERMISSIONS[Role.OVERSEER] == {
        Permission.SEE_JOURNAL,
        Permission.SET_ALONE,
        Permission.OPEN_COMPLAINTS,
        Permission.MANAGE_COMPLAINT_DESKS,
    }
    assert not may(None, Permission.SEE_DESK)
