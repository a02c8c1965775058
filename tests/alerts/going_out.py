"""Alerts, and people who asked for them, through the actions that pages use."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from commonbeat.alerts.actions.drafts import Draft, Drawn, Words, compose_draft
from commonbeat.alerts.actions.fanning import fan_out_batch, next_fan_out, plan_fan_out
from commonbeat.alerts.actions.release import release
from commonbeat.alerts.actions.subscribing import Where, Wish, subscribe
from commonbeat.alerts.models import Alert, FanOut, Subscription
from commonbeat.messaging.models import Contact, Outbound
from commonbeat.messaging.sealing import seal_address
from commonbeat.people.models import User
from tests import make

_numbers = itertools.count(1)
WORDS = {
    "en": Words("Water cut in the old town", "The main pipe broke at noon.", "Old town", "Keep some water."),
    "sq": Words("Nuk ka ujë në qytetin e vjetër", "Gypi kryesor u dëmtua në mesditë.", "Qyteti i vjetër", "Ruani ujë."),
}
HOME = Where(latitude=make.LATITUDE, longitude=make.LONGITUDE, radius=1_000)


def draft_of(
    *, now: datetime = make.NOW, hours: float = 24, texts: Mapping[str, Words] = WORDS, **changes: Any
) -> Draft:
    """Give what an officer says of an alert that one person may release; `changes` replace fields."""
    fields: dict[str, Any] = {
        "kind": "water",
        "urgency": "Expected",
        "severity": "Moderate",
        "certainty": "Observed",
        "expires_at": now + timedelta(hours=hours),
        "drawn": Drawn(polygons=[make.square(half=0.02)]),
        "texts": texts,
        **changes,
    }
    return Draft(**fields)


def urgent(**changes: Any) -> Draft:
    """Give what takes two people, and breaks quiet hours."""
    return draft_of(**{"kind": "danger", "urgency": "Immediate", "severity": "Severe", **changes})


def alert_out(
    author: User, *, draft: Draft | None = None, second: User | None = None, now: datetime = make.NOW
) -> Alert:
    """Compose an alert and release it."""
    alert = compose_draft(draft=draft or draft_of(now=now), actor=author, now=now)
    return release(alert_id=alert.pk, actor=second or author, now=now)


def subscriber(
    *, where: Where = HOME, language: str = "en", now: datetime = make.NOW, contact: Contact | None = None, **wish: Any
) -> Contact:
    """Make somebody who asked for alerts, at home in the middle of the made beat."""
    contact = contact or make.make_contact(language=language)
    subscribe(contact=contact, where=where, language=language, wish=Wish(**wish), is_confirmed=True, now=now)
    return contact


def many_subscribers(number: int, *, now: datetime = make.NOW) -> list[int]:
    """Make many contacts with a subscription each, as bare rows; give the ids of the contacts, ascending."""
    sealed = seal_address(settings.COMMONBEAT.secret, "+38344000000")
    start = next(_numbers) * 1_000_000
    contacts = Contact.objects.bulk_create(
        Contact(
            kind="phone",
            address_sealed=sealed,
            address_hash=(start + i).to_bytes(32, "big"),
            handle=f"Many {start + i}",
            channel="demo_sms",
            created_at=now,
            last_seen_at=now,
        )
        for i in range(number)
    )
    Subscription.objects.bulk_create(
        Subscription(
            contact=contact,
            shape="point",
            latitude=make.LATITUDE,
            longitude=make.LONGITUDE,
            radius=1_000,
            language="en",
            created_at=now,
            confirmed_at=now,
        )
        for contact in contacts
    )
    return sorted(contact.pk for contact in contacts)


def fan_out(alert: Alert, *, now: datetime = make.NOW, limit: int = 1_000) -> FanOut:
    """Queue an alert to the end, and give the account of it."""
    while (pk := next_fan_out()) is not None:
        plan = plan_fan_out(fan_out_id=pk, now=now)
        while fan_out_batch(plan=plan, limit=limit, now=now):
            pass
    account = FanOut.objects.get(alert=alert)
    parts = account.queued + account.capped + account.asleep + account.silent + account.recalled
    assert account.passed == parts, "each is in one number"
    return account


def rows_of(alert: Alert) -> list[Outbound]:
    """Give the messages of an alert, by contact."""
    found = Outbound.objects.filter(idempotency_key__startswith=f"alert:{alert.pk}:")
    return list(found.select_related("broadcast", "contact").order_by("contact_id"))
