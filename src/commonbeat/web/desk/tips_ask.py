"""The page that asks for a member's passphrase, also in answer to a form that came when the time was over."""

from __future__ import annotations

from collections.abc import Mapping

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from commonbeat.tips.models import Member
from commonbeat.web.desk.pages import draw
from commonbeat.web.desk.tips import frame
from commonbeat.web.desk.tips_side import Side
from commonbeat.web.desk.tips_typed import seal_typed


def ask_again(
    request: HttpRequest, side: Side, member: Member, tip_id: int, typed: Mapping[str, str]
) -> HttpResponseBase:
    """Ask for the passphrase in answer to a form that came after the time was over, and give back what it held."""
    sealed = seal_typed(member, tip_id=tip_id, typed=typed)
    return ask(side, member, request, tip_id=tip_id, sealed=sealed, status=409)


def ask(
    side: Side,
    member: Member,
    request: HttpRequest,
    *,
    tip_id: int | None = None,
    sealed: str = "",
    problem: str = "",
    status: int = 200,
) -> HttpResponseBase:
    """Draw the page that asks for the passphrase."""
    context = {**frame(side, member), "tip_id": tip_id, "typed": sealed, "problem": problem}
    return draw(request, "desk/tips/unlock.html", context, status=status)
