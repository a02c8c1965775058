"""The topics that come with Commonbeat, one JSON file each, in every language of the house."""

from __future__ import annotations

import json
from datetime import datetime
from functools import cache
from importlib.resources import files

from commonbeat.topics.actions import create_topic
from commonbeat.topics.definition import Definition, decode
from commonbeat.topics.models import Topic

# In the order in which residents see them: what happens most, first; "other" last.
CODES = (
    "illegal-dump",
    "street-light",
    "harassment",
    "violence",
    "stolen-goods",
    "safety-audit",
    "medicine-stock-out",
    "election-incident",
    "sighting",
    "to-officer",
    "other",
)


@cache
def ready_made_definitions() -> dict[str, Definition]:
    """Read the definitions that ship with the package, by short name."""
    folder = files(__name__)
    return {code: decode(json.loads((folder / f"{code}.json").read_text("utf-8"))) for code in CODES}


def install_ready_made(now: datetime) -> list[Topic]:
    """Create the ready-made topics that a site does not have yet; those it has, changed or not, are left alone."""
    existing = set(Topic.objects.values_list("code", flat=True))
    return [
        create_topic(code=code, definition=definition, actor_id=None, now=now)
        for code, definition in ready_made_definitions().items()
        if code not in existing
    ]


def ensure_ready_made(code: str, now: datetime) -> Topic:
    """Give a ready-made topic, and create it where a site that is older than the topic does not have it yet."""
    known = Topic.objects.select_related("current").filter(code=code).first()
    if known is not None:
        return known
    return create_topic(code=code, definition=ready_made_definitions()[code], actor_id=None, now=now)
