"""Atom and RSS of messages: what reads them fetches each message at the entry's id; pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime

from lxml import etree

from commonbeat.alerts.cap import MEDIA_TYPE, NAMESPACE, CapAlert, CapInfo, moment_text
from commonbeat.foundation.text import clean_text, excerpt

# Aggregators refuse more than 900 kB.
MOST_BYTES = 890_000
LONGEST_SUMMARY = 1_200
_ATOM = "http://www.w3.org/2005/Atom"
_URGENT = ("Extreme", "Severe")
# A feed without an entry says since when, and nothing has happened since ever.
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Item:
    """One message, the address at which it stands, and its page for people."""

    message: CapAlert
    address: str
    page: str


@dataclass(frozen=True, slots=True)
class About:
    """What a feed says of itself."""

    title: str
    # Its own address, and the page for people.
    address: str
    page: str
    author: str
    language: str


def atom(items: Sequence[Item], about: About) -> bytes:
    """Give an Atom feed of at most MOST_BYTES: urgent messages go first into it, then the newest."""
    root = etree.Element(_a("feed"), nsmap={None: _ATOM, "cap": NAMESPACE})
    root.set("{http://www.w3.org/XML/1998/namespace}lang", about.language)
    _put(root, _a("id"), about.address)
    _put(root, _a("title"), about.title)
    _put(root, _a("updated"), _rfc3339(_newest(items)))
    etree.SubElement(root, _a("link"), rel="self", type="application/atom+xml", href=about.address)
    etree.SubElement(root, _a("link"), rel="alternate", type="text/html", href=about.page)
    _put(etree.SubElement(root, _a("author")), _a("name"), about.author)
    return _filled(root, root, items, lambda item: _entry(item, about.language))


def rss(items: Sequence[Item], about: About) -> bytes:
    """Give an RSS 2.0 feed in the same way."""
    root = etree.Element("rss", version="2.0", nsmap={"atom": _ATOM, "cap": NAMESPACE})
    channel = etree.SubElement(root, "channel")
    _put(channel, "title", about.title)
    _put(channel, "link", about.page)
    _put(channel, "description", about.title)
    _put(channel, "language", about.language)
    _put(channel, "lastBuildDate", _rfc822(_newest(items)))
    etree.SubElement(channel, _a("link"), rel="self", type="application/rss+xml", href=about.address)
    return _filled(root, channel, items, lambda item: _item(item, about.language))


def info_in(message: CapAlert, language: str) -> CapInfo:
    """Give what a message says in a language, else in its first."""
    return next((info for info in message.info if info.language == language), message.info[0])


def _filled(
    root: etree._Element, parent: etree._Element, items: Sequence[Item], make: Callable[[Item], etree._Element]
) -> bytes:
    left = MOST_BYTES - len(etree.tostring(root, encoding="utf-8"))
    chosen: dict[Item, etree._Element] = {}
    for item in _urgent_first(items):
        node = make(item)
        # As part of the whole it is shorter, for the namespaces are declared once.
        left -= len(etree.tostring(node, encoding="utf-8"))
        if left < 0:
            break
        chosen[item] = node
    for item in _newest_first(items):
        if item in chosen:
            parent.append(chosen[item])
    written: bytes = etree.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _entry(item: Item, language: str) -> etree._Element:
    message, info = item.message, info_in(item.message, language)
    node = etree.Element(_a("entry"), nsmap={None: _ATOM, "cap": NAMESPACE})
    # Some readers fetch the id, others the first link.
    _put(node, _a("id"), item.address)
    _put(node, _a("title"), info.headline)
    _put(node, _a("updated"), _rfc3339(message.sent))
    _put(node, _a("published"), _rfc3339(message.sent))
    _put(etree.SubElement(node, _a("author")), _a("name"), info.senderName)
    etree.SubElement(node, _a("link"), rel="alternate", type=MEDIA_TYPE, href=item.address)
    etree.SubElement(node, _a("link"), rel="related", type="text/html", href=item.page)
    for category in info.category:
        etree.SubElement(node, _a("category"), term=category)
    _put(node, _a("summary"), excerpt(info.description, LONGEST_SUMMARY))
    _put_cap(node, message, info)
    return node


def _item(item: Item, language: str) -> etree._Element:
    message, info = item.message, info_in(item.message, language)
    node = etree.Element("item", nsmap={"cap": NAMESPACE})
    _put(node, "title", info.headline)
    _put(node, "link", item.address)
    _put(node, "guid", item.address).set("isPermaLink", "true")
    _put(node, "pubDate", _rfc822(message.sent))
    for category in info.category:
        _put(node, "category", category)
    _put(node, "description", f"{excerpt(info.description, LONGEST_SUMMARY)} {item.page}")
    _put_cap(node, message, info)
    return node


def _put_cap(node: etree._Element, message: CapAlert, info: CapInfo) -> None:
    # So that a reader can choose before it fetches.
    for name, text in (
        ("identifier", message.identifier),
        ("sender", message.sender),
        ("sent", moment_text(message.sent)),
        ("status", message.status),
        ("msgType", message.msgType),
        ("event", info.event),
        ("urgency", info.urgency),
        ("severity", info.severity),
        ("certainty", info.certainty),
        ("expires", moment_text(info.expires) if info.expires else ""),
        ("areaDesc", info.area[0].areaDesc if info.area else ""),
    ):
        if text:
            _put(node, f"{{{NAMESPACE}}}{name}", text)


def _urgent_first(items: Iterable[Item]) -> list[Item]:
    def is_urgent(item: Item) -> bool:
        info = item.message.info[0]
        return item.message.status == "Actual" and info.urgency == "Immediate" and info.severity in _URGENT

    return sorted(_newest_first(items), key=lambda item: not is_urgent(item))


def _newest_first(items: Iterable[Item]) -> list[Item]:
    return sorted(items, key=lambda item: (item.message.sent, item.message.identifier), reverse=True)


def _newest(items: Sequence[Item]) -> datetime:
    return max((item.message.sent for item in items), default=_NEVER)


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _rfc822(moment: datetime) -> str:
    return format_datetime(moment.astimezone(UTC), usegmt=True)


def _a(name: str) -> str:
    return f"{{{_ATOM}}}{name}"


def _put(parent: etree._Element, name: str, text: str) -> etree._Element:
    node = etree.SubElement(parent, name)
    node.text = clean_text(text, 10_000)
    return node
