"""Alerts as bare rows, for tests of what shows them: no action has to be able to make such a state."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from commonbeat.alerts.models import Alert, AlertState, AlertText, MsgType
from tests import make

_numbers = itertools.count(1)
TEXTS = {
    "en": ("Do not drink the water", "Water from the tap is not safe. It smells of oil."),
    "sq": ("Mos pini ujin", "Uji i rubinetit nuk është i sigurt."),
    "ar": ("لا تشربوا الماء", "ماء الصنبور غير آمن."),
}


def alert_row(
    *,
    now: datetime = make.NOW,
    hours: float = 6,
    area: Mapping[str, Any] | None = None,
    texts: Mapping[str, tuple[str, str]] | None = None,
    instruction: str = "Boil it first.",
    place: str = "Old town",
    **changes: Any,
) -> Alert:
    """Make a released message with its texts; `changes` replace fields."""
    geometry = dict(area or make.square(half=0.02))
    flat = [point for ring in _rings(geometry) for point in ring]
    fields: dict[str, Any] = {
        "identifier": f"test.{next(_numbers)}",
        "kind": "water",
        "urgency": "Expected",
        "severity": "Moderate",
        "certainty": "Observed",
        "state": AlertState.RELEASED,
        "expires_at": now + timedelta(hours=hours),
        "area": geometry,
        "south": min(point[1] for point in flat),
        "north": max(point[1] for point in flat),
        "west": min(point[0] for point in flat),
        "east": max(point[0] for point in flat),
        "created_at": now,
        "changed_at": now,
        "released_at": now,
        **changes,
    }
    alert = Alert.objects.create(**fields)
    for language, (headline, description) in (texts or TEXTS).items():
        AlertText.objects.create(
            alert=alert,
            language=language,
            headline=headline,
            description=description,
            instruction=instruction,
            area_desc=place,
        )
    return alert


def follow_up(root: Alert, *, now: datetime, msg_type: str = MsgType.UPDATE, **changes: Any) -> Alert:
    """Make a message that follows."""
    return alert_row(now=now, root=root, previous=root, msg_type=msg_type, kind=root.kind, **changes)


def _rings(geometry: Mapping[str, Any]) -> list[Any]:
    parts = [geometry["coordinates"]] if geometry["type"] == "Polygon" else geometry["coordinates"]
    return [ring for part in parts for ring in part]
