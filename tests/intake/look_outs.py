"""A town with places, and alerts that ask its people to look out."""

from __future__ import annotations

from typing import Any

from commonbeat.alerts.actions.drafts import Drawn, Words
from commonbeat.alerts.models import Alert
from commonbeat.messaging.models import Outbound, OutboundState
from commonbeat.people.models import User
from commonbeat.topics.ready_made import install_ready_made
from tests import make
from tests.alerts.going_out import WORDS, alert_out, draft_of, fan_out
from tests.intake.phone import Phone

BRIDGE = {"en": "Old Bridge", "sq": "Ura e Vjetër", "ar": "الجسر القديم"}


def make_town() -> None:
    """Make topics, and places of which two share a name."""
    install_ready_made(make.NOW)
    make.make_place(names=BRIDGE, latitude=42.381, longitude=20.43)
    make.make_place(
        names={"en": "Market Street", "sq": "Rruga e Tregut", "ar": "شارع السوق"}, latitude=42.39, longitude=20.44
    )
    make.make_place(names={"en": "School North"}, latitude=42.40, longitude=20.45)
    make.make_place(names={"en": "School South"}, latitude=42.36, longitude=20.45)


def look_out(officer: User, phone: Phone | None = None, **changes: Any) -> Alert:
    """Release an alert that asks for sightings, and let it go out."""
    now = phone.now if phone is not None else make.NOW
    arabic = Words("سيارة بيضاء", "سيارة بيضاء بلا لوحات.", "الجسر", "لا تقتربوا منها.")
    fields: dict[str, Any] = {
        "kind": "look_out", "now": now, "drawn": Drawn(circles=[(42.381, 20.43, 2_000)]),
        "texts": {**WORDS, "ar": arabic}, **changes,
    }  # fmt: skip
    alert = alert_out(officer, draft=draft_of(**fields), now=now)
    fan_out(alert, now=now)
    # What still waits in the outbox would be taken back by an end.
    Outbound.objects.filter(broadcast__isnull=False).update(state=OutboundState.SENT, sent_at=now)
    return alert
