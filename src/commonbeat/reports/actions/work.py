"""Work on a report at the desk: claim, move, verify, note."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from commonbeat.foundation.text import clean_text
from commonbeat.journal import actions as journal
from commonbeat.people.models import User
from commonbeat.people.permissions import Permission, may
from commonbeat.reports import events, rules
from commonbeat.reports.errors import ClaimedByOther, MoveNotPossible, NotAllowed, ReportError
from commonbeat.reports.models import Message, MessageKind, Publication, Report, Verification
from commonbeat.reports.proxy_models import Consent, OnBehalf


def report_for_work(*, report_id: int, actor: User, even_emptied: bool = False) -> Report:
    """Lock a report that the actor may work on; NotAllowed when it is not theirs, ReportError when it is gone."""
    if not may(actor, Permission.WORK_REPORTS):
        raise NotAllowed
    report = Report.objects.visible_to(actor).select_for_update().filter(pk=report_id).first()
    if report is None:
        raise NotAllowed
    if report.emptied_at is not None and not even_emptied:
        raise ReportError(_("Only the public copy of this report is left. It can be taken off the public pages."))
    return report


def claim_report(*, report_id: int, actor: User, now: datetime) -> Report:
    """Take a report for a while; ClaimedByOther while somebody else holds it."""
    with transaction.atomic():
        report = report_for_work(report_id=report_id, actor=actor)
        refuse_when_claimed(report, actor, now)
        renewed = report.claimed_by_id == actor.pk
        report.claimed_by = actor
        report.claimed_until = now + timedelta(minutes=settings.COMMONBEAT.claim_minutes)
        report.save(update_fields=["claimed_by", "claimed_until"])
        if not renewed:
            events.write(events.CLAIMED, report_id=report.pk, now=now, actor_id=actor.pk)
    return report


def release_claim(*, report_id: int, actor: User, now: datetime) -> Report:
    """Give a claimed report back; a supervisor may free anybody's."""
    with transaction.atomic():
        report = report_for_work(report_id=report_id, actor=actor)
        if report.claimed_by_id != actor.pk and not may(actor, Permission.SEE_ALL_DESKS):
            refuse_when_claimed(report, actor, now)
        if report.claimed_by_id is None:
            return report
        report.claimed_by = None
        report.claimed_until = None
        report.save(update_fields=["claimed_by", "claimed_until"])
        events.write(events.UNCLAIMED, report_id=report.pk, now=now, actor_id=actor.pk)
    return report


def move_report(
    *, report_id: int, to_state: str, actor: User, now: datetime, reason: str = "", is_spam: bool = False
) -> Report:
    """Move a report along the table of transitions; publishing has an action of its own.

    is_spam says of one that is not taken up that it is no report at all, which costs its sender trust.
    """
    reason = clean_text(reason, 300)
    if to_state == rules.PUBLISHED:
        raise MoveNotPossible
    if to_state in rules.NEEDS_REASON and not reason:
        raise ReportError(_("Say in a few words why, so that the reporter can be told."))
    with transaction.atomic():
        report = report_for_work(report_id=report_id, actor=actor, even_emptied=True)
        refuse_when_claimed(report, actor, now)
        is_spam = is_spam and to_state == rules.REJECTED
        move_locked(report, to_state, now=now, actor_id=actor.pk, reason=reason, is_spam=is_spam)
    return report


def move_locked(
    report: Report,
    to_state: str,
    *,
    now: datetime,
    actor_id: int | None,
    reason: str = "",
    acknowledged: bool = False,
    is_spam: bool = False,
) -> None:
    """Move a report that the caller has locked, and keep its public copy in step.

    acknowledged=True says that the reporter has just been told; is_spam that it was no report at all.
    """
    if not rules.may_move(report.state, to_state):
        raise MoveNotPossible
    before = report.state
    report.state = to_state
    report.state_reason = reason
    report.changed_at = now
    report.save(update_fields=["state", "state_reason", "changed_at"])
    publication = Publication.objects.filter(report=report).first()
    if publication is not None:
        if to_state not in rules.PUBLIC_STATES and publication.state != "withdrawn":
            publication.state = "withdrawn"
            publication.save(update_fields=["state"])
            publication.settle_photos()
            events.write(events.WITHDRAWN, report_id=report.pk, now=now, actor_id=actor_id)
        elif to_state in rules.PUBLIC_STATES:
            publication.is_resolved = to_state == rules.RESOLVED
            publication.save(update_fields=["is_resolved"])
    data = {"from": before, "to": to_state} | ({"acknowledged": True} if acknowledged else {})
    data |= {"spam": True} if is_spam else {}
    events.write(events.MOVED, report_id=report.pk, now=now, actor_id=actor_id, data=data)


def verify_report(
    *, report_id: int, evidence: str, independent_sources: int, actor: User, now: datetime
) -> Verification:
    """Mark a report as verified, with the evidence and the number of independent sources."""
    evidence = clean_text(evidence, 2_000)
    if not evidence:
        raise ReportError(_("Say what the evidence is."))
    if not 1 <= independent_sources <= 999:
        raise ReportError(_("Say how many independent sources there are: at least one."))
    with transaction.atomic():
        report = report_for_work(report_id=report_id, actor=actor)
        refuse_when_claimed(report, actor, now)
        verification = Verification.objects.create(
            report=report, by=actor, at=now, evidence=evidence, independent_sources=independent_sources
        )
        _set_verified(report, at=now, sources=independent_sources)
        events.write(
            events.VERIFIED, report_id=report.pk, now=now, actor_id=actor.pk, data={"sources": independent_sources}
        )
    return verification


def withdraw_verification(*, report_id: int, actor: User, now: datetime) -> Report:
    """Take the mark "verified" back."""
    with transaction.atomic():
        report = report_for_work(report_id=report_id, actor=actor)
        refuse_when_claimed(report, actor, now)
        if report.verified_at is None:
            raise MoveNotPossible
        report.verifications.filter(withdrawn_at=None).update(withdrawn_at=now)
        _set_verified(report, at=None, sources=0)
        events.write(events.UNVERIFIED, report_id=report.pk, now=now, actor_id=actor.pk)
    return report


def add_note(*, report_id: int, text: str, actor: User, now: datetime) -> Message:
    """Add a note that only the desk sees."""
    text = clean_text(text, 4_000)
    if not text:
        raise ReportError(_("The note is empty."))
    with transaction.atomic():
        report = report_for_work(report_id=report_id, actor=actor)
        message = Message.objects.create(report=report, kind=MessageKind.NOTE, text=text, author=actor, created_at=now)
        events.write(events.NOTED, report_id=report.pk, now=now, actor_id=actor.pk, data={"message": message.pk})
    return message


def note_look(*, report_id: int, actor: User, now: datetime) -> None:
    """Journal that a person saw a report, its pictures or its exact place, at most once an hour each."""
    journal.note_look(kind=events.LOOKED, subject_id=report_id, actor_id=actor.pk, now=now)


def note_map_look(*, actor: User, now: datetime) -> None:
    """Journal that a person saw the exact map of a desk (subject 0: of all desks), at most once an hour each."""
    sees_all = may(actor, Permission.SEE_ALL_DESKS)
    unit_id = 0 if sees_all else actor.unit_id or 0
    journal.note_look(kind=events.MAP_LOOKED, subject_id=unit_id, actor_id=actor.pk, now=now)


def expire_reports(*, now: datetime, limit: int = 200) -> int:
    """Close what its topic's time has run out for."""
    due = Report.objects.filter(expires_at__lte=now, state__in=rules.OPEN_STATES).values_list("pk", flat=True)
    count = 0
    for report_id in list(due[:limit]):
        with transaction.atomic():
            report = Report.objects.select_for_update().get(pk=report_id)
            if rules.may_move(report.state, rules.EXPIRED):
                move_locked(report, rules.EXPIRED, now=now, actor_id=None)
                count += 1
    return count


def _set_verified(report: Report, *, at: datetime | None, sources: int) -> None:
    report.verified_at = at
    report.independent_sources = sources
    report.save(update_fields=["verified_at", "independent_sources"])
    Publication.objects.filter(report=report).update(is_verified=at is not None, independent_sources=sources)


def refuse_when_claimed(report: Report, actor: User, now: datetime) -> None:
    """Raise ClaimedByOther while somebody else holds the report."""
    if report.is_claimed_by_other(actor, now):
        assert report.claimed_by is not None
        raise ClaimedByOther(report.claimed_by.shown_name)


def refuse_without_consent(report: Report) -> None:
    """Raise ReportError while it is not known that the person for whom a report was made agreed."""
    consent = OnBehalf.objects.filter(report=report).values_list("consent", flat=True).first()
    if consent == Consent.ASKED:
        raise ReportError(_("It was made for somebody else, and nobody has said yet that this person agreed."))
    if consent == Consent.REFUSED:
        raise ReportError(_("The person did not agree, and what was written is erased."))
