"""Find the messages in what a source answers: CAP itself, a list of it, or a feed that says where it is; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urljoin

from lxml import etree

from commonbeat.alerts.cap import CapError
from commonbeat.alerts.cap_reading import NAMESPACES, local_name, parse

FEED_BYTES = 5_000_000
# Of a feed; the newest are asked for first, for they stand first.
MOST_ENTRIES = 500
_ATOM = "{http://www.w3.org/2005/Atom}"


@dataclass(frozen=True, slots=True)
class Entry:
    """What a feed says of one message: where it is, and when it last changed, as written."""

    address: str
    changed: str = ""


@dataclass(frozen=True, slots=True)
class Feed:
    """What stands behind an address: messages themselves, and where further ones are."""

    messages: tuple[etree._Element, ...] = ()
    entries: tuple[Entry, ...] = ()


def read_feed(data: bytes, address: str) -> Feed:
    """Tell what stands in a document: a message, a list of messages, or an Atom or RSS feed of addresses."""
    root = parse(data, FEED_BYTES)
    tags = {f"{{{namespace}}}alert" for namespace in NAMESPACES}
    messages = tuple(node for node in root.iter(*tags))[:MOST_ENTRIES]
    if messages:
        return Feed(messages=messages)
    if root.tag == f"{_ATOM}feed":
        found = (_atom_entry(node, address) for node in root.iter(f"{_ATOM}entry"))
    elif local_name(root) in ("rss", "RDF"):
        found = (_rss_entry(node, address) for node in root.iter() if local_name(node) == "item")
    elif local_name(root) == "alert":
        raise CapError("namespace", "alert")
    else:
        raise CapError("not a feed")
    entries: dict[str, Entry] = {}
    for entry in found:
        if entry is not None and len(entries) < MOST_ENTRIES:
            entries.setdefault(entry.address, entry)
    return Feed(entries=tuple(entries.values()))


def _atom_entry(node: etree._Element, base: str) -> Entry | None:
    links = [each for each in node.findall(f"{_ATOM}link") if each.get("rel", "alternate") in ("alternate", "related")]
    of_cap = [each for each in links if "cap" in (each.get("type") or "")]
    of_xml = [each for each in links if "xml" in (each.get("type") or "") and "html" not in (each.get("type") or "")]
    named = [each.get("href") or "" for each in (*of_cap, *of_xml, *links)]
    changed = (node.findtext(f"{_ATOM}updated") or "").strip()[:60]
    # An id is a name, and an address only where it is a whole one.
    identity = (node.findtext(f"{_ATOM}id") or "").strip()
    return _entry([*named, identity if identity.startswith("http") else ""], base, changed)


def _rss_entry(node: etree._Element, base: str) -> Entry | None:
    enclosed: list[str] = []
    plain: list[str] = []
    changed = ""
    for child in node:
        name, text = local_name(child), (child.text or "").strip()
        if name == "enclosure" and "xml" in (child.get("type") or ""):
            enclosed.append(child.get("url") or "")
        elif name == "link":
            plain.insert(0, text or child.get("href") or "")
        elif name == "guid" and text.startswith("http"):
            plain.append(text)
        elif name == "pubDate":
            changed = text[:60]
    return _entry([*enclosed, *plain], base, changed)


def _entry(addresses: list[str], base: str, changed: str) -> Entry | None:
    for address in _joined(addresses, base):
        if len(address) <= 2000 and re.fullmatch(r"https?://[!-~]+", address):
            return Entry(address.partition("#")[0], changed)
    return None


def _joined(addresses: list[str], base: str) -> Iterator[str]:
    for address in addresses:
        if address.strip():
            try:
                yield urljoin(base, address.strip())
            except ValueError:
                continue
