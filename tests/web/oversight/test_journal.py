"""The overseer reads the journal, and nobody else does."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.http import StreamingHttpResponse
from django.test import Client
from django.urls import URLPattern, reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from commonbeat.foundation import clock
from commonbeat.journal.actions import append
from commonbeat.journal.models import Entry
from commonbeat.people.actions import STAFF_CREATED, change_role, invite_staff, reset_second_factor
from commonbeat.people.models import Role, Unit, User
from commonbeat.web.oversight.journal import new_access
from commonbeat.web.oversight.urls import urlpatterns
from tests.make import make_user, signed_in

JOURNAL = reverse("oversight:journal")
EXPORT = reverse("oversight:journal_csv")


def _entries(count: int = 3, kind: str = "reports.moved", actor: int | None = 7) -> None:
    for number in range(1, count + 1):
        append(kind=kind, subject_id=number, now=clock.now(), actor_id=actor, data={"to": "triaged"})


def _address_of(pattern: URLPattern) -> str:
    # Numbers and verbs in an address may be any: the permission is asked first.
    return reverse(f"oversight:{pattern.name}", kwargs=dict.fromkeys(pattern.pattern.converters, 1))


@pytest.mark.parametrize("role", [Role.RESIDENT, Role.OFFICER, Role.SUPERVISOR, Role.MODERATOR, Role.ADMINISTRATOR])
def test_other_roles_are_refused(unit: object, role: Role) -> None:
    _entries()
    browser = signed_in(make_user("outsider", role=role, second_factor=True))
    for pattern in urlpatterns:
        answer = browser.get(_address_of(pattern))
        assert answer.status_code == 403 and b"reports.moved" not in answer.content


def test_strangers_are_asked_to_sign_in(client: Client) -> None:
    for pattern in urlpatterns:
        assert client.get(_address_of(pattern)).status_code == 302


def test_the_overseer_sees_no_desk_and_no_administration(overseer_client: Client) -> None:
    assert overseer_client.get(reverse("desk:list")).status_code == 403
    assert overseer_client.get(reverse("administration:topics")).status_code == 403


def test_the_journal_is_filtered(overseer_client: Client) -> None:
    _entries(2)
    _entries(1, kind="people.deactivated", actor=8)
    last_year = clock.now() - timedelta(days=365)
    append(kind="reports.submitted", subject_id=2, now=last_year, actor_id=None)

    def rows(**query: str) -> int:
        return overseer_client.get(JOURNAL, query).content.count(b"<time ")

    assert rows() == 4
    assert rows(kind="reports.moved") == 2
    assert rows(actor="8") == 1
    assert rows(report="2") == 2
    # By the site's days, which may have begun already where Greenwich's have not.
    assert rows(to=timezone.localdate(last_year).isoformat()) == 1
    assert rows(**{"from": timezone.localdate(clock.now()).isoformat()}) == 3
    assert rows(kind="nothing") == 0
    assert b"2</strong>" in overseer_client.get(JOURNAL).content


@pytest.mark.parametrize("query", [{"actor": "me"}, {"report": "9" * 40}, {"from": "31.2.2026"}, {"to": "0001-01-01"}])
def test_filters_that_cannot_be_read_are_told(overseer_client: Client, query: dict[str, str]) -> None:
    _entries()
    for address in (JOURNAL, EXPORT):
        answer = overseer_client.get(address, query)
        assert answer.status_code == 400 and b"error-summary" in answer.content and b"<time " not in answer.content


def test_long_journals_come_in_pages_with_the_same_queries(
    overseer_client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    _entries(1)
    with django_assert_num_queries(9):
        overseer_client.get(JOURNAL)
    _entries(150)
    with django_assert_num_queries(7):  # the tally is kept for a minute
        page = overseer_client.get(JOURNAL).content.decode()
    assert page.count("<time ") == 100
    oldest = Entry.objects.order_by("-id")[99].pk
    assert f"before={oldest}" in page
    assert overseer_client.get(JOURNAL, {"before": oldest}).content.count(b"<time ") == 51


def test_new_access_to_reports_is_shown_with_whose_hand_it_was(
    overseer_client: Client, administrator: User, officer: User, unit: Unit
) -> None:
    now = clock.now()

    def shown() -> list[tuple[str, int, str, int | None]]:
        return [(one.kind, one.account_id, one.role, one.actor_id) for one in new_access(now)]

    by: dict[str, Any] = {"actor_id": administrator.pk, "now": now}
    reader, _token = invite_staff(username="puppet", role=Role.SUPERVISOR, unit_id=unit.pk, **by)
    invite_staff(username="watcher", role=Role.OVERSEER, unit_id=None, **by)
    change_role(user_id=officer.pk, role=Role.MODERATOR, unit_id=None, **by)
    reset_second_factor(user_id=officer.pk, **by)
    long_ago = now - timedelta(days=31)
    append(kind=STAFF_CREATED, subject_id=5, now=long_ago, actor_id=administrator.pk, data={"role": "officer"})
    assert shown() == [
        ("people.factor_reset", officer.pk, "Moderator", administrator.pk),
        ("people.role_changed", officer.pk, "Moderator", administrator.pk),
        ("people.staff_created", reader.pk, "Supervisor", administrator.pk),
    ]
    page = overseer_client.get(JOURNAL).content.decode()
    box = page.partition("New access to reports, last 30 days")[2].partition("</section>")[0]
    assert "Supervisor" in box and f"?actor={administrator.pk}" in box and "puppet" not in box


def test_the_export_holds_every_entry_and_is_itself_journalled(overseer_client: Client, overseer: User) -> None:
    _entries(2500)
    answer = overseer_client.get(EXPORT, {"kind": "reports.moved"})
    assert isinstance(answer, StreamingHttpResponse)
    rows = list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode())))
    assert rows[0] == ["number", "at", "kind", "subject", "account", "data"]
    assert len(rows) == 2501 and rows[1][2:] == ["reports.moved", "1", "7", '{"to": "triaged"}']
    assert Entry.objects.get(kind="oversight.exported").actor_id == overseer.pk
