"""Read messages of others: nothing in them is trusted, and what cannot be used is refused with a code; pure."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta

from lxml import etree

from commonbeat.alerts import cap
from commonbeat.alerts.cap import CapAlert, CapArea, CapCircle, CapError, CapInfo, CapReference, CapResource, Point
from commonbeat.foundation.text import clean_text

MESSAGE_BYTES = 1_000_000
# A message has five levels, one in a feed of wrapped messages a dozen.
DEEPEST = 40
MOST_ELEMENTS = 200_000
MOST_INFOS, MOST_AREAS, MOST_SHAPES, MOST_REFERENCES = 20, 500, 2_000, 100
LONGEST_TEXT = 8_000
EXPIRES_AFTER = timedelta(hours=24)

NAMESPACES = ("urn:oasis:names:tc:emergency:cap:1.2", "urn:oasis:names:tc:emergency:cap:1.1")
# What weather services write; Python knows others, some of which are no encodings of text at all.
_ENCODINGS = frozenset(
    {"utf-8", "utf8", "utf-16", "us-ascii", "ascii", "iso-8859-1", "iso-8859-2", "iso-8859-5", "iso-8859-6",
     "iso-8859-15", "windows-1250", "windows-1251", "windows-1252", "windows-1256", "koi8-r", "gb2312", "gbk",
     "gb18030", "big5", "shift_jis", "euc-jp", "euc-kr"}
)  # fmt: skip
_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_DECLARATION = re.compile(r"\s*<\?xml\b[^>]{0,300}\?>")
_DECLARED = re.compile(rb"""^\s*<\?xml\b[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_PROLOG = re.compile(r"(?:\s+|<\?.*?\?>|<!--.*?-->)*", re.DOTALL)
_MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII
)  # fractions and Z are forbidden, and written all the same
_NUMBER = re.compile(r"[+-]?(?:\d{1,9}(?:\.\d{0,30})?|\.\d{1,30})(?:[eE][+-]?\d{1,2})?", re.ASCII)


def read(data: bytes) -> CapAlert:
    """Read one message; CapError with a code where it cannot be used."""
    return message_in(parse(data, MESSAGE_BYTES))


def parse(data: bytes, limit: int) -> etree._Element:
    """Parse XML that may mean harm: no document type, no entities, no network, within limits."""
    if len(data) > limit:
        raise CapError("too large")
    text = _decoded(data)
    if "\x00" in text:
        raise CapError("NUL")
    if text.count("<") > MOST_ELEMENTS:
        raise CapError("too many elements")
    body = text[match.end() :] if (match := _DECLARATION.match(text)) else text
    after = _PROLOG.match(body)
    # A document type can stand nowhere but before the root; without one there are no entities to define.
    if after is not None and body[after.end() : after.end() + 9].upper() == "<!DOCTYPE":
        raise CapError("document type")
    parser = etree.XMLParser(
        encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False,
        huge_tree=False, remove_comments=True, remove_pis=True, recover=False,
    )  # fmt: skip
    try:
        root = etree.fromstring(body.encode("utf-8", "surrogatepass"), parser)
    except (etree.XMLSyntaxError, ValueError):
        raise CapError("not XML") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise CapError("document type")
    depth = 0
    for event, _node in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        if depth > DEEPEST:
            raise CapError("too deep")
    return root


def message_in(root: etree._Element) -> CapAlert:
    """Read the message of an <alert> element."""
    namespace = etree.QName(root).namespace
    if local_name(root) != "alert":
        raise CapError("not a message")
    if namespace not in NAMESPACES:
        raise CapError("namespace", "alert")
    sent = _moment(_required(root, "sent"), "sent")
    infos = _all(root, "info")
    if len(infos) > MOST_INFOS:
        raise CapError("too many", "info")
    return CapAlert(
        identifier=_name(root, "identifier"),
        sender=_name(root, "sender"),
        sent=sent,
        status=_choice(root, "status", cap.STATUSES),
        msgType=_choice(root, "msgType", cap.MSG_TYPES),
        scope=_choice(root, "scope", cap.SCOPES),
        source=_text(root, "source", 200),
        restriction=_text(root, "restriction", 500),
        addresses=_text(root, "addresses", 2000),
        code=tuple(_cleaned(node, 200) for node in _all(root, "code")[:50]),
        note=_text(root, "note", 2000),
        references=_references(_raw(root, "references")),
        incidents=_text(root, "incidents", 1000),
        info=tuple(_info(node, sent) for node in infos),
    )


def _info(node: etree._Element, sent: datetime) -> CapInfo:
    areas = _all(node, "area")
    if len(areas) > MOST_AREAS:
        raise CapError("too many", "area")
    categories = dict.fromkeys(
        text for each in _all(node, "category") if (text := _cleaned(each, 20)) in cap.CATEGORIES
    )
    return CapInfo(
        language=_text(node, "language", 40) or "en-US",
        category=tuple(categories) or ("Other",),
        event=_text(node, "event", 200),
        responseType=tuple(
            text for each in _all(node, "responseType") if (text := _cleaned(each, 20)) in cap.RESPONSE_TYPES
        ),
        # What a message does not say, or says in words of its own, is unknown: no reason to leave people unwarned.
        urgency=_level(node, "urgency", cap.URGENCIES),
        severity=_level(node, "severity", cap.SEVERITIES),
        certainty=_level(node, "certainty", cap.CERTAINTIES),
        audience=_text(node, "audience", 500),
        eventCode=_pairs(node, "eventCode"),
        effective=_moment_or_none(node, "effective"),
        onset=_moment_or_none(node, "onset"),
        expires=_moment_or_none(node, "expires") or sent + EXPIRES_AFTER,
        senderName=_text(node, "senderName", 200),
        headline=_text(node, "headline", 500),
        description=_text(node, "description", LONGEST_TEXT),
        instruction=_text(node, "instruction", LONGEST_TEXT),
        web=_address(node, "web"),
        contact=_text(node, "contact", 500),
        parameter=_pairs(node, "parameter"),
        resource=tuple(_resource(each) for each in _all(node, "resource")[:50]),
        area=tuple(_area(each) for each in areas),
    )


def _resource(node: etree._Element) -> CapResource:
    size = _text(node, "size", 20)
    return CapResource(
        resourceDesc=_text(node, "resourceDesc", 200),
        mimeType=_text(node, "mimeType", 100),
        uri=_address(node, "uri"),
        size=int(size) if size.isascii() and size.isdigit() and len(size) < 16 else None,
        digest=_text(node, "digest", 200),
    )


def _area(node: etree._Element) -> CapArea:
    polygons, circles = _all(node, "polygon"), _all(node, "circle")
    if len(polygons) + len(circles) > MOST_SHAPES:
        raise CapError("too many", "polygon")
    return CapArea(
        areaDesc=_text(node, "areaDesc", 2000),
        polygon=tuple(ring for each in polygons if (ring := _ring(each.text or ""))),
        circle=tuple(_circle(each.text) for each in circles if (each.text or "").strip()),
        geocode=_pairs(node, "geocode"),
    )


def _ring(text: str) -> tuple[Point, ...]:
    # An empty element says nothing; some systems always write it.
    pairs = text.split()
    if not pairs:
        return ()
    ring = tuple(_point(pair, "polygon") for pair in pairs)
    if ring[0] != ring[-1]:
        # Forgotten by many, and there is only one way to mean it.
        ring = (*ring, ring[0])
    if len(ring) < 4:
        raise CapError("not closed", "polygon")
    return ring


def _circle(text: str | None) -> CapCircle:
    parts = (text or "").split()
    if len(parts) != 2:
        raise CapError("not a circle", "circle")
    radius = _number(parts[1], "circle")
    if radius < 0:
        raise CapError("radius", "circle")
    return CapCircle(_point(parts[0], "circle"), radius)


def _point(pair: str, element: str) -> Point:
    first, comma, second = pair.partition(",")
    if not comma:
        raise CapError("not a point", element)
    latitude, longitude = _number(first, element), _number(second, element)
    # Beyond 180 some write what lies across the antimeridian.
    if abs(latitude) > 90 or abs(longitude) > 360:
        raise CapError("off the globe", element)
    return latitude, longitude


def _number(text: str, element: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise CapError("not a number", element)
    number = float(text)
    if not math.isfinite(number):
        raise CapError("not a number", element)
    return number


def _references(text: str) -> tuple[CapReference, ...]:
    found = []
    for part in text.split()[:MOST_REFERENCES]:
        sender, _comma, rest = part.partition(",")
        identifier, _comma, sent = rest.rpartition(",")
        try:
            found.append(CapReference(sender[:200], identifier[:200], _moment(sent, "references")))
        except CapError:
            continue  # one that cannot be read refers to nothing
    return tuple(found)


def _moment(text: str, element: str) -> datetime:
    match = _MOMENT.fullmatch(text.strip())
    if match is None:
        raise CapError("not a time", element)
    try:
        moment = datetime.fromisoformat(match[1] + ("+00:00" if match[2] == "Z" else match[2]))
        # Near the ends of the calendar another zone has no such day.
        moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise CapError("not a time", element) from None
    if not 1970 <= moment.year <= 2200:
        raise CapError("not a time", element)
    return moment


def _moment_or_none(node: etree._Element, name: str) -> datetime | None:
    text = _raw(node, name)
    return _moment(text, name) if text.strip() else None


def _name(node: etree._Element, name: str) -> str:
    text = " ".join(_required(node, name).split())
    if not text or len(text) > 200 or not text.isprintable():
        raise CapError("not a name", name)
    return text


def _choice(node: etree._Element, name: str, known: tuple[str, ...]) -> str:
    text = _required(node, name).strip()
    if text not in known:
        raise CapError("unknown", name)
    return text


def _level(node: etree._Element, name: str, known: tuple[str, ...]) -> str:
    text = _raw(node, name).strip()
    return text if text in known else "Unknown"


def _required(node: etree._Element, name: str) -> str:
    text = _raw(node, name)
    if not text.strip():
        raise CapError("missing", name)
    return text


def _pairs(node: etree._Element, name: str) -> tuple[tuple[str, str], ...]:
    pairs = ((_text(each, "valueName", 200), _text(each, "value", 2000)) for each in _all(node, name)[:200])
    return tuple(pair for pair in pairs if pair[0])


def _text(node: etree._Element, name: str, limit: int) -> str:
    return clean_text(_raw(node, name), limit)


def _raw(node: etree._Element, name: str) -> str:
    child = node.find(f"{{{etree.QName(node).namespace}}}{name}")
    return (child.text or "") if child is not None else ""


def _cleaned(node: etree._Element, limit: int) -> str:
    return clean_text(node.text or "", limit)


def _all(node: etree._Element, name: str) -> list[etree._Element]:
    found: list[etree._Element] = node.findall(f"{{{etree.QName(node).namespace}}}{name}")
    return found


def _address(node: etree._Element, name: str) -> str:
    text = _raw(node, name).strip()
    return text if len(text) <= 500 and re.fullmatch(r"https?://[!-~]+", text) else ""


def local_name(node: etree._Element) -> str:
    """Give the name of an element without its namespace."""
    return etree.QName(node).localname if isinstance(node.tag, str) else ""


def _decoded(data: bytes) -> str:
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return _as(data[len(mark) :], encoding)
    declared = _DECLARED.match(data)
    name = declared[1].decode().lower() if declared is not None else "utf-8"
    if name not in _ENCODINGS:
        raise CapError("encoding")
    return _as(data, name)


def _as(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        raise CapError("encoding") from None
