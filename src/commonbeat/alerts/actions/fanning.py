"""Queue an alert for everybody whom it is for: in batches, each a transaction with its place in the list.

A worker that dies in the middle leaves a cursor; whoever takes over makes the list again and goes on behind it. Nobody
is queued twice, for a batch and its cursor are stored together, and the key of a message is that of alert and contact.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q

from commonbeat.alerts import events, rules
from commonbeat.alerts.actions.partner_calls import queue_calls
from commonbeat.alerts.geometry import geometry_of
from commonbeat.alerts.index import Index, current
from commonbeat.alerts.matching import Positions, Subscriptions, first_of_each
from commonbeat.alerts.models import Alert, Cast, FanOut, MsgType
from commonbeat.alerts.queries import matched, text_for, told
from commonbeat.alerts.rendering import rendered, site_of_settings, topic_of
from commonbeat.messaging import policy
from commonbeat.messaging.actions.broadcasts import (
    Queued,
    Reached,
    among,
    contacts_of,
    enqueue_many,
    lock_reached,
    make_broadcast,
    recall_broadcasts,
    take_back,
)
from commonbeat.messaging.channel import channels
from commonbeat.messaging.models import Broadcast

BATCH = 2_000
# So that the first messages leave while the others are still being queued.
FIRST_BATCH = 100
_NOW = 0


@dataclass(slots=True)
class Plan:
    """Whom one alert is for, in the order of contacts; made anew by whoever takes over."""

    fan_out_id: int
    alert: Alert
    is_urgent: bool
    # Urgent, or what follows something urgent: it goes although the money is spent.
    is_vital: bool
    contacts: npt.NDArray[np.int64]
    # Of each: a number in `words`, and when it may go in seconds since 1970, 0 for now.
    languages: npt.NDArray[np.uint8]
    due: npt.NDArray[np.int64]
    # Of each: whether the area, kind and severity are what they asked for; else only an earlier message went to them.
    is_matched: npt.NDArray[np.bool_]
    words: Sequence[str]
    # Of the messages before it in its chain.
    earlier: dict[int, str] = field(default_factory=dict)
    casts: dict[tuple[str, str], Broadcast] = field(default_factory=dict)

    def rest(self, cursor: int) -> slice:
        """Give those behind a contact."""
        return slice(int(np.searchsorted(self.contacts, cursor, side="right")), len(self.contacts))


def start_fan_out(*, alert_id: int, now: datetime) -> FanOut:
    """Let an alert go out, in the caller's transaction; what of its chain still waits is taken back by it."""
    alert = Alert.objects.get(pk=alert_id)
    fan_out, is_new = FanOut.objects.get_or_create(alert=alert, defaults={"started_at": now})
    if is_new:
        queue_calls(alert=alert, now=now)
    if is_new and alert.root_id is not None:
        before = Q(alert_id=alert.root_id) | Q(alert__root_id=alert.root_id)
        FanOut.objects.filter(before, done_at=None, stopped_at=None).exclude(alert=alert).update(stopped_at=now)
        casts = Cast.objects.filter(before).exclude(alert=alert)
        recall_broadcasts(broadcast_ids=list(casts.values_list("broadcast_id", flat=True)), now=now)
    return fan_out


def next_fan_out(*, without: Collection[int] = ()) -> int | None:
    """Give the fan-out to go on with: follow-ups first, then what is urgent, then the oldest; None when all is done."""
    waiting = FanOut.objects.filter(done_at=None, stopped_at=None).exclude(pk__in=without).select_related("alert")
    return min(((_order(one.alert), one.pk) for one in waiting), default=(0, None))[1]


def plan_fan_out(*, fan_out_id: int, now: datetime) -> Plan:
    """Work out whom an alert is for, from the arrays of this process and, of a follow-up, from the outbox."""
    alert = Alert.objects.prefetch_related("texts").get(fan_out=fan_out_id)
    index = current()
    subscriptions = index.subscriptions
    is_urgent = rules.is_urgent(alert.status, alert.urgency, alert.severity)
    positions = np.empty(0, np.int64) if alert.msg_type == MsgType.CANCEL else _matched(alert, index)
    earlier = _earlier(alert)
    due = _due(subscriptions, positions, is_urgent=is_urgent, now=now)
    first = first_of_each(subscriptions.contacts[positions], due)
    positions, due = positions[first], due[first]
    plan = Plan(
        fan_out_id=fan_out_id,
        alert=alert,
        is_urgent=is_urgent,
        is_vital=is_urgent or _follows_urgent(alert),
        contacts=subscriptions.contacts[positions],
        languages=subscriptions.languages[positions],
        due=due,
        is_matched=np.ones(len(positions), bool),
        words=index.languages.words,
        earlier=earlier,
    )
    if earlier:
        _add_reached(plan, index, now)
    return plan


def fan_out_batch(*, plan: Plan, limit: int = BATCH, now: datetime) -> int:
    """Queue the next recipients; give how many were dealt with, 0 when it is done, stopped, or another's."""
    with transaction.atomic():
        _look_along_indexes()
        # Of two workers one waits here, and then finds that the cursor has moved on.
        fan_out = FanOut.objects.select_for_update().get(pk=plan.fan_out_id)
        if fan_out.stopped_at is not None or fan_out.done_at is not None:
            return 0
        rest = plan.rest(fan_out.cursor)
        fan_out.matched = fan_out.passed + rest.stop - rest.start
        batch = slice(rest.start, min(rest.start + limit, rest.stop))
        ids = plan.contacts[batch].tolist()
        if ids:
            counts = _queue(plan, batch, ids, now)
            fan_out.cursor = ids[-1]
            fan_out.passed += len(ids)
            for name in ("queued", "capped", "asleep", "silent", "recalled"):
                setattr(fan_out, name, getattr(fan_out, name) + counts[name])
        if batch.stop == rest.stop:
            fan_out.done_at = now
            # As staff are told them: overseers read the journal, and an area around one house is an alert, too.
            names = ("matched", "queued", "capped", "asleep", "silent")
            data = {name: told(getattr(fan_out, name))[0] for name in names}
            events.write(events.FANNED_OUT, subject_id=plan.alert.pk, now=now, data=data)
        fan_out.save()
    return len(ids)


def _look_along_indexes() -> None:
    if connection.vendor == "postgresql":
        # Its statistics lag behind a table that grows by thousands of rows a second: it would read all of the outbox
        # for each batch (91 s for 474,000 people instead of 30).
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")


def _queue(plan: Plan, batch: slice, ids: Sequence[int], now: datetime) -> Counter[str]:
    counts: Counter[str] = Counter()
    people = {row[0]: row for row in _people(ids)}
    reached = _by_contact(lock_reached(contact_ids=ids, broadcast_ids=list(plan.earlier)))
    take_back([one for rows in reached.values() for one in rows], now=now)
    capped = {} if plan.is_urgent else _alerts_of_day(ids, plan.fan_out_id, now)
    tomorrow = rules.days_bounds(now, _zone())[1]
    rows = []
    columns = (plan.languages[batch].tolist(), plan.due[batch].tolist(), plan.is_matched[batch].tolist())
    for contact_id, number, seconds, is_matched in zip(ids, *columns, strict=True):
        gone = [one for one in reached.get(contact_id, ()) if one.has_gone]
        person = people.get(contact_id)
        due = now if seconds == _NOW else datetime.fromtimestamp(seconds, UTC)
        if not gone and not is_matched:
            outcome = "recalled"
        elif person is None or person[3]:
            outcome = "silent"
        elif due >= plan.alert.expires_at:
            outcome = "asleep"
        elif not gone and capped.get((contact_id, due >= tomorrow), 0) >= settings.COMMONBEAT.alerts_per_day:
            outcome = "capped"
        else:
            outcome = "queued"
            # By the channel, and in the language, of what they have already.
            channel = gone[-1].channel if gone else _channel_of(person)
            language = plan.earlier[gone[-1].broadcast_id] if gone else plan.words[number]
            rows.append(_row(plan, contact_id, channel, language, due, now))
        if outcome != "queued":
            counts[outcome] += 1
    priority = rules.FOLLOW_UP if plan.alert.root_id else rules.URGENT if plan.is_urgent else rules.ORDINARY
    counts["queued"] = len(rows)
    enqueue_many(rows, priority=priority, is_vital=plan.is_vital, expires_at=plan.alert.expires_at, now=now)
    return counts


def _matched(alert: Alert, index: Index) -> Positions:
    return matched(index, area=geometry_of(alert.area), kind=alert.kind, severity=alert.severity)


def _row(plan: Plan, contact_id: int, channel: str, language: str, due: datetime, now: datetime) -> Queued:
    broadcast = plan.casts.get((channel, language))
    if broadcast is None:
        broadcast = plan.casts[channel, language] = _cast(plan, channel, language, now)
    key = f"alert:{plan.alert.pk}:{contact_id}"
    return Queued(key, contact_id, channel, broadcast.pk, due, broadcast.segments, broadcast.encoding)


def _cast(plan: Plan, channel: str, language: str, now: datetime) -> Broadcast:
    alert = plan.alert
    broadcast = make_broadcast(
        key=f"alert:{alert.pk}:{channel}:{language}",
        text=rendered(alert, text_for(alert, language), policy.limits_of(channel), site=site_of_settings(), now=now),
        channel=channel,
        topic=topic_of(alert),
        is_urgent=plan.is_urgent,
        expires_at=alert.expires_at,
        now=now,
    )
    Cast.objects.get_or_create(alert=alert, channel=channel, language=language, defaults={"broadcast": broadcast})
    return broadcast


def _people(ids: Sequence[int]) -> list[tuple[int, str, str, bool]]:
    """Read id, kind, channel and whether they want nothing."""
    condition, given = among("id", ids)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, kind, channel, stopped_at IS NOT NULL OR blocked_at IS NOT NULL"
            f" FROM messaging_contact WHERE {condition}",
            [given],
        )
        return [(pk, kind, channel, bool(is_silent)) for pk, kind, channel, is_silent in cursor.fetchall()]


def _channel_of(person: tuple[int, str, str, bool]) -> str:
    _, kind, channel, _ = person
    # One that was taken off the site meanwhile can send nothing.
    return channel if channel in channels() else policy.default_channel(kind)


def _by_contact(reached: Sequence[Reached]) -> dict[int, list[Reached]]:
    found: dict[int, list[Reached]] = {}
    for one in reached:
        found.setdefault(one.contact_id, []).append(one)
    return found


def _alerts_of_day(ids: Sequence[int], fan_out_id: int, now: datetime) -> dict[tuple[int, bool], int]:
    """Count the alerts, follow-ups left out, that people have had today, and that wait for tomorrow."""
    begins, ends = rules.days_bounds(now, _zone())
    # Most days have one alert, and nothing needs to be counted. Quiet hours put an alert off by a day at most.
    others = FanOut.objects.filter(alert__root=None, started_at__gte=begins - timedelta(hours=26))
    if not others.exclude(pk=fan_out_id).exists():
        return {}
    moment = connection.ops.adapt_datetimefield_value
    condition, given = among("o.contact_id", ids)
    with connection.cursor() as cursor:
        # In this order: a person has few messages, an alert hundreds of thousands.
        cursor.execute(
            "SELECT o.contact_id, CASE WHEN o.due_at >= %s THEN 1 ELSE 0 END, COUNT(*) FROM messaging_outbound o"
            " CROSS JOIN alerts_cast c CROSS JOIN alerts_alert a"
            f" WHERE {condition} AND o.due_at >= %s AND o.state <> 'expired'"
            " AND c.broadcast_id = o.broadcast_id AND a.id = c.alert_id AND a.root_id IS NULL GROUP BY 1, 2",
            [moment(ends), given, moment(begins)],
        )
        return {(contact_id, bool(is_tomorrow)): number for contact_id, is_tomorrow, number in cursor.fetchall()}


def _due(
    subscriptions: Subscriptions, positions: Positions, *, is_urgent: bool, now: datetime
) -> npt.NDArray[np.int64]:
    """Give when each may hear of it, in seconds since 1970; 0 is now."""
    due = np.zeros(len(positions), np.int64)
    if is_urgent or not len(positions):
        return due
    begins, ends = subscriptions.quiet_from[positions], subscriptions.quiet_to[positions]
    # People choose few different hours, so that the wall clock is asked a few times.
    different, which = np.unique(begins.astype(np.int64) * 10_000 + ends, return_inverse=True)
    moments = [_seconds(_quiet(int(begins[i]), int(ends[i])), now) for i in _firsts(which, len(different))]
    return np.array(moments, np.int64)[which]


def _firsts(which: npt.NDArray[np.int64], number: int) -> list[int]:
    first = np.zeros(number, np.int64)
    first[which[::-1]] = np.arange(len(which))[::-1]
    return [int(one) for one in first]


def _quiet(begins: int, ends: int) -> rules.Quiet:
    if begins < 0 or ends < 0:
        return rules.quiet_of_site(settings.COMMONBEAT.quiet_hours)
    return rules.Quiet(begins, ends)


def _seconds(quiet: rules.Quiet, now: datetime) -> int:
    moment = rules.may_speak_at(quiet, now, _zone())
    return _NOW if moment <= now else int(moment.timestamp())


def _earlier(alert: Alert) -> dict[int, str]:
    if alert.root_id is None:
        return {}
    chain = Cast.objects.filter(Q(alert_id=alert.root_id) | Q(alert__root_id=alert.root_id)).exclude(alert=alert)
    return dict(chain.values_list("broadcast_id", "language"))


def _add_reached(plan: Plan, index: Index, now: datetime) -> None:
    """Add those whom an earlier message was for, whether or not this one would be."""
    reached = np.array(contacts_of(broadcast_ids=list(plan.earlier)), np.int64)
    others = reached[~np.isin(reached, plan.contacts)]
    if not others.size:
        return
    subscriptions = index.subscriptions
    positions = np.flatnonzero(np.isin(subscriptions.contacts, others))
    due = _due(subscriptions, positions, is_urgent=plan.is_urgent, now=now)
    first = first_of_each(subscriptions.contacts[positions], due)
    # Whoever has ended all subscriptions since keeps the site's quiet hours.
    general = _NOW if plan.is_urgent else _seconds(_quiet(-1, -1), now)
    when = np.full(len(others), general, np.int64)
    when[np.searchsorted(others, subscriptions.contacts[positions[first]])] = due[first]
    order = np.argsort(np.concatenate([plan.contacts, others]))

    def merged(mine: npt.NDArray[Any], theirs: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return np.concatenate([mine, theirs])[order]

    plan.contacts = merged(plan.contacts, others)
    plan.languages = merged(plan.languages, np.zeros(len(others), np.uint8))
    plan.due = merged(plan.due, when)
    plan.is_matched = merged(plan.is_matched, np.zeros(len(others), bool))


def _follows_urgent(alert: Alert) -> bool:
    if alert.root_id is None:
        return False
    before = Alert.objects.filter(Q(pk=alert.root_id) | Q(root_id=alert.root_id), pk__lt=alert.pk)
    return any(rules.is_urgent(one.status, one.urgency, one.severity) for one in before)


def _order(alert: Alert) -> int:
    if alert.root_id is not None:
        return rules.FOLLOW_UP
    return rules.URGENT if rules.is_urgent(alert.status, alert.urgency, alert.severity) else rules.ORDINARY


def _zone() -> ZoneInfo:
    return ZoneInfo(settings.COMMONBEAT.time_zone)
