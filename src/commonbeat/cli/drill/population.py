"""People who do not exist, clustered in the beats as people are, and what they want to hear of."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import datetime

from django.conf import settings
from shapely.geometry import Point, shape

from commonbeat.alerts.models import Subscription, SubscriptionShape
from commonbeat.cli.drill.loopback import address_of
from commonbeat.cli.drill.plan import Plan
from commonbeat.messaging.models import Contact
from commonbeat.messaging.sealing import address_hash, seal_address
from commonbeat.places.models import Beat

KINDS = {"sms": "phone", "push": "push", "email": "email"}
_CHUNK = 2_000
_CLUSTERS_OF_A_BEAT = 4
# Degrees; about 500 metres north and south.
_SPREAD = 0.0045
_RADII = (500, 1_000, 2_000, 5_000)


def make_people(plan: Plan, beats: Sequence[Beat], *, now: datetime) -> None:
    """Store the plan's people and their confirmed subscriptions; the same ones for the same seed."""
    chance = random.Random(plan.seed)  # noqa: S311  # not for secrets
    places = list(_clusters(beats, chance))
    channels = list(plan.rates)
    for start in range(0, plan.people, _CHUNK):
        numbers = range(start, min(start + _CHUNK, plan.people))
        contacts = Contact.objects.bulk_create(_contact(plan, number, channels, now) for number in numbers)
        Subscription.objects.bulk_create(_subscription(one, beats, places, chance, now) for one in contacts)


def _contact(plan: Plan, number: int, channels: Sequence[str], now: datetime) -> Contact:
    channel = channels[number % len(channels)]
    kind, secret = KINDS[channel], settings.COMMONBEAT.secret
    address = address_of(kind, number)
    return Contact(
        kind=kind,
        address_sealed=seal_address(secret, address),
        address_hash=address_hash(secret, kind, address),
        handle=f"Drill {number}",
        language=plan.languages[number // len(channels) % len(plan.languages)],
        channel=f"drill_{channel}",
        created_at=now,
        last_seen_at=now,
    )


def _subscription(
    contact: Contact,
    beats: Sequence[Beat],
    places: Sequence[tuple[float, float]],
    chance: random.Random,
    now: datetime,
) -> Subscription:
    row = Subscription(contact=contact, language=contact.language, created_at=now, confirmed_at=now)
    kind = chance.random()
    if kind < 0.05:
        row.shape = SubscriptionShape.ALL
    elif kind < 0.2:
        row.shape, row.beat = SubscriptionShape.BEAT, chance.choice(beats)
    else:
        latitude, longitude = chance.choice(places)
        row.shape, row.radius = SubscriptionShape.POINT, chance.choice(_RADII)
        row.latitude = round(min(max(chance.gauss(latitude, _SPREAD), -89.9), 89.9), 3)
        row.longitude = round((chance.gauss(longitude, _SPREAD) + 180) % 360 - 180, 3)
    return row


def _clusters(beats: Sequence[Beat], chance: random.Random) -> Iterator[tuple[float, float]]:
    for beat in beats:
        outline = shape(beat.area)
        found = 0
        for _ in range(200):
            point = Point(chance.uniform(beat.west, beat.east), chance.uniform(beat.south, beat.north))
            if outline.contains(point):
                yield point.y, point.x
                found += 1
            if found == _CLUSTERS_OF_A_BEAT:
                break
        if not found:
            inside = outline.representative_point()
            yield inside.y, inside.x
