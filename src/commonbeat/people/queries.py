"""Read accounts and units."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import Count, Exists, OuterRef, Q

from commonbeat.foundation.crypto import derive, keyed_hash
from commonbeat.people.models import Invitation, Role, Unit, User
from commonbeat.people.permissions import PERMISSIONS, Permission

if TYPE_CHECKING:
    from django.db.models import QuerySet


_RELEASING_ROLES = [role for role, may_do in PERMISSIONS.items() if Permission.RELEASE_ALERT in may_do]
_RELEASES = Q(is_active=True, role__in=_RELEASING_ROLES)


def fallback_unit() -> Unit:
    """Give the unit whose desk takes what no beat contains; Unit.DoesNotExist on a site without units."""
    unit = Unit.objects.order_by("-is_fallback", "id").first()
    if unit is None:
        raise Unit.DoesNotExist("no unit has been set up")
    return unit


def releasers_of(unit_id: int) -> int:
    """Count the accounts of a unit that may release alerts."""
    return User.objects.filter(_RELEASES, unit_id=unit_id).count()


def works_alone(unit: Unit | None) -> bool:
    """Tell whether a unit is set to release alone, and still has no second person who could."""
    return unit is not None and unit.releases_alone and releasers_of(unit.pk) == 1


def units_that_release() -> list[Unit]:
    """Read every unit by name, with the number of its accounts that may release alerts as `releasers_count`."""
    releases = Q(members__is_active=True, members__role__in=_RELEASING_ROLES)
    return list(Unit.objects.annotate(releasers_count=Count("members", filter=releases)).order_by("name"))


def units() -> list[Unit]:
    """Read every unit by name, with the number of its active members as `members_count`."""
    return list(
        Unit.objects.annotate(members_count=Count("members", filter=Q(members__is_active=True))).order_by("name")
    )


def staff() -> QuerySet[User]:
    """Read the accounts that are not residents', active ones first, each with `has_second_factor`."""
    from allauth.mfa.models import Authenticator  # a people table in all but name; loaded after the models

    factors = Authenticator.objects.filter(user=OuterRef("pk")).exclude(type=Authenticator.Type.RECOVERY_CODES)
    return (
        User.objects.exclude(role=Role.RESIDENT)
        .select_related("unit")
        .annotate(has_second_factor=Exists(factors))
        .order_by("-is_active", "role", "username")
    )


def staff_names(ids: set[int]) -> dict[int, str]:
    """Name accounts for colleagues; ids of deleted accounts are left out."""
    return {user.pk: user.shown_name for user in User.objects.filter(pk__in=ids)}


def invitation_hash(token: str) -> bytes:
    """Give what is stored of an invitation's token."""
    return keyed_hash(_invitation_key(settings.COMMONBEAT.secret), token)


def open_invitation(token: str, *, now: datetime) -> Invitation | None:
    """Find the invitation of a link, with its user; None when it opens nothing."""
    return (
        Invitation.objects.select_related("user")
        .filter(token_hash=invitation_hash(token), expires_at__gt=now, user__is_active=True)
        .first()
    )


@lru_cache(maxsize=4)
def _invitation_key(secret: bytes) -> bytes:
    return derive(secret, "invitation")
