"""Which unit really has one person: said by the oversight body, and true only while it is so."""

from __future__ import annotations

import pytest

from commonbeat.journal.models import Entry
from commonbeat.people.actions import PeopleError, set_releases_alone
from commonbeat.people.models import Role, Unit, User
from commonbeat.people.queries import releasers_of, units_that_release, works_alone
from tests.make import NOW, make_user

pytestmark = pytest.mark.django_db


def entries() -> list[tuple[str, int, int | None]]:
    kinds = ("people.alone_allowed", "people.alone_ended")
    return list(Entry.objects.filter(kind__in=kinds).order_by("id").values_list("kind", "subject_id", "actor_id"))


def test_the_oversight_body_sets_it_and_takes_it_back(unit: Unit, officer: User, overseer: User) -> None:
    for is_alone in (True, True, False, False):
        set_releases_alone(unit_id=unit.pk, is_alone=is_alone, actor=overseer, now=NOW)
        unit.refresh_from_db()
        assert works_alone(unit) is unit.releases_alone is is_alone
    assert entries() == [
        ("people.alone_allowed", unit.pk, overseer.pk),
        ("people.alone_ended", unit.pk, overseer.pk),
    ]


@pytest.mark.parametrize(
    "role", [Role.RESIDENT, Role.OFFICER, Role.SUPERVISOR, Role.MODERATOR, Role.ADMINISTRATOR, Role.TRANSLATOR]
)
def test_nobody_else_sets_it(role: Role, unit: Unit, far_unit: Unit, far_officer: User) -> None:
    has_unit = role in (Role.OFFICER, Role.SUPERVISOR)
    nobody = make_user("somebody", role=role, unit=unit if has_unit else None)
    with pytest.raises(PeopleError, match="Only the oversight body"):
        set_releases_alone(unit_id=far_unit.pk, is_alone=True, actor=nobody, now=NOW)
    assert not works_alone(Unit.objects.get(pk=far_unit.pk))
    assert entries() == []


def test_a_closed_account_of_the_oversight_body_sets_nothing(unit: Unit, officer: User, overseer: User) -> None:
    overseer.is_active = False
    with pytest.raises(PeopleError, match="Only the oversight body"):
        set_releases_alone(unit_id=unit.pk, is_alone=True, actor=overseer, now=NOW)


def test_it_is_for_units_with_one_who_releases(unit: Unit, officer: User, far_unit: Unit, overseer: User) -> None:
    with pytest.raises(PeopleError, match="0 accounts"):
        set_releases_alone(unit_id=far_unit.pk, is_alone=True, actor=overseer, now=NOW)
    make_user("chief", role=Role.SUPERVISOR, unit=unit)
    with pytest.raises(PeopleError, match="2 accounts"):
        set_releases_alone(unit_id=unit.pk, is_alone=True, actor=overseer, now=NOW)
    with pytest.raises(PeopleError, match="no such unit"):
        set_releases_alone(unit_id=4711, is_alone=True, actor=overseer, now=NOW)
    assert entries() == []


def test_only_who_could_release_is_counted(unit: Unit, officer: User) -> None:
    closed = make_user("closed", role=Role.OFFICER, unit=unit)
    closed.is_active = False
    closed.save()
    assert releasers_of(unit.pk) == 1
    assert [(one.pk, one.releasers_count) for one in units_that_release()] == [(unit.pk, 1)]


def test_without_a_unit_nobody_works_alone() -> None:
    assert not works_alone(None)
