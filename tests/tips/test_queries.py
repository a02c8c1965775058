"""Lists are bounded, and the journal of complaints is for the oversight body."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from commonbeat.people.models import Role
from commonbeat.people.permissions import PERMISSIONS, Permission
from commonbeat.tips import queries
from commonbeat.tips.actions.pending import journal_sources
from commonbeat.tips.models import DeskKind
from tests import make
from tests.make import NOW
from tests.tips.desks import desk_with, tip_at

pytestmark = pytest.mark.django_db


def test_the_number_of_queries_does_not_grow_with_the_list() -> None:
    desk, (one, _other) = desk_with()
    counts: list[int] = []
    for _ in range(2):
        for number in range(4):
            tip_at(desk, f"{len(counts)} {number}")
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert len(queries.waiting(one.member)) == 4 * (len(counts) + 1)
            queries.desks_of(one.user)
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 5


def test_pages_of_the_list_follow_each_other() -> None:
    desk, (one, _other) = desk_with()
    tips = [tip_at(desk, str(number))[0].pk for number in range(5)]
    first = [each.tip.pk for each in queries.waiting(one.member, limit=3)]
    then = [each.tip.pk for each in queries.waiting(one.member, limit=3, before=first[-1])]
    assert first + then == sorted(tips, reverse=True)


def test_what_a_browser_needs_is_public_keys_only() -> None:
    desk, seats = desk_with()
    given = queries.desk_for_sealing(desk)
    assert given["members"] == {bytes(each.member.uid).hex(): bytes(each.member.public).hex() for each in seats}
    assert given["escrow"] is None
    assert all(each.pair.private.hex() not in str(given) for each in seats)


def test_a_desk_that_is_full_says_so_beforehand() -> None:
    desk, _seats = desk_with(intake_cap=1)
    assert queries.takes_tips(desk, NOW)
    tip_at(desk)
    assert not queries.takes_tips(desk, NOW)
    desk.intake_cap = 2
    assert queries.takes_tips(desk, NOW)
    desk.is_open = False
    assert not queries.takes_tips(desk, NOW)


def test_only_the_oversight_body_reads_the_journal_in_which_complaints_stand() -> None:
    desk, (one, _other) = desk_with(kind=DeskKind.COMPLAINTS)
    tip, _receipt = tip_at(desk)
    journal_sources(now=NOW + timedelta(days=1))
    page = reverse("oversight:journal")
    assert b"complaints.received" in make.signed_in(one.user).get(page).content
    for role in Role:
        may_read = role == Role.OVERSEER
        for permission in (Permission.SEE_JOURNAL, Permission.OPEN_COMPLAINTS, Permission.MANAGE_COMPLAINT_DESKS):
            assert (permission in PERMISSIONS[role]) == may_read
        if not may_read:
            unit = make.fallback() if role in (Role.OFFICER, Role.SUPERVISOR) else None
            for name in ("oversight:journal", "oversight:journal_csv", "oversight:log", "oversight:log_export"):
                answer = make.signed_in(make.make_user(role=role, unit=unit)).get(reverse(name))
                assert answer.status_code in (302, 403, 404), name
                assert b"complaints" not in answer.content
    assert Client().get(page).status_code == 302
    assert tip.pk
