"""Read the clocks of complaints, and the numbers of the years that are over; never what one says."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q

from commonbeat.people.models import User
from commonbeat.tips.models import ComplaintCount, DeskKind, Member, Tip, TipDesk, TipState
from commonbeat.tips.queries import manageable_desks, today
from commonbeat.tips.rules import COUNTED_DAYS, COUNTED_EXPIRED, COUNTED_RECEIVED, OUTCOMES
from commonbeat.tips.suppression import YearCounts, YearRow, published

DUE_SOON_DAYS = 7
# The columns of the yearly table, in their order.
HOW_ENDED = (*OUTCOMES[DeskKind.COMPLAINTS], COUNTED_EXPIRED)


@dataclass(frozen=True, slots=True)
class DeskClock:
    """How many complaints of a desk have no outcome yet; those due soon and those overdue are among the open ones."""

    desk: TipDesk
    open: int
    due_soon: int
    overdue: int


def desk_clocks(user: User, *, now: datetime) -> list[DeskClock]:
    """Count the open complaints of the desks that an account manages: two queries; nothing for other roles."""
    desks = [desk for desk in manageable_desks(user) if desk.kind == DeskKind.COMPLAINTS]
    day = today(now)
    counted = {
        desk_id: (number, soon, overdue)
        for desk_id, number, soon, overdue in Tip.objects.filter(
            desk__in=desks, state__in=(TipState.OPEN, TipState.ANSWERED)
        )
        .order_by()
        .values_list("desk_id")
        .annotate(
            number=Count("pk"),
            soon=Count(
                "pk",
                filter=Q(complaint__due_day__gte=day, complaint__due_day__lte=day + timedelta(days=DUE_SOON_DAYS)),
            ),
            overdue=Count("pk", filter=Q(complaint__due_day__lt=day)),
        )
    }
    return [DeskClock(desk, *counted.get(desk.pk, (0, 0, 0))) for desk in desks]


def readers_of(desk_id: int) -> tuple[int, list[tuple[int, str]]]:
    """Give how many people read what comes to a desk, and number and name of those who show themselves in public."""
    members = list(Member.objects.admitted().filter(desk_id=desk_id).order_by("pk").values_list("pk", "user_id"))
    users = User.objects.filter(pk__in=[user for _pk, user in members], is_active=True).exclude(public_intro="")
    names = {user.pk: user.shown_name for user in users}
    return len(members), [(pk, names[user]) for pk, user in members if user in names]


def yearly(*, now: datetime) -> list[YearRow]:
    """Give the published rows, oldest first, from the first year with a complaint to the last that is over.

    The running year is never among them: what differs between two days would be one complaint.
    """
    counts: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    days: dict[int, list[int]] = defaultdict(list)
    found = ComplaintCount.objects.filter(year__lt=today(now).year).order_by("year", "days")
    for year, what, after, number in found.values_list("year", "what", "days", "number"):
        if what == COUNTED_DAYS:
            days[year] += [after] * number
        else:
            counts[year][what] += number
    if not counts:
        return []
    years = range(min(counts), today(now).year)
    return published(
        [
            YearCounts(year, counts[year][COUNTED_RECEIVED], {how: counts[year][how] for how in HOW_ENDED}, days[year])
            for year in years
        ]
    )
