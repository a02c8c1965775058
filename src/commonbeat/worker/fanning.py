"""Let alerts go out: the list of recipients is kept ready in memory, and queued in batches."""

from __future__ import annotations

import time
from collections.abc import Callable

from commonbeat.alerts import index
from commonbeat.alerts.actions.fanning import (
    BATCH,
    FIRST_BATCH,
    Plan,
    fan_out_batch,
    next_fan_out,
    plan_fan_out,
)
from commonbeat.foundation import clock

# Between two looks whether subscriptions have changed, while nothing is to be done; an alert looks at once.
REFRESH_SECONDS = 5.0
# What failed is tried again after so long.
PUT_OFF_SECONDS = 30.0
# SQLite has one writer at a time and no queue: without a break between our transactions others starve.
_BREAK_SECONDS = 0.005


class Fanning:
    """Hold the plan of the alert that is going out."""

    def __init__(self, *, on_queued: Callable[[], None]) -> None:
        """Take what is to be called when there is something to send."""
        self._on_queued = on_queued
        self._plan: Plan | None = None
        self._refresh_at = 0.0
        self._put_off: dict[int, float] = {}

    def step(self) -> int:
        """Queue one batch; give how many recipients were dealt with, 0 when nothing is to be done."""
        moment = time.monotonic()
        self._put_off = {pk: until for pk, until in self._put_off.items() if moment < until}
        fan_out_id = next_fan_out(without=self._put_off)
        if fan_out_id is None:
            self._plan = None
            self._keep_ready()
            return 0
        try:
            return self._queue(fan_out_id)
        except Exception:
            # The loop tells of it and comes again; meanwhile the others are not kept waiting.
            self._plan = None
            self._put_off[fan_out_id] = moment + PUT_OFF_SECONDS
            raise

    def _queue(self, fan_out_id: int) -> int:
        plan, limit = self._plan, BATCH
        if plan is None or plan.fan_out_id != fan_out_id:
            # An urgent one overtakes what is going out; that goes on behind its cursor.
            plan = self._plan = plan_fan_out(fan_out_id=fan_out_id, now=clock.now())
            limit = FIRST_BATCH
        done = fan_out_batch(plan=plan, limit=limit, now=clock.now())
        self._on_queued()
        time.sleep(_BREAK_SECONDS)
        # One for the look whether another one waits.
        return done or 1

    def _keep_ready(self) -> None:
        # Reading a million takes seconds, which an alert does not have.
        moment = time.monotonic()
        if moment >= self._refresh_at:
            index.current()
            self._refresh_at = moment + REFRESH_SECONDS
