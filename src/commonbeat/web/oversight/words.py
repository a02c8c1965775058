"""The journal in plain words: a phrase for each kind of entry, and its details as a reader would say them."""

from __future__ import annotations

from collections.abc import Callable

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from commonbeat.journal.models import Entry
from commonbeat.people.models import Role
from commonbeat.reports.models import State

# A kind without a line here is shown by its code; a test reads the sources and finds any that was forgotten.
PHRASES: dict[str, Promise] = {
    "reports.submitted": gettext_lazy("Report arrived"),
    "reports.moved": gettext_lazy("State of a report changed"),
    "reports.claimed": gettext_lazy("Report taken on"),
    "reports.unclaimed": gettext_lazy("Report given back"),
    "reports.asked": gettext_lazy("Question sent to the reporter"),
    "reports.told": gettext_lazy("Message sent to the reporter"),
    "reports.answered": gettext_lazy("Reporter answered"),
    "reports.noted": gettext_lazy("Internal note added"),
    "reports.verified": gettext_lazy("Report marked as verified"),
    "reports.unverified": gettext_lazy("Mark “verified” taken back"),
    "reports.held": gettext_lazy("Public text held for a second person"),
    "reports.released": gettext_lazy("Public text released by a second person"),
    "reports.published": gettext_lazy("Report published"),
    "reports.withdrawn": gettext_lazy("Public text taken back"),
    "reports.merged": gettext_lazy("Reports put together"),
    "reports.unmerged": gettext_lazy("Report taken off its incident"),
    "reports.placed": gettext_lazy("Place set or corrected"),
    "reports.sorted": gettext_lazy("Report put under another topic"),
    "reports.resent": gettext_lazy("Structured report sent again, corrected"),
    "reports.enrolled": gettext_lazy("Reporter enrolled, or the times changed"),
    "reports.unenrolled": gettext_lazy("Reporter taken off the list of expected ones"),
    "reports.reminded": gettext_lazy("Reminder of an expected report queued"),
    "reports.confirmed": gettext_lazy("Reporter confirmed their number"),
    "reports.looked": gettext_lazy("Report opened by staff"),
    "reports.map_looked": gettext_lazy("Exact map of a desk opened"),
    "reports.tightened": gettext_lazy("Public copies hidden or made coarser"),
    "reports.imported": gettext_lazy("Reports imported from a file"),
    "reports.import_undone": gettext_lazy("Import withdrawn, with all its reports"),
    "people.staff_created": gettext_lazy("Staff account made"),
    "people.role_changed": gettext_lazy("Role of an account changed"),
    "people.deactivated": gettext_lazy("Account closed"),
    "people.reactivated": gettext_lazy("Account opened again"),
    "people.factor_reset": gettext_lazy("Second factor taken off an account"),
    "people.invited": gettext_lazy("Invitation sent"),
    "people.invitation_accepted": gettext_lazy("Invitation accepted"),
    "people.unit_created": gettext_lazy("Unit made"),
    "people.fallback_chosen": gettext_lazy("Unit for reports without a beat chosen"),
    "places.beat_created": gettext_lazy("Beat made"),
    "places.beat_changed": gettext_lazy("Beat changed"),
    "places.loaded": gettext_lazy("Place names loaded"),
    "places.place_added": gettext_lazy("Place added"),
    "places.place_changed": gettext_lazy("Place changed"),
    "places.place_removed": gettext_lazy("Place removed"),
    "places.name_added": gettext_lazy("Name of a place added"),
    "places.name_removed": gettext_lazy("Name of a place removed"),
    "places.spelling_learned": gettext_lazy("Spelling of a place learned from several people"),
    "places.spelling_right": gettext_lazy("Learned spelling kept as a name"),
    "places.spelling_wrong": gettext_lazy("Learned spelling dropped"),
    "topics.created": gettext_lazy("Topic made"),
    "topics.revised": gettext_lazy("Topic changed"),
    "topics.enabled": gettext_lazy("Topic opened"),
    "topics.disabled": gettext_lazy("Topic closed"),
    "topics.reordered": gettext_lazy("Order of topics changed"),
    "messaging.received": gettext_lazy("Text message received"),
    "messaging.failed": gettext_lazy("Text message could not be read"),
    "messaging.stopped": gettext_lazy("Reporter wants no more messages (STOP)"),
    "messaging.started": gettext_lazy("Reporter wants messages again (START)"),
    "messaging.undelivered": gettext_lazy("Text message not delivered"),
    "messaging.retried": gettext_lazy("Text message sent again by staff"),
    "messaging.tried": gettext_lazy("Test message sent by an administrator"),
    "messaging.channel_down": gettext_lazy("A gateway stopped answering"),
    "messaging.channel_back": gettext_lazy("A gateway answers again"),
    "reactions.failed": gettext_lazy("Follow-up of an act failed"),
    "oversight.exported": gettext_lazy("Journal downloaded"),
}


def phrase_of(kind: str) -> str:
    """Name a kind of entry in plain words."""
    return str(PHRASES.get(kind, kind))


def details_of(entry: Entry, channels: dict[str, str]) -> str:
    """Tell the details of an entry in words; `channels` names the ways in by their code."""
    data = dict(entry.data)
    parts = []
    if data.get("from") is not None and data.get("to") is not None:
        name = _naming(entry.kind)
        parts.append(
            _("from %(before)s to %(after)s") % {"before": name(data.pop("from")), "after": name(data.pop("to"))}
        )
    for key, value in data.items():
        said = _detail(key, value, channels)
        if said:
            parts.append(said)
    return " · ".join(parts)


def _naming(kind: str) -> Callable[[object], str]:
    if kind == "reports.sorted":
        return lambda value: _("topic %(number)s") % {"number": value}
    labels = {str(code): str(label) for code, label in (Role.choices if kind.startswith("people.") else State.choices)}
    return lambda value: labels.get(str(value), str(value)).lower()


def _detail(key: str, value: object, channels: dict[str, str]) -> str:
    if value is None or value == "":
        return ""
    number = value if isinstance(value, int) else 0
    match key:
        case "channel":
            return _("by %(channel)s") % {"channel": channels.get(str(value), str(value))}
        case "acknowledged":
            return ""  # how it was answered is no act of anybody
        case "role":
            return str(dict(Role.choices).get(str(value), value)).lower()
        case "was":
            return _("before: %(state)s") % {"state": str(dict(State.choices).get(str(value), value)).lower()}
        case "kind":
            return phrase_of(str(value))
        case "sources":
            return ngettext("%(count)s independent source", "%(count)s independent sources", number) % {"count": number}
        case "created":
            return ngettext("%(count)s name", "%(count)s names", number) % {"count": number}
    named = {
        "with": _("with report %(number)s"),
        "incident": _("incident %(number)s"),
        "message": _("message %(number)s"),
        "publication": _("public text %(number)s"),
        "unit": _("unit %(number)s"),
        "version": _("version %(number)s"),
        "entry": _("journal entry %(number)s"),
        "hidden": _("%(number)s hidden"),
        "coarsened": _("%(number)s made coarser"),
        "error": _("error %(number)s"),
    }
    return named[key] % {"number": value} if key in named else f"{key}: {value}"
