"""The journal entries of sealed dialogues: numbers only, and of what a source does only the day.

What a source does is journalled when the day is over (`actions.pending`).

The kinds of complaints have names of their own, so that whatever shows the one need not show the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from commonbeat.journal.actions import append

# The subject is a tip.
RECEIVED = "tips.received"
OPENED = "tips.opened"
ASKED = "tips.asked"
ANSWERED = "tips.answered"
CLOSED = "tips.closed"
EXPIRED = "tips.expired"
DELETED = "tips.deleted"
# The subject is a member.
MEMBER_NAMED = "tips.member_named"
MEMBER_ENROLLED = "tips.member_enrolled"
MEMBER_ADDED = "tips.member_added"
MEMBER_REMOVED = "tips.member_removed"
MEMBER_RECOVERED = "tips.member_recovered"
# The account is closed or has another role, and nobody else could open the desk's dialogues: the keys stay.
MEMBER_KEPT = "tips.member_kept"
# The subject is a desk.
DESK_MADE = "tips.desk_made"
DESK_CHANGED = "tips.desk_changed"
DESK_OPENED = "tips.desk_opened"
DESK_CLOSED = "tips.desk_closed"
ESCROW_SET = "tips.escrow_set"

COMPLAINT_RECEIVED = "complaints.received"
COMPLAINT_OPENED = "complaints.opened"
COMPLAINT_ASKED = "complaints.asked"
COMPLAINT_ANSWERED = "complaints.answered"
COMPLAINT_CLOSED = "complaints.closed"
COMPLAINT_EXPIRED = "complaints.expired"
COMPLAINT_DELETED = "complaints.deleted"
# A member must not read it, data: which member.
COMPLAINT_RECUSED = "complaints.recused"

OF_COMPLAINTS: dict[str, str] = {
    RECEIVED: COMPLAINT_RECEIVED,
    OPENED: COMPLAINT_OPENED,
    ASKED: COMPLAINT_ASKED,
    ANSWERED: COMPLAINT_ANSWERED,
    CLOSED: COMPLAINT_CLOSED,
    EXPIRED: COMPLAINT_EXPIRED,
    DELETED: COMPLAINT_DELETED,
}

Data = Mapping[str, int | str | bool | None]


def kind_for(kind: str, desk_kind: str) -> str:
    """Give the kind of an entry about a dialogue, as its desk has it."""
    return OF_COMPLAINTS.get(kind, kind) if desk_kind == "complaints" else kind


def write(
    kind: str,
    *,
    subject_id: int,
    now: datetime,
    desk_kind: str = "tips",
    actor_id: int | None = None,
    data: Data | None = None,
) -> None:
    """Append one entry about what a member, a manager or time has done."""
    append(kind=kind_for(kind, desk_kind), subject_id=subject_id, now=now, actor_id=actor_id, data=data)
