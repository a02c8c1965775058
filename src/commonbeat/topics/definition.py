"""What a topic says of itself: data, versioned, never code."""

from __future__ import annotations

import enum
from typing import Any

import msgspec


class FieldKind(enum.StrEnum):
    TEXT = "text"
    NUMBER = "number"
    CHOICE = "choice"
    CHOICES = "choices"
    DATE = "date"
    TIME = "time"
    RATING = "rating"
    PHOTO = "photo"
    PLACE = "place"


class Publishes(enum.StrEnum):
    EACH = "each"
    COUNTS = "counts"


class Period(enum.StrEnum):
    """The span of time by which reports are counted in public."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


Texts = dict[str, str]
# Stands for the kind of report among the questions of a structured message.
CATEGORY = "category"


class Option(msgspec.Struct, frozen=True):
    """One answer of a choice, or one category."""

    code: str
    label: Texts
    colour: str = ""
    # Of a category: what such a report says of the lighting there, 0 to 3; see docs/reference/safety-score.md.
    lighting: int | None = None
    # What a trained reporter texts for it: "M", "amox"; the code and the labels are understood anyway.
    short: list[str] = []


class Field(msgspec.Struct, frozen=True):
    """One question of a topic's form."""

    code: str
    kind: FieldKind
    label: Texts
    help: Texts = {}
    required: bool = False
    options: list[Option] = []
    minimum: float | None = None
    maximum: float | None = None
    # Of a rating: how much it weighs in the safety score. None: no part of it; 0: told beside it.
    weight: float | None = None
    # What a trained reporter texts before the answer where it stands out of order: "n" for "n=0".
    short: str = ""


class Scores(msgspec.Struct, frozen=True):
    """How ratings become the safety score of a place."""

    # H3 resolution of a place with a score, if the public place is not coarser; 10 is about 130 m across.
    resolution: int = 10
    # A place's own audits count against so many of its area, until the site's own audits say better.
    strength: float = 4.0
    # An audit this old counts half; 0: age does not matter.
    half_life_days: int = 365


class Structured(msgspec.Struct, frozen=True):
    """How trained reporters text a report: a code word, then the answers, one after the other."""

    # language → code word; without one the topic takes no structured messages
    words: Texts = {}
    # Short names of the questions in the order in which their answers are texted; "category" is the kind of report.
    fields: list[str] = []
    # Those that a message must answer, besides what the form requires.
    needs: list[str] = []
    # The question whose answer is a place of the reporter: a clinic, a polling station.
    site: str = ""
    # Answers that two messages must share for the second to correct the first; none: it corrects the last one.
    same: list[str] = []
    # Hours within which a message sent again corrects the first.
    correct_hours: int = 6
    # Whoever knows the code word may use it; else only reporters who are enrolled.
    anyone: bool = False
    # language → how we repeat what we understood, with short names of questions in braces
    said: Texts = {}
    # language → messages to learn from, one a line
    examples: Texts = {}
    # language → what a reporter who is late is told; empty means the site's own sentence
    reminder: Texts = {}


class Definition(msgspec.Struct, frozen=True):
    """A topic as one version of it stands."""

    name: Texts
    help: Texts = {}
    icon: str = "other"
    colour: str = "#5b6b7a"
    categories: list[Option] = []
    fields: list[Field] = []
    # "anyone" or "account"
    who_may_report: str = "anyone"
    publishes: Publishes = Publishes.EACH
    # Not even counted: what the desk alone reads.
    never_public: bool = False
    # H3 resolution of the public place: 9 is about 350 m across, 10 about 130 m, 8 about 900 m.
    public_resolution: int = 10
    smallest_count: int = 1
    # None: by day where each report is published, by month where only counts are.
    period: Period | None = None
    delay_hours: int = 0
    expiry_days: int = 0
    # How long a report is kept after its last change, once closed or published; 0: as long as the site says.
    retention_days: int = 0
    # words that begin an SMS on this topic, in any language
    keywords: list[str] = []
    # state → language → what the reporter is told; empty means the site's own sentence
    workflow_texts: dict[str, Texts] = {}
    # "what", "when" or "where" → how the form asks for it; empty means the site's own question
    questions: dict[str, Texts] = {}
    scores: Scores = Scores()
    structured: Structured = Structured()


class Privacy(msgspec.Struct, frozen=True):
    """What may become public of a report, and how exactly."""

    publishes: Publishes
    public_resolution: int
    smallest_count: int
    delay_hours: int
    never_public: bool = False


def strictest(first: Definition, second: Definition) -> Privacy:
    """Give, for each rule of privacy, the stricter of two definitions."""
    counts = Publishes.COUNTS in (first.publishes, second.publishes)
    return Privacy(
        publishes=Publishes.COUNTS if counts else Publishes.EACH,
        public_resolution=min(first.public_resolution, second.public_resolution),
        smallest_count=max(first.smallest_count, second.smallest_count),
        delay_hours=max(first.delay_hours, second.delay_hours),
        never_public=first.never_public or second.never_public,
    )


def decode(data: Any) -> Definition:
    """Read a definition from JSON data; msgspec.ValidationError names what is wrong."""
    return msgspec.convert(data, Definition)


def encode(definition: Definition) -> Any:
    """Give a definition as JSON data."""
    return msgspec.to_builtins(definition)


def text_in(texts: Texts, language: str) -> str:
    """Pick the text in a language, else English, else any."""
    return texts.get(language) or texts.get("en") or next(iter(texts.values()), "")
