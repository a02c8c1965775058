"""The sealed dialogues of a member: which desks, and what waits there, in numbers and days alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count
from django.http import Http404, HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect

from commonbeat.foundation import clock
from commonbeat.tips import queries
from commonbeat.tips.models import Complaint, Member, Tip, TipState
from commonbeat.web.accounts import signed_in
from commonbeat.web.administration.numbers import whole_number
from commonbeat.web.desk.pages import draw
from commonbeat.web.desk.tips_keyring import open_key
from commonbeat.web.desk.tips_side import Side, place_of

PER_PAGE = 50
STATES = {
    TipState.OPEN: "Wait for an answer",
    TipState.ANSWERED: "Answered",
    TipState.CLOSED: "Closed",
    TipState.EXPIRED: "Ended by time",
}
BADGES = {TipState.OPEN: "new", TipState.ANSWERED: "verified", TipState.CLOSED: "resolved", TipState.EXPIRED: "expired"}


@dataclass(frozen=True, slots=True)
class Row:
    """One dialogue in the list: nothing of what it says."""

    tip: Tip
    url: str
    badge: str
    said: str
    is_ending_soon: bool
    is_late: bool
    due: date | None
    copies: int
    copies_url: str


def home(request: HttpRequest, side: Side) -> HttpResponseBase:
    """Lead to the viewer's only desk, or show which there are."""
    seats = [seat for seat in queries.desks_of(signed_in(request)) if seat.desk.kind == side.kind]
    if len(seats) == 1:
        return redirect(side.url("desk", desk_id=seats[0].desk.pk))
    rows = [(seat, side.url("desk", desk_id=seat.desk.pk), standing_of(seat.member)) for seat in seats]
    return draw(request, "desk/tips/home.html", {"side": side, "rows": rows})


def listing(request: HttpRequest, side: Side, desk_id: int) -> HttpResponseBase:
    """List the dialogues of a desk that the viewer can open: state, day and number, and no word of them."""
    member = place_of(request, side, desk_id)
    if not member.is_enrolled:
        return redirect(side.url("enrol", desk_id=desk_id))
    now = clock.now()
    context = {
        **frame(side, member),
        "is_open": open_key(request, member, now) is not None,
        **_listed(side, member, request.GET),
    }
    return draw(request, "desk/tips/list.html", context)


def frame(side: Side, member: Member) -> dict[str, Any]:
    """Give what every page of a desk shows around it."""
    return {
        "side": side,
        "member": member,
        "desk": member.desk,
        "desk_name": member.desk.name_in("en"),
    }


def standing_of(member: Member) -> tuple[str, str]:
    """Name how far a member has come: a badge, and words."""
    if member.left_day is not None:
        return "expired", "left"
    if member.is_admitted:
        return "resolved", "member"
    return ("triaged", "enrolled, waits for a member") if member.is_enrolled else ("new", "named, has no key yet")


def _listed(side: Side, member: Member, asked: QueryDict) -> dict[str, Any]:
    state = asked.get("state", TipState.OPEN)
    if state not in STATES:
        raise Http404
    of = whole_number(asked.get("copies_of", ""))
    before = whole_number(asked.get("before", ""))
    counted = queries.openable_by(member).filter(same_as=None).order_by().values_list("state")
    numbers = dict(counted.annotate(number=Count("pk")))
    address = side.url("desk", desk_id=member.desk_id)
    if of is not None:
        copies = queries.copies_of(member, of)
        due = dict(Complaint.objects.filter(pk__in=[tip.pk for tip in copies]).values_list("pk", "due_day"))
        found = [queries.Listed(tip, 0, due.get(tip.pk)) for tip in copies]
    else:
        found = queries.waiting(member, state=state, before=before, limit=PER_PAGE + 1)
    shown = found[:PER_PAGE] if of is None else found
    older = f"{address}?state={state}&before={shown[-1].tip.pk}" if of is None and len(found) > PER_PAGE else None
    return {
        "rows": [_row(side, member, each) for each in shown],
        "of": of,
        "state": state,
        "older": older,
        "newest": f"{address}?state={state}" if before is not None else None,
        "tabs_shown": [
            {"label": said, "url": f"{address}?state={code}", "current": of is None and code == state,
             "count": numbers.get(code, 0)}
            for code, said in STATES.items()
        ],
    }  # fmt: skip


def _row(side: Side, member: Member, listed: queries.Listed) -> Row:
    tip, now = listed.tip, clock.now()
    address = side.url("desk", desk_id=member.desk_id)
    return Row(
        tip=tip,
        url=side.url("tip", desk_id=member.desk_id, tip_id=tip.pk),
        badge=BADGES[TipState(tip.state)],
        said=tip.get_outcome_display() if tip.outcome else tip.get_state_display(),
        is_ending_soon=not tip.is_over and queries.is_ending_soon(tip, now),
        is_late=listed.due_day is not None and not tip.is_over and listed.due_day < queries.today(now),
        due=listed.due_day,
        copies=listed.copies,
        copies_url=f"{address}?copies_of={tip.pk}",
    )
