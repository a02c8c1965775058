"""The clock of complaints, and the numbers of the years, which outlive the complaints."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.test.utils import CaptureQueriesContext

from commonbeat.people.models import Role
from commonbeat.tips import complaint_queries as complaints
from commonbeat.tips import queries
from commonbeat.tips.actions import ending
from commonbeat.tips.actions.dialogue import close_tip
from commonbeat.tips.actions.submitting import submit_text
from commonbeat.tips.models import ComplaintCount, DeskKind, Outcome, Tip, TipDesk
from commonbeat.tips.rules import OUTCOMES
from commonbeat.tips.suppression import FEW, NOT_SHOWN
from tests import make
from tests.make import NOW
from tests.tips.complaint_years import count
from tests.tips.desks import Seated, desk_with, manager_of, tip_at

pytestmark = pytest.mark.django_db


def complaint(desk: TipDesk, now: datetime = NOW) -> Tip:
    """Make a complaint."""
    return submit_text(desk_id=desk.pk, text=f"He shouted. {Tip.objects.count()}", now=now).tip


def close(tip: Tip, by: Seated, outcome: str, *, after: int, came: datetime = NOW) -> None:
    """Close a complaint so many days after it came."""
    now = came + timedelta(days=after)
    close_tip(tip_id=tip.pk, member_id=by.member.pk, user=by.user, outcome=outcome, now=now)


def counted() -> dict[tuple[int, str, int], int]:
    """Read the numbers as they are stored."""
    return {(each.year, each.what, each.days): each.number for each in ComplaintCount.objects.all()}


def test_the_overview_counts_what_is_open_and_no_desk_for_tips() -> None:
    desk, seats = desk_with(kind=DeskKind.COMPLAINTS, answer_within_days=30)
    tips_desk, _seats = desk_with(kind=DeskKind.TIPS)
    tip_at(tips_desk)
    late = NOW + timedelta(days=40)
    for day in (0, 12, 39):
        complaint(desk, NOW + timedelta(days=day))
    close(complaint(desk), seats[0], "upheld", after=1)
    (found,) = complaints.desk_clocks(manager_of(DeskKind.COMPLAINTS), now=late)
    assert (found.desk, found.open, found.due_soon, found.overdue) == (desk, 3, 1, 1)


@pytest.mark.parametrize("role", [role for role in Role if role != Role.OVERSEER])
def test_the_overview_shows_others_nothing(role: Role) -> None:
    desk, _seats = desk_with(kind=DeskKind.COMPLAINTS)
    complaint(desk)
    assert complaints.desk_clocks(make.make_user(role=role), now=NOW) == []


def test_the_overview_asks_no_more_for_more_desks(django_assert_num_queries) -> None:
    user = manager_of(DeskKind.COMPLAINTS)
    for _desk in range(3):
        complaint(desk_with(kind=DeskKind.COMPLAINTS)[0])
    with django_assert_num_queries(2) as asked:
        complaints.desk_clocks(user, now=NOW)
    assert isinstance(asked, CaptureQueriesContext)


def test_complaints_are_counted_and_tips_are_not() -> None:
    desk, seats = desk_with(kind=DeskKind.COMPLAINTS)
    tips_desk, tip_seats = desk_with(kind=DeskKind.TIPS)
    close(tip_at(tips_desk)[0], tip_seats[0], "used", after=1)
    close(complaint(desk), seats[0], "praise", after=3)
    close(complaint(desk), seats[0], "upheld", after=300)
    complaint(desk)
    assert counted() == {
        (2026, "received", 0): 3,
        (2026, "praise", 0): 1,
        (2026, "days", 3): 1,
        # It ended in the next year, and counts there.
        (2027, "upheld", 0): 1,
        (2027, "days", 300): 1,
    }


def test_what_ends_by_time_or_by_its_source_is_counted_and_outlives_it() -> None:
    desk, seats = desk_with(kind=DeskKind.COMPLAINTS, expires_after_days=10, deletes_after_days=5)
    taken_back, closed, forgotten = complaint(desk), complaint(desk), complaint(desk)
    ending.delete_tip(tip_id=taken_back.pk, now=NOW + timedelta(days=2))
    close(closed, seats[0], "not_upheld", after=4)
    ending.expire_tips(now=NOW + timedelta(days=11))
    ending.delete_tips(now=NOW + timedelta(days=100))
    # Deleted once it has ended: nothing more to count.
    assert not Tip.objects.exists() and forgotten.pk
    assert counted() == {
        (2026, "received", 0): 3,
        (2026, "withdrawn", 0): 1,
        (2026, "not_upheld", 0): 1,
        (2026, "expired", 0): 1,
        (2026, "days", 2): 1,
        (2026, "days", 4): 1,
        (2026, "days", 11): 1,
    }


def test_the_running_year_is_not_shown() -> None:
    count(2025, received=20, upheld=8, not_upheld=9)
    count(2026, received=30, upheld=20)
    assert [row.year for row in complaints.yearly(now=NOW)] == [2025]
    before = complaints.yearly(now=NOW)
    desk, _seats = desk_with(kind=DeskKind.COMPLAINTS)
    complaint(desk)
    assert complaints.yearly(now=NOW) == before
    # Over at midnight in UTC, in which the days are kept.
    assert len(complaints.yearly(now=datetime.fromisoformat("2026-12-31T23:59:59+00:00"))) == 1
    assert [row.year for row in complaints.yearly(now=datetime.fromisoformat("2027-01-01T00:00:00+00:00"))] == [
        2025,
        2026,
    ]


def test_a_year_without_a_complaint_has_a_row_too() -> None:
    count(2023, received=20, upheld=8, not_upheld=9)
    count(2025, received=12)
    rows = complaints.yearly(now=NOW)
    assert [(row.year, row.received, row.total) for row in rows] == [
        (2023, 20, 17),
        (2024, FEW, NOT_SHOWN),
        (2025, 12, NOT_SHOWN),
    ]
    assert rows[0].median_days == 20
    assert rows[0].ended["withdrawn"] == NOT_SHOWN and rows[0].ended["not_upheld"] == 9


def test_every_outcome_has_its_column() -> None:
    assert set(complaints.HOW_ENDED) - {"expired"} == set(OUTCOMES["complaints"])
    assert set(OUTCOMES["complaints"]) <= set(Outcome.values)


def test_who_reads_is_a_number_and_names_only_of_those_who_show_themselves() -> None:
    desk, seats = desk_with(3, kind=DeskKind.COMPLAINTS)
    shown = seats[1].user
    shown.display_name, shown.public_intro = "Arta", "I sit in the council."
    shown.save()
    assert complaints.readers_of(desk.pk) == (3, [(seats[1].member.pk, "Arta")])
    assert queries.may_be_member(shown, desk)
