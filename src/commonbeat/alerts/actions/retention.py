"""Delete what alerts keep for a time only; each call does a little, and may be repeated."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from commonbeat.alerts.models import Alert, AlertState, PartnerCall, Sighting, Subscription

KEPT = timedelta(days=730)
UNCONFIRMED_KEPT = timedelta(days=7)


def purge_alerts(*, now: datetime, limit: int = 200) -> int:
    """Delete old drafts, calls to partners and subscriptions that nobody confirmed, at most `limit` of each."""
    count = 0
    for rows in old_alerts(now=now):
        ids = list(rows.order_by("pk").values_list("pk", flat=True)[:limit])
        if ids:
            with transaction.atomic():
                rows.model._default_manager.filter(pk__in=ids).delete()
            count += len(ids)
    return count


def old_alerts(*, now: datetime) -> tuple[QuerySet[Any], ...]:
    """Narrow to what is past its time: alerts that never went out, calls to partners, unconfirmed subscriptions."""
    unsent = [AlertState.DRAFT, AlertState.WAITING, AlertState.DISCARDED]
    return (
        Alert.objects.filter(state__in=unsent, changed_at__lt=now - KEPT, chain=None),
        PartnerCall.objects.filter(due_at__lt=now - KEPT),
        Subscription.objects.filter(confirmed_at=None, created_at__lt=now - UNCONFIRMED_KEPT),
    )


def forget_sightings(*, report_ids: Collection[int]) -> int:
    """Delete that some reports, which are gone, answered an alert."""
    with transaction.atomic():
        count, _by_model = Sighting.objects.filter(report_id__in=report_ids).delete()
    return count
