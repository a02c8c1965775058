"""What went in and out by each channel of late, for whoever sets it up."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Max, Model, Q, QuerySet

from commonbeat.messaging.models import Inbound, InboundState, Outbound, OutboundState

# Of tables with millions of rows only the newest are looked at, by their ids.
_NEWEST = 20_000
_DAY = timedelta(days=1)


@dataclass(slots=True)
class Traffic:
    """The last message each way among the newest, and what failed in the last day: code → number."""

    last_in: datetime | None = None
    last_out: datetime | None = None
    not_understood: int = 0
    errors: dict[str, int] = field(default_factory=dict)


def traffic(*, now: datetime) -> dict[str, Traffic]:
    """Give what is known of each channel that was used, by code; in five queries."""
    found: dict[str, Traffic] = {}
    inbound, outbound = _newest(Inbound), _newest(Outbound)
    failed = Q(state=InboundState.FAILED, received_at__gt=now - _DAY)
    arrived = inbound.values_list("channel").annotate(last=Max("received_at"), failed=Count("id", filter=failed))
    for code, last_in, count in arrived:
        one = found.setdefault(code, Traffic())
        one.last_in, one.not_understood = last_in, count
    for code, last_out in outbound.filter(sent_at__isnull=False).values_list("channel").annotate(Max("sent_at")):
        found.setdefault(code, Traffic()).last_out = last_out
    wrong = outbound.filter(state=OutboundState.FAILED, created_at__gt=now - _DAY)
    for code, error, count in wrong.values_list("channel", "error").annotate(Count("id")).order_by("channel", "error"):
        found.setdefault(code, Traffic()).errors[error] = count
    return found


def _newest(model: type[Model]) -> QuerySet[Any]:
    rows: QuerySet[Any] = model._default_manager.order_by()
    newest = rows.aggregate(Max("id"))["id__max"] or 0
    return rows.filter(id__gt=newest - _NEWEST)
