"""Messages that wait because their sender wrote too much at once: let in, discarded, or blocked with the sender."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
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
from commonbeat.web.language import name_of_language

LET_IN, DISCARD, BLOCK, UNDO = "let-in", "discard", "block", "undo"
BULK_LIMIT = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one sender's messages in a bulk act."""

    handle: str
    sentence: str
    done: bool
    # How many messages it was about.
    messages: int
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
        "language_names": {code: name_of_language(code) for code in {one.contact.language for one in senders} if code},
        "may_work": may(viewer, Permission.WORK_REPORTS),
        "sees_all": may(viewer, Permission.SEE_ALL_DESKS),
    }
    return draw(request, "desk/quarantine/list.html", context)


@require_POST
@needs(Permission.WORK_REPORTS)
def bulk(request: HttpRequest) -> HttpResponseBase:
    """Do one thing to the messages of several senders at once, or take it back; the result counts, and names each."""
    actor, now = signed_in(request), clock.now()
    is_undo = request.POST.get("step") == UNDO
    to = request.POST.get("to", "")
    if not is_undo and to not in (LET_IN, DISCARD, BLOCK):
        raise Http404
    given = request.POST.getlist("sender")
    if len(given) > BULK_LIMIT:
        said = f"{len(given)} senders were chosen, and a change reaches {BULK_LIMIT} at once. So nothing was changed: "
        said += f"all {len(given)} are as they were. Choose {len(given) - BULK_LIMIT} fewer."
        return error_page(request, status=400, title="Too many senders at once", sentence=said)
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
        "sentence": in_numbers(UNDO if is_undo else to, outcomes),
        "skipped": skipped_in_numbers(outcomes, strangers=len(marks) - len(contacts)),
    }
    return draw(request, "desk/quarantine/bulk.html", context, status=200 if done or not outcomes else 409)


def in_numbers(act: str, outcomes: Sequence[Outcome]) -> str:
    """Say what a bulk act did: to how many senders, and to how many messages."""
    done = [outcome for outcome in outcomes if outcome.done]
    if not done:
        return "Nothing was changed."
    senders, messages = counted(len(done), "sender"), counted(sum(one.messages for one in done), "message")
    return {
        LET_IN: f"Let in: {messages} of {senders}.",
        DISCARD: f"Discarded: {messages} of {senders}.",
        BLOCK: f"Blocked: {senders}, with {messages} that waited.",
        UNDO: f"Taken back: {messages} of {senders}.",
    }[act]


def skipped_in_numbers(outcomes: Sequence[Outcome], *, strangers: int) -> list[str]:
    """Say how many senders were left as they were and why, the commonest reason first."""
    why = Counter(outcome.sentence for outcome in outcomes if not outcome.done)
    said = [f"{counted(count, 'sender')}: {sentence}" for sentence, count in why.most_common()]
    if strangers:
        # The same words for whoever is another desk's and for whoever does not exist.
        said.append(f"{counted(strangers, 'sender')}: not among those about whom you decide.")
    return said


def counted(count: int, noun: str) -> str:
    """Count a thing: “1 sender”, “2 senders”."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _one(contact: Contact, to: str, data: Mapping[str, str] | QueryDict, actor: User, now: datetime) -> Outcome:
    try:
        if to == BLOCK:
            count = block_contact(contact_id=contact.pk, reason=data.get("reason", ""), actor=actor, now=now)
            return Outcome(contact.handle, _("blocked, with all that waited"), True, count, f"{contact.pk}:{BLOCK}")
        if to == LET_IN:
            count = let_in(contact_id=contact.pk, actor=actor, now=now)
            said = let_in_words(count)
        else:
            count = discard(contact_id=contact.pk, actor=actor, now=now)
            said = discarded_words(count)
    except TrustError as error:
        return Outcome(contact.handle, error.sentence, False, 0, "")
    if not count:
        return Outcome(contact.handle, _("Somebody else has dealt with these messages already."), False, 0, "")
    moment = (now - _EPOCH) // timedelta(microseconds=1)
    return Outcome(contact.handle, said, True, count, f"{contact.pk}:{moment}")


def _take_back(contact: Contact, mark: str, actor: User, now: datetime) -> Outcome:
    try:
        if mark == BLOCK:
            count = unblock_contact(contact_id=contact.pk, actor=actor, now=now)
            return Outcome(contact.handle, _("no longer blocked; what came waits again"), True, count, "")
        moment = number(mark) or 0
        # Microseconds until the year 9999.
        at = _EPOCH + timedelta(microseconds=min(moment, 253_402_300_799_000_000))
        count = take_back(contact_id=contact.pk, decided_at=at, actor=actor, now=now)
    except TrustError as error:
        return Outcome(contact.handle, error.sentence, False, 0, "")
    if not count:
        return Outcome(contact.handle, _("This cannot be taken back: the messages have been understood."), False, 0, "")
    said = ngettext("%(count)s message waits again.", "%(count)s messages wait again.", count) % {"count": count}
    return Outcome(contact.handle, said, True, count, "")
