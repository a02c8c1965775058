"""Read alerts for pages that anybody may open: only what is released."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from commonbeat.alerts import rules
from commonbeat.alerts.models import Alert, AlertText, MsgType

# How long an alert that is over stands on the list.
ENDED_FOR = timedelta(days=14)
MOST_ACTIVE, MOST_ENDED = 200, 20


@dataclass(frozen=True, slots=True)
class Chain:
    """One alert from its first message to its last, oldest first, and what each says in each language."""

    messages: tuple[Alert, ...]
    texts: Mapping[int, Mapping[str, AlertText]] = field(default_factory=dict)

    @property
    def root(self) -> Alert:
        """Give the first message."""
        return self.messages[0]

    @property
    def latest(self) -> Alert:
        """Give the message that stands."""
        return self.messages[-1]

    @property
    def told(self) -> Alert:
        """Give the message that says what it is about: a cancel says only that it is over."""
        kept = [one for one in self.messages if one.msg_type != MsgType.CANCEL]
        return kept[-1] if kept else self.root

    def text_of(self, message: Alert, languages: Sequence[str]) -> AlertText | None:
        """Give the words of a message in the first language that has some."""
        written = self.texts.get(message.pk, {})
        for language in languages:
            if language in written:
                return written[language]
        return next(iter(written.values()), None)

    def is_active(self, now: datetime) -> bool:
        """Tell whether it stands."""
        return self.root.ended_at is None and self.latest.msg_type != MsgType.CANCEL and self.latest.expires_at > now

    def ended_at(self, now: datetime) -> datetime | None:
        """Give when it ended, by a person or by time; None while it stands."""
        if self.is_active(now):
            return None
        if self.root.ended_at is not None:
            return self.root.ended_at
        if self.latest.msg_type == MsgType.CANCEL:
            return self.latest.released_at
        return self.latest.expires_at

    @property
    def outcome(self) -> str:
        """Give how it ended, where a person said so; empty when time ended it."""
        return "" if self.root.outcome == rules.EXPIRED else self.root.outcome


@dataclass(frozen=True, slots=True)
class Listed:
    """What the list shows."""

    active: tuple[Chain, ...]
    ended: tuple[Chain, ...]
    # More stand than are shown.
    is_more: bool


def listed(*, now: datetime, kind: str = "") -> Listed:
    """Read what stands, the worst first and then the newest, and what ended lately, the last first: two queries."""
    since = now - ENDED_FOR
    messages = Alert.objects.released().filter(Q(expires_at__gt=since) | Q(root__ended_at__gt=since))
    if kind:
        messages = messages.filter(Q(root__isnull=True, kind=kind) | Q(root__kind=kind))
    chains = _chains(messages.select_related("root").defer("area", "area_parts", "root__area", "root__area_parts"))
    active = [chain for chain in chains if chain.is_active(now)]
    active.sort(key=lambda chain: (-rules.rank_of(chain.latest.severity), -chain.latest.pk))
    ends = ((chain.ended_at(now), chain) for chain in chains if not chain.is_active(now))
    ended = sorted(((at, chain) for at, chain in ends if at is not None and at > since), key=lambda one: one[0])
    shown, over = active[:MOST_ACTIVE], [chain for _, chain in reversed(ended)][:MOST_ENDED]
    texts = _texts([message.pk for chain in (*shown, *over) for message in chain.messages])
    return Listed(
        active=tuple(_with(chain, texts) for chain in shown),
        ended=tuple(_with(chain, texts) for chain in over),
        is_more=len(active) > MOST_ACTIVE,
    )


def chain_of(alert_id: int) -> Chain | None:
    """Read the alert that a message belongs to; None unless that is out."""
    message = Alert.objects.released().filter(pk=alert_id).only("pk", "root_id").first()
    if message is None:
        return None
    root = message.root_id_or_own
    found = _chains(Alert.objects.released().filter(Q(pk=root) | Q(root_id=root)).select_related("root", "source"))
    if not found:
        return None
    return _with(found[0], _texts([one.pk for one in found[0].messages]))


def areas_of_active(*, now: datetime, kind: str = "") -> list[tuple[Chain, dict[str, Any]]]:
    """Read the areas of what stands, for a map: the newest message's of each."""
    shown = listed(now=now, kind=kind).active
    areas = dict(Alert.objects.filter(pk__in=[chain.latest.pk for chain in shown]).values_list("pk", "area"))
    return [(chain, areas[chain.latest.pk]) for chain in shown if chain.latest.pk in areas]


def _chains(messages: Any) -> list[Chain]:
    grouped: dict[int, list[Alert]] = {}
    roots: dict[int, Alert] = {}
    for message in messages.order_by("pk"):
        grouped.setdefault(message.root_id_or_own, []).append(message)
        root = message.root or message
        roots[root.pk] = root
    found = []
    for pk, held in grouped.items():
        # The first message may have expired long ago, where an update made the alert last longer.
        first = held if held[0].pk == pk else [roots[pk], *held]
        found.append(Chain(tuple(first)))
    return found


def _texts(ids: Sequence[int]) -> dict[int, dict[str, AlertText]]:
    found: dict[int, dict[str, AlertText]] = {}
    for text in AlertText.objects.filter(alert_id__in=ids).order_by("pk"):
        found.setdefault(text.alert_id, {})[text.language] = text
    return found


def _with(chain: Chain, texts: Mapping[int, Mapping[str, AlertText]]) -> Chain:
    return Chain(chain.messages, {one.pk: texts.get(one.pk, {}) for one in chain.messages})
