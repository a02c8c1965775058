"""Read what a person asked for, for that person alone; staff see counts (alerts/queries.py)."""

from __future__ import annotations

from commonbeat.alerts.models import Subscription
from commonbeat.messaging.models import Contact


def own_subscriptions(contact: Contact) -> list[Subscription]:
    """List what a contact has confirmed, oldest first."""
    own = Subscription.objects.filter(contact=contact, confirmed_at__isnull=False)
    return list(own.select_related("beat").order_by("pk"))


def own_subscription(contact: Contact, number: int) -> Subscription | None:
    """Give one of a contact's own, or None."""
    return next((one for one in own_subscriptions(contact) if one.pk == number), None)


def waiting_subscriptions(contact: Contact) -> list[int]:
    """List the ids of what a contact has not confirmed yet, the newest last."""
    waiting = Subscription.objects.filter(contact=contact, confirmed_at__isnull=True)
    return list(waiting.order_by("pk").values_list("pk", flat=True))
