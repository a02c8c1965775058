"""Messages that wait because their sender wrote too much at once: let in, discarded, or blocked with the sender."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.http import Http404, HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from commonbeat.foundation import clock
from commonbeat.messaging.actions.trust import (
    TrustError,
    block_contact,
    discard,
    let_in,
    note_quarantine_look,
    take_back,
    unblock_contact,
)
from commonbeat.messaging.held import PAGE, held_senders
from commonbeat.messaging.models import Contact
from commonbeat.people.models import User
from commonbeat.people.permissions import Permission, may
from commonbeat.reports.queries.contacts import own_contacts
from commonbeat.web.accounts import needs, signed_in
from commonbeat.web.desk.contacts import discarded_words, let_in_words
from commonbeat.web.desk.filters import number
from commonbeat.web.desk.names import channel_names
from commonbeat.web.desk.pages import draw
from commonbeat.web.errors import error_page

LET_IN, DISCARD, BLOCK = "let-in", "discard", "block"
BULK_LIMIT = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one sender's messages in a bulk act."""

    handle: str
    sentence: str
    done: bool
    # By what it is taken back: the sender's number, the act, and its moment in microseconds.
    mark: str


@require_GET
@needs(Permission.SEE_DESK)
def quarantine(request: HttpRequest) -> HttpResponseBase:
    """List the senders whose messages wait; that somebody read them is journalled."""
    viewer = signed_in(request)
    senders = held_senders(own_contacts(viewer), limit=PAGE)
    if senders:
        note_quarantine_look(actor=viewer, now=clock.now())
    context = {
        "senders": senders,
        "is_full": len(senders) == PAGE,
        "channels": channel_names(),
        "may_work": may(viewer, Permission.WORK_REPORTS),
        "sees_all": may(viewer, Permission.SEE_ALL_DESKS),
    }
    return draw(request, "desk/quarantine/list.html", context)


@require_POST
@needs(Permission.WORK_REPORTS)
def bulk(request: HttpRequest) -> HttpResponseBase:
    """Do one thing to the messages of several senders at once, or take it back; the result names each."""
    actor, now = signed_in(request), clock.now()
    is_undo = request.POST.get("step") == "undo"
    to = request.POST.get("to", "")
    if not is_undo and to not in (LET_IN, DISCARD, BLOCK):
        raise Http404
    given = request.POST.getlist("sender")
    if len(given) > BULK_LIMIT:
        said = _("A change reaches %(count)s senders at once. Choose fewer.") % {"count": BULK_LIMIT}
        return error_page(request, status=400, title=_("Too many senders at once"), sentence=said)
    marks: dict[int, str] = {}
    for part in given:
        pk = number(part.partition(":")[0])
        if pk:
            marks[pk] = part.partition(":")[2]
    # Whoever is not the viewer's to decide about is left out, as if the number did not exist.
    contacts = list(own_contacts(actor).filter(pk__in=marks).order_by("pk"))
    if is_undo:
        outcomes = [_take_back(contact, marks[contact.pk], actor, now) for contact in contacts]
    else:
        outcomes = [_one(contact, to, request.POST, actor, now) for contact in contacts]
    done = sum(outcome.done for outcome in outcomes)
    context = {
        "outcomes": outcomes,
        "done": done,
        "can_undo": not is_undo and any(outcome.mark for outcome in outcomes),
        "sentence": ngettext("%(count)s sender was dealt with.", "%(count)s senders were dealt with.", done)
        % {"count": done},
    }
    return draw(request, "desk/quarantine/bulk.html", context, status=200 if done or not outcomes else 409)


def _one(contact: Contact, to: str, data: Mapping[str, str] | QueryDict, actor: User, now: datetime) -> Outcome:
    try:
        if to == BLOCK:
            block_contact(contact_id=contact.pk, reason=data.get("reason", ""), actor=actor, now=now)
            return Outcome(contact.handle, _("blocked, with all that waited"), True, f"{contact.pk}:{BLOCK}")
        if to == LET_IN:
            count = let_in(contact_id=contact.pk, actor=actor, now=now)
            said = let_in_words(count)
        else:
            count = discard(contact_id=contact.pk, actor=actor, now=now)
            said = discarded_words(count)
    except TrustError as error:
        return Outcome(contact.handle, error.sentence, False, "")
    if not count:
        return Outcome(contact.handle, _("Somebody else has dealt with these messages already."), False, "")
    moment = (now - _EPOCH) // timedelta(microseconds=1)
    return Outcome(contact.handle, said, True, f"{contact.pk}:{moment}")


def _take_back(contact: Contact, mark: str, actor: User, now: datetime) -> Outcome:
    try:
        if mark == BLOCK:
            unblock_contact(contact_id=contact.pk, actor=actor, now=now)
            return Outcome(contact.handle, _("no longer blocked; what came waits again"), True, "")
        moment = number(mark) or 0
        # Microseconds until the year 9999.
        at = _EPOCH + timedelta(microseconds=min(moment, 253_402_300_799_000_000))
        count = take_back(contact_id=contact.pk, decided_at=at, actor=actor, now=now)
    except TrustError as error:
        return Outcome(contact.handle, error.sentence, False, "")
    if not count:
        return Outcome(contact.handle, _("This cannot be taken back: the messages have been understood."), False, "")
    said = ngettext("%(count)s message waits again.", "%(count)s messages wait again.", count) % {"count": count}
    return Outcome(contact.handle, said, True, "")
