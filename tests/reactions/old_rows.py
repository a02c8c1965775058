"""One old row of every table from which something is deleted; each maker gives the number of a row that must go."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from commonbeat.alerts.models import (
    Alert,
    AlertState,
    AlertText,
    Cast,
    FanOut,
    Partner,
    PartnerCall,
    Sighting,
    Subscription,
)
from commonbeat.foundation.ids import new_token, random_key
from commonbeat.intake.models import Session
from commonbeat.journal.models import Checkpoint
from commonbeat.maps.models import Change, Counted, Rated, Waiting
from commonbeat.messaging.actions.retention import ask_erasure
from commonbeat.messaging.models import Broadcast, Contact, Inbound, Outbound, Part, TrustMark
from commonbeat.people.actions import deactivate
from commonbeat.people.models import Invitation, Role
from commonbeat.places.models import HeardSpelling
from commonbeat.reactions.auditing import rate_batch
from commonbeat.reactions.counting import count_batch
from commonbeat.reports import events
from commonbeat.reports.models import (
    Correction,
    ExpectedReporter,
    ImportBatch,
    ImportRow,
    Incident,
    LegalHold,
    Message,
    OnBehalf,
    Proxy,
    Publication,
    PublicationState,
    Report,
    ReportPhoto,
    Translation,
    TranslationTurn,
    Verification,
)
from commonbeat.tips.models import Complaint, FileState, Pending, Tip, TipDesk, TipFile, TipKey, TipState, TipText
from commonbeat.topics.definition import Field, FieldKind
from tests import make
from tests.make import NOW

OLD = NOW - timedelta(days=3 * 365)
Maker = Callable[[], Any]


def old_report(**more: Any) -> Report:
    """Make a report that was closed three years ago."""
    state = more.pop("state", "resolved")
    report = make.make_report(now=OLD, **more)
    Report.objects.filter(pk=report.pk).update(state=state, changed_at=OLD)
    report.refresh_from_db()
    return report


def published(**more: Any) -> Publication:
    """Make a report that was published three years ago, as the journal tells it."""
    copy = make.make_publication(report=old_report(**more), now=OLD)
    events.write(events.PUBLISHED, report_id=copy.report_id, now=OLD)
    return copy


def taken_back(copy: Publication) -> None:
    """Take a public copy back, as the journal tells it."""
    Publication.objects.filter(pk=copy.pk).update(state=PublicationState.WITHDRAWN)
    events.write(events.WITHDRAWN, report_id=copy.report_id, now=OLD)


def old_contact() -> Contact:
    """Make a contact that has not been heard of for three years."""
    return make.make_contact(now=OLD)


def outbound(**more: Any) -> Outbound:
    """Make a message that was sent three years ago."""
    fields: dict[str, Any] = {
        "idempotency_key": f"old:{Outbound.objects.count()}", "contact": old_contact(), "channel": "demo_sms",
        "body_sealed": b"sealed", "state": "delivered", "due_at": OLD, "expires_at": OLD, "created_at": OLD, **more,
    }  # fmt: skip
    return Outbound.objects.create(**fields)


def broadcast() -> Broadcast:
    """Make a text for many of three years ago."""
    key = f"old:{Broadcast.objects.count()}"
    return Broadcast.objects.create(key=key, body_sealed=b"sealed", created_at=OLD, expires_at=OLD)


def alert(state: str = AlertState.DISCARDED) -> Alert:
    """Make an alert of three years ago."""
    return Alert.objects.create(
        identifier=f"old-{Alert.objects.count()}", kind="water", urgency="Expected", severity="Minor",
        certainty="Likely", expires_at=OLD, area={}, south=0, west=0, north=1, east=1, state=state, created_at=OLD,
        changed_at=OLD,
    )  # fmt: skip


def _withdrawn() -> Publication:
    copy = published()
    taken_back(copy)
    return copy


def _counted() -> int:
    copy = published()
    count_batch(NOW)
    assert Counted.objects.filter(pk=copy.pk).exists()
    taken_back(copy)
    return copy.pk


def _waiting() -> int:
    copy = published()
    Publication.objects.filter(pk=copy.pk).update(public_at=NOW + timedelta(days=2))
    count_batch(NOW)
    assert Waiting.objects.filter(pk=copy.pk).exists()
    taken_back(copy)
    return copy.pk


def _rated() -> int:
    rating = Field(code="dark", kind=FieldKind.RATING, label={"en": "Dark"}, weight=1.0)
    topic = make.make_topic("old-audit", categories=[], fields=[rating])
    copy = published(topic=topic, answers={"dark": 2})
    rate_batch(NOW)
    assert Rated.objects.filter(pk=copy.pk).exists()
    taken_back(copy)
    return copy.pk


def _invitation() -> int:
    user, boss = (make.make_user(role=Role.OFFICER, unit=make.fallback()) for _ in range(2))
    found = Invitation.objects.create(user=user, token_hash=bytes(32), expires_at=OLD)
    deactivate(user_id=user.pk, actor_id=boss.pk, now=NOW)
    return found.pk


def _inbound() -> int:
    return Inbound.objects.create(
        channel="demo_sms", provider_id="old", body_sealed=b"sealed", received_at=OLD, state="understood"
    ).pk


def _expected() -> int:
    report, contact = old_report(), old_contact()
    found = ExpectedReporter.objects.create(
        topic=report.topic, contact=contact, site="Clinic 12", unit=make.fallback(), created_at=OLD
    )
    ask_erasure(contact_id=contact.pk, takes_texts=True, withdraws=True, now=OLD, actor_id=None)
    return found.pk


def _erasure() -> int:
    contact = old_contact()
    ask_erasure(contact_id=contact.pk, takes_texts=True, withdraws=True, now=OLD, actor_id=None)
    return contact.erasure.pk


def _proxy(**more: Any) -> Proxy:
    told: dict[str, Any] = {"role": "elder", "community": "Upper village", "enrolled_at": OLD, "ended_at": OLD}
    return Proxy.objects.create(contact=old_contact(), unit=make.fallback(), **{**told, **more})


def _hold() -> int:
    day = OLD.date()
    return LegalHold.objects.create(report=old_report(), reason="Case 12", until=day, placed_at=OLD).pk


def _incident() -> int:
    report = old_report()
    incident = Incident.objects.create(title=report.text[:100], topic=report.topic, created_at=OLD)
    Report.objects.filter(pk=report.pk).update(incident=incident)
    return incident.pk


def _batch() -> ImportBatch:
    topic = old_report().topic
    source = f"old-{ImportBatch.objects.count()}"
    return ImportBatch.objects.create(source=source, topic=topic, started_at=OLD, finished_at=OLD)


def _translation() -> Translation:
    return Translation.objects.create(report=old_report(), from_language="sq", language="en", state="accepted")


def _turn() -> int:
    return TranslationTurn.objects.create(translation=_translation(), volunteer=make.make_user(), at=OLD).pk


def _heard() -> int:
    place = make.make_place("School")
    return HeardSpelling.objects.create(place=place, folded="shkolla", witness=bytes(32), heard_at=OLD).pk


def _change() -> int:
    told = {"topic_id": 1, "category": "", "cell": 1, "period": 1, "n": 1, "sources": 1}
    Change.objects.create(pk=3_000_000, number=3, **told)
    return Change.objects.create(pk=-1, number=0, **told).pk


def _subscription() -> int:
    told: dict[str, Any] = {"shape": "all", "language": "en", "created_at": OLD}
    return Subscription.objects.create(contact=old_contact(), **told).pk


def _sighting() -> int:
    return Sighting.objects.create(alert=alert("released"), report_id=old_report().pk, created_at=OLD).pk


def _checkpoint() -> int:
    told = {"root": bytes(32), "at": OLD, "note": "", "key": ""}
    row = Checkpoint.objects.create(size=1, **told)
    Checkpoint.objects.create(size=2, **told)
    return row.pk


def _call() -> int:
    partner = Partner.objects.create(name="Taxis", url_sealed=b"", secret_sealed=b"", created_at=OLD)
    return PartnerCall.objects.create(partner=partner, alert=alert("released"), due_at=OLD).pk


def _text() -> int:
    told = {"headline": "Boil water", "description": "Boil it.", "area_desc": "The town", "language": "en"}
    return AlertText.objects.create(alert=alert(), **told).pk


def old_tip() -> Tip:
    """Make a sealed dialogue that was closed three years ago."""
    desk = TipDesk.objects.create(names={"": "Desk"})
    day = OLD.date()
    return Tip.objects.create(
        uid=random_key()[:16],
        desk=desk,
        look_up=random_key(),
        public=bytes(32),
        source_public=bytes(32),
        state=TipState.CLOSED,
        created_day=day,
        active_day=day,
        expires_day=day,
        deletes_day=day,
        sealed_where="server",
    )


def _sealed_file() -> int:
    """Make a file of a dialogue that goes on, which was never uploaded whole."""
    tip, day = old_tip(), NOW.date() + timedelta(days=100)
    Tip.objects.filter(pk=tip.pk).update(state=TipState.OPEN, expires_day=day, deletes_day=None)
    token, state = new_token(), FileState.UPLOADING
    return TipFile.objects.create(tip=tip, number=0, key_box=b"", token=token, state=state, day=OLD.date()).pk


OLD_ROWS: dict[str, Maker] = {
    "people.Invitation": _invitation,
    "places.HeardSpelling": _heard,
    "media.Photo": lambda: ReportPhoto.objects.create(report=old_report(), photo=make.make_photo(now=OLD)).photo_id,
    "messaging.Contact": lambda: old_contact().pk,
    "messaging.TrustMark": lambda: (
        TrustMark.objects.create(contact=old_contact(), report_id=1, kind="verified", points=1, made_at=OLD).pk
    ),
    "messaging.Erasure": _erasure,
    "messaging.Inbound": _inbound,
    "messaging.Broadcast": lambda: broadcast().pk,
    "messaging.Outbound": lambda: outbound().pk,
    "messaging.Part": lambda: Part.objects.create(outbound=outbound(), number=1, changed_at=OLD).pk,
    "reports.ExpectedReporter": _expected,
    "reports.LegalHold": _hold,
    "reports.Proxy": lambda: _proxy().pk,
    "reports.OnBehalf": lambda: OnBehalf.objects.create(report=old_report(), said_by="desk", asked_at=OLD).pk,
    "reports.Translation": lambda: _translation().pk,
    "reports.TranslationTurn": _turn,
    "reports.Incident": _incident,
    "reports.Report": lambda: old_report().pk,
    "reports.ReportPhoto": lambda: ReportPhoto.objects.create(report=old_report(), photo=make.make_photo(now=OLD)).pk,
    "reports.Message": lambda: Message.objects.create(report=old_report(), kind="note", text="Hm", created_at=OLD).pk,
    "reports.Verification": lambda: (
        Verification.objects.create(report=old_report(), at=OLD, evidence="Seen", independent_sources=1).pk
    ),
    "reports.ImportBatch": lambda: _batch().pk,
    "reports.ImportRow": lambda: ImportRow.objects.create(batch=_batch(), row_key="7", problem="No date").pk,
    "reports.Publication": lambda: _withdrawn().pk,
    "reports.Correction": lambda: Correction.objects.create(report=old_report(), client_key="c", at=OLD).pk,
    "maps.Counted": _counted,
    "maps.Waiting": _waiting,
    "maps.Change": _change,
    "maps.Rated": _rated,
    "alerts.Alert": lambda: alert().pk,
    "alerts.AlertText": _text,
    "alerts.Subscription": _subscription,
    "alerts.Cast": lambda: (
        Cast.objects.create(alert=alert("released"), broadcast=broadcast(), channel="demo_sms", language="en").pk
    ),
    "alerts.FanOut": lambda: FanOut.objects.create(alert=alert(), started_at=OLD).pk,
    "alerts.Sighting": _sighting,
    "alerts.PartnerCall": _call,
    "tips.Tip": lambda: old_tip().pk,
    "tips.TipKey": lambda: TipKey.objects.create(tip=old_tip(), holder="source", box=b"").pk,
    "tips.TipText": lambda: (
        TipText.objects.create(tip=old_tip(), direction="to_desk", number=0, box=b"", day=OLD.date()).pk
    ),
    "tips.TipFile": _sealed_file,
    "tips.Complaint": lambda: Complaint.objects.create(tip=old_tip(), received_day=OLD.date(), due_day=OLD.date()).pk,
    "tips.Pending": lambda: Pending.objects.create(kind="tips.received", number=1, day=OLD.date()).pk,
    "journal.Checkpoint": _checkpoint,
    "intake.Session": lambda: Session.objects.create(contact=old_contact(), state={}, updated_at=OLD).pk,
}
