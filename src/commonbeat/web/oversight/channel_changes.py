"""Where administrators sent messages: changes of channels' settings, for those who watch over them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from commonbeat.config.option_words import label_of
from commonbeat.journal.models import Entry
from commonbeat.messaging import events

CHANGE_DAYS = 30
CHANGES_SHOWN = 50


@dataclass(frozen=True, slots=True)
class ChannelChange:
    """One change of a channel's settings; the journal has their names and never what is in them."""

    at: datetime
    channel: str
    settings: str
    actor_id: int | None


def channel_changes(now: datetime, channels: Mapping[str, str]) -> list[ChannelChange]:
    """Read whose hand changed which channel lately, newest first; at most CHANGES_SHOWN, one query.

    `channels` names the ways in by their code.
    """
    since = now - timedelta(days=CHANGE_DAYS)
    entries = Entry.objects.filter(kind=events.CHANNEL_CHANGED, at__gte=since).order_by("-id")
    return [_change(entry, channels) for entry in entries[:CHANGES_SHOWN]]


def _change(entry: Entry, channels: Mapping[str, str]) -> ChannelChange:
    code, names = str(entry.data.get("channel", "")), str(entry.data.get("settings", ""))
    labels = ", ".join(label_of(name) or name for name in names.split(", "))
    return ChannelChange(entry.at, channels.get(code, code), labels, entry.actor_id)
