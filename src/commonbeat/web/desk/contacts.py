"""One sender as staff know them: a handle, a level and why, and what waits; never an address."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from commonbeat.foundation import clock
from commonbeat.journal.models import Entry
from commonbeat.messaging import events
from commonbeat.messaging.actions.trust import (
    TrustError,
    block_contact,
    discard,
    let_in,
    note_contact_look,
    set_level,
    unblock_contact,
)
from commonbeat.messaging.held import counts_of, decisions_about, held_of, marks_of
from commonbeat.messaging.models import Contact, InboundState
from commonbeat.messaging.trust import Level, level_of, limit_of
from commonbeat.people.models import User
from commonbeat.people.permissions import Permission, may
from commonbeat.reports.models import State
from commonbeat.reports.queries import desk
from commonbeat.reports.queries.contacts import contact_for, is_own, report_ids_of
from commonbeat.topics.queries import all_topics
from commonbeat.web.accounts import needs, signed_in
from commonbeat.web.desk.filters import number
from commonbeat.web.desk.history import in_words
from commonbeat.web.desk.names import channel_names
from commonbeat.web.desk.pages import draw
from commonbeat.web.language import name_of_language

# Reports of one sender that are listed; the desk's search finds the others.
SHOWN_REPORTS = 20


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision: about whom, what was typed, who, when."""

    contact: Contact
    data: QueryDict
    actor: User
    now: datetime

    @property
    def chosen(self) -> Sequence[int]:
        """Give the numbers of the chosen messages."""
        return [pk for pk in map(number, self.data.getlist("message")[:500]) if pk]


def _level(one: Decision) -> str:
    level, reason = one.data.get("level", ""), one.data.get("reason", "")
    set_level(contact_id=one.contact.pk, level=level[:10], reason=reason, actor=one.actor, now=one.now)
    return _("The level is set.") if level else _("The level follows the reports again.")


def _block(one: Decision) -> str:
    block_contact(contact_id=one.contact.pk, reason=one.data.get("why", ""), actor=one.actor, now=one.now)
    return _("The sender is blocked. Nothing more is read or answered, except STOP.")


def _unblock(one: Decision) -> str:
    count = unblock_contact(contact_id=one.contact.pk, actor=one.actor, now=one.now)
    if not count:
        return _("The sender is no longer blocked.")
    said = ngettext("%(count)s message that came meanwhile", "%(count)s messages that came meanwhile", count)
    return _("The sender is no longer blocked; %(messages)s can be let in now.") % {"messages": said % {"count": count}}


def _let_in(one: Decision) -> str:
    count = let_in(contact_id=one.contact.pk, ids=one.chosen, actor=one.actor, now=one.now)
    return let_in_words(count) if count else _("No message was chosen. Tick the messages first.")


def _discard(one: Decision) -> str:
    count = discard(contact_id=one.contact.pk, ids=one.chosen, actor=one.actor, now=one.now)
    return discarded_words(count) if count else _("No message was chosen. Tick the messages first.")


VERBS: dict[str, Callable[[Decision], str]] = {
    "level": _level,
    "block": _block,
    "unblock": _unblock,
    "let-in": _let_in,
    "discard": _discard,
}
# The field that a refusal of a verb points to.
FIELDS = {"level": "reason", "block": "why"}


def let_in_words(count: int) -> str:
    """Say how many messages were let in."""
    said = ngettext("%(count)s message is let in.", "%(count)s messages are let in.", count)
    return said % {"count": count}


def discarded_words(count: int) -> str:
    """Say how many messages were discarded."""
    return ngettext("%(count)s message was discarded.", "%(count)s messages were discarded.", count) % {"count": count}


@require_GET
@needs(Permission.SEE_DESK)
def contact(request: HttpRequest, handle: str) -> HttpResponseBase:
    """Show one sender; that somebody looked is journalled."""
    return _page(request, _visible(request, handle))


@require_POST
@needs(Permission.WORK_REPORTS)
def decide(request: HttpRequest, handle: str, verb: str) -> HttpResponseBase:
    """Decide about one sender, or about messages that wait; what was typed survives a refusal."""
    handler = VERBS.get(verb)
    if handler is None:
        raise Http404
    found, actor = _visible(request, handle), signed_in(request)
    if not is_own(actor, found):
        return _page(request, found, problem=(verb, _("About this sender a supervisor decides.")), status=403)
    try:
        said = handler(Decision(found, request.POST, actor, clock.now()))
    except TrustError as error:
        return _page(request, found, problem=(verb, error.sentence), status=400)
    messages.success(request, said)
    return redirect("desk:contact", handle=found.handle)


def _visible(request: HttpRequest, handle: str) -> Contact:
    found = contact_for(signed_in(request), handle)
    if found is None:
        raise Http404
    return found


def _page(
    request: HttpRequest, found: Contact, *, problem: tuple[str, str] | None = None, status: int = 200
) -> HttpResponseBase:
    viewer, now = signed_in(request), clock.now()
    found.refresh_from_db()
    note_contact_look(contact_id=found.pk, actor=viewer, now=now)
    decides = is_own(viewer, found)
    ids = report_ids_of(viewer, found)
    counts = counts_of(found)
    limit = limit_of(found.level, settings.COMMONBEAT.message_limits)
    context: dict[str, Any] = {
        "contact": found,
        "language_name": name_of_language(found.language) if found.language else "",
        "channel": channel_names().get(found.channel, found.channel),
        "earned": level_of(found.trust_points),
        "levels": list(Level),
        "limit": limit,
        "marks": marks_of(found, ids),
        "sees_all": may(viewer, Permission.SEE_ALL_DESKS),
        "rows": desk.rows_of(viewer, ids[:SHOWN_REPORTS], now=now),
        "report_count": len(ids),
        "topic_map": {topic.pk: topic for topic in all_topics()},
        "states": dict(State.choices),
        "held": held_of(found) if decides else [],
        "held_count": counts.get(InboundState.HELD, 0),
        "blocked_count": counts.get(InboundState.BLOCKED, 0),
        "channels": channel_names(),
        "history": in_words(decisions_about(found), _sentence),
        "decides": decides and may(viewer, Permission.WORK_REPORTS),
        "typed": request.POST if problem else {},
        "problem": problem,
        "problem_field": FIELDS.get(problem[0]) if problem else None,
    }
    return draw(request, "desk/contacts/contact.html", context, status=status)


def _sentence(entry: Entry) -> str:
    count = int(entry.data.get("messages") or 0)
    match entry.kind:
        case events.TRUST_SET:
            return _("Level: from “%(before)s” to “%(after)s”") % {
                "before": level_name(str(entry.data.get("level_before"))),
                "after": level_name(str(entry.data.get("level"))),
            }
        case events.LET_IN:
            return ngettext("%(count)s message let in", "%(count)s messages let in", count) % {"count": count}
        case events.DISCARDED:
            return ngettext("%(count)s message discarded", "%(count)s messages discarded", count) % {"count": count}
        case events.TAKEN_BACK:
            return ngettext("%(count)s message held again", "%(count)s messages held again", count) % {"count": count}
    return {
        events.BLOCKED: _("Blocked"),
        events.UNBLOCKED: _("No longer blocked"),
        events.STOPPED: _("The person said STOP"),
        events.STARTED: _("The person said START"),
    }.get(entry.kind, entry.kind)


def level_name(level: str) -> str:
    """Name a level in words; “earned” is what the reports say."""
    return {
        "doubtful": _("Doubtful"),
        "unknown": _("Unknown"),
        "known": _("Known"),
        "trusted": _("Trusted"),
        "earned": _("as its reports earn"),
    }.get(level, level)
