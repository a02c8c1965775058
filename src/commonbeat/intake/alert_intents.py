"""What the dialogue knows of alerts, and what it wants done."""

from __future__ import annotations

from dataclasses import dataclass

# Metres around a place that somebody names by message.
ALERT_RADIUS = 3_000
# After an alert that asks for sightings, what begins with "I saw" within so many seconds answers it.
LOOKING_SECONDS = 48 * 60 * 60
# After one, what is about nothing else is asked within so many seconds whether it answers it.
ANSWERING_SECONDS = 2 * 60 * 60


@dataclass(frozen=True, slots=True)
class AlertPlace:
    """One place for which this person gets alerts."""

    subscription_id: int
    # As the person calls it; empty for a point or an area of a map.
    label: str = ""
    is_everywhere: bool = False
    # An area that the person drew.
    is_drawn: bool = False


@dataclass(frozen=True, slots=True)
class AlertPlaces:
    """The places of this person, oldest first."""

    places: tuple[AlertPlace, ...] = ()
    # No more can be added.
    is_full: bool = False


@dataclass(frozen=True, slots=True)
class LookOut:
    """An alert that asks for sightings: it is out, or this person has had it lately."""

    # Of the first message of its chain.
    alert_id: int
    headline: str
    # When this person had it last (seconds since 1970); 0 when they never had it.
    asked_at: int = 0
    is_active: bool = True
    # The newest report of this person that answers it; 0 where there is none, or nobody has looked.
    report_id: int = 0


@dataclass(frozen=True, slots=True)
class GetAlerts:
    """Send this person the alerts for a place, or without coordinates all of them."""

    language: str
    label: str = ""
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True, slots=True)
class EndAlerts:
    """Send this person no more alerts: for one place, or for 0 at all."""

    subscription_id: int = 0


@dataclass(frozen=True, slots=True)
class EndAlertKind:
    """Send this person no more alerts of one kind."""

    kind: str


@dataclass(frozen=True, slots=True)
class AnswersAlert:
    """Take a report for the answer to an alert."""

    report_id: int
    alert_id: int


AlertIntent = GetAlerts | EndAlerts | EndAlertKind | AnswersAlert
