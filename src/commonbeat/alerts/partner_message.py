"""What a partner gets of an alert: plain fields per language, the area as GeoJSON, and where the CAP message stands."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from commonbeat.alerts.cap import moment_text
from commonbeat.alerts.cap_rows import MARKS, Site, cap_address, page_address
from commonbeat.alerts.kinds import kind_of
from commonbeat.alerts.models import Alert, MsgType, Status
from commonbeat.alerts.rules import EXPIRED

# Of what a partner can rely on; another number comes with another meaning, new fields alone do not.
VERSION = 1
TEST_LASTS = timedelta(minutes=15)
_TEST = {
    "headline": "This is a test by %s",
    "description": "It shows whether look-outs reach you. Nothing is missing, and nothing is to be done.",
    "instruction": "",
}


def message_of(alert: Alert, earlier: Sequence[Alert], *, site: Site) -> bytes:
    """Give an alert that is out, with its texts, as JSON; `earlier` are the messages of its chain before it."""
    root = next((one for one in earlier if one.root_id is None), alert)
    marks = MARKS.get(Status(alert.status), {})
    texts = {
        text.language: {
            "headline": f"{marks.get(text.language, marks['en'])}: {text.headline}" if marks else text.headline,
            "description": text.description,
            "instruction": text.instruction,
            "area": text.area_desc,
        }
        for text in sorted(alert.texts.all(), key=lambda text: text.language)
    }
    said = _frame(alert.identifier, alert.msg_type, alert.status, alert.kind, site) | {
        "sent": moment_text((alert.released_at or alert.changed_at).astimezone(site.zone)),
        "expires": moment_text(alert.expires_at.astimezone(site.zone)),
        "urgency": alert.urgency,
        "severity": alert.severity,
        "certainty": alert.certainty,
        "references": [one.identifier for one in earlier],
        "cap": cap_address(alert.identifier, site),
        "web": page_address(alert, site),
        "texts": texts,
        "area": alert.area,
    }
    if alert.msg_type == MsgType.CANCEL:
        said["outcome"] = root.outcome if root.outcome != EXPIRED else ""
    return _packed(said)


def trial_message(identifier: str, *, site: Site, now: datetime) -> bytes:
    """Give a message that tests a partner's server: of status Test, about no alert, with no CAP message behind it."""
    mark = MARKS[Status.TEST]["en"]
    headline = f"{mark}: {_TEST['headline'] % site.name}"
    said = _frame(identifier, MsgType.ALERT, Status.TEST, "other", site) | {
        "sent": moment_text(now.astimezone(site.zone).replace(microsecond=0)),
        "expires": moment_text((now + TEST_LASTS).astimezone(site.zone).replace(microsecond=0)),
        "urgency": "Unknown",
        "severity": "Unknown",
        "certainty": "Unknown",
        "references": [],
        "cap": "",
        "web": f"{site.address}/alerts/",
        "texts": {"en": {**_TEST, "headline": headline, "area": site.name}},
        "area": None,
    }
    return _packed(said)


def _frame(identifier: str, msg_type: str, status: str, kind: str, site: Site) -> dict[str, Any]:
    return {
        "version": VERSION,
        "identifier": identifier,
        "sender": site.sender,
        "senderName": site.name,
        "msgType": str(msg_type),
        "status": str(status),
        "kind": kind,
        "event": kind_of(kind).event,
    }


def _packed(said: dict[str, Any]) -> bytes:
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
