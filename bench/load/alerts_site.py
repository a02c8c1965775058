"""A site of many subscriptions, by raw SQL on either database, and the areas to warn."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

SEED = 20_260_314
CORNERS = 200
RADII, SHARES = (500, 1_000, 2_000, 5_000, 10_000), (0.2, 0.35, 0.25, 0.15, 0.05)
# Half of the size in degrees of latitude: a district of some 15 km across, a province of 110 km.
AREAS = {"district": 0.06, "province": 0.5}
_BATCH = 50_000

Columns = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float32]]


def places(number: int) -> Columns:
    """Give latitudes, longitudes and radii: clustered in sixty towns of a small country, kept to 100 m."""
    chance = np.random.default_rng(SEED)
    towns = _towns(chance)
    weights = chance.pareto(1.2, len(towns)) + 0.2
    town = chance.choice(len(towns), number, p=np.sort(weights)[::-1] / weights.sum())
    latitudes = np.round(towns[town, 0] + chance.normal(0, 0.02, number), 3)
    longitudes = np.round(towns[town, 1] + chance.normal(0, 0.03, number), 3)
    return latitudes, longitudes, chance.choice(RADII, number, p=SHARES).astype(np.float32)


def area(name: str) -> Any:
    """Give a ragged outline of 200 corners around the largest town."""
    chance = np.random.default_rng(SEED)
    latitude, longitude = _towns(chance)[0]
    turns = np.linspace(0, 2 * np.pi, CORNERS, endpoint=False)
    far = AREAS[name] * (1 + 0.25 * np.sin(5 * turns) + 0.04 * np.cos(31 * turns))
    ring = np.column_stack([longitude + 1.35 * far * np.cos(turns), latitude + far * np.sin(turns)])
    polygon = shapely.Polygon(np.round(ring, 6))
    assert polygon.is_valid
    return polygon


def fill(number: float) -> dict[str, float]:
    """Write so many people with a subscription each, and an officer."""
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection

    from commonbeat.alerts.models import Subscription
    from commonbeat.foundation import clock
    from commonbeat.messaging.models import Contact
    from commonbeat.messaging.sealing import seal_address
    from commonbeat.people.models import Role, Unit, User

    call_command("migrate", verbosity=0)
    unit = Unit.objects.create(name="Desk", is_fallback=True)
    User.objects.create(username="officer", role=Role.OFFICER, unit=unit)
    begun, now = time.perf_counter(), clock.now()
    # One sealed address for all: nothing is sent here, and sealing a million would be most of the time.
    sealed = seal_address(settings.COMMONBEAT.secret, "+38344000000")
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA synchronous=OFF")
        person = Contact(kind="phone", address_sealed=sealed, channel="demo_sms", created_at=now, last_seen_at=now)
        wish = Subscription(shape="point", created_at=now, confirmed_at=now)
        for batch in _batches(int(number)):
            contacts = ((pk, pk.to_bytes(32, "big"), f"Many {pk}") for pk, _, _, _ in batch)
            _write(cursor, person, ("id", "address_hash", "handle"), contacts)
            wishes = (
                (pk, pk, lat, lon, int(radius), ("en", "sq", "sq", "ar")[pk % 4]) for pk, lat, lon, radius in batch
            )
            _write(cursor, wish, ("id", "contact_id", "latitude", "longitude", "radius", "language"), wishes)
        if connection.vendor == "postgresql":
            cursor.execute("ANALYZE")
    return {"fill_s": time.perf_counter() - begun}


def release(name: str) -> int:
    """Let an alert for one of the areas go out; give its id."""
    from datetime import timedelta

    from shapely.geometry import mapping

    from commonbeat.alerts.actions.drafts import Draft, Drawn, Words, compose_draft
    from commonbeat.alerts.actions.release import release as let_go
    from commonbeat.foundation import clock
    from commonbeat.people.models import User

    now, officer = clock.now(), User.objects.get(username="officer")
    words = {
        "en": Words(
            "Do not drink the tap water", "The pipe broke at noon.", "Everywhere", "Boil it for three minutes."
        ),
        "sq": Words("Mos pini ujë nga rubineti", "Gypi u dëmtua në mesditë.", "Kudo", "Zieni ujin tri minuta."),
        "ar": Words("لا تشربوا ماء الصنبور", "انكسر الأنبوب ظهرا.", "في كل مكان", "اغلوا الماء ثلاث دقائق."),
    }
    draft = Draft(
        kind="water", urgency="Expected", severity="Moderate", certainty="Observed",
        expires_at=now + timedelta(days=3), drawn=Drawn(polygons=[dict(mapping(area(name)))]), texts=words,
    )  # fmt: skip
    alert = compose_draft(draft=draft, actor=officer, now=now)
    return let_go(alert_id=alert.pk, actor=officer, now=now).pk


def _towns(chance: np.random.Generator) -> npt.NDArray[np.float64]:
    return np.column_stack([chance.uniform(41.9, 43.2, 60), chance.uniform(20.1, 21.7, 60)])


def _batches(number: int) -> Iterator[list[tuple[int, float, float, float]]]:
    columns = [column.tolist() for column in places(number)]
    for at in range(0, number, _BATCH):
        part = slice(at, min(at + _BATCH, number))
        yield list(zip(range(at + 1, number + 1), *(column[part] for column in columns), strict=False))


def _write(cursor: Any, same: Any, differing: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> None:
    """Write rows that differ from one of the ORM in a few columns; a million by the ORM take minutes."""
    from django.db import connection, transaction

    fields = [field for field in same._meta.concrete_fields if field.column not in differing]
    rest = tuple(field.get_db_prep_save(getattr(same, field.attname), connection) for field in fields)
    table, names = same._meta.db_table, ", ".join([*differing, *(field.column for field in fields)])
    if connection.vendor == "postgresql":
        with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row((*row, *rest))
        return
    marks = ", ".join(["%s"] * (len(differing) + len(rest)))
    with transaction.atomic():
        cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", [(*row, *rest) for row in rows])
