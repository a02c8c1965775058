"""What the pages of partners show, and what a call needs; each a bounded number of SQL queries."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from django.db.models import Count, Max, OuterRef, Q, Subquery

from commonbeat.alerts.models import Alert, Partner, PartnerCall

MOST_SHOWN = 50


class PartnerLine(NamedTuple):
    """One partner, how many alerts it took and how many wait for it, and the last call that did not go well."""

    partner: Partner
    taken: int
    waiting: int
    # When it last took one; None: never.
    taken_at: datetime | None
    # Of the newest call that waits or was given up, later than the last that was taken: its code, empty if none.
    problem: str
    is_given_up: bool


def partner_lines() -> list[PartnerLine]:
    """Give all partners by name, and how each does: one query."""
    mine = PartnerCall.objects.filter(partner=OuterRef("pk"))
    # The newest call says how it goes; what was replaced by something newer says nothing.
    newest = mine.exclude(error="superseded").exclude(sent_at=None, closed_at=None, attempts=0).order_by("-pk")
    found = Partner.objects.annotate(
        taken=Count("calls", filter=Q(calls__sent_at__isnull=False)),
        waiting=Count("calls", filter=Q(calls__sent_at=None, calls__closed_at=None)),
        taken_at=Max("calls__sent_at"),
        newest_error=Subquery(newest.values("error")[:1]),
        newest_closed=Subquery(newest.values("closed_at")[:1]),
    )
    return [
        PartnerLine(one, one.taken, one.waiting, one.taken_at, one.newest_error or "", one.newest_closed is not None)
        for one in found.order_by("name", "pk")
    ]


def calls_of(partner: Partner, *, limit: int = MOST_SHOWN) -> list[PartnerCall]:
    """Give the newest calls of a partner, with their alerts and texts: two queries."""
    found = partner.calls.select_related("alert").defer("alert__area", "alert__area_parts")
    return list(found.prefetch_related("alert__texts").order_by("-pk")[:limit])


def messages_before(alert: Alert) -> list[Alert]:
    """Give the messages of an alert's chain that were out before it, oldest first."""
    if alert.root_id is None:
        return []
    chain = Alert.objects.released().filter(Q(pk=alert.root_id) | Q(root_id=alert.root_id), pk__lt=alert.pk)
    return list(chain.defer("area", "area_parts").order_by("pk"))
