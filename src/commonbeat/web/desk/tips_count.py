"""How many tips wait for somebody, for the header of every page of the desk."""

from __future__ import annotations

from commonbeat.people.models import User
from commonbeat.people.permissions import Permission, may
from commonbeat.tips import queries
from commonbeat.tips.models import DeskKind, Member, TipState


def tips_waiting(user: object) -> int | None:
    """Count the open tips with news that an account can open; None for who is in no desk, by one query."""
    if not isinstance(user, User) or not may(user, Permission.OPEN_TIPS):
        return None
    own = list(Member.objects.present().filter(user_id=user.pk, desk__kind=DeskKind.TIPS))
    if not own:
        return None
    # By the index of desk and state: what is closed is never walked through.
    news = {"state": TipState.OPEN, "news_for_desk": True, "same_as": None}
    return sum(queries.openable_by(member).filter(**news).count() for member in own if member.is_admitted)
