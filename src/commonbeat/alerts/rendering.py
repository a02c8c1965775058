"""What of an alert a text message, a push message, a chat and an e-mail say; pure.

Each says what, where, what to do, until when, where to read more, and how to answer or to stop.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from commonbeat.alerts.answer_words import SAW, STOP_ALERTS, word_in
from commonbeat.alerts.cap_rows import MARKS
from commonbeat.alerts.kinds import kind_of
from commonbeat.alerts.models import Alert, AlertText, MsgType, Status
from commonbeat.foundation.text import excerpt, segments, to_gsm7
from commonbeat.messaging.channel import Limits

MOST_PARTS = 3
# What a browser takes of a push message.
PUSH_BYTES = 3_993
RIGHT_TO_LEFT = frozenset({"ar"})
# Everybody who texts in Albanian writes e and c; either letter of its own would make a text cost twice as much.
_PLAIN_LETTERS = str.maketrans("ëËçÇ", "eEcC")
_SHORTEST = 20


class Site(NamedTuple):
    """What renderings say of this site."""

    name: str
    # Without a slash at the end.
    address: str
    zone: ZoneInfo
    emergency: str = "112"


def site_of_settings() -> Site:
    """Give what renderings say of this site."""
    options = settings.COMMONBEAT
    address = options.site_url.rstrip("/")
    return Site(options.site_name, address, ZoneInfo(options.time_zone), options.emergency_number)


def rendered(alert: Alert, text: AlertText, limits: Limits | None, *, site: Site, now: datetime) -> str:
    """Give what an alert says on a channel of such limits."""
    if limits is None or (limits.address_kind == "phone" and limits.in_parts):
        return sms_text(alert, text, site=site, now=now)
    if limits.address_kind == "push":
        return push_payload(alert, text, site=site, now=now)
    return long_text(alert, text, site=site, now=now)


def sms_text(alert: Alert, text: AlertText, *, site: Site, now: datetime) -> str:
    """Give the text message: as few parts as it takes, three at most; long texts are shortened, the page has them."""
    with translation.override(text.language):
        # Until when, where to read more, how to answer and to stop: never shortened.
        ends = (_until(alert, site, now), _link(alert, site), _answer(alert), _stop())
        tail = " ".join(part for part in ends if part)
        lead = _marked(alert, text.language, _sentence(text.headline))
        where = "" if text.area_desc.casefold() in text.headline.casefold() else _sentence(text.area_desc)
        said, to_do = _sentence(text.description), _sentence(text.instruction)
        whole = _for_phone(" ".join(part for part in (lead, where, said, to_do, tail) if part))
        if _parts(whole) <= MOST_PARTS:
            return whole
        # What to do comes before what has happened, for a page tells that as well.
        for most in range(len(said) - 1, _SHORTEST, -10):
            shorter = _for_phone(" ".join(part for part in (lead, where, excerpt(said, most), to_do, tail) if part))
            if _parts(shorter) <= MOST_PARTS:
                return shorter
        for most in range(len(to_do), _SHORTEST, -5):
            shorter = _for_phone(" ".join(part for part in (lead, where, excerpt(to_do, most), tail) if part))
            if _parts(shorter) <= MOST_PARTS:
                return shorter
        return _for_phone(" ".join((excerpt(lead, 60), tail)))


def push_payload(alert: Alert, text: AlertText, *, site: Site, now: datetime) -> str:
    """Give the message for web/static/commonbeat/js/sw.js: JSON of 3,993 bytes at most."""
    with translation.override(text.language):
        body = " ".join(part for part in (text.description, text.instruction, _until(alert, site, now)) if part)
        said: dict[str, Any] = {
            "id": alert.root_id_or_own,
            "title": _marked(alert, text.language, text.headline),
            "lang": text.language,
            "topic": topic_of(alert),
            "expires": int(alert.expires_at.timestamp()),
        }
    said |= {"dir": "rtl"} if text.language in RIGHT_TO_LEFT else {}
    said |= {"urgent": True} if alert.needs_second and alert.msg_type != MsgType.CANCEL else {}
    said |= {"test": True} if alert.status != Status.ACTUAL else {}
    said |= {"over": True} if alert.msg_type == MsgType.CANCEL else {}
    for most in (500, 300, 150, 60):
        packed = json.dumps(said | {"body": excerpt(body, most)}, ensure_ascii=False, separators=(",", ":"))
        if len(packed.encode()) <= PUSH_BYTES:
            break
    return packed


def long_text(alert: Alert, text: AlertText, *, site: Site, now: datetime) -> str:
    """Give the message for e-mail and chats, which need not be short."""
    with translation.override(text.language):
        parts = [
            _marked(alert, text.language, text.headline),
            text.description,
            text.instruction,
            _("Where: %(place)s") % {"place": text.area_desc},
            _until(alert, site, now),
            _answer(alert),
            _("More: %(link)s") % {"link": _link(alert, site)},
            _stop(),
        ]
        return "\n\n".join(part for part in parts if part)


def topic_of(alert: Alert) -> str:
    """Give the topic of a chain: what has it takes the place of what was shown before."""
    return f"alert-{alert.root_id_or_own}"


def _marked(alert: Alert, language: str, headline: str) -> str:
    marks = MARKS.get(Status(alert.status), {})
    return f"{marks.get(language, marks['en'])}: {headline}" if marks else headline


def _until(alert: Alert, site: Site, now: datetime) -> str:
    if alert.msg_type == MsgType.CANCEL:
        return ""
    local = alert.expires_at.astimezone(site.zone)
    if local.date() == now.astimezone(site.zone).date():
        return _("Until %(time)s.") % {"time": f"{local:%H:%M}"}
    return _("Until %(time)s.") % {"time": f"{date_format(local, 'j F')}, {local:%H:%M}"}


def _link(alert: Alert, site: Site) -> str:
    return f"{site.address}/a/{alert.root_id_or_own}"


def _answer(alert: Alert) -> str:
    if alert.msg_type == MsgType.CANCEL or not kind_of(alert.kind).asks_sightings:
        return ""
    # Translators: %(saw)s is the word that people text back; it is put in, in your language.
    return _("Seen something? Answer %(saw)s and what and where.") % {"saw": word_in(SAW, translation.get_language())}


def _stop() -> str:
    # Translators: %(stop)s are the words that people text back; they are put in, in your language.
    return _("%(stop)s ends these messages.") % {"stop": word_in(STOP_ALERTS, translation.get_language())}


def _sentence(text: str) -> str:
    plain = " ".join(text.split())
    return plain if not plain or plain[-1] in ".!?؟…:" else f"{plain}."


def _for_phone(text: str) -> str:
    plain = to_gsm7(text.translate(_PLAIN_LETTERS))
    return plain if segments(plain).encoding == "GSM-7" else text


def _parts(text: str) -> int:
    return segments(text).parts
