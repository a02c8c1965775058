"""When a report is due, and how one that is expected stands; pure."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

# So long after the due time a reminder is sent: whoever is a little late needs none.
GRACE = timedelta(minutes=30)


class Standing(enum.StrEnum):
    """How an expected report stands."""

    REPORTED = "reported"
    LATE = "late"
    MISSING = "missing"
    EXPECTED = "expected"
    FREE = "free"


@dataclass(frozen=True, slots=True)
class Period:
    """The day or week in which a report is expected, and the moment at which it is due."""

    starts: datetime
    due: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class Schedule:
    """How often, on which day, at what time."""

    rhythm: str
    weekday: int
    due_at: time

    def period_at(self, moment: datetime, zone: tzinfo | ZoneInfo) -> Period:
        """Give the period that contains a moment, by the site's clock; of reports without a rhythm it is the day."""
        today = moment.astimezone(zone).date()
        first, days, due_day = today, 1, today
        if self.rhythm == "weekly":
            first, days = today - timedelta(days=today.weekday()), 7
            due_day = first + timedelta(days=self.weekday)
        return Period(
            starts=datetime.combine(first, time(0), zone),
            due=datetime.combine(due_day, self.due_at, zone),
            ends=datetime.combine(first + timedelta(days=days), time(0), zone),
        )

    def standing(self, moment: datetime, zone: tzinfo, *, reported_at: datetime | None) -> Standing:
        """Tell how it stands, given the first report within the period that contains the moment."""
        period = self.period_at(moment, zone)
        if self.rhythm == "none":
            return Standing.REPORTED if reported_at is not None else Standing.FREE
        if reported_at is not None:
            return Standing.LATE if reported_at > period.due else Standing.REPORTED
        return Standing.MISSING if moment > period.due else Standing.EXPECTED

    def is_reminder_due(self, moment: datetime, zone: tzinfo) -> bool:
        """Tell whether whoever has not reported in this period should be reminded by now."""
        period = self.period_at(moment, zone)
        return self.rhythm != "none" and period.due + GRACE <= moment < period.ends
