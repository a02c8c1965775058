"""Delete reports whose time is over or whose sender asks; of a published one the public copy stays, and the counts.

A report without a public copy is deleted as a whole. One with a copy is emptied: its row keeps what counts are made of
(topic and version, way in, language, day, ratings), the copy keeps what is public, and both go when the copy is public
no more and the counts know it. So counting anew gives the same before and after.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db import connection, models, transaction
from django.db.models import BigIntegerField, Case, CharField, Exists, F, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Cast, Concat
from django.utils import timezone
from django.utils.translation import gettext as _

from commonbeat.foundation.text import clean_text, excerpt
from commonbeat.journal.actions import append_all
from commonbeat.journal.models import Entry
from commonbeat.media import actions as media
from commonbeat.people.models import User
from commonbeat.people.permissions import Permission, may
from commonbeat.reports import events, rules
from commonbeat.reports.errors import NotAllowed, ReportError
from commonbeat.reports.hold_models import LegalHold
from commonbeat.reports.models import (
    ImportBatch,
    ImportRow,
    Incident,
    PlaceSource,
    Publication,
    PublicationState,
    Report,
    ReportPhoto,
)
from commonbeat.topics.definition import FieldKind

# What stays with an emptied report; everything else that hangs on a report goes with what it said, later tables too.
STAYS = frozenset({Publication, ReportPhoto, ImportRow, LegalHold})


@dataclass(slots=True)
class Forgotten:
    """How many reports went, and of how many the public copy is left."""

    deleted: int = 0
    emptied: int = 0
    _released: str = ""
    _files: list[str] = field(default_factory=list)

    def delete_files(self) -> None:
        """Delete the pictures' files; called after the transaction, for a file cannot be rolled back."""
        media.delete_released(key=self._released)
        media.delete_files(tokens=self._files)


def forget_reports(
    *,
    report_ids: Collection[int],
    now: datetime,
    withdraw: bool = False,
    kind: str = events.PURGED,
    actor_id: int | None = None,
    in_transaction: bool = False,
) -> Forgotten:
    """Delete or empty some reports, those under a legal hold left out; withdraw=True also takes public copies back.

    in_transaction=True says that the caller has one open: the files of pictures then go when it is committed.
    """
    done = _forget(report_ids, now=now, withdraw=withdraw, kind=kind, actor_id=actor_id)
    if in_transaction:
        transaction.on_commit(done.delete_files)
    else:
        done.delete_files()
    return done


def _forget(
    report_ids: Collection[int], *, now: datetime, withdraw: bool, kind: str, actor_id: int | None
) -> Forgotten:
    with transaction.atomic():
        found = list(
            Report.objects.select_for_update(of=("self",))
            .filter(pk__in=report_ids, emptied_at=None, hold=None)
            .select_related("topic_version")
        )
        copies = {copy.report_id: copy for copy in Publication.objects.filter(report__in=found)}
        whole = [report.pk for report in found if report.pk not in copies]
        kept = [report for report in found if report.pk in copies]
        done = Forgotten(deleted=len(whole), emptied=len(kept))
        entries: list[tuple[str, int, dict[str, int | str | bool | None]]] = []
        _name_senders(list(copies))
        for copy in copies.values():
            if _settle_copy(copy, withdraw=withdraw):
                entries.append((events.WITHDRAWN, copy.report_id, {}))
        # Until the counts know it and the row can go, too, no desk waits for it.
        over = [copy.report_id for copy in copies.values() if copy.state != PublicationState.PUBLIC]
        Report.objects.filter(pk__in=over).update(state=rules.EXPIRED)
        incidents = {report.incident_id for report in found} - {None}
        _forget_pictures([report.pk for report in found], done)
        _empty(kept, now=now)
        Report.objects.filter(pk__in=whole).delete()
        _settle_incidents(incidents)
        entries += [(kind, report.pk, {}) for report in found]
        append_all(entries=entries, now=now, actor_id=actor_id)
    return done


def delete_emptied(*, report_ids: Collection[int], counted_up_to: int, counted_kinds: Collection[str]) -> int:
    """Delete emptied reports whose copy is public no more, as far as the counts have read the journal: up to an entry.

    counted_kinds are the kinds of entries that change a count.
    """
    with transaction.atomic():
        public = Publication.objects.filter(report=OuterRef("pk"), state=PublicationState.PUBLIC)
        found = Report.objects.filter(~Exists(public), pk__in=report_ids, emptied_at__isnull=False, hold=None)
        ids = set(found.select_for_update(of=("self",)).values_list("pk", flat=True))
        # What the counts have not looked at yet would stay counted for ever.
        unread = Entry.objects.filter(id__gt=counted_up_to, subject_id__in=ids, kind__in=counted_kinds)
        ids -= set(unread.values_list("subject_id", flat=True))
        done = Forgotten()
        _forget_pictures(list(ids), done)
        Report.objects.filter(pk__in=ids).delete()
    done.delete_files()
    return len(ids)


def leave_contacts(*, contact_ids: Collection[int] = (), report_id: int | None = None) -> int:
    """Take contacts off their reports, or off one; counts name the senders as before. Gives the number of reports."""
    with transaction.atomic():
        reports = Report.objects.filter(Q(contact_id__in=contact_ids) | Q(pk=report_id, contact__isnull=False))
        ids = list(reports.select_for_update(of=("self",)).values_list("pk", flat=True))
        for start in range(0, len(ids), 500):
            some = ids[start : start + 500]
            _name_senders(some)
            Report.objects.filter(pk__in=some).update(contact=None, contact_confirmed=False)
    return len(ids)


def withdraw_copy(*, report_id: int, now: datetime, actor_id: int | None) -> bool:
    """Take the public copy of a report back, which itself stays; False when there is none."""
    with transaction.atomic():
        copy = Publication.objects.select_for_update().filter(report_id=report_id).first()
        if copy is None or copy.state == PublicationState.WITHDRAWN:
            return False
        copy.state = PublicationState.WITHDRAWN
        copy.save(update_fields=["state"])
        copy.settle_photos()
        report = Report.objects.select_for_update(of=("self",)).get(pk=report_id)
        entries: list[tuple[str, int, dict[str, int | str | bool | None]]] = [(events.WITHDRAWN, report_id, {})]
        if report.state in rules.PUBLIC_STATES:
            # The desk goes on with it, unless nothing is left.
            to = rules.TRIAGED if report.emptied_at is None else rules.EXPIRED
            entries.append((events.MOVED, report_id, {"from": report.state, "to": to}))
            report.state, report.changed_at = to, now
            report.save(update_fields=["state", "changed_at"])
        append_all(entries=entries, now=now, actor_id=actor_id)
    return True


def place_hold(*, report_id: int, reason: str, until: date | None, actor: User, now: datetime) -> LegalHold:
    """Keep a report from being deleted up to a day, for a reason that its sender may be told to exist."""
    reason = clean_text(reason, 200)
    if not may(actor, Permission.ERASE):
        raise NotAllowed
    if not reason:
        raise ReportError(_("Say why the report must be kept, such as the number of the investigation."))
    today = timezone.localtime(now).date()
    if until is None or not today <= until <= today.replace(year=today.year + 5, day=min(today.day, 28)):
        raise ReportError(_("Choose the last day on which it must be kept, within five years."))
    with transaction.atomic():
        report = Report.objects.visible_to(actor).select_for_update(of=("self",)).filter(pk=report_id).first()
        if report is None:
            raise NotAllowed
        if report.emptied_at is not None:
            raise ReportError(_("Nothing is left of this report that could be kept."))
        told = {"reason": reason, "until": until, "placed_by": actor, "placed_at": now}
        hold, _is_new = LegalHold.objects.update_or_create(report=report, defaults=told)
        last = {"until": until.isoformat()}
        events.write(events.LEGAL_HOLD, report_id=report.pk, now=now, actor_id=actor.pk, data=last)
    return hold


def end_hold(*, report_id: int, now: datetime, actor: User | None) -> bool:
    """Lift a legal hold, and carry out a wish to be erased that waited for it; without an actor its day is over."""
    if actor is not None and not may(actor, Permission.ERASE):
        raise NotAllowed
    done = Forgotten()
    with transaction.atomic():
        hold = LegalHold.objects.select_for_update().filter(report_id=report_id).first()
        if hold is None:
            return False
        if actor is None and hold.until >= timezone.localtime(now).date():
            # Prolonged a moment ago.
            return False
        hold.delete()
        actor_id = actor.pk if actor is not None else None
        events.write(events.HOLD_ENDED, report_id=report_id, now=now, actor_id=actor_id)
        if hold.erase_then:
            done = _forget([report_id], now=now, withdraw=True, kind=events.ERASED, actor_id=actor_id)
    done.delete_files()
    return True


def erase_after_hold(*, report_ids: Collection[int]) -> int:
    """Note that some held reports are to be erased when their holds end."""
    return LegalHold.objects.filter(report_id__in=report_ids).update(erase_then=True)


def purge_import_rows(*, row_ids: Sequence[int], batch_ids: Sequence[int]) -> int:
    """Delete rows of files that were not taken, and imports of which nothing is left."""
    with transaction.atomic():
        ImportRow.objects.filter(pk__in=row_ids, report=None).delete()
        ImportBatch.objects.filter(pk__in=batch_ids, rows=None).delete()
    return len(row_ids) + len(batch_ids)


def tidy_search(*, begin: bool) -> bool:
    """Let the words of deleted reports go from SQLite's index, a little at a time; True while more is to be done.

    FTS5 only marks what is deleted; the words stay in its older parts until these are put together.
    """
    if connection.vendor != "sqlite":
        return False
    pages = -64 if begin else 64
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT total_changes()")
        before = cursor.fetchone()[0]
        cursor.execute("INSERT INTO reports_search(reports_search, rank) VALUES ('merge', %s)", [pages])
        cursor.execute("SELECT total_changes()")
        return bool(cursor.fetchone()[0] - before >= 2)


def _name_senders(report_ids: Collection[int]) -> None:
    # As queries/counting.py names them, so that they stay the same people for the counts.
    sender = Case(
        When(contact_confirmed=True, contact__isnull=False, then=F("contact_id")),
        default=-F("reporter_id"),
        output_field=BigIntegerField(),
    )
    named = Report.objects.filter(pk=OuterRef("report_id")).annotate(_sender=sender).values("_sender")
    Publication.objects.filter(report_id__in=report_ids, counted_sender=None).update(counted_sender=Subquery(named))


def _settle_copy(copy: Publication, *, withdraw: bool) -> bool:
    """Keep of a copy what is public; True when it has just been taken off the public pages or counts."""
    was_public = copy.state == PublicationState.PUBLIC
    if was_public and not withdraw and copy.lists_each:
        return False
    if withdraw or not was_public:
        copy.state = PublicationState.WITHDRAWN
    # Nobody may read it, or it only counts: what it says goes, where and when it counts stays.
    copy.title, copy.text, copy.place_name, copy.occurred_on, copy.held_for = "", "", "", None, []
    copy.save(update_fields=["state", "title", "text", "place_name", "occurred_on", "held_for"])
    copy.settle_photos()
    copy.photos.clear()
    return was_public and withdraw


def _forget_pictures(report_ids: Sequence[int], done: Forgotten) -> None:
    held = ReportPhoto.objects.filter(report_id__in=report_ids)
    if not held.exists():
        return
    shown = set(
        Publication.photos.through.objects.filter(
            publication__report_id__in=report_ids,
            publication__state=PublicationState.PUBLIC,
            publication__lists_each=True,
        ).values_list("photo_id", flat=True)
    )
    gone = held.exclude(photo_id__in=shown)
    ids = list(gone.values_list("photo_id", flat=True))
    done._released = media.release_photos(photo_ids=ids) if ids else ""
    gone.delete()
    done._files = media.forget_originals(photo_ids=shown)


def _empty(reports: Sequence[Report], *, now: datetime) -> None:
    ids = [report.pk for report in reports]
    if not ids:
        return
    for relation in Report._meta.related_objects:
        model = relation.related_model
        assert not isinstance(model, str)
        if model not in STAYS and getattr(relation, "on_delete", None) is models.CASCADE:
            model._default_manager.filter(**{f"{relation.field.name}__in": ids}).delete()
    Report.objects.filter(pk__in=ids).update(
        client_key=Concat(Value("gone:"), Cast("pk", CharField())),
        title="", text="", translated_words="", state_reason="", place_name="",
        answers={}, categories=[],
        contact=None, contact_confirmed=False, reporter=None,
        occurred_at=None, place_source=PlaceSource.NONE, latitude=None, longitude=None, cell=None, beat=None,
        claimed_by=None, claimed_until=None, incident=None, answer_waiting=False, expires_at=None,
        emptied_at=now,
    )  # fmt: skip
    # Scores are made of ratings, 0 to 3, and of nothing else that was answered.
    for report in reports:
        rated = {one.code for one in report.topic_version.definition.fields if one.kind is FieldKind.RATING}
        ratings = {code: value for code, value in report.answers.items() if code in rated and isinstance(value, int)}
        if ratings:
            Report.objects.filter(pk=report.pk).update(answers=ratings)


def _settle_incidents(incident_ids: Collection[int | None]) -> None:
    for incident in Incident.objects.filter(pk__in=incident_ids):
        left = incident.reports.select_related("topic").order_by("pk").first()
        if left is None:
            incident.delete()
        else:
            # Its title may have been the words of the report that is gone.
            incident.title = left.title or excerpt(left.text, 120) or left.topic.code
            incident.save(update_fields=["title"])
