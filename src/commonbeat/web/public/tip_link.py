"""Whether pages lead to the form of tips."""

from __future__ import annotations

import time

from django.db import connection

from commonbeat.tips.models import DeskKind
from commonbeat.tips.queries import open_desks

# Home and alerts are what most people read; that a desk has opened is seen this much later.
_SECONDS = 20.0
_kept: tuple[float, bool] | None = None


def takes_tips_anywhere() -> bool:
    """Tell whether any desk takes tips; kept for some seconds."""
    global _kept
    moment = time.monotonic()
    if _kept is None or connection.in_atomic_block or moment - _kept[0] > _SECONDS:
        _kept = (moment, bool(open_desks(DeskKind.TIPS)))
    return _kept[1]
