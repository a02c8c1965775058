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
    SET_ALONE = "say which unit has one person only, who then releases urgent alerts alone"
    ALERT = "write alerts, follow them up and end them"
    RELEASE_ALERT = "release alerts, and the immediate and severe ones of others as the second person"
    ERASE = "erase a contact who asks for it, or keep a report for the law"
    ADMINISTER = "topics, beats, people and settings"
    OPEN_TIPS = "be a member of a desk for sealed tips, and open what is sealed to oneself"
    MANAGE_TIP_DESKS = "make desks for sealed tips, and name their members"
    OPEN_COMPLAINTS = "be a member of a desk for complaints about police, and open what is sealed to oneself"
    MANAGE_COMPLAINT_DESKS = "make desks for complaints about police, name members, set the emergency key of any desk"
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
            Permission.OPEN_TIPS,
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
            Permission.OPEN_TIPS,
        }
    ),
    # A moderator sees the proposed public text, never the desk.
    Role.MODERATOR: frozenset({Permission.RELEASE, Permission.SEE_MODERATION}),
    # Police are no members of a desk that complaints about police go to, and do not decide who is.
    Role.OVERSEER: frozenset(
        {
            Permission.SEE_JOURNAL,
            Permission.SET_ALONE,
            Permission.OPEN_COMPLAINTS,
            Permission.MANAGE_COMPLAINT_DESKS,
        }
    ),
    # Whoever runs the machine does not thereby read what residents wrote.
    Role.ADMINISTRATOR: frozenset({Permission.ADMINISTER, Permission.MANAGE_TIP_DESKS}),
    # A volunteer from outside sees one masked text at a time, and nothing that it belongs to.
    Role.TRANSLATOR: frozenset({Permission.TRANSLATE}),
}


def may(user: User | AnonymousUser | None, permission: Permission) -> bool:
    """Tell whether the user may do it; nobody, anonymous and inactive users may nothing."""
    if not isinstance(user, User) or not user.is_active:
        return False
    return permission in PERMISSIONS[Role(user.role)]
