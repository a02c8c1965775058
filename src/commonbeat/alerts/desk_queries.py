"""Read alerts for the desk: how far each has gone, who has it, and what else is out; bounded numbers of queries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import shapely
from django.db.models import Case, CharField, Count, F, Q, QuerySet, Value, When
from shapely.geometry import Point

from commonbeat.alerts import events
from commonbeat.alerts.geometry import geometry_of
from commonbeat.alerts.matching import touching
from commonbeat.alerts.models import Alert, AlertState, Cast, FanOut, Sighting
from commonbeat.alerts.queries import active_alerts, beats_touched
from commonbeat.journal.models import Entry
from commonbeat.messaging.models import Outbound, OutboundState
from commonbeat.people.models import User
from commonbeat.places.models import Place

# Of a chain: what a timeline tells. Subscriptions and sources have entries of their own under other kinds.
HISTORY = (
    events.DRAFTED, events.CHANGED, events.DISCARDED, events.ASKED, events.SENT_BACK, events.RELEASED,
    events.RELEASED_ALONE, events.UPDATED, events.CANCELLED, events.ENDED, events.FANNED_OUT, events.TAKEN,
)  # fmt: skip
# Queued, and due later: the quiet hours of the person.
DELAYED = "delayed"
# Who has it, or may have it.
_GONE = (OutboundState.LEASED, OutboundState.SENT, OutboundState.DELIVERED)
_MOST_PLACES = 2_000


@dataclass(slots=True)
class Account:
    """How far one message has gone: the account of its fan-out, and its rows of the outbox by state."""

    fan_out: FanOut | None = None
    states: Counter[str] = field(default_factory=Counter)
    channels: dict[str, Counter[str]] = field(default_factory=dict)

    @property
    def people(self) -> int:
        """Give how many it is for, as far as that is known."""
        return max(self.fan_out.matched if self.fan_out else 0, self.states.total())

    @property
    def is_under_way(self) -> bool:
        """Tell whether more is still being queued."""
        return self.fan_out is not None and self.fan_out.done_at is None and self.fan_out.stopped_at is None

    @property
    def sent(self) -> int:
        """Give how many have gone, those that are known to have arrived among them."""
        return self.states[OutboundState.SENT] + self.states[OutboundState.DELIVERED]


def accounts_of(alert_ids: Collection[int], *, now: datetime) -> dict[int, Account]:
    """Give how far some messages have gone; three queries, and no more however many they are."""
    found = {pk: Account() for pk in alert_ids}
    for fan_out in FanOut.objects.filter(alert_id__in=found):
        found[fan_out.alert_id].fan_out = fan_out
    for alert_id, channel, state, number in _counted(found, now=now):
        found[alert_id].states[state] += number
        found[alert_id].channels.setdefault(channel, Counter())[state] += number
    return found


def failures_of(alert_ids: Collection[int], *, limit: int = 20) -> list[tuple[str, str, int]]:
    """Give why messages of some alerts were not delivered: channel, code, number; the most frequent first."""
    casts = Cast.objects.filter(alert_id__in=alert_ids).values("broadcast_id")
    rows = Outbound.objects.filter(broadcast_id__in=casts, state=OutboundState.FAILED)
    counted = rows.values_list("channel", "error").annotate(number=Count("id")).order_by("-number", "channel", "error")
    return list(counted[:limit])


def reached_by(alert: Alert) -> dict[str, int]:
    """Count, by channel, the people who have something of an alert's chain: who is told of its end."""
    root = alert.root_id_or_own
    casts = Cast.objects.filter(Q(alert_id=root) | Q(alert__root_id=root)).values("broadcast_id")
    rows = Outbound.objects.filter(Q(state__in=_GONE) | Q(maybe_taken=True), broadcast_id__in=casts)
    counted = rows.values_list("channel").annotate(Count("contact_id", distinct=True)).order_by("channel")
    return dict(counted)


def waiting_for(viewer: User) -> QuerySet[Alert]:
    """Narrow to the alerts that wait for somebody such as the viewer to release them, as the second person."""
    return Alert.objects.workable_by(viewer).filter(state=AlertState.WAITING).exclude(author=viewer)


def sightings_by_chain(root_ids: Collection[int]) -> dict[int, int]:
    """Count the reports that answer some alerts, by the first message of each."""
    counted: Counter[int] = Counter()
    rows = Sighting.objects.filter(Q(alert_id__in=root_ids) | Q(alert__root_id__in=root_ids))
    for alert_id, root_id, number in rows.values_list("alert_id", "alert__root_id").annotate(Count("id")):
        counted[root_id or alert_id] += number
    return dict(counted)


def unsent_follow_up(root_id: int) -> Alert | None:
    """Give the correction of an alert that is not out yet, if there is one."""
    return Alert.objects.filter(root_id=root_id, state__in=(AlertState.DRAFT, AlertState.WAITING)).first()


def overlapping(alert: Alert, *, now: datetime) -> list[Alert]:
    """Give the alerts of the same kind that are out and touch the same ground: perhaps an update of one is meant."""
    others = [
        other
        for other in active_alerts(now=now)
        if other.kind == alert.kind
        and other.status == alert.status
        and other.source_id is None
        and other.root_id_or_own != alert.root_id_or_own
    ]
    if not others:
        return []
    met = touching(geometry_of(alert.area), [geometry_of(other.area) for other in others])
    return [other for other, is_met in zip(others, met, strict=True) if is_met]


def beats_in(area: Mapping[str, Any]) -> list[str]:
    """Name the beats that an area touches."""
    return list(beats_touched(geometry_of(area)).values())


def places_in(area: Mapping[str, Any], *, language: str, limit: int = 12) -> tuple[list[str], int]:
    """Name places of the gazetteer in an area, and say how many more were found (of the first two thousand)."""
    geometry = geometry_of(area)
    west, south, east, north = geometry.bounds
    rows = Place.objects.filter(latitude__range=(south, north), longitude__range=(west, east)).order_by("pk")
    shapely.prepare(geometry)
    inside = [
        place.name_in(language)
        for place in rows[:_MOST_PLACES]
        if geometry.intersects(Point(place.longitude, place.latitude))
    ]
    return inside[:limit], max(0, len(inside) - limit)


def history_of(chain: Sequence[Alert]) -> list[Entry]:
    """Give what was done to the messages of a chain, oldest first."""
    ids = [message.pk for message in chain]
    return list(Entry.objects.filter(kind__in=HISTORY, subject_id__in=ids).order_by("id")[:500])


def _counted(alert_ids: Collection[int], *, now: datetime) -> list[tuple[int, str, str, int]]:
    """Count rows of the outbox by alert, channel and state."""
    casts = dict(Cast.objects.filter(alert_id__in=alert_ids).values_list("broadcast_id", "alert_id"))
    if not casts:
        return []
    is_delayed = Q(state=OutboundState.QUEUED, attempts=0, due_at__gt=now)
    state = Case(When(is_delayed, then=Value(DELAYED)), default=F("state"), output_field=CharField())
    rows = Outbound.objects.filter(broadcast_id__in=casts).annotate(how=state)
    counted = rows.values_list("broadcast_id", "channel", "how").annotate(Count("id")).order_by()
    return [(casts[broadcast_id], channel, how, number) for broadcast_id, channel, how, number in counted]
