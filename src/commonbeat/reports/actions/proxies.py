"""Enrol those who report for others, and record what the people agreed to for whom they report."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from commonbeat.foundation.ids import new_token
from commonbeat.foundation.text import clean_text
from commonbeat.journal.actions import append
from commonbeat.media.models import Photo
from commonbeat.messaging.actions import AddressError, contact_for, set_language
from commonbeat.messaging.models import Contact, ContactKind
from commonbeat.people.models import Unit, User
from commonbeat.people.permissions import Permission, may
from commonbeat.reports import events, rules
from commonbeat.reports.actions.incidents import incident_title
from commonbeat.reports.actions.work import move_locked, report_for_work
from commonbeat.reports.errors import NotAllowed, ReportError
from commonbeat.reports.hold_models import LegalHold
from commonbeat.reports.models import Message, MessageKind, PlaceSource, Publication, Report
from commonbeat.reports.proxy_models import NO_CONSENT, Consent, OnBehalf, Proxy, SaidBy

ROLE_LIMIT, COMMUNITY_LIMIT, REASON_LIMIT = 60, 120, 4_000
# What the desk may record; "no" and "yes" alike, for it may have spoken with the person.
DESK_CONSENTS = (Consent.WORD, Consent.WRITING, Consent.GUARDIAN, Consent.DANGER, Consent.REFUSED)


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A proxy as a supervisor types it: a telephone number, or the handle of a contact that is known."""

    who: str
    role: str
    community: str
    unit_id: int
    language: str = ""
    until: date | None = None


# ------------------------------------------------------------------ who reports for others


def enrol_proxy(*, row: Enrolment, actor: User | None, now: datetime) -> Proxy:
    """Enrol a proxy, or change one; a new one counts once its owner has said YES, for which a reaction asks.

    Without an actor (the demo) nobody's permission is asked for.
    """
    if actor is not None and not may(actor, Permission.ENROL):
        raise NotAllowed
    role, community = clean_text(row.role, ROLE_LIMIT), clean_text(row.community, COMMUNITY_LIMIT)
    if not role:
        raise ReportError(_("Say what the person is: liaison, elder, teacher …"))
    if not community:
        raise ReportError(_("Name the village or quarter for which the person reports."))
    if row.until is not None and row.until < timezone.localtime(now).date():
        raise ReportError(_("This day is over. Choose a later one, or none."))
    if not Unit.objects.filter(pk=row.unit_id).exists():
        raise ReportError(_("Choose the unit whose proxy it is."))
    with transaction.atomic():
        contact = _contact(row, now)
        if contact.stopped_at is not None:
            raise ReportError(_("This person wants no messages (STOP). They have to text START first."))
        if contact.blocked_at is not None:
            raise ReportError(_("This sender is blocked. Unblock them first."))
        proxy = Proxy.objects.select_for_update().filter(contact=contact).first()
        is_known = proxy is not None and proxy.ended_at is None
        proxy = proxy or Proxy(contact=contact)
        proxy.role, proxy.community, proxy.unit_id, proxy.until = role, community, row.unit_id, row.until
        if not is_known:
            # Whoever ended it is asked anew.
            proxy.accepted_at, proxy.ended_at = None, None
            proxy.enrolled_at, proxy.enrolled_by = now, actor
        proxy.save()
        append(
            kind=events.PROXY_ENROLLED,
            subject_id=proxy.pk,
            now=now,
            actor_id=actor.pk if actor else None,
            data={"contact": contact.pk, "unit": row.unit_id, "new": not is_known},
        )
    return proxy


def ask_proxy_again(*, proxy_id: int, actor: User, now: datetime) -> None:
    """Ask somebody once more who has not said YES; the reaction keeps to its limit."""
    if not may(actor, Permission.ENROL):
        raise NotAllowed
    with transaction.atomic():
        proxy = Proxy.objects.visible_to(actor).select_for_update(of=("self",)).filter(pk=proxy_id).first()
        if proxy is None or proxy.accepted_at is not None or proxy.ended_at is not None:
            raise ReportError(_("This proxy has answered already, or has ended."))
        proxy.enrolled_at = now
        proxy.save(update_fields=["enrolled_at"])
        append(
            kind=events.PROXY_ENROLLED,
            subject_id=proxy.pk,
            now=now,
            actor_id=actor.pk,
            data={"contact": proxy.contact_id, "unit": proxy.unit_id, "new": True},
        )


def accept_proxy(*, proxy_id: int, now: datetime) -> None:
    """Count a proxy from now on: the owner of the number has said YES."""
    with transaction.atomic():
        if Proxy.objects.filter(pk=proxy_id, accepted_at=None, ended_at=None).update(accepted_at=now):
            append(kind=events.PROXY_ACCEPTED, subject_id=proxy_id, now=now)


def end_proxy(*, proxy_id: int, actor: User | None, now: datetime) -> None:
    """End a proxy; without an actor it was the proxy's own word. What was reported stays."""
    if actor is not None and not may(actor, Permission.ENROL):
        raise NotAllowed
    with transaction.atomic():
        found = Proxy.objects.all() if actor is None else Proxy.objects.visible_to(actor)
        proxy = found.select_for_update(of=("self",)).filter(pk=proxy_id, ended_at=None).first()
        if proxy is None:
            return
        proxy.ended_at = now
        proxy.save(update_fields=["ended_at"])
        append(
            kind=events.PROXY_ENDED,
            subject_id=proxy.pk,
            now=now,
            actor_id=actor.pk if actor else None,
            data={"contact": proxy.contact_id, "own": actor is None},
        )


def _contact(row: Enrolment, now: datetime) -> Contact:
    who = clean_text(row.who, 80)
    contact = Contact.objects.filter(handle__iexact=who).first() if who else None
    if contact is None:
        try:
            contact = contact_for(kind=ContactKind.PHONE, address=who, now=now)
        except AddressError:
            raise ReportError(
                _("This is neither a telephone number nor a name of a contact, such as Heron 4K7.")
            ) from None
    # What somebody has chosen by text stays.
    if row.language and not contact.language:
        set_language(contact=contact, language=row.language)
    return contact


# ------------------------------------------------------------------ consent


def put_on_behalf(*, report_id: int, contact_id: int, now: datetime) -> OnBehalf | None:
    """Mark a report as made for somebody else by its sender, an active proxy, whose consent is asked for now.

    Gives None where the sender is none, or the report is not theirs: a stranger's claim changes nothing.
    """
    with transaction.atomic():
        proxy = Proxy.objects.active(timezone.localtime(now).date()).filter(contact_id=contact_id).first()
        report = Report.objects.select_for_update().filter(pk=report_id, contact_id=contact_id).first()
        if proxy is None or report is None or not report.contact_confirmed:
            return None
        if Publication.objects.filter(report=report).exists():
            # What is public was made in the sender's own name.
            return None
        behalf, is_new = OnBehalf.objects.get_or_create(
            report=report, defaults={"proxy": proxy, "said_by": SaidBy.PROXY, "asked_at": now}
        )
        if is_new:
            _journal(behalf, now=now)
    return behalf


def record_said_consent(*, report_id: int, consent: str, now: datetime) -> None:
    """Record what the unknown sender of the web form says of the person's consent, once.

    The form refuses a "no"; from a phone that was offline it comes all the same, and nothing of the report is kept.
    """
    if consent not in Consent.values or consent == Consent.ASKED:
        return
    with transaction.atomic():
        report = Report.objects.select_for_update().get(pk=report_id)
        told = {"consent": consent, "said_by": SaidBy.SENDER, "asked_at": now, "recorded_at": now}
        behalf, is_new = OnBehalf.objects.get_or_create(report=report, defaults=told)
        if is_new:
            _journal(behalf, now=now)
        if is_new and consent == Consent.REFUSED:
            _withdraw(report, actor_id=None, now=now)


def record_consent(*, report_id: int, consent: str, contact_id: int, now: datetime) -> OnBehalf | None:
    """Record a proxy's answer about one of their own reports; a "no" withdraws the report.

    The first answer counts. Gives None where there is nothing to answer.
    """
    if consent not in Consent.values or consent == Consent.ASKED:
        return None
    with transaction.atomic():
        report = Report.objects.select_for_update().filter(pk=report_id).first()
        behalf = OnBehalf.objects.filter(
            report_id=report_id, proxy__contact_id=contact_id, consent=Consent.ASKED
        ).first()
        if report is None or behalf is None:
            return None
        _record(behalf, report, consent, by=None, now=now)
    return behalf


def record_consent_at_desk(*, report_id: int, consent: str, actor: User, now: datetime) -> OnBehalf:
    """Record what the desk has learned of the person's consent; a "no" withdraws the report."""
    if consent not in DESK_CONSENTS:
        raise ReportError(_("Choose what the person has said."))
    with transaction.atomic():
        report = report_for_work(report_id=report_id, actor=actor)
        behalf = OnBehalf.objects.filter(report=report).first()
        if behalf is None:
            raise ReportError(_("This report was not made for somebody else."))
        if behalf.consent == Consent.REFUSED:
            raise ReportError(_("The person did not agree, and what was written is erased."))
        behalf.said_by = SaidBy.DESK
        _record(behalf, report, consent, by=actor, now=now)
    return behalf


def say_why_not_asked(*, report_id: int, text: str, contact_id: int, now: datetime) -> bool:
    """Keep why a person could not be asked, as a note that only the desk reads; the first reason counts."""
    text = clean_text(text, REASON_LIMIT)
    with transaction.atomic():
        mine = OnBehalf.objects.filter(report_id=report_id, proxy__contact_id=contact_id, consent=Consent.DANGER)
        behalf = mine.select_for_update(of=("self",)).filter(reason=None).first()
        if behalf is None or not text:
            return False
        # Not an answer: whoever holds the reference reads those, and it is handed on.
        behalf.reason = Message.objects.create(report_id=report_id, kind=MessageKind.NOTE, text=text, created_at=now)
        behalf.save(update_fields=["reason"])
        events.write(events.NOTED, report_id=report_id, now=now, data={"message": behalf.reason.pk})
    return True


def _record(behalf: OnBehalf, report: Report, consent: str, *, by: User | None, now: datetime) -> None:
    behalf.consent, behalf.recorded_at, behalf.recorded_by = consent, now, by
    behalf.save()
    _journal(behalf, now=now, actor_id=by.pk if by else None)
    if consent == Consent.REFUSED:
        _withdraw(report, actor_id=by.pk if by else None, now=now)


def _withdraw(report: Report, *, actor_id: int | None, now: datetime) -> None:
    """Close a report to which the person did not agree, and erase what was written about them."""
    # There is one only where the desk records the "no" later. Where and when it counted stays until the counts know.
    Publication.objects.filter(report=report).update(title="", text="", place_name="")
    if rules.may_move(report.state, rules.TRIAGED) and report.state in rules.PUBLIC_STATES:
        move_locked(report, rules.TRIAGED, now=now, actor_id=actor_id)
    if rules.may_move(report.state, rules.REJECTED):
        # Whoever answered "no" has just been told.
        is_told = actor_id is None
        move_locked(report, rules.REJECTED, now=now, actor_id=actor_id, reason=NO_CONSENT, acknowledged=is_told)
    if LegalHold.objects.filter(report=report).update(erase_then=True):
        return
    if report.incident is not None and report.incident.title == incident_title(report):
        report.incident.title = report.topic.code
        report.incident.save(update_fields=["title"])
    report.messages.exclude(kind=MessageKind.QUESTION).delete()
    report.corrections.all().delete()
    report.translations.all().delete()
    for photo in Photo.objects.filter(pk__in=report.report_photos.values("photo_id")):
        # A draft that no report took up: purge_drafts deletes its files.
        photo.draft_key, photo.is_public = new_token(), False
        photo.save(update_fields=["draft_key", "is_public"])
    report.report_photos.all().delete()
    report.title = report.text = report.translated_words = report.place_name = ""
    report.answers, report.categories = {}, []
    report.place_source, report.latitude, report.longitude, report.cell = PlaceSource.NONE, None, None, None
    report.beat, report.occurred_at, report.answer_waiting, report.changed_at = None, None, False, now
    report.save()


def _journal(behalf: OnBehalf, *, now: datetime, actor_id: int | None = None) -> None:
    data = {"consent": str(behalf.consent), "by": str(behalf.said_by), "proxy": behalf.proxy_id}
    events.write(events.CONSENT, report_id=behalf.report_id, now=now, actor_id=actor_id, data=data)
