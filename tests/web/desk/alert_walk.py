"""Walk through the desk's pages of alerts as an officer without JavaScript does."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from html import unescape
from typing import Any

from django.test import Client
from django.urls import reverse

from commonbeat.alerts.actions.drafts import Draft, Drawn, Words, compose_draft
from commonbeat.alerts.actions.release import release
from commonbeat.alerts.models import Alert
from commonbeat.foundation import clock
from commonbeat.people.models import User
from tests import make

WORDS = {
    "en": Words("Water cut in the old town", "The main pipe broke at noon.", "Old town", "Keep some water."),
    "sq": Words("Nuk ka ujë në qytetin e vjetër", "Gypi kryesor u dëmtua në mesditë.", "Qyteti i vjetër", "Ruani ujë."),
    "ar": Words(
        "انقطاع الماء في البلدة القديمة", "انكسر الأنبوب الرئيسي ظهرا.", "البلدة القديمة", "احتفظوا ببعض الماء."
    ),
}
SQUARE = json.dumps(make.square(half=0.02))
WORD_FIELDS = {
    f"{name}_{language}": getattr(words, name)
    for language, words in WORDS.items()
    for name in ("headline", "description", "instruction", "area_desc")
}


def draft(author: User, **changes: Any) -> Alert:
    """Store a draft that one person may release."""
    now = clock.now()
    fields: dict[str, Any] = {
        "kind": "water",
        "urgency": "Expected",
        "severity": "Moderate",
        "certainty": "Observed",
        "expires_at": now + timedelta(hours=24),
        "drawn": Drawn(polygons=[make.square(half=0.02)]),
        "texts": WORDS,
        **changes,
    }
    return compose_draft(draft=Draft(**fields), actor=author, now=now)


def urgent(author: User, **changes: Any) -> Alert:
    """Store a draft that takes two people."""
    return draft(author, **{"kind": "danger", "urgency": "Immediate", "severity": "Severe", **changes})


def out(author: User, second: User | None = None, **changes: Any) -> Alert:
    """Let an alert go out."""
    alert = urgent(author, **changes) if second is not None else draft(author, **changes)
    return release(alert_id=alert.pk, actor=second or author, now=clock.now())


def address(name: str, alert: Alert | int, **more: str) -> str:
    """Give the address of a page of one alert."""
    pk = alert if isinstance(alert, int) else alert.pk
    return reverse(f"desk:{name}", kwargs={"alert_id": pk, **more})


def step(alert: Alert | int, name: str) -> str:
    """Give the address of a step."""
    return address("alert_step", alert, part=name)


def seen_on(page: Any) -> str:
    """Read of a page which state of the draft it shows."""
    found = re.search(r'name="seen" value="([^"]+)"', page.content.decode())
    assert found is not None
    return unescape(found[1])


def act(client: Client, alert: Alert, verb: str, **data: str) -> Any:
    """Press a button of the page as it stands."""
    page = client.get(address("alert", alert))
    return client.post(address("alert_act", alert, verb=verb), {"seen": seen_on(page), **data})
