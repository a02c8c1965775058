"""The history of a report in plain words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from commonbeat.journal.models import Entry
from commonbeat.people.queries import staff_names
from commonbeat.reports import events
from commonbeat.reports.models import State
from commonbeat.reports.proxy_models import Consent


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened, for a timeline."""

    text: str
    at: datetime
    by: str
    status: str = ""


def in_words(entries: Sequence[Entry], sentence: Callable[[Entry], str] | None = None) -> list[Happening]:
    """Put journal entries into words, oldest first: one query for all names; by default the history of a report."""
    names = staff_names({entry.actor_id for entry in entries if entry.actor_id is not None})
    return [
        Happening(
            (sentence or _sentence)(entry),
            entry.at,
            names.get(entry.actor_id, _("a former colleague")) if entry.actor_id is not None else "",
            "done" if entry.kind in (events.PUBLISHED, events.VERIFIED, events.RELEASED) else "",
        )
        for entry in entries
    ]


def _state(code: object) -> str:
    return str(State(str(code)).label) if str(code) in State.values else str(code)


def _sentence(entry: Entry) -> str:
    data = entry.data
    match entry.kind:
        case events.CONSENT:
            label = dict(Consent.choices).get(str(data.get("consent")), data.get("consent"))
            return _("Made for somebody else, who: %(consent)s") % {"consent": label}
        case events.SUBMITTED:
            return _("The report came in")
        case events.MOVED:
            return _("From “%(before)s” to “%(after)s”") % {
                "before": _state(data.get("from")),
                "after": _state(data.get("to")),
            }
        case events.VERIFIED:
            count = int(data.get("sources") or 1)
            return ngettext(
                "Verified from %(count)s independent source", "Verified from %(count)s independent sources", count
            ) % {"count": count}
        case events.MERGED:
            return _("Put together with report %(number)s") % {"number": data.get("with")}
    return {
        events.CLAIMED: _("Taken on"),
        events.UNCLAIMED: _("Given back"),
        events.ASKED: _("The reporter was asked a question"),
        events.TOLD: _("The reporter was told something"),
        events.ANSWERED: _("The reporter answered"),
        events.NOTED: _("An internal note was added"),
        events.UNVERIFIED: _("The mark “verified” was taken back"),
        events.HELD: _("The public text waits for a second person"),
        events.RELEASED: _("The public text was released"),
        events.PUBLISHED: _("Published"),
        events.WITHDRAWN: _("The public text was taken back"),
        events.UNMERGED: _("Taken off its incident"),
        events.PLACED: _("The place was set or corrected"),
        events.SORTED: _("Put under another topic"),
        events.RESENT: _("The reporter sent it again, corrected"),
        events.CONFIRMED: _("The reporter confirmed their number"),
        events.LOOKED: _("Opened"),
        events.TRANSLATED: _("Translated at the desk"),
        events.TRANSLATION_ASKED: _("Volunteers were asked for a translation"),
        events.TRANSLATION_TAKEN: _("A volunteer took the masked text"),
        events.TRANSLATION_SKIPPED: _("A volunteer left the text to others"),
        events.TRANSLATION_KNOWN: _("A volunteer knows somebody in the text, and left it to others"),
        events.TRANSLATION_UNFIT: _("A volunteer says that strangers should not read the text"),
        events.TRANSLATION_OFFERED: _("A volunteer handed a translation in"),
        events.TRANSLATION_LATE: _("A volunteer handed a second translation in"),
        events.TRANSLATION_ACCEPTED: _("A volunteer's translation was accepted"),
        events.TRANSLATION_REJECTED: _("A volunteer's translation was turned down"),
        events.TRANSLATION_WITHDRAWN: _("A translation, or the request for one, was taken back"),
        events.PURGED: _("Its time was over: only the public copy is left"),
        events.ERASED: _("Its sender asked for it to be erased"),
        events.LEGAL_HOLD: _("It is kept for the law, until a day"),
        events.HOLD_ENDED: _("It is no longer kept for the law"),
    }.get(entry.kind, entry.kind)
