"""Messages of CAP from the rows of alerts, and rows from the messages of others."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from commonbeat.alerts.cap import (
    LONGEST_HEADLINE,
    CapAlert,
    CapArea,
    CapCircle,
    CapError,
    CapInfo,
    CapReference,
)
from commonbeat.alerts.cap_geometry import bounds_of, geometry_of, rings_of
from commonbeat.alerts.kinds import KINDS, kind_of
from commonbeat.alerts.models import Alert, AlertState, AlertText, MsgType, Status
from commonbeat.alerts.rules import SEVERITY_RANKS
from commonbeat.config.options import Options
from commonbeat.foundation.text import clean_text

# Under this name of an eventCode stands what Commonbeat calls it, so that one site understands another.
OWN_CODE = "commonbeat"
MARKS = {
    Status.TEST: {"en": "TEST", "sq": "PROVË", "ar": "اختبار"},
    Status.EXERCISE: {"en": "EXERCISE", "sq": "USHTRIM", "ar": "تمرين"},
}
_NOTES = {
    Status.TEST: "This is a test. There is no danger, and nothing is to be done.",
    Status.EXERCISE: "This is an exercise. Only those who take part in it do something.",
}
# A cancel of what has expired meanwhile is still to be read for a while.
_CANCEL_FOR = timedelta(hours=1)
# Clocks differ a little; what is from further ahead is a mistake, or a way to stay at the top of every list.
_AHEAD = timedelta(hours=1)
_LONGEST = timedelta(days=31)
# What a category of CAP is most like; people choose by kind what they want to hear of.
_KINDS_OF = {
    "Met": "weather", "Transport": "road", "Fire": "danger", "CBRNE": "danger", "Geo": "danger", "Safety": "danger",
    "Security": "danger",
}  # fmt: skip


class Site(NamedTuple):
    """What messages say of this site."""

    sender: str
    name: str
    address: str
    zone: ZoneInfo
    languages: Sequence[str]


@dataclass(frozen=True, slots=True)
class Draft:
    """A message of others as it is stored: the fields of its row, its texts, and the messages that it refers to."""

    fields: dict[str, Any]
    texts: list[dict[str, str]]
    # Identifiers as they are stored.
    refers_to: list[str]


def site_of(options: Options) -> Site:
    """Give what messages say of a site; its sender is a setting, or the host of its address."""
    address = options.site_url.rstrip("/")
    return Site(
        sender=options.alerts_sender or urlsplit(address).hostname or "commonbeat",
        name=clean_text(options.site_name, 200),
        address=address,
        zone=ZoneInfo(options.time_zone),
        languages=options.languages,
    )


def cap_address(identifier: str, site: Site) -> str:
    """Give the address at which a message of this site stands."""
    return f"{site.address}/alerts/cap/{identifier}.xml"


def page_address(alert: Alert, site: Site) -> str:
    """Give the page for people, which is the same for all messages of a chain."""
    return f"{site.address}/alerts/{alert.root_id_or_own}/"


def to_cap(alert: Alert, *, earlier: Iterable[Alert], site: Site) -> CapAlert:
    """Give a released row as a message; `earlier` are the released messages of its chain that came before it.

    An Update or Cancel refers to all of them, for a reader may have missed any.
    """
    sent = _moment(alert.released_at, site)
    expires = alert.expires_at
    if alert.msg_type == MsgType.CANCEL:
        expires = max(expires, sent + _CANCEL_FOR)
    return CapAlert(
        identifier=alert.identifier,
        sender=alert.sender or site.sender,
        sent=sent,
        status=alert.status,
        msgType=alert.msg_type,
        note=_NOTES.get(Status(alert.status), ""),
        references=tuple(
            CapReference(each.sender or site.sender, each.identifier, _moment(each.released_at, site))
            for each in earlier
        ),
        info=tuple(_info(alert, text, expires.astimezone(site.zone), site) for text in _ordered(alert, site)),
    )


def stored_identifier(source_id: int, sender: str, identifier: str, sent: datetime) -> str:
    """Give the identifier under which a message of others is stored.

    Made of the three things that name a message and of where it came from: a source can neither repeat itself nor
    speak of another's messages or ours, whatever identifiers it makes up.
    """
    said = "\0".join((sender, identifier, str(int(sent.timestamp()))))
    return f"s{source_id}-{hashlib.sha256(said.encode('utf-8', 'surrogatepass')).hexdigest()[:40]}"


def draft_of(message: CapAlert, *, source_id: int, senders: Sequence[str], site: Site, now: datetime) -> Draft:
    """Give a message of others as it is to be stored; CapError where it is not for our public, with the reason."""
    if message.sender == site.sender:
        raise CapError("own")
    if senders and message.sender not in senders:
        raise CapError("sender")
    # A test of others is nothing that our people could do something with.
    if message.status != Status.ACTUAL:
        raise CapError("not actual")
    if message.scope != "Public":
        raise CapError("not public")
    if message.msgType not in MsgType.values:
        raise CapError("no alert")
    if message.sent > now + _AHEAD:
        raise CapError("from the future")
    refers_to = [stored_identifier(source_id, each.sender, each.identifier, each.sent) for each in message.references]
    if message.msgType == MsgType.CANCEL and not message.info:
        # A cancel needs no words: they, and the area, are those of what it ends.
        expires = message.sent + _CANCEL_FOR
        return Draft(_fields(message, None, source_id, expires, now), [], refers_to)
    if not message.info:
        raise CapError("missing", "info")
    expires = max(info.expires for info in message.info if info.expires is not None)
    expires = min(expires, message.sent + _LONGEST)
    if expires <= now:
        raise CapError("expired")
    chosen = _chosen(message.info, site)
    texts = [_text(language, info) for language, info in chosen.items()]
    return Draft(_fields(message, next(iter(chosen.values())), source_id, expires, now), texts, refers_to)


def _info(alert: Alert, text: AlertText, expires: datetime, site: Site) -> CapInfo:
    kind = kind_of(alert.kind)
    headline = clean_text(text.headline, LONGEST_HEADLINE).replace("\n", " ")
    mark = MARKS.get(Status(alert.status), {})
    if mark:
        headline = clean_text(f"{mark.get(text.language, mark['en'])}: {headline}", LONGEST_HEADLINE)
    description = clean_text(text.description, 8_000)
    area_desc = clean_text(text.area_desc, 200) or site.name
    if not description or description == headline:
        description = f"{headline} ({area_desc})"
    is_over = alert.msg_type == MsgType.CANCEL
    return CapInfo(
        language=text.language,
        category=(kind.category,),
        event=kind.event if text.language == "en" else kind.name_in(text.language),
        responseType=("AllClear",) if is_over else (kind.response,),
        urgency=alert.urgency,
        severity=alert.severity,
        certainty=alert.certainty,
        eventCode=((OWN_CODE, kind.code),),
        onset=alert.onset.astimezone(site.zone) if alert.onset else None,
        expires=expires,
        senderName=site.name,
        headline=headline,
        description=description,
        instruction=clean_text(text.instruction, 8_000),
        web=page_address(alert, site),
        area=(_area(alert, area_desc),),
    )


def _area(alert: Alert, area_desc: str) -> CapArea:
    parts = alert.area_parts or {}
    circles = parts.get("circles") or []
    if circles and not (parts.get("polygons") or parts.get("beats")):
        # As it was drawn; else everything together, for readers that know only polygons miss nothing then.
        return CapArea(area_desc, circle=tuple(CapCircle((lat, lon), m / 1000) for lat, lon, m in circles))
    return CapArea(area_desc, polygon=rings_of(alert.area))


def _ordered(alert: Alert, site: Site) -> list[AlertText]:
    places = {language: index for index, language in enumerate(site.languages)}
    return sorted(alert.texts.all(), key=lambda text: (places.get(text.language, len(places)), text.language))


def _moment(moment: datetime | None, site: Site) -> datetime:
    if moment is None:
        raise CapError("missing", "sent")
    return moment.astimezone(site.zone).replace(microsecond=0)


def _fields(
    message: CapAlert, info: CapInfo | None, source_id: int, expires: datetime, now: datetime
) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "identifier": stored_identifier(source_id, message.sender, message.identifier, message.sent),
        "sender": message.sender,
        "source_id": source_id,
        "msg_type": message.msgType,
        "status": message.status,
        "expires_at": expires,
        "state": AlertState.RELEASED,
        "created_at": now,
        "changed_at": now,
        "released_at": message.sent,
    }
    if info is None:
        return fields
    area = geometry_of(area for each in message.info for area in each.area)
    south, west, north, east = bounds_of(area)
    worst = max(message.info, key=lambda each: SEVERITY_RANKS.get(each.severity, 0))
    return fields | {
        "kind": _kind_of(info),
        "urgency": info.urgency,
        "severity": worst.severity,
        "certainty": info.certainty,
        "onset": info.onset,
        "area": area,
        "south": south,
        "west": west,
        "north": north,
        "east": east,
        "web": info.web,
    }


def _kind_of(info: CapInfo) -> str:
    for name, value in info.eventCode:
        if name == OWN_CODE and value in KINDS:
            return value
    if "AllClear" in info.responseType:
        return "all_clear"
    return next((_KINDS_OF[category] for category in info.category if category in _KINDS_OF), "other")


def _chosen(infos: Sequence[CapInfo], site: Site) -> Mapping[str, CapInfo]:
    """Give one block per language, those of the site first; the first block alone where none is of its languages."""
    found: dict[str, CapInfo] = {}
    for info in infos:
        found.setdefault(info.language.partition("-")[0].lower()[:8] or "en", info)
    ours = {language: found[language] for language in site.languages if language in found}
    return ours or dict(list(found.items())[:1])


def _text(language: str, info: CapInfo) -> dict[str, str]:
    headline = _line(info.headline or info.event or info.description, LONGEST_HEADLINE)
    if not headline:
        raise CapError("missing", "headline")
    names = dict.fromkeys(_line(area.areaDesc, 200) for area in info.area)
    return {
        "language": language,
        "headline": headline,
        "description": info.description or info.event,
        "instruction": info.instruction,
        "area_desc": _line(", ".join(name for name in names if name), 200),
    }


def _line(text: str, limit: int) -> str:
    return clean_text(" ".join(text.split()), limit)
