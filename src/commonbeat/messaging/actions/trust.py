"""What staff decide about a contact and its held messages, and what reports earn it: with a journal entry each."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Sum

from commonbeat.foundation.text import clean_text
from commonbeat.journal.actions import append, note_look
from commonbeat.messaging import events
from commonbeat.messaging.models import Contact, Inbound, InboundState, Outbound, OutboundState, TrustMark
from commonbeat.messaging.trust import LEVELS, WEIGHTS
from commonbeat.people.models import User
from commonbeat.people.permissions import Permission, may

REASON_LIMIT = 300


class TrustError(Exception):
    """This was not done; the sentence, for staff, says why."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def weigh_report(*, contact_id: int, report_id: int, kinds: Collection[str], now: datetime) -> bool:
    """Let the marks of a report be those that it deserves as it stands; False when nothing changed.

    Safe to repeat: each mark is there once, and is taken back or given again as the report is undone or redone.
    """
    with transaction.atomic():
        contact = Contact.objects.select_for_update().filter(pk=contact_id).first()
        if contact is None:
            return False
        marks = {mark.kind: mark for mark in TrustMark.objects.filter(contact=contact, report_id=report_id)}
        has_changed = False
        for kind, points in WEIGHTS.items():
            mark, deserved = marks.get(kind), kind in kinds
            if mark is None and deserved:
                TrustMark.objects.create(contact=contact, report_id=report_id, kind=kind, points=points, made_at=now)
            elif mark is not None and deserved != (mark.withdrawn_at is None):
                mark.withdrawn_at = None if deserved else now
                mark.save(update_fields=["withdrawn_at"])
            else:
                continue
            has_changed = True
        if not has_changed:
            return False
        # Summed up anew, so that no slip of the past stays in it.
        standing = TrustMark.objects.filter(contact=contact, withdrawn_at=None).aggregate(points=Sum("points"))
        contact.trust_points = standing["points"] or 0
        contact.save(update_fields=["trust_points"])
        data = {"report": report_id, "points": contact.trust_points}
        append(kind=events.TRUST_WEIGHED, subject_id=contact.pk, now=now, data=data)
    return True


def set_level(*, contact_id: int, level: str, reason: str, actor: User, now: datetime) -> Contact:
    """Set the level of a contact by hand, or leave it to its reports again (an empty level); raise TrustError."""
    reason = clean_text(reason, REASON_LIMIT)
    if level and level not in LEVELS:
        raise TrustError("Choose one of the levels.")
    if not reason:
        raise TrustError("Say in a few words why, for your colleagues.")
    with transaction.atomic():
        contact = _locked(contact_id, actor)
        was = contact.trust_set
        contact.trust_set, contact.trust_reason = level, reason
        contact.save(update_fields=["trust_set", "trust_reason"])
        data = {"level": level or "earned", "level_before": was or "earned"}
        append(kind=events.TRUST_SET, subject_id=contact.pk, actor_id=actor.pk, now=now, data=data)
    return contact


def block_contact(*, contact_id: int, reason: str, actor: User, now: datetime) -> int:
    """Neither hear nor answer a contact any more, STOP excepted; give the number of held messages put aside with it.

    Raise TrustError where there is no reason, or where it is blocked already.
    """
    reason = clean_text(reason, REASON_LIMIT)
    if not reason:
        raise TrustError("Say in a few words why, for your colleagues.")
    with transaction.atomic():
        contact = _locked(contact_id, actor)
        if contact.blocked_at is not None:
            raise TrustError("This sender is blocked already.")
        contact.blocked_at, contact.blocked_reason = now, reason
        contact.save(update_fields=["blocked_at", "blocked_reason"])
        Outbound.objects.filter(contact=contact, state=OutboundState.QUEUED).update(
            state=OutboundState.EXPIRED, error="blocked"
        )
        held = Inbound.objects.filter(contact=contact, state=InboundState.HELD)
        count = held.update(state=InboundState.BLOCKED)
        append(kind=events.BLOCKED, subject_id=contact.pk, actor_id=actor.pk, now=now, data={"messages": count})
    return count


def unblock_contact(*, contact_id: int, actor: User, now: datetime) -> int:
    """Hear a contact again; what came meanwhile and is still kept goes to the quarantine desk. Give its number."""
    with transaction.atomic():
        contact = _locked(contact_id, actor)
        if contact.blocked_at is None:
            raise TrustError("This sender is not blocked.")
        contact.blocked_at, contact.blocked_reason = None, ""
        contact.save(update_fields=["blocked_at", "blocked_reason"])
        kept = Inbound.objects.filter(contact=contact, state=InboundState.BLOCKED).exclude(body_sealed=b"")
        count = kept.update(state=InboundState.HELD)
        append(kind=events.UNBLOCKED, subject_id=contact.pk, actor_id=actor.pk, now=now, data={"messages": count})
    return count


def let_in(*, contact_id: int, actor: User, now: datetime, ids: Sequence[int] | None = None) -> int:
    """Let held messages of a contact be understood, in their order: all, or those named. Give their number."""
    with transaction.atomic():
        contact = _locked(contact_id, actor)
        if contact.blocked_at is not None:
            raise TrustError("This sender is blocked. Unblock the sender first.")
        return _decide(contact, InboundState.NEW, events.LET_IN, ids, actor, now)


def discard(*, contact_id: int, actor: User, now: datetime, ids: Sequence[int] | None = None) -> int:
    """Put held messages of a contact away unread by the dialogue: all, or those named. Give their number."""
    with transaction.atomic():
        return _decide(_locked(contact_id, actor), InboundState.DISCARDED, events.DISCARDED, ids, actor, now)


def take_back(*, contact_id: int, decided_at: datetime, actor: User, now: datetime) -> int:
    """Hold again what was discarded, or let in and not understood yet, at one moment. Give its number."""
    with transaction.atomic():
        contact = _locked(contact_id, actor)
        decided = Inbound.objects.filter(
            contact=contact, decided_at=decided_at, state__in=[InboundState.DISCARDED, InboundState.NEW]
        ).exclude(body_sealed=b"")
        count = decided.update(state=InboundState.HELD, decided_at=None, due_at=None, attempts=0)
        if count:
            data = {"messages": count}
            append(kind=events.TAKEN_BACK, subject_id=contact.pk, actor_id=actor.pk, now=now, data=data)
    return count


def note_contact_look(*, contact_id: int, actor: User, now: datetime) -> None:
    """Journal that a person opened the page of a contact, at most once an hour each."""
    note_look(kind=events.CONTACT_LOOKED, subject_id=contact_id, actor_id=actor.pk, now=now)


def note_quarantine_look(*, actor: User, now: datetime) -> None:
    """Journal that a person read held messages (subject 0: of all units), at most once an hour each."""
    sees_all = may(actor, Permission.SEE_ALL_DESKS)
    unit_id = 0 if sees_all else actor.unit_id or 0
    note_look(kind=events.QUARANTINE_LOOKED, subject_id=unit_id, actor_id=actor.pk, now=now)


def _locked(contact_id: int, actor: User) -> Contact:
    # Whose contact it is, only reports know: reports.queries.contacts is asked before this.
    contact = Contact.objects.select_for_update().filter(pk=contact_id).first()
    if contact is None or not may(actor, Permission.WORK_REPORTS):
        raise TrustError("Your account may not do this.")
    return contact


def _decide(
    contact: Contact, state: InboundState, kind: str, ids: Sequence[int] | None, actor: User, now: datetime
) -> int:
    held = Inbound.objects.filter(contact=contact, state=InboundState.HELD)
    if ids is not None:
        held = held.filter(pk__in=ids)
    if state == InboundState.NEW:
        # What is no longer kept can be discarded only.
        held = held.exclude(body_sealed=b"")
    count = held.update(state=state, decided_at=now, due_at=None, attempts=0)
    if count:
        append(kind=kind, subject_id=contact.pk, actor_id=actor.pk, now=now, data={"messages": count})
    return count
