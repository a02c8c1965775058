"""The journal entries that reports write: ids and codes only."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from commonbeat.journal.actions import append

SUBMITTED = "reports.submitted"
MOVED = "reports.moved"
CLAIMED = "reports.claimed"
UNCLAIMED = "reports.unclaimed"
ASKED = "reports.asked"
TOLD = "reports.told"
ANSWERED = "reports.answered"
NOTED = "reports.noted"
VERIFIED = "reports.verified"
UNVERIFIED = "reports.unverified"
HELD = "reports.held"
RELEASED = "reports.released"
PUBLISHED = "reports.published"
WITHDRAWN = "reports.withdrawn"
MERGED = "reports.merged"
UNMERGED = "reports.unmerged"
PLACED = "reports.placed"
SORTED = "reports.sorted"
# A structured message was sent again, and the report says what it says now.
RESENT = "reports.resent"
CONFIRMED = "reports.confirmed"
LOOKED = "reports.looked"
# Deleted, or emptied but for its public copy: by time, or because its sender asked.
PURGED = "reports.purged"
ERASED = "reports.erased"
LEGAL_HOLD = "reports.legal_hold"
HOLD_ENDED = "reports.hold_ended"
# What is known of the consent of the person for whom it was made; "refused" also erases what was written.
CONSENT = "reports.consent"
# Translations by the desk and by volunteers; the data name the translation.
TRANSLATED = "reports.translated"
TRANSLATION_ASKED = "reports.translation_asked"
TRANSLATION_TAKEN = "reports.translation_taken"
TRANSLATION_SKIPPED = "reports.translation_skipped"
TRANSLATION_KNOWN = "reports.translation_known"
TRANSLATION_UNFIT = "reports.translation_unfit"
TRANSLATION_OFFERED = "reports.translation_offered"
TRANSLATION_LATE = "reports.translation_late"
TRANSLATION_ACCEPTED = "reports.translation_accepted"
TRANSLATION_REJECTED = "reports.translation_rejected"
TRANSLATION_WITHDRAWN = "reports.translation_withdrawn"

# These are about no single report: the subject is a unit (0: all of them), a topic, and an import.
MAP_LOOKED = "reports.map_looked"
TIGHTENED = "reports.tightened"
IMPORTED = "reports.imported"
IMPORT_UNDONE = "reports.import_undone"
# The subject is an expected reporter.
ENROLLED = "reports.enrolled"
UNENROLLED = "reports.unenrolled"
REMINDED = "reports.reminded"
# The subject is a proxy, who reports for others.
PROXY_ENROLLED = "reports.proxy_enrolled"
PROXY_ACCEPTED = "reports.proxy_accepted"
PROXY_ENDED = "reports.proxy_ended"
_PROXIES = (PROXY_ENROLLED, PROXY_ACCEPTED, PROXY_ENDED)
_OF_OTHERS = (MAP_LOOKED, TIGHTENED, IMPORTED, IMPORT_UNDONE, ENROLLED, UNENROLLED, REMINDED, *_PROXIES)
# All others are a report's own history. Named one by one, they are found along the journal's index.
OF_ONE_REPORT = tuple(
    sorted(
        kind
        for name, kind in list(globals().items())
        if name.isupper() and str(kind).startswith("reports.") and kind not in _OF_OTHERS
    )
)


def write(
    kind: str,
    *,
    report_id: int,
    now: datetime,
    actor_id: int | None = None,
    data: Mapping[str, int | str | bool | None] | None = None,
) -> None:
    """Append one entry about a report."""
    append(kind=kind, subject_id=report_id, now=now, actor_id=actor_id, data=data)
