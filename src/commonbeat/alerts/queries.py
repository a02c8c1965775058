"""Read alerts for pages, and who would hear of one; each a bounded number of SQL queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
from django.conf import settings
from django.db.models import Exists, OuterRef, Q

from commonbeat.alerts.geometry import Geometry, geometry_of
from commonbeat.alerts.index import KIND_BITS, Index, current
from commonbeat.alerts.matching import BEAT, Positions, first_of_each, recipients, touching
from commonbeat.alerts.models import Alert, AlertState, AlertText, MsgType, Sighting
from commonbeat.alerts.rendering import rendered, site_of_settings
from commonbeat.alerts.rules import FEWEST_TOLD, rank_of
from commonbeat.messaging import policy
from commonbeat.messaging.actions.outbox import measured
from commonbeat.messaging.models import Contact
from commonbeat.people.models import User
from commonbeat.places.models import Beat


@dataclass(frozen=True, slots=True)
class Line:
    """What one channel in one language would carry."""

    channel: str
    language: str
    # As told(): rounded down, and 0 where there are few.
    people: int
    is_few: bool
    text: str
    parts: int
    encoding: str
    # Millionths of the site's currency for all of them; None where nobody knows the price, or few are meant.
    cost_micros: int | None


@dataclass(frozen=True, slots=True)
class Preview:
    """Who would hear of an alert: numbers only, none exact. How many drawings one may try is the page's to bound."""

    people: int
    is_few: bool
    lines: Sequence[Line]
    cost_micros: int | None


# ------------------------------------------------------------------ what is going on


def active_alerts(*, now: datetime) -> list[Alert]:
    """Give what is out and neither ended nor expired: of each chain the newest message, the worst and newest first."""
    later = Alert.objects.filter(state=AlertState.RELEASED).filter(
        Q(root_id=OuterRef("root_id")) | Q(root_id=OuterRef("pk")), pk__gt=OuterRef("pk")
    )
    found = (
        Alert.objects.released()
        .exclude(msg_type=MsgType.CANCEL)
        .filter(~Exists(later), expires_at__gt=now)
        .filter(Q(root=None, ended_at=None) | Q(root__isnull=False, root__ended_at=None))
        .prefetch_related("texts")
        .order_by("-pk")
    )
    return sorted(found, key=lambda alert: (not alert.needs_second, -rank_of(alert.severity)))


def chain(alert: Alert) -> list[Alert]:
    """Give the messages of an alert's chain that are out, oldest first, with texts."""
    first = alert.root_id_or_own
    found = Alert.objects.released().filter(Q(pk=first) | Q(root_id=first))
    return list(found.prefetch_related("texts").order_by("pk"))


def drafts_for(viewer: User, *, limit: int = 50) -> list[Alert]:
    """Give the drafts that a person may work on, those that wait for a second person first, then the newest."""
    open_states = (AlertState.DRAFT, AlertState.WAITING)
    found = Alert.objects.workable_by(viewer).filter(state__in=open_states)
    found = found.select_related("author", "unit").prefetch_related("texts")
    # "waiting" comes after "draft" in the alphabet.
    return list(found.order_by("-state", "-pk")[:limit])


def sightings(alert: Alert, *, limit: int = 500) -> list[Sighting]:
    """Give the reports that answer an alert or what followed it, newest first."""
    first = alert.root_id_or_own
    found = Sighting.objects.filter(Q(alert_id=first) | Q(alert__root_id=first))
    return list(found.order_by("-pk")[:limit])


# ------------------------------------------------------------------ who hears of it


def matched(index: Index, *, area: Geometry, kind: str, severity: str) -> Positions:
    """Give the positions, in the index, of the subscriptions that an alert is for; exact."""
    return recipients(
        index.subscriptions,
        area,
        kind=KIND_BITS.get(kind, KIND_BITS["other"]),
        rank=rank_of(severity),
        beats=beats_touched(area) if np.any(index.subscriptions.shapes == BEAT) else (),
    )


def people_for(*, area: Mapping[str, Any], kind: str, severity: str) -> tuple[int, bool]:
    """Give how many people would hear of such an alert, as told(); for a page that is still being filled in."""
    index = current()
    positions = matched(index, area=geometry_of(area), kind=kind, severity=severity)
    return told(len(_listening(index.subscriptions.contacts[positions])))


def beats_touched(area: Geometry) -> dict[int, str]:
    """Give the beats that an area touches: id and name, by name."""
    west, south, east, north = area.bounds
    rows = Beat.objects.filter(south__lte=north, north__gte=south)
    # Over the antimeridian boxes say nothing of east and west.
    if west > -180 and east < 180:
        rows = rows.filter(west__lte=east, east__gte=west)
    found = list(rows.order_by("name").values_list("pk", "name", "area"))
    if not found:
        return {}
    met = touching(area, [geometry_of(outline) for _, _, outline in found])
    return {pk: name for (pk, name, _), is_met in zip(found, met, strict=True) if is_met}


def preview(alert: Alert, *, now: datetime) -> Preview:
    """Give who would hear of a draft by which channel, what they would read, and what it would cost."""
    index = current()
    subscriptions = index.subscriptions
    positions = matched(index, area=geometry_of(alert.area), kind=alert.kind, severity=alert.severity)
    contacts = subscriptions.contacts[positions]
    positions = positions[first_of_each(contacts, np.zeros(len(positions), np.int64))]
    positions = positions[np.isin(subscriptions.contacts[positions], _listening(contacts))]
    pairs = subscriptions.channels.astype(np.int64) * 256 + subscriptions.languages
    numbers = np.bincount(pairs[positions], minlength=256 * 256)
    lines = []
    # Each that anybody on the site has, none here or one: a line that comes and goes would tell of one house.
    for pair in np.flatnonzero(np.bincount(pairs)).tolist():
        channel, language = index.channels.words[pair // 256], index.languages.words[pair % 256]
        lines.append(_line(alert, channel, language, int(numbers[pair]), now))
    people, is_few = told(len(positions))
    costs = [line.cost_micros for line in lines if line.cost_micros is not None]
    return Preview(people, is_few, lines, sum(costs) if costs else None)


def told(number: int) -> tuple[int, bool]:
    """Give a number of people as staff are told it: rounded down to steps, and whether it is fewer than five."""
    if number < FEWEST_TOLD:
        return 0, True
    step = 5 if number < 100 else 10 if number < 1_000 else 100
    return number // step * step, False


def text_for(alert: Alert, language: str) -> AlertText:
    """Give what an alert says in a language, else in the site's first that it has, else in any."""
    texts = {text.language: text for text in alert.texts.all()}
    wanted = next((one for one in (language, *settings.COMMONBEAT.languages) if one in texts), None)
    return texts[wanted] if wanted is not None else next(iter(texts.values()))


def _line(alert: Alert, channel: str, language: str, number: int, now: datetime) -> Line:
    text = rendered(alert, text_for(alert, language), policy.limits_of(channel), site=site_of_settings(), now=now)
    _, encoding, parts = measured(text, channel)
    people, is_few = told(number)
    price = policy.price_micros(channel)
    cost = None if price is None or is_few else price * parts * people
    return Line(channel, language, people, is_few, text, parts, encoding, cost)


def _listening(contacts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Keep each contact once, without those who said STOP or are blocked."""
    silent = Contact.objects.filter(Q(stopped_at__isnull=False) | Q(blocked_at__isnull=False))
    return np.setdiff1d(contacts, np.fromiter(silent.values_list("pk", flat=True).iterator(), np.int64))
