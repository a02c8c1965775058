"""The one permission table."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from commonbeat.people.models import Role, User

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


class Permission(enum.Enum):
    """Name what a role may do; every page and action asks for one of these."""

    SEE_DESK = "see the reports of one's own unit"
    SEE_ALL_DESKS = "see the reports of every unit"
    WORK_REPORTS = "claim, triage, ask, note, verify, merge"
    ENROL = "say who is expected to report, and when"
    PUBLISH = "propose a public text"
    RELEASE = "release or edit a text that screening held"
    SEE_MODERATION = "see held texts"
    SEE_JOURNAL = "read the journal"
    ADMINISTER = "topics, beats, people and settings"


PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.RESIDENT: frozenset(),
    Role.OFFICER: frozenset({Permission.SEE_DESK, Permission.WORK_REPORTS, Permission.PUBLISH}),
    Role.SUPERVISOR: frozenset(
        {
            Permission.SEE_DESK,
            Permission.SEE_ALL_DESKS,
            Permission.WORK_REPORTS,
            Permission.ENROL,
            Permission.PUBLISH,
            Permission.RELEASE,
            Permission.SEE_MODERATION,
        }
    ),
    # A moderator sees the proposed public text, never the desk.
    Role.MODERATOR: frozenset({Permission.RELEASE, Permission.SEE_MODERATION}),
    Role.OVERSEER: frozenset({Permission.SEE_JOURNAL}),
    # Whoever runs the machine does not thereby read what residents wrote.
    Role.ADMINISTRATOR: frozenset({Permission.ADMINISTER}),
}


def may(user: User | AnonymousUser | None, permission: Permission) -> bool:
    """Tell whether the user may do it; nobody, anonymous and inactive users may nothing."""
    if not isinstance(user, User) or not user.is_active:
        return False
    return permission in PERMISSIONS[Role(user.role)]
