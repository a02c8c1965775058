"""The journal entries that alerts write: ids and codes only."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from commonbeat.journal.actions import append

DRAFTED = "alerts.drafted"
CHANGED = "alerts.changed"
DISCARDED = "alerts.discarded"
# Somebody asked how many people one more area would reach; the subject is the draft, 0 before there is one.
LOOKED = "alerts.looked"
# A second person was asked to release it.
ASKED = "alerts.asked"
# The second person did not release it; why stands with the draft.
SENT_BACK = "alerts.sent_back"
# The first message of a chain; data: "by", which is "one" (one person may), "two", "alone" (nobody answered) or
# "single" (the one person of a unit).
RELEASED = "alerts.released"
# One person released what takes two; the overseer looks for these. data: "by" as above, and the unit.
RELEASED_ALONE = "alerts.released_alone"
# A message that follows: the subject is the new message, data["root"] the first of its chain.
UPDATED = "alerts.updated"
CANCELLED = "alerts.cancelled"
# The chain is over, data: "outcome", which is "expired" where time did it, and "message", what was said of it, if
# anything. The subject is the first message.
ENDED = "alerts.ended"
# All recipients are in the outbox, data: how many.
FANNED_OUT = "alerts.fanned_out"
# A report answers the alert.
SIGHTED = "alerts.sighted"

# A message of others came in, data: its source. Where the source is set so, it goes out.
TAKEN = "alerts.taken"
# The subject is a source of others' messages.
SOURCE_SAVED = "alerts.source_saved"

# The subject is a partner that gets look-outs.
PARTNER_ADDED = "alerts.partner_added"
PARTNER_CHANGED = "alerts.partner_changed"
PARTNER_ROTATED = "alerts.partner_rotated"
PARTNER_DELETED = "alerts.partner_deleted"
# Its server said that it is no more; data: the call.
PARTNER_GONE = "alerts.partner_gone"

# The subject is a subscription; who and where it is stands in no journal.
SUBSCRIBED = "alerts.subscribed"
CONFIRMED = "alerts.confirmed"
UNSUBSCRIBED = "alerts.unsubscribed"
# Some kinds were left off it.
NARROWED = "alerts.narrowed"

Data = Mapping[str, int | str | bool | None]


def write(
    kind: str,
    *,
    subject_id: int,
    now: datetime,
    actor_id: int | None = None,
    data: Data | None = None,
) -> None:
    """Append one entry about an alert or a subscription."""
    append(kind=kind, subject_id=subject_id, now=now, actor_id=actor_id, data=data)
