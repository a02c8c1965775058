"""A report that is being written. It travels in hidden fields of each page; nothing is stored before "Send"."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from django.http import QueryDict
from django.utils import timezone

from commonbeat.foundation.ids import new_token
from commonbeat.foundation.text import clean_text
from commonbeat.reports.actions.submit import NOWHERE, PHOTO_LIMIT, TEXT_LIMIT, Whereabouts
from commonbeat.reports.models import PlaceSource
from commonbeat.topics.definition import Definition

# One answer of a topic's form may be 2,000 characters; what is longer is cut by no one but refused.
ANSWER_PREFIX = "q_"
WHENS = ("today", "yesterday", "date", "unknown")
# Hour that stands for a part of the day, where a single moment is stored.
PARTS = {"morning": 9, "afternoon": 15, "evening": 20, "night": 2}
# "refused" is no consent, but somebody may be honest; see steps.problems_in.
CONSENTS = ("word", "writing", "guardian", "danger", "refused")
KEY = re.compile(r"[A-Za-z0-9_-]{16,40}")
NUMBER = re.compile(r"[0-9]{1,18}")
_POINT_SOURCES = frozenset({PlaceSource.MAP, PlaceSource.DEVICE, PlaceSource.COORDINATES, PlaceSource.NAMED})


@dataclass(slots=True)
class Draft:
    """What has been typed so far, as typed; `key` makes two sendings of it one report."""

    key: str
    categories: list[str] = field(default_factory=list)
    text: str = ""
    when: str = ""
    day: str = ""
    part: str = ""
    answers: dict[str, list[str]] = field(default_factory=dict)
    place_text: str = ""
    place_source: str = ""
    latitude: str = ""
    longitude: str = ""
    photos: list[str] = field(default_factory=list)
    phone: str = ""
    # Empty where it is the sender's own report; else what the sender says of the person's consent.
    consent: str = ""
    # The alert that asks for what the sender saw; 0 where none does.
    alert: int = 0

    @classmethod
    def new(cls) -> Draft:
        """Begin an empty report."""
        return cls(key=new_token())

    @classmethod
    def from_post(cls, data: QueryDict) -> Draft:
        """Read a report from the fields of a page."""
        key = data.get("key", "")
        return cls(
            key=key if KEY.fullmatch(key) else new_token(),
            categories=data.getlist("category")[:50],
            # One character more than the limit, so that a text that is too long is seen to be.
            text=_typed(data.get("text", ""), TEXT_LIMIT + 1),
            when=data.get("when", "") if data.get("when", "") in WHENS else "",
            day=_typed(data.get("day", ""), 20),
            part=data.get("part", "") if data.get("part", "") in PARTS else "",
            answers={
                name.removeprefix(ANSWER_PREFIX): [_typed(value, 2_001) for value in data.getlist(name)[:50]]
                for name in data
                if name.startswith(ANSWER_PREFIX)
            },
            place_text=_typed(data.get("place_text", ""), 300),
            place_source=data.get("place_source", "") if data.get("place_source") in PlaceSource.values else "",
            latitude=data.get("latitude", "")[:30],
            longitude=data.get("longitude", "")[:30],
            photos=[key for key in data.getlist("photo") if KEY.fullmatch(key)][:PHOTO_LIMIT],
            phone=_typed(data.get("phone", ""), 60),
            consent=data.get("consent", "") if data.get("consent", "") in CONSENTS else "",
            alert=int(data.get("alert", "0")) if NUMBER.fullmatch(data.get("alert", "")) else 0,
        )

    def hidden_fields(self, leave_out: frozenset[str] = frozenset()) -> Iterator[tuple[str, str]]:
        """Give the pairs that a page carries along, without those that it asks for itself."""
        pairs: list[tuple[str, str]] = [("key", self.key)]
        pairs += [("category", code) for code in self.categories]
        for name in ("text", "when", "day", "part", "place_text", "place_source", "latitude", "longitude"):
            pairs.append((name, getattr(self, name)))
        pairs += [(ANSWER_PREFIX + code, value) for code, values in self.answers.items() for value in values]
        pairs += [("photo", key) for key in self.photos]
        pairs += [("phone", self.phone), ("consent", self.consent)]
        pairs += [("alert", str(self.alert))] if self.alert else []
        for name, value in pairs:
            if name not in leave_out and value:
                yield name, value

    def point(self) -> tuple[float, float] | None:
        """Give the chosen point in degrees, or None when there is none or it is off the globe."""
        if self.place_source not in _POINT_SOURCES:
            return None
        return point_of(self.latitude, self.longitude)

    def whereabouts(self) -> Whereabouts:
        """Say where it happened, as the report stores it."""
        name = self.place_text
        point = self.point()
        if point is not None:
            return Whereabouts(source=self.place_source, name=name, latitude=point[0], longitude=point[1])
        if name and self.place_source != PlaceSource.NONE:
            return Whereabouts(source=PlaceSource.NAMED, name=name)
        return NOWHERE

    def happened_on(self, today: date) -> date | None:
        """Give the day on which it happened, or None when that is not known."""
        if self.when == "today":
            return today
        if self.when == "yesterday":
            return today - timedelta(days=1)
        if self.when == "date":
            try:
                return date.fromisoformat(self.day)
            except ValueError:
                return None
        return None

    def occurred_at(self, now: datetime) -> datetime | None:
        """Give a moment for the day and its part: noon where no part was named, never later than now."""
        day = self.happened_on(timezone.localtime(now).date())
        if day is None:
            return None
        moment = timezone.make_aware(datetime.combine(day, time(PARTS.get(self.part, 12))))
        return min(moment, now)


def point_of(latitude: str, longitude: str) -> tuple[float, float] | None:
    """Read a point in degrees from two fields; None when it is none."""
    try:
        lat, lon = float(latitude), float(longitude)
    except ValueError:
        return None
    # NaN fails both comparisons; 0,0 is what devices send without a fix.
    if not (-90 <= lat <= 90 and -180 <= lon <= 180) or (lat == 0 and lon == 0):
        return None
    return lat, lon


def raw_answers(draft: Draft, definition: Definition, today: date) -> Mapping[str, list[str]]:
    """Give the answers as typed; a topic's own "when" is filled from the day that every report is asked for."""
    raw = dict(draft.answers)
    day = draft.happened_on(today)
    if day is not None and any(f.code == "when" for f in definition.fields):
        raw["when"] = [day.isoformat()]
    return raw


def _typed(text: str, limit: int) -> str:
    return clean_text(text, limit)
