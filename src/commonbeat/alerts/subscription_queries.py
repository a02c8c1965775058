"""Read what a person asked for, for that person alone; staff see counts (alerts/queries.py)."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from commonbeat.alerts.models import Subscription
from commonbeat.messaging.models import Contact

_ASKED = (
    "shape", "latitude", "longitude", "radius", "area", "beat_id", "kinds", "least_severity", "language", "quiet_from",
    "quiet_to",
)  # fmt: skip


def own_subscriptions(contact: Contact) -> list[Subscription]:
    """List what a contact has confirmed, oldest first."""
    own = Subscription.objects.filter(contact=contact, confirmed_at__isnull=False)
    return list(own.select_related("beat").order_by("pk"))


def own_subscription(contact: Contact, number: int) -> Subscription | None:
    """Give one of a contact's own, or None."""
    return next((one for one in own_subscriptions(contact) if one.pk == number), None)


def waiting_wishes(contact: Contact, *, since: datetime) -> dict[str, frozenset[tuple[Any, ...]]]:
    """Give what waits to be confirmed, by the key of the question that was sent about it; equal wishes are equal.

    Several mean that several people may have typed this address, its owner perhaps among them.
    """
    found: dict[str, list[tuple[Any, ...]]] = {}
    for row in Subscription.objects.filter(contact=contact, confirmed_at=None, created_at__gte=since):
        wish = tuple(json.dumps(getattr(row, name), sort_keys=True) for name in _ASKED)
        found.setdefault(row.asked_key, []).append(wish)
    return {key: frozenset(wishes) for key, wishes in found.items()}
