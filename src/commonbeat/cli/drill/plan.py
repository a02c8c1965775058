"""What a drill is to do, handed from the command to the process that carries it out; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

CHANNELS = ("sms", "push", "email")


class Beat(msgspec.Struct, frozen=True):
    """A beat of the real site: its outline, and whether the alert is for it."""

    area: dict[str, Any]
    is_alerted: bool = True


class Plan(msgspec.Struct, frozen=True):
    """All that the other process knows of the real site."""

    people: int
    # Messages a second, by channel.
    rates: dict[str, float]
    beats: list[Beat]
    # GeoJSON polygons, where the alert is not for beats.
    polygons: list[dict[str, Any]]
    languages: list[str]
    # What takes longer counts as delayed, and how long the drill waits at all.
    seconds: float
    give_up: float
    # Shares, from 0 to 1: refused for good, and refused at first.
    failing: float
    stumbling: float
    seed: int

    def encoded(self) -> bytes:
        """Give it as JSON."""
        return msgspec.json.encode(self)


def plan_of(data: bytes) -> Plan:
    """Read a plan."""
    return msgspec.json.decode(data, type=Plan)


def polygons_in(tree: Any) -> list[dict[str, Any]]:
    """Give the polygons of a GeoJSON document of any kind; ValueError where there are none."""
    if not isinstance(tree, Mapping):
        raise ValueError("not GeoJSON")
    kind = tree.get("type")
    if kind == "FeatureCollection":
        return _all(tree.get("features"))
    if kind == "Feature":
        return polygons_in(tree.get("geometry"))
    if kind == "GeometryCollection":
        return _all(tree.get("geometries"))
    if kind == "Polygon":
        return [dict(tree)]
    if kind == "MultiPolygon" and isinstance(tree.get("coordinates"), list):
        return [{"type": "Polygon", "coordinates": rings} for rings in tree["coordinates"]]
    raise ValueError("no polygon")


def _all(parts: Any) -> list[dict[str, Any]]:
    if not isinstance(parts, Sequence) or not parts:
        raise ValueError("no polygon")
    return [polygon for part in parts for polygon in polygons_in(part)]
