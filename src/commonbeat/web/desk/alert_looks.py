"""How often an officer may ask how many people an area would reach.

Numbers are told in steps of five, and still many drawings of nearly the same area tell where a step is, and with it
where somebody lives. So each new area is journalled, and after some there is no number for an hour; the alert can go
out all the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from hashlib import blake2b
from typing import Any

from commonbeat.alerts.actions.looks import note_look
from commonbeat.people.models import User
from commonbeat.web import throttle

# Who composes an alert looks at five to ten.
LOOKS = throttle.Limit("areas of alerts", 40, 3600)
_SEEN = throttle.Limit("one area of alerts", 1, 3600)
TOO_MANY = (
    "You have looked at many areas. How many people one would reach is told again within the hour; the alert can go out"
    " all the same."
)


def may_look(viewer: User, area: Mapping[str, Any], *, alert_id: int | None, now: datetime) -> bool:
    """Tell whether a person may learn how many an area would reach, and count it; the same area again is free."""
    shape = blake2b(json.dumps(area, sort_keys=True).encode(), digest_size=16).hexdigest()
    seen = f"{viewer.pk}:{shape}"
    if throttle.is_over_for(seen, _SEEN):
        return True
    if throttle.count_for(str(viewer.pk), LOOKS) > LOOKS.most:
        return False
    throttle.count_for(seen, _SEEN)
    note_look(alert_id=alert_id, actor_id=viewer.pk, now=now)
    return True
