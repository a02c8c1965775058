"""The journal in plain words: a phrase for each kind of entry, and its details as a reader would say them."""

from __future__ import annotations

from collections.abc import Callable

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from commonbeat.journal.models import Entry
from commonbeat.people.models import Role
from commonbeat.reports.models import State
from commonbeat.reports.proxy_models import Consent, SaidBy

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
    "reports.consent": gettext_lazy("What is known of a person’s consent to a report"),
    "reports.proxy_enrolled": gettext_lazy("Proxy enrolled, changed or asked again"),
    "reports.proxy_accepted": gettext_lazy("Proxy accepted by text"),
    "reports.proxy_ended": gettext_lazy("Proxy ended"),
    "reports.purged": gettext_lazy("Report deleted because its time was over"),
    "reports.erased": gettext_lazy("Report deleted because its sender asked"),
    "reports.legal_hold": gettext_lazy("Report kept for the law until a day"),
    "reports.hold_ended": gettext_lazy("Report no longer kept for the law"),
    "reports.translated": gettext_lazy("Translation made at the desk"),
    "reports.translation_asked": gettext_lazy("Volunteers asked for a translation"),
    "reports.translation_taken": gettext_lazy("Masked text taken by a volunteer"),
    "reports.translation_skipped": gettext_lazy("Masked text left to others by a volunteer"),
    "reports.translation_known": gettext_lazy("Volunteer knows somebody in a masked text"),
    "reports.translation_unfit": gettext_lazy("Volunteer called a masked text unfit for strangers"),
    "reports.translation_offered": gettext_lazy("Translation handed in by a volunteer"),
    "reports.translation_late": gettext_lazy("Second translation handed in by a volunteer"),
    "reports.translation_accepted": gettext_lazy("Volunteer’s translation accepted"),
    "reports.translation_rejected": gettext_lazy("Volunteer’s translation turned down"),
    "reports.translation_withdrawn": gettext_lazy("Translation or request for one taken back"),
    "reports.map_looked": gettext_lazy("Exact map of a desk opened"),
    "reports.tightened": gettext_lazy("Public copies hidden or made coarser"),
    "reports.imported": gettext_lazy("Reports imported from a file"),
    "reports.import_undone": gettext_lazy("Import withdrawn, with all its reports"),
    "alerts.drafted": gettext_lazy("Alert drafted"),
    "alerts.changed": gettext_lazy("Draft of an alert changed"),
    "alerts.looked": gettext_lazy("Asked how many people an area of an alert would reach"),
    "alerts.discarded": gettext_lazy("Draft of an alert thrown away"),
    "alerts.asked": gettext_lazy("Second person asked to release an alert"),
    "alerts.sent_back": gettext_lazy("Alert sent back by the second person"),
    "alerts.released": gettext_lazy("Alert released"),
    "alerts.released_alone": gettext_lazy("Alert that takes two people released by one"),
    "alerts.updated": gettext_lazy("Alert corrected or extended"),
    "alerts.cancelled": gettext_lazy("Alert cancelled"),
    "alerts.ended": gettext_lazy("Alert ended"),
    "alerts.fanned_out": gettext_lazy("Alert queued for everybody who asked for such"),
    "alerts.sighted": gettext_lazy("Report tied to an alert as an answer"),
    "alerts.subscribed": gettext_lazy("Somebody asked for alerts"),
    "alerts.confirmed": gettext_lazy("Somebody confirmed that they want alerts"),
    "alerts.unsubscribed": gettext_lazy("Somebody ended their alerts for a place"),
    "alerts.narrowed": gettext_lazy("Somebody left off a kind of alert"),
    "alerts.taken": gettext_lazy("Alert of another sender taken in"),
    "alerts.source_saved": gettext_lazy("Source of others' alerts added or changed"),
    "alerts.partner_added": gettext_lazy("Partner for look-outs added"),
    "alerts.partner_changed": gettext_lazy("Partner for look-outs changed"),
    "alerts.partner_rotated": gettext_lazy("Partner for look-outs given a new secret"),
    "alerts.partner_deleted": gettext_lazy("Partner for look-outs deleted"),
    "alerts.partner_gone": gettext_lazy("Partner's server said that it is no more"),
    "tips.received": gettext_lazy("Sealed tip arrived"),
    "tips.opened": gettext_lazy("Sealed tip opened by a member of its desk"),
    "tips.asked": gettext_lazy("Answer to a sealed tip sent"),
    "tips.answered": gettext_lazy("Source of a sealed tip wrote again"),
    "tips.closed": gettext_lazy("Sealed tip closed"),
    "tips.expired": gettext_lazy("Sealed tip ended because nobody wrote"),
    "tips.deleted": gettext_lazy("Sealed tip deleted"),
    "tips.member_named": gettext_lazy("Member of a sealed desk named"),
    "tips.member_enrolled": gettext_lazy("Member of a sealed desk made a key"),
    "tips.member_added": gettext_lazy("Member of a sealed desk let in by another member"),
    "tips.member_removed": gettext_lazy("Member of a sealed desk removed"),
    "tips.member_recovered": gettext_lazy("Member of a sealed desk used the printed recovery key"),
    "tips.member_kept": gettext_lazy("Last member of a sealed desk lost the account or role; the desk was closed"),
    "tips.desk_made": gettext_lazy("Sealed desk made"),
    "tips.desk_changed": gettext_lazy("Sealed desk changed"),
    "tips.desk_opened": gettext_lazy("Sealed desk opened"),
    "tips.desk_closed": gettext_lazy("Sealed desk closed"),
    "tips.escrow_set": gettext_lazy("Emergency key of a sealed desk set"),
    "complaints.received": gettext_lazy("Complaint about police arrived"),
    "complaints.opened": gettext_lazy("Complaint about police opened by a member of its desk"),
    "complaints.asked": gettext_lazy("Answer to a complaint about police sent"),
    "complaints.answered": gettext_lazy("Person with a complaint about police wrote again"),
    "complaints.closed": gettext_lazy("Complaint about police closed"),
    "complaints.expired": gettext_lazy("Complaint about police ended because nobody wrote"),
    "complaints.deleted": gettext_lazy("Complaint about police deleted"),
    "complaints.recused": gettext_lazy("Complaint about police taken away from a member whom it concerns"),
    "people.staff_created": gettext_lazy("Staff account made"),
    "people.role_changed": gettext_lazy("Role of an account changed"),
    "people.deactivated": gettext_lazy("Account closed"),
    "people.reactivated": gettext_lazy("Account opened again"),
    "people.factor_reset": gettext_lazy("Second factor taken off an account"),
    "people.invited": gettext_lazy("Invitation sent"),
    "people.invitation_accepted": gettext_lazy("Invitation accepted"),
    "people.languages_set": gettext_lazy("Languages of a volunteer set"),
    "people.unit_created": gettext_lazy("Unit made"),
    "people.fallback_chosen": gettext_lazy("Unit for reports without a beat chosen"),
    "people.alone_allowed": gettext_lazy("Unit allowed to release urgent alerts by one person"),
    "people.alone_ended": gettext_lazy("Unit no longer allowed to release urgent alerts by one person"),
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
    "messaging.erasure_asked": gettext_lazy("Reporter asked to be erased"),
    "messaging.erased": gettext_lazy("Reporter erased"),
    "messaging.forgotten": gettext_lazy("Address of a reporter deleted because its time was over"),
    "messaging.undelivered": gettext_lazy("Text message not delivered"),
    "messaging.retried": gettext_lazy("Text message sent again by staff"),
    "messaging.tried": gettext_lazy("Test message sent by an administrator"),
    "messaging.trust_weighed": gettext_lazy("A report changed what its sender has earned"),
    "messaging.trust_set": gettext_lazy("Trust level of a sender set"),
    "messaging.blocked": gettext_lazy("Sender blocked"),
    "messaging.unblocked": gettext_lazy("Sender no longer blocked"),
    "messaging.let_in": gettext_lazy("Held messages let in"),
    "messaging.discarded": gettext_lazy("Held messages discarded"),
    "messaging.taken_back": gettext_lazy("Discarded messages held again"),
    "messaging.contact_looked": gettext_lazy("Page of a sender opened by staff"),
    "messaging.quarantine_looked": gettext_lazy("Held messages read by staff"),
    "messaging.channel_down": gettext_lazy("A gateway stopped answering"),
    "messaging.channel_back": gettext_lazy("A gateway answers again"),
    "messaging.channel_changed": gettext_lazy("Settings of a channel changed by an administrator"),
    "reactions.failed": gettext_lazy("Follow-up of an act failed"),
    "oversight.exported": gettext_lazy("Journal downloaded"),
    "oversight.log_exported": gettext_lazy("Transparency log downloaded"),
    "oversight.entry_proved": gettext_lazy("Proof of a journal entry downloaded"),
    "oversight.key_added": gettext_lazy("Key for countersigning registered"),
    "oversight.key_retired": gettext_lazy("Key for countersigning retired"),
    "oversight.countersigned": gettext_lazy("Log countersigned by the oversight body"),
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


def _reasons() -> dict[str, str]:
    return {
        "desk": _("the desk took it back"),
        "made": _("the desk made one"),
        "unfit": _("unfit for strangers"),
        "sensitive": _("its topic is read by the desk alone"),
        "changed": _("the text has changed"),
    }


def _released_by() -> dict[str, str]:
    return {
        "one": _("released by one person, who may"),
        "two": _("released by two people"),
        "alone": _("released by one person, for nobody else answered"),
        "single": _("released by the one person of a unit that is set so"),
    }


def _detail(key: str, value: object, channels: dict[str, str]) -> str:
    if value is None or value == "":
        return ""
    number = value if isinstance(value, int) else 0
    match key:
        case "channel":
            return _("by %(channel)s") % {"channel": channels.get(str(value), str(value))}
        case "consent":
            return str(dict(Consent.choices).get(str(value), value))
        case "by" if str(value) in _released_by():
            return _released_by()[str(value)]
        case "by":
            return _("said by %(who)s") % {"who": dict(SaidBy.choices).get(str(value), value)}
        case "own":
            return _("by its own word") if value else ""
        case "why":
            return _("because: %(reason)s") % {"reason": _reasons().get(str(value), str(value))}
        case "languages":
            return str(value)
        case "acknowledged":
            return ""  # how it was answered is no act of anybody
        case "role":
            return str(dict(Role.choices).get(str(value), value)).lower()
        case "was":
            return _("before: %(state)s") % {"state": str(dict(State.choices).get(str(value), value)).lower()}
        case "spam":
            return _("as spam")
        case "level" | "level_before":
            return (_("level %(name)s") if key == "level" else _("before: %(state)s")) % {"name": value, "state": value}
        case "messages":
            return ngettext("%(count)s message", "%(count)s messages", number) % {"count": number}
        case "kind":
            return phrase_of(str(value))
        case "sources":
            return ngettext("%(count)s independent source", "%(count)s independent sources", number) % {"count": number}
        case "created":
            return ngettext("%(count)s name", "%(count)s names", number) % {"count": number}
    named = {
        "with": _("with report %(number)s"),
        "report": _("report %(number)s"),
        "points": _("points %(number)s"),
        "incident": _("incident %(number)s"),
        "message": _("message %(number)s"),
        "proxy": _("proxy %(number)s"),
        "translation": _("translation %(number)s"),
        "instead": _("beside translation %(number)s"),
        "publication": _("public text %(number)s"),
        "unit": _("unit %(number)s"),
        "version": _("version %(number)s"),
        "entry": _("journal entry %(number)s"),
        "hidden": _("%(number)s hidden"),
        "coarsened": _("%(number)s made coarser"),
        "error": _("error %(number)s"),
    }
    return named[key] % {"number": value} if key in named else f"{key}: {value}"
