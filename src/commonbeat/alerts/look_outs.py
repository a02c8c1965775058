"""Read which alerts ask for sightings, and which of them somebody has had."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q

from commonbeat.alerts.kinds import KINDS
from commonbeat.alerts.models import Alert, AlertQuerySet, AlertState, Cast, MsgType, Status
from commonbeat.alerts.queries import text_for
from commonbeat.messaging.models import Contact, Outbound, OutboundState

# Of an alert that is over, somebody may still tell what they saw, so long after they had it.
ANSWERED_FOR = timedelta(days=7)
MOST, MOST_MESSAGES = 20, 100
_WHEN = ("broadcast_id", "sent_at", "created_at")
_ASKING = tuple(code for code, kind in KINDS.items() if kind.asks_sightings)


@dataclass(frozen=True, slots=True)
class Asking:
    """The first message of an alert that asks for sightings."""

    alert: Alert
    is_active: bool
    # When this person had a message of it last; None: never.
    had_at: datetime | None = None

    @property
    def is_public(self) -> bool:
        """Tell whether it is out, and no test: then anybody may be asked to look out."""
        return self.is_active and self.alert.status == Status.ACTUAL

    def headline_in(self, language: str) -> str:
        """Give its headline in a language, else in any."""
        return text_for(self.alert, language).headline if self.alert.texts.all() else ""


def asking(*, contact: Contact | None, now: datetime) -> list[Asking]:
    """List what asks for sightings: what a contact has had, the last first, then what else is out, the newest first.

    Without a contact only what is out: what somebody has had is told to nobody else. Tests only to those who had them.
    """
    had = _had(contact, now) if contact is not None else {}
    out = _out(now)
    active = set(out.filter(status=Status.ACTUAL).order_by("-pk").values_list("pk", flat=True)[:MOST])
    if had:
        active |= set(out.filter(pk__in=had).values_list("pk", flat=True))
    roots = Alert.objects.released().filter(pk__in=active | set(had), root=None, kind__in=_ASKING)
    roots = roots.defer("area", "area_parts").prefetch_related("texts")
    found = [Asking(one, one.pk in active, had.get(one.pk)) for one in roots]
    return sorted(found, key=lambda one: (one.had_at.timestamp() if one.had_at else 0.0, one.alert.pk), reverse=True)


def answered(*, provider_id: str, contact: Contact, now: datetime) -> Asking | None:
    """Find the alert with one of whose messages a contact was asked to look out, by the provider's id of that message.

    None for what went to somebody else, asked for nothing, was the end of an alert, or is long over.
    """
    found = Outbound.objects.filter(provider_id=provider_id, contact=contact, broadcast__isnull=False)
    row = found.values_list(*_WHEN).first()
    if row is None:
        return None
    casts = Cast.objects.filter(broadcast_id=row[0]).exclude(alert__msg_type=MsgType.CANCEL)
    ids = casts.values_list("alert_id", "alert__root_id").first()
    if ids is None:
        return None
    roots = Alert.objects.released().filter(pk=ids[1] or ids[0], kind__in=_ASKING)
    alert = roots.defer("area", "area_parts").prefetch_related("texts").first()
    had_at = row[1] or row[2]
    if alert is None:
        return None
    is_active = _out(now).filter(pk=alert.pk).exists()
    return Asking(alert, is_active, had_at) if is_active or had_at > now - ANSWERED_FOR else None


def _out(now: datetime) -> AlertQuerySet:
    """Narrow to the first messages of what is out and asks for sightings."""
    goes_on = Alert.objects.filter(state=AlertState.RELEASED, root_id=OuterRef("pk"), expires_at__gt=now)
    out = Alert.objects.released().filter(root=None, ended_at=None, kind__in=_ASKING)
    return out.filter(Q(expires_at__gt=now) | Exists(goes_on))


def _had(contact: Contact, now: datetime) -> dict[int, datetime]:
    """Give the first messages of the alerts that a contact has had within the week, and when the last one went."""
    rows = Outbound.objects.filter(contact=contact, broadcast__isnull=False, created_at__gt=now - ANSWERED_FOR)
    rows = rows.exclude(state__in=(OutboundState.FAILED, OutboundState.EXPIRED)).order_by("-pk")
    went = {pk: sent_at or created_at for pk, sent_at, created_at in rows.values_list(*_WHEN)[:MOST_MESSAGES]}
    had: dict[int, datetime] = {}
    casts = Cast.objects.filter(broadcast_id__in=went) if went else Cast.objects.none()
    for broadcast_id, alert_id, root_id in casts.values_list("broadcast_id", "alert_id", "alert__root_id"):
        first = root_id or alert_id
        had[first] = max(went[broadcast_id], had.get(first, went[broadcast_id]))
    return had
