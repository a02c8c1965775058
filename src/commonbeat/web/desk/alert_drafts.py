"""One alert as the desk's forms take it up: who may, what stands, until when."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.http import Http404, HttpRequest, QueryDict
from django.utils import timezone

from commonbeat.alerts import rules
from commonbeat.alerts.actions.drafts import Draft, Drawn
from commonbeat.alerts.errors import AlertError
from commonbeat.alerts.kinds import Kind, kind_of
from commonbeat.alerts.models import Alert
from commonbeat.people.models import User
from commonbeat.people.permissions import Permission, may
from commonbeat.web.accounts import signed_in
from commonbeat.web.desk import alert_text as wording

LASTS = [("1", "1 hour from now"), ("3", "3 hours from now"), ("6", "6 hours from now"), ("12", "12 hours from now"),
         ("24", "24 hours from now"), ("48", "2 days from now"), ("168", "7 days from now")]  # fmt: skip


def draft_or_404(request: HttpRequest, alert_id: int) -> Alert:
    """Give an alert of this site that the person may work on."""
    viewer = signed_in(request)
    alert = alert_or_404(viewer, alert_id)
    if not is_own(viewer, alert):
        raise Http404
    return alert


def alert_or_404(viewer: User, alert_id: int) -> Alert:
    """Give an alert that the person may see, with its words and people."""
    found = Alert.objects.visible_to(viewer).select_related("author", "released_by", "unit", "source", "root")
    alert = found.prefetch_related("texts").filter(pk=alert_id).first() if alert_id < 2**63 else None
    if alert is None:
        raise Http404
    return alert


def is_own(viewer: User, alert: Alert) -> bool:
    """Tell whether the person may change or follow up an alert: that of their own unit, or any of a supervisor's."""
    if alert.source_id is not None:
        return False
    return may(viewer, Permission.SEE_ALL_DESKS) or (viewer.unit_id is not None and alert.unit_id == viewer.unit_id)


def draft_of(alert: Alert, *, now: datetime, **changes: Any) -> Draft:
    """Give a draft as it stands, with changes; an end that time has overtaken begins anew."""
    expires_at = alert.expires_at
    if not rules.is_fit_expiry(expires_at, now):
        expires_at = first_end(kind_of(alert.kind), now)
    fields: dict[str, Any] = {
        "kind": alert.kind,
        "urgency": alert.urgency,
        "severity": alert.severity,
        "certainty": alert.certainty,
        "expires_at": expires_at,
        "drawn": drawn_of(alert),
        "texts": wording.texts_of(alert),
        "status": alert.status,
        "onset": alert.onset if alert.onset and alert.onset < expires_at else None,
        "to_partners": alert.to_partners,
        # It was asked when it was drawn.
        "is_large_meant": True,
    }
    return Draft(**{**fields, **changes})


def drawn_of(alert: Alert) -> Drawn:
    """Give what the area of an alert was made of."""
    parts = alert.area_parts or {}
    if not any(parts.get(name) for name in ("polygons", "circles", "beats")):
        return Drawn(polygons=[alert.area])
    return Drawn(parts.get("polygons") or (), parts.get("circles") or (), parts.get("beats") or ())


def first_end(kind: Kind, now: datetime) -> datetime:
    """Give the usual end of an alert of a kind, at a full quarter of an hour."""
    end = now + timedelta(hours=kind.hours, minutes=14)
    return end.replace(minute=end.minute // 15 * 15, second=0, microsecond=0)


def seen_in(post: QueryDict) -> datetime | None:
    """Read when the draft that a form shows was last changed; None where it does not say."""
    try:
        moment = datetime.fromisoformat(post.get("seen", ""))
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def read_until(post: QueryDict, *, now: datetime) -> datetime:
    """Read until when; AlertError where it is no moment."""
    hours = post.get("lasts", "")
    if hours in dict(LASTS):
        return (now + timedelta(hours=int(hours))).replace(second=0, microsecond=0)
    try:
        moment = datetime.fromisoformat(post.get("until", "").strip()[:40])
        return timezone.make_aware(moment) if moment.tzinfo is None else moment
    except (ValueError, OverflowError):
        raise AlertError("Write the end as a day and a time, or choose how long.", "until") from None


def until_text(moment: datetime) -> str:
    """Write a moment for the field of a form, in the site's time."""
    return f"{timezone.localtime(moment):%Y-%m-%dT%H:%M}"
