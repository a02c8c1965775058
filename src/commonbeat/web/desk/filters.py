"""The filters of the list, to and from an address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from commonbeat.foundation.text import clean_text
from commonbeat.reports.models import State
from commonbeat.reports.queries.desk import PERIODS, TABS, Filters
from commonbeat.topics.queries import topic_by_code

SEARCH_LIMIT = 200


def read_filters(data: Mapping[str, str]) -> Filters:
    """Read the filters of an address; what cannot be read narrows nothing."""
    topic = topic_by_code(data.get("topic", "")[:40]) if data.get("topic") else None
    tab = data.get("tab", "")
    text = clean_text(data.get("q", ""), SEARCH_LIMIT)
    return Filters(
        # A search without a tab looks everywhere: who searches does not know where it lies.
        tab=tab if tab in TABS else ("all" if text else "new"),
        topic_id=topic.pk if topic else None,
        state=data.get("state", "") if data.get("state") in State.values else "",
        channel=clean_text(data.get("channel", ""), 20),
        beat_id=number(data.get("beat", "")),
        period=data.get("period", "") if data.get("period") in PERIODS else "",
        verified=data.get("verified", "") if data.get("verified") in ("yes", "no") else "",
        answer_waits=data.get("waits") == "1",
        for_others=data.get("others") == "1",
        text=text,
    )


def query_of(data: Mapping[str, str], filters: Filters, **changes: str | int | None) -> str:
    """Write the filters as a query string; what is searched for stays out, for it may be a name or a number."""
    kept: dict[str, str | int | None] = {
        "tab": filters.tab,
        "topic": data.get("topic", "")[:40] if filters.topic_id else None,
        "state": filters.state,
        "channel": filters.channel,
        "beat": filters.beat_id,
        "period": filters.period,
        "verified": filters.verified,
        "waits": 1 if filters.answer_waits else None,
        "others": 1 if filters.for_others else None,
    }
    kept.update(changes)
    return urlencode({key: value for key, value in kept.items() if value not in (None, "")})


def tabs_of(
    data: Mapping[str, str], filters: Filters, address: str, counts: Mapping[str, str | None] | None = None
) -> list[dict[str, Any]]:
    """Give the tabs of the list or of the map, each with the same filters."""
    names = {"new": _("New"), "mine": _("Mine"), "beat": _("My beat"), "all": _("All")}
    return [
        {
            "label": names[tab],
            "url": f"{address}?{query_of(data, filters, tab=tab)}",
            "current": tab == filters.tab,
            "count": (counts or {}).get(tab),
        }
        for tab in TABS
    ]


def number(text: str | None) -> int | None:
    """Read a positive id; None when it is none."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None
