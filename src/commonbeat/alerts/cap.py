"""Messages of the Common Alerting Protocol 1.2 as plain values, and as XML; names as the specification spells them.

What is written is valid against the schema of CAP 1.2 and keeps to what stricter profiles and aggregators ask for:
expires, web, senderName, a headline that is not the description, an area with geometry, at most 6 decimals, times
without fractions and without `Z` (UTC is written -00:00).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from lxml import etree

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
MEDIA_TYPE = "application/cap+xml"

STATUSES = ("Actual", "Exercise", "System", "Test", "Draft")
MSG_TYPES = ("Alert", "Update", "Cancel", "Ack", "Error")
SCOPES = ("Public", "Restricted", "Private")
CATEGORIES = (
    "Geo", "Met", "Safety", "Security", "Rescue", "Fire", "Health", "Env", "Transport", "Infra", "CBRNE", "Other",
)  # fmt: skip
RESPONSE_TYPES = ("Shelter", "Evacuate", "Prepare", "Execute", "Avoid", "Monitor", "Assess", "AllClear", "None")
URGENCIES = ("Immediate", "Expected", "Future", "Past", "Unknown")
SEVERITIES = ("Extreme", "Severe", "Moderate", "Minor", "Unknown")
CERTAINTIES = ("Observed", "Likely", "Possible", "Unlikely", "Unknown")

LONGEST_HEADLINE = 160
# Identifier and sender stand in a list that spaces and commas part.
_NAME = re.compile(r"[^\s,<&\x00-\x1f\x7f-\x9f]{1,200}")
_LANGUAGE = re.compile(r"[a-zA-Z]{1,8}(-[a-zA-Z0-9]{1,8})*")
_ADDRESS = re.compile(r"https?://[!-~]{1,480}")
# What XML 1.0 cannot say, and control characters that it can; lone surrogates too.
_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")

Point = tuple[float, float]
"""Latitude and longitude in degrees."""


class CapError(ValueError):
    """Carry a code (`code`) and the element that it is about (`element`)."""

    def __init__(self, code: str, element: str = "") -> None:
        super().__init__(f"{code}: {element}" if element else code)
        self.code = code
        self.element = element


@dataclass(frozen=True, slots=True)
class CapCircle:
    """A circle: its centre in degrees, its radius in kilometres."""

    centre: Point
    radius: float


@dataclass(frozen=True, slots=True)
class CapArea:
    """An area: all of its polygons and circles together. Each polygon is a closed ring without holes."""

    areaDesc: str
    polygon: tuple[tuple[Point, ...], ...] = ()
    circle: tuple[CapCircle, ...] = ()
    geocode: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class CapResource:
    """A picture or document that goes with a message."""

    resourceDesc: str
    mimeType: str
    uri: str = ""
    size: int | None = None
    digest: str = ""


@dataclass(frozen=True, slots=True)
class CapInfo:
    """What a message says in one language."""

    category: tuple[str, ...]
    event: str
    urgency: str
    severity: str
    certainty: str
    language: str = "en-US"
    responseType: tuple[str, ...] = ()
    audience: str = ""
    eventCode: tuple[tuple[str, str], ...] = ()
    effective: datetime | None = None
    onset: datetime | None = None
    expires: datetime | None = None
    senderName: str = ""
    headline: str = ""
    description: str = ""
    instruction: str = ""
    web: str = ""
    contact: str = ""
    parameter: tuple[tuple[str, str], ...] = ()
    resource: tuple[CapResource, ...] = ()
    area: tuple[CapArea, ...] = ()


@dataclass(frozen=True, slots=True)
class CapReference:
    """Another message: who sent it, under which identifier, when."""

    sender: str
    identifier: str
    sent: datetime


@dataclass(frozen=True, slots=True)
class CapAlert:
    """One message."""

    identifier: str
    sender: str
    sent: datetime
    status: str = "Actual"
    msgType: str = "Alert"
    scope: str = "Public"
    source: str = ""
    restriction: str = ""
    addresses: str = ""
    code: tuple[str, ...] = ()
    note: str = ""
    references: tuple[CapReference, ...] = ()
    incidents: str = ""
    info: tuple[CapInfo, ...] = ()


def write(alert: CapAlert) -> bytes:
    """Give a message as XML, without a signature; CapError when it is not what profiles ask for.

    No white space stands between elements: some verifiers strip it, and a signature must outlive that.
    """
    return serialize(element_of(alert))


def element_of(alert: CapAlert) -> etree._Element:
    """Give a message as an element; CapError as in `write`."""
    _check(alert)
    root = etree.Element(f"{{{NAMESPACE}}}alert", nsmap={None: NAMESPACE})
    _add(root, "identifier", alert.identifier)
    _add(root, "sender", alert.sender)
    _add(root, "sent", moment_text(alert.sent))
    for name in ("status", "msgType", "source", "scope", "restriction", "addresses"):
        _add(root, name, getattr(alert, name))
    for code in alert.code:
        _add(root, "code", code)
    _add(root, "note", alert.note)
    _add(root, "references", " ".join(reference_text(each) for each in alert.references))
    _add(root, "incidents", alert.incidents)
    for info in alert.info:
        _add_info(root, info)
    return root


def serialize(root: etree._Element) -> bytes:
    """Give an element as the bytes of a document."""
    written: bytes = etree.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def moment_text(moment: datetime) -> str:
    """Write a moment as CAP does: whole seconds, with its offset, UTC as -00:00; CapError without a zone."""
    offset = moment.utcoffset()
    if offset is None:
        raise CapError("no zone", "sent")
    if offset.total_seconds() % 60:
        # Local mean times of the nineteenth century have seconds; CAP cannot say them.
        moment, offset = moment.astimezone(UTC), timedelta(0)
    if not 1000 <= moment.year <= 9999:
        raise CapError("year", "sent")
    minutes = int(offset.total_seconds()) // 60
    sign = "+" if minutes > 0 else "-"
    return f"{moment:%Y-%m-%dT%H:%M:%S}{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def reference_text(reference: CapReference) -> str:
    """Write a reference: sender,identifier,sent."""
    _named(reference.sender, "references")
    _named(reference.identifier, "references")
    return f"{reference.sender},{reference.identifier},{moment_text(reference.sent)}"


def number_text(number: float) -> str:
    """Write a number with at most 6 decimals, never in scientific notation."""
    text = f"{number:.6f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def closed_ring(points: Iterable[Point]) -> tuple[Point, ...]:
    """Round a ring to 6 decimals, without points that repeat the one before, closed; empty when nothing is left."""
    ring: list[Point] = []
    for latitude, longitude in points:
        # Adding zero makes 0.0 of -0.0.
        point = (round(latitude, 6) + 0.0, round(longitude, 6) + 0.0)
        if not ring or ring[-1] != point:
            ring.append(point)
    if ring and ring[0] != ring[-1]:
        ring.append(ring[0])
    return tuple(ring) if len(ring) >= 4 else ()


def _check(alert: CapAlert) -> None:
    _named(alert.identifier, "identifier")
    _named(alert.sender, "sender")
    if alert.sent.utcoffset() is None:
        raise CapError("no zone", "sent")
    _one_of(alert.status, STATUSES, "status")
    _one_of(alert.msgType, MSG_TYPES, "msgType")
    _one_of(alert.scope, SCOPES, "scope")
    if (alert.scope == "Restricted") != bool(alert.restriction):
        raise CapError("missing", "restriction")
    if alert.scope == "Private" and not alert.addresses:
        raise CapError("missing", "addresses")
    if alert.msgType != "Alert" and not alert.references:
        raise CapError("missing", "references")
    if alert.msgType == "Alert" and alert.references:
        raise CapError("unexpected", "references")
    if alert.status in ("Exercise", "Test") and not alert.note:
        raise CapError("missing", "note")
    if not alert.info:
        raise CapError("missing", "info")
    languages = [info.language.lower() for info in alert.info]
    if len(set(languages)) != len(languages):
        raise CapError("twice", "language")
    for info in alert.info:
        _check_info(info, alert.sent)


def _check_info(info: CapInfo, sent: datetime) -> None:
    if not _LANGUAGE.fullmatch(info.language):
        raise CapError("not a tag", "language")
    if not info.category:
        raise CapError("missing", "category")
    for values, known, name in (
        (info.category, CATEGORIES, "category"),
        (info.responseType, RESPONSE_TYPES, "responseType"),
        ((info.urgency,), URGENCIES, "urgency"),
        ((info.severity,), SEVERITIES, "severity"),
        ((info.certainty,), CERTAINTIES, "certainty"),
    ):
        for value in values:
            _one_of(value, known, name)
    for name in ("event", "senderName", "headline", "description", "web", "area", "expires"):
        if not getattr(info, name):
            raise CapError("missing", name)
    if len(info.headline) > LONGEST_HEADLINE:
        raise CapError("too long", "headline")
    if info.headline.strip() == info.description.strip():
        raise CapError("the same as headline", "description")
    if not _ADDRESS.fullmatch(info.web):
        raise CapError("not an address", "web")
    if info.expires is None or info.expires.utcoffset() is None:
        raise CapError("no zone", "expires")
    if info.expires <= sent:
        raise CapError("before sent", "expires")
    for area in info.area:
        _check_area(area)


def _check_area(area: CapArea) -> None:
    if not area.areaDesc:
        raise CapError("missing", "areaDesc")
    if not (area.polygon or area.circle):
        raise CapError("no geometry", "area")
    for ring in area.polygon:
        if len(ring) < 4 or ring[0] != ring[-1]:
            raise CapError("not closed", "polygon")
        for point in ring:
            _check_point(point, "polygon")
    for circle in area.circle:
        _check_point(circle.centre, "circle")
        # Written with 6 decimals, a smaller one would be a circle of nothing.
        if not (math.isfinite(circle.radius) and 0.000001 <= circle.radius <= 20_100):
            raise CapError("radius", "circle")


def _check_point(point: Point, element: str) -> None:
    latitude, longitude = point
    # NaN is not between anything.
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise CapError("off the globe", element)


def _named(text: str, element: str) -> None:
    if not _NAME.fullmatch(text) or _FORBIDDEN.search(text):
        raise CapError("not a name", element)


def _one_of(value: str, known: tuple[str, ...], element: str) -> None:
    if value not in known:
        raise CapError("unknown", element)


def _add_info(root: etree._Element, info: CapInfo) -> None:
    node = etree.SubElement(root, f"{{{NAMESPACE}}}info")
    _add(node, "language", info.language)
    for category in info.category:
        _add(node, "category", category)
    _add(node, "event", info.event)
    for response in info.responseType:
        _add(node, "responseType", response)
    for name in ("urgency", "severity", "certainty", "audience"):
        _add(node, name, getattr(info, name))
    _add_pairs(node, "eventCode", info.eventCode)
    for name in ("effective", "onset", "expires"):
        moment = getattr(info, name)
        if moment is not None:
            _add(node, name, moment_text(moment))
    for name in ("senderName", "headline", "description", "instruction", "web", "contact"):
        _add(node, name, getattr(info, name))
    _add_pairs(node, "parameter", info.parameter)
    for resource in info.resource:
        _add_resource(node, resource)
    for area in info.area:
        _add_area(node, area)


def _add_resource(info: etree._Element, resource: CapResource) -> None:
    if not (resource.resourceDesc and resource.mimeType):
        raise CapError("missing", "resource")
    node = etree.SubElement(info, f"{{{NAMESPACE}}}resource")
    _add(node, "resourceDesc", resource.resourceDesc)
    _add(node, "mimeType", resource.mimeType)
    _add(node, "size", "" if resource.size is None else str(resource.size))
    _add(node, "uri", resource.uri)
    _add(node, "digest", resource.digest)


def _add_area(info: etree._Element, area: CapArea) -> None:
    node = etree.SubElement(info, f"{{{NAMESPACE}}}area")
    _add(node, "areaDesc", area.areaDesc)
    for ring in area.polygon:
        _add(node, "polygon", " ".join(_point_text(point) for point in ring))
    for circle in area.circle:
        _add(node, "circle", f"{_point_text(circle.centre)} {number_text(circle.radius)}")
    _add_pairs(node, "geocode", area.geocode)


def _add_pairs(parent: etree._Element, name: str, pairs: tuple[tuple[str, str], ...]) -> None:
    for value_name, value in pairs:
        if not value_name:
            raise CapError("missing", name)
        node = etree.SubElement(parent, f"{{{NAMESPACE}}}{name}")
        # These two may be empty, and must be there.
        for tag, text in (("valueName", value_name), ("value", value)):
            child = etree.SubElement(node, f"{{{NAMESPACE}}}{tag}")
            child.text = _clean(text, name)


def _point_text(point: Point) -> str:
    return f"{number_text(point[0])},{number_text(point[1])}"


def _add(parent: etree._Element, name: str, text: str) -> None:
    if text:
        etree.SubElement(parent, f"{{{NAMESPACE}}}{name}").text = _clean(text, name)


def _clean(text: str, element: str) -> str:
    if _FORBIDDEN.search(text):
        raise CapError("control character", element)
    return text
