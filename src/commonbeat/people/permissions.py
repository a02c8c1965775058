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
    ALERT = "write alerts, follow them up and end them"
    RELEASE_ALERT = "release alerts, and the immediate and severe ones of others as the second person"
    ERASE = "erase a contact who asks for it, or keep a report for the law"
    ADMINISTER = "topics, beats, people and settings"
    TRANSLATE = "translate texts from which names, numbers and addresses are taken out"


PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.RESIDENT: frozenset(),
    Role.OFFICER: frozenset(
        {
            Permission.SEE_DESK,
            Permission.WORK_REPORTS,
            Permission.PUBLISH,
            Permission.ALERT,
            Permission.RELEASE_ALERT,
        }
    ),
    Role.SUPERVISOR: frozenset(
        {
            Permission.SEE_DESK,
            Permission.SEE_ALL_DESKS,
            Permission.WORK_REPORTS,
            Permission.ENROL,
            Permission.ERASE,
            Permission.PUBLISH,
            Permission.RELEASE,
            Permission.SEE_MODERATION,
            Permission.ALERT,
            Permission.RELEASE_ALERT,
        }
    ),
    # A moderator sees the proposed public text, never the desk.
    Role.MODERATOR: frozenset({Permission.RELEASE, Permission.SEE_MODERATION}),
    Role.OVERSEER: frozenset({Permission.SEE_JOURNAL}),
    # Whoever runs the machine does not thereby read what residents wrote.
    Role.ADMINISTRATOR: frozenset({Permission.ADMINISTER}),
    # A volunteer from outside sees one masked text at a time, and nothing that it belongs to.
    Role.TRANSLATOR: frozenset({Permission.TRANSLATE}),
}


def may(user: User | AnonymousUser | None, permission: Permission) -> bool:
    """Tell whether the user may do it; nobody, anonymous and inactive users may nothing."""
    if not isinstance(user, User) or not user.is_active:
        return False
    return permission in PERMISSIONS[Role(user.role)]
